/* alert add posts one alert and says which routes take it; alert list reads the server's overview and shows a row an
 * alert. */
#include "cli/alert.h"

#include "base/vec.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/when.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "model/labels.h"
#include "model/matcher.h"

#define F struct alert_flags
const struct flag alert_add_flags[] = {
    CLIENT_ASK_ROWS(F),
    FLAG(F, annotations, "annotation", FLAG_LIST, NULL, "NAME=VALUE", "an annotation"),
    FLAG(F, generator_url, "generator-url", FLAG_TEXT, "", "URL",
         "what the alert's source link points to"),
    FLAG(F, start, "start", FLAG_TEXT, "", "TIME",
         "RFC 3339, local time or \"30m ago\"; default: now"),
    FLAG(F, end, "end", FLAG_TEXT, "", "TIME",
         "the same, or \"+2h\"; default: resolve_timeout from now"),
    FLAGS_END,
};
const struct flag alert_list_flags[] = {
    CLIENT_FLAG_ROWS(F),
    FLAG(F, state, "state", FLAG_TEXT, "", "STATE", "only alerts in this state",
         .words = "firing pending silenced inhibited"),
    FLAG(F, receiver, "receiver", FLAG_TEXT, "", "NAME", "only alerts that go to this receiver"),
    FLAG(F, silenced, "silenced", FLAG_BOOL, "true", NULL,
         "silenced and inhibited alerts, too; --no-silenced leaves them out"),
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

static bool alert_put_time(struct json_writer *w, const char *key, const char *flag,
                           const char *text)
{
    ts_ns t;

    if (text[0] == '\0')
        return true;
    if (!when_flag(flag, text, client_now(), WHEN_AHEAD, &t))
        return false;
    json_key(w, str_of(key));
    json_put_rfc3339_nano(w, t);
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
    ok = ok && alert_put_time(&w, "startsAt", "start", f->start) &&
         alert_put_time(&w, "endsAt", "end", f->end);
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
    str state, value, rule, summary, raw; /* raw: as the server wrote it */
    ts_ns since;
    struct labels labels;
    struct seen_route *routes;
    size_t n_routes;
};

static struct labels alert_read_labels(struct json_reader *r)
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

static ts_ns alert_read_time(struct json_reader *r)
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
                out.next = alert_read_time(r);
            else
                json_skip(r);
        }
        vec_push(&v, out);
    }
    s->n_routes = v.n;
    s->routes = arena_copy(r->a, v.v, v.n, v.n, sizeof(*s->routes));
    vec_release(&v);
}

/* What people write for people, under the names that they use for it. */
static str summary_of(struct labels annotations)
{
    static const char *const names[] = {"summary", "title", "message", "description"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (labels_get(annotations, str_of(names[i])).n != 0)
            return labels_get(annotations, str_of(names[i]));
    return S("-");
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
            s->since = alert_read_time(r);
        else if (str_is(key, "labels"))
            s->labels = alert_read_labels(r);
        else if (str_is(key, "annotations"))
            s->summary = summary_of(alert_read_labels(r));
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
            struct json_reader one;
            str raw = STR_NONE;

            if (!json_raw(&r, &raw))
                break;
            json_reader_init(&one, raw, a, 12);
            read_seen(&one, &s);
            if (!json_end(&one))
                json_fail(&r, "%s", one.err.msg);
            s.raw = raw;
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
            wanted = alert_read_labels(&r);
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

struct choice {
    struct matchers matchers;
    const struct alert_flags *flags;
};

static bool goes_to(const struct seen *s, str receiver)
{
    for (size_t i = 0; i < s->n_routes; i++)
        if (str_eq(s->routes[i].receiver, receiver))
            return true;
    return false;
}

static bool alert_wanted(const struct choice *c, const struct seen *s)
{
    const struct alert_flags *f = c->flags;
    bool is_held = str_is(s->state, "silenced") || str_is(s->state, "inhibited");

    return matchers_match(&c->matchers, s->labels) && (f->silenced || !is_held) &&
           (f->state[0] == '\0' || str_is(s->state, f->state)) &&
           (f->receiver[0] == '\0' || goes_to(s, str_of(f->receiver)));
}

static void alert_add_row(struct table *t, const struct seen *s, const struct seen *rule, ts_ns now)
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
    table_add(t, s->summary.n != 0 ? s->summary : S("-"));
    buf_release(&b);
}

static const struct seen *rule_of(const struct seen_list *rules, const struct seen *alert)
{
    for (size_t i = 0; i < rules->n; i++)
        if (str_is(rules->v[i].state, "firing") && labels_eq(rules->v[i].labels, alert->labels))
            return &rules->v[i];
    return NULL;
}

/* Returns how many. */
static size_t alert_print_list(const struct seen_list *alerts, const struct seen_list *rules,
                               const struct choice *c)
{
    static const char *const titles[] = {"STATE", "ALERTNAME", "LABELS",    "VALUE",
                                         "SINCE", "RECEIVER",  "NEXT LOOK", "SUMMARY"};
    ts_ns now = client_now();
    struct table t;
    size_t n = 0;

    table_init(&t, ARRAY_LEN(titles));
    for (size_t i = 0; i < ARRAY_LEN(titles); i++)
        table_add(&t, str_of(titles[i]));
    for (size_t i = 0; i < rules->n; i++)
        if (str_is(rules->v[i].state, "pending") && alert_wanted(c, &rules->v[i])) {
            alert_add_row(&t, &rules->v[i], NULL, now);
            n++;
        }
    for (size_t i = 0; i < alerts->n; i++)
        if (alert_wanted(c, &alerts->v[i])) {
            alert_add_row(&t, &alerts->v[i], rule_of(rules, &alerts->v[i]), now);
            n++;
        }
    table_print(&t, stdout);
    return n;
}

/* What is asked for filters both lists; the rest of the answer stands as it came. */
static void alert_print_json(const struct seen_list *alerts, const struct seen_list *rules,
                             const struct choice *c)
{
    const struct seen_list *lists[] = {alerts, rules};
    static const char *const names[] = {"alerts", "rules"};
    struct buf b = BUF_INIT;

    for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
        const char *comma = "";

        buf_addf(&b, "%s\"%s\":[", k == 0 ? "{" : ",", names[k]);
        for (size_t i = 0; i < lists[k]->n; i++)
            if (alert_wanted(c, &lists[k]->v[i])) {
                buf_addf(&b, "%s%.*s", comma, STR(lists[k]->v[i].raw));
                comma = ",";
            }
        buf_addc(&b, ']');
    }
    say(stdout, "%.*s}\n", STR(buf_str(&b)));
    buf_release(&b);
}

static bool alert_parse_matchers(char **args, int n, struct arena *a, struct matchers *out)
{
    out->v = arena_array(a, (size_t)n, sizeof(*out->v));
    for (int i = 0; i < n; i++) {
        if (!client_matcher(args[i], i == 0, a, &out->v[i]))
            return false;
        out->n++;
    }
    return true;
}

static bool is_filtered(const struct alert_flags *f, int n_args)
{
    return n_args != 0 || f->state[0] != '\0' || f->receiver[0] != '\0' || !f->silenced;
}

static int cli_alert_list(const struct alert_flags *f, char **args, int n_args, str answer,
                          struct arena *a, const struct choice *c)
{
    struct seen_list alerts = {0}, rules = {0};
    bool is_json = strcmp(f->client.output, "json") == 0, ok;
    int code = EXIT_OK;

    if (is_json && !is_filtered(f, n_args)) {
        say(stdout, "%.*s", STR(answer));
        return EXIT_OK;
    }
    ok = read_overview(answer, a, &alerts, &rules);
    if (!ok)
        code = EXIT_FAILED;
    else if (is_json)
        alert_print_json(&alerts, &rules, c);
    else if (alert_print_list(&alerts, &rules, c) == 0 && n_args != 0 &&
             strpbrk(args[0], "=~!") == NULL)
        (void)client_lacks_alert(&f->client, args[0]);
    vec_release(&alerts);
    vec_release(&rules);
    return code;
}

int alert_list_run(const void *flags, char **args, int n_args)
{
    const struct alert_flags *f = flags;
    struct choice choice = {.flags = f};
    struct buf answer = BUF_INIT;
    struct arena a;
    int code = EXIT_USAGE;

    arena_init(&a, 0);
    if (alert_parse_matchers(args, n_args, &a, &choice.matchers))
        code = client_call(&f->client, "GET", "/api/tocsin/overview", STR_NONE, &answer);
    if (code == EXIT_OK && f->receiver[0] != '\0' && client_lacks_receiver(&f->client, f->receiver))
        code = EXIT_FAILED;
    if (code == EXIT_OK)
        code = cli_alert_list(f, args, n_args, buf_str(&answer), &a, &choice);
    matchers_release(&choice.matchers);
    buf_release(&answer);
    arena_release(&a);
    return code;
}
