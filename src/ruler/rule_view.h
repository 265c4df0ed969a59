/* rule_view.h - what the API shows of a rule group: an immutable copy that each run leaves behind.
 *
 * Shapes   as the group: 1-1,000 rules, an alert a label set.
 * Owns     a view is counted, from any thread, and holds all that it points to.
 * Cost     a copy of labels and annotations of every active alert a run.
 * Source   rules.md 5.1.
 */
#ifndef RULER_RULE_VIEW_H
#define RULER_RULE_VIEW_H

#include <stdatomic.h>
#include "ruler/rule_state.h"

struct rule_alert_view {
    struct labels labels, annotations;
    enum rule_alert_state state;
    double value;
    ts_ns active_at, fired_at, keep_firing_since;
};

struct rule_view {
    bool is_alert;
    str name, query;
    dur_ns hold_for, keep_firing_for;
    struct labels labels, annotations;
    enum rule_health health;
    enum rule_alert_state state;
    str last_error;
    ts_ns last_eval;
    dur_ns took;           /* the last evaluation */
    struct rule_cost cost; /* of all */
    size_t samples;        /* that the last evaluation returned */
    const struct rule_alert_view *alerts;
    size_t n_alerts;
};

struct rule_group_view { /* immutable, counted */
    atomic_uint refs;
    struct arena arena;
    str file, name;
    dur_ns interval, took, rules_took;
    int64_t limit;
    ts_ns last_eval;
    uint64_t iterations, missed, evaluations, failures;
    struct rule_view *rules;
    size_t n_rules;
};

struct rule_group_view *rule_group_view_ref(struct rule_group_view *v);
void rule_group_view_unref(struct rule_group_view *v);

#endif
