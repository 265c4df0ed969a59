/* rule_view.h - what the API shows of a rule group: an immutable copy that each run leaves behind.
 *
 * Shapes   as the group: 1-1,000 rules, an alert a label set.
 * Owns     a view is counted, from any thread, and holds all that it points to.
 * Cost     a copy of labels and annotations of every active alert a run.
 * Source   rules.md 5.1.
 */
#ifndef MODEL_RULE_VIEW_H
#define MODEL_RULE_VIEW_H

#include <stdatomic.h>
#include "base/arena.h"
#include "base/time.h"
#include "model/labels.h"

enum rule_alert_state { RULE_ALERT_INACTIVE, RULE_ALERT_PENDING, RULE_ALERT_FIRING };
enum rule_health { RULE_UNKNOWN, RULE_OK, RULE_ERR };

const char *rule_alert_state_text(enum rule_alert_state state); /* "pending" */
const char *rule_health_text(enum rule_health health);          /* "ok" */

struct rule_cost { /* since the start */
    uint64_t evaluations, failures;
    dur_ns took;
};

/* What the last answer to a rule said beside its samples. */
struct rule_notes {
    const str *warnings, *infos;
    size_t n_warnings, n_infos;
    str held;         /* why the rule's alerts hold their state; empty: the answer was whole */
    ts_ns held_since; /* slot of the first such answer in a row */
};

static inline bool rule_notes_any(const struct rule_notes *n)
{
    return n->n_warnings != 0 || n->n_infos != 0 || n->held.n != 0;
}

extern const struct rule_notes rule_no_notes;

struct rule_alert_view {
    struct labels labels, annotations;
    enum rule_alert_state state;
    double value;
    ts_ns active_at, fired_at, keep_firing_since;
};

/* Text that a configuration's rules and their views share. Counted, from any thread. */
struct rule_texts {
    atomic_uint refs;
    struct arena arena;
};

struct rule_view {
    bool is_alert, is_trial; /* of the second nobody is told */
    str name, query;
    dur_ns hold_for, keep_firing_for;
    struct labels labels, annotations;
    enum rule_health health;
    enum rule_alert_state state;
    str last_error;
    const struct rule_notes *notes; /* never NULL */
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
    struct rule_texts *texts; /* a reference; NULL: all text is the arena's */
    str file, name;
    dur_ns interval, took, rules_took;
    int64_t limit;
    ts_ns last_eval;
    uint64_t iterations, evaluations, failures;
    struct rule_view *rules;
    size_t n_rules;
};

struct rule_group_view *rule_group_view_ref(struct rule_group_view *v);
void rule_group_view_unref(struct rule_group_view *v);

struct rule_texts *rule_texts_new(void);                 /* one reference */
struct rule_texts *rule_texts_ref(struct rule_texts *t); /* NULL is fine */
void rule_texts_unref(struct rule_texts *t);             /* NULL is fine */

#endif
