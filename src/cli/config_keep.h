/* config_keep.h - the files that were accepted last, in a folder of their own, for a start when those on the disk are refused.
 *
 * Shapes   DIR/last-good, a packed set of files (os/file_set.h), replaced as a whole; mode 0600, for it may hold secrets.
 * Errors   are logged: keeping is a help, and never in the way of what runs.
 * Cost     a copy on the loop, the writing on a worker.
 */
#ifndef CLI_CONFIG_KEEP_H
#define CLI_CONFIG_KEEP_H

#include "os/file_set.h"
#include "os/pool.h"

struct config_keep {
    const char *dir; /* empty: nothing is kept */
    struct pool *pool;
    struct job job;
    struct buf writing, next; /* next: came meanwhile */
    bool is_busy;
    struct err why; /* of what is being written */
    bool failed;
};

void config_keep_init(struct config_keep *k, const char *dir, struct pool *pool);
void config_keep_put(struct config_keep *k, const struct file_set *set);
void config_keep_release(struct config_keep *k); /* the pool has been settled */
/* NULL: there is none; of a damaged one it has said why */
struct file_set *config_keep_read(const char *dir);

#endif
