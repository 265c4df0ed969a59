/* rule_group.h - a rule group's run: rule after rule, from the slot to what follows.
 *
 * rule_group_advance() runs on a worker that owns the group until it returns DONE, or WANT with a query that the loop
 * asks the group's source; the next call takes the answer. A query is a rule's expression, or one that the templates of
 * its labels and annotations make (rule_query.h). Between jobs the rule driver owns it, on the loop. What a job leaves is a
 * value for the core (rules_ran.h), and an immutable view that the API reads.
 *
 *     rule_group_begin(g, slot, now)                             the loop; clears what the last run left
 *     rule_group_advance(g, NULL, clock, &want)                  a worker
 *     rule_group_advance(g, &answer, clock, &want)               again while it says WANT: what the source said to want
 *     rule_group_ran(g, &ran)                                    DONE; the loop: the value for the core
 *
 * Slots are absolute: offset + k x interval since 1970, where the offset is a hash of path and name.
 *
 * Shapes   1-1,000 rules a group.
 * Units    slots are wall clock; the query time is the slot less the group's query_offset, of templates the slot.
 * Owns     a group owns its rules, alerts and interner; the configuration is held by reference. What a run leaves in
 *          `send` and `rows` lives until the next run begins.
 * Errors   per rule: health, last_error; a failed rule leaves its alerts alone.
 * Source   rules.md 2.1-2.7, 2.9.
 */
#ifndef RULER_RULE_GROUP_H
#define RULER_RULE_GROUP_H

#include "ruler/own.h"
#include "model/rules_ran.h"
#include "ruler/rule_state.h"
#include "source/answer.h"

/* The time between rules: what each took is measured inside a run. Monotonic, from any thread. */
struct rule_clock {
    ts_ns (*mono)(void *arg);
    void *arg;
};

struct rule_group {
    const struct rule_group_conf *conf;
    struct interner *names;
    struct own *own; /* NULL: there is no store, recording rules record nothing */
    struct rule *rules;
    size_t n_rules;
    ts_ns down_at; /* for restored alerts; TS_NONE */
    str link_base; /* external URL of the source, for generator links; owned */
    str own_base;  /* the same of this program, for what is evaluated here; owned */

    struct labels external_labels; /* for templates; of the configuration that holds conf */
    struct rule_templates *templates;

    /* the run */
    struct arena arena;
    ts_ns slot;
    struct now now;
    size_t at; /* the rule that is being evaluated */
    bool asked;
    bool is_expanding; /* what is asked is a query of the rule's templates */
    struct samples
        *parts; /* of a rule that is taken apart: answers, n_parts of them; the arena's */
    size_t n_parts;
    struct rule_result result;
    struct answer_notes said; /* of the answers to the rule */
    bool has_said;            /* the answer to its expression has come */
    struct rule_queries queries;
    ts_ns rule_since; /* mono, for durations */
    struct rule_clock clock;
    struct alert_input_list send;
    VEC(struct rule_row) rows;
    size_t failed, outages, evaluated; /* rules of this run */
    dur_ns rules_took;                 /* of this run, rule by rule */

    /* what the last run left */
    uint64_t iterations, evaluations, failures;
    ts_ns last_slot;
    dur_ns took;
    struct rule_group_view *view; /* one reference */
};

struct rule_want {
    str query;
    ts_ns time;
};

enum rule_group_step { RULE_GROUP_DONE, RULE_GROUP_WANT };

/* conf must outlive the group: its owner holds the configuration. db: borrowed; NULL is fine. */
struct rule_group *rule_group_new(const struct rule_group_conf *conf, str link_base,
                                  struct tsdb *db);
/* It will not run again; others may go on with what it recorded, before it is freed on a worker. */
void rule_group_leave(struct rule_group *g);
void rule_group_free(struct rule_group *g);

uint64_t rule_group_id(const struct rule_group_conf *g);    /* of path and name */
uint64_t rule_group_place(const struct rule_group_conf *g); /* of its slots: ts_slot_after() */
/* What a rule was known by in version 0.1.0, which went by the path as given: the ways it may have been. */
enum { RULE_OLD_IDENTITIES = 2 };
void rule_old_identities(const struct rule_group_conf *g, const struct rule_conf *r,
                         uint64_t out[static RULE_OLD_IDENTITIES]);

/* What links and templates of rules over our own store point to. Between runs; copied. */
void rule_group_set_own_base(struct rule_group *g, str url);

/* Forgets what the last job left. */
void rule_group_clear(struct rule_group *g);
/* Begins a run at a slot. */
void rule_group_begin(struct rule_group *g, ts_ns slot, struct now now);
/* answer: to the last WANT; NULL at the first call. */
enum rule_group_step rule_group_advance(struct rule_group *g, const struct source_answer *answer,
                                        struct rule_clock clock, struct rule_want *want);

/* What a job left, in the run's arena; ticket and job are the caller's. */
void rule_group_ran(struct rule_group *g, struct rules_ran *out);
/* Leaves g->view anew: a run's end does; inherited state shows before the first run. */
void rule_group_make_view(struct rule_group *g);
/* The same after a change of state alone: a view that nobody else holds is brought up to date in place. */
void rule_group_update_view(struct rule_group *g);

#endif
