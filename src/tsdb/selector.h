/* selector.h - registered matchers, and the series that each of them selects.
 *
 * A selector's list is made once, from the index; then series are added as they come and taken out as they go. A new
 * series is tried against the selectors that name its metric and those that name none. A regex is asked once a value.
 *
 * Shapes   thousands of selectors, most of them with a metric name; equal ones are one.
 * Owns     selectors hold references to the symbols they compare with.
 * Cost     a new series: O(selectors of its metric). The list: O(1).
 */
#ifndef TSDB_SELECTOR_H
#define TSDB_SELECTOR_H

#include "tsdb/series.h"
#include "tsdb/symbols.h"
#include "tsdb/tsdb.h"

MAP_DECLARE(memo_map, uint64_t, bool);

struct selector_matcher {
    enum match_op op;
    uint32_t name, value; /* symbols; value for = and != */
    bool matches_absent;
    struct regex *re;
    struct memo_map *memo; /* by value's symbol: does the regex match? NULL until it is asked */
};

struct storage_selector {
    uint32_t refs, n;
    int64_t reach_ms; /* 0: does not keep what it selects */
    uint32_t metric;  /* what __name__ must equal; SYMBOL_NONE: anything */
    bool has_dead;    /* among ids */
    uint64_t epoch;
    VEC(uint32_t) ids;
    struct selector_matcher m[]; /* n */
};

struct selector_list {
    VEC(struct storage_selector *) v;
};

/* Equal ones have the same matchers, in any order. The value says nothing. */
MAP_DECLARE(selector_set, struct storage_selector *, bool);
MAP_DECLARE(metric_map, uint64_t, struct selector_list);

struct selectors {
    struct selector_set all;
    struct metric_map by_metric;
    struct selector_list any;
    struct selector_list found; /* scratch of selectors_match() */
    uint32_t name;              /* symbol of __name__ */
    uint64_t epoch;
};

void selectors_init(struct tsdb *db);
void selectors_release(struct tsdb *db);
struct storage_selector *selectors_add(struct tsdb *db, const struct matchers *ms,
                                       int64_t reach_ms);
void selectors_remove(struct tsdb *db, struct storage_selector *s);

/* Which selectors match these labels: left in found, their widest reach returned (0: none keeps them). */
int64_t selectors_match(struct tsdb *db, const struct series_label *v, uint32_t n);
/* The series, whose labels were the last given to selectors_match(), has come. */
void selectors_admit(struct tsdb *db, uint32_t id);
int64_t selectors_longest(const struct tsdb *db);

#endif
