/* Rules are found by their group's place in the configuration and their own in the group: what is known of one is kept by file, group,
 * name and expression. */
#include "live/rule_watch.h"

#include <stdatomic.h>
#include <stdio.h>
#include "base/hash.h"
#include "live/rule_driver.h"
#include "ruler/rule_group.h"
#include "source/answer.h"

enum { LOOKS = 20, QUERY_MAX = 64 << 10, SUBJECT_MAX = 200 };
#define LOOK_MIN (10 * NS_PER_MS)
#define LOOK_MAX (10 * NS_PER_S)

/* What is known of a rule. */
struct rule_seen {
    uint64_t id;
    bool is_asked, has_matched, matches;
    ts_ns first, matched_at, firing_since; /* TS_NONE: not */
    bool is_dead, is_always;               /* raised */
    str subject;                           /* of its alerts; owned */
    unsigned round;                        /* in which it was there last */
};

struct rule_watch {
    struct shell *shell;
    struct store *store;
    struct clock *clock;
    struct pool *pool;
    struct timer timer;
    struct u64_map rules; /* -> struct rule_seen * */
    size_t group, rule;   /* that is looked at next */
    unsigned round;
    atomic_bool is_stopped; /* workers look at it */

    /* a question under way, about one */
    uint64_t about;
    struct config *conf; /* a reference: holds the rule; NULL: none is under way */
    const struct rule_conf *asked;
    struct rule_question *question;
    struct job job;
    struct arena arena;
    str query;
    ts_ns asked_at;         /* wall */
    bool is_known, matches; /* what a worker has found */
};

const char *rule_condition_text(enum rule_condition c)
{
    static const char *const texts[] = {[RULE_CONDITION_OK] = "ok",
                                        [RULE_CONDITION_UNKNOWN] = "unknown",
                                        [RULE_CONDITION_NEVER_MATCHED] = "never_matched",
                                        [RULE_CONDITION_EMPTY] = "empty",
                                        [RULE_CONDITION_DEAD] = "dead",
                                        [RULE_CONDITION_ALWAYS_FIRING] = "always_firing",
                                        [RULE_CONDITION_SLOW] = "slow",
                                        [RULE_CONDITION_FAILING] = "failing"};

    return texts[c];
}

/* -- what is known -- */

static uint64_t watch_id(const struct rule_group_conf *g, const struct rule_conf *r)
{
    uint64_t h = hash_u64(hash_str(g->file) + 1);

    h = hash_u64(h ^ hash_str(g->name));
    h = hash_u64(h ^ hash_str(r->name));
    return hash_u64(h ^ hash_str(r->expr));
}

static void raise_rule(struct rule_watch *w, enum builtin_kind kind, bool raised, str subject,
                       str why)
{
    struct event ev = {.kind = EVENT_BUILTIN,
                       .builtin = {.kind = kind, .raised = raised, .subject = subject, .why = why}};

    shell_event(w->shell, &ev, NULL);
}

static void set_dead(struct rule_watch *w, struct rule_seen *s, bool is_dead, str why)
{
    if (s->is_dead == is_dead)
        return;
    s->is_dead = is_dead;
    raise_rule(w, BUILTIN_RULE_DEAD, is_dead, s->subject, why);
}

static void set_always(struct rule_watch *w, struct rule_seen *s, bool is_always, str why)
{
    if (s->is_always == is_always)
        return;
    s->is_always = is_always;
    raise_rule(w, BUILTIN_RULE_ALWAYS_FIRING, is_always, s->subject, why);
}

static void forget_rule(struct rule_watch *w, struct rule_seen *s)
{
    set_dead(w, s, false, STR_NONE);
    set_always(w, s, false, STR_NONE);
    mem_str_free(s->subject);
    mem_free(s);
}

static struct rule_seen *rule_seen_of(struct rule_watch *w, const struct rule_group_conf *g,
                                      const struct rule_conf *r)
{
    uint64_t id = watch_id(g, r);
    void **hit = u64_map_get(&w->rules, id);
    struct rule_seen *s;
    char subject[SUBJECT_MAX];

    if (hit != NULL)
        return *hit;
    s = mem_new(struct rule_seen);
    snprintf(subject, sizeof(subject), "%.*s of group %.*s", STR(r->name), STR(g->name));
    *s = (struct rule_seen){.id = id,
                            .first = w->clock->now.wall,
                            .matched_at = TS_NONE,
                            .firing_since = TS_NONE,
                            .subject = mem_str_dup(str_of(subject))};
    u64_map_put(&w->rules, id, s);
    return s;
}

/* Those that a round did not find are gone. */
static void end_round(struct rule_watch *w)
{
    MAP_EACH (struct u64_map_entry, it, &w->rules) {
        struct rule_seen *s = it->value;

        if (s->round == w->round)
            continue;
        u64_map_del_entry(&w->rules, it);
        forget_rule(w, s);
    }
    w->round++;
}

/* -- a rule's selectors -- */

static bool add_selector(struct promql_expr *x, void *arg)
{
    struct buf *b = arg;

    if (x->kind == PROMQL_SELECTOR && b->n < QUERY_MAX) {
        buf_addf(b, "%scount(", b->n != 0 ? " or " : "");
        promql_print(b, x);
        buf_addc(b, ')');
    }
    return true;
}

/* "count(a) or count(b)": whether any matches. Empty: there is none. */
static str question_of(struct arena *a, const struct rule_conf *r)
{
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(r->expr, &promql_everything, a, NULL, &e);
    struct buf b = BUF_INIT;
    str out;

    if (x != NULL)
        promql_walk(x, add_selector, &b);
    promql_release(x);
    out = arena_str(a, buf_str(&b));
    buf_release(&b);
    return out;
}

/* -- the answer -- */

static void judge(struct rule_watch *w, struct rule_seen *s, bool matches,
                  const struct rule_conf *r)
{
    const struct rules_conf *conf = &config_of(shell_engine(w->shell)->conf)->rules;
    ts_ns now = w->clock->now.wall;
    char why[160];

    s->is_asked = true;
    s->matches = matches;
    if (matches) {
        s->has_matched = true;
        s->matched_at = now;
        set_dead(w, s, false, STR_NONE);
        return;
    }
    if (!s->has_matched || r->expects_silence || conf->dead_after == 0 ||
        now - s->matched_at < conf->dead_after)
        return;
    snprintf(why, sizeof(why),
             "its selectors matched series once, and none since %.0f minutes: it cannot fire",
             (double)(now - s->matched_at) / NS_PER_M);
    set_dead(w, s, true, str_of(why));
}

static void look_at_firing(struct rule_watch *w, struct rule_seen *s, const struct rule_view *v,
                           bool has_selector)
{
    const struct rules_conf *conf = &config_of(shell_engine(w->shell)->conf)->rules;
    ts_ns now = w->clock->now.wall;
    char why[160];

    s->firing_since = TS_NONE;
    for (size_t i = 0; i < v->n_alerts; i++)
        if (v->alerts[i].state == RULE_ALERT_FIRING &&
            (s->firing_since == TS_NONE || v->alerts[i].fired_at < s->firing_since))
            s->firing_since = v->alerts[i].fired_at;
    if (s->firing_since == TS_NONE || !has_selector || conf->always_firing_after == 0 ||
        now - s->firing_since < conf->always_firing_after) {
        set_always(w, s, false, STR_NONE);
        return;
    }
    snprintf(why, sizeof(why), "it has fired for %.0f hours without an end: who still looks?",
             (double)(now - s->firing_since) / NS_PER_H);
    set_always(w, s, true, str_of(why));
}

/* -- asking -- */

static void look_again(struct rule_watch *w);

/* conf is let go: nothing is under way any more. */
static void end_question(struct rule_watch *w, bool is_known, bool matches)
{
    void **hit = u64_map_get(&w->rules, w->about);
    struct config *conf = w->conf;

    w->conf = NULL;
    w->question = NULL;
    if (is_known && hit != NULL)
        judge(w, *hit, matches, w->asked);
    config_unref(conf);
    arena_reset(&w->arena);
    if (!atomic_load(&w->is_stopped))
        look_again(w);
}

static void watch_answered(void *arg, const struct source_answer *a)
{
    struct rule_watch *w = arg;
    struct samples samples = {NULL, 0};
    struct answer_notes notes = {0};
    struct err e = ERR_INIT;
    bool ok = a->error == SOURCE_OK &&
              prom_answer_parse(arena_str(&w->arena, a->body), &w->arena, &samples, &notes, &e) &&
              notes.partial.n == 0;

    end_question(w, ok, samples.n != 0);
}

static bool watch_goes_on(void *arg)
{
    return !atomic_load(&((struct rule_watch *)arg)->is_stopped);
}

static void ask_store(struct job *j)
{
    struct rule_watch *w = container_of(j, struct rule_watch, job);
    struct samples samples = {NULL, 0};
    struct err e = ERR_INIT;

    w->is_known = store_ask(w->store, w->query, w->asked_at / NS_PER_MS, watch_goes_on, w,
                            &w->arena, &samples, &e);
    w->matches = samples.n != 0;
}

static void store_answered(struct job *j)
{
    struct rule_watch *w = container_of(j, struct rule_watch, job);

    end_question(w, w->is_known, w->matches);
}

/* False: there is nothing to ask. */
static bool put_question(struct rule_watch *w, struct rule_seen *s, const struct rule_group_conf *g,
                         const struct rule_conf *r)
{
    w->about = s->id;
    w->asked = r;
    w->asked_at = w->clock->now.wall;
    w->conf = config_ref(config_of(shell_engine(w->shell)->conf));
    if (r->is_own && w->store != NULL) {
        w->job = (struct job){.run = ask_store, .done = store_answered};
        pool_run(w->pool, WORK_QUERY, &w->job);
        return true;
    }
    w->question = r->is_own ? NULL
                            : rule_driver_ask(shell_rules(w->shell), g->source, w->query,
                                              w->clock->now.wall, watch_answered, w);
    if (w->question != NULL)
        return true;
    config_unref(w->conf);
    w->conf = NULL;
    return false;
}

/* -- one rule after the other -- */

static const struct rule_view *watch_view(const struct rule_watch *w,
                                          const struct rule_group_conf *g, size_t rule)
{
    const struct rule_group_view *v = engine_rules_shown(shell_engine(w->shell), rule_group_id(g));

    return v != NULL && rule < v->n_rules ? &v->rules[rule] : NULL;
}

/* True: a question is under way. */
static bool look_at_rule(struct rule_watch *w, const struct rule_group_conf *g, size_t rule)
{
    const struct rule_conf *r = &g->rules[rule];
    const struct rule_view *v = watch_view(w, g, rule);
    struct rule_seen *s = rule_seen_of(w, g, r);

    s->round = w->round;
    if (v == NULL || v->last_eval == TS_NONE || v->last_eval == 0 || v->health == RULE_ERR)
        return false;
    w->query = question_of(&w->arena, r);
    look_at_firing(w, s, v, w->query.n != 0);
    if (v->samples == 0 && w->query.n != 0 && put_question(w, s, g, r))
        return true;
    judge(w, s, v->samples != 0 || w->query.n == 0, r);
    arena_reset(&w->arena);
    return false;
}

static size_t count_rules(const struct config *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_groups; i++)
        n += c->groups[i].n_rules;
    return n;
}

static void watch_due(struct timer *t, struct now now)
{
    struct rule_watch *w = container_of(t, struct rule_watch, timer);
    const struct config *c = config_of(shell_engine(w->shell)->conf);

    (void)now;
    while (w->group < c->n_groups && w->rule >= c->groups[w->group].n_rules) {
        w->group++;
        w->rule = 0;
    }
    if (w->group >= c->n_groups) {
        end_round(w);
        w->group = w->rule = 0;
    } else if (look_at_rule(w, &c->groups[w->group], w->rule++)) {
        return;
    }
    look_again(w);
}

static void look_again(struct rule_watch *w)
{
    const struct config *c = config_of(shell_engine(w->shell)->conf);
    dur_ns most = c->rules.dead_after != 0 ? c->rules.dead_after : NS_PER_D,
           pause = most / LOOKS / (dur_ns)(count_rules(c) + 1);

    pause = pause < LOOK_MIN ? LOOK_MIN : pause > LOOK_MAX ? LOOK_MAX : pause;
    timer_arm(w->clock, &w->timer, ts_add(w->clock->now.mono, pause));
}

/* -- its life -- */

struct rule_watch *rule_watch_new(struct shell *s, struct store *store, struct clock *clock,
                                  struct pool *pool)
{
    struct rule_watch *w = mem_new(struct rule_watch);

    w->shell = s;
    w->store = store;
    w->clock = clock;
    w->pool = pool;
    atomic_init(&w->is_stopped, false);
    w->timer.fire = watch_due;
    arena_init(&w->arena, 0);
    look_again(w);
    return w;
}

void rule_watch_stop(struct rule_watch *w)
{
    if (w == NULL)
        return;
    atomic_store(&w->is_stopped, true);
    timer_cancel(w->clock, &w->timer);
}

void rule_watch_free(struct rule_watch *w)
{
    if (w == NULL)
        return;
    rule_watch_stop(w);
    if (w->question != NULL)
        rule_driver_forget(w->question);
    config_unref(w->conf);
    MAP_EACH (struct u64_map_entry, it, &w->rules) {
        struct rule_seen *s = it->value;

        mem_str_free(s->subject);
        mem_free(s);
    }
    u64_map_release(&w->rules);
    arena_release(&w->arena);
    mem_free(w);
}

/* -- the report -- */

static void rule_watch_entry_of(const struct rule_group_view *g, const struct rule_view *v,
                                const struct rule_seen *s, struct rule_watch_entry *e)
{
    *e = (struct rule_watch_entry){g, v, RULE_CONDITION_OK, TS_NONE};
    if (v->health == RULE_ERR) {
        e->condition = RULE_CONDITION_FAILING;
    } else if (s == NULL || !s->is_asked) {
        e->condition = RULE_CONDITION_UNKNOWN;
    } else if (!s->matches) {
        e->condition = s->is_dead       ? RULE_CONDITION_DEAD
                       : s->has_matched ? RULE_CONDITION_EMPTY
                                        : RULE_CONDITION_NEVER_MATCHED;
        e->since = s->has_matched ? s->matched_at : s->first;
    } else if (s->is_always) {
        e->condition = RULE_CONDITION_ALWAYS_FIRING;
        e->since = s->firing_since;
    } else if (g->interval != 0 && g->took > g->interval) {
        e->condition = RULE_CONDITION_SLOW;
    }
}

void rule_watch_each(const struct rule_watch *w,
                     void (*each)(void *arg, const struct rule_watch_entry *e), void *arg)
{
    const struct engine *e = shell_engine(w->shell);
    const struct config *c = config_of(e->conf);

    for (size_t i = 0; i < c->n_groups; i++) {
        const struct rule_group_conf *g = &c->groups[i];
        const struct rule_group_view *v = engine_rules_shown(e, rule_group_id(g));

        for (size_t r = 0; v != NULL && r < v->n_rules && r < g->n_rules; r++) {
            void **hit = u64_map_get(&w->rules, watch_id(g, &g->rules[r]));
            struct rule_watch_entry entry;

            rule_watch_entry_of(v, &v->rules[r], hit != NULL ? *hit : NULL, &entry);
            each(arg, &entry);
        }
    }
}
