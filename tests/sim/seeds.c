#include "seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include "core/explain.h"
#include "model/labels.h"
#include "random.h"
#include "base/hash.h"
#include "sim.h"
#include "truth.h"

/* To who stands in for a receiver whose day's messages are spent. */
static bool is_back(const struct arrived *a)
{
    return str_is(a->receiver, "back");
}

/* The route that it is told by. */
static const struct route *route_of(const struct engine *e, const struct arrived *a)
{
    const struct route *found = NULL;
    struct buf key = BUF_INIT;

    for (size_t i = 0; i < e->tree.n && found == NULL; i++) {
        buf_clear(&key);
        route_group_key(&key, e->tree.by_index[i], a->group);
        if (str_eq(buf_str(&key), a->key) &&
            (is_back(a) || str_eq(e->tree.by_index[i]->receiver, a->receiver)))
            found = e->tree.by_index[i];
    }
    buf_release(&key);
    return found;
}

static bool has(const struct arrived *a, const struct arrived_alert *al)
{
    VEC_EACH (const struct arrived_alert *, x, &a->alerts)
        if (x->resolved == al->resolved && labels_eq(x->labels, al->labels))
            return true;
    return false;
}

static bool fires(const struct arrived *a)
{
    VEC_EACH (const struct arrived_alert *, al, &a->alerts)
        if (!al->resolved)
            return true;
    return false;
}

/* Whether the receiver failed at some time in between, or at `to`; is_mute: only whether it gave no answer. */
static bool was_away(const struct scenario *scn, ts_ns from, ts_ns to, bool is_mute)
{
    bool is_away = false, was = false;

    VEC_EACH (const struct action *, a, &scn->actions) {
        if (a->kind != ACT_SINK || a->at > to)
            continue;
        was |= a->at > from && is_away;
        is_away = is_mute ? a->status == 0 : a->status / 100 != 2;
        was |= a->at > from && is_away;
    }
    return was || is_away;
}

/* By how much the wall clock was set ahead in between, as far as a later life counts it. Only a process that goes on has a clock
 * that nobody sets; the log says by the wall clock when it told last (alertmanager.md 3.7: the entry's timestamp). */
static dur_ns stepped_ahead(const struct scenario *scn, ts_ns from, ts_ns to)
{
    dur_ns steps = 0, counted = 0;

    VEC_EACH (const struct action *, a, &scn->actions) {
        if (a->at <= from || a->at > to)
            continue;
        if (a->kind == ACT_WALL)
            steps += a->d;
        else if (a->kind == ACT_RESTART || a->kind == ACT_CRASH)
            counted = steps;
    }
    return counted > 0 ? counted : 0;
}

/* What was under way while nobody answered may have been heard, and said something else: then the same is news again. */
static bool may_have_heard_else(const struct sim *s, const struct arrived *last,
                                const struct arrived *a)
{
    return !str_is(a->reason, notify_reason_text(REASON_REPEAT)) &&
           was_away(s->scn, last->at, a->at, true);
}

/* A message that says nothing which the one before it did not say is a repeat, and must not come early. That nothing
 * fires any more is news. Where send_resolved is off, an end that nobody hears of may lie between two that are equal. One
 * that came late is repeated in time all the same: what counts is when it was decided. */
static bool repeats_in_time(const struct sim *s, const char *name)
{
    bool ok = true;

    for (size_t i = 0; i < s->inbox.v.n; i++) {
        const struct arrived *a = &s->inbox.v.v[i], *last = NULL;
        const struct route *r = route_of(shell_engine(s->it.shell), a);
        const struct core_integration *ic =
            &engine_receiver(shell_engine(s->it.shell), r->receiver)->integrations[0];
        bool is_repeat = ic->send_resolved;
        /* the last one was decided before it waited for its destination, and maybe through a pause */
        dur_ns waited = ic->pace.limits[0].messages != 0 ? 4 * NS_PER_M : 0;
        ts_ns decided, since;

        for (size_t j = i; j-- > 0 && last == NULL;)
            if (str_eq(s->inbox.v.v[j].key, a->key) &&
                (str_eq(s->inbox.v.v[j].receiver, a->receiver) || is_back(&s->inbox.v.v[j])))
                last = &s->inbox.v.v[j];
        is_repeat = is_repeat && last != NULL && fires(a) == fires(last);
        VEC_EACH (const struct arrived_alert *, al, &a->alerts)
            is_repeat = is_repeat && has(last, al);
        decided = a->at - r->conf->repeat_interval -
                  r->conf->group_interval; /* of the last one, at the earliest */
        since = is_repeat ? a->at - last->at + stepped_ahead(s->scn, last->at, a->at) : 0;
        if (!is_repeat || may_have_heard_else(s, last, a) ||
            (fires(a) && (since >= r->conf->repeat_interval - waited ||
                          was_away(s->scn, decided, last->at, false))))
            continue;
        fprintf(stderr, "%s: repeated after %.3fs:\n", name, (double)(a->at - last->at) / NS_PER_S);
        arrived_print(last);
        arrived_print(a);
        ok = false;
    }
    return ok;
}

/* An alert that one thing alone keeps from a receiver which was never told of it. */
struct held_back {
    uint64_t fingerprint;
    str receiver;
    unsigned part;
    ts_ns flush; /* wall */
};

static unsigned only_reason(const struct explanation *x, const struct explain_route *r)
{
    unsigned parts = (x->verdict.silenced_by.n != 0 ? RANDOM_SILENCES : 0) |
                     (x->verdict.inhibited_by.n != 0 ? RANDOM_INHIBITION : 0) |
                     (r->muted.n + r->outside_active.n != 0 ? RANDOM_MUTING : 0);

    return (parts & (parts - 1)) == 0 ? parts : 0;
}

static struct held_back find_held_back(const struct sim *s, struct arena *a)
{
    const struct engine *e = shell_engine(s->it.shell);
    struct held_back found = {.part = 0};
    struct explanation x;

    ALERT_TABLE_EACH (al, &e->alerts) {
        engine_explain(e, label_set_view(a, al->labels), s->it.clock.now, a, &x);
        for (size_t i = 0; i < x.n && found.part == 0; i++) {
            const struct explain_route *r = &x.routes[i];
            ts_ns wait = r->next_flush == TS_NONE ? 0 : r->next_flush - s->it.clock.now.wall;

            if (!x.is_resolved && r->group != NULL && r->n != 0 &&
                al->expires_mono > ts_add(s->it.clock.now.mono, wait) &&
                (r->integrations[0].last == NULL ||
                 !hash_list_has(r->integrations[0].last->firing, labels_dedup_hash(x.labels))))
                found = (struct held_back){alert_fingerprint(al), arena_str(a, r->route->receiver),
                                           only_reason(&x, r), r->next_flush};
        }
        explanation_release(&x);
    }
    return found;
}

/* The same without the reason that explain gave, and with a receiver that never fails: now it must have been sent. */
static bool reason_holds(uint64_t seed, const struct held_back *h, dur_ns length)
{
    struct scenario scn;
    struct sim s;
    bool sent = false;

    random_scenario(&scn, seed, RANDOM_ALL & ~h->part & ~(unsigned)RANDOM_SINKS, length);
    scn.end = h->flush - SIM_WALL - scn.begins + 1;
    sim_open(&s, "replay", &scn, &(struct sim_options){.seed = seed});
    VEC_EACH (const struct arrived *, a, &s.inbox.v)
        VEC_EACH (const struct arrived_alert *, al, &a->alerts)
            sent = sent || ((str_eq(a->receiver, h->receiver) || is_back(a)) && !al->resolved &&
                            labels_fingerprint(al->labels) == h->fingerprint);
    sim_close(&s);
    scenario_release(&scn);
    if (!sent)
        fprintf(stderr, "seed %llu: %016llx was not sent to %.*s without what held it back (%u)\n",
                (unsigned long long)seed, (unsigned long long)h->fingerprint, STR(h->receiver),
                h->part);
    return sent;
}

static void print_actions(const struct scenario *s)
{
    static const char *const names[] = {"post",   "post once", "resolve",      "silence",
                                        "expire", "crash",     "restart",      "reload",
                                        "wall",   "suspend",   "sink answers", "store works",
                                        "",       "sample",    "source",       "take",
                                        ""};
    struct buf b = BUF_INIT;

    VEC_EACH (const struct action *, a, &s->actions) {
        buf_addf(&b, "at %.3fs %s ", (double)a->at / NS_PER_S, names[a->kind]);
        labels_print(&b, a->labels);
        buf_addf(&b, " %.*s %.*s %.3fs status %d takes %.3fs on %d lost %d late %d\n", STR(a->name),
                 STR(a->text), (double)a->d / NS_PER_S, a->status, (double)a->takes / NS_PER_S,
                 a->on, a->is_lost, a->is_late);
    }
    fprintf(stderr, "%.*s", STR(buf_str(&b)));
    buf_release(&b);
}

static bool run_explain(uint64_t seed, dur_ns length, size_t *answers, size_t *replays)
{
    struct scenario scn;
    struct held_back h;
    struct arena a;
    struct sim s;
    char name[32];
    unsigned faults = seed % 2 != 0 ? RANDOM_FAULTS : 0;
    bool ok;

    snprintf(name, sizeof(name), "seed %llu", (unsigned long long)seed);
    random_scenario(&scn, seed, RANDOM_ALL | faults, length);
    sim_open(&s, name, &scn, &(struct sim_options){.seed = seed});
    arena_init(&a, 0);
    h = find_held_back(&s, &a);
    ok = s.oracle.wrong == 0 && repeats_in_time(&s, name);
    *answers += s.oracle.checked;
    sim_close(&s);
    if (h.part != 0 && faults == 0) { /* else a fault may keep it from being sent, too */
        ++*replays;
        ok = reason_holds(seed, &h, length) && ok;
    }
    if (!ok)
        fprintf(stderr, "%s: the configuration:\n%.*s", name, STR(scn.config)), print_actions(&scn);
    arena_release(&a);
    scenario_release(&scn);
    return ok;
}

int seeds_explain(uint64_t first, uint64_t count, uint64_t hours)
{
    size_t answers = 0, replays = 0, failed = 0;

    for (uint64_t seed = first; seed < first + count; seed++)
        failed += !run_explain(seed, (dur_ns)hours * NS_PER_H, &answers, &replays);
    printf("%zu answers of explain held, %zu reasons replayed\n%zu passed, %zu failed\n", answers,
           replays, (size_t)count - failed, failed);
    return failed != 0;
}

/* -- wild ones -- */

/* A run of the scenario; what it told is for the caller. */
static bool play_wild(const struct wild *w, const char *name, uint64_t seed, uint64_t hashes,
                      struct coverage *c, struct buf *told)
{
    struct sim s;
    struct truth t;
    bool ok;

    hash_seed(hashes);
    if (w->has_store)
        remove_folder("samples");
    truth_open(&t, &s, name, w, c);
    sim_open(&s, name, &w->scn,
             &(struct sim_options){
                 .seed = seed, .truth = &t, .folder = w->has_store ? S("samples") : STR_NONE});
    truth_judge(&t);
    ok = t.wrong == 0;
    *told = t.told;
    t.told = (struct buf)BUF_INIT;
    sim_close(&s);
    truth_close(&t);
    return ok;
}

/* Hashes are nobody's business: whatever their seed, the same is told. */
static bool is_same(const char *name, str one, str other)
{
    if (str_eq(one, other))
        return true;
    while (one.n != 0 && other.n != 0) {
        str a = str_cut(&one, '\n'), b = str_cut(&other, '\n');

        if (str_eq(a, b))
            continue;
        fprintf(stderr, "%s: with one hash seed: %.*s\n%s: with another:      %.*s\n", name, STR(a),
                name, STR(b));
        return false;
    }
    fprintf(stderr, "%s: with one hash seed more is told than with another\n", name);
    return false;
}

static bool run_wild(uint64_t seed, struct coverage *c)
{
    struct buf one, other = BUF_INIT;
    struct wild w;
    char name[32];
    bool ok;

    snprintf(name, sizeof(name), "seed %llu", (unsigned long long)seed);
    wild_make(&w, seed);
    ok = play_wild(&w, name, seed, seed, c, &one);
    ok = ok && play_wild(&w, name, seed, ~seed, NULL, &other) &&
         is_same(name, buf_str(&one), buf_str(&other));
    if (!ok && getenv("SIM_SHOW") != NULL) {
        fprintf(stderr, "%.*s", STR(w.scn.config));
        VEC_EACH (const struct named_rules *, r, &w.scn.rules)
            fprintf(stderr, "rules %.*s\n%.*s", STR(r->name), STR(r->text));
        print_actions(&w.scn);
        fprintf(stderr, "%.*s", STR(buf_str(&one)));
    }
    buf_release(&one);
    buf_release(&other);
    wild_release(&w);
    return ok;
}

static int play_all(uint64_t first, uint64_t count, struct coverage *c, bool only_one)
{
    size_t failed = 0, n = 0;

    for (; n < count && !(only_one && failed != 0); n++)
        failed += !run_wild(first + n, c);
    printf("%zu passed, %zu failed\n", n - failed, failed);
    return failed != 0;
}

int seeds_wild(uint64_t first, uint64_t count)
{
    return play_all(first, count, NULL, false);
}

int seeds_find(uint64_t first, uint64_t count)
{
    return play_all(first, count, NULL, true);
}

int seeds_cover(uint64_t count)
{
    struct coverage c = {{{0}}};
    int failed = play_all(1, count, &c, false);

    coverage_print(&c);
    return failed || coverage_has_gap(&c);
}
