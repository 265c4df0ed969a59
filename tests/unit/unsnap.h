/* unsnap.h - reads blocks of snappy, for tests and fuzz targets: as the format's description says, and nothing faster. */
#ifndef TESTS_UNSNAP_H
#define TESTS_UNSNAP_H

#include "base/buf.h"
#include "codec/pack.h"

static inline size_t unsnap_number(str in, size_t at, size_t bytes)
{
    size_t v = 0;

    for (size_t i = 0; i < bytes; i++)
        v |= (size_t)(unsigned char)in.p[at + i] << (8 * i);
    return v;
}

/* One literal or copy; false: it is none. */
static inline bool unsnap_one(str in, size_t *at, struct buf *out)
{
    unsigned char tag = (unsigned char)in.p[(*at)++];
    size_t n = tag >> 2, back, more;

    if ((tag & 3) == 0) {
        more = n >= 60 ? n - 59 : 0;
        if (more > in.n - *at)
            return false;
        n = (more != 0 ? unsnap_number(in, *at, more) : n) + 1;
        *at += more;
        if (n > in.n - *at)
            return false;
        buf_add(out, str_sub(in, *at, *at + n));
        *at += n;
        return true;
    }
    more = (tag & 3) == 1 ? 1 : (tag & 3) == 2 ? 2 : 4;
    if (more > in.n - *at)
        return false;
    back = unsnap_number(in, *at, more);
    *at += more;
    if ((tag & 3) == 1) {
        back |= (size_t)(tag >> 5) << 8;
        n = (n & 7) + 3;
    }
    if (back == 0 || back > out->n)
        return false;
    for (n++; n != 0; n--)
        buf_addc(out, out->p[out->n - back]);
    return true;
}

static inline bool unsnap(str in, struct buf *out)
{
    struct unpack u = unpack_of(in);
    uint64_t n = unpack_u64(&u);
    size_t at = in.n - u.rest.n;

    while (!u.failed && at < in.n)
        if (!unsnap_one(in, &at, out))
            return false;
    return !u.failed && out->n == n;
}

#endif
