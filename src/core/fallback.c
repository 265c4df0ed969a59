/* Falling back, following with the ends whoever was told so, and budgets, which send to another receiver in place of a message more. A
 * fallback is told by rows of its own, which the log of its integration keeps from being told twice. */
#include "core/fallback.h"

#include "base/mem.h"
#include "codec/pack.h"
#include "core/engine_priv.h"

/* -- falling back -- */

static void note_fallen(struct effects *fx, const struct outbox_row *r,
                        const struct notification *n, const struct core_integration *ic,
                        const char *why, struct now now)
{
    struct decision *d = decide_told(fx, n, now);

    d->receiver = arena_str(&fx->arena, n->receiver);
    d->integration = ic->kind;
    d->index = ic->index;
    d->group_key = arena_str(&fx->arena, outbox_group_key(r));
    d->why = arena_printf(&fx->arena, "in place of %.*s: %s", STR(r->receiver), why);
}

static const struct nflog_entry *fallback_entry(const struct engine *e, str key)
{
    struct nflog_entry **entry = nflog_map_get(&e->nflog, key);

    return entry != NULL ? *entry : NULL;
}

/* What is said there next, as the log will have it; false: nothing waits. */
static bool is_being_told(const struct engine *e, str key, struct nflog_entry *out)
{
    const struct outbox_slot *s = outbox_slot_of(e, key);
    const struct outbox_row *newest = s == NULL ? NULL : s->next != NULL ? s->next : s->row;

    if (newest == NULL)
        return false;
    *out = (struct nflog_entry){
        .sent_mono = newest->decided_mono, .firing = newest->firing, .resolved = newest->resolved};
    return true;
}

/* An end of which own, not known, has the beginning, and known not what came then. */
static bool falls_end(const struct outbox_row *r, const struct nflog_entry *known,
                      const struct nflog_entry *own)
{
    bool is_older = known == NULL || known->sent_mono < own->sent_mono;

    for (size_t i = 0; i < r->resolved.n; i++)
        if (hash_list_has(own->firing, r->resolved.v[i]) &&
            (is_older || !hash_list_has(known->resolved, r->resolved.v[i])))
            return true;
    return false;
}

/* Whether that has been told what the row says, whenever: what else fires may be kept back. own: what the one says in whose place it
 * would hear it for good; of an end, that one alone may have heard the beginning: somebody is to hear it. */
static bool has_fallen(const struct outbox_row *r, const struct core_integration *ic,
                       const struct nflog_entry *known, const struct nflog_entry *own)
{
    if (known == NULL ? r->firing.n != 0
                      : known->is_unsure || !hash_list_is_subset(r->firing, known->firing))
        return false;
    for (size_t i = 0; known != NULL && ic->send_resolved && i < r->resolved.n; i++)
        if (hash_list_has(known->firing, r->resolved.v[i]))
            return false;
    return own == NULL || !ic->send_resolved || !falls_end(r, known, own);
}

static bool falls_on(const struct engine *e, const struct outbox_row *r,
                     const struct core_integration *ic, str key, const struct nflog_entry *own,
                     struct now now)
{
    const struct nflog_entry *known = fallback_entry(e, key);
    struct nflog_entry next;

    if (r->firing.n == 0 && !ic->send_resolved)
        return false;
    if (is_being_told(e, key, &next))
        return !has_fallen(r, ic, &next, own);
    return !has_fallen(r, ic, known, own) ||
           nflog_decide(known, r->firing, r->resolved, ic->send_resolved, r->repeat_interval,
                        now) == REASON_REPEAT;
}

/* Tells `to` what the row tells, as far as it does not know. own: as of has_fallen(). */
static void row_falls(struct engine *e, const struct outbox_row *r, const struct core_receiver *to,
                      const struct nflog_entry *own, const char *why, struct now now,
                      struct effects *fx)
{
    struct notification n;
    struct buf key = BUF_INIT;

    if (!outbox_tells(r, &fx->arena, &n))
        return;
    n.receiver = to->name;
    for (size_t i = 0; i < to->n_integrations; i++) {
        const struct core_integration *ic = &to->integrations[i];

        buf_clear(&key);
        nflog_key(&key, outbox_group_key(r), to->name, ic->kind, ic->index);
        if (!falls_on(e, r, ic, buf_str(&key), own, now))
            continue;
        n.flush_id = ++e->next_flush_id;
        note_fallen(fx, r, &n, ic, why, now);
        outbox_decide(e, &n, NULL, ic, buf_str(&key), r->firing, r->resolved, r->repeat_interval,
                      now, fx);
        outbox_asked_at(e, buf_str(&key), r->asked); /* somebody may be kept back since */
    }
    buf_release(&key);
}

static const struct core_receiver *fallback_of(const struct engine *e, str receiver)
{
    const struct core_receiver *rc = e->conf->any_stands_in ? engine_receiver(e, receiver) : NULL;

    return rc != NULL && rc->fallback.n != 0 ? engine_receiver(e, rc->fallback) : NULL;
}

/* NULL: it need not. */
static const char *why_it_falls(const struct engine *e, const struct outbox_slot *s, bool refused,
                                struct now now)
{
    const struct outbox_row *r = s->row;
    dur_ns patience = receiver_patience(e, r->receiver);
    ts_ns opens = queue_opens(&e->queue, s->destination);
    ts_ns goes = r->not_before > opens ? r->not_before : opens;

    if (refused)
        return "it was refused";
    if (now.mono - r->since > patience)
        return "it has waited for longer than group_interval";
    if (r->urgency == 0 && r->attempt != 0)
        return "it is critical, and an attempt failed";
    /* Of what is under way already, the destination opens for what comes after it. */
    if (r->urgency == 0 && !outbox_in_flight(s) && goes != TS_NONE && goes - now.mono > patience)
        return "it is critical, and would wait for longer than group_interval";
    return NULL;
}

void fallback_look(struct engine *e, struct outbox_slot *s, bool refused, struct now now,
                   struct effects *fx)
{
    const struct core_receiver *to = fallback_of(e, s->row->receiver);
    const char *why = to != NULL ? why_it_falls(e, s, refused, now) : NULL;

    /* what was decided since says all that this one would, and maybe that it is over */
    if (why != NULL && s->next == NULL)
        row_falls(e, s->row, to, NULL, why, now, fx);
}

void fallback_gc(struct engine *e, struct now now, struct effects *fx)
{
    VEC(struct outbox_slot *) waiting = VEC_INIT;
    bool any = false;

    for (size_t i = 0; i < e->conf->n_receivers && !any; i++)
        any = e->conf->receivers[i].fallback.n != 0;
    if (any) /* what falls makes new rows */
        MAP_EACH (struct outbox_map_entry, it, &e->outbox)
            vec_push(&waiting, it->value);
    VEC_EACH (struct outbox_slot **, s, &waiting)
        fallback_look(e, *s, false, now, fx);
    vec_release(&waiting);
}

/* -- ends -- */

/* A group as it is looked at: its alerts, and those of them that nothing keeps back, in the same order. */
struct followed {
    const struct group *group;
    const struct alert_list *all, *told;
};

/* What it was told that fires, or is being told. */
static struct hash_list fallen(const struct engine *e, str key)
{
    const struct nflog_entry *entry = fallback_entry(e, key);
    struct nflog_entry next;

    if (is_being_told(e, key, &next))
        return next.firing;
    return entry != NULL ? entry->firing : (struct hash_list){NULL, 0};
}

/* Who wants no ends knows of them all the same: what fires again is news. */
static void forget_ends(struct engine *e, str key, struct hash_list firing, struct hash_list ended,
                        struct now now, struct effects *fx)
{
    const struct nflog_entry *known = fallback_entry(e, key);
    struct nflog_entry *now_known;

    if (firing.n == 0)
        (void)outbox_drop_unsent(e, key, now, fx, "resolved before it could be delivered");
    if (known == NULL)
        return;
    now_known = nflog_entry_new(known->timestamp, known->sent_mono, known->expires_mono, firing,
                                ended, known->kept, known->n_kept);
    now_known->is_unsure = known->is_unsure;
    if (firing.n != 0 && known->opened_as.n != 0)
        now_known->opened_as = mem_str_dup(known->opened_as);
    nflog_write(e, key, now_known, now, fx);
}

/* What fires by that list and has ended: tells so, and what of it fires on and is not kept back, as the one is no end of the
 * other. */
static void tell_ends(struct engine *e, const struct followed *x, const struct core_receiver *to,
                      const struct core_integration *ic, str key, struct now now,
                      struct effects *fx)
{
    struct hash_list known = fallen(e, key);
    struct hash_list firing = {arena_array(&fx->arena, x->all->n, sizeof(uint64_t)), 0};
    struct hash_list ended = {arena_array(&fx->arena, x->all->n, sizeof(uint64_t)), 0};
    struct notified_alert *v = arena_array(&fx->arena, x->all->n, sizeof(*v));
    struct notification n = {.receiver = to->name,
                             .group_key = x->group->key,
                             .group_labels = label_set_view(&fx->arena, x->group->labels),
                             .decided_at = now.wall,
                             .alerts = v};

    for (size_t i = 0, k = 0; i < x->all->n; i++) {
        uint64_t hash = label_set_dedup_hash(x->all->v[i]->labels);
        bool is_over = alert_is_resolved(x->all->v[i], now);
        bool is_told = k < x->told->n && x->told->v[k] == x->all->v[i];

        k += is_told;
        if (!hash_list_has(known, hash) || !(is_over || is_told || !ic->send_resolved))
            continue;
        if (is_over)
            ended.v[ended.n++] = hash;
        else
            firing.v[firing.n++] = hash;
        v[n.n_alerts++] = engine_notified(x->all->v[i], now, &fx->arena);
        n.n_firing += !is_over;
    }
    if (ended.n == 0)
        return;
    hash_list_sort(&ended);
    hash_list_sort(&firing);
    if (!ic->send_resolved) {
        forget_ends(e, key, firing, ended, now, fx);
        return;
    }
    n.reason = firing.n == 0 ? REASON_ALL_RESOLVED : REASON_SOME_RESOLVED;
    notification_set_act(&n);
    n.flush_id = ++e->next_flush_id;
    outbox_decide(e, &n, NULL, ic, key, firing, ended, x->group->route->conf->repeat_interval, now,
                  fx);
}

static void follow_instead(struct engine *e, const struct followed *x,
                           const struct core_receiver *rc, struct now now, struct effects *fx);

static void follow_to(struct engine *e, const struct followed *x, str receiver, struct now now,
                      struct effects *fx)
{
    const struct core_receiver *to = engine_receiver(e, receiver);
    struct buf key = BUF_INIT;

    for (size_t i = 0; to != NULL && i < to->n_integrations; i++) {
        buf_clear(&key);
        nflog_key(&key, x->group->key, to->name, to->integrations[i].kind,
                  to->integrations[i].index);
        tell_ends(e, x, to, &to->integrations[i], buf_str(&key), now, fx);
    }
    buf_release(&key);
    if (to != NULL)
        follow_instead(e, x, to, now, fx);
}

/* Whoever may have been told in its place. */
static void follow_instead(struct engine *e, const struct followed *x,
                           const struct core_receiver *rc, struct now now, struct effects *fx)
{
    if (rc->fallback.n != 0)
        follow_to(e, x, rc->fallback, now, fx);
    if (rc->budget_then.n != 0 && !str_eq(rc->budget_then, rc->fallback))
        follow_to(e, x, rc->budget_then, now, fx);
}

void fallback_follow(struct engine *e, const struct group *g, const struct core_receiver *rc,
                     const struct alert_list *all, const struct alert_list *told, struct now now,
                     struct effects *fx)
{
    const struct followed x = {g, all, told};

    if (rc != NULL)
        follow_instead(e, &x, rc, now, fx);
}

bool fallback_any_told(const struct engine *e, str group_key, str receiver)
{
    const struct core_receiver *rc = engine_receiver(e, receiver);
    struct buf key = BUF_INIT;
    bool told = false;

    for (size_t i = 0; rc != NULL && i < rc->n_integrations && !told; i++) {
        const struct nflog_entry *entry;

        buf_clear(&key);
        nflog_key(&key, group_key, rc->name, rc->integrations[i].kind, rc->integrations[i].index);
        entry = fallback_entry(e, buf_str(&key));
        told = (entry != NULL && entry->firing.n != 0) || outbox_slot_of(e, buf_str(&key)) != NULL;
    }
    buf_release(&key);
    return told ||
           (rc != NULL && rc->fallback.n != 0 && fallback_any_told(e, group_key, rc->fallback)) ||
           (rc != NULL && rc->budget_then.n != 0 &&
            fallback_any_told(e, group_key, rc->budget_then));
}

/* -- budgets -- */

enum { BUDGET_VERSION = 1 };
#define DAY (24 * NS_PER_H)

static struct budget_state *budget_of(const struct engine *e, str receiver)
{
    VEC_EACH (struct budget_state *, b, &e->budgets)
        if (str_eq(b->receiver, receiver))
            return b;
    return NULL;
}

static struct budget_state *budget_find_or_new(struct engine *e, str receiver)
{
    struct budget_state *b = budget_of(e, receiver);

    if (b != NULL)
        return b;
    vec_push(&e->budgets, (struct budget_state){.receiver = mem_str_dup(receiver)});
    return vec_last(&e->budgets);
}

static void budget_put(struct state_commit *c, const struct budget_state *b)
{
    struct buf key = BUF_INIT, out = BUF_INIT;

    buf_addf(&key, "budget/%.*s", STR(b->receiver));
    pack_u64(&out, BUDGET_VERSION);
    pack_i64(&out, b->day);
    pack_u64(&out, b->spent);
    state_put(c, STATE_META, buf_str(&key), buf_str(&out));
    buf_release(&key);
    buf_release(&out);
}

uint64_t budget_spent(const struct engine *e, str receiver, ts_ns wall)
{
    const struct budget_state *b = budget_of(e, receiver);

    return b != NULL && b->day == wall / DAY ? b->spent : 0;
}

bool budget_spend(struct engine *e, struct outbox_slot *s, struct now now, struct effects *fx)
{
    const struct core_receiver *rc =
        e->conf->any_stands_in ? engine_receiver(e, s->row->receiver) : NULL;
    const struct core_receiver *to;
    struct budget_state *b;

    if (rc == NULL || rc->budget_per_day == 0)
        return true;
    b = budget_find_or_new(e, rc->name);
    if (b->day != now.wall / DAY)
        *b = (struct budget_state){.receiver = b->receiver, .day = now.wall / DAY};
    if (b->spent < rc->budget_per_day) {
        b->spent++;
        budget_put(&fx->commit, b);
        s->row->written = e->turns + 1;
        return true;
    }
    to = engine_receiver(e, rc->budget_then);
    if (to == NULL) /* towards noise */
        return true;
    row_falls(e, s->row, to, fallback_entry(e, s->row->key), "the day's budget is spent", now, fx);
    return false;
}

enum budget_other budget_asks_other(const struct engine *e, const struct outbox_row *r)
{
    const struct core_receiver *rc = engine_receiver(e, r->receiver);
    const struct core_receiver *to = rc != NULL ? engine_receiver(e, rc->budget_then) : NULL;
    const struct nflog_entry *own = fallback_entry(e, r->key);
    bool waits = false, is_told = to != NULL;
    struct buf key = BUF_INIT;

    for (size_t i = 0; to != NULL && i < to->n_integrations; i++) {
        const struct core_integration *ic = &to->integrations[i];

        buf_clear(&key);
        nflog_key(&key, outbox_group_key(r), to->name, ic->kind, ic->index);
        waits |= outbox_slot_of(e, buf_str(&key)) != NULL;
        is_told &= has_fallen(r, ic, fallback_entry(e, buf_str(&key)), own);
    }
    buf_release(&key);
    return waits ? BUDGET_OTHER_WAITS : is_told ? BUDGET_OTHER_TOLD : BUDGET_OTHER_NOT_TOLD;
}

bool budget_hears_end(const struct engine *e, const struct outbox_row *r, uint64_t hash)
{
    struct buf key = BUF_INIT;
    bool hears = false;

    for (size_t i = 0; i < e->conf->n_receivers; i++) {
        const struct core_receiver *rc = &e->conf->receivers[i];

        for (size_t k = 0; k < rc->n_integrations && str_eq(rc->budget_then, r->receiver); k++) {
            const struct outbox_slot *s;
            const struct nflog_entry *known;

            buf_clear(&key);
            nflog_key(&key, outbox_group_key(r), rc->name, rc->integrations[k].kind,
                      rc->integrations[k].index);
            s = outbox_slot_of(e, buf_str(&key));
            known = fallback_entry(e, buf_str(&key));
            hears |= s != NULL && s->stands_by &&
                     ((known != NULL && hash_list_has(known->firing, hash)) ||
                      budget_hears_end(e, s->row, hash));
        }
    }
    buf_release(&key);
    return hears;
}

bool budget_restore(struct restoring *r, str key, str value)
{
    struct unpack u = unpack_of(value);
    struct budget_state *b;
    int64_t day;
    uint64_t spent;

    if (!str_starts_with(key, S("budget/")) || unpack_u64(&u) != BUDGET_VERSION)
        return true;
    day = unpack_i64(&u);
    spent = unpack_u64(&u);
    if (u.failed)
        return true;
    b = budget_find_or_new(r->e, str_sub(key, strlen("budget/"), key.n));
    b->day = day;
    b->spent = spent;
    return true;
}

void budget_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    (void)now;
    VEC_EACH (const struct budget_state *, b, &e->budgets)
        budget_put(c, b);
}

void budgets_release(struct engine *e)
{
    VEC_EACH (struct budget_state *, b, &e->budgets)
        mem_str_free(b->receiver);
    vec_release(&e->budgets);
}
