#include "sim.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include "codec/escape.h"
#include "config/config.h"
#include "core/explain.h"
#include "truth.h"

/* -- what arrives -- */

static void take(struct sim *s, const struct scripted_request *rq)
{
    size_t n = inbox_take(&s->inbox, rq, rq->at.mono - SIM_MONO, SIM_WALL, &s->arena);

    for (const struct arrived *a = &s->inbox.v.v[s->inbox.v.n - n]; n-- > 0; a++) {
        if (s->truth != NULL || !a->is_first) /* the oracle foresees a receiver's first one */
            continue;
        VEC_EACH (const struct arrived_alert *, al, &a->alerts)
            oracle_arrived(&s->oracle, s->path, labels_fingerprint(al->labels), a->receiver,
                           a->group, rq->at.wall);
    }
}

/* The query of a form, as it is written there, or "" when the scenario names no samples for it. */
static str named_query(const struct sim *s, str form)
{
    str query = str_sub(form, strlen("query="), form.n);

    query = str_cut(&query, '&');
    for (size_t i = 0; i < s->samples.n; i++)
        if (s->samples.v[i].escaped.n != 0 && str_eq(s->samples.v[i].escaped, query))
            return query;
    return S("");
}

static struct scripted_answer refused(void)
{
    return (struct scripted_answer){.failure = TRANSPORT_CONNECT, .error = S("connection refused")};
}

/* The source answers a query with the samples in force. */
static struct scripted_answer answer_query(struct sim *s, str form)
{
    double t = (double)stage_now(&s->it).wall / NS_PER_S;
    str query = named_query(s, form);
    const char *comma = "";

    if (s->truth != NULL)
        truth_asked(s->truth, str_sub(form, strlen("query="), strlen("query=mN")),
                    s->stage.now.mono);
    if (s->source_down)
        return refused();
    buf_clear(&s->reply);
    buf_adds(&s->reply, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[");
    for (size_t i = 0; i < s->samples.n; i++) {
        if (!str_eq(s->samples.v[i].escaped, query))
            continue;
        buf_addf(&s->reply, "%s{\"metric\":{", comma);
        comma = ",";
        LABELS_EACH (l, s->samples.v[i].labels)
            buf_addf(&s->reply, "%s\"%.*s\":\"%.*s\"", l != s->samples.v[i].labels.v ? "," : "",
                     STR(l->name), STR(l->value));
        buf_addf(&s->reply, "},\"value\":[%.3f,\"%g\"]}", t, s->samples.v[i].value);
    }
    buf_adds(&s->reply, "]}}");
    return (struct scripted_answer){
        .status = 200, .delay = s->source_takes, .body = arena_str(&s->arena, buf_str(&s->reply))};
}

/* A target shows what the source would say. */
static struct scripted_answer answer_scrape(struct sim *s)
{
    static struct http_header type = {S_INIT("Content-Type"), S_INIT("text/plain; version=0.0.4")};

    if (s->source_down)
        return refused();
    buf_clear(&s->reply);
    for (size_t i = 0; i < s->samples.n; i++)
        buf_addf(&s->reply, "%.*s %g\n", STR(s->samples.v[i].query), s->samples.v[i].value);
    return (struct scripted_answer){.status = 200,
                                    .headers = {&type, 1},
                                    .delay = s->source_takes,
                                    .body = arena_str(&s->arena, buf_str(&s->reply))};
}

static const struct sink *sink_of(const struct sim *s, str path)
{
    VEC_EACH (const struct sink *, k, &s->sinks)
        if (str_eq(k->path, path))
            return k;
    return &s->sinks.v[0];
}

static struct scripted_answer handle(void *arg, struct stage_instance *i,
                                     const struct scripted_request *rq)
{
    static struct http_header retry = {S_INIT("Retry-After"), {NULL, 0}};
    struct sim *s = arg;
    const struct sink *k = sink_of(s, inbox_path(rq->http.url));
    struct scripted_answer a = {.status = k->status, .delay = k->takes};

    (void)i;
    if (str_find_str(rq->http.url, S("/api/v1/query")) >= 0)
        return answer_query(s, rq->http.body);
    if (str_find_str(rq->http.url, S("/metrics")) >= 0)
        return answer_scrape(s);
    if (s->truth != NULL)
        truth_sent(s->truth, rq, k);
    if (k->status == 0)
        return (struct scripted_answer){.never = true};
    if (k->status / 100 == 2)
        take(s, rq);
    if (k->cuts)
        return (struct scripted_answer){.failure = TRANSPORT_CONNECT,
                                        .sent = true,
                                        .delay = k->takes,
                                        .error = S("connection reset")};
    if (k->retry != 0) {
        retry.value = arena_printf(&s->arena, "%lld", (long long)(k->retry / NS_PER_S));
        a.headers = (struct http_headers){&retry, 1};
    }
    return a;
}

/* -- the machine -- */

static const struct named_rules *rules_in_force(const struct sim *s)
{
    VEC_EACH (const struct named_rules *, r, &s->scn->rules)
        if (s->rules.n == 0 || str_eq(r->name, s->rules))
            return r;
    return NULL;
}

/* Under a constant name: the slots of a group follow from it. */
static void write_rules(const struct sim *s)
{
    const struct named_rules *r = rules_in_force(s);
    FILE *f = r != NULL ? fopen("rules.yml", "w") : NULL;

    if (r == NULL)
        return;
    if (f == NULL || fwrite(r->text.p, 1, r->text.n, f) != r->text.n || fclose(f) != 0) {
        perror("rules.yml");
        exit(1);
    }
}

static struct config *load(struct sim *s)
{
    struct buf text = BUF_INIT;
    str rest = s->scn->config;
    struct config_text file = {.path = S("scenario.yml")};
    struct config_options o = {.mode = MATCHER_FALLBACK};
    struct diags d;
    struct config *c;
    ptrdiff_t at;

    write_rules(s);
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
    stage_begin(&s->it, load(s));
}

void sim_restart(struct sim *s, bool is_cut)
{
    if (is_cut)
        stage_cut(&s->it);
    else
        stage_end(&s->it);
    if (s->truth != NULL)
        truth_ended(s->truth);
    start(s);
    if (s->truth != NULL)
        truth_began(s->truth);
}

/* What the scenario does in a turn. */
struct happening {
    struct sim *s;
    void (*happens)(struct sim *s, void *what);
    void *what;
};

static void arrive(void *arg)
{
    struct happening *h = arg;

    h->happens(h->s, h->what);
}

static void happen(struct sim *s, void (*happens)(struct sim *s, void *what), void *what)
{
    struct happening h = {s, happens, what};

    stage_turn(&s->it, arrive, &h);
}

static void go_on(struct sim *s)
{
    stage_turn(&s->it, NULL, NULL);
}

static void send(struct sim *s, void *what)
{
    struct alert_input *in = what;
    struct event ev = {.kind = EVENT_ALERTS, .alerts = {.v = in, .n = 1}};
    struct event_result r = {0};

    shell_event(s->it.shell, &ev, &r);
    if (!r.ok && s->truth == NULL)
        fprintf(stderr, "refused: %.*s\n", STR(buf_str(&r.text)));
    if (r.ok && s->truth != NULL)
        truth_posted(s->truth, in);
    else if (s->truth != NULL)
        truth_refused(s->truth, in);
    buf_release(&r.text);
}

static void post(struct sim *s, const struct poster *p, ts_ns ends_wall)
{
    struct alert_input in = {.labels = p->labels,
                             .annotations = p->annotations,
                             .starts_at = p->starts_at,
                             .ends_at = ends_wall};

    happen(s, send, &in);
}

static ts_ns next_post(const struct sim *s)
{
    ts_ns next = TS_MAX;

    VEC_EACH (const struct poster *, p, &s->posters)
        if (p->next < next)
            next = p->next;
    return next;
}

/* The clock is about to move. Nobody foresees a receiver that fails, or one that has not answered yet. */
static void ask(struct sim *s)
{
    if (s->truth != NULL)
        return;
    oracle_ask(&s->oracle, s->path, shell_engine(s->it.shell), s->it.clock.now);
    if (scripted_in_flight(s->it.net) != 0)
        oracle_disturb(&s->oracle);
    VEC_EACH (const struct sink *, k, &s->sinks)
        if (k->status / 100 != 2)
            oracle_disturb(&s->oracle);
}

static void run_until(struct sim *s, ts_ns mono)
{
    for (;;) {
        ts_ns timer = stage_next(&s->stage), poster = next_post(s);
        ts_ns next = timer < poster ? timer : poster;

        if (next > mono || (next == mono && s->scn->arrivals_first))
            break;
        if (next > s->stage.now.mono) {
            ask(s);
            stage_move(&s->stage, next);
        }
        VEC_EACH (struct poster *, p, &s->posters)
            if (p->next <= s->stage.now.mono) {
                p->next += NS_PER_M;
                post(s, p, ts_add(stage_now(&s->it).wall, 4 * NS_PER_M));
            }
        go_on(s);
    }
    if (mono > s->stage.now.mono) {
        ask(s);
        stage_move(&s->stage, mono);
    }
    if (!s->scn->arrivals_first)
        go_on(s);
}

void sim_go_on(struct sim *s, dur_ns d)
{
    run_until(s, ts_add(s->stage.now.mono, d));
}

/* -- actions -- */

static void add_silence(struct sim *s, void *what)
{
    const struct action *a = what;
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
    in->starts_at =
        a->has_start ? SIM_WALL + s->scn->begins + a->starts_at : stage_now(&s->it).wall;
    in->ends_at = in->starts_at + a->d;
    in->created_by = in->comment = S("scenario");
    shell_event(s->it.shell, &ev, &r);
    if (!r.ok) {
        fprintf(stderr, "line %d: %s\n", a->line, r.err.msg);
        exit(1);
    }
    vec_push(&s->silences, (struct named_silence){a->name, r.silence_id});
    if (s->truth != NULL)
        truth_silenced(s->truth, &r.silence_id);
}

static void expire_silence(struct sim *s, void *what)
{
    const struct action *a = what;

    VEC_EACH (const struct named_silence *, n, &s->silences) {
        struct event ev = {.kind = EVENT_SILENCE_EXPIRE, .silence_id = uuid_str(&n->id)};

        if (!str_eq(n->name, a->name))
            continue;
        shell_event(s->it.shell, &ev, NULL);
        if (s->truth != NULL)
            truth_expired(s->truth, &n->id);
    }
}

static void resolve(struct sim *s, const struct action *a)
{
    struct poster p = {.labels = a->labels, .starts_at = stage_now(&s->it).wall};

    for (size_t i = 0; i < s->posters.n; i++)
        if (labels_eq(s->posters.v[i].labels, a->labels)) {
            p = s->posters.v[i];
            vec_remove(&s->posters, i--);
        }
    post(s, &p, stage_now(&s->it).wall);
}

static void set_source(struct sim *s, const struct action *a)
{
    if (str_is(a->text, "empty"))
        vec_clear(&s->samples);
    else if (str_is(a->text, "takes"))
        s->source_takes = a->d;
    else
        s->source_down = str_is(a->text, "down");
}

static void set_pace(struct sim *s, const struct action *a)
{
    if (str_is(a->text, "jobs"))
        s->it.pace.jobs = a->d;
    else if (str_is(a->text, "commits"))
        s->it.pace.commits = a->d;
    else
        s->it.pace.answers = a->d;
}

/* Queries are compared as forms write them. */
static void set_sample(struct sim *s, const struct action *a)
{
    struct shown_sample x = {.labels = a->labels, .query = a->text, .value = a->value};
    struct buf escaped = BUF_INIT;

    escape_percent(&escaped, a->text);
    x.escaped = arena_str(&s->arena, buf_str(&escaped));
    buf_release(&escaped);
    for (size_t i = 0; i < s->samples.n; i++)
        if (str_eq(s->samples.v[i].query, x.query) && labels_eq(s->samples.v[i].labels, x.labels))
            vec_remove(&s->samples, i--);
    if (a->on)
        vec_push(&s->samples, x);
}

static void suspend(struct sim *s, void *what)
{
    const struct action *a = what;

    VEC_EACH (struct poster *, p, &s->posters) /* the senders slept too */
        p->next += a->d;
    stage_move(&s->stage, ts_add(s->stage.now.mono, a->d));
}

static void set_wall(struct sim *s, void *what)
{
    stage_step_wall(&s->it, ((const struct action *)what)->d);
}

static void reload(struct sim *s, void *what)
{
    const struct action *a = what;

    if (a->name.n != 0)
        s->rules = a->name;
    if (a->on)
        stage_reload(&s->it, load(s));
    else
        stage_reload_at_once(&s->it, load(s));
}

static void set_sink(struct sim *s, const struct action *a)
{
    struct sink k = {a->name, a->status, a->d, a->takes, a->is_lost};

    for (size_t i = 0; i < s->sinks.n; i++)
        if (str_eq(s->sinks.v[i].path, k.path)) {
            s->sinks.v[i] = k;
            return;
        }
    vec_push(&s->sinks, k);
}

static bool is_silenced_by(const struct sim *s, const struct verdict *v, str name)
{
    VEC_EACH (const struct named_silence *, n, &s->silences)
        if (str_eq(n->name, name) && v->silenced_by.n == 1)
            return str_eq(uuid_str(&v->silenced_by.v[0]->id), uuid_str(&n->id));
    return name.n == 0 && v->silenced_by.n == 0;
}

static bool is_muted_by(const struct explanation *x, str names)
{
    for (size_t i = 0; i < x->n; i++)
        if (!str_eq(x->routes[i].outside_active.n != 0 ? x->routes[i].outside_active
                                                       : x->routes[i].muted,
                    names))
            return false;
    return true;
}

/* What the API lists and what explain says come from one judge, asked in two ways. */
static bool status_is(struct sim *s, struct alert *al, const struct explanation *x,
                      const struct action *a)
{
    struct audience any = audience_at(shell_engine(s->it.shell), NULL, s->it.clock.now);
    struct alert_status st = {.routes = {0}};
    bool ok;

    audience_status(&any, al, &st);
    ok = is_silenced_by(s, &st.verdict, a->name) && st.verdict.inhibited_by.n == (a->by.n != 0) &&
         (a->by.n == 0 || st.verdict.inhibited_by.v[0].fingerprint == labels_fingerprint(a->by)) &&
         st.verdict.held_by == x->verdict.held_by && is_muted_by(x, a->text);
    alert_status_release(&st);
    return ok;
}

static bool is_next_at(const struct action *a, ts_ns next)
{
    if (!a->has_end || a->ends_at == TS_NONE)
        return !a->has_end || next == TS_NONE;
    return next != TS_NONE && (next - SIM_WALL) / NS_PER_MS >= a->ends_at / NS_PER_MS &&
           (next - SIM_WALL) / NS_PER_MS <= a->ends_latest / NS_PER_MS;
}

static void check_status(struct sim *s, const struct action *a)
{
    const struct engine *e = shell_engine(s->it.shell);
    struct alert *al = engine_alert(e, labels_fingerprint(a->labels));
    struct explanation x;
    ts_ns next;
    bool ok;

    engine_explain(e, a->labels, s->it.clock.now, &s->arena, &x);
    next = x.n != 0 && x.routes[0].n != 0 ? x.routes[0].integrations[0].next_at : TS_NONE;
    ok = al != NULL && status_is(s, al, &x, a) && is_next_at(a, next);
    explanation_release(&x);
    if (ok)
        return;
    s->wrong++;
    fprintf(stderr, "%s:%d: the alert is %s, told next %.9f\n", s->path, a->line,
            al == NULL ? "unknown" : "in another state",
            next == TS_NONE ? -1 : (double)(next - SIM_WALL) / NS_PER_S);
}

static void act(struct sim *s, struct action *a)
{
    struct poster p = {.labels = a->labels,
                       .annotations = a->annotations,
                       .starts_at = a->has_start ? SIM_WALL + s->scn->begins + a->starts_at
                                                 : stage_now(&s->it).wall,
                       .next = s->stage.now.mono + NS_PER_M};

    switch (a->kind) {
    case ACT_POST:
        vec_push(&s->posters, p);
        post(s, &p, ts_add(stage_now(&s->it).wall, 4 * NS_PER_M));
        break;
    case ACT_POST_ONCE:
        post(s, &p, a->has_end ? SIM_WALL + s->scn->begins + a->ends_at : TS_NONE);
        break;
    case ACT_RESOLVE: resolve(s, a); break;
    case ACT_SILENCE: happen(s, add_silence, a); break;
    case ACT_EXPIRE: happen(s, expire_silence, a); break;
    case ACT_CRASH:
    case ACT_RESTART:
        sim_restart(s, a->kind == ACT_CRASH);
        go_on(s);
        break;
    case ACT_RELOAD: happen(s, reload, a); break;
    case ACT_WALL: happen(s, set_wall, a); break;
    case ACT_SUSPEND: happen(s, suspend, a); break;
    case ACT_SINK: set_sink(s, a); break;
    case ACT_IS: check_status(s, a); break;
    case ACT_STORE:
        stage_set_disk(&s->it, a->on        ? STAGE_DISK_WORKS
                               : a->is_late ? STAGE_DISK_FAILS_LATE
                                            : STAGE_DISK_FAILS);
        go_on(s);
        break;
    case ACT_SAMPLE: set_sample(s, a); break;
    case ACT_SOURCE: set_source(s, a); break;
    case ACT_PACE: set_pace(s, a); break;
    case ACT_END: break;
    }
}

/* -- one scenario, from its first action to its last -- */

static void decided(void *arg, const struct decision *d)
{
    truth_decided(((struct sim *)arg)->truth, d);
}

void sim_open(struct sim *s, const char *path, const struct scenario *scn,
              const struct sim_options *o)
{
    *s = (struct sim){.path = path, .scn = scn, .truth = o->truth};
    vec_push(&s->sinks, (struct sink){S(""), 200, 0});
    arena_init(&s->arena, 0);
    stage_init(&s->stage, o->seed, (struct now){SIM_WALL + scn->begins, SIM_MONO});
    stage_add(&s->stage, &s->it,
              &(struct stage_life){.serve = handle,
                                   .decided = s->truth != NULL ? decided : NULL,
                                   .arg = s,
                                   .start_delay = scn->start_delay,
                                   .folder = o->folder,
                                   .slice = s->truth != NULL ? 1 + o->seed % 3 : 0,
                                   .host = S("sim")});
    start(s);
    if (s->truth != NULL)
        truth_began(s->truth);
    VEC_EACH (struct action *, a, &scn->actions) {
        run_until(s, SIM_MONO + a->at);
        oracle_disturb(&s->oracle);
        if (s->truth != NULL)
            truth_acts(s->truth, a);
        act(s, a);
    }
    run_until(s, SIM_MONO + scn->end);
}

void sim_close(struct sim *s)
{
    stage_end(&s->it);
    stage_release(&s->stage);
    oracle_release(&s->oracle);
    inbox_release(&s->inbox);
    vec_release(&s->sinks);
    vec_release(&s->posters);
    vec_release(&s->samples);
    vec_release(&s->silences);
    buf_release(&s->reply);
    arena_release(&s->arena);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void remove_folder(const char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
