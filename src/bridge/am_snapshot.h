/* am_snapshot.h - Alertmanager's files `silences` and `nflog`, read and written.
 *
 * A file is a row of protobuf messages, each behind its length. Fields that we do not know are skipped, as Alertmanager
 * itself does; what 0.25 does not know is written beside what it does.
 *
 * Errors   ERR_CORRUPT with the byte offset: a damaged file is refused whole, nothing of it is used.
 * Owns     the callbacks take what they are given.
 * Source   alertmanager.md 3.8, 9.1.
 */
#ifndef BRIDGE_AM_SNAPSHOT_H
#define BRIDGE_AM_SNAPSHOT_H

#include "base/err.h"
#include "model/nflog.h"
#include "model/silence.h"

typedef void am_silence_cb(void *arg, struct silence *s);
bool am_silences_read(str bytes, am_silence_cb *got, void *arg, struct err *e) must_check;
void am_silence_write(struct buf *out, const struct silence *s, ts_ns expires_at);

/* key: nflog_key()'s, borrowed. */
typedef void am_nflog_cb(void *arg, str key, struct nflog_entry *entry);
bool am_nflog_read(str bytes, struct now now, am_nflog_cb *got, void *arg,
                   struct err *e) must_check;
/* False: the key is none that nflog_key() makes. */
bool am_nflog_write(struct buf *out, str key, const struct nflog_entry *entry, struct now now);

#endif
