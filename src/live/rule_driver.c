/* Sources with the clocks that watch them; runs, which go between a worker and a source until they are done; state
 * that moves to a newer generation or ends. An order of the core begins one of these, and an event ends it. */
#include "live/rule_driver.h"
#include "live/slices.h"

#include <stdio.h>
#include "os/log.h"
#include "live/rule_groups.h"
#include "live/shell.h"

/* A source and the timer that says when it has been away for too long. It holds the configuration it was made from:
 * a reload that does not touch it leaves it running. */
struct driven_source {
    struct rule_driver *driver;
    struct source *source;
    struct config *conf;
    struct timer down;
    bool raised;
    bool is_skewed; /* TocsinClockSkew is raised for it */
    size_t runs;    /* that ask it now */
    bool retired;
};

/* A job of a group: what the core ordered. */
struct rule_driver_run {
    struct job job;
    struct rule_driver *driver;
    struct driven_group *of;
    struct effect_rules order;
    struct rule_group *group; /* that has the state at the end */
    struct now began;
    struct rule_driver_run *next, *prev;

    /* a run */
    struct driven_source *source; /* while it is asked */
    struct source_answer answer;
    struct buf body;
    bool has_answer;
    struct slice slice; /* while its alerts are taken some a turn */
    size_t taken;
    enum rule_group_step step;
    struct rule_want want;
    struct timer soon; /* for an answer that needs no source */

    /* an inheritance or a retirement */
    struct rule_generation *from;
    struct rule_past *past;
    size_t unreadable;
};

/* Somebody asks, who is no run. */
struct rule_question {
    struct rule_driver *driver;
    struct driven_source *source;
    source_cb *cb; /* NULL: nobody wants to know any more */
    void *arg;
    struct rule_question *next, *prev;
};

struct rule_driver {
    struct shell *shell;
    struct pool *pool;
    struct transport *transport;
    struct clock *clock;
    VEC(struct driven_source *) sources;
    VEC(const struct source *) list;
    struct rule_groups groups;
    struct rule_shape *first; /* of the first configuration, until it is in force */
    struct rule_driver_run *runs;
    struct rule_question *questions;
};

struct rule_driver *rule_driver_new(struct shell *s, struct pool *pool, struct transport *t,
                                    struct clock *clock, struct tsdb *db, struct config *conf)
{
    struct rule_driver *d = mem_new(struct rule_driver);

    d->shell = s;
    d->pool = pool;
    d->transport = t;
    d->clock = clock;
    d->groups = (struct rule_groups){.pool = pool, .db = db};
    d->first = rule_groups_configure(&d->groups, conf, NULL);
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

static void set_skewed(struct driven_source *ds, bool is_skewed)
{
    dur_ns skew = source_skew(ds->source), size = skew < 0 ? -skew : skew;
    char subject[256], why[400];
    struct event ev = {.kind = EVENT_BUILTIN, .builtin = {.kind = BUILTIN_CLOCK_SKEW}};

    if (ds->is_skewed == is_skewed)
        return;
    ds->is_skewed = is_skewed;
    snprintf(subject, sizeof(subject), "source %.*s", STR(source_name(ds->source)));
    snprintf(why, sizeof(why), "the clock of %s is %.0f s %s ours", subject,
             (double)size / NS_PER_S, skew < 0 ? "behind" : "ahead of");
    if (ds->is_skewed)
        log_warn("the clock of a source differs", LOG_STR("source", source_name(ds->source)),
                 LOG_F64("seconds", (double)skew / NS_PER_S));
    ev.builtin.raised = ds->is_skewed;
    ev.builtin.subject = str_of(subject);
    ev.builtin.why = str_of(why);
    shell_event(ds->driver->shell, &ev, NULL);
}

static void check_clock(struct driven_source *ds)
{
    dur_ns skew = source_skew(ds->source);

    set_skewed(ds, skew > CLOCK_SKEW_MAX || skew < -CLOCK_SKEW_MAX);
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
    set_skewed(ds, false);
    source_free(ds->source);
    config_unref(ds->conf);
    mem_free(ds);
}

static void run_free(struct rule_driver_run *r)
{
    struct rule_driver *d = r->driver;

    timer_cancel(d->clock, &r->soon);
    if (r->prev != NULL)
        r->prev->next = r->next;
    else
        d->runs = r->next;
    if (r->next != NULL)
        r->next->prev = r->prev;
    rule_past_free(r->past);
    buf_release(&r->body);
    mem_free(r);
}

static void question_free(struct rule_question *q)
{
    if (q->prev != NULL)
        q->prev->next = q->next;
    else
        q->driver->questions = q->next;
    if (q->next != NULL)
        q->next->prev = q->prev;
    mem_free(q);
}

void rule_driver_free(struct rule_driver *d)
{
    if (d == NULL)
        return;
    while (d->runs != NULL)
        run_free(d->runs);
    while (d->questions != NULL)
        question_free(d->questions);
    rule_groups_release(&d->groups);
    mem_free(d->first);
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

static struct driven_source *find_source(struct rule_driver *d, str name)
{
    for (size_t i = 0; i < d->sources.n; i++)
        if (!d->sources.v[i]->retired && str_eq(source_name(d->sources.v[i]->source), name))
            return d->sources.v[i];
    return NULL;
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

/* What was told of a source goes on being told of the one that takes its name: a reload ends no alert. */
static void retire_source(struct rule_driver *d, struct driven_source *ds)
{
    struct driven_source *heir;

    ds->retired = true;
    heir = find_source(d, source_name(ds->source));
    if (heir == NULL)
        return;
    timer_cancel(d->clock, &ds->down);
    heir->raised = ds->raised;
    heir->is_skewed = ds->is_skewed;
    ds->raised = ds->is_skewed = false;
}

/* Sources are made anew: queries under way finish on the old ones, which go when the last has answered. */
static void configure_sources(struct rule_driver *d, struct config *conf)
{
    size_t n_old = d->sources.n;

    for (size_t i = 0; i < conf->n_sources; i++) {
        struct driven_source *ds = mem_new(struct driven_source);

        ds->driver = d;
        ds->conf = config_ref(conf);
        ds->source = source_new(&conf->sources[i], d->transport, d->clock);
        ds->down.fire = down_due;
        vec_push(&d->sources, ds);
    }
    for (size_t i = 0; i < n_old; i++)
        if (!d->sources.v[i]->retired)
            retire_source(d, d->sources.v[i]);
    reap(d);
}

static void rule_driver_put_in_force(struct rule_driver *d, const struct rule_shape *v,
                                     struct config *conf)
{
    struct event ev = {.kind = EVENT_RULE_GROUPS, .groups = {v, conf->n_groups}};

    shell_event(d->shell, &ev, NULL);
    configure_sources(d, conf);
}

bool rule_driver_restore(struct rule_driver *d, const struct state_reader *from, ts_ns down_at,
                         struct state_commit *c, struct err *e)
{
    size_t n = config_of(shell_engine(d->shell)->conf)->n_groups;

    if (!rule_groups_read(&d->groups, from, down_at, c, e))
        return false;
    for (size_t i = 0; i < n; i++)
        d->first[i].inherits = rule_groups_find(&d->groups, d->first[i].id)->past != NULL;
    return true;
}

void rule_driver_begin(struct rule_driver *d)
{
    rule_driver_put_in_force(d, d->first, config_of(shell_engine(d->shell)->conf));
    mem_free(d->first);
    d->first = NULL;
}

void rule_driver_configure(struct rule_driver *d, struct config *conf, struct rules_ahead *ahead)
{
    struct rule_shape *v = rule_groups_configure(&d->groups, conf, ahead);

    rule_driver_put_in_force(d, v, conf);
    mem_free(v);
}

void rule_driver_snapshot(struct rule_driver *d, struct state_commit *c)
{
    rule_groups_snapshot(&d->groups, c);
}

static ts_ns read_mono(void *arg)
{
    return clock_mono(arg);
}

static void rule_driver_advance(struct job *j)
{
    struct rule_driver_run *r = container_of(j, struct rule_driver_run, job);
    struct rule_clock clock = {read_mono, r->driver->clock};

    r->answer.body = buf_str(&r->body);
    r->step = rule_group_advance(r->group, r->has_answer ? &r->answer : NULL, clock, &r->want);
}

/* Groups that ask a source do not wait for those that read our own store. */
static enum work_class rule_driver_class_of(const struct rule_driver_run *r)
{
    const struct rule_group_conf *gc = r->group->conf;

    if (r->order.job != RULES_EVALUATE)
        return WORK_RULE;
    if (r->has_answer)
        return WORK_SOURCE;
    for (size_t i = 0; i < gc->n_rules; i++)
        if (rule_reads_own(&gc->rules[i]))
            return WORK_RULE;
    return WORK_SOURCE;
}

static void put_to_work(struct rule_driver_run *r)
{
    pool_run(r->driver->pool, rule_driver_class_of(r), &r->job);
}

static void source_answered(void *arg, const struct source_answer *a)
{
    struct rule_driver_run *r = arg;
    struct driven_source *ds = r->source;

    r->source = NULL;
    r->answer = *a;
    buf_clear(&r->body);
    buf_add(&r->body, a->body);
    r->has_answer = true;
    ds->runs--;
    if (!ds->retired) {
        check_down(ds);
        check_clock(ds);
    }
    put_to_work(r);
}

static void no_source(struct timer *t, struct now now)
{
    struct rule_driver_run *r = container_of(t, struct rule_driver_run, soon);

    (void)now;
    put_to_work(r);
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
            label_set_print(&b, c->labels);
            log_info(c->forgotten ? "alert no longer pending" : steps[c->state],
                     LOG_STR("alert", buf_str(&b)), LOG_F64("value", c->value));
        }
    buf_release(&b);
}

/* What the answers to a rule say beside their samples, once a change. */
static void log_note(const struct rule_group *g, const struct rule *r)
{
    const struct rule_notes *n = rule_notes_of(r);
    str first = n->held.n != 0       ? n->held
                : n->n_warnings != 0 ? n->warnings[0]
                : n->n_infos != 0    ? n->infos[0]
                                     : STR_NONE;

    if (!rule_notes_any(n))
        log_info("a rule's answers are whole, and say nothing any more",
                 LOG_STR("group", g->conf->name), LOG_STR("rule", r->conf->name));
    else if (n->held.n != 0)
        log_warn("a rule holds its state: the answer is partial", LOG_STR("group", g->conf->name),
                 LOG_STR("rule", r->conf->name), LOG_STR("source", g->conf->source),
                 LOG_STR("why", first), LOG_I64("warnings", n->n_warnings));
    else if (n->n_warnings != 0)
        log_warn("an evaluation warns", LOG_STR("group", g->conf->name),
                 LOG_STR("rule", r->conf->name), LOG_STR("warning", first),
                 LOG_I64("warnings", n->n_warnings), LOG_I64("infos", n->n_infos));
    else
        log_info("an evaluation informs", LOG_STR("group", g->conf->name),
                 LOG_STR("rule", r->conf->name), LOG_STR("info", first),
                 LOG_I64("infos", n->n_infos));
}

static void log_notes(const struct rule_group *g)
{
    for (size_t i = 0; i < g->n_rules; i++)
        if (g->rules[i].notes_news)
            log_note(g, &g->rules[i]);
}

static void rule_driver_add_row(void *arg, str key, str value)
{
    struct rule_group *g = arg;

    vec_push(&g->rows, (struct rule_row){key, arena_str(&g->arena, value)});
}

/* By the rule that has been held longest. */
static void judge_answers(struct rule_driver_run *r, struct rules_ran *ran)
{
    const struct rule_group *g = r->group;
    const struct driven_source *ds = find_source(r->driver, g->conf->source);
    const struct rule *worst = NULL;

    for (size_t i = 0; i < g->n_rules; i++) {
        const struct rule *rule = &g->rules[i];

        if (rule_notes_of(rule)->held.n != 0 &&
            (worst == NULL || rule_notes_of(rule)->held_since < rule_notes_of(worst)->held_since))
            worst = rule;
    }
    if (ds == NULL || worst == NULL ||
        g->slot - rule_notes_of(worst)->held_since < source_config(ds->source)->down_after)
        return;
    ran->degraded = source_name(ds->source);
    ran->degraded_why =
        arena_printf(&r->group->arena, "the answers to rule '%.*s' are partial: %.*s",
                     STR(worst->conf->name), STR(rule_notes_of(worst)->held));
}

/* The job has ended: what it left goes to the core. */
static void rule_driver_answer(struct rule_driver_run *r)
{
    struct driven_group *of = r->of;
    struct rules_ran ran;
    struct event ev = {.kind = EVENT_RULES_RAN, .ran = &ran, .from = r->taken};

    of->is_busy = false;
    rule_group_view_unref(of->before.view);
    of->before = (struct rule_before){NULL, NULL, NULL};
    if (of->rewrite && r->order.job != RULES_RETIRE)
        rule_group_rows(r->group, &r->group->arena, rule_driver_add_row, r->group);
    of->rewrite = false;
    rule_group_ran(r->group, &ran);
    ran.ticket = r->order.ticket;
    ran.job = r->order.job;
    ran.counts.unreadable = r->unreadable;
    judge_answers(r, &ran);
    shell_event(r->driver->shell, &ev, NULL);
}

static bool take_some(struct slice *x)
{
    struct rule_driver_run *r = container_of(x, struct rule_driver_run, slice);
    struct rule_driver *d = r->driver;
    size_t size = shell_slices(d->shell)->size;
    struct rules_ran ran;
    struct event ev = {.kind = EVENT_RULES_RAN, .ran = &ran, .from = r->taken};

    rule_group_ran(r->group, &ran);
    ran.ticket = r->order.ticket;
    ran.job = r->order.job;
    if (ran.n_alerts - r->taken > size) {
        ev.until = r->taken += size;
        shell_event(d->shell, &ev, NULL);
        return true;
    }
    rule_driver_answer(r);
    run_free(r);
    reap(d);
    return false;
}

/* Of a group with many alerts the loop takes some a turn; the group is busy until then. */
static void rule_driver_take(struct rule_driver_run *r)
{
    struct slices *q = shell_slices(r->driver->shell);
    struct rules_ran ran;

    rule_group_ran(r->group, &ran);
    r->slice.step = take_some;
    if (ran.n_alerts > q->size)
        slices_add(q, &r->slice);
    else
        take_some(&r->slice);
}

static void advanced(struct job *j)
{
    struct rule_driver_run *r = container_of(j, struct rule_driver_run, job);
    struct rule_driver *d = r->driver;

    if (r->step == RULE_GROUP_DONE) {
        log_changes(r->group);
        log_notes(r->group);
        rule_driver_take(r);
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

static void question_answered(void *arg, const struct source_answer *a)
{
    struct rule_question *q = arg;
    source_cb *cb = q->cb;
    void *cb_arg = q->arg;

    q->source->runs--; /* a retired one goes with the next run, not from inside its own call */
    question_free(q);
    if (cb != NULL)
        cb(cb_arg, a);
}

static struct rule_question *question_new(struct rule_driver *d, str source, source_cb *cb,
                                          void *arg)
{
    struct driven_source *ds = find_source(d, source);
    struct rule_question *q;

    if (ds == NULL)
        return NULL;
    q = mem_new(struct rule_question);
    *q = (struct rule_question){d, ds, cb, arg, d->questions, NULL};
    if (q->next != NULL)
        q->next->prev = q;
    d->questions = q;
    ds->runs++;
    return q;
}

struct rule_question *rule_driver_ask(struct rule_driver *d, str source, str query, ts_ns time,
                                      source_cb *cb, void *arg)
{
    struct rule_question *q = question_new(d, source, cb, arg);

    if (q != NULL)
        source_query(q->source->source, query, time, question_answered, q);
    return q;
}

struct rule_question *rule_driver_ask_range(struct rule_driver *d, str source, str query,
                                            const struct source_range *range, source_cb *cb,
                                            void *arg)
{
    struct rule_question *q = question_new(d, source, cb, arg);

    if (q != NULL)
        source_query_range(q->source->source, query, range, question_answered, q);
    return q;
}

void rule_driver_forget(struct rule_question *q)
{
    q->cb = NULL;
}

/* -- state that moves -- */

static void rule_driver_inherit(struct job *j)
{
    struct rule_driver_run *r = container_of(j, struct rule_driver_run, job);

    rule_group_clear(r->group);
    if (r->from != NULL) {
        rule_group_move_state(r->group, r->from->group);
        rule_group_forget(r->group, r->from->group);
        rule_group_leave(r->from->group);
    }
    if (r->past != NULL) {
        r->unreadable = rule_group_take_past(r->group, r->past, r->began);
        rule_group_update_view(r->group);
    }
}

static void inherited(struct job *j)
{
    struct rule_driver_run *r = container_of(j, struct rule_driver_run, job);

    if (r->unreadable != 0)
        log_warn("some stored rows could not be read", LOG_STR("group", r->group->conf->name),
                 LOG_I64("rows", r->unreadable));
    rule_driver_answer(r);
    rule_groups_discard(&r->driver->groups, r->from);
    run_free(r);
}

static void retire(struct job *j)
{
    struct rule_driver_run *r = container_of(j, struct rule_driver_run, job);

    rule_group_clear(r->group);
    rule_group_forget(r->group, r->group);
    if (r->past != NULL)
        rule_group_forget_past(r->group, r->past);
}

static void retired(struct job *j)
{
    struct rule_driver_run *r = container_of(j, struct rule_driver_run, job);

    rule_driver_answer(r);
    rule_groups_retired(&r->driver->groups, r->of);
    run_free(r);
}

/* -- orders -- */

static struct rule_driver_run *run_new(struct rule_driver *d, struct driven_group *g,
                                       const struct effect_rules *order)
{
    struct rule_driver_run *r = mem_new(struct rule_driver_run);

    BUG_ON(g->is_busy);
    g->is_busy = true;
    r->driver = d;
    r->of = g;
    r->order = *order;
    r->began = d->clock->now;
    r->next = d->runs;
    if (r->next != NULL)
        r->next->prev = r;
    d->runs = r;
    return r;
}

/* Between the order and now a newer generation may have come: then it is the one that inherits. */
static void begin_inheritance(struct rule_driver_run *r)
{
    struct driven_group *g = r->of;

    if (g->next != NULL) {
        r->from = g->has;
        g->has = g->next;
        g->next = NULL;
    }
    r->past = g->past;
    g->past = NULL;
}

/* Before the worker has it. */
static void keep_before(struct rule_driver_run *r)
{
    const struct rule_group *g = r->from != NULL ? r->from->group : r->group;

    r->of->before =
        (struct rule_before){.view = rule_group_view_ref(g->view), .of = g, .past = r->past};
}

void rule_driver_order(struct rule_driver *d, const struct effect_rules *order)
{
    struct rule_driver_run *r =
        run_new(d, rule_groups_find(&d->groups, order->ticket.group), order);

    if (order->job == RULES_INHERIT)
        begin_inheritance(r);
    r->group = r->of->has->group;
    if (order->job != RULES_RETIRE) /* its rows go */
        keep_before(r);
    switch (order->job) {
    case RULES_EVALUATE:
        rule_group_set_own_base(r->group, shell_engine(d->shell)->external_url);
        rule_group_begin(r->group, order->slot, r->began);
        r->job = (struct job){.run = rule_driver_advance, .done = advanced};
        break;
    case RULES_INHERIT: r->job = (struct job){.run = rule_driver_inherit, .done = inherited}; break;
    case RULES_RETIRE:
        rule_group_leave(r->group); /* whoever takes its series over need not wait for the worker */
        r->past = r->of->past;
        r->of->past = NULL;
        r->job = (struct job){.run = retire, .done = retired};
        break;
    }
    put_to_work(r);
}

bool rule_driver_is_on_time(const struct rule_driver *d, str *why)
{
    for (const struct rule_driver_run *r = d->runs; r != NULL; r = r->next) {
        dur_ns late = d->clock->now.mono - r->began.mono;

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
