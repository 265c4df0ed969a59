#include "model/decision.h"

#include "codec/pack.h"

const char *decision_kind_text(enum decision_kind k)
{
    static const char *const texts[] = {[DECISION_GROUPED] = "grouped",
                                        [DECISION_INHIBITED] = "inhibited",
                                        [DECISION_SILENCED] = "silenced",
                                        [DECISION_MUTED_TIME] = "muted",
                                        [DECISION_OUTSIDE_ACTIVE] = "outside active time",
                                        [DECISION_NOTIFY] = "notify",
                                        [DECISION_NOTHING] = "nothing new",
                                        [DECISION_REPLACED] = "replaced",
                                        [DECISION_DROPPED] = "dropped",
                                        [DECISION_DELIVERED] = "delivered",
                                        [DECISION_RETRY] = "retry",
                                        [DECISION_FAILED] = "failed",
                                        [DECISION_RESOLVED_UNSENT] = "resolved unsent"};

    return texts[k];
}

/* Later fields are appended inside the record, which says its own length. */
void decision_pack(struct buf *out, const struct decision *d)
{
    size_t from = out->n;

    pack_u64(out, d->kind);
    pack_i64(out, d->at);
    pack_i64(out, d->until == TS_NONE ? 0 : d->until);
    pack_u64(out, d->fingerprint);
    pack_str(out, d->group_key);
    pack_str(out, d->receiver);
    pack_str(out, d->integration);
    pack_u64(out, d->index);
    pack_str(out, d->why);
    pack_str(out, d->by);
    pack_u64(out, d->flush_id);
    pack_u64(out, d->n_alerts);
    pack_u64(out, d->n_firing);
    for (size_t i = 0; i < d->n_alerts; i++)
        pack_fixed64(out, d->alerts[i]);
    pack_u64(out, d->attempt);
    pack_i64(out, d->status);
    pack_i64(out, d->took);
    pack_str_end(out, from);
}

bool decision_unpack(struct unpack *in, struct arena *a, struct decision *d)
{
    struct unpack u = unpack_of(unpack_str(in));
    uint64_t *alerts;

    *d = (struct decision){.kind = (enum decision_kind)unpack_u64(&u)};
    d->at = unpack_i64(&u);
    d->until = unpack_i64(&u);
    if (d->until == 0)
        d->until = TS_NONE;
    d->fingerprint = unpack_u64(&u);
    d->group_key = unpack_str(&u);
    d->receiver = unpack_str(&u);
    d->integration = unpack_str(&u);
    d->index = (unsigned)unpack_u64(&u);
    d->why = unpack_str(&u);
    d->by = unpack_str(&u);
    d->flush_id = unpack_u64(&u);
    d->n_alerts = unpack_count(&u, 8);
    d->n_firing = (size_t)unpack_u64(&u);
    alerts = arena_array(a, d->n_alerts, sizeof(*alerts));
    for (size_t i = 0; i < d->n_alerts; i++)
        alerts[i] = unpack_fixed64(&u);
    d->alerts = alerts;
    d->attempt = (unsigned)unpack_u64(&u);
    d->status = (int)unpack_i64(&u);
    d->took = unpack_i64(&u);
    return !in->failed && !u.failed && d->kind <= DECISION_RESOLVED_UNSENT &&
           d->n_firing <= d->n_alerts;
}
