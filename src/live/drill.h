/* drill.h - the whole way of a rule's alert, tried: rule, alert, route, group, every receiver. Nothing is the matter, and
 * everything that is sent says so; nothing of what runs is touched.
 *
 * The alert is one that the rule has now, pending or firing; of a rule that is quiet it is made up: of the rule's labels and
 * annotations, of the labels that its selectors ask for, of those given. It takes the way of its own labels; only what is sent
 * is marked, under a group key of its own, so that no incident of the real alert is found, or closed.
 *
 * Owns     text is the arena's, or borrowed from the configuration and the engine: use it before the next step.
 * Errors   ERR_NOT_FOUND: no such rule, with the nearest name.
 */
#ifndef LIVE_DRILL_H
#define LIVE_DRILL_H

#include "core/explain.h"
#include "live/trial.h"

struct drill_way {
    str receiver, group_key;
    str held; /* what would keep the real one back right now; empty: nothing */
    const struct receiver_conf *conf;
    struct labels group_labels, route_templates;
};

struct drill {
    const struct rule_group_conf *group;
    const struct rule_conf *rule;
    bool is_made_up; /* the rule has no alert now */
    bool is_dropped; /* by alert_relabel_configs: it goes nowhere */
    str rule_error;  /* of its last evaluation; empty: none, or it was not evaluated */
    struct labels labels, annotations;
    struct drill_way *ways;
    size_t n;
};

bool drill_plan(const struct engine *e, str alertname, struct labels given, struct now now,
                struct arena *a, struct drill *out, struct err *err) must_check;
void drill_add(const struct drill *d, struct trial *t, ts_ns at);

#endif
