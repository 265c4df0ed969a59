/* own.h - a rule group and our own store: expressions evaluated here, and what rules record.
 *
 * Every rule's output is a stream of its own, so that a rule may read at a slot what a rule before it has just written
 * for the same slot. What no later rule of the group reads is written when the group's turn ends, and the rules in
 * between share what they compute.
 *
 * Shapes   1-1,000 rules a group.
 * Units    query times in ts_ms: the slot less the group's query_offset.
 * Errors   own_query() as promql/engine.h. Samples that are refused are counted; a commit that fails is its rule's
 *          (own_is_written()).
 * Owns     the plan, the parsed expressions and the streams. The store is borrowed. One thread at a time: the worker that
 *          owns the group, or the loop between runs.
 * Source   rules.md 2.1, 2.5, 2.7, 2.8 (who depends on whom).
 */
#ifndef RULER_OWN_H
#define RULER_OWN_H

#include "model/sample.h"
#include "promql/engine.h"
#include "ruler/rule_conf.h"
#include "tsdb/tsdb.h"

struct own;

/* Rules that do not parse here (another dialect) cannot be asked, but may record. */
struct own *own_new(struct tsdb *db, const struct rule_group_conf *g, const uint64_t *identities);
/* Other rules may go on with its series from now on. Does not wait for the store, as own_free() does. */
void own_leave(struct own *o);
void own_free(struct own *o, ts_ms now); /* NULL is fine. Streams that are left end at now */
/* After a reload: to goes on with the streams of rules that have the same identity. */
void own_move_streams(struct own *to, struct own *from);

/* A run begins, and what it asks for and records is by this clock, wherever the store has moved its samples since. */
void own_begin(struct own *o, struct now now);
/* The value of rule number i's expression. The result lives in the arena. */
bool own_query(struct own *o, size_t i, ts_ms t, struct arena *a, struct promql_result *out,
               struct err *e) must_check;
/* The same of one that is taken apart (rule_split.h); answers: of the source, to its parts. */
bool own_query_split(struct own *o, size_t i, const struct samples *answers, ts_ms t,
                     struct arena *a, struct promql_result *out, struct err *e) must_check;
/* Of any expression: what templates ask. */
bool own_ask(struct own *o, str text, ts_ms t, struct arena *a, struct promql_result *out,
             struct err *e) must_check;
/* A vector, or a scalar as one sample without labels; anything else is an error. */
bool own_samples(const struct promql_result *r, struct arena *a, struct samples *out,
                 struct err *e) must_check;

/* Rule number i's output at t: begin, samples, end. It is visible to later rules of this run. h: NULL for a float. */
void own_record_begin(struct own *o, size_t i, ts_ms t);
void own_record(struct own *o, struct labels ls, double v, const struct histogram *h);
void own_record_end(struct own *o);
/* Whether the store took all of rule number i's last output, once it was written. */
bool own_is_written(const struct own *o, size_t i, struct err *e) must_check;
/* Gives the store free for others, and everything recorded to it: before a run waits, and at its end. */
void own_pause(struct own *o);

/* Whether all selectors of the expression name series that rules record (or ALERTS), some do, none, or there is no selector. recorded: the
 * names of all recording rules, sorted. */
enum own_share { OWN_NOTHING, OWN_NONE, OWN_SOME, OWN_ALL };
enum own_share own_share(const struct promql_expr *x, const str *recorded, size_t n);

#endif
