/* rule_watch.h - rules that cannot fire, and rules that never stop: TocsinRuleDead, TocsinRuleAlwaysFiring.
 *
 * Each rule is looked at some twenty times in `rules.dead_after`, one after the other. One whose last run had a result needs no
 * question; of the others it is asked whether any of their selectors matches a series: on a worker over our own store, or of
 * the group's source. A rule is dead when that was so once and has not been for `dead_after`. One that has never matched (an error
 * counter before the first error, a pack for what one does not run) is in the report, and no alert. Rules without a selector
 * are meant to fire always; "# tocsin: expect-silent" is for those that may lose what they select.
 *
 * Shapes   10,000 rules: some two questions a second.
 * Units    wall clock; what is known is since the start.
 * Owns     the caller frees it after the pool was settled. Shell and store are borrowed.
 */
#ifndef LIVE_RULE_WATCH_H
#define LIVE_RULE_WATCH_H

#include "live/shell.h"
#include "live/store.h"

struct rule_watch;

struct rule_watch *rule_watch_new(struct shell *s, struct store *store, struct clock *clock,
                                  struct pool *pool);
void rule_watch_stop(struct rule_watch *w); /* asks nothing any more */
void rule_watch_free(struct rule_watch *w); /* NULL is fine */

enum rule_condition {
    RULE_CONDITION_OK,
    RULE_CONDITION_UNKNOWN, /* it has not been asked for */
    RULE_CONDITION_NEVER_MATCHED,
    RULE_CONDITION_EMPTY, /* it matched, and does not now */
    RULE_CONDITION_DEAD,
    RULE_CONDITION_ALWAYS_FIRING,
    RULE_CONDITION_SLOW, /* its group takes longer than its interval */
    RULE_CONDITION_FAILING,
};
const char *rule_condition_text(enum rule_condition c); /* "never_matched" */

struct rule_watch_entry {
    const struct rule_group_view *group; /* borrowed for the call */
    const struct rule_view *rule;
    enum rule_condition condition;
    ts_ns since; /* that it matches nothing, or fires; TS_NONE */
};

/* All rules, in the order of the configuration. */
void rule_watch_each(const struct rule_watch *w,
                     void (*each)(void *arg, const struct rule_watch_entry *e), void *arg);

#endif
