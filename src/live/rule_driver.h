/* rule_driver.h - owns the rule groups, and carries out what the core orders of them: runs (worker, source, worker, until the
 * run is done), inheritances, retirements. What comes of a job goes back to the core as a value (EVENT_RULES_RAN).
 *
 * A group has the generation that holds its state and, from a reload on until that has been inherited, the newest one.
 *
 * Shapes   10,000 rules in 1-10,000 groups.
 * Owns     the driver owns groups, the rows of an earlier life, and the sources of the configuration in force. A worker has a
 *          group to itself while a job of it is under way, else it is the loop's.
 * Cost     a reload: O(groups) on the loop, a job for each that has changed.
 * Source   design.md 2.3, 4 "rules".
 */
#ifndef LIVE_RULE_DRIVER_H
#define LIVE_RULE_DRIVER_H

#include "core/engine.h"
#include "os/pool.h"
#include "net/transport.h"
#include "source/source.h"
#include "config/config.h"

struct rule_driver;
struct shell;
struct tsdb;

/* -- groups of a reload -- */

/* The groups that the next configuration has and the running one has not. Making thousands of rules takes long: a worker
 * does it, while the old ones run. */
struct rules_ahead;
struct rules_ahead *rules_ahead_new(const struct config *running, const struct config *next,
                                    struct tsdb *db);
/* Groups leave the store, whose lock is not for the loop. NULL is fine. */
void rules_ahead_discard(struct pool *pool, struct rules_ahead *a);

/* -- the driver -- */

/* Makes the groups of the first configuration, so that our own store knows what they read before its log is replayed. db:
 * borrowed; NULL: there is no store of our own. */
struct rule_driver *rule_driver_new(struct shell *s, struct pool *pool, struct transport *t,
                                    struct clock *clock, struct tsdb *db, struct config *conf);
void rule_driver_free(struct rule_driver *d); /* the pool must have been drained */
/* The rows of an earlier life, which was last known alive at down_at. Those that are nobody's are deleted by the commit. */
bool rule_driver_restore(struct rule_driver *d, const struct state_reader *from, ts_ns down_at,
                         struct state_commit *c, struct err *e) must_check;
void rule_driver_begin(struct rule_driver *d); /* the first configuration is in force */
/* The next one. ahead is taken; NULL: groups are made here and now. */
void rule_driver_configure(struct rule_driver *d, struct config *conf, struct rules_ahead *ahead);
void rule_driver_order(struct rule_driver *d, const struct effect_rules *order);
/* All rows, to a store that is written anew; of a group with a job under way they come with its end. */
void rule_driver_snapshot(struct rule_driver *d, struct state_commit *c);
bool rule_driver_is_on_time(const struct rule_driver *d, str *why);
/* Asks the source of that name, which stays until it has answered; NULL: there is none. cb comes once, unless it is forgotten,
 * or the driver ends first. The question is the driver's. */
struct rule_question;
struct rule_question *rule_driver_ask(struct rule_driver *d, str source, str query, ts_ns time,
                                      source_cb *cb, void *arg);
/* The same for people, who come last. */
struct rule_question *rule_driver_ask_range(struct rule_driver *d, str source, str query,
                                            const struct source_range *range, source_cb *cb,
                                            void *arg);
void rule_driver_forget(struct rule_question *q); /* cb does not come any more */
size_t rule_driver_sources(const struct rule_driver *d, const struct source *const **out);

#endif
