/* sim.c - runs scenarios: the engine and its shell on a stepped clock, an inline pool, a scripted transport and the
 * memory backend. Nothing sleeps; thirty days take a second. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "codec/escape.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "config/config.h"
#include "engine/shell.h"
#include "net/scripted.h"
#include "scenario.h"

#define START_WALL (1767225600ll * NS_PER_S) /* 2026-01-01T00:00:00Z */
#define START_MONO (1000ll * NS_PER_S)

struct arrived_alert {
    struct labels labels;
    bool resolved;
    bool matched;
};

struct arrived {
    ts_ns at; /* since the start */
    str receiver;
    struct labels group;
    VEC(struct arrived_alert) alerts;
    bool matched;
};

struct poster {
    struct labels labels;
    ts_ns starts_at, next; /* wall, since the start */
};

struct named_silence {
    str name;
    struct uuid id;
};

struct sim {
    const struct scenario *scn;
    struct arena arena;
    struct clock clock;
    struct pool *pool;
    struct scripted *scripted;
    struct shell *shell;
    struct state_backend *backend;
    int sink_status; /* 0 = nothing */
    dur_ns sink_retry;
    bool source_down;
    VEC(struct action *) samples;
    VEC(struct arrived) arrived;
    VEC(struct poster) posters;
    VEC(struct named_silence) silences;
    struct buf reply;
};

/* -- what arrives -- */

static struct labels read_labels(struct json_reader *r, struct arena *a)
{
    struct label *v = arena_array(a, 64, sizeof(*v));
    size_t n = 0;
    str key;

    for (json_object_begin(r); n < 64 && json_object_next(r, &key);) {
        v[n].name = arena_str(a, key);
        json_string(r, &v[n].value);
        v[n].value = arena_str(a, v[n].value);
        n++;
    }
    return (struct labels){v, n};
}

static void read_alert(struct json_reader *r, struct sim *s, struct arrived *out)
{
    struct arrived_alert al = {.resolved = false};
    str key, status;

    for (json_object_begin(r); json_object_next(r, &key);) {
        if (str_is(key, "status")) {
            json_string(r, &status);
            al.resolved = str_is(status, "resolved");
        } else if (str_is(key, "labels")) {
            al.labels = read_labels(r, &s->arena);
        } else {
            json_skip(r);
        }
    }
    vec_push(&out->alerts, al);
}

static void take(struct sim *s, const struct scripted_request *rq)
{
    struct arrived a = {.at = rq->at.mono - START_MONO};
    struct json_reader r;
    str key;

    json_reader_init(&r, arena_str(&s->arena, rq->http.body), &s->arena, 64);
    for (json_object_begin(&r); json_object_next(&r, &key);) {
        if (str_is(key, "receiver"))
            json_string(&r, &a.receiver);
        else if (str_is(key, "groupLabels"))
            a.group = read_labels(&r, &s->arena);
        else if (str_is(key, "alerts"))
            for (json_array_begin(&r); json_array_next(&r);)
                read_alert(&r, s, &a);
        else
            json_skip(&r);
    }
    if (!json_end(&r))
        fprintf(stderr, "the sink got something that is not JSON: %s\n", r.err.msg);
    vec_push(&s->arrived, a);
}

/* The query of a form, as it is written there, or "" when the scenario names no samples for it. */
static str named_query(const struct sim *s, str form)
{
    str query = str_sub(form, strlen("query="), form.n);

    query = str_cut(&query, '&');
    for (size_t i = 0; i < s->samples.n; i++)
        if (s->samples.v[i]->text.n != 0 && str_eq(s->samples.v[i]->text, query))
            return query;
    return S("");
}

/* The source answers a query with the samples in force. */
static struct scripted_answer answer_query(struct sim *s, str form)
{
    struct json_writer w;
    double t = (double)s->clock.now.wall / NS_PER_S;
    str query = named_query(s, form);
    const char *comma = "";

    if (s->source_down)
        return (struct scripted_answer){.failure = TRANSPORT_CONNECT,
                                        .error = S("connection refused")};
    buf_clear(&s->reply);
    json_writer_init(&w, &s->reply, false);
    buf_adds(&s->reply, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[");
    for (size_t i = 0; i < s->samples.n; i++) {
        if (!str_eq(s->samples.v[i]->text, query))
            continue;
        buf_addf(&s->reply, "%s{\"metric\":{", comma);
        comma = ",";
        LABELS_EACH (l, s->samples.v[i]->labels)
            buf_addf(&s->reply, "%s\"%.*s\":\"%.*s\"", l != s->samples.v[i]->labels.v ? "," : "",
                     STR(l->name), STR(l->value));
        buf_addf(&s->reply, "},\"value\":[%.3f,\"%g\"]}", t, s->samples.v[i]->value);
    }
    buf_adds(&s->reply, "]}}");
    return (struct scripted_answer){.status = 200,
                                    .body = arena_str(&s->arena, buf_str(&s->reply))};
}

static struct scripted_answer handle(void *arg, const struct scripted_request *rq)
{
    static struct http_header retry = {S_INIT("Retry-After"), {NULL, 0}};
    struct sim *s = arg;
    struct scripted_answer a = {.status = s->sink_status};

    if (str_find_str(rq->http.url, S("/api/v1/query")) >= 0)
        return answer_query(s, rq->http.body);
    if (s->sink_status == 0)
        return (struct scripted_answer){.never = true};
    if (s->sink_status / 100 == 2)
        take(s, rq);
    if (s->sink_retry != 0) {
        retry.value = arena_printf(&s->arena, "%lld", (long long)(s->sink_retry / NS_PER_S));
        a.headers = (struct http_headers){&retry, 1};
    }
    return a;
}

/* -- the machine -- */

static struct config *load(struct sim *s)
{
    struct buf text = BUF_INIT;
    str rest = s->scn->config;
    struct config_text file = {.path = S("scenario.yml")};
    struct config_options o = {.mode = MATCHER_FALLBACK};
    struct diags d;
    struct config *c;
    ptrdiff_t at;

    while ((at = str_find_str(rest, S("@rules@"))) >= 0) {
        buf_add(&text, str_sub(rest, 0, (size_t)at));
        buf_adds(&text, "rules.yml");
        rest = str_sub(rest, (size_t)at + 7, rest.n);
    }
    buf_add(&text, rest);
    file.text = buf_str(&text);
    diags_init(&d);
    c = config_load_texts(&file, 1, &o, &d);
    for (size_t i = 0; i < d.n; i++)
        if (d.v[i].severity == DIAG_ERROR)
            fprintf(stderr, "%.*s:%d: %.*s\n", STR(d.v[i].place.file), d.v[i].place.line,
                    STR(d.v[i].message));
    if (c == NULL)
        exit(1);
    diags_release(&d);
    buf_release(&text);
    return c;
}

static void start(struct sim *s)
{
    struct shell_parts parts = {.clock = &s->clock,
                                .pool = s->pool = pool_new_inline(),
                                .conf = load(s),
                                .retention = 120 * NS_PER_H,
                                .external_url = S("http://tocsin")};
    struct state_shell cb;
    struct err e = ERR_INIT;
    size_t unreadable = 0;

    s->scripted = scripted_new(&s->clock, handle, s);
    parts.transport = scripted_transport(s->scripted);
    s->shell = shell_new(&parts);
    cb = shell_state_callbacks(s->shell);
    s->backend = s->backend != NULL ? state_memory_crash(s->backend, &cb) : state_memory_new(&cb);
    if (!shell_start(s->shell, s->backend, &unreadable, &e) || unreadable != 0) {
        fprintf(stderr, "restore: %s, %zu unreadable\n", e.msg, unreadable);
        exit(1);
    }
}

static void stop(struct sim *s)
{
    shell_keep_backend(s->shell);
    shell_free(s->shell);
    scripted_free(s->scripted);
    pool_free(s->pool);
}

static void pump(struct sim *s)
{
    size_t did;

    do {
        did = pool_drain(s->pool);
        shell_turn(s->shell);
        state_memory_flush(s->backend);
        did += clock_run_due(&s->clock);
    } while (did != 0);
    shell_turn(s->shell);
    state_memory_flush(s->backend);
}

static void post(struct sim *s, const struct poster *p, ts_ns ends_wall)
{
    struct alert_input in = {.labels = p->labels, .starts_at = p->starts_at, .ends_at = ends_wall};
    struct event ev = {.kind = EVENT_ALERTS, .alerts = {.v = &in, .n = 1}};
    struct event_result r = {0};

    shell_event(s->shell, &ev, &r);
    if (!r.ok)
        fprintf(stderr, "refused: %.*s\n", STR(buf_str(&r.text)));
    buf_release(&r.text);
    pump(s);
}

static ts_ns next_post(const struct sim *s)
{
    ts_ns next = TS_MAX;

    VEC_EACH (const struct poster *, p, &s->posters)
        if (p->next < next)
            next = p->next;
    return next;
}

static void run_until(struct sim *s, ts_ns mono)
{
    for (;;) {
        ts_ns timer = clock_next(&s->clock), poster = next_post(s);
        ts_ns next = timer < poster ? timer : poster;

        if (next > mono)
            break;
        if (next > s->clock.now.mono)
            clock_step_to(&s->clock, next);
        VEC_EACH (struct poster *, p, &s->posters)
            if (p->next <= s->clock.now.mono) {
                p->next += NS_PER_M;
                post(s, p, ts_add(s->clock.now.wall, 4 * NS_PER_M));
            }
        pump(s);
    }
    if (mono > s->clock.now.mono)
        clock_step_to(&s->clock, mono);
    pump(s);
}

/* -- actions -- */

static void add_silence(struct sim *s, const struct action *a)
{
    struct silence *in = silence_new();
    struct event ev = {.kind = EVENT_SILENCE_PUT, .silence = in};
    struct event_result r = {0};
    struct err e = ERR_INIT;
    str warning;

    in->sets = arena_new(&in->arena, struct matchers);
    in->n_sets = 1;
    if (!matchers_parse(arena_str(&in->arena, a->text), MATCHER_FALLBACK, &in->arena, in->sets,
                        &warning, &e)) {
        fprintf(stderr, "line %d: %s\n", a->line, e.msg);
        exit(1);
    }
    in->starts_at = s->clock.now.wall;
    in->ends_at = s->clock.now.wall + a->d;
    in->created_by = in->comment = S("scenario");
    shell_event(s->shell, &ev, &r);
    if (!r.ok) {
        fprintf(stderr, "line %d: %s\n", a->line, r.err.msg);
        exit(1);
    }
    vec_push(&s->silences, (struct named_silence){a->name, r.silence_id});
    pump(s);
}

static void expire_silence(struct sim *s, const struct action *a)
{
    VEC_EACH (const struct named_silence *, n, &s->silences) {
        struct event ev = {.kind = EVENT_SILENCE_EXPIRE, .silence_id = uuid_str(&n->id)};

        if (str_eq(n->name, a->name))
            shell_event(s->shell, &ev, NULL);
    }
    pump(s);
}

static void resolve(struct sim *s, const struct action *a)
{
    struct poster p = {.labels = a->labels, .starts_at = s->clock.now.wall};

    for (size_t i = 0; i < s->posters.n; i++)
        if (labels_eq(s->posters.v[i].labels, a->labels)) {
            p = s->posters.v[i];
            vec_remove(&s->posters, i--);
        }
    post(s, &p, s->clock.now.wall);
}

static void set_source(struct sim *s, const struct action *a)
{
    if (str_is(a->text, "empty"))
        vec_clear(&s->samples);
    else
        s->source_down = str_is(a->text, "down");
}

/* Queries are compared as forms write them. */
static void set_sample(struct sim *s, struct action *a)
{
    struct buf query = BUF_INIT;

    escape_percent(&query, a->text);
    a->text = arena_str(&s->arena, buf_str(&query));
    buf_release(&query);
    vec_push(&s->samples, a);
}

static void suspend(struct sim *s, const struct action *a)
{
    struct event ev = {.kind = EVENT_PAUSED, .paused = a->d};

    s->clock.now.mono += a->d;
    s->clock.now.wall += a->d;
    VEC_EACH (struct poster *, p, &s->posters) /* the senders slept too */
        p->next += a->d;
    shell_event(s->shell, &ev, NULL);
    clock_run_due(&s->clock);
    pump(s);
}

static void act(struct sim *s, struct action *a)
{
    struct event ev = {.kind = EVENT_CONFIG};

    switch (a->kind) {
    case ACT_POST:
        vec_push(&s->posters,
                 (struct poster){a->labels, s->clock.now.wall, s->clock.now.mono + NS_PER_M});
        post(s, vec_last(&s->posters), ts_add(s->clock.now.wall, 4 * NS_PER_M));
        break;
    case ACT_POST_ONCE: post(s, &(struct poster){a->labels, s->clock.now.wall, 0}, TS_NONE); break;
    case ACT_RESOLVE: resolve(s, a); break;
    case ACT_SILENCE: add_silence(s, a); break;
    case ACT_EXPIRE: expire_silence(s, a); break;
    case ACT_CRASH:
    case ACT_RESTART:
        stop(s);
        start(s);
        pump(s);
        break;
    case ACT_RELOAD:
        ev.config = load(s);
        shell_event(s->shell, &ev, NULL);
        pump(s);
        break;
    case ACT_WALL:
        s->clock.now.wall += a->d;
        ev = (struct event){.kind = EVENT_CLOCK_STEPPED, .wall_step = a->d};
        shell_event(s->shell, &ev, NULL);
        pump(s);
        break;
    case ACT_SUSPEND: suspend(s, a); break;
    case ACT_SINK:
        s->sink_status = a->status;
        s->sink_retry = a->d;
        break;
    case ACT_STORE:
        state_memory_fail(s->backend, !a->on);
        pump(s);
        break;
    case ACT_SAMPLE: set_sample(s, a); break;
    case ACT_SOURCE: set_source(s, a); break;
    case ACT_END: break;
    }
}

/* -- judgement -- */

static bool names(str token, struct labels ls)
{
    str rest = token;

    while (rest.p != NULL && rest.n != 0) {
        str pair = str_cut(&rest, '+'), value = pair, name = str_cut(&value, '=');

        if (!str_eq(labels_get(ls, name), value))
            return false;
    }
    return true;
}

static bool match_tokens(struct arrived *a, const str *tokens, size_t n, bool resolved)
{
    for (size_t i = 0; i < n; i++) {
        bool found = false;

        VEC_EACH (struct arrived_alert *, al, &a->alerts) {
            if (al->matched || al->resolved != resolved || !names(tokens[i], al->labels))
                continue;
            al->matched = found = true;
            break;
        }
        if (!found)
            return false;
    }
    return true;
}

static bool matches(const struct expected *x, struct arrived *a)
{
    bool ok = a->at == x->at && str_eq(a->receiver, x->receiver) && labels_eq(a->group, x->group) &&
              a->alerts.n == x->firing.n + x->resolved.n;

    VEC_EACH (struct arrived_alert *, al, &a->alerts)
        al->matched = false;
    return ok && match_tokens(a, x->firing.v, x->firing.n, false) &&
           match_tokens(a, x->resolved.v, x->resolved.n, true);
}

static void print_arrived(const struct arrived *a)
{
    struct buf b = BUF_INIT;

    buf_addf(&b, "%.3fs %.*s ", (double)a->at / NS_PER_S, STR(a->receiver));
    labels_print(&b, a->group);
    VEC_EACH (const struct arrived_alert *, al, &a->alerts) {
        buf_addf(&b, " %s", al->resolved ? "resolved" : "firing");
        labels_print(&b, al->labels);
    }
    fprintf(stderr, "  arrived %.*s\n", STR(buf_str(&b)));
    buf_release(&b);
}

static bool judge(const char *path, struct sim *s)
{
    bool ok = true;

    VEC_EACH (const struct expected *, x, &s->scn->expected) {
        bool found = false;

        VEC_EACH (struct arrived *, a, &s->arrived) {
            if (a->matched || !matches(x, a))
                continue;
            a->matched = found = true;
            break;
        }
        if (!found)
            fprintf(stderr, "%s:%d: expected at %.3fs, did not come\n", path, x->line,
                    (double)x->at / NS_PER_S);
        ok = ok && found;
    }
    VEC_EACH (const struct arrived *, a, &s->arrived)
        if (!a->matched) {
            fprintf(stderr, "%s: not expected:\n", path);
            print_arrived(a);
            ok = false;
        }
    return ok;
}

static bool run(const char *path)
{
    struct scenario scn;
    struct sim s = {.scn = &scn, .sink_status = 200};
    struct err e = ERR_INIT;
    bool ok;
    FILE *f;

    if (!scenario_read(path, &scn, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        return false;
    }
    f = fopen("rules.yml", "w"); /* a constant name: the slots of a group follow from it */
    if (f == NULL || fwrite(scn.rules.p, 1, scn.rules.n, f) != scn.rules.n || fclose(f) != 0)
        return false;
    arena_init(&s.arena, 0);
    clock_init_stepped(&s.clock, (struct now){START_WALL, START_MONO});
    start(&s);
    VEC_EACH (struct action *, a, &scn.actions) {
        run_until(&s, START_MONO + a->at);
        act(&s, a);
    }
    run_until(&s, START_MONO + scn.end);
    ok = judge(path, &s);
    stop(&s);
    state_backend_free(s.backend);
    unlink("rules.yml");
    VEC_EACH (struct arrived *, a, &s.arrived)
        vec_release(&a->alerts);
    vec_release(&s.arrived);
    vec_release(&s.posters);
    vec_release(&s.samples);
    vec_release(&s.silences);
    buf_release(&s.reply);
    clock_release(&s.clock);
    arena_release(&s.arena);
    scenario_release(&scn);
    return ok;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/sim-XXXXXX";
    int passed = 0, failed = 0;

    log_setup(LOG_ERROR, LOG_LOGFMT, 2);
    for (int i = 1; i < argc; i++)
        argv[i] = realpath(argv[i], NULL);
    if (mkdtemp(dir) == NULL || chdir(dir) != 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        if (argv[i] != NULL && run(argv[i]))
            passed++;
        else
            failed++;
        free(argv[i]);
    }
    rmdir(dir);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
