/* sim.c - runs scenarios: the engine and its shell on a stepped clock, an inline pool, a scripted transport and the
 * memory backend. Nothing sleeps; thirty days take a second. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "codec/escape.h"
#include "config/config.h"
#include "engine/shell.h"
#include "engine/explain.h"
#include "inbox.h"
#include "oracle.h"
#include "random.h"
#include "scenario.h"

#define START_WALL (1767225600ll * NS_PER_S) /* 2026-01-01T00:00:00Z */
#define START_MONO (1000ll * NS_PER_S)

struct poster {
    struct labels labels, annotations;
    ts_ns starts_at, next; /* wall, since the start */
};

/* What one URL of the sink answers. */
struct sink {
    str path;   /* empty: every other */
    int status; /* 0 = nothing */
    dur_ns retry;
};

struct named_silence {
    str name;
    struct uuid id;
};

struct sim {
    const char *path;
    const struct scenario *scn;
    struct oracle oracle;
    struct arena arena;
    struct clock clock;
    struct pool *pool;
    struct scripted *scripted;
    struct shell *shell;
    struct state_backend *backend;
    VEC(struct sink) sinks; /* the first has no path */
    bool source_down;
    size_t wrong; /* what the API should have said, and did not */
    VEC(struct action *) samples;
    struct inbox inbox;
    VEC(struct poster) posters;
    VEC(struct named_silence) silences;
    struct buf reply;
};

/* -- what arrives -- */

static void take(struct sim *s, const struct scripted_request *rq)
{
    const struct arrived *a =
        inbox_take(&s->inbox, rq, rq->at.mono - START_MONO, START_WALL, &s->arena);

    if (inbox_path(rq->http.url).n != 0) /* the oracle foresees a receiver's first integration */
        return;
    VEC_EACH (const struct arrived_alert *, al, &a->alerts)
        oracle_arrived(&s->oracle, s->path, labels_fingerprint(al->labels), a->receiver, a->group,
                       rq->at.wall);
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
    double t = (double)s->clock.now.wall / NS_PER_S;
    str query = named_query(s, form);
    const char *comma = "";

    if (s->source_down)
        return (struct scripted_answer){.failure = TRANSPORT_CONNECT,
                                        .error = S("connection refused")};
    buf_clear(&s->reply);
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

static const struct sink *sink_of(const struct sim *s, str path)
{
    VEC_EACH (const struct sink *, k, &s->sinks)
        if (str_eq(k->path, path))
            return k;
    return &s->sinks.v[0];
}

static struct scripted_answer handle(void *arg, const struct scripted_request *rq)
{
    static struct http_header retry = {S_INIT("Retry-After"), {NULL, 0}};
    struct sim *s = arg;
    const struct sink *k = sink_of(s, inbox_path(rq->http.url));
    struct scripted_answer a = {.status = k->status};

    if (str_find_str(rq->http.url, S("/api/v1/query")) >= 0)
        return answer_query(s, rq->http.body);
    if (k->status == 0)
        return (struct scripted_answer){.never = true};
    if (k->status / 100 == 2)
        take(s, rq);
    if (k->retry != 0) {
        retry.value = arena_printf(&s->arena, "%lld", (long long)(k->retry / NS_PER_S));
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
                                .start_delay = s->scn->start_delay,
                                .external_url = S("http://tocsin")};
    struct state_shell cb;
    struct err e = ERR_INIT;
    size_t unreadable = 0;

    s->scripted = scripted_new(&s->clock, handle, s);
    parts.transport = scripted_transport(s->scripted);
    s->shell = shell_new(&parts);
    /* A scenario, and a seed, run the same way each time. */
    shell_engine(s->shell)->jitter.state = 1;
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
        did += clock_run_due(&s->clock) + pool_queued(s->pool);
    } while (did != 0);
}

static void post(struct sim *s, const struct poster *p, ts_ns ends_wall)
{
    struct alert_input in = {.labels = p->labels,
                             .annotations = p->annotations,
                             .starts_at = p->starts_at,
                             .ends_at = ends_wall};
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

/* The clock is about to move. Nobody foresees a receiver that fails. */
static void ask(struct sim *s)
{
    oracle_ask(&s->oracle, s->path, shell_engine(s->shell), s->clock.now);
    VEC_EACH (const struct sink *, k, &s->sinks)
        if (k->status / 100 != 2)
            oracle_disturb(&s->oracle);
}

static void run_until(struct sim *s, ts_ns mono)
{
    for (;;) {
        ts_ns timer = clock_next(&s->clock), poster = next_post(s);
        ts_ns next = timer < poster ? timer : poster;

        if (next > mono)
            break;
        if (next > s->clock.now.mono) {
            ask(s);
            clock_step_to(&s->clock, next);
        }
        VEC_EACH (struct poster *, p, &s->posters)
            if (p->next <= s->clock.now.mono) {
                p->next += NS_PER_M;
                post(s, p, ts_add(s->clock.now.wall, 4 * NS_PER_M));
            }
        pump(s);
    }
    if (mono > s->clock.now.mono) {
        ask(s);
        clock_step_to(&s->clock, mono);
    }
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
    in->starts_at = a->has_start ? START_WALL + a->starts_at : s->clock.now.wall;
    in->ends_at = in->starts_at + a->d;
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

static void set_sink(struct sim *s, const struct action *a)
{
    struct sink k = {a->name, a->status, a->d};

    for (size_t i = 0; i < s->sinks.n; i++)
        if (str_eq(s->sinks.v[i].path, k.path)) {
            s->sinks.v[i] = k;
            return;
        }
    vec_push(&s->sinks, k);
}

static bool is_silenced_by(const struct sim *s, const struct alert_status *st, str name)
{
    VEC_EACH (const struct named_silence *, n, &s->silences)
        if (str_eq(n->name, name) && st->silenced_by.n == 1)
            return str_eq(uuid_str(&st->silenced_by.v[0]->id), uuid_str(&n->id));
    return name.n == 0 && st->silenced_by.n == 0;
}

static void check_status(struct sim *s, const struct action *a)
{
    const struct engine *e = shell_engine(s->shell);
    const struct alert *al = engine_alert(e, labels_fingerprint(a->labels));
    struct alert_status st = {.routes = {0}};
    bool ok = false;

    if (al != NULL) {
        engine_alert_status(e, al, s->clock.now, &st);
        ok = is_silenced_by(s, &st, a->name) && st.inhibited_by.n == (a->by.n != 0) &&
             (a->by.n == 0 || st.inhibited_by.v[0].fingerprint == labels_fingerprint(a->by));
        alert_status_release(&st);
    }
    if (ok)
        return;
    s->wrong++;
    fprintf(stderr, "%s:%d: the alert is %s\n", s->path, a->line,
            al == NULL ? "unknown" : "in another state");
}

static void act(struct sim *s, struct action *a)
{
    struct event ev = {.kind = EVENT_CONFIG};
    struct poster p = {.labels = a->labels,
                       .annotations = a->annotations,
                       .starts_at = a->has_start ? START_WALL + a->starts_at : s->clock.now.wall,
                       .next = s->clock.now.mono + NS_PER_M};

    switch (a->kind) {
    case ACT_POST:
        vec_push(&s->posters, p);
        post(s, &p, ts_add(s->clock.now.wall, 4 * NS_PER_M));
        break;
    case ACT_POST_ONCE: post(s, &p, a->has_end ? START_WALL + a->ends_at : TS_NONE); break;
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
    case ACT_SINK: set_sink(s, a); break;
    case ACT_IS: check_status(s, a); break;
    case ACT_STORE:
        state_memory_fail(s->backend, !a->on);
        pump(s);
        break;
    case ACT_SAMPLE: set_sample(s, a); break;
    case ACT_SOURCE: set_source(s, a); break;
    case ACT_END: break;
    }
}

/* -- one scenario, from its first action to its last -- */

static void sim_open(struct sim *s, const char *path, const struct scenario *scn)
{
    *s = (struct sim){.path = path, .scn = scn};
    vec_push(&s->sinks, (struct sink){S(""), 200, 0});
    arena_init(&s->arena, 0);
    clock_init_stepped(&s->clock, (struct now){START_WALL, START_MONO});
    start(s);
    VEC_EACH (struct action *, a, &scn->actions) {
        run_until(s, START_MONO + a->at);
        oracle_disturb(&s->oracle);
        act(s, a);
    }
    run_until(s, START_MONO + scn->end);
}

static void sim_close(struct sim *s)
{
    stop(s);
    state_backend_free(s->backend);
    oracle_release(&s->oracle);
    inbox_release(&s->inbox);
    vec_release(&s->sinks);
    vec_release(&s->posters);
    vec_release(&s->samples);
    vec_release(&s->silences);
    buf_release(&s->reply);
    clock_release(&s->clock);
    arena_release(&s->arena);
}

static bool run(const char *path)
{
    struct scenario scn;
    struct sim s;
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
    sim_open(&s, path, &scn);
    ok = inbox_judge(&s.inbox, &scn, path) && s.oracle.wrong == 0 && s.wrong == 0;
    printf("%s: %zu answers of explain held\n", path, s.oracle.checked);
    sim_close(&s);
    unlink("rules.yml");
    scenario_release(&scn);
    return ok;
}

/* -- scenarios from a seed -- */

static const struct route *route_to(const struct engine *e, str receiver)
{
    for (size_t i = 0; i < e->tree.n; i++)
        if (str_eq(e->tree.by_index[i]->receiver, receiver))
            return e->tree.by_index[i];
    return NULL;
}

static bool has(const struct arrived *a, const struct arrived_alert *al)
{
    VEC_EACH (const struct arrived_alert *, x, &a->alerts)
        if (x->resolved == al->resolved && labels_eq(x->labels, al->labels))
            return true;
    return false;
}

static bool fires(const struct arrived *a)
{
    VEC_EACH (const struct arrived_alert *, al, &a->alerts)
        if (!al->resolved)
            return true;
    return false;
}

/* A message that says nothing which the one before it did not say is a repeat, and must not come early. That nothing
 * fires any more is news. Where send_resolved is off, an end that nobody hears of may lie between two that are equal. */
static bool repeats_in_time(const struct sim *s, const char *name)
{
    bool ok = true;

    for (size_t i = 0; i < s->inbox.v.n; i++) {
        const struct arrived *a = &s->inbox.v.v[i], *last = NULL;
        const struct route *r = route_to(shell_engine(s->shell), a->receiver);
        bool is_repeat =
            engine_receiver(shell_engine(s->shell), a->receiver)->integrations[0].send_resolved;

        for (size_t j = i; j-- > 0 && last == NULL;)
            if (str_eq(s->inbox.v.v[j].receiver, a->receiver) &&
                labels_eq(s->inbox.v.v[j].group, a->group))
                last = &s->inbox.v.v[j];
        is_repeat = is_repeat && last != NULL && fires(a) == fires(last);
        VEC_EACH (const struct arrived_alert *, al, &a->alerts)
            is_repeat = is_repeat && has(last, al);
        if (!is_repeat || (fires(a) && a->at - last->at >= r->repeat_interval))
            continue;
        fprintf(stderr, "%s: repeated after %.3fs:\n", name, (double)(a->at - last->at) / NS_PER_S);
        arrived_print(last);
        arrived_print(a);
        ok = false;
    }
    return ok;
}

/* An alert that one thing alone keeps from a receiver which was never told of it. */
struct held_back {
    uint64_t fingerprint;
    str receiver;
    unsigned part;
    ts_ns flush; /* wall */
};

static unsigned only_reason(const struct explanation *x, const struct explain_route *r)
{
    unsigned parts = (x->silences.n != 0 ? RANDOM_SILENCES : 0) |
                     (x->inhibitions.n != 0 ? RANDOM_INHIBITION : 0) |
                     (r->muted.n + r->outside_active.n != 0 ? RANDOM_MUTING : 0);

    return (parts & (parts - 1)) == 0 ? parts : 0;
}

static struct held_back find_held_back(const struct sim *s, struct arena *a)
{
    const struct engine *e = shell_engine(s->shell);
    struct held_back found = {.part = 0};
    struct explanation x;

    MAP_EACH (struct u64_map_entry, it, &e->alerts) {
        const struct alert *al = it->value;

        engine_explain(e, al->labels->ls, s->clock.now, a, &x);
        for (size_t i = 0; i < x.n && found.part == 0; i++) {
            const struct explain_route *r = &x.routes[i];
            ts_ns wait = r->next_flush == TS_NONE ? 0 : r->next_flush - s->clock.now.wall;

            if (!x.is_resolved && r->group != NULL && r->n != 0 &&
                al->expires_mono > ts_add(s->clock.now.mono, wait) &&
                (r->integrations[0].last == NULL ||
                 !hash_list_has(r->integrations[0].last->firing, labels_dedup_hash(x.labels))))
                found = (struct held_back){alert_fingerprint(al), arena_str(a, r->route->receiver),
                                           only_reason(&x, r), r->next_flush};
        }
        explanation_release(&x);
    }
    return found;
}

/* The same without the reason that explain gave: now it must have been sent. */
static bool reason_holds(uint64_t seed, const struct held_back *h, dur_ns length)
{
    struct scenario scn;
    struct sim s;
    bool sent = false;

    random_scenario(&scn, seed, RANDOM_ALL & ~h->part, length);
    scn.end = h->flush - START_WALL + 1;
    sim_open(&s, "replay", &scn);
    VEC_EACH (const struct arrived *, a, &s.inbox.v)
        VEC_EACH (const struct arrived_alert *, al, &a->alerts)
            sent = sent || (str_eq(a->receiver, h->receiver) && !al->resolved &&
                            labels_fingerprint(al->labels) == h->fingerprint);
    sim_close(&s);
    scenario_release(&scn);
    if (!sent)
        fprintf(stderr, "seed %llu: %016llx was not sent to %.*s without what held it back (%u)\n",
                (unsigned long long)seed, (unsigned long long)h->fingerprint, STR(h->receiver),
                h->part);
    return sent;
}

static bool run_random(uint64_t seed, dur_ns length, size_t *answers, size_t *replays)
{
    struct scenario scn;
    struct held_back h;
    struct arena a;
    struct sim s;
    char name[32];
    bool ok;

    snprintf(name, sizeof(name), "seed %llu", (unsigned long long)seed);
    random_scenario(&scn, seed, RANDOM_ALL, length);
    sim_open(&s, name, &scn);
    arena_init(&a, 0);
    h = find_held_back(&s, &a);
    ok = s.oracle.wrong == 0 && repeats_in_time(&s, name);
    *answers += s.oracle.checked;
    sim_close(&s);
    if (h.part != 0) {
        ++*replays;
        ok = reason_holds(seed, &h, length) && ok;
    }
    if (!ok)
        fprintf(stderr, "%s: the configuration:\n%.*s", name, STR(scn.config));
    arena_release(&a);
    scenario_release(&scn);
    return ok;
}

/* sim --random FIRST COUNT HOURS */
static int random_main(uint64_t first, uint64_t count, uint64_t hours)
{
    size_t answers = 0, replays = 0, failed = 0;

    for (uint64_t seed = first; seed < first + count; seed++)
        failed += !run_random(seed, (dur_ns)hours * NS_PER_H, &answers, &replays);
    printf("%zu answers of explain held, %zu reasons replayed\n%zu passed, %zu failed\n", answers,
           replays, (size_t)count - failed, failed);
    return failed != 0;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/sim-XXXXXX";
    int passed = 0, failed = 0;

    log_setup(LOG_ERROR, LOG_LOGFMT, 2);
    if (argc == 5 && strcmp(argv[1], "--random") == 0)
        return random_main(strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10),
                           strtoull(argv[4], NULL, 10));
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
