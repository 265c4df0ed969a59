#include "engine/rule_driver.h"

#include <stdio.h>
#include "base/log.h"
#include "engine/shell.h"

/* A source and the timer that says when it has been away for too long. It holds the configuration it was made from:
 * a reload that does not touch it leaves it running. */
struct driven_source {
    struct rule_driver *driver;
    struct source *source;
    struct config *conf;
    struct timer down;
    bool raised;
    size_t runs; /* that ask it now */
    bool retired;
};

struct run {
    struct job job;
    struct rule_driver *driver;
    struct rule_group *group;
    struct driven_source *source; /* while it is asked */
    struct source_answer answer;
    struct buf body;
    bool has_answer;
    enum rule_group_step step;
    struct rule_want want;
    struct timer soon; /* for an answer that needs no source */
    struct run *next, *prev;
};

struct rule_driver {
    struct shell *shell;
    struct pool *pool;
    struct transport *transport;
    struct clock *clock;
    VEC(struct driven_source *) sources;
    VEC(const struct source *) list;
    struct run *runs;
};

struct rule_driver *rule_driver_new(struct shell *s, struct pool *pool, struct transport *t,
                                    struct clock *clock)
{
    struct rule_driver *d = mem_new(struct rule_driver);

    d->shell = s;
    d->pool = pool;
    d->transport = t;
    d->clock = clock;
    return d;
}

static void set_down(struct driven_source *ds, bool raised)
{
    struct event ev = {.kind = EVENT_BUILTIN,
                       .builtin = {.kind = BUILTIN_SOURCE_DOWN,
                                   .raised = raised,
                                   .subject = source_name(ds->source),
                                   .why =
                                       raised ? str_of(source_last_error(ds->source)) : STR_NONE}};

    if (ds->raised == raised)
        return;
    ds->raised = raised;
    if (raised)
        log_error("source is down", LOG_STR("source", source_name(ds->source)),
                  LOG_Z("err", source_last_error(ds->source)));
    else
        log_info("source is back", LOG_STR("source", source_name(ds->source)));
    shell_event(ds->driver->shell, &ev, NULL);
}

static void check_down(struct driven_source *ds)
{
    ts_ns since = source_down_since(ds->source), due;

    if (since == TS_NONE) {
        timer_cancel(ds->driver->clock, &ds->down);
        set_down(ds, false);
        return;
    }
    due = ts_add(since, source_config(ds->source)->down_after);
    if (due <= ds->driver->clock->now.mono)
        set_down(ds, true);
    else
        timer_arm(ds->driver->clock, &ds->down, due);
}

static void down_due(struct timer *t, struct now now)
{
    (void)now;
    check_down(container_of(t, struct driven_source, down));
}

static void source_end(struct driven_source *ds)
{
    timer_cancel(ds->driver->clock, &ds->down);
    set_down(ds, false);
    source_free(ds->source);
    config_unref(ds->conf);
    mem_free(ds);
}

static void run_free(struct run *r)
{
    struct rule_driver *d = r->driver;

    timer_cancel(d->clock, &r->soon);
    if (r->prev != NULL)
        r->prev->next = r->next;
    else
        d->runs = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    buf_release(&r->body);
    mem_free(r);
}

void rule_driver_free(struct rule_driver *d)
{
    if (d == NULL)
        return;
    while (d->runs != NULL)
        run_free(d->runs);
    for (size_t i = 0; i < d->sources.n; i++) {
        struct driven_source *ds = d->sources.v[i];

        timer_cancel(d->clock, &ds->down);
        source_free(ds->source);
        config_unref(ds->conf);
        mem_free(ds);
    }
    vec_release(&d->sources);
    vec_release(&d->list);
    mem_free(d);
}

/* Sources are made anew: queries under way finish on the old ones, which go when the last has answered. */
void rule_driver_configure(struct rule_driver *d, struct config *conf)
{
    for (size_t i = 0; i < d->sources.n; i++) {
        struct driven_source *ds = d->sources.v[i];

        ds->retired = true;
        if (ds->runs == 0) {
            source_end(ds);
            vec_remove(&d->sources, i--);
        }
    }
    for (size_t i = 0; i < conf->n_sources; i++) {
        struct driven_source *ds = mem_new(struct driven_source);

        ds->driver = d;
        ds->conf = config_ref(conf);
        ds->source = source_new(&conf->sources[i], d->transport, d->clock);
        ds->down.fire = down_due;
        vec_push(&d->sources, ds);
    }
}

static struct driven_source *find_source(struct rule_driver *d, str name)
{
    for (size_t i = 0; i < d->sources.n; i++)
        if (!d->sources.v[i]->retired && str_eq(source_name(d->sources.v[i]->source), name))
            return d->sources.v[i];
    return NULL;
}

static ts_ns read_mono(void *arg)
{
    return clock_mono(arg);
}

static void advance(struct job *j)
{
    struct run *r = container_of(j, struct run, job);
    struct rule_clock clock = {read_mono, r->driver->clock};

    r->answer.body = buf_str(&r->body);
    r->step = rule_group_advance(r->group, r->has_answer ? &r->answer : NULL, clock, &r->want);
}

static void source_answered(void *arg, const struct source_answer *a)
{
    struct run *r = arg;
    struct driven_source *ds = r->source;

    r->source = NULL;
    r->answer = *a;
    buf_clear(&r->body);
    buf_add(&r->body, a->body);
    r->has_answer = true;
    ds->runs--;
    if (!ds->retired)
        check_down(ds);
    pool_run(r->driver->pool, &r->job);
}

static void no_source(struct timer *t, struct now now)
{
    struct run *r = container_of(t, struct run, soon);

    (void)now;
    pool_run(r->driver->pool, &r->job);
}

static void reap(struct rule_driver *d)
{
    for (size_t i = 0; i < d->sources.n; i++) {
        struct driven_source *ds = d->sources.v[i];

        if (!ds->retired || ds->runs != 0)
            continue;
        source_end(ds);
        vec_remove(&d->sources, i--);
    }
}

/* What a terminal or a journal shows of the rules: an alert goes pending, fires, ends. */
static void log_changes(const struct rule_group *g)
{
    static const char *const steps[] = {[RULE_ALERT_INACTIVE] = "alert resolved",
                                        [RULE_ALERT_PENDING] = "alert pending",
                                        [RULE_ALERT_FIRING] = "alert firing"};
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < g->n_rules; i++)
        VEC_EACH (const struct rule_change *, c, &g->rules[i].changes) {
            buf_clear(&b);
            labels_print(&b, c->labels->ls);
            log_info(c->forgotten ? "alert no longer pending" : steps[c->state],
                     LOG_STR("alert", buf_str(&b)), LOG_F64("value", c->value));
        }
    buf_release(&b);
}

static void advanced(struct job *j)
{
    struct run *r = container_of(j, struct run, job);
    struct rule_driver *d = r->driver;
    struct event ev = {.kind = EVENT_RULES_DONE, .rules = {.group = r->group}};

    if (r->step == RULE_GROUP_DONE) {
        log_changes(r->group);
        run_free(r);
        shell_event(d->shell, &ev, NULL);
        reap(d);
        return;
    }
    r->source = find_source(d, r->group->conf->source);
    if (r->source == NULL) {
        r->answer = (struct source_answer){.error = SOURCE_EXECUTION};
        err_set(&r->answer.err, ERR_NOT_FOUND, "there is no source '%.*s'",
                STR(r->group->conf->source));
        r->has_answer = true;
        r->soon.fire = no_source;
        timer_arm(d->clock, &r->soon, d->clock->now.mono);
        return;
    }
    r->source->runs++;
    source_query(r->source->source, r->want.query, r->want.time, source_answered, r);
}

void rule_driver_run(struct rule_driver *d, struct rule_group *g, ts_ns slot)
{
    struct run *r = mem_new(struct run);

    r->driver = d;
    r->group = g;
    r->job.run = advance;
    r->job.done = advanced;
    r->next = d->runs;
    if (r->next != NULL)
        r->next->prev = r;
    d->runs = r;
    rule_group_begin(g, slot, d->clock->now);
    pool_run(r->driver->pool, &r->job);
}

bool rule_driver_is_on_time(const struct rule_driver *d, str *why)
{
    for (const struct run *r = d->runs; r != NULL; r = r->next) {
        dur_ns late = d->clock->now.mono - r->group->now.mono;

        if (late > r->group->conf->interval && late > 10 * NS_PER_S) {
            *why = S("a rule group takes longer than its interval");
            return false;
        }
    }
    return true;
}

size_t rule_driver_sources(const struct rule_driver *cd, const struct source *const **out)
{
    struct rule_driver *d =
        (struct rule_driver *)(uintptr_t)cd; /* the list is rebuilt for each asker */

    vec_clear(&d->list);
    for (size_t i = 0; i < d->sources.n; i++)
        if (!d->sources.v[i]->retired)
            vec_push(&d->list, d->sources.v[i]->source);
    *out = d->list.v;
    return d->list.n;
}
