/* What a look at a group leaves of whom it keeps back: decisions, counts, and what it said, so that the same verdict as
 * the last time is no news. Of a time that keeps everybody back there is one decision, of the group. */
#include "core/engine_priv.h"
#include "core/happenings.h"

static const enum decision_kind kinds[] = {
    [HELD_BY_INHIBITION] = DECISION_INHIBITED,
    [HELD_BY_ACTIVE_TIME] = DECISION_OUTSIDE_ACTIVE,
    [HELD_BY_MUTE_TIME] = DECISION_MUTED_TIME,
    [HELD_BY_SILENCE] = DECISION_SILENCED,
};

/* The alert (0: all of the group) is kept back, by whom stands in by. */
static void suppress_note(struct look *l, uint64_t fingerprint, enum held_by held_by, str by,
                          ts_ns until)
{
    struct decision *d = decide(l->fx, kinds[held_by], l->now);
    void *verdict = (void *)(uintptr_t)(hash_bytes(by.p, by.n) + (uint64_t)d->kind), **last;

    d->fingerprint = fingerprint;
    d->group_key = arena_str(&l->fx->arena, l->group_key);
    d->receiver = l->receiver;
    d->by = arena_str(&l->fx->arena, by);
    d->until = until;
    if (l->group == NULL)
        return;
    last = u64_map_get(&l->group->said, fingerprint);
    d->is_repeated = last != NULL && *last == verdict;
    u64_map_put(&l->group->said, fingerprint, verdict);
}

void look_holds(struct look *l, uint64_t fingerprint, const struct verdict *v)
{
    struct buf by = BUF_INIT;

    l->e->stats.suppressed[v->held_by]++;
    happened_held(l->e, fingerprint, v, l->fx);
    if (v->held_by == HELD_BY_INHIBITION) {
        VEC_EACH (const struct inhibition *, h, &v->inhibited_by)
            buf_addf(&by, "%s%016llx", by.n == 0 ? "" : ",", (unsigned long long)h->fingerprint);
        suppress_note(l, fingerprint, v->held_by, buf_str(&by), TS_NONE);
    } else if (v->held_by == HELD_BY_SILENCE) {
        VEC_EACH (const struct silence *const *, s, &v->silenced_by)
            buf_addf(&by, "%s%s", by.n == 0 ? "" : ",", (*s)->id.text);
        suppress_note(l, fingerprint, v->held_by, buf_str(&by), v->until);
    } else {
        l->out_of_time++;
    }
    buf_release(&by);
}

void look_tells(struct look *l, uint64_t fingerprint)
{
    if (l->group != NULL)
        u64_map_del(&l->group->said, fingerprint);
}

void look_ends(struct look *l, const struct audience *au)
{
    struct buf by = BUF_INIT;

    if (l->out_of_time != 0) {
        audience_names(au, au->time, &by);
        suppress_note(l, 0, au->time, buf_str(&by), TS_NONE);
    } else if (au->time == HELD_BY_NOTHING) {
        look_tells(l, 0);
    }
    buf_release(&by);
}
