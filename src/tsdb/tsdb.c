/* What the parts (stream.h, lane.h, selector.h, index.h, log.h) are together: the lock and what stands beside it,
 * symbols and labels, streams that open and close, the clock, and the port of PromQL. */
#include "tsdb/log.h"
#include "tsdb/tsdb_priv.h"

MAP_DEFINE(stream_map, str, struct tsdb_stream *, hash_str, str_eq);

enum { MIN_REACH_MS = 5 * 60 * 1000 };

const char *const tsdb_refusal_names[TSDB_REFUSALS] = {
    [TSDB_OUT_OF_ORDER] = "out_of_order",
    [TSDB_DUPLICATE] = "duplicate",
    [TSDB_FOREIGN] = "foreign",
    [TSDB_TOO_MANY_SERIES] = "too_many_series",
    [TSDB_TOO_MUCH_MEMORY] = "too_much_memory",
    [TSDB_LABELS_TOO_LONG] = "labels_too_long",
    [TSDB_LABELS_INVALID] = "labels_invalid",
};

struct tsdb *tsdb_new(const struct tsdb_options *o)
{
    struct tsdb *db = mem_new(struct tsdb);
    pthread_rwlockattr_t attr;

    pthread_rwlockattr_init(&attr); /* else a stream of queries keeps all samples out */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&db->lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    db->o = *o;
    if (db->o.min_reach_ms == 0)
        db->o.min_reach_ms = MIN_REACH_MS;
    if (db->o.max_reach_ms == 0 || db->o.max_reach_ms > TSDB_TIME_MAX)
        db->o.max_reach_ms = TSDB_TIME_MAX;
    selectors_init(db);
    return db;
}

void tsdb_free(struct tsdb *db)
{
    if (db == NULL)
        return;
    tsdb_log_free(db->log);
    MAP_EACH (struct stream_map_entry, e, &db->streams) {
        stream_release(e->value);
        mem_free(e->value);
    }
    stream_map_release(&db->streams);
    selectors_release(db);
    series_release(&db->series);
    index_release(&db->index);
    slab_release(&db->slab);
    symbols_release(&db->symbols);
    vec_release(&db->scratch);
    pthread_rwlock_destroy(&db->lock);
    mem_free(db);
}

/* -- symbols and labels -- */

void tsdb_forget_symbol(void *arg, uint32_t symbol)
{
    struct tsdb *db = arg;

    if (!db->symbols.v.v[symbol].is_remembered)
        return;
    MAP_EACH (struct selector_set_entry, e, &db->selectors.all)
        for (size_t i = 0; i < e->key->n; i++)
            if (e->key->m[i].memo != NULL)
                memo_map_del(e->key->m[i].memo, symbol);
}

void tsdb_unref_symbol(struct tsdb *db, uint32_t symbol)
{
    if (symbols_unref(&db->symbols, symbol))
        tsdb_forget_symbol(db, symbol);
}

struct labels tsdb_labels(const struct tsdb *db, uint32_t id, struct arena *a)
{
    const struct series_key *k = db->series.keys.v[id];
    struct label *v = arena_alloc(a, k->n * sizeof(*v));

    for (uint32_t i = 0; i < k->n; i++)
        v[i] = (struct label){symbols_text(&db->symbols, k->v[i].name),
                              symbols_text(&db->symbols, k->v[i].value)};
    return (struct labels){v, k->n};
}

/* -- streams -- */

struct tsdb_stream *tsdb_open_locked(struct tsdb *db, const struct tsdb_stream_conf *c)
{
    struct tsdb_stream **hit = stream_map_get(&db->streams, c->name), *s;

    if (hit != NULL) {
        s = *hit;
        s->is_open = true;
        s->interval_ms = c->interval_ms;
        s->marks_stale = c->marks_stale;
        return s;
    }
    s = mem_new(struct tsdb_stream);
    stream_init(s, c, &db->slab, &db->stream_bytes);
    stream_map_put(&db->streams, s->name, s);
    return s;
}

bool tsdb_stream_is_known(struct tsdb *db, str name)
{
    bool is_known;

    tsdb_lock_read(db);
    is_known = stream_map_get(&db->streams, name) != NULL;
    tsdb_unlock(db);
    return is_known;
}

struct tsdb_stream *tsdb_stream_open(struct tsdb *db, const struct tsdb_stream_conf *c,
                                     const struct tsdb_stream *had)
{
    struct tsdb_stream *s;

    tsdb_lock_write(db);
    s = tsdb_open_locked(db, c);
    s->holders += s != had;
    tsdb_unlock(db);
    return s;
}

void tsdb_close_locked(struct tsdb *db, struct tsdb_stream *s, ts_ms t)
{
    s->is_open = false;
    if (s->n_series == 0 || stream_last(s) == INT64_MIN)
        return;
    if (t <= stream_last(s) || !tsdb_time_is_valid(t))
        t = stream_last(s) + 1;
    stream_advance(s, t);
    stream_settle(s, true);
    if (db->log != NULL)
        tsdb_log_stream_end(db->log, s, t);
}

/* The last of its holders ends it. */
static void let_go_locked(struct tsdb *db, struct tsdb_stream *s, ts_ms t)
{
    if (--s->holders == 0)
        tsdb_close_locked(db, s, t);
}

void tsdb_stream_close(struct tsdb *db, struct tsdb_stream *s, ts_ms t)
{
    tsdb_lock_write(db);
    let_go_locked(db, s, t);
    tsdb_unlock(db);
}

void tsdb_stream_leave(struct tsdb_stream *s)
{
    s->left++;
}

void tsdb_stream_close_left(struct tsdb *db, struct tsdb_stream *s, ts_ms t)
{
    tsdb_lock_write(db);
    s->left--;
    let_go_locked(db, s, t);
    tsdb_unlock(db);
}

/* -- the clock -- */

/* Lanes are left alone: their times are the exporters'. */
void tsdb_shift_locked(struct tsdb *db, int64_t by_ms)
{
    MAP_EACH (struct stream_map_entry, e, &db->streams)
        if (e->value->root == e->value)
            stream_shift(e->value, by_ms);
    if (db->log != NULL)
        tsdb_log_shift(db->log, by_ms);
}

void tsdb_follow(struct tsdb *db, struct now now)
{
    if (atomic_load(&db->stepped) == now.stepped)
        return;
    tsdb_lock_write(db);
    if (now.mono > db->followed) { /* else somebody who began earlier comes late */
        tsdb_shift_locked(db, -tsdb_moved_ms(db, now.stepped));
        db->followed = now.mono;
        atomic_store(&db->stepped, now.stepped);
    }
    tsdb_unlock(db);
}

int64_t tsdb_moved_ms(const struct tsdb *db, dur_ns stepped)
{
    return atomic_load(&db->stepped) / NS_PER_MS - stepped / NS_PER_MS;
}

void tsdb_pull_back(struct tsdb *db, ts_ms now)
{
    tsdb_lock_write(db);
    MAP_EACH (struct stream_map_entry, e, &db->streams)
        if (e->value->root == e->value && stream_last(e->value) > now)
            stream_shift(e->value, now - stream_last(e->value));
    tsdb_unlock(db);
}

/* -- the port -- */

static void port_begin(void *impl)
{
    struct tsdb *db = impl;

    tsdb_lock_read(db);
}

static void port_end(void *impl)
{
    struct tsdb *db = impl;

    tsdb_unlock(db);
}

static struct storage_selector *port_select(void *impl, const struct matchers *m, int64_t reach_ms,
                                            struct err *e)
{
    struct tsdb *db = impl;
    struct storage_selector *s;

    (void)e;
    tsdb_lock_write(db);
    s = selectors_add(db, m, reach_ms);
    tsdb_unlock(db);
    return s;
}

static void port_release(void *impl, struct storage_selector *s)
{
    struct tsdb *db = impl;

    tsdb_lock_write(db);
    selectors_remove(db, s);
    tsdb_unlock(db);
}

static struct storage_ids port_ids(void *impl, struct storage_selector *s)
{
    (void)impl;
    return (struct storage_ids){s->ids.v, s->ids.n, s->epoch};
}

static void port_read(void *impl, const uint32_t *ids, size_t n, struct storage_series *out)
{
    const struct tsdb *db = impl;

    for (size_t i = 0; i < n; i++)
        stream_read(&db->series.places.v[ids[i]], &out[i]);
}

static struct labels port_labels(void *impl, uint32_t id, struct arena *a)
{
    return tsdb_labels(impl, id, a);
}

static void port_histogram(void *impl, const struct storage_series *s, storage_slot slot,
                           struct histogram *out)
{
    (void)impl;
    (void)s;
    slab_get(slot, out);
}

struct storage tsdb_storage(struct tsdb *db)
{
    static const struct storage_ops ops = {
        .begin = port_begin,
        .end = port_end,
        .select = port_select,
        .release = port_release,
        .ids = port_ids,
        .read = port_read,
        .labels = port_labels,
        .histogram = port_histogram,
    };

    return (struct storage){&ops, db};
}

/* -- figures -- */

size_t tsdb_bytes(const struct tsdb *db)
{
    return db->stream_bytes + db->slab.bytes + db->series.bytes + db->index.bytes +
           db->symbols.bytes;
}

struct tsdb_stats tsdb_stats(struct tsdb *db)
{
    struct tsdb_stats s;

    tsdb_lock_read(db);
    s = (struct tsdb_stats){.series = db->series.n,
                            .streams = db->streams.n,
                            .selectors = db->selectors.all.n,
                            .symbols = db->symbols.by_text.n,
                            .bytes = tsdb_bytes(db),
                            .appended = db->appended,
                            .longest_reach_ms = selectors_longest(db)};
    memcpy(s.refused, db->refused, sizeof(s.refused));
    tsdb_unlock(db);
    return s;
}
