/* alert_log.h - the append-only file of alert records, and how it is written anew.
 *
 * Shapes   8 bytes of magic, then records (base/record.h), of one alert each; 0.1.0 wrote one a commit. What is cut
 *          behind the last sound record is a torn end. Sound records behind a bad one mean damage: the file is kept as
 *          alerts.log.damaged, and what is sound is read on.
 * Errors   ERR_IO. What could not be appended whole is cut off. After a failed sync, or when that fails, the file is not
 *          written again (os/file.h), and only alert_log_rewrite() helps.
 * Owns     the log owns its descriptors; dir is borrowed.
 * Cost     append: a write, nothing is copied, two while it is written anew; sync: one fdatasync.
 */
#ifndef STATE_ALERT_LOG_H
#define STATE_ALERT_LOG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/record.h"
#include "os/file.h"
#include "state/backend.h"

struct alert_log {
    str dir;
    struct file_tail file;
    struct file_tail next; /* the one that takes its place when the last slice is in */
};

/* Opens or creates dir/alerts.log and cuts a torn tail. Damage is said in notice. A file that is not ours is set aside. */
bool alert_log_open(struct alert_log *l, str dir, struct buf *notice, struct err *e) must_check;
/* Whether the file that is open is still the one of the folder. */
bool alert_log_is_there(const struct alert_log *l, struct err *e) must_check;
void alert_log_close(struct alert_log *l);
/* As a table's rows, without keys. */
bool alert_log_scan(struct alert_log *l, bool (*row)(void *arg, str key, str body), void *arg,
                    struct err *e) must_check;
/* Records as they stand in the file (record_frame()). */
bool alert_log_append(struct alert_log *l, str records, struct err *e) must_check;
bool alert_log_sync(struct alert_log *l, struct err *e) must_check;
/* A slice of the log that is to take this one's place. A file that cannot be written is given up, and the log stays what
 * it is: false only if nobody knows which of the two is in place. */
bool alert_log_slice(struct alert_log *l, str records, enum state_slice which,
                     struct err *e) must_check;
/* Replaces the file by these records: temporary file, sync, rename, sync of the folder. */
bool alert_log_rewrite(struct alert_log *l, str records, struct err *e) must_check;

#endif
