/* inflate.h - gzip bodies as they arrive, with a bound on what they may become.
 *
 * Errors   ERR_LIMIT: more than limit bytes, or a ratio that only a bomb has (RATIO beyond the
 *          first MiB). ERR_INVALID: not gzip, damaged, or bytes behind the end.
 * Owns     the inflater owns zlib's state (about 40 KiB).
 */
#ifndef NET_INFLATE_H
#define NET_INFLATE_H

#include "base/buf.h"
#include "base/err.h"

enum { INFLATE_RATIO = 256, INFLATE_FREE = 1 << 20 };

struct inflater;

struct inflater *inflater_new(size_t limit);
void inflater_free(struct inflater *z);
bool inflater_feed(struct inflater *z, str in, struct buf *out, struct err *e) must_check;
bool inflater_is_done(const struct inflater *z); /* the last member is complete */

#endif
