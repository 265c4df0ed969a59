/* board.h - what pages show: alerts by group, counted and in order, and the stream of what changes of it.
 *
 * A question (ask.h) has a window; who asks the same shares it. Its answer is made when somebody asks and something has
 * changed, by the core's revision (core/changes.h); while nothing changes it is given again, and while nobody asks nothing is
 * done. Answers are made at most four times a second each, one after the other, and all of them take at most a tenth of the
 * loop.
 *
 * A stream (`text/event-stream`) tells of up to 32 windows. Its first event of each is the page, then come changes, each
 * with the revision up to which the reader has seen everything then. One that comes back with that (Last-Event-ID) goes on
 * from there if the changes since are still known, and gets a fresh page if not. A comment is sent each 15 seconds, so that
 * readers know that the server is there, and the server that they are. What is on its way to a reader is at most 16 KB of a
 * text that all share: a slow one misses frames and gets the page, one that has gone is dropped by the server's timeout.
 *
 * When a configuration comes into force all streams end: who may read may be another now.
 *
 * Shapes   512 streams, or half of the server's connections; 256 windows, kept for a minute after the last question.
 * Units    a revision of the board counts its frames; it is told with the process's life, so that another life's is none.
 * Owns     the board owns windows and readers; the shell is borrowed.
 * Source   design.md 2.6.
 */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include "board/ask.h"
#include "live/shell.h"
#include "net/http_server.h"

enum { BOARD_STREAMS = 512, BOARD_WINDOWS = 256, BOARD_WINDOWS_OF_STREAM = 32 };

struct board;

/* life: of this process. max_streams: 0 = BOARD_STREAMS. */
struct board *board_new(struct shell *shell, uint64_t life, size_t max_streams);
void board_free(struct board *b);
/* No stream begins any more, and all end. */
void board_close(struct board *b);

struct board_answer {
    str json;          /* the page */
    uint64_t revision; /* another one when it says something else */
};
/* Calls done(), maybe at once, with the answer: borrowed during the call; NULL when the board ends, or has no room for
 * another window. The ask is taken. */
void board_page(struct board *b, struct board_ask *taken,
                void (*done)(void *ctx, const struct board_answer *a), void *ctx);

/* Answers rq with a stream of these windows, or with 503. The asks are taken. last: what the client has seen, empty: nothing. */
void board_stream(struct board *b, struct http_req *rq, struct board_ask *taken, size_t n,
                  str last);

struct board_stats {
    size_t streams, windows;
    uint64_t frames, pages, bytes, refused; /* sent to readers; streams refused */
};
struct board_stats board_stats(const struct board *b);

#endif
