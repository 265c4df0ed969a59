/* Rule groups and their slots. A group runs at its slots, never twice at once; what a slow run misses is counted and
 * skipped. A reload leaves an unchanged group running, gives a changed one the state of the old, and waits with that
 * until the old one's run has ended. */
#include "engine/engine_priv.h"

#include <stdio.h>
#include "codec/escape.h"
#include "ruler/rule_persist.h"

enum { FAILING_AFTER = 3 };

static void arm(struct engine *e, struct rule_run *r, ts_ns slot, struct now now)
{
    ts_ns due = slot > now.wall ? ts_add(now.mono, slot - now.wall) : now.mono;

    r->next_slot = slot;
    heap_push(&e->rule_timers, &r->timer, due);
}

static str link_base(const struct config *conf, str source)
{
    const struct source_conf *sc = config_source(conf, source);
    str base = STR_NONE;

    if (sc != NULL)
        base = sc->external_url.n != 0 ? sc->external_url
               : sc->n_urls != 0       ? sc->urls[0]
                                       : STR_NONE;
    return url_trim_slash(base);
}

static struct rule_group *make_group(const struct config *conf, const struct rule_group_conf *gc,
                                     struct tsdb *db)
{
    return rule_group_new(gc, link_base(conf, gc->source), db);
}

/* Of the i-th group of the configuration in force. */
static struct rule_run *run_new(struct engine *e, size_t i, struct rules_ahead *ahead)
{
    struct rule_run *r = mem_new(struct rule_run);

    if (ahead != NULL && ahead->v[i] != NULL) {
        r->group = ahead->v[i];
        ahead->v[i] = NULL;
    } else {
        r->group = make_group(e->conf, &e->conf->groups[i], e->db);
    }
    r->group->external_labels = e->conf->external_labels;
    r->conf = config_ref(e->conf);
    r->shown = rule_group_view_ref(r->group->view);
    return r;
}

/* What it ran is left to be freed. */
static struct effect_retire run_free(struct engine *e, struct rule_run *r)
{
    struct effect_retire left = {r->group, r->conf};

    heap_remove(&e->rule_timers, &r->timer);
    rule_group_view_unref(r->shown);
    mem_free(r);
    return left;
}

static void note_stale(void *arg, str key, str value)
{
    struct engine *e = arg;

    (void)value;
    vec_push(&e->stale_rows, mem_str_dup(key));
}

/* Frees a run whose group is gone or was replaced. What is left of its alerts leaves rows behind: were they kept, a
 * rule that comes back after weeks would find its alerts as old as that, and fire at once. */
static void retire(struct engine *e, struct rule_run *r, struct effects *fx)
{
    struct arena a;

    arena_init(&a, 0);
    rule_group_rows(r->group, &a, note_stale, e);
    arena_release(&a);
    rule_group_leave(r->group);
    vec_push(&fx->retire, run_free(e, r));
}

static void delete_stale(struct engine *e, struct effects *fx)
{
    VEC_EACH (str *, key, &e->stale_rows) {
        state_delete(&fx->commit, STATE_RULE, *key);
        mem_str_free(*key);
    }
    vec_clear(&e->stale_rows);
}

static bool is_group(const struct rule_group_conf *gc, str file, str name)
{
    return str_eq(gc->file, file) && str_eq(gc->name, name);
}

/* Takes the run of that group out of v, looking from *at on, where the one after the last is found when the order has
 * stayed. NULL: there is none. */
static struct rule_run *take_old(struct rule_run **v, size_t n, size_t *at,
                                 const struct rule_group_conf *gc)
{
    for (size_t k = 0; k < n; k++) {
        size_t i = *at + k < n ? *at + k : *at + k - n;
        struct rule_run *r = v[i];

        if (r == NULL || !is_group(r->group->conf, gc->file, gc->name))
            continue;
        v[i] = NULL;
        *at = i + 1 < n ? i + 1 : 0;
        return r;
    }
    return NULL;
}

/* Whether the group runs as it is. */
static bool runs(const struct config *running, const struct rule_group_conf *gc, size_t *at)
{
    for (size_t k = 0; k < running->n_groups; k++) {
        size_t i = *at + k < running->n_groups ? *at + k : *at + k - running->n_groups;
        const struct rule_group_conf *was = &running->groups[i];

        if (!is_group(was, gc->file, gc->name))
            continue;
        *at = i + 1 < running->n_groups ? i + 1 : 0;
        return rule_group_same(was, gc);
    }
    return false;
}

struct rules_ahead *rules_ahead_new(const struct config *running, const struct config *next,
                                    struct tsdb *db)
{
    struct rules_ahead *a = mem_new(struct rules_ahead);
    size_t at = 0;

    a->n = next->n_groups;
    a->v = mem_array(a->n, sizeof(struct rule_group *));
    for (size_t i = 0; i < a->n; i++)
        if (!runs(running, &next->groups[i], &at))
            a->v[i] = make_group(next, &next->groups[i], db);
    return a;
}

void rules_ahead_free(struct rules_ahead *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->n; i++)
        rule_group_free(a->v[i]);
    mem_free(a->v);
    mem_free(a);
}

static void show(struct rule_run *r)
{
    rule_group_view_unref(r->shown);
    r->shown = rule_group_view_ref(r->group->view);
}

/* The group whose run is under way, and whose state r waits for; NULL: none. */
static struct rule_run *awaited_by(struct engine *e, const struct rule_run *r)
{
    VEC_EACH (struct rule_run **, l, &e->leaving)
        if ((*l)->heir == r)
            return *l;
    return NULL;
}

/* A group that was removed, and whose run has not ended yet. */
static struct rule_run *removed_of(struct engine *e, const struct rule_group_conf *gc)
{
    VEC_EACH (struct rule_run **, l, &e->leaving)
        if ((*l)->heir == NULL && is_group((*l)->group->conf, gc->file, gc->name))
            return *l;
    return NULL;
}

/* The run that is under way goes on to its end, and what it leaves goes to heir; NULL: to nobody. */
static void leave_to(struct engine *e, struct rule_run *running, struct rule_run *heir)
{
    running->heir = heir;
    running->removed = heir == NULL;
    vec_push(&e->leaving, running);
}

static void take_over(struct engine *e, struct rule_run *fresh, struct rule_run *old,
                      struct now now, struct effects *fx)
{
    struct rule_run *awaited = awaited_by(e, old);

    if (old->running) {
        leave_to(e, old, fresh);
        return;
    }
    if (awaited != NULL) { /* never ran: its place is the fresh one's */
        awaited->heir = fresh;
        retire(e, old, fx);
        return;
    }
    rule_group_move_state(fresh->group, old->group);
    show(fresh);
    retire(e, old, fx);
    arm(e, fresh, rule_group_slot_after(fresh->group->conf, now.wall), now);
}

/* A group that was not there before: unless it comes back while its run of then is under way. */
static void begin_anew(struct engine *e, struct rule_run *fresh, struct now now)
{
    struct rule_run *then = removed_of(e, fresh->group->conf);

    if (then == NULL) {
        arm(e, fresh, rule_group_slot_after(fresh->group->conf, now.wall), now);
        return;
    }
    then->heir = fresh;
    then->removed = false;
}

/* The configuration names it no more. */
static void drop(struct engine *e, struct rule_run *r, struct effects *fx)
{
    struct rule_run *awaited = awaited_by(e, r);

    if (r->running) {
        leave_to(e, r, NULL);
        return;
    }
    if (awaited != NULL) {
        awaited->heir = NULL;
        awaited->removed = true;
    }
    retire(e, r, fx);
}

/* What a worker has found out is not looked for again. */
static bool is_same(const struct rule_run *was, const struct rules_ahead *ahead, size_t i,
                    const struct rule_group_conf *gc)
{
    return ahead != NULL ? ahead->v[i] == NULL : rule_group_same(was->group->conf, gc);
}

void rules_configure(struct engine *e, struct rules_ahead *ahead, struct now now,
                     struct effects *fx)
{
    size_t n_old = e->rules.n, at = 0;
    struct rule_run **old = mem_array(n_old, sizeof(*old));

    if (n_old != 0)
        memcpy(old, e->rules.v, n_old * sizeof(*old));
    vec_clear(&e->rules);
    for (size_t i = 0; i < e->conf->n_groups; i++) {
        const struct rule_group_conf *gc = &e->conf->groups[i];
        struct rule_run *was = take_old(old, n_old, &at, gc), *r;

        if (was != NULL && is_same(was, ahead, i, gc)) {
            vec_push(&e->rules, was);
            continue;
        }
        r = run_new(e, i, ahead);
        vec_push(&e->rules, r);
        if (was != NULL)
            take_over(e, r, was, now, fx);
        else
            begin_anew(e, r, now);
    }
    for (size_t i = 0; i < n_old; i++)
        if (old[i] != NULL)
            drop(e, old[i], fx);
    mem_free(old);
    rules_ahead_free(ahead);
}

static void end_all(struct engine *e, struct rule_run **v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct effect_retire left = run_free(e, v[i]);

        effect_retire(&left);
    }
}

void rules_release(struct engine *e)
{
    end_all(e, e->rules.v, e->rules.n);
    vec_release(&e->rules);
    end_all(e, e->leaving.v, e->leaving.n);
    vec_release(&e->leaving);
    VEC_EACH (str *, key, &e->stale_rows)
        mem_str_free(*key);
    vec_release(&e->stale_rows);
}

/* While our own store is being filled, what it would answer is not the truth yet. */
static bool must_wait(const struct engine *e, const struct rule_run *r)
{
    if (e->rules_wait != RULES_WAIT_FOR_TARGETS)
        return e->rules_wait == RULES_WAIT_FOR_REPLAY;
    for (size_t i = 0; i < r->group->conf->n_rules; i++)
        if (r->group->conf->rules[i].is_own)
            return true;
    return false;
}

void engine_hold_rules(struct engine *e, enum rules_wait wait)
{
    e->rules_wait = wait;
}

void rules_run_due(struct engine *e, struct now now, struct effects *fx)
{
    struct heap_node *n;

    delete_stale(e, fx);
    while ((n = heap_min(&e->rule_timers)) != NULL && n->key <= now.mono) {
        struct rule_run *r = container_of(n, struct rule_run, timer);

        heap_remove(&e->rule_timers, n);
        if (must_wait(e, r)) {
            arm(e, r, rule_group_slot_after(r->group->conf, now.wall), now);
            continue;
        }
        rule_group_set_own_base(r->group, e->external_url);
        r->running = true;
        r->since = now.mono;
        vec_push(&fx->run, (struct effect_run){r->group, r->next_slot});
    }
    if (e->next_alive <= now.mono && e->rules.n != 0) {
        struct buf b = BUF_INIT;

        e->next_alive = ts_add(now.mono, RULE_ALIVE_INTERVAL);
        buf_add_i64(&b, now.wall);
        state_put(&fx->commit, STATE_META, S("alive"), buf_str(&b));
        buf_release(&b);
    }
}

/* The wall clock stepped: slots are absolute, so the next ones are elsewhere now. Of a group that runs the slot under way
 * becomes the last one by the new time, from which next_slot() goes on. */
void rules_rearm(struct engine *e, struct now now)
{
    VEC_EACH (struct rule_run **, r, &e->rules) {
        ts_ns next = rule_group_slot_after((*r)->group->conf, now.wall);

        if (heap_holds(&(*r)->timer))
            arm(e, *r, next, now);
        else if ((*r)->running)
            (*r)->next_slot = next - (*r)->group->conf->interval;
    }
}

bool rule_run_is_late(const struct rule_run *r, struct now now)
{
    return r->running && now.mono - r->since > r->group->conf->interval;
}

static struct rule_run *run_of(struct engine *e, const struct rule_group *g)
{
    VEC_EACH (struct rule_run **, r, &e->rules)
        if ((*r)->group == g)
            return *r;
    return NULL;
}

/* The group's alerts may be gone before the turn ends. */
static void forward(const struct alert_input *v, size_t n, struct effects *fx)
{
    for (size_t i = 0; i < n; i++) {
        struct alert_input own = v[i];

        own.labels = labels_copy(&fx->arena, v[i].labels);
        own.annotations = labels_copy(&fx->arena, v[i].annotations);
        own.generator_url = arena_str(&fx->arena, v[i].generator_url);
        vec_push(&fx->forward, own);
    }
}

/* External labels are added where the alert has none of that name; then alerts are relabeled, or dropped. */
static void send(struct engine *e, struct rule_group *g, struct now now, struct effects *fx)
{
    struct alert_input *v = arena_array(&fx->arena, g->send.n, sizeof(*v));
    struct event_result ignored = {.ok = true};
    size_t n = 0;

    for (size_t i = 0; i < g->send.n; i++) {
        v[n] = g->send.v[i];
        if (e->conf->external_labels.n != 0)
            v[n].labels = labels_merge(&fx->arena, e->conf->external_labels, v[n].labels);
        n += relabel(&e->conf->alerting.alert_relabel_configs, v[n].labels, &fx->arena,
                     &v[n].labels);
    }
    alerts_take(e, v, n, ALERTS_OF_RULES, now, fx, &ignored);
    if (e->conf->alerting.alertmanagers.n != 0)
        forward(v, n, fx);
    buf_release(&ignored.text);
}

static void judge(struct engine *e, struct rule_group *g, struct now now, struct effects *fx)
{
    const struct rule *worst = NULL;
    char why[640];

    for (size_t i = 0; i < g->n_rules; i++)
        if (g->rules[i].failures >= FAILING_AFTER &&
            (worst == NULL || g->rules[i].failures > worst->failures))
            worst = &g->rules[i];
    if (worst != NULL && g->failed > g->outages) {
        snprintf(why, sizeof(why), "rule '%.*s' failed %u times in a row: %s",
                 STR(worst->conf->name), worst->failures, worst->last_error);
        builtin_set(e, BUILTIN_RULE_FAILING, true, g->conf->name, str_of(why), now, fx);
    } else if (worst == NULL) {
        builtin_set(e, BUILTIN_RULE_FAILING, false, g->conf->name, STR_NONE, now, fx);
    }
}

static void next_slot(struct engine *e, struct rule_run *r, struct now now)
{
    dur_ns interval = r->group->conf->interval;
    int64_t k = (now.wall - r->next_slot) / interval;

    if (k < 1)
        k = 1;
    if (k > 1) {
        r->group->missed += (uint64_t)(k - 1);
        e->stats.rule_missed += (uint64_t)(k - 1);
    }
    arm(e, r, r->next_slot + k * interval, now);
}

static void put_row(void *arg, str key, str value)
{
    state_put(arg, STATE_RULE, key, value);
}

/* What the run changed; everything when the store was written anew without it. */
static void keep_rows(struct rule_run *r, struct effects *fx)
{
    VEC_EACH (const struct rule_row *, row, &r->group->rows) {
        if (row->value.n != 0)
            state_put(&fx->commit, STATE_RULE, row->key, row->value);
        else
            state_delete(&fx->commit, STATE_RULE, row->key);
    }
    if (r->rewrite)
        rule_group_rows(r->group, &fx->arena, put_row, &fx->commit);
    r->rewrite = false;
}

void rules_done(struct engine *e, struct rule_group *g, struct now now, struct effects *fx)
{
    struct rule_run *r = run_of(e, g);

    if (r == NULL)
        for (size_t i = 0; i < e->leaving.n && r == NULL; i++)
            if (e->leaving.v[i]->group == g)
                r = e->leaving.v[i];
    BUG_ON(r == NULL);
    r->running = false;
    show(r);
    rule_history_note(&e->rule_history, g);
    e->stats.rule_evaluations += g->evaluated;
    e->stats.rule_took += g->rules_took;
    e->stats.group_took += g->took;
    e->stats.group_runs++;
    keep_rows(r, fx);
    send(e, g, now, fx);
    if (r->heir == NULL && !r->removed) {
        judge(e, g, now, fx);
        next_slot(e, r, now);
        return;
    }
    for (size_t i = 0; i < e->leaving.n; i++)
        if (e->leaving.v[i] == r)
            vec_remove(&e->leaving, i--);
    if (r->heir != NULL) {
        struct rule_run *heir = r->heir;

        r->heir = NULL;
        take_over(e, heir, r, now, fx);
    } else {
        retire(e, r, fx);
    }
}

/* -- a restart -- */

void rules_restore_begin(struct engine *e, struct rule_places *p)
{
    *p = (struct rule_places){0};
    arena_init(&p->arena, 0);
    VEC_EACH (struct rule_run **, r, &e->rules) {
        struct rule_group *g = (*r)->group;

        for (size_t i = 0; i < g->n_rules; i++) {
            bool is_new;
            void **slot = u64_map_add(&p->by_identity, g->rules[i].identity, NULL, &is_new);

            if (!is_new) /* of two that are alike the first keeps what there is */
                continue;
            *slot = arena_new(&p->arena, struct rule_place);
            *(struct rule_place *)*slot = (struct rule_place){*r, &g->rules[i]};
        }
    }
}

bool rules_restore(struct engine *e, struct rule_places *p, str key, str value, struct now now)
{
    uint64_t identity;
    void **slot = rule_row_identity(key, &identity) ? u64_map_get(&p->by_identity, identity) : NULL;
    struct rule_place *place = slot != NULL ? *slot : NULL;

    if (place != NULL &&
        rule_group_restore(place->run->group, place->rule, value, e->down_at, now)) {
        place->run->is_restored = true;
        return true;
    }
    note_stale(e, key, value);
    return place == NULL; /* a rule that is gone is no damage */
}

void rules_restore_end(struct engine *e, struct rule_places *p)
{
    VEC_EACH (struct rule_run **, r, &e->rules) {
        if (!(*r)->is_restored)
            continue;
        rule_group_make_view((*r)->group);
        show(*r);
    }
    u64_map_release(&p->by_identity);
    arena_release(&p->arena);
}

void rules_snapshot(struct engine *e, struct state_commit *c)
{
    struct arena a;

    arena_init(&a, 0);
    VEC_EACH (struct rule_run **, r, &e->rules) {
        if ((*r)->running) /* a running group is the worker's */
            (*r)->rewrite = true;
        else
            rule_group_rows((*r)->group, &a, put_row, c);
    }
    arena_release(&a);
}
