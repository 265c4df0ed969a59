/* trial.h - notifications that are sent to see what comes back, beside everything that runs: no outbox, no log, no alert knows of
 * them. What is opened elsewhere (an incident, an issue) is closed again.
 *
 *     t = trial_new(&parts, config);
 *     trial_add(t, ...);                   as many as there are
 *     trial_go(t, done, arg);              done(arg, t) comes later, once: answers are in t->answers
 *     trial_free(t);                       at any time; what is under way is cancelled
 *
 * Units    wall clock, and durations.
 * Owns     a trial holds one reference of the configuration; answers live until trial_free().
 */
#ifndef LIVE_TRIAL_H
#define LIVE_TRIAL_H

#include "base/vec.h"
#include "config/config.h"
#include "net/transport.h"
#include "notify/notify.h"
#include "os/pool.h"

struct trial_parts {
    struct transport *transport;
    struct clock *clock;
    struct pool *pool; /* NULL: messages are rendered right here */
    str external_url;
    bool shadow, colour;
};

struct trial_answer {
    str receiver, integration, group_key;
    unsigned index;
    bool is_resolved; /* what it was told */
    bool closes;      /* what the message before had opened */
    enum delivery_verdict verdict;
    int status;
    dur_ns took;
    str error;
};

struct trial {
    struct config *conf;
    struct notify *notify;
    struct clock *clock;
    struct arena arena;
    VEC(struct trial_answer) answers;
    VEC(struct outbox_row *) rows;
    const struct delivery_pair *kept; /* of the row that is being closed, and its key */
    size_t n_kept;
    str kept_key;
    size_t left;
    struct timer ended;
    void (*done)(void *arg, struct trial *t);
    void *arg;
};

struct trial *trial_new(const struct trial_parts *p, struct config *conf);
void trial_free(struct trial *t); /* NULL is fine */
/* What an integration is told: n is copied. */
void trial_add(struct trial *t, const struct integration_conf *ic, const struct notification *n);
void trial_go(struct trial *t, void (*done)(void *arg, struct trial *t), void *arg);

/* Whether a message by it costs money, or rings: it is asked before. */
bool trial_costs(const struct integration_conf *ic);

/* The one alert of a test or drill. What it is called, and what is said of it, begins with what it is. act: ACT_TEST or ACT_DRILL.
 * Text is the arena's. */
struct notified_alert trial_alert(struct arena *a, const struct config *c, enum notify_act act,
                                  struct labels ls, struct labels annotations, ts_ns at);

/* The message of a test: of these labels and annotations, where none are given those of TocsinTest. It borrows *alert. */
struct notification trial_test_message(struct arena *a, const struct config *c, str receiver,
                                       struct labels ls, struct labels annotations,
                                       bool is_resolved, ts_ns at, struct notified_alert *alert);

#endif
