#include "cli/reload.h"

#include "base/vec.h"

#define SETTLE_EVERY (2 * NS_PER_MS)
#define SETTLE_MAX   (2 * NS_PER_S)

struct asker {
    struct reload_wish wish;
    void (*done)(void *arg, bool ok, str text);
    void *arg;
};

struct reloader {
    struct reloader_parts parts;
    struct job job;
    bool is_reading, is_stopped;
    VEC(struct asker) waiting; /* for the next reading */
    VEC(struct asker) served;  /* by the one under way */
    struct config *running;    /* one reference, while reading */
    struct reload_result result;
    struct slice slice; /* while what was read is prepared */
    struct buf answer;
    bool ok;
    struct timer settled; /* while it is in force, and not yet shown everywhere */
    ts_ns settled_by;
};

struct reloader *reloader_new(const struct reloader_parts *parts)
{
    struct reloader *r = mem_new(struct reloader);

    r->parts = *parts;
    return r;
}

/* What nobody wants: a refused configuration, a dry run's, groups that were made in vain and read it to their end. */
static void drop_result(struct pool *pool, struct reload_result *r)
{
    rules_ahead_discard(pool, r->ahead);
    config_unref(r->config);
    file_set_free(r->set);
    r->set = NULL;
    r->ahead = NULL;
    r->config = NULL;
}

static void reload_read_all(struct job *j)
{
    struct reloader *r = container_of(j, struct reloader, job);
    struct reload_result *out = &r->result;

    out->config = r->parts.load(r->parts.arg, out->wish, &out->set, &out->d);
    if (out->config != NULL && !out->wish.is_dry_run)
        out->ahead = rules_ahead_new(r->running, out->config, r->parts.db);
}

static void reload_tell(const struct asker *a, bool ok, str text)
{
    if (a->done != NULL)
        a->done(a->arg, ok, text);
}

static void reload_start(struct reloader *r);

static void reload_answer(struct reloader *r)
{
    r->is_reading = false;
    VEC_EACH (const struct asker *, a, &r->served)
        reload_tell(a, r->ok, buf_str(&r->answer));
    vec_clear(&r->served);
    buf_release(&r->answer);
    if (r->waiting.n != 0)
        reload_start(r);
}

static void reload_settle(struct timer *t, struct now now)
{
    struct reloader *r = container_of(t, struct reloader, settled);

    if (now.mono < r->settled_by && r->parts.settles(r->parts.arg))
        timer_arm(r->parts.clock, t, ts_add(now.mono, SETTLE_EVERY));
    else
        reload_answer(r);
}

static void conclude(struct reloader *r)
{
    struct now now = r->parts.clock->now;

    r->ok = !r->is_stopped && r->parts.finish(r->parts.arg, &r->result, &r->answer);
    if (r->result.config != NULL)
        r->parts.prepare(r->parts.arg, NULL);
    drop_result(r->parts.pool, &r->result);
    diags_release(&r->result.d);
    config_unref(r->running);
    if (!r->ok || r->result.wish.is_dry_run) {
        reload_answer(r);
        return;
    }
    r->settled.fire = reload_settle;
    r->settled_by = ts_add(now.mono, SETTLE_MAX);
    reload_settle(&r->settled, now);
}

static bool reload_prepare(struct slice *x)
{
    struct reloader *r = container_of(x, struct reloader, slice);

    if (!r->is_stopped && r->parts.prepare(r->parts.arg, r->result.config))
        return true;
    conclude(r);
    return false;
}

static void read_done(struct job *j)
{
    struct reloader *r = container_of(j, struct reloader, job);

    r->slice = (struct slice){.step = reload_prepare};
    if (r->result.config == NULL || r->result.wish.is_dry_run)
        conclude(r);
    else if (reload_prepare(&r->slice))
        slices_add(r->parts.slices, &r->slice);
}

static bool reload_is_same(struct reload_wish a, struct reload_wish b)
{
    return a.is_dry_run == b.is_dry_run && a.allows_no_route == b.allows_no_route &&
           a.is_rollback == b.is_rollback;
}

/* Everybody who waits for the same kind of reading as the first is served by this one. */
static void reload_start(struct reloader *r)
{
    struct reload_wish wish = r->waiting.v[0].wish;
    size_t n = 0;

    for (size_t i = 0; i < r->waiting.n; i++)
        if (reload_is_same(r->waiting.v[i].wish, wish))
            vec_push(&r->served, r->waiting.v[i]);
        else
            r->waiting.v[n++] = r->waiting.v[i];
    r->waiting.n = n;
    r->is_reading = true;
    r->running = config_ref(r->parts.running(r->parts.arg));
    r->result = (struct reload_result){.wish = wish};
    diags_init(&r->result.d);
    r->job = (struct job){.run = reload_read_all, .done = read_done};
    pool_run(r->parts.pool, WORK_RULE, &r->job);
}

void reloader_ask(struct reloader *r, struct reload_wish wish,
                  void (*done)(void *arg, bool ok, str text), void *arg)
{
    vec_push(&r->waiting, (struct asker){wish, done, arg});
    if (!r->is_reading)
        reload_start(r);
    else if (timer_is_armed(&r->settled)) /* what it would wait for is as good as of before */
        timer_arm(r->parts.clock, &r->settled, r->settled_by = r->parts.clock->now.mono);
}

void reloader_stop(struct reloader *r)
{
    r->is_stopped = true;
    timer_cancel(r->parts.clock, &r->settled);
    VEC_EACH (const struct asker *, a, &r->served)
        reload_tell(a, false, S("shutting down\n"));
    VEC_EACH (const struct asker *, a, &r->waiting)
        reload_tell(a, false, S("shutting down\n"));
    vec_clear(&r->served);
    vec_clear(&r->waiting);
}

void reloader_free(struct reloader *r)
{
    if (r == NULL)
        return;
    vec_release(&r->waiting);
    vec_release(&r->served);
    buf_release(&r->answer);
    mem_free(r);
}
