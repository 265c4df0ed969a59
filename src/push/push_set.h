/* push_set.h - the series of a group: read from a push, joined with what was there, written as a sample.
 *
 * The first two are the group's own, push_time_seconds and push_failure_time_seconds; their values are the caller's to
 * set. A series of a push that has the name of one of them is left out.
 *
 * Shapes   up to push_conf.max_series.
 * Errors   ERR_INVALID with the line: text that cannot be read, a sample with a time, a series that stands twice, labels
 *          beyond a limit. ERR_LIMIT: too many series.
 * Owns     a set owns its arena. Read by one thread at a time; what push_set_sample() learns of the store is kept in it.
 * Source   ecosystem.md 5, rules.md 8.2.
 */
#ifndef PUSH_PUSH_SET_H
#define PUSH_PUSH_SET_H

#include "base/arena.h"
#include "codec/exposition_read.h"
#include "push/push_conf.h"
#include "tsdb/tsdb.h"

enum push_own { PUSH_TIME, PUSH_FAILURE_TIME, PUSH_OWN };

struct push_series {
    struct labels labels;
    str family; /* what POST replaces as one */
    double value;
    uint32_t ref; /* as tsdb.h */
};

struct push_set {
    struct arena a;
    VEC(struct push_series) series;
    uint64_t epoch; /* that the refs belong to */
};

/* A set with the group's own series only. key: the labels of the path, empty values too. */
struct push_set *push_set_new(struct labels key);
void push_set_free(struct push_set *s); /* NULL is fine */

/* Adds what was pushed. The labels of the key replace those of the text. */
bool push_set_read(struct push_set *s, const struct push_conf *conf, struct labels key, str body,
                   enum expo_format format, struct err *e) must_check;
/* Takes over from the set before: the refs of equal series, and, when they are to stay, the families that were not
 * pushed again. */
bool push_set_join(struct push_set *s, const struct push_set *before, bool keeps,
                   const struct push_conf *conf, struct err *e) must_check;

/* One sample of every series, at a time taken from that clock. refused: how many the store did not take, why: of the last of them. */
bool push_set_sample(struct push_set *s, struct tsdb *db, struct tsdb_stream *stream, ts_ms t,
                     struct now at, size_t *refused, enum tsdb_refusal *why,
                     struct err *e) must_check;

#endif
