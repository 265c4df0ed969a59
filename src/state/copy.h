/* copy.h - everything that lasts as of one commit, while the writer goes on.
 *
 * The writer copies the database a few pages at a time between commits; SQLite brings pages that a commit changes meanwhile into
 * the copy, too. When the last page is there, the copy is the database as of that commit; at once, before the next commit, what
 * else lies in the folder is held (files.h). That is the instant.
 *
 * The copy lies in the storage folder as state.db.copy until it is released: nowhere else may a running server write.
 *
 * Errors   a store that is degraded has no copy: the reason is its.
 * Owns     whoever asks owns the struct; between the call of the backend and done() it is the writer's.
 * Cost     a step: half a MiB read and written, about a millisecond; at the end a system call or three a file.
 */
#ifndef STATE_COPY_H
#define STATE_COPY_H

#include <stdatomic.h>
#include "state/files.h"

struct sqlite3;
struct sqlite3_backup;

struct state_copy {
    void (*done)(struct state_copy *c); /* on the loop, once */
    const atomic_bool *gone;            /* set: nobody wants it any more; NULL: never */
    bool ok;
    struct err why;
    struct state_files files; /* when ok; state.db among them */
    char path[STATE_PATH];    /* of the copy; empty: there is none */

    struct sqlite3 *to;
    struct sqlite3_backup *backup;
};

/* On the writer's thread. True: it is over, well or not. alerts: bytes of the alert log that count. */
bool state_copy_step(struct state_copy *c, struct sqlite3 *from, str dir, uint64_t alerts);
void state_copy_fail(struct state_copy *c, const struct err *why); /* before from is closed */

void state_copy_release(struct state_copy *c); /* files, and the copy itself */
void state_copy_forget(str dir);               /* what a crash has left */

#endif
