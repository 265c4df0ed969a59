/* info.h - what lies in a storage folder, as JSON: rows and bytes of each table, files, what was set aside.
 *
 * Whatever tables the database has are looked at, so that it tells of every version's.
 *
 * Errors   ERR_IO, ERR_CORRUPT.
 * Cost     reads the whole database.
 */
#ifndef STATE_INFO_H
#define STATE_INFO_H

#include "base/err.h"
#include "base/time.h"
#include "tocsin/json.h"

struct state_span { /* of samples; oldest > newest: there are none */
    ts_ms oldest, newest;
};

/* Members of an object that the caller writes around them. db: a copy to look at instead of the folder's own, which is in use;
 * empty: the folder's own. */
bool state_info(str dir, str db, struct state_span samples, struct json_writer *w,
                struct err *e) must_check;
bool state_is_in_use(str dir);

#endif
