/* What lasts, and how it comes back: alerts from the alert log (the newest record of a fingerprint wins), silences, the
 * notification log and the outbox from rows. Rows of rules are the rule driver's. Groups are not stored: they follow from
 * the alerts and the tree, and their ticks keep their phase by the notification log (flush.c). */
#include "core/engine_priv.h"
#include "core/part.h"

#include "base/record.h"
#include "codec/pack.h"

/* Version 0.1.0 wrote a commit's alerts as one record. */
bool alerts_restore(struct restoring *r, str key, str record)
{
    struct unpack u = unpack_of(record);

    (void)key;

    while (!unpack_at_end(&u)) {
        struct alert *a =
            alert_unpack(&u, &r->scratch, r->e->names, r->e->conf->resolve_timeout, r->now);

        if (a == NULL) {
            r->unreadable++;
            break;
        }
        alert_unref(alert_table_put(&r->e->alerts, a));
        r->alerts++;
        arena_reset(&r->scratch);
    }
    r->e->log_bytes += RECORD_HEAD + record.n;
    return true;
}

bool silences_restore(struct restoring *r, str key, str value)
{
    struct err e = ERR_INIT;
    struct silence *s = silence_unpack(value, &e);

    if (s == NULL || !str_eq(key, uuid_str(&s->id))) {
        silence_free(s);
        r->unreadable++;
        return true;
    }
    silencer_restore(r->e->silencer, s);
    return true;
}

/* What the row is called now; key itself if that is the same. */
static str restore_key_of(struct restoring *r, str key)
{
    buf_clear(&r->key);
    return old_keys_rename(&r->old_keys, key, &r->key) ? buf_str(&r->key) : key;
}

bool nflog_restore(struct restoring *r, str key, str value)
{
    struct nflog_entry *n = nflog_unpack(value, r->now), **known;
    str now = restore_key_of(r, key), group_key, receiver, integration;
    bool is_renamed = now.p != key.p;
    uint64_t index;

    if (n == NULL) {
        r->unreadable++;
        return true;
    }
    if (is_renamed)
        state_delete(&r->fx->commit, STATE_TOLD, key);
    known = nflog_map_get(&r->e->nflog, now);
    if (known != NULL && (*known)->timestamp >= n->timestamp) {
        nflog_entry_free(n);
        return true;
    }
    if (is_renamed && n->firing.n != 0 && n->opened_as.n == 0 &&
        nflog_key_split(key, &group_key, &receiver, &integration, &index))
        n->opened_as = mem_str_dup(group_key);
    if (is_renamed || known != NULL) {
        nflog_write(r->e, now, n, r->now, r->fx);
        return true;
    }
    nflog_map_put(&r->e->nflog, mem_str_dup(key), n);
    return true;
}

bool outbox_restore_row(struct restoring *r, str key, str value)
{
    str now = restore_key_of(r, key);
    bool is_renamed = now.p != key.p;
    struct outbox_row *row = outbox_unpack(now, value, r->now);

    if (row == NULL) {
        r->unreadable++;
        return true;
    }
    if (row->flush_id >= r->e->next_flush_id)
        r->e->next_flush_id = row->flush_id + 1;
    if (is_renamed)
        state_delete(&r->fx->commit, STATE_OUTBOX, key);
    outbox_restore(r->e, row, is_renamed, r->now, r->fx);
    return true;
}

bool decisions_restore(struct restoring *r, str key, str value)
{

    if (!journal_restore(&r->e->journal, key, value))
        r->unreadable++;
    return true;
}

struct restore_reading {
    struct restoring *r;
    const struct core_part *part;
};

static bool restore_read_row(void *arg, str key, str value)
{
    const struct restore_reading *x = arg;

    return x->part->restore(x->r, key, value);
}

static bool restore_read_all(struct restoring *r, const struct state_reader *from, struct err *err)
{
    CORE_PARTS_EACH(p)
    {
        struct restore_reading x = {r, p};

        if (p->restore != NULL && !from->scan(from->self, p->table, restore_read_row, &x, err))
            return err_wrap(err, "reading the state");
    }
    return true;
}

bool engine_restore(struct engine *e, const struct state_reader *from, struct now now,
                    struct effects *fx, size_t *unreadable, struct err *err)
{
    struct restoring r = {.e = e, .now = now, .fx = fx};
    bool ok;

    arena_init(&r.scratch, 0);
    old_keys_init(&r.old_keys, &e->tree);
    ok = restore_read_all(&r, from, err);
    old_keys_release(&r.old_keys);
    arena_release(&r.scratch);
    buf_release(&r.key);
    if (!ok)
        return false;
    e->live_bytes = r.alerts != 0 ? e->log_bytes / r.alerts * e->alerts.n : 0;
    ALERT_TABLE_EACH (a, &e->alerts) {
        inhibitor_add(e->inhibitor, a);
        limits_admit_name(&e->limits, a, now);
    }
    groups_rebuild(e, now, true);
    *unreadable = r.unreadable;
    return true;
}

void engine_log_alert(struct buf *out, const struct alert *a)
{
    size_t at = record_begin(out);

    alert_pack(out, a);
    record_end(out, at);
}

void alerts_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    (void)now;
    ALERT_TABLE_EACH (a, &e->alerts)
        engine_log_alert(&c->alerts, a);
    e->log_bytes = e->live_bytes = c->alerts.n;
}

void silences_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    struct silence_list all = {0};
    struct buf b = BUF_INIT;

    (void)now;
    silencer_all(e->silencer, &all);
    for (size_t i = 0; i < all.n; i++) {
        buf_clear(&b);
        silence_pack(&b, all.v[i]);
        state_put(c, STATE_SILENCE, uuid_str(&all.v[i]->id), buf_str(&b));
    }
    vec_release(&all);
    buf_release(&b);
}

void nflog_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    struct buf b = BUF_INIT;

    MAP_EACH (struct nflog_map_entry, it, &e->nflog) {
        buf_clear(&b);
        nflog_pack(&b, it->value, now);
        state_put(c, STATE_TOLD, it->key, buf_str(&b));
    }
    buf_release(&b);
}

void outbox_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    struct buf b = BUF_INIT;

    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        const struct outbox_slot *s = it->value;

        buf_clear(&b);
        outbox_pack(&b, s->next != NULL ? s->next : s->row, now);
        state_put(c, STATE_OUTBOX, it->key, buf_str(&b));
    }
    buf_release(&b);
}

void decisions_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    (void)now;
    journal_snapshot(&e->journal, c);
}

void engine_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    CORE_PARTS_EACH(p)
    if (p->snapshot != NULL)
        p->snapshot(e, now, c);
}
