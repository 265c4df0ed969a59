/* A group has a queue of operations (a push, a sample, a save, the end), of which one is at work: on a worker what
 * reads or waits, on the loop what changes the group. A sender is answered when what it changed is on disk. */
#include "push/push.h"

#include <stdio.h>
#include "base/arena.h"
#include "base/hash.h"
#include "os/log.h"
#include "base/map.h"
#include "codec/exposition_protobuf.h"
#include "model/labels.h"
#include "push/push_row.h"
#include "push/push_path.h"
#include "push/push_set.h"

/* Bodies that wait for a worker, together; and what one of them may be as text. */
enum { WAITING_MAX = 64 << 20, AS_TEXT_MAX = 64 << 20 };

struct op {
    struct op *next;
    enum push_method method;
    struct arena a;
    str body;
    enum push_format format;
    push_done *done;
    void *arg;
    struct push_set *fresh; /* what the worker made of it */
    struct err err;
    struct push *push; /* once it waits for the disk */
};

enum work { PUSH_READ, PUSH_SAVE, PUSH_SAMPLE, PUSH_END };

struct push_group {
    struct push *push;
    struct arena a;
    struct labels key;
    str path;
    struct timer timer;
    ts_ns slot;   /* of the next sample */
    ts_ns seen;   /* mono: the last push that succeeded, else the beginning */
    ts_ns pushed; /* wall, TS_NONE: never */
    ts_ns failed;
    struct push_set *set;
    struct tsdb_stream *stream; /* NULL: not opened yet */
    dur_ns stream_interval;
    bool is_due, is_ending, is_unsaved; /* wait for the worker */
    char last_error[512];
    struct op *first, **last; /* what is to be done, in order */

    /* the worker's */
    struct job job;
    enum work work;
    bool is_working;
    struct push_conf conf; /* when the work began */
    ts_ms t, due_t;        /* of the work; of the sample that is due */
    struct now at, due_at; /* what they were taken from */
    ts_ns begun;           /* wall: when the work began */
    struct buf row;        /* what it made, to be kept */
    bool ok;
    size_t refused;
    enum tsdb_refusal why;
    struct err err;
};

struct push {
    struct clock *clock;
    struct pool *pool;
    struct tsdb *db;
    struct push_conf conf;
    struct push_keeper keeper; /* put is NULL: nobody keeps them */
    struct op *unwritten;      /* done, and not on disk */
    bool is_on, has_started;
    uint64_t seed;
    struct str_map groups; /* by path */
    size_t waiting;        /* bytes of bodies */
    struct push_stats stats;
};

static void push_due(struct timer *t, struct now now);
static void push_next(struct push_group *g);

struct push *push_new(struct clock *clock, struct pool *pool, struct tsdb *db)
{
    struct push *p = mem_new(struct push);

    p->clock = clock;
    p->pool = pool;
    p->db = db;
    return p;
}

const struct push_conf *push_conf(const struct push *p)
{
    return p->is_on ? &p->conf : NULL;
}

/* -- when -- */

static ts_ns end_of(const struct push_group *g)
{
    dur_ns age = g->push->conf.max_age;

    return age != 0 ? ts_add(g->seen, age) : TS_MAX;
}

/* For the next sample, or for the end when that is sooner. */
static void push_arm(struct push_group *g)
{
    struct push *p = g->push;
    struct now now = p->clock->now;
    ts_ns end = end_of(g), at = TS_MAX;

    if (p->has_started) {
        g->slot = ts_slot_after(now.wall, p->conf.interval, hash_xxh64(g->path) ^ p->seed);
        at = ts_add(now.mono, g->slot - now.wall);
    }
    timer_arm(p->clock, &g->timer, at < end ? at : end);
}

static void push_due(struct timer *t, struct now now)
{
    struct push_group *g = container_of(t, struct push_group, timer);
    struct push *p = g->push;

    if (now.mono >= end_of(g)) {
        g->is_ending = true;
        p->stats.expired++;
        log_info("a pushed group ends: nobody has pushed it", LOG_STR("path", g->path));
    } else {
        if (p->has_started && now.wall >= g->slot) {
            g->is_due = true;
            g->due_t = clock_snap(g->slot, now.wall, p->conf.interval) / NS_PER_MS;
            g->due_at = now;
        }
        push_arm(g);
    }
    push_next(g);
}

/* -- a group's life -- */

static struct push_group *push_group_new(struct push *p, struct labels key, str path)
{
    struct push_group *g = mem_new(struct push_group);

    g->push = p;
    arena_init(&g->a, 0);
    g->key = labels_copy(&g->a, key);
    g->path = arena_str(&g->a, path);
    g->timer.fire = push_due;
    g->pushed = g->failed = TS_NONE;
    g->seen = p->clock->now.mono;
    g->set = push_set_new(g->key);
    g->last = &g->first;
    return g;
}

static void op_free(struct op *op)
{
    push_set_free(op->fresh);
    arena_release(&op->a);
    mem_free(op);
}

static void ops_free(struct op *first)
{
    while (first != NULL) {
        struct op *op = first;

        first = op->next;
        op_free(op);
    }
}

static void push_group_free(struct push_group *g)
{
    timer_cancel(g->push->clock, &g->timer);
    push_set_free(g->set);
    ops_free(g->first);
    buf_release(&g->row);
    arena_release(&g->a);
    mem_free(g);
}

static size_t push_series_of(const struct push_group *g)
{
    return g->set->series.n - PUSH_OWN;
}

/* -- on a worker -- */

static bool push_read_body(struct push_group *g, struct op *op)
{
    enum expo_format format = op->format == PUSH_OPENMETRICS ? EXPO_OPENMETRICS : EXPO_TEXT;
    struct buf text = BUF_INIT;
    bool ok;

    if (op->format != PUSH_PROTOBUF)
        return push_set_read(op->fresh, &g->conf, g->key, op->body, format, &op->err);
    ok = expo_from_protobuf(op->body, AS_TEXT_MAX, &text, &op->err) &&
         push_set_read(op->fresh, &g->conf, g->key, buf_str(&text), EXPO_TEXT, &op->err);
    if (op->err.line != 0)
        err_wrap(&op->err, "as text");
    buf_release(&text);
    return ok;
}

static void push_encode(struct push_group *g, const struct push_set *set, ts_ns pushed)
{
    buf_clear(&g->row);
    push_row_encode(&g->row, &(struct push_saved){g->path, pushed, g->failed}, set);
}

static void read_push(struct push_group *g)
{
    struct op *op = g->first;

    op->fresh = push_set_new(g->key);
    g->ok = push_read_body(g, op) &&
            push_set_join(op->fresh, g->set, op->method == PUSH_POST, &g->conf, &op->err);
    if (g->ok)
        push_encode(g, op->fresh, g->begun);
}

static void sample(struct push_group *g)
{
    struct tsdb_stream_conf c = {
        .name = g->path, .interval_ms = g->conf.interval / NS_PER_MS, .marks_stale = true};

    if (g->stream == NULL || g->stream_interval != g->conf.interval)
        g->stream = tsdb_stream_open(g->push->db, &c, g->stream);
    g->stream_interval = g->conf.interval;
    g->ok =
        push_set_sample(g->set, g->push->db, g->stream, g->t, g->at, &g->refused, &g->why, &g->err);
}

static void push_run(struct job *j)
{
    struct push_group *g = container_of(j, struct push_group, job);

    switch (g->work) {
    case PUSH_READ: read_push(g); break;
    case PUSH_SAVE: push_encode(g, g->set, g->pushed); break;
    case PUSH_SAMPLE: sample(g); break;
    case PUSH_END:
        if (g->stream != NULL)
            tsdb_stream_close(g->push->db, g->stream, g->t);
        break;
    }
}

/* -- back on the loop -- */

static void push_note_failure(struct push_group *g, const char *what)
{
    if (g->last_error[0] == '\0')
        log_warn("a pushed group fails", LOG_STR("path", g->path), LOG_STR("err", str_of(what)));
    snprintf(g->last_error, sizeof(g->last_error), "%s", what);
}

static void push_end(struct push *p, struct op *op)
{
    p->waiting -= op->body.n;
    op->done(op->arg, &op->err);
    op_free(op);
}

static void push_written(void *of, bool ok, const struct err *e)
{
    struct op *op = of, **it = &op->push->unwritten;

    while (*it != op)
        it = &(*it)->next;
    *it = op->next;
    if (!ok && op->err.code == ERR_NONE)
        err_set(&op->err, ERR_CONFLICT, "accepted in memory but not on disk: %s", e->msg);
    push_end(op->push, op);
}

/* The first of the group's queue is answered, when what it changed is on disk. */
static void push_finish(struct push_group *g, bool changed)
{
    struct push *p = g->push;
    struct op *op = g->first;

    g->first = op->next;
    if (g->first == NULL)
        g->last = &g->first;
    if (!changed || p->keeper.put == NULL) {
        push_end(p, op);
        return;
    }
    op->push = p;
    op->next = p->unwritten;
    p->unwritten = op;
    p->keeper.after(p->keeper.arg, push_written, op);
}

/* What the worker has made of it. */
static void keep_row(struct push_group *g)
{
    const struct push_keeper *k = &g->push->keeper;

    if (k->put != NULL)
        k->put(k->arg, g->path, buf_str(&g->row));
    buf_release(&g->row);
}

static void drop_row(struct push *p, str path)
{
    if (p->keeper.put != NULL)
        p->keeper.drop(p->keeper.arg, path);
}

static void take_push(struct push_group *g)
{
    struct push *p = g->push;
    struct op *op = g->first;
    size_t n = op->fresh->series.n - PUSH_OWN;

    /* The worker has compared this group with the limit; only here it is known what all have together. */
    if (g->ok && p->stats.series - push_series_of(g) + n > (size_t)p->conf.max_series)
        g->ok = err_set(&op->err, ERR_LIMIT,
                        "more series than \"max_series\" %lld, with those of all groups",
                        (long long)p->conf.max_series);
    if (g->ok) {
        g->is_ending = false; /* it has come in the last moment */
        p->stats.series = p->stats.series - push_series_of(g) + n;
        push_set_free(g->set);
        g->set = op->fresh;
        op->fresh = NULL;
        g->pushed = g->begun;
        g->seen = p->clock->now.mono;
        g->last_error[0] = '\0';
        if (!timer_is_armed(&g->timer))
            push_arm(g);
        keep_row(g);
    } else {
        p->stats.failed++;
        g->failed = p->clock->now.wall;
        push_note_failure(g, op->err.msg);
        g->is_unsaved = true;
    }
    push_finish(g, g->ok);
}

static double push_seconds(ts_ns t)
{
    return t != TS_NONE ? (double)t / NS_PER_S : 0;
}

static void note_sample(struct push_group *g)
{
    struct push_stats *st = &g->push->stats;
    char what[128];

    if (!g->ok) {
        push_note_failure(g, g->err.msg);
        return;
    }
    st->samples += g->set->series.n - g->refused;
    st->refused += g->refused;
    if (g->refused == 0)
        return;
    snprintf(what, sizeof(what), "the store did not take %zu of the samples: %s", g->refused,
             tsdb_refusal_names[g->why]);
    push_note_failure(g, what);
}

/* What was there is gone; who has pushed in the meantime begins anew. */
static void begin_again(struct push_group *g)
{
    push_set_free(g->set);
    g->set = push_set_new(g->key);
    g->stream = NULL;
    g->is_due = g->is_ending = false;
    g->pushed = g->failed = TS_NONE;
    g->seen = g->push->clock->now.mono;
    g->last_error[0] = '\0';
    push_arm(g);
}

static void note_end(struct push_group *g)
{
    g->push->stats.series -= push_series_of(g);
    drop_row(g->push, g->path);
    if (g->first != NULL && g->first->method == PUSH_DELETE)
        push_finish(g, true);
    if (g->first != NULL && g->push->is_on) {
        begin_again(g);
        push_next(g);
        return;
    }
    while (g->first != NULL) {
        err_set(&g->first->err, ERR_CONFLICT, "pushes are not taken any more");
        push_finish(g, false);
    }
    str_map_del(&g->push->groups, g->path);
    push_group_free(g);
}

static void push_push_done(struct job *j)
{
    struct push_group *g = container_of(j, struct push_group, job);

    g->is_working = false;
    if (g->work == PUSH_END) {
        note_end(g);
        return;
    }
    if (g->work == PUSH_READ)
        take_push(g);
    else if (g->work == PUSH_SAMPLE)
        note_sample(g);
    else
        keep_row(g);
    push_next(g);
}

/* -- what is next -- */

static void push_push_start(struct push_group *g, enum work work)
{
    g->work = work;
    g->is_working = true;
    g->conf = g->push->conf;
    g->begun = g->push->clock->now.wall;
    g->refused = 0;
    g->err = (struct err)ERR_INIT;
    g->job.run = push_run;
    g->job.done = push_push_done;
    pool_run(g->push->pool, WORK_SCRAPE, &g->job);
}

static void start_sample(struct push_group *g)
{
    g->is_due = false;
    g->t = g->due_t;
    g->at = g->due_at;
    g->set->series.v[PUSH_TIME].value = push_seconds(g->pushed);
    g->set->series.v[PUSH_FAILURE_TIME].value = push_seconds(g->failed);
    push_push_start(g, PUSH_SAMPLE);
}

static void start_save(struct push_group *g)
{
    g->is_unsaved = false;
    push_push_start(g, PUSH_SAVE);
}

static void start_end(struct push_group *g)
{
    timer_cancel(g->push->clock, &g->timer);
    g->t = g->push->clock->now.wall / NS_PER_MS;
    push_push_start(g, PUSH_END);
}

static void push_next(struct push_group *g)
{
    if (g->is_working)
        return;
    if (g->is_ending || !g->push->is_on || (g->first != NULL && g->first->method == PUSH_DELETE))
        start_end(g);
    else if (g->is_due)
        start_sample(g);
    else if (g->first != NULL)
        push_push_start(g, PUSH_READ);
    else if (g->is_unsaved && g->push->keeper.put != NULL)
        start_save(g);
}

/* -- from outside -- */

static struct push_group *group_for(struct push *p, const struct push_request *rq, struct err *e)
{
    struct arena a;
    struct push_group *g = NULL;
    void **hit;
    str path;

    arena_init(&a, 0);
    path = push_path_print(rq->key, &a);
    hit = str_map_get(&p->groups, path);
    if (hit != NULL) {
        g = *hit;
    } else if (rq->method == PUSH_DELETE) {
        ; /* nothing to do */
    } else if (p->groups.n >= (size_t)p->conf.max_groups) {
        err_set(e, ERR_LIMIT, "more groups than \"max_groups\" %lld",
                (long long)p->conf.max_groups);
    } else {
        g = push_group_new(p, rq->key, path);
        str_map_put(&p->groups, g->path, g);
        push_arm(g);
    }
    arena_release(&a);
    return g;
}

/* A last line without its end is let pass, as in a scrape. */
static str copy_body(struct arena *a, const struct push_request *rq)
{
    bool ends = rq->body.n == 0 || rq->format != PUSH_TEXT || rq->body.p[rq->body.n - 1] == '\n';
    char *p = arena_alloc(a, rq->body.n + 1);

    if (rq->body.n != 0)
        memcpy(p, rq->body.p, rq->body.n);
    p[rq->body.n] = '\n';
    return (str){p, rq->body.n + !ends};
}

void push_submit(struct push *p, const struct push_request *rq, push_done *callback, void *arg)
{
    struct err e = ERR_INIT;
    struct push_group *g = NULL;
    struct op *op;

    if (!p->is_on)
        err_set(&e, ERR_CONFLICT, "pushes are not taken");
    else if (p->waiting + rq->body.n > WAITING_MAX)
        err_set(&e, ERR_CONFLICT, "too many pushes are waiting");
    else
        g = group_for(p, rq, &e);
    if (g == NULL) {
        p->stats.failed += e.code != ERR_NONE;
        callback(arg, &e);
        return;
    }
    p->stats.pushes += rq->method != PUSH_DELETE;
    op = mem_new(struct op);
    arena_init(&op->a, 0);
    op->method = rq->method;
    op->body = copy_body(&op->a, rq);
    op->format = rq->format;
    op->done = callback;
    op->arg = arg;
    p->waiting += op->body.n;
    *g->last = op;
    g->last = &op->next;
    push_next(g);
}

void push_configure(struct push *p, const struct push_conf *conf, uint64_t seed)
{
    p->is_on = conf != NULL;
    if (conf != NULL)
        p->conf = *conf;
    p->seed = seed;
    MAP_EACH (struct str_map_entry, e, &p->groups) {
        struct push_group *g = e->value;

        if (p->is_on && !g->is_ending)
            push_arm(g);
        push_next(g);
    }
}

/* What was saved is a push that came then. Without a configuration that takes pushes, and beyond its limits, it ends. */
static void restore(struct push *p, const struct push_saved *saved, struct labels key,
                    struct push_set *set)
{
    ts_ns now = p->clock->now.wall;
    size_t n = set->series.n - PUSH_OWN;
    struct push_group *g;

    if (!p->is_on || p->groups.n >= (size_t)p->conf.max_groups ||
        p->stats.series + n > (size_t)p->conf.max_series) {
        log_info("a pushed group is not taken up again", LOG_STR("path", saved->path));
        drop_row(p, saved->path);
        push_set_free(set);
        return;
    }
    g = push_group_new(p, key, saved->path);
    push_set_free(g->set);
    g->set = set;
    g->pushed = saved->pushed;
    g->failed = saved->failed;
    if (saved->pushed != TS_NONE && saved->pushed < now)
        g->seen = p->clock->now.mono - (now - saved->pushed);
    p->stats.series += n;
    str_map_put(&p->groups, g->path, g);
    push_arm(g);
}

void push_restore(struct push *p, str body)
{
    struct push_saved saved;
    struct labels key;
    struct arena a;
    struct err e = ERR_INIT;
    struct push_set *set;

    arena_init(&a, 0);
    set = push_row_decode(body, &saved, &key, &a, &e);
    if (set != NULL) {
        restore(p, &saved, key, set);
    } else {
        log_warn("a pushed group cannot be read", LOG_ERR(&e));
        p->stats.unreadable++;
    }
    arena_release(&a);
}

void push_snapshot(const struct push *p, void (*put)(void *arg, str path, str body), void *arg)
{
    struct buf b = BUF_INIT;

    MAP_EACH (const struct str_map_entry, e, &p->groups) {
        const struct push_group *g = e->value;

        buf_clear(&b);
        push_row_encode(&b, &(struct push_saved){g->path, g->pushed, g->failed}, g->set);
        put(arg, g->path, buf_str(&b));
    }
    buf_release(&b);
}

void push_keep(struct push *p, const struct push_keeper *keeper)
{
    p->keeper = *keeper;
}

void push_start(struct push *p)
{
    p->has_started = true;
    push_rearm(p);
}

void push_rearm(struct push *p)
{
    MAP_EACH (struct str_map_entry, e, &p->groups) {
        struct push_group *g = e->value;

        if (timer_is_armed(&g->timer))
            push_arm(g);
    }
}

/* Streams stay open: the senders are expected to go on after a restart. */
void push_free(struct push *p)
{
    if (p == NULL)
        return;
    MAP_EACH (struct str_map_entry, e, &p->groups)
        push_group_free(e->value);
    str_map_release(&p->groups);
    ops_free(p->unwritten);
    mem_free(p);
}

void push_each(const struct push *p, void (*each)(void *arg, const struct push_status *s),
               void *arg)
{
    MAP_EACH (struct str_map_entry, e, &p->groups) {
        const struct push_group *g = e->value;
        struct push_status s = {.key = g->key,
                                .path = g->path,
                                .pushed_at = g->pushed,
                                .last_error = str_of(g->last_error),
                                .interval = p->conf.interval};

        each(arg, &s);
    }
}

struct push_stats push_stats(const struct push *p)
{
    struct push_stats st = p->stats;

    st.groups = p->groups.n;
    return st;
}
