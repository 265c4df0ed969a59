/* window.h - one page of the board: a question, its answer as text, and what has changed of it since.
 *
 * An answer is made in a walk of several pieces, each of at most two milliseconds: alerts are counted, groups are weighed,
 * the worst of them are written. What is kept between two pieces are fingerprints, never pointers: alerts and groups come and
 * go meanwhile. A configuration that comes into force in between begins the walk anew.
 *
 * The written page is held against the one before, group by group: what differs is a frame. Frames are encoded once,
 * compressed at most once, and shared by all who read them.
 *
 * Shapes   a page of at most 500 groups, 1 MiB; 32 frames.
 * Units    revisions of the board (board.h); made and used are monotonic.
 * Owns     a window owns its question, rows and walk, and a reference on each frame.
 * Cost     a walk: O(alerts + rules), about 100 ns each; nothing while nothing changes.
 */
#ifndef BOARD_WINDOW_H
#define BOARD_WINDOW_H

#include "board/ask.h"
#include "board/strip.h"
#include "core/audience.h"
#include "os/clock.h"

struct board_frame {
    unsigned refs;
    uint64_t from, to;    /* of a page: both are its revision */
    struct buf text;      /* as an event stream has it */
    size_t data_at, data; /* the JSON in it */
    struct buf packed;    /* text as a block of deflate; empty until somebody wants it */
};
struct board_frame *board_frame_ref(struct board_frame *f);
void board_frame_unref(struct board_frame *f); /* NULL is fine */
str board_frame_bytes(struct board_frame *f, bool packed);

struct board_row {
    uint64_t key;
    str json; /* owned */
};

enum { BOARD_RING = 32 };

struct board_walk;

struct board_window {
    struct board_ask ask;
    struct board_walk *walk; /* NULL: none is under way */
    unsigned readers;
    bool is_wanted;               /* somebody waits for an answer */
    ts_ns made, used, not_before; /* mono; made: TS_NONE: never */
    uint64_t revision, rules;     /* of the engine, of what the answer is made from */
    bool is_timed;                /* a route's intervals are in it: time changes it, too */
    uint64_t shown;               /* of the last frame; 0: there is no page yet */
    VEC(struct board_row) rows;
    str totals; /* owned */
    struct board_frame *page;
    VEC(struct board_frame *) ring; /* oldest first; each begins where the one before ends */
};

/* What a walk reads, and what it counts by. */
struct board_world {
    struct engine *engine;
    struct clock *clock;
    struct strips strips;
    uint64_t life;     /* of the process: a revision of another is none */
    uint64_t revision; /* of the last frame of all */
};

struct board_window *board_window_new(struct board_ask *taken);
void board_window_free(struct board_window *w);
/* Of the engine: what an answer that is asked for now must have seen. */
uint64_t board_window_revision(const struct board_world *b, struct now now);
/* Does a piece of the walk, or begins it; returns whether the answer is there. */
bool board_window_walk(struct board_window *w, struct board_world *b);
/* Whether the answer that is there is what a walk would find. */
bool board_window_is_current(const struct board_window *w, const struct board_world *b,
                             struct now now);
/* What somebody who has seen up to a revision is told next: NULL: nothing. The page when nothing leads on from there. */
struct board_frame *board_window_next(const struct board_window *w, uint64_t seen);
/* Up to where somebody has seen this window who has seen all of a stream up to a revision; 0: he needs the page. */
uint64_t board_window_resume(const struct board_window *w, uint64_t seen);

/* row.c: one group as JSON. */
struct board_value {
    double value;
};
struct board_row_of {
    const struct engine *e;
    const struct board_ask *ask;
    const struct strips *strips;
    struct u64_map *values; /* fingerprint -> struct board_value * */
    struct now now;
};
/* group: NULL: those of no route. v: alerts of it. Returns how many are listed. */
size_t board_put_row(const struct board_row_of *r, uint64_t key, const struct group *group,
                     struct alert *const *v, size_t n, struct buf *out);
enum board_state board_state_of(const struct audience *au, struct alert *a,
                                struct verdict *scratch);

#endif
