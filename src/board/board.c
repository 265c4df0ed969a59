/* The windows and who reads them. One timer drives all: it makes the answer that is wanted next, a piece a turn. */
#include "board/board.h"

#include <inttypes.h>
#include <stdio.h>
#include "board/window.h"
#include "net/deflate.h"

enum { PIECE_BYTES = 8 << 10 };
#define LOOK_EACH    (250 * NS_PER_MS) /* while somebody reads, for what has changed */
#define COMMENT_EACH (15 * NS_PER_S)
#define IDLE_AGE     NS_PER_M
#define COST         10 /* of the loop: one part in so many */

struct reader_window {
    struct board_window *window;
    uint64_t seen;
};

struct board_reader {
    struct board_reader *next, *prev;
    struct board *board;
    struct http_req *rq;
    bool is_packed, has_begun, owes_comment;
    struct reader_window v[BOARD_WINDOWS_OF_STREAM];
    size_t n;
    struct board_frame *sending; /* NULL: none is half sent */
    size_t sent;
};

struct board_waiting {
    struct board_waiting *next;
    struct board_window *window;
    uint64_t revision; /* of the engine, when it was asked */
    void (*done)(void *ctx, const struct board_answer *a);
    void *ctx;
};

struct board {
    struct shell *shell;
    struct board_world world;
    VEC(struct board_window *) windows;
    struct board_waiting *waiting;
    struct board_reader *readers;
    struct board_window *walking; /* whose answer is being made */
    struct timer timer, comment;
    ts_ns walk_began, not_before; /* mono */
    dur_ns spent;                 /* of this walk */
    size_t next;                  /* whose turn it is */
    uint64_t conf;                /* revision of the configuration under which the readers began */
    struct buf comment_packed;
    bool is_closed;
    size_t max_streams;
    struct board_stats stats;
};

static struct clock *board_clock(const struct board *b)
{
    return b->world.clock;
}

static uint64_t board_conf(const struct board *b)
{
    return changes_last(&b->world.engine->changes, CHANGES_OF(CHANGED_CONFIG));
}

/* -- windows -- */

static void board_forget(struct board *b, size_t i)
{
    if (b->walking == b->windows.v[i])
        b->walking = NULL;
    board_window_free(b->windows.v[i]);
    vec_remove(&b->windows, i);
}

static void board_sweep(struct board *b, ts_ns now)
{
    for (size_t i = b->windows.n; i-- > 0;) {
        const struct board_window *w = b->windows.v[i];

        if (w->readers == 0 && !w->is_wanted && now - w->used > IDLE_AGE)
            board_forget(b, i);
    }
}

/* Room for another: the one that nobody has used for longest goes. */
static bool board_make_room(struct board *b)
{
    size_t oldest = SIZE_MAX;

    if (b->windows.n < BOARD_WINDOWS)
        return true;
    for (size_t i = 0; i < b->windows.n; i++) {
        const struct board_window *w = b->windows.v[i];

        if (w->readers == 0 && !w->is_wanted &&
            (oldest == SIZE_MAX || w->used < b->windows.v[oldest]->used))
            oldest = i;
    }
    if (oldest == SIZE_MAX)
        return false;
    board_forget(b, oldest);
    return true;
}

/* The window of a question, which is taken; NULL: there is no room. */
static struct board_window *board_window_of(struct board *b, struct board_ask *taken)
{
    struct board_window *w = NULL;

    for (size_t i = 0; i < b->windows.n && w == NULL; i++)
        if (str_eq(b->windows.v[i]->ask.text, taken->text))
            w = b->windows.v[i];
    if (w != NULL || !board_make_room(b)) {
        board_ask_release(taken);
    } else {
        w = board_window_new(taken);
        vec_push(&b->windows, w);
    }
    if (w != NULL)
        w->used = board_clock(b)->now.mono;
    return w;
}

/* -- what is made next -- */

static void board_wake(struct board *b, ts_ns at)
{
    if (!timer_is_armed(&b->timer) || b->timer.node.key > at)
        timer_arm(board_clock(b), &b->timer, at);
}

static bool window_is_due(const struct board *b, const struct board_window *w, struct now now)
{
    return (w->readers != 0 || w->is_wanted) && now.mono >= w->not_before &&
           (w->is_wanted || !board_window_is_current(w, &b->world, now));
}

/* In turn; NULL: nothing is due. What nobody has seen yet does not wait for the loop's share. */
static struct board_window *board_pick(struct board *b, struct now now)
{
    bool has_share = now.mono >= b->not_before;

    for (size_t i = 0; i < b->windows.n; i++) {
        struct board_window *w = b->windows.v[(b->next + i) % b->windows.n];

        if (!window_is_due(b, w, now) || (!has_share && w->page != NULL))
            continue;
        b->next = (b->next + i + 1) % b->windows.n;
        return w;
    }
    return NULL;
}

static void board_answer(const struct board_window *w, struct board_waiting *p)
{
    const struct board_frame *f = w->page;
    struct board_answer a = {str_sub(buf_str(&f->text), f->data_at, f->data_at + f->data),
                             w->shown};

    p->done(p->ctx, &a);
    mem_free(p);
}

/* A walk that began before somebody asked may not have seen what he knows of: he waits for the next. */
static void board_answer_all(struct board *b, struct board_window *w)
{
    struct board_waiting **at = &b->waiting, *p;

    while ((p = *at) != NULL) {
        if (p->window != w || p->revision > w->revision) {
            w->is_wanted |= p->window == w;
            at = &p->next;
            continue;
        }
        *at = p->next;
        board_answer(w, p);
    }
}

static void reader_resume(struct board_reader *r)
{
    if (r->rq->waits)
        http_reply_resume(r->rq);
}

static void board_tell_readers(struct board *b, const struct board_window *w)
{
    for (struct board_reader *r = b->readers; r != NULL; r = r->next)
        for (size_t i = 0; i < r->n; i++)
            if (r->v[i].window == w && r->v[i].seen != w->shown)
                reader_resume(r);
}

static void board_piece(struct board *b)
{
    struct clock *c = board_clock(b);
    struct board_window *w = b->walking;
    ts_ns began = clock_mono(c);
    bool is_there = board_window_walk(w, &b->world);
    dur_ns spare;

    b->spent += clock_mono(c) - began;
    if (!is_there)
        return;
    b->walking = NULL;
    spare = b->spent * (COST - 1);
    b->not_before = ts_add(c->now.mono, spare < 5 * NS_PER_S ? spare : 5 * NS_PER_S);
    board_answer_all(b, w);
    if (w->readers != 0)
        board_tell_readers(b, w);
}

static void board_end_streams(struct board *b)
{
    b->conf = 0;
    for (struct board_reader *r = b->readers; r != NULL; r = r->next)
        reader_resume(r);
}

static bool board_is_asked(const struct board *b)
{
    return b->readers != NULL || b->waiting != NULL;
}

static void board_on_timer(struct timer *t, struct now now)
{
    struct board *b = container_of(t, struct board, timer);
    enum piece was;

    if (b->readers != NULL && b->conf != board_conf(b))
        board_end_streams(b);
    if (b->walking == NULL) {
        b->walking = board_pick(b, now);
        b->spent = 0;
    }
    if (b->walking != NULL) {
        was = meter_enter(board_clock(b)->meter, PIECE_BOARD);
        board_piece(b);
        meter_leave(board_clock(b)->meter, was);
    }
    board_sweep(b, now.mono);
    if (b->walking != NULL)
        board_wake(b, now.mono + 1);
    else if (board_is_asked(b))
        board_wake(b, now.mono + (b->waiting != NULL ? LOOK_EACH / 10 : LOOK_EACH));
    else if (b->windows.n != 0)
        board_wake(b, ts_add(now.mono, IDLE_AGE));
}

void board_page(struct board *b, struct board_ask *taken,
                void (*done)(void *ctx, const struct board_answer *a), void *ctx)
{
    struct board_window *w = b->is_closed ? NULL : board_window_of(b, taken);
    struct now now = board_clock(b)->now;
    struct board_waiting *p;

    if (b->is_closed)
        board_ask_release(taken);
    if (w == NULL) {
        done(ctx, NULL);
        return;
    }
    p = mem_new(struct board_waiting);
    *p = (struct board_waiting){
        .window = w, .revision = board_window_revision(&b->world, now), .done = done, .ctx = ctx};
    if (board_window_is_current(w, &b->world, now)) {
        board_answer(w, p);
        board_wake(b, ts_add(now.mono, IDLE_AGE));
        return;
    }
    p->next = b->waiting;
    b->waiting = p;
    w->is_wanted = true;
    board_wake(b, w->not_before > now.mono ? w->not_before : now.mono + 1);
}

/* -- readers -- */

static str board_comment(struct board *b, bool packed)
{
    static const char text[] = ": still here\n\n";

    if (packed && b->comment_packed.n == 0)
        deflate_block(str_of(text), &b->comment_packed);
    return packed ? buf_str(&b->comment_packed) : str_of(text);
}

/* The oldest frame that the reader has not seen; NULL: he has seen all. */
static struct board_frame *reader_next_frame(struct board_reader *r)
{
    struct board_frame *first = NULL;
    size_t of = 0;

    for (size_t i = 0; i < r->n; i++) {
        struct board_frame *f = board_window_next(r->v[i].window, r->v[i].seen);

        if (f != NULL && (first == NULL || f->to < first->to)) {
            first = f;
            of = i;
        }
    }
    if (first == NULL)
        return NULL;
    r->v[of].seen = first->to;
    r->board->stats.frames++;
    r->board->stats.pages += first->from == first->to;
    return board_frame_ref(first);
}

static void reader_begin(struct board_reader *r, struct buf *out)
{
    static const char retry[] = "retry: 2000\n\n";

    if (r->is_packed) {
        buf_add(out, DEFLATE_HEAD);
        deflate_block(str_of(retry), out);
    } else {
        buf_add(out, str_of(retry));
    }
    r->has_begun = true;
}

static bool reader_next(void *ctx, struct buf *out)
{
    struct board_reader *r = ctx;
    str rest;

    if (r->board->is_closed || r->board->conf != board_conf(r->board))
        return false;
    if (!r->has_begun)
        reader_begin(r, out);
    if (r->sending == NULL) {
        r->sending = reader_next_frame(r);
        r->sent = 0;
    }
    if (r->sending == NULL && r->owes_comment)
        buf_add(out, board_comment(r->board, r->is_packed));
    if (r->sending == NULL) {
        r->owes_comment = false;
        r->rq->waits = true;
        return true;
    }
    rest = board_frame_bytes(r->sending, r->is_packed);
    rest = str_sub(rest, r->sent, r->sent + PIECE_BYTES);
    buf_add(out, rest);
    r->sent += rest.n;
    r->board->stats.bytes += rest.n;
    if (r->sent == board_frame_bytes(r->sending, r->is_packed).n) {
        board_frame_unref(r->sending);
        r->sending = NULL;
        r->owes_comment = false;
    }
    return true;
}

static void reader_done(void *ctx)
{
    struct board_reader *r = ctx;
    struct board *b = r->board;

    for (size_t i = 0; i < r->n; i++) {
        r->v[i].window->readers--;
        r->v[i].window->used = board_clock(b)->now.mono;
    }
    board_frame_unref(r->sending);
    if (r->next != NULL)
        r->next->prev = r->prev;
    if (r->prev != NULL)
        r->prev->next = r->next;
    else
        b->readers = r->next;
    b->stats.streams--;
    if (b->readers == NULL)
        timer_cancel(board_clock(b), &b->comment);
    mem_free(r);
}

static void board_on_comment(struct timer *t, struct now now)
{
    struct board *b = container_of(t, struct board, comment);

    for (struct board_reader *r = b->readers; r != NULL; r = r->next) {
        r->owes_comment = true;
        reader_resume(r);
    }
    timer_arm(board_clock(b), t, ts_add(now.mono, COMMENT_EACH));
}

/* "LIFE-REVISION"; 0: it is none of ours. */
static uint64_t seen_of(const struct board *b, str last)
{
    char life[18];
    uint64_t seen;

    snprintf(life, sizeof(life), "%016" PRIx64 "-", b->world.life);
    if (!str_starts_with(last, str_of(life)) || !str_to_u64(str_sub(last, 17, last.n), &seen))
        return 0;
    return seen;
}

static void board_refuse(struct board *b, struct http_req *rq)
{
    b->stats.refused++;
    http_reply_header(rq, S("Retry-After"), S("10"));
    http_reply(rq, 503, S("text/plain; charset=utf-8"),
               S("too many pages are followed, ask for /api/tocsin/board instead\n"));
}

/* False: there is no room; none of the rest has been taken. */
static bool reader_opens(struct board_reader *r, struct board_ask *taken, size_t n, uint64_t seen)
{
    for (size_t i = 0; i < n; i++) {
        struct board_window *w = board_window_of(r->board, &taken[i]);

        if (w == NULL) {
            for (size_t k = i + 1; k < n; k++)
                board_ask_release(&taken[k]);
            return false;
        }
        w->readers++;
        r->v[r->n++] = (struct reader_window){w, board_window_resume(w, seen)};
    }
    return true;
}

static void board_add_reader(struct board *b, struct board_reader *r)
{
    struct now now = board_clock(b)->now;

    if (b->readers == NULL) {
        b->conf = board_conf(b);
        timer_arm(board_clock(b), &b->comment, ts_add(now.mono, COMMENT_EACH));
    }
    r->next = b->readers;
    if (r->next != NULL)
        r->next->prev = r;
    b->readers = r;
    b->stats.streams++;
    board_wake(b, now.mono + 1);
}

void board_stream(struct board *b, struct http_req *rq, struct board_ask *taken, size_t n, str last)
{
    struct board_reader *r;

    if (b->is_closed || b->stats.streams >= b->max_streams ||
        (b->readers != NULL && b->conf != board_conf(b))) {
        for (size_t i = 0; i < n; i++)
            board_ask_release(&taken[i]);
        board_refuse(b, rq);
        return;
    }
    r = mem_new(struct board_reader);
    r->board = b;
    r->rq = rq;
    r->is_packed = http_takes_gzip(rq);
    board_add_reader(b, r);
    if (!reader_opens(r, taken, n, seen_of(b, last))) {
        reader_done(r);
        board_refuse(b, rq);
        return;
    }
    rq->is_endless = true;
    if (r->is_packed)
        http_reply_header(rq, S("Content-Encoding"), S("gzip"));
    http_reply_header(rq, S("X-Accel-Buffering"), S("no"));
    http_reply_stream(rq, 200, S("text/event-stream"), reader_next, reader_done, r);
}

/* -- all of it -- */

struct board *board_new(struct shell *shell, uint64_t life, size_t max_streams)
{
    struct board *b = mem_new(struct board);

    b->shell = shell;
    b->world = (struct board_world){
        .engine = shell_engine(shell), .clock = shell_clock(shell), .life = life};
    b->timer.fire = board_on_timer;
    b->comment.fire = board_on_comment;
    b->max_streams = max_streams != 0 && max_streams < BOARD_STREAMS ? max_streams : BOARD_STREAMS;
    return b;
}

void board_close(struct board *b)
{
    b->is_closed = true;
    board_end_streams(b);
}

void board_free(struct board *b)
{
    struct board_waiting *p;

    if (b == NULL)
        return;
    BUG_ON(b->readers != NULL);
    while ((p = b->waiting) != NULL) {
        b->waiting = p->next;
        p->done(p->ctx, NULL);
        mem_free(p);
    }
    timer_cancel(board_clock(b), &b->timer);
    timer_cancel(board_clock(b), &b->comment);
    while (b->windows.n != 0)
        board_forget(b, b->windows.n - 1);
    vec_release(&b->windows);
    strips_release(&b->world.strips);
    buf_release(&b->comment_packed);
    mem_free(b);
}

struct board_stats board_stats(const struct board *b)
{
    struct board_stats s = b->stats;

    s.windows = b->windows.n;
    return s;
}
