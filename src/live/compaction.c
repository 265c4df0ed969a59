#include "live/compaction.h"

enum { SLICE_ALERTS = 1000, SLICE_BYTES = 1 << 20, LOG_FLOOR = 1 << 20 };

static bool is_due(const struct engine *e)
{
    return e->log_bytes > 2 * e->live_bytes + LOG_FLOOR;
}

static void compaction_begin(struct compaction *c, const struct engine *e)
{
    compaction_stop(c);
    c->log_bytes = e->log_bytes;
    c->packed_bytes = 0;
    ALERT_TABLE_EACH (a, &e->alerts)
        vec_push(&c->left, alert_fingerprint(a));
}

static void pack_slice(struct compaction *c, const struct engine *e, struct buf *out)
{
    size_t end = c->left.n - c->at > SLICE_ALERTS ? c->at + SLICE_ALERTS : c->left.n;

    while (c->at < end && out->n < SLICE_BYTES) {
        const struct alert *a = engine_alert(e, c->left.v[c->at++]);

        if (a != NULL)
            engine_log_alert(out, a);
    }
    c->packed_bytes += out->n;
}

uint64_t compaction_step(struct compaction *c, struct engine *e, const struct state_backend *b,
                         uint64_t reported)
{
    struct buf records = BUF_INIT;
    enum state_slice which = STATE_SLICE_NEXT;

    if (c->left.n == 0) {
        if (!is_due(e))
            return 0;
        compaction_begin(c, e);
        which |= STATE_SLICE_FIRST;
    } else if (c->slice > reported) {
        return 0;
    }
    pack_slice(c, e, &records);
    if (c->at == c->left.n) {
        which |= STATE_SLICE_LAST;
        e->log_bytes = e->log_bytes - c->log_bytes + c->packed_bytes;
        e->live_bytes = c->packed_bytes;
        compaction_stop(c);
    }
    c->slice = b->ops->alerts_slice(b->self, &records, which);
    return c->slice;
}

void compaction_stop(struct compaction *c)
{
    vec_clear(&c->left);
    c->at = 0;
}

void compaction_release(struct compaction *c)
{
    vec_release(&c->left);
}
