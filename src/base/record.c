#include "base/record.h"

#include "base/crc32c.h"

enum { FIND_MAX = 1 << 20, FIND_CHAIN = 4 };

static void put32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (8 * i));
}

static uint32_t get32(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++)
        v |= (uint32_t)(unsigned char)p[i] << (8 * i);
    return v;
}

size_t record_length(const char head[static RECORD_HEAD])
{
    return get32(head);
}

size_t record_begin(struct buf *out)
{
    buf_pad(out, '\0', RECORD_HEAD);
    return out->n;
}

void record_end(struct buf *out, size_t at)
{
    str bytes = {out->p + at, out->n - at};
    char *head = out->p + at - RECORD_HEAD;

    put32(head, (uint32_t)bytes.n);
    put32(head + 4, crc32c(bytes));
}

void record_frame(struct buf *out, str bytes)
{
    size_t at = record_begin(out);

    buf_add(out, bytes);
    record_end(out, at);
}

bool record_next(str *in, str *bytes)
{
    str body;
    uint32_t n;

    if (in->n < RECORD_HEAD)
        return false;
    n = get32(in->p);
    if (n > RECORD_MAX || n > in->n - RECORD_HEAD)
        return false;
    body = str_sub(*in, RECORD_HEAD, RECORD_HEAD + (size_t)n);
    if (crc32c(body) != get32(in->p + 4))
        return false;
    *in = str_sub(*in, RECORD_HEAD + (size_t)n, in->n);
    *bytes = body;
    return true;
}

bool record_is_torn(str in)
{
    return in.n < RECORD_HEAD || get32(in.p) > in.n - RECORD_HEAD;
}

/* Whether what begins here could be records one behind the other: some heads on, or to the end. In binary data many a
 * number looks like the length of one. */
static bool looks_like_some(str rest)
{
    for (int i = 0; i < FIND_CHAIN && rest.n != 0; i++) {
        uint32_t n = rest.n > RECORD_HEAD ? get32(rest.p) : 0;

        if (n == 0 || n > rest.n - RECORD_HEAD)
            return false;
        rest = str_sub(rest, RECORD_HEAD + (size_t)n, rest.n);
    }
    return true;
}

static size_t base_record_find(str in, size_t from, bool (*looks_sound)(str rest))
{
    uint64_t work = 16 * (uint64_t)(in.n - from);

    for (size_t at = from; in.n - at > RECORD_HEAD; at++) {
        str rest = str_sub(in, at, in.n), bytes;
        uint32_t n;

        assume(rest.p != NULL);
        n = get32(rest.p);
        if (n == 0 || n > FIND_MAX || n > rest.n - RECORD_HEAD ||
            (looks_sound != NULL && !looks_sound(rest)))
            continue;
        if (record_next(&rest, &bytes))
            return at;
        if (n > work)
            break;
        work -= n;
    }
    return in.n;
}

size_t record_find(str in, size_t from)
{
    size_t at = base_record_find(in, from, looks_like_some);

    return at < in.n ? at : base_record_find(in, from, NULL); /* one alone, before more damage */
}
