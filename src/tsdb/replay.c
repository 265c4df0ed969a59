/* Replaying repeats the commits, so that what follows from them (staleness, refusals, hints) follows again. */
#include "tsdb/lane.h"
#include "tsdb/log.h"
#include "tsdb/log_record.h"
#include "tsdb/tsdb_priv.h"

struct tsdb_replayer {
    struct tsdb *db;
    VEC(struct tsdb_stream *) streams; /* by number */
    VEC(uint32_t) refs;                /* by number */
    struct tsdb_batch batch;
    size_t samples;
    ts_ms newest;
};

struct tsdb_replayer *tsdb_replayer_new(struct tsdb *db)
{
    struct tsdb_replayer *r = mem_new(struct tsdb_replayer);

    r->db = db;
    r->newest = INT64_MIN;
    tsdb_batch_init(&r->batch);
    return r;
}

void tsdb_replayer_free(struct tsdb_replayer *r)
{
    tsdb_batch_release(&r->batch);
    vec_release(&r->streams);
    vec_release(&r->refs);
    mem_free(r);
}

size_t tsdb_replayer_samples(const struct tsdb_replayer *r)
{
    return r->samples;
}

ts_ms tsdb_replayer_newest(const struct tsdb_replayer *r)
{
    return r->newest;
}

static void add_item(struct tsdb_replayer *r, const struct log_item *item,
                     struct tsdb_neighbour *near)
{
    struct tsdb_batch *b = &r->batch;
    struct tsdb_item own = {
        .slot = item->histogram != NULL ? STORAGE_HISTOGRAM : item->slot,
        .more = tsdb_batch_rest(b, (struct tsdb_rest){item->histogram, item->start})};
    enum tsdb_refusal why;

    if (item->is_new)
        vec_push(&r->refs,
                 tsdb_series_for(r->db, b->stream, NULL, item->labels, own.slot, near, &why));
    own.ref = r->refs.v[item->series];
    vec_push(&b->items, own);
}

static bool replay_batch(struct tsdb_replayer *r, struct unpack *u, const struct log_head *head,
                         struct err *e)
{
    struct tsdb_batch *b = &r->batch;
    struct tsdb_neighbour near = {.labels = LABELS_NONE};
    struct err refused = ERR_INIT;
    uint64_t last = UINT64_MAX;

    for (size_t i = 0; i < head->items; i++) {
        struct log_item item;

        if (!log_read_item(u, last, r->refs.n, &b->a, &item, e))
            return false;
        add_item(r, &item, &near);
        last = item.series;
    }
    if (tsdb_commit_locked(b, &refused)) /* else the limits are other ones now: counted there */
        r->samples += b->items.n;
    return true;
}

static bool replay_locked(struct tsdb_replayer *r, str bytes, struct err *e)
{
    struct unpack u = unpack_of(bytes);
    struct tsdb_batch *b = &r->batch;
    struct log_head head;

    if (!log_read_head(&u, r->streams.n, &head, e))
        return false;
    if (head.kind == LOG_STEP) {
        tsdb_shift_locked(r->db, head.t);
        return true;
    }
    if (head.is_new)
        vec_push(&r->streams, head.is_lane ? lane_open(r->db, &head.conf, head.t)
                                           : tsdb_open_locked(r->db, &head.conf));
    b->db = r->db;
    b->stream = r->streams.v[head.stream];
    b->t = head.t;
    vec_clear(&b->items);
    vec_clear(&b->rest);
    arena_reset(&b->a);
    r->newest = head.t > r->newest ? head.t : r->newest;
    if (head.kind == LOG_CLOSE) {
        tsdb_close_locked(r->db, b->stream, head.t);
        return true;
    }
    b->stream->is_open = true;
    return replay_batch(r, &u, &head, e);
}

bool tsdb_replay_record(struct tsdb_replayer *r, str bytes, struct err *e)
{
    bool ok;

    tsdb_lock_write(r->db);
    ok = replay_locked(r, bytes, e);
    tsdb_unlock(r->db);
    return ok;
}
