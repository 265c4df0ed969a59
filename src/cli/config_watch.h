/* config_watch.h - the configuration's files looked at again and again, and told of when they have changed.
 *
 * What has changed since the last loading is loaded when two looks in a row see the same: a file that is half written, or a
 * folder of which some links are swapped, is not. Contents count, not times: a swap of links is seen, a touch is none. What was
 * refused is not tried again until it changes.
 *
 * Cost     a look reads all files, on a worker.
 * Owns     configurations are borrowed for a look by a reference.
 */
#ifndef CLI_CONFIG_WATCH_H
#define CLI_CONFIG_WATCH_H

#include "cli/command.h"
#include "config/config.h"
#include "os/clock.h"
#include "os/pool.h"

struct config_watch;

struct config_watch_parts {
    struct clock *clock;
    struct pool *pool;
    dur_ns interval;
    struct flag_list files;
    struct config *(*running)(void *arg); /* a reference, given away */
    void (*changed)(void *arg);
    void *arg;
};

struct config_watch *config_watch_new(const struct config_watch_parts *parts);
/* What runs was read with this sum. NULL watch: nothing happens, here and below. */
void config_watch_loaded(struct config_watch *w, uint64_t sum);
void config_watch_stop(struct config_watch *w);
void config_watch_free(struct config_watch *w); /* the pool has been settled */

#endif
