#include "truth.h"

#include <stdarg.h>
#include <stdio.h>
#include "core/bucket.h"
#include "core/engine_priv.h"
#include "core/explain.h"
#include "core/fallback.h"
#include "core/receiver_health.h"
#include "live/shell_priv.h"
#include "model/labels.h"

/* What a row needs from the attempt's question to the network, at most; a flush and what follows it; time for several. */
#define TIMEOUT (14 * NS_PER_S) /* the receivers' is a second more */
#define SOON    (40 * NS_PER_S)
#define AGAIN   (3 * NS_PER_M)
#define LONG    (10 * NS_PER_M)

#define LONG_REPLAY (20 * NS_PER_S)

static void wrong(struct truth *t, const char *format, ...)
{
    va_list ap;

    fprintf(stderr, "%s: at %.3fs: ", t->name,
            (double)(t->sim->stage.now.mono - SIM_MONO) / NS_PER_S);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    t->wrong++;
}

/* The same of an alert. */
static void wrong_alert(struct truth *t, const char *what, str receiver, struct labels ls)
{
    struct buf b = BUF_INIT;

    labels_print(&b, ls);
    wrong(t, "%.*s %s %.*s", STR(receiver), what, STR(buf_str(&b)));
    buf_release(&b);
}

static ts_ns now_mono(const struct truth *t)
{
    return t->sim->stage.now.mono;
}

static struct engine *engine_of(const struct truth *t)
{
    return shell_engine(t->sim->it.shell);
}

static bool fires_now(const struct truth *t, uint64_t fingerprint)
{
    const struct alert *al = engine_alert(engine_of(t), fingerprint);

    return al != NULL && !alert_is_resolved(al, t->sim->it.clock.now);
}

/* -- what was answered is there -- */

struct answer_due {
    struct truth *truth;
    uint64_t life, n;
    size_t at; /* of the alert or the silence */
    enum { DUE_ALERT, DUE_SILENCE, DUE_EXPIRY } kind;
    bool is_open, was_degraded; /* the store, when it came */
};

static void answered(void *arg, bool ok, const struct err *e)
{
    struct answer_due *d = arg;
    struct truth *t = d->truth;

    (void)e;
    if (!d->is_open)
        wrong(t, "a request was answered twice");
    d->is_open = false;
    if (ok && d->was_degraded)
        wrong(t, "a store that does not write answered");
    if (!ok || d->life != t->life || t->sim->it.is_cut)
        return;
    if (d->kind == DUE_ALERT)
        t->alerts.v[d->at].acked = d->n;
    else if (d->kind == DUE_SILENCE)
        t->silences.v[d->at].is_acked = true;
    else
        t->silences.v[d->at].is_over_acked = true;
}

static void await(struct truth *t, int kind, size_t at, uint64_t n)
{
    struct answer_due *d = mem_new(struct answer_due);

    *d = (struct answer_due){
        t, t->life, n, at, (unsigned)kind, true, shell_is_degraded(t->sim->it.shell)};
    vec_push(&t->due, d);
    shell_after_commit(t->sim->it.shell, answered, d);
}

static size_t alert_of(struct truth *t, struct labels ls)
{
    for (size_t i = 0; i < t->alerts.n; i++)
        if (labels_eq(t->alerts.v[i].labels, ls))
            return i;
    vec_push(&t->alerts, (struct known_alert){.labels = ls});
    return t->alerts.n - 1;
}

void truth_posted(struct truth *t, const struct alert_input *in)
{
    size_t i = alert_of(t, in->labels);
    struct known_alert *a = &t->alerts.v[i];

    a->fires = in->ends_at == TS_NONE || in->ends_at > stage_now(&t->sim->it).wall;
    a->at = now_mono(t);
    a->is_refused = false;
    await(t, DUE_ALERT, i, ++a->n);
}

void truth_refused(struct truth *t, const struct alert_input *in)
{
    size_t i = alert_of(t, in->labels);

    t->alerts.v[i].is_refused = true;
}

void truth_silenced(struct truth *t, const struct uuid *id)
{
    const struct silence *s = silencer_get(engine_of(t)->silencer, uuid_str(id));
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT;

    silence_pack(&b, s);
    vec_push(&t->silences, (struct known_silence){.id = *id,
                                                  .silence = silence_unpack(buf_str(&b), &e),
                                                  .since = now_mono(t)});
    buf_release(&b);
    await(t, DUE_SILENCE, t->silences.n - 1, 0);
}

void truth_expired(struct truth *t, const struct uuid *id)
{
    for (size_t i = 0; i < t->silences.n; i++)
        if (str_eq(uuid_str(&t->silences.v[i].id), uuid_str(id)) && !t->silences.v[i].is_over) {
            t->silences.v[i].is_over = true;
            await(t, DUE_EXPIRY, i, 0);
        }
}

static void check_alert_is_back(struct truth *t, const struct known_alert *a)
{
    const struct alert *al = engine_alert(engine_of(t), labels_fingerprint(a->labels));
    bool fires = al != NULL && !alert_is_resolved(al, t->sim->it.clock.now);

    /* each life gives who may have refreshed it time to do so */
    if (!a->is_sent && fires && now_mono(t) > a->at + LONG + t->paused &&
        now_mono(t) > t->restarted_before + LONG + t->paused)
        wrong_alert(t, "(restarted) has back", S("tocsin"), a->labels);
    if (a->acked != a->n || a->n == 0)
        return;
    if (a->fires && !fires && now_mono(t) < a->at + 4 * NS_PER_M)
        wrong_alert(t, "(restarted) has not, though it was answered:", S("tocsin"), a->labels);
    if (!a->fires && fires)
        wrong_alert(t, "(restarted) has forgotten the end of", S("tocsin"), a->labels);
}

static void check_silence_is_back(struct truth *t, const struct known_silence *s)
{
    const struct silence *now = silencer_get(engine_of(t)->silencer, uuid_str(&s->id));
    ts_ns wall = t->sim->it.clock.now.wall;

    if (s->is_acked && now == NULL)
        wrong(t, "a silence that was answered is not there");
    else if (s->is_over_acked && now != NULL && now->ends_at > wall && t->stepped == 0)
        wrong(t, "silence %s, which was ended, is back", s->id.text);
}

static void begin_anew(struct truth *t, ts_ns within)
{
    for (size_t k = 0; k < WILD_GROUPS; k++)
        if (t->rules[k].since > now_mono(t) - within)
            t->rules[k].since = now_mono(t);
}

/* What was under way goes again, also what the stop itself sent: a group is unsure until a row of it has gone out whole.
 * Forgotten is what went out from memory alone, and what is old by a clock that was set. */
void truth_ended(struct truth *t)
{
    VEC_EACH (struct answer_due *const *, d, &t->due)
        (*d)->is_open = false;
    VEC_EACH (struct told_group *, g, &t->groups)
        g->is_unsure = true;
    VEC_EACH (struct heard *, h, &t->heard)
        h->is_forgotten |= h->is_from_memory || h->at <= t->stepped;
}

void truth_began(struct truth *t)
{
    t->life++;
    if (t->life == 1)
        return;
    VEC_EACH (const struct known_alert *, a, &t->alerts)
        check_alert_is_back(t, a);
    VEC_EACH (const struct known_silence *, s, &t->silences)
        check_silence_is_back(t, s);
}

/* -- what happens -- */

static void begin(const struct truth *t, struct known_rule *x)
{
    x->since = x->began = now_mono(t);
    x->paused = t->paused;
}

static void note_rules(struct truth *t, str name)
{
    const struct wild_rules *r = &t->wild->rules[name.n != 0 ? name.p[0] - '0' : 0];

    for (size_t k = 0; k < WILD_GROUPS; k++) {
        struct known_rule *x = &t->rules[k];

        if (!x->is_named || x->is_renamed != r->is_renamed[k])
            begin(t, x);
        x->is_named = r->is_named[k];
        x->is_renamed = r->is_renamed[k];
    }
}

/* A stop in order leaves nothing of what is in memory behind where the disk works, answered or not. */
static void note_stop(struct truth *t)
{
    if (t->disk_away)
        return;
    VEC_EACH (struct known_alert *, a, &t->alerts)
        if (fires_now(t, labels_fingerprint(a->labels)) == a->fires)
            a->acked = a->n;
    VEC_EACH (struct known_silence *, s, &t->silences) {
        const struct silence *now = silencer_get(engine_of(t)->silencer, uuid_str(&s->id));

        s->is_acked |= now != NULL;
        s->is_over_acked |=
            s->is_over && now != NULL && now->ends_at <= stage_now(&t->sim->it).wall;
    }
}

/* Its life is about to end. */
static void note_restart(struct truth *t)
{
    if (t->trouble != TS_MAX)
        t->trouble = now_mono(t);
    t->restarted_before = t->restarted;
    t->restarted = now_mono(t);
}

/* Whether a request may be taken without that anybody hears of it. */
static void note_trouble(struct truth *t)
{
    bool is_away = t->sink_away || t->answers_slow;

    if (is_away)
        t->trouble = TS_MAX;
    else if (t->trouble == TS_MAX)
        t->trouble = now_mono(t);
}

static void note_source(struct truth *t, const struct action *a)
{
    bool was = t->source_down || t->source_slow;

    if (str_is(a->text, "takes"))
        t->source_slow = a->d != 0;
    else
        t->source_down = str_is(a->text, "down");
    if (!was)
        t->source_since = now_mono(t);
    /* what it had not learnt yet it learns now; a target that does not answer has no samples any more */
    begin_anew(t, t->wild->has_store ? TS_MAX / 2 : now_mono(t) - t->source_since + NS_PER_M);
}

static void check_slots(struct truth *t)
{
    struct now now = t->sim->it.clock.now;

    VEC_EACH (struct rule_slot *const *, s, &engine_of(t)->rules)
        if ((*s)->state == SLOT_IDLE && (*s)->next_slot - now.wall > (*s)->interval)
            wrong(t, "group %.*s runs next in %.3fs", STR((*s)->shown->name),
                  (double)((*s)->next_slot - now.wall) / NS_PER_S);
}

static bool is_in_group(const struct engine *e, const struct route *r, const struct alert *a,
                        struct labels ls)
{
    struct arena arena;
    void **slot;
    const struct group *g;

    arena_init(&arena, 0);
    slot = u64_map_get(&e->groups[r->index], labels_fingerprint(route_group_labels(r, &arena, ls)));
    g = slot != NULL ? *slot : NULL;
    arena_release(&arena);
    return g != NULL && alert_table_get(&g->alerts, alert_fingerprint(a)) != NULL;
}

/* What fires is in the groups of the configuration in force: also what came while that one was prepared. */
static void check_routed(struct truth *t)
{
    const struct engine *e = engine_of(t);
    struct route_list routes = {0};
    struct arena arena;

    if (e->limits.dropped_groups != 0)
        return;
    arena_init(&arena, 0);
    ALERT_TABLE_EACH (a, &e->alerts) {
        struct labels ls;

        if (alert_is_resolved(a, t->sim->it.clock.now))
            continue;
        arena_reset(&arena);
        ls = label_set_view(&arena, a->labels);
        vec_clear(&routes);
        receiver_routes(e->conf, &e->tree, ls, &routes);
        for (size_t i = 0; i < routes.n; i++)
            if (!is_in_group(e, routes.v[i], a, ls))
                wrong_alert(t, "has no group with", routes.v[i]->receiver, ls);
    }
    vec_release(&routes);
    arena_release(&arena);
}

static void count_row(void *arg, str key, str value)
{
    (void)key, (void)value;
    ++*(size_t *)arg;
}

static size_t rows_of(const struct truth *t, enum state_table table)
{
    size_t n = 0;

    state_memory_each(t->sim->it.disk, table, count_row, &n);
    return n;
}

static size_t shown_alerts(const struct truth *t)
{
    size_t n = 0;

    VEC_EACH (struct rule_slot *const *, s, &engine_of(t)->rules)
        for (size_t i = 0; i < (*s)->shown->n_rules; i++)
            n += (*s)->shown->rules[i].n_alerts;
    return n;
}

/* What rules show is on the disk, also while a worker has the group: unless a commit is under way, or the disk is away. Of a
 * group that was removed and has just come back it shows what is being deleted; just is what was lived since: in a pause no
 * job ends. */
static void check_shown(struct truth *t)
{
    size_t shown;

    if (t->disk_away || shell_is_degraded(t->sim->it.shell) ||
        state_memory_queued(t->sim->it.disk) != 0)
        return;
    for (size_t k = 0; k < WILD_GROUPS; k++)
        if (t->rules[k].is_named &&
            t->rules[k].began > now_mono(t) - 2 * NS_PER_M - (t->paused - t->rules[k].paused))
            return;
    shown = shown_alerts(t);
    if (rows_of(t, STATE_RULE) < shown)
        wrong(t, "the disk has %zu rows, and rules show %zu alerts", rows_of(t, STATE_RULE), shown);
}

/* The disk is away, or it works again and what it missed is not written yet. */
static bool is_behind(const struct truth *t)
{
    return t->disk_away || shell_is_degraded(t->sim->it.shell) ||
           now_mono(t) - t->disk_since < 20 * NS_PER_S;
}

static void note_poster(struct truth *t, const struct action *a)
{
    size_t i = alert_of(t, a->labels);
    struct known_alert *k = &t->alerts.v[i];

    if (a->kind == ACT_POST && !k->is_sent) {
        k->since = now_mono(t);
        k->paused = t->paused;
    }
    k->is_sent = a->kind == ACT_POST || (k->is_sent && a->kind != ACT_RESOLVE);
    if (a->has_start)
        k->refreshed = stage_now(&t->sim->it).wall - SIM_WALL;
}

/* Of who is told at an address that always works: only what comes from within makes it hear twice. */
static void note_shaken(struct truth *t, const struct action *a)
{
    switch (a->kind) {
    case ACT_CRASH:
    case ACT_RESTART:
    case ACT_STORE:
    case ACT_WALL:
    case ACT_PACE: t->shaken = now_mono(t); break;
    case ACT_SUSPEND: t->shaken = ts_add(now_mono(t), a->d); break;
    default: break;
    }
}

/* -- budgets -- */

/* Whom the others fall back to, and who stands in for them. */
static bool is_back(str receiver)
{
    return str_is(receiver, "back");
}

/* Of whom the group is: the root's is r0's, the child's r1's. "back" is told under the same keys. */
static struct known_budget *budget_of_group(struct truth *t, str key)
{
    return t->wild->budget == 0 ? NULL : &t->budgets[str_starts_with(key, S("{}/")) ? 1 : 0];
}

static int64_t day_of(const struct truth *t)
{
    return stage_now(&t->sim->it).wall / (24 * NS_PER_H);
}

static void turn_day(struct truth *t)
{
    for (size_t i = 0; i < ARRAY_LEN(t->budgets); i++)
        if (t->budgets[i].day != day_of(t)) {
            t->budgets[i].day = day_of(t);
            t->budgets[i].turned = now_mono(t);
            t->budgets[i].n = 0;
        }
}

static void look_at_budgets(struct truth *t)
{
    for (size_t i = 0; t->wild->budget != 0 && i < ARRAY_LEN(t->budgets); i++)
        if (budget_spent(engine_of(t), t->budgets[i].receiver, stage_now(&t->sim->it).wall) >=
            t->wild->budget)
            t->budgets[i].spent = now_mono(t);
    turn_day(t);
}

/* Whatever is restarted meanwhile. What goes when the day has just turned may be of the day before. */
static void check_budget(struct truth *t, const struct arrived *m)
{
    struct known_budget *b = budget_of_group(t, m->key);

    if (b == NULL || is_back(m->receiver) || now_mono(t) < b->turned + SOON ||
        now_mono(t) < t->woke + NS_PER_M)
        return;
    if (++b->n > t->wild->budget)
        wrong(t, "%.*s sends %zu messages of the %zu that it may send a day", STR(m->receiver),
              b->n, t->wild->budget);
}

/* What it sent from memory tocsin does not know any more. */
static void forget_budgets(struct truth *t)
{
    for (size_t i = 0; i < ARRAY_LEN(t->budgets); i++)
        t->budgets[i].n = 0;
}

void truth_acts(struct truth *t, const struct action *a)
{
    note_shaken(t, a);
    look_at_budgets(t);
    check_slots(t);
    check_routed(t);
    check_shown(t);
    if (t->coverage != NULL)
        coverage_note(t->coverage, t->sim, a);
    switch (a->kind) {
    case ACT_POST:
    case ACT_POST_ONCE:
    case ACT_RESOLVE: note_poster(t, a); break;
    case ACT_CRASH: /* of what it had learnt lately */
    case ACT_RESTART:
        note_restart(t);
        if (is_behind(t)) { /* what it sent from memory it does not know any more */
            vec_clear(&t->requests);
            forget_budgets(t);
        }
        if (a->kind == ACT_RESTART)
            note_stop(t);
        /* What the disk was not told while it was away; and a pause is as if nothing had lived. */
        begin_anew(t, is_behind(t) || now_mono(t) < t->woke + 10 * NS_PER_S ? TS_MAX / 2
                      : a->kind == ACT_CRASH                                ? AGAIN
                                                                            : 0);
        break;
    case ACT_RELOAD:
        if (a->name.n != 0)
            note_rules(t, a->name);
        break;
    case ACT_SUSPEND: /* what counts of a repeat is when it was decided */
        t->paused += a->d;
        t->woke = ts_add(now_mono(t), a->d);
        if (t->trouble != TS_MAX)
            t->trouble = ts_add(now_mono(t), a->d);
        break;
    case ACT_WALL: t->stepped = now_mono(t); break;
    case ACT_SINK:
        t->sink_away = a->status / 100 != 2 || a->is_lost || a->takes != 0;
        note_trouble(t);
        break;
    case ACT_PACE:
        if (t->wild->has_store && str_is(a->text, "answers")) /* scrapes fail */
            begin_anew(t, TS_MAX / 2);
        t->answers_slow = str_is(a->text, "answers") ? a->d > TIMEOUT : t->answers_slow;
        note_trouble(t);
        break;
    case ACT_STORE:
        t->disk_away = !a->on;
        t->disk_since = now_mono(t) - 10 * NS_PER_S; /* what was under way */
        if (t->trouble != TS_MAX)
            t->trouble = now_mono(t);
        break;
    case ACT_SAMPLE: {
        struct known_rule *x = &t->rules[a->text.p[1] - '0'];

        if (x->is_there != a->on)
            begin(t, x);
        x->is_there = a->on;
        break;
    }
    case ACT_SOURCE: note_source(t, a); break;
    case ACT_SILENCE:
    case ACT_EXPIRE:
    case ACT_IS:
    case ACT_END: break;
    }
}

void truth_asked(struct truth *t, str query, ts_ns at)
{
    if (query.n == 2 && query.p[0] == 'm')
        t->rules[query.p[1] - '0'].asked = at;
}

void truth_decided(struct truth *t, const struct decision *d)
{
    buf_addf(&t->told, "%.9f %s %016llx %.*s %.*s %.*s by %.*s attempt %u status %d until %.9f\n",
             (double)d->at / NS_PER_S, decision_kind_text(d->kind),
             (unsigned long long)d->fingerprint, STR(d->group_key), STR(d->receiver), STR(d->why),
             STR(d->by), d->attempt, d->status, (double)d->until / NS_PER_S);
}

/* -- what is told -- */

static struct heard *heard_of(struct truth *t, str receiver, str key, struct labels ls)
{
    uint64_t fingerprint = labels_fingerprint(ls);

    VEC_EACH (struct heard *, h, &t->heard)
        if (h->fingerprint == fingerprint && str_eq(h->receiver, receiver) && str_eq(h->key, key))
            return h;
    vec_push(
        &t->heard,
        (struct heard){.receiver = receiver, .key = key, .labels = ls, .fingerprint = fingerprint});
    return vec_last(&t->heard);
}

/* Nobody else may have kept it from being told, and it has been so for a while. */
static const struct known_silence *silences(const struct truth *t, struct labels ls)
{
    ts_ns wall = stage_now(&t->sim->it).wall;

    if (t->stepped != 0 && t->stepped > now_mono(t) - SOON)
        return NULL;
    VEC_EACH (const struct known_silence *, s, &t->silences)
        if (s->is_acked && !s->is_over && s->since < now_mono(t) - SOON &&
            silence_state(s->silence, wall) == SILENCE_ACTIVE && silence_matches(s->silence, ls))
            return s;
    return NULL;
}

static bool is_rule(struct labels ls, size_t *k)
{
    str name = labels_get(ls, S("alertname"));

    *k = name.n == 2 ? (size_t)(name.p[1] - '0') : WILD_GROUPS;
    return name.n == 2 && name.p[0] == 'R' && *k < WILD_GROUPS;
}

/* It fires, and has for long. */
static bool fires_for_long(const struct truth *t, struct labels ls)
{
    size_t k;

    if (is_rule(ls, &k)) {
        const struct known_rule *x = &t->rules[k];

        if (t->wild->has_store && t->sim->it.pace.answers > TIMEOUT / 2) /* scrapes fail */
            return false;

        /* `for` counts what was lived */
        return x->is_named && x->is_there && x->since < now_mono(t) - LONG - t->paused;
    }
    VEC_EACH (const struct known_alert *, a, &t->alerts)
        if (labels_eq(a->labels, ls))
            /* lived: in a pause nobody sends, and a crash may have lost what was not answered */
            return a->is_sent && !a->is_refused &&
                   a->since < now_mono(t) - LONG - (t->paused - a->paused);
    return false;
}

/* It was said in time that it goes on. By a clock that was set, or over a restart, an end may have another time. */
static bool ends_refreshed(const struct truth *t, const struct arrived_alert *al)
{
    VEC_EACH (const struct known_alert *, a, &t->alerts)
        if (labels_eq(a->labels, al->labels))
            return !a->is_refused && a->refreshed != 0 && al->ends_at == a->refreshed &&
                   t->stepped < a->at && t->restarted < a->at;
    return false;
}

static void check_alert(struct truth *t, const struct arrived *m, const struct arrived_alert *al,
                        bool is_sure)
{
    struct heard *h = heard_of(t, m->receiver, m->key, al->labels);

    if (al->resolved && fires_for_long(t, al->labels))
        wrong_alert(t, "is told that it has ended, and it fires:", m->receiver, al->labels);
    if (al->resolved && ends_refreshed(t, al))
        wrong_alert(t, "is told that it has ended, and it was refreshed in time:", m->receiver,
                    al->labels);
    if (!al->resolved && is_sure && silences(t, al->labels) != NULL)
        wrong_alert(t, "is told of a silenced", m->receiver, al->labels);
    h->fires = !al->resolved;
    h->is_forgotten = false;
    h->ever_fired |= h->fires;
    h->at = now_mono(t);
    h->ended = al->resolved ? now_mono(t) : h->ended;
    h->is_from_memory = t->disk_away || shell_is_degraded(t->sim->it.shell);
}

static struct told_group *group_of(struct truth *t, const struct arrived *m)
{
    VEC_EACH (struct told_group *, g, &t->groups)
        if (str_eq(g->receiver, m->receiver) && str_eq(g->key, m->key))
            return g;
    vec_push(&t->groups, (struct told_group){.receiver = m->receiver,
                                             .key = m->key,
                                             .is_unsure = t->restarted != 0 &&
                                                          t->restarted > now_mono(t) - LONG});
    return vec_last(&t->groups);
}

/* Of a group that never told of anything that fires, nor had another tell of it in its place. */
static void check_opened(struct truth *t, const struct arrived *m)
{
    bool was_opened = group_of(t, m)->was_unsure;

    VEC_EACH (const struct told_group *, g, &t->groups)
        was_opened |= t->wild->budget != 0 && g->was_unsure && str_eq(g->key, m->key);
    VEC_EACH (const struct heard *, h, &t->heard)
        was_opened |= h->ever_fired && str_eq(h->key, m->key) &&
                      (t->wild->budget != 0 || str_eq(h->receiver, m->receiver));
    if (!was_opened && !t->wild->gathers && /* a digest tells what ended meanwhile, too */
        t->restarted == 0) /* else a row of an earlier life may have been under way */
        wrong(t, "ends are told that nobody heard the beginning of");
}

static bool says(const struct arrived *m, const struct arrived_alert *al)
{
    VEC_EACH (const struct arrived_alert *, x, &m->alerts)
        if (x->resolved == al->resolved && labels_eq(x->labels, al->labels))
            return true;
    return false;
}

static bool names(const struct arrived *m, struct labels ls)
{
    VEC_EACH (const struct arrived_alert *, x, &m->alerts)
        if (labels_eq(x->labels, ls))
            return true;
    return false;
}

static bool fires(const struct arrived *m)
{
    VEC_EACH (const struct arrived_alert *, al, &m->alerts)
        if (!al->resolved)
            return true;
    return false;
}

/* Whether m may repeat this message: one to it, or in its place. To who stands in, what the other said itself meanwhile is another
 * one if it says something else. */
static bool is_before(struct truth *t, const struct arrived *x, const struct arrived *m)
{
    if (!str_eq(x->key, m->key))
        return false;
    if (str_eq(x->receiver, m->receiver))
        return true;
    return is_back(m->receiver) ? fires(x) != fires(m)
                                : group_of(t, x)->stood_in == x->at + SIM_MONO;
}

/* The one before it of the group said the same, not long ago, and nothing was in the way. */
static void check_repeat(struct truth *t, const struct arrived *m)
{
    const struct inbox *in = &t->sim->inbox;
    const struct arrived *last = NULL;
    ts_ns trouble = !is_back(m->receiver)             ? t->trouble
                    : t->disk_away || t->answers_slow ? TS_MAX
                                                      : t->shaken;

    for (size_t i = in->v.n; i-- > 0 && last == NULL;)
        if (is_before(t, &in->v.v[i], m))
            last = &in->v.v[i];
    if (last == NULL || trouble > last->at + SIM_MONO - AGAIN || fires(m) != fires(last) ||
        (fires(m) && m->at - last->at >= t->wild->repeat_interval - SOON))
        return;
    VEC_EACH (const struct arrived_alert *, al, &m->alerts)
        if (!says(last, al))
            return;
    wrong(t, "told twice after %.3fs", (double)(m->at - last->at) / NS_PER_S);
    arrived_print(last);
    arrived_print(m);
}

/* What is on the disk of a notification that is going out. */
struct on_disk {
    str key;
    struct now now;
    uint64_t flush_id; /* 0: nothing */
};

static void look_on_disk(void *arg, str key, str value)
{
    struct on_disk *d = arg;
    struct outbox_row *row;

    if (!str_eq(key, d->key) || (row = outbox_unpack(key, value, d->now)) == NULL)
        return;
    d->flush_id = row->flush_id;
    outbox_row_free(row);
}

/* Persist, then send: unless the store is known to be broken. A digest is rendered by a worker: it may have been broken then. */
static void check_on_disk(struct truth *t, const struct arrived *m)
{
    struct buf key = BUF_INIT;
    struct on_disk d = {.now = stage_now(&t->sim->it)};
    struct outbox_slot **slot;

    if (m->in_digest != 0 && t->sim->it.pace.jobs != 0)
        return;
    nflog_key(&key, m->key, m->receiver, S("webhook"), 0);
    d.key = buf_str(&key);
    slot = outbox_map_get(&engine_of(t)->outbox, d.key);
    state_memory_each(t->sim->it.disk, STATE_OUTBOX, look_on_disk, &d);
    if (slot != NULL && !shell_is_degraded(t->sim->it.shell) && !t->disk_away &&
        (d.flush_id == 0 || d.flush_id < (*slot)->row->flush_id))
        wrong(t, "sent before it was on the disk");
    buf_release(&key);
}

/* A row of an earlier life may have been under way then. */
static bool is_sure(const struct truth *t, const struct told_group *g)
{
    return !g->is_unsure && engine_of(t)->rules_wait == RULES_RUN;
}

/* As the configuration has it, whatever was restarted meanwhile. */
static void check_pace(struct truth *t)
{
    size_t n = 0;

    if (t->wild->pace == 0)
        return;
    if (t->woke != 0 && now_mono(t) < t->woke + NS_PER_M) { /* what was being rendered goes now */
        vec_clear(&t->requests);
        return;
    }
    vec_push(&t->requests, now_mono(t));
    for (size_t i = t->requests.n; i-- > 0 && t->requests.v[i] > now_mono(t) - NS_PER_M;)
        n++;
    if (n > t->wild->pace)
        wrong(t, "%zu requests in a minute, of %zu that it takes", n, t->wild->pace);
}

/* Whether something keeps the alert from whoever is told under that key. */
static bool is_kept_back(struct truth *t, struct labels ls, str key)
{
    struct explanation x;
    struct arena a;
    bool kept = false;

    arena_init(&a, 0);
    engine_explain(engine_of(t), ls, t->sim->it.clock.now, &a, &x);
    for (size_t i = 0; i < x.n; i++)
        kept |= str_eq(x.routes[i].group_key, key) && x.routes[i].held_by != HELD_BY_NOTHING;
    explanation_release(&x);
    arena_release(&a);
    return kept;
}

/* What is told in place of another shows the whole group, too: who fires and is not in it is kept back. */
static void shows_in_place(struct truth *t, const struct arrived *m)
{
    VEC_EACH (struct heard *, h, &t->heard)
        if (h->fires && !is_back(h->receiver) && str_eq(h->key, m->key) &&
            fires_now(t, h->fingerprint) && is_kept_back(t, h->labels, m->key))
            h->fires = names(m, h->labels);
}

static void truth_sent_one(struct truth *t, const struct arrived *m, const struct sink *k)
{
    struct told_group *g = group_of(t, m);
    const struct known_budget *b = budget_of_group(t, m->key);
    bool sure = is_sure(t, g);

    g->is_unsure = k->status == 0 || k->cuts || k->takes + t->sim->it.pace.answers > TIMEOUT ||
                   (g->is_unsure && k->status / 100 != 2);
    g->was_unsure |= g->is_unsure;
    if (is_back(m->receiver) && b != NULL && b->n >= t->wild->budget)
        g->stood_in = now_mono(t);
    check_on_disk(t, m);
    if (k->status / 100 != 2)
        return;
    check_repeat(t, m);
    VEC_EACH (struct heard *, h, &t->heard)
        h->fires &= !str_eq(h->receiver, m->receiver) || !str_eq(h->key, m->key);
    VEC_EACH (const struct arrived_alert *, al, &m->alerts)
        check_alert(t, m, al, sure);
    check_opened(t, m);
    if (is_back(m->receiver) && b != NULL && b->spent == now_mono(t))
        shows_in_place(t, m);
}

void truth_sent(struct truth *t, const struct scripted_request *rq, const struct sink *k)
{
    struct inbox one = {0};
    size_t n = inbox_take(&one, rq, rq->at.mono - SIM_MONO, SIM_WALL, &t->sim->arena);

    if (k->status / 100 == 2)
        buf_addf(&t->told, "%.9f sent %.*s\n", (double)rq->at.mono / NS_PER_S, STR(rq->http.body));
    if (n != 0 && !is_back(one.v.v[0].receiver))
        check_pace(t);
    look_at_budgets(t);
    if (n != 0)
        check_budget(t, &one.v.v[0]);
    for (size_t i = 0; i < n; i++)
        truth_sent_one(t, &one.v.v[i], k);
    inbox_release(&one);
}

/* -- when all has come to rest -- */

/* What is decided waits for a message that the receivers' address takes again. */
static bool is_dry(const struct truth *t)
{
    bool dry = false;

    MAP_EACH (const struct u64_map_entry, b, &engine_of(t)->buckets)
        dry |= bucket_opens(b->value) > now_mono(t);
    return dry;
}

static void check_nothing_is_left(struct truth *t)
{
    struct stage_instance *it = &t->sim->it;
    struct engine *e = engine_of(t);

    if (scripted_in_flight(it->net) != 0 || pool_queued(it->pool) != 0 ||
        state_memory_queued(it->disk) != 0 || notify_under_way(shell_notify(it->shell)) != 0)
        wrong(t, "something is still under way");
    if (e->outbox.n != 0 && !is_dry(t))
        wrong(t, "%zu notifications still wait", e->outbox.n);
    if (!is_dry(t))
        MAP_EACH (const struct outbox_map_entry, o, &e->outbox)
            wrong(t, "%.*s: attempt %u, in %.3fs, in flight %d", STR(o->key),
                  o->value->row->attempt,
                  (double)(o->value->row->not_before - now_mono(t)) / NS_PER_S,
                  outbox_in_flight(o->value));
    VEC_EACH (struct answer_due *const *, d, &t->due)
        if ((*d)->is_open)
            wrong(t, "a request of life %llu was never answered", (unsigned long long)(*d)->life);
    VEC_EACH (const struct builtin *, b, &e->builtins)
        if (b->kind != BUILTIN_CLOCK_STEPPED && b->kind != BUILTIN_RECEIVER_FAILING)
            wrong(t, "still told of itself: %.*s %s", STR(b->subject), b->why);
    if (e->rules_wait != RULES_RUN)
        wrong(t, "rules still wait");
    if (shell_is_degraded(it->shell))
        wrong(t, "the store is still degraded");
}

static const struct rule_view *view_of(const struct truth *t, size_t k)
{
    VEC_EACH (struct rule_slot *const *, s, &engine_of(t)->rules)
        for (size_t i = 0; i < (*s)->shown->n_rules; i++) {
            const struct rule_view *v = &(*s)->shown->rules[i];

            if (v->name.n == 2 && v->name.p[0] == 'R' && v->name.p[1] == (char)('0' + k))
                return v;
        }
    return NULL;
}

/* It has been so since then, through all that happened. */
static void check_rule(struct truth *t, size_t k)
{
    const struct known_rule *x = &t->rules[k];
    const struct rule_view *v = view_of(t, k);
    ts_ns wall = t->sim->it.clock.now.wall, since;

    if ((v != NULL) != x->is_named) {
        wrong(t, "group %zu is %s", k, x->is_named ? "not there" : "still there");
        return;
    }
    if (v == NULL)
        return;
    if ((v->n_alerts != 0) != x->is_there) {
        wrong(t, "rule %zu has %zu alerts", k, v->n_alerts);
        return;
    }
    if (!t->wild->has_store && now_mono(t) - x->asked > 2 * NS_PER_M)
        wrong(t, "rule %zu was last asked %.0fs ago", k,
              (double)(now_mono(t) - x->asked) / NS_PER_S);
    since = wall - (now_mono(t) - x->since);
    if (x->is_there && t->stepped < x->began && v->alerts[0].active_at > since + AGAIN + t->paused)
        wrong(t, "rule %zu has fired for %.0fs, and should for %.0fs", k,
              (double)(wall - v->alerts[0].active_at) / NS_PER_S,
              (double)(wall - since) / NS_PER_S);
}

static void check_posted(struct truth *t)
{
    VEC_EACH (const struct known_alert *, a, &t->alerts)
        if (!a->is_refused && fires_now(t, labels_fingerprint(a->labels)) != a->is_sent)
            wrong(t, "an alert that is %s", a->is_sent ? "sent does not fire" : "over still fires");
}

static void check_rule_alerts(struct truth *t)
{
    size_t n[WILD_GROUPS] = {0}, k;
    struct arena a;

    arena_init(&a, 0);
    ALERT_TABLE_EACH (al, &engine_of(t)->alerts) {
        if (is_rule(label_set_view(&a, al->labels), &k) &&
            !alert_is_resolved(al, t->sim->it.clock.now))
            n[k]++;
    }
    arena_release(&a);
    for (k = 0; k < WILD_GROUPS; k++)
        if (n[k] != (size_t)(t->rules[k].is_named && t->rules[k].is_there))
            wrong(t, "%zu alerts of rule %zu fire", n[k], k);
}

/* An alert about tocsin itself ends when its time has come, which may be just now: the group's next tick tells. */
static bool ends_by_itself(const struct truth *t, const struct heard *h)
{
    const struct alert *al = engine_alert(engine_of(t), h->fingerprint);

    return al != NULL && builtin_is_name(labels_get(h->labels, S("alertname"))) &&
           al->expires_mono > now_mono(t) - NS_PER_M - SOON;
}

/* Of an end that went out from memory alone a later life knows nothing: by its log the receiver was told that it fires. */
static bool is_end_forgotten(const struct heard *h)
{
    return h->ever_fired && !h->fires && h->is_forgotten && h->is_from_memory;
}

/* Who stood in for the receiver, whose day's messages were spent then, has heard what it has not: that it fires, or its end. */
static bool is_heard_in_place(struct truth *t, const struct heard *h, bool fires)
{
    const struct known_budget *b = budget_of_group(t, h->key);

    if (b == NULL || b->spent == 0 || is_back(h->receiver))
        return false;
    VEC_EACH (const struct heard *, x, &t->heard)
        if (is_back(x->receiver) && x->fingerprint == h->fingerprint && str_eq(x->key, h->key))
            return fires ? x->fires && b->spent + LONG >= x->at
                         : x->ended >= h->at && b->spent + LONG >= x->ended;
    return false;
}

/* Who is not kept back was heard of, by everybody. */
static void check_heard(struct truth *t)
{
    const struct heard *heard;
    struct arena a;

    arena_init(&a, 0);
    VEC_EACH (const struct heard *, h, &t->heard)
        if (h->fires && !h->is_forgotten && !fires_now(t, h->fingerprint) &&
            !ends_by_itself(t, h) && !is_heard_in_place(t, h, false))
            wrong_alert(t, "never heard of the end of", h->receiver, h->labels);
    ALERT_TABLE_EACH (al, &engine_of(t)->alerts) {
        struct labels ls = label_set_view(&a, al->labels);
        struct explanation x;

        engine_explain(engine_of(t), ls, t->sim->it.clock.now, &a, &x);
        for (size_t i = 0; i < x.n && !x.is_resolved; i++) {
            const struct explain_route *r = &x.routes[i];

            heard =
                heard_of(t, arena_str(&t->sim->arena, r->route->receiver),
                         arena_str(&t->sim->arena, r->group_key), labels_copy(&t->sim->arena, ls));
            if (r->held_by == HELD_BY_NOTHING && !heard->fires && !is_end_forgotten(heard) &&
                !is_heard_in_place(t, heard, true))
                wrong_alert(t, "was not told of", r->route->receiver, ls);
        }
        explanation_release(&x);
    }
    arena_release(&a);
}

/* A rule keeps what has ended for a quarter of an hour. */
static bool ended_lately(const struct truth *t)
{
    for (size_t k = 0; k < WILD_GROUPS; k++)
        if (!t->rules[k].is_there && t->rules[k].since > now_mono(t) - 20 * NS_PER_M)
            return true;
    return false;
}

/* The disk has what memory has, and no more. */
static void check_disk(struct truth *t)
{
    struct engine *e = engine_of(t);
    struct silence_list all = {0};
    size_t alerts = shown_alerts(t);

    silencer_all(e->silencer, &all);
    if (rows_of(t, STATE_OUTBOX) != e->outbox.n || rows_of(t, STATE_TOLD) != e->nflog.n ||
        rows_of(t, STATE_SILENCE) != all.n)
        wrong(t, "the disk has %zu/%zu notifications, %zu/%zu log entries, %zu/%zu silences",
              rows_of(t, STATE_OUTBOX), e->outbox.n, rows_of(t, STATE_TOLD), e->nflog.n,
              rows_of(t, STATE_SILENCE), all.n);
    if (rows_of(t, STATE_RULE) != alerts && !ended_lately(t))
        wrong(t, "the disk has %zu rows of %zu alerts of rules", rows_of(t, STATE_RULE), alerts);
    vec_release(&all);
}

/* Each shows its newest generation. */
static void check_groups(struct truth *t)
{
    const struct config *conf = config_of(engine_of(t)->conf);

    for (size_t i = 0; i < engine_of(t)->rules.n && i < conf->n_groups; i++) {
        const struct rule_group_view *v = engine_of(t)->rules.v[i]->shown;
        const struct rule_group_conf *g = &conf->groups[i];

        if (v->n_rules != g->n_rules || v->interval != g->interval)
            wrong(t, "group %.*s is not what the configuration says", STR(v->name));
    }
}

static void judge_rest(struct truth *t)
{
    struct engine *e = engine_of(t);

    look_at_budgets(t);
    check_nothing_is_left(t);
    check_slots(t);
    if (e->rules.n != e->rule_slots.n || e->stats.rule_stale != 0)
        wrong(t, "%zu of %zu groups are left, %llu answers were nobody's", e->rules.n,
              e->rule_slots.n, (unsigned long long)e->stats.rule_stale);
    for (size_t k = 0; k < WILD_GROUPS; k++)
        check_rule(t, k);
    check_posted(t);
    check_rule_alerts(t);
    check_heard(t);
    check_groups(t);
    check_disk(t);
}

void truth_judge(struct truth *t)
{
    judge_rest(t);
    note_restart(t);
    /* its own store is read for a while, and until then no rule is asked */
    t->sim->it.pace.jobs = t->wild->has_store ? LONG_REPLAY : 0;
    sim_restart(t->sim, t->sim->stage.seed % 2 != 0);
    sim_go_on(t->sim, 2 * LONG_REPLAY);
    t->sim->it.pace.jobs = 0;
    if (t->stepped == 0) /* of a set clock the log does not know */
        t->trouble = 0;  /* nothing was under way: nothing is told again */
    sim_go_on(t->sim, 6 * NS_PER_M - 2 * LONG_REPLAY);
    judge_rest(t);
}

void truth_open(struct truth *t, struct sim *s, const char *name, const struct wild *w,
                struct coverage *c)
{
    *t = (struct truth){.sim = s, .name = name, .wild = w, .coverage = c};
    for (size_t k = 0; k < WILD_GROUPS; k++)
        t->rules[k] = (struct known_rule){.is_named = w->rules[0].is_named[k],
                                          .is_renamed = w->rules[0].is_renamed[k],
                                          .since = SIM_MONO};
    for (size_t i = 0; i < ARRAY_LEN(t->budgets); i++)
        t->budgets[i] = (struct known_budget){.receiver = i == 0 ? S("r0") : S("r1"),
                                              .day = (SIM_WALL + w->scn.begins) / (24 * NS_PER_H)};
}

void truth_close(struct truth *t)
{
    VEC_EACH (struct answer_due *const *, d, &t->due)
        mem_free(*d);
    VEC_EACH (const struct known_silence *, s, &t->silences)
        silence_free(s->silence);
    vec_release(&t->due);
    vec_release(&t->alerts);
    vec_release(&t->silences);
    vec_release(&t->heard);
    vec_release(&t->groups);
    vec_release(&t->requests);
    buf_release(&t->told);
}
