/* sqlite_db.h - the database file by itself: opening with care, applying commits, writing it anew.
 *
 * Shapes   WAL, synchronous FULL, exclusive locking (no shared memory file): one connection, used by one thread at a
 *          time.
 * Errors   ERR_IO, ERR_UNSUPPORTED. A damaged file is renamed to state.db.damaged-<seconds> and said in notice.
 * Owns     the struct owns its connection and statements.
 * Source   libraries.md 6.
 */
#ifndef STATE_SQLITE_DB_H
#define STATE_SQLITE_DB_H

#include <sys/types.h>
#include "state/backend.h"

struct sqlite3;
struct sqlite3_stmt;

enum { SQLITE_DB_HELD = 16 }; /* rows of one table that are put by one statement */

struct sqlite_db {
    str dir; /* borrowed */
    struct sqlite3 *db;
    struct sqlite3_stmt *put[STATE_TABLES], *del[STATE_TABLES];
    struct sqlite3_stmt *put_held[STATE_TABLES]; /* as many at once */
    struct sqlite_db_held {
        struct state_op v[SQLITE_DB_HELD];
        size_t n;
    } held[STATE_TABLES]; /* puts of this transaction that are still to be made */
    dev_t device;         /* of the file that is open */
    ino_t inode;
    int wal_frames; /* since the last checkpoint */
};

bool sqlite_db_open(struct sqlite_db *d, str dir, struct buf *notice, struct err *e) must_check;
/* may_write: what the write-ahead log has comes into the file; else both stay as they are. */
void sqlite_db_close(struct sqlite_db *d, bool may_write);
/* Rows in key order, from this key on, until row returns false. */
bool sqlite_db_scan(struct sqlite_db *d, enum state_table t, str from,
                    bool (*row)(void *arg, str key, str body), void *arg, struct err *e) must_check;

/* Several commits' rows in one transaction, until whose end the ops stay where they are. */
bool sqlite_db_begin(struct sqlite_db *d, struct err *e) must_check;
bool sqlite_db_apply(struct sqlite_db *d, str ops, struct err *e) must_check;
bool sqlite_db_end(struct sqlite_db *d, struct err *e) must_check;
void sqlite_db_undo(struct sqlite_db *d);
/* Brings what the write-ahead log has into the file, if it is much; is_busy: somebody waits, so only if it is very much.
 * False: it could not be written, and nobody knows what of it was. */
bool sqlite_db_checkpoint(struct sqlite_db *d, bool is_busy, struct err *e) must_check;

/* Replaces the file by one that holds only these rows, without trusting a byte of the old one. */
bool sqlite_db_rebuild(struct sqlite_db *d, str ops, struct err *e) must_check;
/* Whether the file that is open is still the one of the folder. */
bool sqlite_db_is_there(const struct sqlite_db *d, struct err *e) must_check;
/* of the WAL, with what is read of it; 0: not known */
uint64_t sqlite_db_log_size(const struct sqlite_db *d);
uint64_t sqlite_db_size(const struct sqlite_db *d); /* bytes of the file and its WAL */

str sqlite_column(struct sqlite3_stmt *s, int i); /* until the statement goes on */

#endif
