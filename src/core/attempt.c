/* An attempt: a row is about to be sent. Much may have changed since it was decided, the receiver may have been down for
 * an hour, so the audience is asked again, and who is kept back by now is taken out of the row. A row with nobody left is
 * withdrawn: the log has no entry of it, so the end of the silence tells. What may have arrived stays as it is: whoever
 * may have read that an alert fires is to read that it has ended. */
#include "core/engine_priv.h"

/* The judge says the same as it just did of the row; here it is written down. */
static void note_held(struct engine *e, const struct row_audience *x, const struct outbox_row *row,
                      struct now now, struct effects *fx)
{
    struct look l = {.e = e,
                     .group = x->group,
                     .group_key = outbox_group_key(row),
                     .receiver = arena_str(&fx->arena, row->receiver), /* the row goes */
                     .now = now,
                     .fx = fx};
    struct verdict v = {HELD_BY_NOTHING};

    for (size_t i = 0; i < x->all.n_alerts; i++) {
        const struct notified_alert *a = &x->all.alerts[i];
        uint64_t hash = labels_dedup_hash(a->labels);

        if (!hash_list_has(x->firing, hash) && !hash_list_has(x->resolved, hash) &&
            !audience_tells(&x->of, a->labels, &v))
            look_holds(&l, a->fingerprint, &v);
    }
    look_ends(&l, &x->of);
    verdict_release(&v);
}

const struct outbox_row *attempt_ask(struct engine *e, str key, struct now now, struct effects *fx)
{
    struct outbox_slot **slot = outbox_map_get(&e->outbox, key);
    struct outbox_row *row = slot != NULL ? (*slot)->row : NULL;
    struct nflog_entry **entry = nflog_map_get(&e->nflog, key);
    const struct nflog_entry *known = entry != NULL ? *entry : NULL;
    const struct outbox_row *to_send = row;
    struct row_audience x;
    bool is_withdrawn;
    struct arena scratch; /* a turn may ask of thousands of alerts */

    if (row == NULL || audience_is_settled(e, row, now.mono))
        return row;
    row->asked = audience_revision(e);
    arena_init(&scratch, 0);
    if (audience_of_row(e, row, known, now, &scratch, &x) && !x.is_whole) {
        note_held(e, &x, row, now, fx);
        if (x.group != NULL)
            group_wake_early(e, x.group, x.wake, now);
        is_withdrawn = row_is_withdrawn(&x, row, known, now.mono);
        to_send =
            is_withdrawn ? NULL : outbox_reduce(e, *slot, &x.told, x.firing, x.resolved, now, fx);
        if (is_withdrawn)
            outbox_withdraw(e, *slot, now, fx);
    }
    arena_release(&scratch);
    return to_send;
}
