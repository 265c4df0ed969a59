#include "cli/alert.h"

#include "base/vec.h"
#include "cli/say.h"
#include "cli/table.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "model/labels.h"
#include "model/matcher.h"

#define F struct alert_flags
const struct flag alert_add_flags[] = {
    CLIENT_FLAG_ROWS(F),
    FLAG(F, annotations, "annotation", FLAG_LIST, NULL, "NAME=VALUE", "an annotation"),
    FLAG(F, generator_url, "generator-url", FLAG_TEXT, "", "URL",
         "what the alert's source link points to"),
    FLAG(F, start, "start", FLAG_TEXT, "", "TIME", "RFC 3339; default: now"),
    FLAG(F, end, "end", FLAG_TEXT, "", "TIME", "RFC 3339; default: resolve_timeout from now"),
    FLAGS_END,
};
const struct flag alert_list_flags[] = {
    CLIENT_FLAG_ROWS(F),
    FLAGS_END,
};
#undef F

static bool put_pair(struct json_writer *w, const char *pair)
{
    str value = str_of(pair), name = str_cut(&value, '=');

    if (value.p == NULL || name.n == 0) {
        say(stderr, "tocsin: '%s' is not NAME=VALUE\n", pair);
        return false;
    }
    if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
        value = str_sub(value, 1, value.n - 1);
    json_key(w, name);
    json_put_str(w, value);
    return true;
}

static bool make_body(const struct alert_flags *f, char **args, int n, struct buf *out)
{
    struct json_writer w;
    bool ok = true;

    json_writer_init(&w, out, false);
    json_open(&w, '[');
    json_open(&w, '{');
    json_key(&w, S("labels"));
    json_open(&w, '{');
    for (int i = 0; i < n && ok; i++) {
        if (i == 0 && strchr(args[0], '=') == NULL) {
            json_key(&w, S("alertname"));
            json_put_str(&w, str_of(args[0]));
        } else {
            ok = put_pair(&w, args[i]);
        }
    }
    json_close(&w, '}');
    json_key(&w, S("annotations"));
    json_open(&w, '{');
    for (size_t i = 0; i < f->annotations.n && ok; i++)
        ok = put_pair(&w, f->annotations.v[i]);
    json_close(&w, '}');
    if (f->start[0] != '\0') {
        json_key(&w, S("startsAt"));
        json_put_str(&w, str_of(f->start));
    }
    if (f->end[0] != '\0') {
        json_key(&w, S("endsAt"));
        json_put_str(&w, str_of(f->end));
    }
    if (f->generator_url[0] != '\0') {
        json_key(&w, S("generatorURL"));
        json_put_str(&w, str_of(f->generator_url));
    }
    json_close(&w, '}');
    json_close(&w, ']');
    return ok;
}

/* -- the overview of the server, read -- */

struct seen_route {
    str receiver, group_key;
    ts_ns next; /* TS_NONE = none */
};

struct seen {
    str state, value, rule;
    ts_ns since;
    struct labels labels;
    struct seen_route *routes;
    size_t n_routes;
};

static struct labels read_labels(struct json_reader *r)
{
    VEC(struct label) v = VEC_INIT;
    struct labels ls = LABELS_NONE;
    struct label l;

    for (json_object_begin(r); json_object_next(r, &l.name);)
        if (json_string(r, &l.value))
            vec_push(&v, l);
    ls.n = labels_sort_last(v.v, v.n);
    ls.v = arena_copy(r->a, v.v, ls.n, ls.n, sizeof(l));
    vec_release(&v);
    return ls;
}

static ts_ns read_time(struct json_reader *r)
{
    struct err e = ERR_INIT;
    ts_ns t = TS_NONE;
    str text;

    if (json_peek(r) == JSON_NULL) {
        json_null(r);
        return TS_NONE;
    }
    if (json_string(r, &text) && !rfc3339_parse(text, &t, &e))
        json_fail(r, "%s", e.msg);
    return t;
}

static void read_routes(struct json_reader *r, struct seen *s)
{
    VEC(struct seen_route) v = VEC_INIT;
    str key;

    for (json_array_begin(r); json_array_next(r);) {
        struct seen_route out = {.next = TS_NONE};

        for (json_object_begin(r); json_object_next(r, &key);) {
            if (str_is(key, "receiver"))
                json_string(r, &out.receiver);
            else if (str_is(key, "groupKey"))
                json_string(r, &out.group_key);
            else if (str_is(key, "nextFlush"))
                out.next = read_time(r);
            else
                json_skip(r);
        }
        vec_push(&v, out);
    }
    s->n_routes = v.n;
    s->routes = arena_copy(r->a, v.v, v.n, v.n, sizeof(*s->routes));
    vec_release(&v);
}

static void read_seen(struct json_reader *r, struct seen *s)
{
    str key;

    *s = (struct seen){.since = TS_NONE};
    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "state"))
            json_string(r, &s->state);
        else if (str_is(key, "value"))
            json_string(r, &s->value);
        else if (str_is(key, "rule"))
            json_string(r, &s->rule);
        else if (str_is(key, "since") || str_is(key, "activeAt"))
            s->since = read_time(r);
        else if (str_is(key, "labels"))
            s->labels = read_labels(r);
        else if (str_is(key, "routes"))
            read_routes(r, s);
        else
            json_skip(r);
    }
}

struct seen_list {
    struct seen *v;
    size_t n, cap;
};

static bool read_overview(str body, struct arena *a, struct seen_list *alerts,
                          struct seen_list *rules)
{
    struct json_reader r;
    struct seen s;
    str key;

    json_reader_init(&r, body, a, 16);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        struct seen_list *to = str_is(key, "alerts") ? alerts : str_is(key, "rules") ? rules : NULL;

        if (to == NULL) {
            json_skip(&r);
            continue;
        }
        for (json_array_begin(&r); json_array_next(&r);) {
            read_seen(&r, &s);
            vec_push(to, s);
        }
    }
    if (json_end(&r))
        return true;
    say(stderr, "tocsin: the server's answer cannot be read: %s\n", r.err.msg);
    return false;
}

static void add_relative(struct buf *b, ts_ns t, ts_ns now)
{
    int64_t s = ts_sub(t, now) / NS_PER_S;
    bool past = s < 0;

    if (past)
        s = -s;
    if (!past)
        buf_adds(b, "in ");
    if (s >= 86400)
        buf_addf(b, "%lldd %lldh", (long long)(s / 86400), (long long)(s / 3600 % 24));
    else if (s >= 3600)
        buf_addf(b, "%lldh %lldm", (long long)(s / 3600), (long long)(s / 60 % 60));
    else if (s >= 60)
        buf_addf(b, "%lldm %llds", (long long)(s / 60), (long long)(s % 60));
    else
        buf_addf(b, "%llds", (long long)s);
    if (past)
        buf_adds(b, " ago");
}

/* "alert add": where it goes, and when the first message is due. */
static int tell_route(const struct alert_flags *f, str posted)
{
    struct buf answer = BUF_INIT, when = BUF_INIT;
    struct seen_list alerts = {0}, rules = {0};
    struct arena a;
    struct json_reader r;
    struct labels wanted = LABELS_NONE;
    str key;
    int code = client_call(&f->client, "GET", "/api/tocsin/overview", STR_NONE, &answer);

    arena_init(&a, 0);
    json_reader_init(&r, posted, &a, 8);
    json_array_begin(&r);
    json_array_next(&r);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (str_is(key, "labels"))
            wanted = read_labels(&r);
        else
            json_skip(&r);
    }
    if (code == EXIT_OK && !read_overview(buf_str(&answer), &a, &alerts, &rules))
        code = EXIT_FAILED;
    for (size_t i = 0; i < alerts.n; i++) {
        const struct seen *s = &alerts.v[i];

        if (!labels_eq(s->labels, wanted))
            continue;
        if (s->n_routes == 0)
            say(stdout, "taken (%.*s); no route takes it\n", STR(s->state));
        for (size_t j = 0; j < s->n_routes; j++) {
            buf_clear(&when);
            if (s->routes[j].next != TS_NONE)
                add_relative(&when, s->routes[j].next, client_now());
            say(stdout, "taken (%.*s): receiver %.*s, group %.*s, next message %.*s\n",
                STR(s->state), STR(s->routes[j].receiver), STR(s->routes[j].group_key),
                STR(buf_str(&when)));
        }
    }
    vec_release(&alerts);
    vec_release(&rules);
    buf_release(&answer);
    buf_release(&when);
    arena_release(&a);
    return code;
}

int alert_add_run(const void *flags, char **args, int n_args)
{
    const struct alert_flags *f = flags;
    struct buf body = BUF_INIT, answer = BUF_INIT;
    int code = EXIT_USAGE;

    if (n_args == 0)
        say(stderr, "tocsin: alert add needs labels: tocsin alert add NAME severity=critical\n");
    else if (make_body(f, args, n_args, &body))
        code = client_call(&f->client, "POST", "/api/v2/alerts", buf_str(&body), &answer);
    if (code == EXIT_OK)
        code = tell_route(f, buf_str(&body));
    buf_release(&body);
    buf_release(&answer);
    return code;
}

static bool wanted(const struct matchers *ms, const struct seen *s)
{
    return matchers_match(ms, s->labels);
}

static void add_row(struct table *t, const struct seen *s, const struct seen *rule, ts_ns now)
{
    static const str alertname[] = {S_INIT("alertname")};
    struct buf b = BUF_INIT;

    table_add(t, s->state);
    table_add(t, labels_get(s->labels, S("alertname")));
    labels_print(&b, labels_without(&t->arena, s->labels, alertname, 1));
    table_add(t, buf_str(&b));
    table_add(t, rule != NULL ? rule->value : s->value.n != 0 ? s->value : S("-"));
    buf_clear(&b);
    add_relative(&b, s->since, now);
    table_add(t, buf_str(&b));
    buf_clear(&b);
    for (size_t i = 0; i < s->n_routes; i++)
        buf_addf(&b, "%s%.*s", i != 0 ? "," : "", STR(s->routes[i].receiver));
    table_add(t, b.n != 0 ? buf_str(&b) : S("-"));
    buf_clear(&b);
    for (size_t i = 0; i < s->n_routes; i++)
        if (s->routes[i].next != TS_NONE && b.n == 0)
            add_relative(&b, s->routes[i].next, now);
    table_add(t, b.n != 0 ? buf_str(&b) : S("-"));
    buf_release(&b);
}

static const struct seen *rule_of(const struct seen_list *rules, const struct seen *alert)
{
    for (size_t i = 0; i < rules->n; i++)
        if (str_is(rules->v[i].state, "firing") && labels_eq(rules->v[i].labels, alert->labels))
            return &rules->v[i];
    return NULL;
}

static void print_list(const struct seen_list *alerts, const struct seen_list *rules,
                       const struct matchers *ms)
{
    static const char *const titles[] = {"STATE", "ALERTNAME", "LABELS",   "VALUE",
                                         "SINCE", "RECEIVER",  "NEXT LOOK"};
    ts_ns now = client_now();
    struct table t;

    table_init(&t, ARRAY_LEN(titles));
    for (size_t i = 0; i < ARRAY_LEN(titles); i++)
        table_add(&t, str_of(titles[i]));
    for (size_t i = 0; i < rules->n; i++)
        if (str_is(rules->v[i].state, "pending") && wanted(ms, &rules->v[i]))
            add_row(&t, &rules->v[i], NULL, now);
    for (size_t i = 0; i < alerts->n; i++)
        if (wanted(ms, &alerts->v[i]))
            add_row(&t, &alerts->v[i], rule_of(rules, &alerts->v[i]), now);
    table_print(&t, stdout);
}

static bool parse_matchers(char **args, int n, struct arena *a, struct matchers *out)
{
    out->v = arena_array(a, (size_t)n, sizeof(*out->v));
    for (int i = 0; i < n; i++) {
        if (!client_matcher(args[i], i == 0, a, &out->v[i]))
            return false;
        out->n++;
    }
    return true;
}

int alert_list_run(const void *flags, char **args, int n_args)
{
    const struct alert_flags *f = flags;
    struct buf answer = BUF_INIT;
    struct seen_list alerts = {0}, rules = {0};
    struct matchers ms = {0};
    struct arena a;
    int code = EXIT_USAGE;

    arena_init(&a, 0);
    if (parse_matchers(args, n_args, &a, &ms))
        code = client_call(&f->client, "GET", "/api/tocsin/overview", STR_NONE, &answer);
    if (code == EXIT_OK && strcmp(f->client.output, "json") == 0)
        say(stdout, "%.*s", STR(buf_str(&answer)));
    else if (code == EXIT_OK && read_overview(buf_str(&answer), &a, &alerts, &rules))
        print_list(&alerts, &rules, &ms);
    else if (code == EXIT_OK)
        code = EXIT_FAILED;
    vec_release(&alerts);
    vec_release(&rules);
    matchers_release(&ms);
    buf_release(&answer);
    arena_release(&a);
    return code;
}
