/* alert_log.h - the append-only file of alert records.
 *
 * Shapes   8 bytes of magic, then records (base/record.h). At the first that is cut or damaged the file ends.
 * Errors   ERR_IO. After a failed append or sync what was not synced is cut off; when even that fails, only
 *          alert_log_rewrite() helps.
 * Owns     the log owns its descriptor; dir is borrowed.
 * Cost     append: two writes, nothing is copied; sync: one fdatasync.
 */
#ifndef STATE_ALERT_LOG_H
#define STATE_ALERT_LOG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/record.h"

struct alert_log {
    str dir;
    int fd;
    uint64_t size, unsynced; /* bytes that are safe, and behind them bytes that are not yet */
};

/* Opens or creates dir/alerts.log and cuts a torn tail. A file that is not ours is set aside, said in notice. */
bool alert_log_open(struct alert_log *l, str dir, struct buf *notice, struct err *e) must_check;
void alert_log_close(struct alert_log *l);
bool alert_log_scan(struct alert_log *l, bool (*record)(void *arg, str bytes), void *arg,
                    struct err *e) must_check;
bool alert_log_append(struct alert_log *l, str bytes, struct err *e) must_check; /* one record */
bool alert_log_sync(struct alert_log *l, struct err *e) must_check;
/* Replaces the file by one record (none when bytes is empty): temporary file, sync, rename, sync of the folder. */
bool alert_log_rewrite(struct alert_log *l, str bytes, struct err *e) must_check;

#endif
