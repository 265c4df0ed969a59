/* receiver_health.h - which receivers are not told, and who is to know of it.
 *
 * An integration fails when an attempt fails for good, when attempts have failed for longer than the group_interval of its
 * routes, or when it told some of its people and not others. It is well again when it has told all of them, or when nothing
 * of it has failed for an hour and nothing waits for it. A receiver fails while one of its integrations does; then
 * TocsinReceiverFailing fires.
 *
 * That alert goes to every other receiver that the routing tree names, once each, by the first route that names it: the one
 * that it is about may be the only one that its labels lead to. One with more integrations than one is told, too, by those
 * that are well; if it has one, and there is no other receiver, API, metrics, page and heartbeat are left to tell.
 *
 * The clock of whoever answers is compared with ours by the way (TocsinClockSkew).
 *
 * Owns     the texts of a receiver's health; everything is the engine's.
 * Cost     an answer: O(integrations of the receiver), the first failure of a row of them: O(routes).
 */
#ifndef CORE_RECEIVER_HEALTH_H
#define CORE_RECEIVER_HEALTH_H

#include "core/engine.h"

/* An attempt of the row was answered. */
void receiver_answered(struct engine *e, const struct outbox_row *r,
                       const struct delivery_result *d, struct now now, struct effects *fx);
/* Time has passed: half-minutely. */
void receivers_check(struct engine *e, struct now now, struct effects *fx);
/* Nothing ran for so long: nobody was told, and nobody failed. */
void receivers_paused(struct engine *e, dur_ns lost, struct now now, struct effects *fx);
/* Forgets what the configuration in force does not name. */
void receivers_configured(struct engine *e, struct now now, struct effects *fx);
void receiver_stats_release(struct receiver_stats *rs, size_t n_kinds);
void integration_stats_free(struct integration_stats *v, size_t n);

/* Why a receiver fails; empty: it does not. Borrowed. */
str receiver_failing(const struct receiver_stats *rs);
ts_ns receiver_failing_since(const struct receiver_stats *rs); /* wall */

/* Where an alert goes: route_tree_match(), but for the alert about a receiver. out is empty. */
void receiver_routes(const struct core_conf *conf, const struct route_tree *tree, struct labels ls,
                     struct route_list *out);
void receiver_routes_of_set(const struct core_conf *conf, const struct route_tree *tree,
                            const struct label_set *set, struct route_list *out); /* the same */

/* For how long it may fail: the shortest group_interval of its routes; for ever when none names it. */
dur_ns receiver_patience(const struct engine *e, str receiver);

#endif
