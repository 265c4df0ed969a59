/* meter.h - what the loop spends its CPU on: whole turns, and the named pieces of work in them.
 *
 *     enum piece was = meter_enter(clock->meter, PIECE_REQUEST);
 *     ...
 *     meter_leave(clock->meter, was);
 *
 * What is spent between the two counts for the piece, but for what pieces inside of it take. A piece's time is all that its
 * kind took in one turn. Whoever drives turns has one on its clock; a stepped clock has none, and all of this does nothing
 * for NULL.
 *
 * Units    nanoseconds. A turn: CPU of the calling thread. A piece: monotonic time, for who waits does so by that; of sockets,
 *          where the loop sleeps too, what CPU the other pieces leave. Lag is monotonic: from the first touch of the clock to
 *          the turn's end.
 * Owns     nothing; the loop's thread alone.
 * Cost     a system call a turn; entering and leaving 30 ns each.
 */
#ifndef OS_METER_H
#define OS_METER_H

#include "base/time.h"

enum piece {
    PIECE_SOCKETS, /* reading, writing, TLS, transfers: what has no other name */
    PIECE_REQUEST, /* a request is handled */
    PIECE_ANSWER,  /* a part of a streamed answer is made */
    PIECE_DONE,    /* what a worker has made is taken */
    PIECE_TIMERS,
    PIECE_ALERTS,
    PIECE_SILENCE,
    PIECE_ATTEMPT,
    PIECE_DELIVERED,
    PIECE_RULE_GROUPS,
    PIECE_RULES_RAN,
    PIECE_AHEAD, /* a part of the groups of a configuration that is to come */
    PIECE_CONFIG,
    PIECE_CLOCK,
    PIECE_BUILTIN,
    PIECE_DUE, /* of the engine; its parts are told apart by the next */
    PIECE_DUE_RULES,
    PIECE_DUE_GROUPS,
    PIECE_DUE_OUTBOX,
    PIECE_GC,
    PIECE_RECORD,
    PIECE_COMMIT,
    PIECE_RELEASE,
    PIECE_SEND,
    PIECE_COMPACT,
    PIECE_BOARD, /* a part of what pages show */
    PIECES
};

extern const char *const piece_names[PIECES];

enum { TURN_BOUNDS = 12 };
extern const double turn_bounds[TURN_BOUNDS]; /* seconds, upper */

struct turn_histogram {
    uint64_t buckets[TURN_BOUNDS + 1]; /* not cumulative */
    dur_ns sum, max;
};

struct meter {
    enum piece piece;
    ts_ns at, cpu_at; /* clocks, when they were last read */
    dur_ns spent[PIECES];
    dur_ns longest[PIECES]; /* in one turn, since the start */
    struct turn_histogram cpu, lag;
};

void meter_begin(struct meter *m); /* the calling thread turns from here on */
enum piece meter_enter(struct meter *m, enum piece p);
void meter_leave(struct meter *m, enum piece was);
/* A turn is over. */
void meter_turn(struct meter *m, dur_ns lag);

#endif
