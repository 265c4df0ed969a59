/* reload.h - the configuration read again while everything runs.
 *
 * Files are read and checked, and new rule groups are made, on a worker. Only what comes of it is put in force on the
 * loop. Who asks while that goes on waits for the next reading: it may find what this one has not seen. The answer waits
 * until what is shown is the new one everywhere: a group that changed inherits on a worker, behind the run that is under
 * way, and a source that does not answer is waited for a moment only.
 *
 * Shapes   10,000 rules load in half a second.
 * Owns     configuration and groups are the reloader's until finish() takes them.
 */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include "api/api.h"
#include "config/config.h"
#include "live/rule_driver.h"
#include "live/slices.h"
#include "os/clock.h"
#include "os/pool.h"

struct reloader;

/* What was read: config is NULL when d got an error. */
struct reload_result {
    struct reload_wish wish;
    struct config *config;
    struct rules_ahead *ahead;
    struct file_set *set; /* what was read */
    struct diags d;
};

struct reloader_parts {
    struct pool *pool;
    struct tsdb *db;
    struct config *(*running)(void *arg); /* borrowed */
    /* On a worker. set: NULL, or what was read, the reloader's. */
    struct config *(*load)(void *arg, struct reload_wish wish, struct file_set **set,
                           struct diags *d);
    /* Puts it in force and takes config, ahead and set, setting them to NULL; or refuses and leaves both. text is for who
     * asked. */
    bool (*finish)(void *arg, struct reload_result *r, struct buf *text);
    /* configure_prepare() */
    bool (*prepare)(void *arg, const struct config *next);
    /* What is shown is still partly that of before. */
    bool (*settles)(void *arg);
    struct slices *slices;
    struct clock *clock;
    void *arg;
};

struct reloader *reloader_new(const struct reloader_parts *parts);
/* done may be NULL; it is called once, from the loop, later. */
void reloader_ask(struct reloader *r, struct reload_wish wish,
                  void (*done)(void *arg, bool ok, str text), void *arg);
/* Who waits is told that nothing comes any more. Then the pool is drained, then the reloader freed. */
void reloader_stop(struct reloader *r);
void reloader_free(struct reloader *r); /* NULL is fine */

#endif
