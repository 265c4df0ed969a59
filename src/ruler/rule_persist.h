/* rule_persist.h - a rule group's alerts across a restart and a reload.
 *
 * Each alert is a stored row, written when a run changes it and read at the start. After a reload the new group takes the
 * alerts over from the old one, rule by rule.
 *
 * Shapes   a row's key is 33 bytes: identity of the rule, '/', fingerprint of the alert, in hexadecimal digits.
 * Owns     rows are text in the arena named; restored alerts belong to their rule.
 * Cost     O(1) a restored row; a reload that moves no rule is O(rules + alerts).
 * Source   rules.md 2.3 (reload), 2.6 (restart).
 */
#ifndef RULER_RULE_PERSIST_H
#define RULER_RULE_PERSIST_H

#include "ruler/rule_group.h"

/* Adds what this run changed of the rule's alerts to g->rows. In the run's arena. */
void rule_group_collect_rows(struct rule_group *g, struct rule *r);
/* All of them; key is in a, value is borrowed for the call. */
void rule_group_rows(struct rule_group *g, struct arena *a,
                     void (*row)(void *arg, str key, str value), void *arg);
/* The same of what a view shows, while a worker has the state: of is the group it shows, whose rules are named. What has
 * ended is not in it. */
void rule_view_rows(const struct rule_group_view *v, const struct rule_group *of, struct arena *a,
                    void (*row)(void *arg, str key, str value), void *arg);
/* Whose alert a row is. False: the key is none of ours. */
bool rule_row_identity(str key, uint64_t *identity);
/* A stored row of r, which is one of the group's. The view is left to be made. False: it is malformed. */
bool rule_group_restore(struct rule_group *g, struct rule *r, str value, ts_ns down_at,
                        struct now now);

/* A group's rows of an earlier life, under the names of this version or of an older one. */
struct rule_past_row {
    size_t rule; /* its number in the group */
    str key, value;
};
struct rule_past {
    struct arena arena; /* of text */
    VEC(struct rule_past_row) rows;
    ts_ns down_at;
};

struct rule_past *rule_past_new(ts_ns down_at);
void rule_past_free(struct rule_past *p);                                 /* NULL is fine */
void rule_past_add(struct rule_past *p, size_t rule, str key, str value); /* copied */
/* Takes them over; what is to be written of that is left in g->rows: rows of an older version are renamed. Returns how
 * many could not be read. */
size_t rule_group_take_past(struct rule_group *g, const struct rule_past *p, struct now now);
/* Adds to to->rows that nothing is left of the other's alerts, or of those rows. Were they kept, a rule that comes back after
 * weeks would find its alerts as old as that, and fire at once. */
void rule_group_forget(struct rule_group *to, const struct rule_group *from);
void rule_group_forget_past(struct rule_group *to, const struct rule_past *p);

/* Whether a reload can leave the group running as it is. */
bool rule_group_same(const struct rule_group_conf *a, const struct rule_group_conf *b);
/* After a reload: takes over the alerts of the old group's rules, first to first by name and labels (rules.md 2.3). The old
 * one keeps those of rules that are gone. */
void rule_group_move_state(struct rule_group *to, struct rule_group *from);

#endif
