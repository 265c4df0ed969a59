/* discovery.h - the targets of a job, kept up to date.
 *
 * Each entry of the job's *_sd_configs is looked up by itself: files when they change, URLs and names at their
 * interval. What fails leaves the last list in place: of a file that list alone, else the entry's. A file that is named
 * without a pattern is missed when it goes, and so are all of an entry at once; one of several that a pattern matched
 * may go. Files are read and names looked up on a worker.
 *
 * Shapes   up to some dozen entries.
 * Owns     the lists live until the next change. Configuration and parts are borrowed; discovery_free() may be called
 *          while a worker is busy.
 * Source   rules.md 8.8.
 */
#ifndef DISCOVERY_DISCOVERY_H
#define DISCOVERY_DISCOVERY_H

#include "discovery/discovery_conf.h"
#include "discovery/target_list.h"
#include "os/clock.h"
#include "os/pool.h"
#include "net/transport.h"

struct discovery;

struct discovery_parts {
    struct clock *clock;
    struct pool *pool;
    struct transport *transport;
    void (*changed)(void *arg); /* never from inside discovery_new() */
    void *arg;
};

struct discovery *discovery_new(const struct discovery_conf *conf,
                                const struct discovery_parts *parts);
void discovery_free(struct discovery *d); /* NULL is fine */

/* Whether every entry has been found once, or has failed. */
bool discovery_is_settled(const struct discovery *d);
/* Whether every entry's list is what was found, not what is missing because it never was. */
bool discovery_is_complete(const struct discovery *d);
/* Calls each() for the labels of every target. */
void discovery_each(const struct discovery *d, void (*each)(void *arg, struct labels ls),
                    void *arg);

/* How an entry's last look went; entries that are written down are no lists. */
struct discovery_status {
    const char *kind;
    str subject;      /* the first of its patterns, or names, or the URL */
    str last_error;   /* empty: what was found is what there is */
    ts_ns last_found; /* wall, the last look that brought all of it; TS_NONE: none has */
    size_t targets;
    uint64_t failures;
};
void discovery_each_list(const struct discovery *d,
                         void (*each)(void *arg, const struct discovery_status *s), void *arg);

#endif
