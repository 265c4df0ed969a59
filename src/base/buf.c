#include "base/buf.h"

#include <stdio.h>
#include "base/mem.h"
#include "base/utf8.h"

void buf_init(struct buf *b)
{
    *b = (struct buf)BUF_INIT;
}

void buf_release(struct buf *b)
{
    mem_free(b->p);
    buf_init(b);
}

void buf_reserve(struct buf *b, size_t extra)
{
    enum { FIRST = 256, DOUBLED = 8192 };
    size_t need, cap = b->cap;

    BUG_ON(__builtin_add_overflow(b->n, extra, &need));
    if (need <= b->cap)
        return;
    while (cap < need)
        cap += cap == 0 ? FIRST : cap < DOUBLED ? cap : cap / 2;
    b->p = mem_resize(b->p, cap, 1);
    b->cap = cap;
}

void buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    int n;

    va_copy(again, ap);
    n = vsnprintf(b->p != NULL ? b->p + b->n : NULL, b->cap - b->n, fmt, ap);
    BUG_ON(n < 0);
    if ((size_t)n >= b->cap - b->n) {
        buf_reserve(b, (size_t)n + 1);
        vsnprintf(b->p + b->n, b->cap - b->n, fmt, again);
    }
    va_end(again);
    b->n += (size_t)n;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(b, fmt, ap);
    va_end(ap);
}

void buf_pad(struct buf *b, char c, size_t times)
{
    buf_reserve(b, times);
    if (times != 0)
        memset(b->p + b->n, c, times);
    b->n += times;
}

void buf_add_u64(struct buf *b, uint64_t v)
{
    char tmp[20];
    size_t i = sizeof(tmp);

    do {
        tmp[--i] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    buf_add(b, (str){tmp + i, sizeof(tmp) - i});
}

void buf_add_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_addc(b, '-');
    buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

const char *buf_z(struct buf *b)
{
    buf_reserve(b, 1);
    b->p[b->n] = '\0';
    return b->p;
}

void buf_add_shown(struct buf *b, str s)
{
    while (s.n != 0) {
        uint32_t r;
        size_t k = utf8_decode(s, &r);

        if (k == 1 && (unsigned char)s.p[0] >= 0x80)
            buf_adds(b, "\\ufffd");
        else if (utf8_is_control(r) && r != '\n' && r != '\t')
            buf_addf(b, "\\u%04x", r);
        else
            buf_add(b, str_sub(s, 0, k));
        s = str_sub(s, k, s.n);
    }
}

void buf_add_shown_line(struct buf *b, str s)
{
    size_t from = b->n;

    buf_add_shown(b, s);
    for (size_t i = from; i < b->n; i++)
        if (b->p[i] == '\n' || b->p[i] == '\t')
            b->p[i] = ' ';
}
