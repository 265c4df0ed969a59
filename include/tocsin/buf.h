/* buf.h - a growing run of bytes, for text that is being written.
 *
 * Shapes   n bytes at p, cap allocated; p is NULL until the first byte. Not NUL-terminated but for buf_z().
 * Owns     the buf owns its bytes; buf_str() borrows them until the next write.
 * Errors   none; out of memory aborts. A writer whose length a user can size checks buf.n against its own limit.
 * Cost     amortised O(1) a byte.
 */
#ifndef TOCSIN_BUF_H
#define TOCSIN_BUF_H

#include <stdarg.h>
#include "tocsin/attr.h"
#include "tocsin/str.h"

struct buf {
    char *p;
    size_t n, cap;
};

#define BUF_INIT                                                                                   \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void buf_init(struct buf *b);
void buf_release(struct buf *b);
void buf_reserve(struct buf *b, size_t extra); /* room for extra more bytes */
void buf_addf(struct buf *b, const char *fmt, ...) printf_like(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) printf_like(2, 0);
void buf_pad(struct buf *b, char c, size_t times);
void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);
const char *buf_z(struct buf *b); /* the bytes with a NUL behind them, borrowed */

static inline void buf_clear(struct buf *b)
{
    b->n = 0;
}

static inline str buf_str(const struct buf *b)
{
    return (str){b->p, b->n};
}

static inline void buf_add(struct buf *b, str s)
{
    if (s.n == 0)
        return;
    if (b->cap - b->n < s.n)
        buf_reserve(b, s.n);
    assume(b->p != NULL && s.p != NULL);
    memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

static inline void buf_addc(struct buf *b, char c)
{
    if (b->cap == b->n)
        buf_reserve(b, 1);
    assume(b->p != NULL);
    b->p[b->n++] = c;
}

#define buf_adds(b, literal) buf_add(b, S(literal))

/* Text of others for eyes: what a terminal would act on (controls of C0 and C1, what turns the order of reading) as \u202e, a
 * bad byte as \ufffd. Line ends and tabs stay; _line makes blanks of them. */
void buf_add_shown(struct buf *b, str s);
void buf_add_shown_line(struct buf *b, str s);

#endif
