#include "net/inflate.h"

#include <limits.h>
#include <zlib.h>
#include "base/mem.h"

struct inflater {
    z_stream z;
    size_t limit, in, out;
    bool between; /* a member has ended and no byte of the next was seen */
};

struct inflater *inflater_new(size_t limit)
{
    struct inflater *z = mem_new(struct inflater);

    z->limit = limit;
    BUG_ON(inflateInit2(&z->z, 15 + 16) != Z_OK); /* 16: gzip framing */
    return z;
}

void inflater_free(struct inflater *z)
{
    if (z == NULL)
        return;
    inflateEnd(&z->z);
    mem_free(z);
}

bool inflater_is_done(const struct inflater *z)
{
    return z->between;
}

static bool within(const struct inflater *z, struct err *e)
{
    if (z->out > z->limit)
        return err_set(e, ERR_LIMIT, "body is larger than %zu bytes when decoded", z->limit);
    if (z->out > INFLATE_FREE && z->out / INFLATE_RATIO > z->in)
        return err_set(e, ERR_LIMIT, "body shrinks by more than %d:1 under gzip", INFLATE_RATIO);
    return true;
}

bool inflater_feed(struct inflater *z, str in, struct buf *out, struct err *e)
{
    enum { STEP = 16 << 10 };

    BUG_ON(in.n > UINT_MAX);
    z->z.next_in = (Bytef *)(uintptr_t)in.p; /* zlib does not write there */
    z->z.avail_in = (uInt)in.n;
    z->in += in.n;
    for (;;) {
        int r;

        if (z->between) {
            if (z->z.avail_in == 0)
                return true;
            BUG_ON(inflateReset(&z->z) != Z_OK); /* gzip members may follow each other */
            z->between = false;
        }
        buf_reserve(out, STEP);
        z->z.next_out = (Bytef *)out->p + out->n;
        z->z.avail_out = STEP;
        r = inflate(&z->z, Z_NO_FLUSH);
        out->n += STEP - z->z.avail_out;
        z->out += STEP - z->z.avail_out;
        if (!within(z, e))
            return false;
        if (r == Z_STREAM_END)
            z->between = true;
        else if (r != Z_OK && r != Z_BUF_ERROR)
            return err_set(e, ERR_INVALID, "body is not valid gzip");
        else if (z->z.avail_in == 0 && z->z.avail_out != 0)
            return true;
    }
}
