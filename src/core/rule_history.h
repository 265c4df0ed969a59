/* rule_history.h - the last state changes of every alert of our rules, with values: when did it go pending, fire, end?
 *
 * In memory only. When there are too many changes, the alert that has not changed for the longest is forgotten with all
 * of its own.
 *
 * Shapes   100 changes an alert, 200,000 in all: about 8 MB, and the labels.
 * Units    at is the slot of the evaluation.
 * Owns     the history owns what it holds; label sets belong to the interner given.
 * Cost     a change: a hash look-up.
 * Source   rules.md 12 "what an alert did".
 */
#ifndef CORE_RULE_HISTORY_H
#define CORE_RULE_HISTORY_H

#include "base/map.h"
#include "base/vec.h"
#include "model/rules_ran.h"

enum { RULE_HISTORY_OF_ALERT = 100, RULE_HISTORY_MAX = 200000 };

struct rule_event {
    ts_ns at;
    double value;
    enum rule_alert_state state;
};

struct alert_history {
    struct label_set *labels;
    struct shared_text *file, *group;
    VEC(struct rule_event) events; /* oldest first */
};

struct rule_history {
    struct interner *names; /* borrowed */
    struct u64_map alerts;  /* -> struct alert_history *, longest unchanged first */
    size_t n;               /* events */
    size_t max;             /* of them */
};

void rule_history_init(struct rule_history *h, struct interner *names);
void rule_history_release(struct rule_history *h);
/* What changed in a group's run. */
void rule_history_note(struct rule_history *h, const struct rules_ran *ran);

#endif
