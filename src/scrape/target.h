/* target.h - from discovered labels to a target: what it is called, and how it is asked.
 *
 * Owns     what is made lives in the arena given.
 * Errors   ERR_INVALID: no address, a slash in it, an interval or timeout that cannot be.
 * Source   rules.md 8.1, 8.6.
 */
#ifndef SCRAPE_TARGET_H
#define SCRAPE_TARGET_H

#include "codec/exposition.h"
#include "scrape/scrape_conf.h"
#include "tocsin/http.h"

struct target_plan {
    struct labels discovered; /* before relabeling */
    struct labels labels;     /* of its samples */
    str url;
    dur_ns interval, timeout;
    uint64_t key; /* the same for the same job, labels and URL, also after a restart */
};

/* False without an error: relabeling drops it; discovered is set. */
bool target_plan(const struct scrape_conf *conf, struct labels found, struct arena *a,
                 struct target_plan *out, struct err *e) must_check;

/* The Accept header of a job's requests. */
str target_accept(const struct scrape_conf *conf, struct arena *a);
/* How an answer is to be read. */
bool target_format(const struct scrape_conf *conf, str content_type, enum expo_format *out,
                   struct err *e) must_check;

#endif
