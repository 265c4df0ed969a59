/* tar.h - files one behind the other, as tar(1) reads and writes them: how a backup travels.
 *
 *     tar_head(&b, S("state.db"), size, now); the bytes; tar_pad(&b, size); ... tar_finish(&b)
 *
 * What is read is what we write: headers of regular files in the form of POSIX (ustar). Links, folders, devices, other forms
 * and sizes beyond 8 GiB are refused; which names are fine is for the reader's owner to say.
 *
 * Shapes   blocks of 512 bytes; names of at most 99.
 * Errors   ERR_CORRUPT with the offset in the archive; sticky: whoever has failed is not fed again.
 * Owns     the reader owns a block.
 */
#ifndef CODEC_TAR_H
#define CODEC_TAR_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

enum { TAR_BLOCK = 512 };
#define TAR_SIZE_MAX                                                                               \
    (UINT64_C(077777777777) - 511) /* eleven octal digits and room for the padding: 8 GiB */

void tar_head(struct buf *out, str name, uint64_t size, ts_ns modified);
void tar_pad(struct buf *out, uint64_t size); /* behind a file of that size */
void tar_finish(struct buf *out);

struct tar_reader {
    bool (*file)(void *arg, str name, uint64_t size, struct err *e); /* one begins */
    bool (*bytes)(void *arg, str bytes, struct err *e);
    bool (*end)(void *arg, struct err *e); /* of the file */
    void *arg;

    uint64_t at, left, padding; /* bytes of the archive read; of the file to come; behind it */
    size_t n;                   /* bytes of block */
    bool is_over;               /* a block of zeros has come */
    char block[TAR_BLOCK];
};

bool tar_feed(struct tar_reader *t, str bytes, struct err *e) must_check;
bool tar_end(const struct tar_reader *t, struct err *e) must_check; /* nothing more comes */

#endif
