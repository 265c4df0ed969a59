/* What lasts, and how it comes back: alerts from the alert log (the newest record of a fingerprint wins), silences, the
 * notification log and the outbox from rows. Groups are not stored: they follow from the alerts and the tree, and their
 * ticks keep their phase by the notification log (flush.c). */
#include "engine/engine_priv.h"

#include "base/record.h"
#include "codec/pack.h"

struct restoring {
    struct engine *e;
    struct now now;
    size_t unreadable;
    struct arena scratch;
};

/* Version 0.1.0 wrote a commit's alerts as one record. */
static bool restore_alerts(void *arg, str record)
{
    struct restoring *r = arg;
    struct unpack u = unpack_of(record);

    while (!unpack_at_end(&u)) {
        struct alert *a =
            alert_unpack(&u, &r->scratch, r->e->names, r->e->conf->resolve_timeout, r->now);
        struct alert *old;

        if (a == NULL) {
            r->unreadable++;
            break;
        }
        old = engine_alert(r->e, alert_fingerprint(a));
        u64_map_put(&r->e->alerts, alert_fingerprint(a), a);
        alert_unref(old);
        arena_reset(&r->scratch);
    }
    r->e->log_bytes += RECORD_HEAD + record.n;
    return true;
}

static bool restore_silence(void *arg, str key, str value)
{
    struct restoring *r = arg;
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

static bool restore_nflog(void *arg, str key, str value)
{
    struct restoring *r = arg;
    struct nflog_entry *n = nflog_unpack(value, r->now);

    if (n == NULL)
        r->unreadable++;
    else
        nflog_map_put(&r->e->nflog, mem_str_dup(key), n);
    return true;
}

static bool restore_outbox(void *arg, str key, str value)
{
    struct restoring *r = arg;
    struct outbox_row *row = outbox_unpack(key, value, r->now);
    struct outbox_slot *s;

    if (row == NULL) {
        r->unreadable++;
        return true;
    }
    s = mem_new(struct outbox_slot);
    s->row = row;
    outbox_map_put(&r->e->outbox, row->key, s);
    heap_push(&r->e->outbox_timers, &s->timer, row->not_before);
    if (row->flush_id >= r->e->next_flush_id)
        r->e->next_flush_id = row->flush_id + 1;
    return true;
}

static bool restore_rule(void *arg, str key, str value)
{
    struct restoring *r = arg;

    if (!rules_restore(r->e, key, value, r->now))
        r->unreadable++;
    return true;
}

static bool restore_decision(void *arg, str key, str value)
{
    struct restoring *r = arg;

    if (!journal_restore(&r->e->journal, key, value))
        r->unreadable++;
    return true;
}

static bool restore_meta(void *arg, str key, str value)
{
    struct restoring *r = arg;
    uint64_t v;

    if (str_is(key, "alive") && str_to_u64(value, &v))
        r->e->down_at = (ts_ns)v;
    return true;
}

bool engine_restore(struct engine *e, struct state_backend *b, struct now now, size_t *unreadable,
                    struct err *err)
{
    struct restoring r = {.e = e, .now = now};
    const struct state_backend_ops *ops = b->ops;
    bool ok;

    arena_init(&r.scratch, 0);
    ok = ops->scan_alerts(b->self, restore_alerts, &r, err);
    arena_release(&r.scratch);
    if (!ok)
        return err_wrap(err, "reading the alert log");
    if (!ops->scan(b->self, STATE_SILENCE, restore_silence, &r, err) ||
        !ops->scan(b->self, STATE_NFLOG, restore_nflog, &r, err) ||
        !ops->scan(b->self, STATE_OUTBOX, restore_outbox, &r, err) ||
        !ops->scan(b->self, STATE_DECISION, restore_decision, &r, err) ||
        !ops->scan(b->self, STATE_META, restore_meta, &r, err) ||
        !ops->scan(b->self, STATE_RULE, restore_rule, &r, err))
        return err_wrap(err, "reading the state");
    e->live_bytes = 0;
    MAP_EACH (struct u64_map_entry, it, &e->alerts) {
        e->live_bytes += 256;
        inhibitor_add(e->inhibitor, it->value);
        limits_admit_name(&e->limits, it->value, now);
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

void engine_snapshot(struct engine *e, struct now now, struct state_commit *c)
{
    struct silence_list all = {0};
    struct buf b = BUF_INIT;

    MAP_EACH (struct u64_map_entry, it, &e->alerts)
        engine_log_alert(&c->alerts, it->value);
    e->log_bytes = e->live_bytes = c->alerts.n;
    silencer_all(e->silencer, &all);
    for (size_t i = 0; i < all.n; i++) {
        buf_clear(&b);
        silence_pack(&b, all.v[i]);
        state_put(c, STATE_SILENCE, uuid_str(&all.v[i]->id), buf_str(&b));
    }
    vec_release(&all);
    MAP_EACH (struct nflog_map_entry, it, &e->nflog) {
        buf_clear(&b);
        nflog_pack(&b, it->value, now);
        state_put(c, STATE_NFLOG, it->key, buf_str(&b));
    }
    MAP_EACH (struct outbox_map_entry, it, &e->outbox) {
        const struct outbox_slot *s = it->value;

        buf_clear(&b);
        outbox_pack(&b, s->next != NULL ? s->next : s->row, now);
        state_put(c, STATE_OUTBOX, it->key, buf_str(&b));
    }
    rules_snapshot(e, c);
    journal_snapshot(&e->journal, c);
    buf_release(&b);
}
