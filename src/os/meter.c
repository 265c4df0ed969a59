#include "os/meter.h"

#include <string.h>
#include <time.h>
#include "base/mem.h"
#include "os/log.h"

#define SLOW_PIECE (250 * NS_PER_MS) /* somebody may have waited */
#define LONG_PIECE (10 * NS_PER_MS)  /* longer than any should be */
#define HELD       "a piece of work held the loop"

const char *const piece_names[PIECES] = {
    [PIECE_SOCKETS] = "sockets",       [PIECE_REQUEST] = "request",
    [PIECE_ANSWER] = "answer",         [PIECE_DONE] = "worker_done",
    [PIECE_TIMERS] = "timers",         [PIECE_ALERTS] = "alerts",
    [PIECE_SILENCE] = "silence",       [PIECE_ATTEMPT] = "attempt",
    [PIECE_DELIVERED] = "delivered",   [PIECE_RULE_GROUPS] = "rule_groups",
    [PIECE_RULES_RAN] = "rules_ran",   [PIECE_AHEAD] = "ahead",
    [PIECE_CONFIG] = "config",         [PIECE_CLOCK] = "clock",
    [PIECE_BUILTIN] = "builtin",       [PIECE_DUE] = "due",
    [PIECE_DUE_RULES] = "due_rules",   [PIECE_DUE_GROUPS] = "due_groups",
    [PIECE_DUE_OUTBOX] = "due_outbox", [PIECE_GC] = "gc",
    [PIECE_RECORD] = "record",         [PIECE_COMMIT] = "commit",
    [PIECE_RELEASE] = "release",       [PIECE_SEND] = "send",
    [PIECE_COMPACT] = "compact",       [PIECE_BOARD] = "board",
};

const double turn_bounds[TURN_BOUNDS] = {0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                         0.02,   0.05,   0.1,   0.25,   0.5,   1};

static ts_ns meter_read_clock(clockid_t id)
{
    struct timespec t;

    BUG_ON(clock_gettime(id, &t) != 0);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

void meter_begin(struct meter *m)
{
    *m = (struct meter){.at = meter_read_clock(CLOCK_MONOTONIC),
                        .cpu_at = meter_read_clock(CLOCK_THREAD_CPUTIME_ID)};
}

static void count_piece(struct meter *m)
{
    ts_ns now = meter_read_clock(CLOCK_MONOTONIC);

    m->spent[m->piece] += now - m->at;
    m->at = now;
}

enum piece meter_enter(struct meter *m, enum piece p)
{
    enum piece was;

    if (m == NULL || m->piece == p)
        return p;
    count_piece(m);
    was = m->piece;
    m->piece = p;
    return was;
}

void meter_leave(struct meter *m, enum piece was)
{
    (void)meter_enter(m, was);
}

static void meter_observe(struct turn_histogram *h, dur_ns took)
{
    double s = (double)took / NS_PER_S;
    size_t i = 0;

    while (i < TURN_BOUNDS && s > turn_bounds[i])
        i++;
    h->buckets[i]++;
    h->sum += took;
    h->max = took > h->max ? took : h->max;
}

static double meter_seconds(const struct meter *m, int piece)
{
    return (double)m->spent[piece] / NS_PER_S;
}

void meter_turn(struct meter *m, dur_ns lag)
{
    dur_ns all, rest;
    ts_ns cpu;

    if (m == NULL)
        return;
    count_piece(m);
    cpu = meter_read_clock(CLOCK_THREAD_CPUTIME_ID);
    rest = all = cpu - m->cpu_at;
    m->cpu_at = cpu;
    /* The loop sleeps in this piece. */
    for (int i = 0; i < PIECES; i++)
        rest -= i != PIECE_SOCKETS ? m->spent[i] : 0;
    m->spent[PIECE_SOCKETS] = rest > 0 ? rest : 0;
    for (int i = 0; i < PIECES; i++) {
        if (m->spent[i] > m->longest[i])
            m->longest[i] = m->spent[i];
        if (m->spent[i] > SLOW_PIECE)
            log_warn(HELD, LOG_Z("work", piece_names[i]), LOG_F64("seconds", meter_seconds(m, i)));
        else if (m->spent[i] > LONG_PIECE)
            log_by(log_line_each, LOG_DEBUG, HELD, LOG_Z("work", piece_names[i]),
                   LOG_F64("seconds", meter_seconds(m, i)));
    }
    memset(m->spent, 0, sizeof(m->spent));
    meter_observe(&m->cpu, all);
    meter_observe(&m->lag, lag);
}
