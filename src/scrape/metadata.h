/* metadata.h - what targets say of their metrics: types, helps, units.
 *
 * Every scrape of a target mostly says what the one before said, and all targets of a job mostly say the same. So a worker
 * compares line by line with what is known and copies nothing as long as it is the same, and what differs is shared by
 * all targets that say it.
 *
 * Shapes   records, one a line of HELP, TYPE or UNIT; what is beyond METADATA_MAX is left out.
 * Owns     counted references, on the loop. The records of what is referred to may be read anywhere.
 * Source   rules.md 5.1; Prometheus' scrape cache: the last line about a metric holds.
 */
#ifndef SCRAPE_METADATA_H
#define SCRAPE_METADATA_H

#include "base/map.h"
#include "codec/exposition_read.h"

enum { METADATA_MAX = 1 << 20 };

/* -- one scrape, on a worker -- */

struct metadata_seen {
    str known; /* borrowed, of the scrapes before */
    size_t at; /* in known: all before it has been said again */
    bool differs;
    struct buf records; /* when it differs */
};

void metadata_begin(struct metadata_seen *m, str known);
void metadata_see(struct metadata_seen *m, const struct expo_item *x, enum expo_format format);
void metadata_end(struct metadata_seen *m); /* records are all of them, if differs */
void metadata_release(struct metadata_seen *m);

/* -- shared -- */

struct metadata {
    size_t users;
    struct u64_map *pool; /* by hash; NULL: it is gone */
    uint64_t hash;
    size_t n;
    char records[];
};

struct metadata *metadata_share(struct u64_map *pool, str records); /* a reference */
struct metadata *metadata_ref(struct metadata *m);
void metadata_unref(struct metadata *m);          /* NULL is fine */
void metadata_pool_release(struct u64_map *pool); /* who still has references keeps them */

struct metadata_item {
    str metric, type, help, unit;
};

/* All metrics of the records, in the order of their first line. */
const struct metadata_item *metadata_items(str records, struct arena *a, size_t *n);

#endif
