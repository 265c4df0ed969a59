#include "cli/config_watch.h"

#include "cli/config_paths.h"

struct config_watch {
    struct config_watch_parts parts;
    struct timer timer;
    struct job job;
    struct config *running;     /* while a look goes on */
    uint64_t tried, last, seen; /* sums; 0: none */
    bool is_stopped;
};

static void config_watch_look(struct job *j)
{
    struct config_watch *w = container_of(j, struct config_watch, job);
    size_t n;
    str *paths = config_paths(w->parts.files, &n);

    if (!config_files_sum(w->running, paths, n, &w->seen))
        w->seen = 0;
    mem_free(paths);
}

static void looked(struct job *j)
{
    struct config_watch *w = container_of(j, struct config_watch, job);
    bool stands_still = w->seen != 0 && w->seen == w->last;

    config_unref(w->running);
    w->running = NULL;
    w->last = w->seen;
    if (w->is_stopped)
        return;
    if (stands_still && w->seen != w->tried) {
        w->tried = w->seen;
        w->parts.changed(w->parts.arg);
    }
    timer_arm(w->parts.clock, &w->timer, ts_add(w->parts.clock->now.mono, w->parts.interval));
}

static void config_watch_due(struct timer *t, struct now now)
{
    struct config_watch *w = container_of(t, struct config_watch, timer);

    (void)now;
    w->running = w->parts.running(w->parts.arg);
    w->job = (struct job){.run = config_watch_look, .done = looked};
    pool_run(w->parts.pool, WORK_SLOW, &w->job);
}

struct config_watch *config_watch_new(const struct config_watch_parts *parts)
{
    struct config_watch *w = mem_new(struct config_watch);

    w->parts = *parts;
    w->timer.fire = config_watch_due;
    timer_arm(w->parts.clock, &w->timer, ts_add(w->parts.clock->now.mono, w->parts.interval));
    return w;
}

void config_watch_loaded(struct config_watch *w, uint64_t sum)
{
    if (w != NULL)
        w->tried = sum;
}

void config_watch_stop(struct config_watch *w)
{
    if (w == NULL)
        return;
    w->is_stopped = true;
    timer_cancel(w->parts.clock, &w->timer);
}

void config_watch_free(struct config_watch *w)
{
    if (w == NULL)
        return;
    config_watch_stop(w);
    config_unref(w->running);
    mem_free(w);
}
