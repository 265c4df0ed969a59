#include "net/deflate.h"

#include <limits.h>
#include <zlib.h>
#include "base/mem.h"

struct deflater {
    z_stream z;
};

struct deflater *deflater_new(void)
{
    struct deflater *z = mem_new(struct deflater);

    BUG_ON(deflateInit2(&z->z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
           Z_OK); /* 16: gzip framing */
    return z;
}

void deflater_free(struct deflater *z)
{
    if (z == NULL)
        return;
    deflateEnd(&z->z);
    mem_free(z);
}

static void deflate_all(z_stream *z, str in, int flush, struct buf *out)
{
    enum { STEP = 16 << 10 };

    BUG_ON(in.n > UINT_MAX);
    z->next_in = (Bytef *)(uintptr_t)in.p; /* zlib does not write there */
    z->avail_in = (uInt)in.n;
    do {
        buf_reserve(out, STEP);
        z->next_out = (Bytef *)out->p + out->n;
        z->avail_out = STEP;
        deflate(z, flush);
        out->n += STEP - z->avail_out;
    } while (z->avail_out == 0);
}

void deflater_feed(struct deflater *z, str in, bool last, struct buf *out)
{
    deflate_all(&z->z, in, last ? Z_FINISH : Z_NO_FLUSH, out);
}

void deflate_block(str in, struct buf *out)
{
    z_stream z = {0};

    BUG_ON(deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK);
    deflate_all(&z, in, Z_FULL_FLUSH, out);
    deflateEnd(&z);
}
