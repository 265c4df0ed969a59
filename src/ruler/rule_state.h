/* rule_state.h - one evaluation of a rule as a pure step: from samples to the alerts of the rule.
 *
 * Shapes   an alert a label set; typically 0-10 a rule, up to 100,000.
 * Units    slots (wall) are what everything is measured by; held_mono is the same span on the monotonic clock, and
 *          `for` counts the smaller of both, so that a step of the wall clock fires nothing.
 * Errors   a failed evaluation leaves all alerts as they were.
 * Owns     a rule_set of alerts belongs to its rule; label sets to the group's interner.
 * Source   rules.md 2.2 (the step), 2.4 (sending), 2.6 (restoring).
 */
#ifndef RULER_RULE_STATE_H
#define RULER_RULE_STATE_H

#include "base/err.h"
#include "base/map.h"
#include "base/vec.h"
#include "model/alert.h"
#include "model/rules_ran.h"
#include "model/sample.h"
#include "ruler/rule_conf.h"
#include "ruler/rule_template.h"

#define RULE_RESOLVED_RETENTION (15 * NS_PER_M)
#define RULE_RESEND_DELAY       NS_PER_M
#define RULE_OUTAGE_TOLERANCE   NS_PER_H
#define RULE_GRACE_PERIOD       (10 * NS_PER_M)

struct rule_alert {
    struct label_set *labels, *annotations;
    enum rule_alert_state state;
    double value, end; /* end: what rule_resolve() found, when has_end */
    /* TS_NONE = not */
    ts_ns active_at, fired_at, resolved_at, last_sent_at, valid_until, keep_firing_since;
    ts_ns active_mono;
    bool seen; /* in the current result */
    bool has_end;
    /* from disk after a longer outage: active_at is to be moved when the alert is seen again */
    bool restored;
    bool news;    /* fired or resolved, and not sent since */
    bool changed; /* since it was last written */
};

/* A step of an alert's life, for the log. */
struct rule_change {
    struct label_set *labels; /* one reference */
    enum rule_alert_state state;
    bool forgotten; /* it was pending, and the expression returned nothing */
    double value;
};

/* What the last answer to a rule said beside its samples, and a hash of that but for its numbers. */
struct rule_answer_said {
    struct rule_notes notes;
    struct arena arena;
    uint64_t hash;
};

struct rule {
    const struct rule_conf *conf;
    uint64_t identity;               /* of (file, group, kind, name, labels): keys what is stored */
    struct u64_map alerts;           /* fingerprint -> struct rule_alert * */
    VEC(struct rule_change) changes; /* of the last evaluation */
    VEC(uint64_t) gone;              /* fingerprints of stored alerts that are forgotten */
    enum rule_health health;
    bool notes_news;               /* the last answer said something else than the one before */
    char *last_error;              /* NULL: none */
    struct rule_answer_said *said; /* NULL: nothing */
    ts_ns last_eval;               /* slot */
    dur_ns took;
    struct rule_cost cost;
    size_t samples;    /* that the last evaluation returned */
    unsigned failures; /* in a row */
};

struct rule_context {
    struct interner *names;
    struct arena *arena; /* of the run */
    ts_ns slot;
    struct now now;
    dur_ns interval;
    int64_t limit;
    struct labels external_labels; /* of templates, with external_url */
    str external_url;
    struct rule_templates *templates;
    struct rule_queries *queries; /* NULL: templates have no queries */
    bool is_partial; /* what the result does not have may be in the part that is missing */
    ts_ns down_at;   /* wall: when the process before this one was last known alive; TS_NONE */
};

/* What an alerting rule's samples become: labels and annotations with their templates expanded. */
struct rule_instance {
    const struct sample *sample;
    struct labels labels, annotations;
    bool is_complete; /* no template of it waits for a query */
};

struct rule_result {
    struct rule_instance *v;
    size_t n;
};

/* In the arena of the context; borrows the samples. */
struct rule_result rule_result_of(const struct rule_context *c, struct samples samples);
/* Expands what is not complete. False: c->queries are to be answered, then this is called again. */
bool rule_expand(const struct rule *r, struct rule_context *c, struct rule_result *result);

/* An alerting rule's evaluation gave this result, complete. False: duplicate label sets or the limit. */
bool rule_step(struct rule *r, struct rule_context *c, struct rule_result result,
               struct err *e) must_check;

/* Appends what is due to be sent, marks it sent. Text is borrowed from the alerts; the generator URL is left out. */
struct alert_input_list {
    struct alert_input *v;
    size_t n, cap;
};
void rule_collect_due(struct rule *r, struct rule_context *c, struct alert_input_list *out);

/* The wall clock was set back, by < 0: what happened later than now happened while it was ahead, and moves along. So `for`
 * and keep_firing_for do not wait until the time comes again. */
void rule_set_back(struct rule *r, ts_ns now, dur_ns by);
void rule_clear_changes(struct rule *r);
/* Takes over what an answer said. slot: held_since, when this is the first in a row that holds. */
void rule_take_notes(struct rule *r, const struct rule_notes *n, ts_ns slot);
const struct rule_notes *rule_notes_of(const struct rule *r);
struct rule_notes rule_notes_copy(struct arena *a, const struct rule_notes *n);
void rule_note_error(struct rule *r, const char *text); /* copied; NULL: there is none */
void rule_release_alerts(struct rule *r);
enum rule_alert_state rule_worst_state(const struct rule *r);

void rule_alert_pack(struct buf *out, const struct rule_alert *a);
/* The same of one that has these labels and no sets. */
void rule_alert_pack_as(struct buf *out, struct labels labels, struct labels annotations,
                        const struct rule_alert *a);
struct rule_alert *rule_alert_unpack(str bytes, struct interner *names,
                                     struct arena *scratch); /* NULL: malformed */
void rule_alert_free(struct rule_alert *a);

/* Takes an alert from disk in, by how long we were down (design.md 4 "rule state"); takes ownership. `down_at` is the
 * last note of life: the process may have lived RULE_ALIVE_INTERVAL longer, so the two intervals begin only then. */
void rule_restore(struct rule *r, struct rule_alert *a, ts_ns down_at, struct now now,
                  dur_ns interval);

#endif
