/* downgrade.h - a storage folder back to what 0.1.1 opens: user_version 2, and pushed groups in files.
 *
 * What is in a row, every version reads of every other: fields are only added at the end. What 0.1.1 has no word for is counted
 * and told, and decided towards noise:
 *
 *   - entries of the notification log of which only unanswered requests went out are left out: it tells those again
 *   - notifications that wait with templates in their routes' labels stay: it sends them without these labels
 *
 * The folder as it was is kept in it, as before-downgrade-SECONDS.
 *
 * Errors   ERR_CONFLICT: in use; ERR_UNSUPPORTED: a newer version's; ERR_CORRUPT; ERR_IO. Then the folder is what it was, or
 *          nobody starts in it until it is put back by hand (restore.h).
 */
#ifndef STATE_DOWNGRADE_H
#define STATE_DOWNGRADE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

enum { STATE_VERSION_OLD = 2 }; /* of 0.1.1 */

/* said: lines for people. */
bool state_downgrade(str folder, ts_ns now, struct buf *said, struct err *e) must_check;

#endif
