#include "os/loop.h"

#include <event2/event.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "base/mem.h"

/* What is watched no more is told to the kernel at the next wait, when its number may be that of a file which a worker has opened
 * since. Nobody watches that one, so nothing comes of it; TSan tells of it all the same. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IS_TSAN true
#endif
#endif
#ifndef IS_TSAN
#define IS_TSAN false
#endif

const double loop_lag_bounds[LOOP_LAG_BUCKETS - 1] = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1};

struct loop {
    struct event_base *base;
    struct clock *clock;
    int fd; /* timerfd on CLOCK_BOOTTIME; libevent's own timers would oversleep a suspended machine
             */
    struct event *alarm;
    ts_ns armed; /* what fd is set to, TS_MAX = nothing */
    bool stopping;
    struct loop_lag lag;
};

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    uint64_t expirations;

    (void)what;
    if (read(fd, &expirations, sizeof(expirations)) == (ssize_t)sizeof(expirations))
        l->armed = TS_MAX;
    clock_touch(l->clock);
}

struct loop *loop_new(struct clock *clock)
{
    struct loop *l = mem_new(struct loop);
    struct event_config *conf = event_config_new();

    BUG_ON(conf == NULL || clock->stepped);
    /* It wants that nobody watches a dup() of a socket, and nobody does. */
    if (!IS_TSAN)
        event_config_set_flag(conf, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    l->base = event_base_new_with_config(conf);
    event_config_free(conf);
    BUG_ON(l->base == NULL);
    l->clock = clock;
    l->armed = TS_MAX;
    l->fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    BUG_ON(l->fd < 0);
    l->alarm = event_new(l->base, l->fd, EV_READ | EV_PERSIST, on_alarm, l);
    BUG_ON(l->alarm == NULL || event_add(l->alarm, NULL) != 0);
    return l;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    event_free(l->alarm);
    close(l->fd);
    event_base_loop(l->base, EVLOOP_NONBLOCK); /* what is deferred holds what has been freed */
    event_base_free(l->base);
    mem_free(l);
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

struct clock *loop_clock(struct loop *l)
{
    return l->clock;
}

const struct loop_lag *loop_lag(const struct loop *l)
{
    return &l->lag;
}

void loop_lag_note(struct loop_lag *lag, dur_ns late)
{
    double s = (double)late / NS_PER_S;
    size_t i = 0;

    while (i < LOOP_LAG_BUCKETS - 1 && s > loop_lag_bounds[i])
        i++;
    lag->buckets[i]++;
    lag->count++;
    lag->sum += late;
    lag->last = late;
    if (late > lag->max)
        lag->max = late;
}

/* An alarm that is too early only costs a turn. */
static void set_alarm(struct loop *l, ts_ns next)
{
    struct itimerspec when = {.it_value = {.tv_sec = 0}};

    if (l->armed <= next)
        return;
    /* Zero would disarm. */
    when.it_value.tv_sec = next > 0 ? (time_t)(next / NS_PER_S) : 0;
    when.it_value.tv_nsec = next > 0 ? (long)(next % NS_PER_S) : 1;
    BUG_ON(timerfd_settime(l->fd, TFD_TIMER_ABSTIME, &when, NULL) != 0);
    l->armed = next;
}

void loop_wait(struct loop *l)
{
    ts_ns next = clock_next(l->clock);
    bool waits = next > clock_touch(l->clock).mono;
    struct now now;
    ts_ns due;

    if (waits)
        set_alarm(l, next);
    clock_expire(l->clock);
    event_base_loop(l->base, waits ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
    now = clock_touch(l->clock);
    due = clock_next(l->clock);
    if (due <= now.mono)
        loop_lag_note(&l->lag, now.mono - due);
}

void loop_yield(struct event_base *base, const struct clock *clock)
{
    if (clock_turn_is_long(clock))
        event_base_loopbreak(base);
}

void loop_run(struct loop *l)
{
    l->stopping = false;
    while (!l->stopping) {
        loop_wait(l);
        if (clock_run_due(l->clock) != 0) /* what they make due follows in the same turn */
            clock_run_due(l->clock);
    }
}

bool loop_is_stopping(const struct loop *l)
{
    return l->stopping;
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
    event_base_loopbreak(l->base);
}
