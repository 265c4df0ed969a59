/* Forgetting, a piece at a time. A call looks at some blocks of rows, goes on where the last one stopped, and takes out
 * the series that have ended longer ago than their reach, or that nobody keeps any more. Taking many out at once pays:
 * each list that knows some of them is swept once.
 */
#include <stdlib.h>
#include "tsdb/lane.h"
#include "tsdb/log.h"
#include "tsdb/tsdb_priv.h"

enum { BLOCKS_A_CALL = 256, DEAD_A_CALL = 2048 };

static bool is_dead(void *arg, uint32_t id)
{
    const struct tsdb *db = arg;

    return db->series.places.v[id].stream == NULL;
}

static void sweep_selectors(struct tsdb *db)
{
    MAP_EACH (struct selector_set_entry, e, &db->selectors.all) {
        struct storage_selector *s = e->key;
        size_t k = 0;

        if (!s->has_dead)
            continue;
        s->has_dead = false;
        for (size_t i = 0; i < s->ids.n; i++)
            if (!is_dead(db, s->ids.v[i]))
                s->ids.v[k++] = s->ids.v[i];
        s->ids.n = k;
        s->epoch = ++db->selectors.epoch;
    }
}

static int by_pair(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct series_label));
}

static void sweep_index(struct tsdb *db, struct series_label *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_pair);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_pair(&v[i - 1], &v[i]) != 0)
            index_sweep(&db->index, &db->symbols, v[i].name, v[i].value, is_dead,
                        tsdb_forget_symbol, db);
}

void tsdb_drop_series(struct tsdb *db, const uint32_t *ids, size_t n)
{
    VEC(struct series_label) labels = VEC_INIT;

    for (size_t i = 0; i < n; i++) {
        const struct series_key *k = db->series.keys.v[ids[i]];
        struct series_place *p = &db->series.places.v[ids[i]];

        (void)selectors_match(db, k->v, k->n);
        VEC_EACH (struct storage_selector **, s, &db->selectors.found.v)
            (*s)->has_dead = true;
        for (uint32_t j = 0; j < k->n; j++)
            vec_push(&labels, k->v[j]);
        stream_del_row(p->stream, p);
        p->stream->n_series--;
        p->stream->root->epoch++;
        p->stream = NULL;
    }
    sweep_selectors(db);
    if (labels.n != 0)
        sweep_index(db, labels.v, labels.n);
    for (size_t i = 0; i < n; i++) {
        if (db->log != NULL)
            tsdb_log_forget(db->log, ids[i]);
        series_del(&db->series, ids[i]);
    }
    vec_release(&labels);
}

/* -- looking -- */

/* last: it has a value in its stream's last sample. */
static bool collect_is_over(const struct tsdb *db, uint32_t id, bool last, int64_t reach_ms,
                            ts_ms now)
{
    const struct series_place *p = &db->series.places.v[id];
    ts_ms newest;

    if (p->users == 0 && !db->o.keep_all)
        return true;
    newest = last ? stream_last(p->stream) : stream_newest(p);
    return newest == INT64_MIN || newest <= now - reach_ms;
}

static void look_at_block(const struct tsdb *db, const struct stream_table *t,
                          const struct stream_block *b, ts_ms now, uint32_t *dead, size_t *n)
{
    for (uint32_t r = 0; r < BLOCK_ROWS; r++)
        if ((b->used & 1u << r) != 0 &&
            collect_is_over(db, b->ids[r], block_is_value(b->last[r]), t->reach_ms, now))
            dead[(*n)++] = b->ids[r];
}

/* The next block from the cursor on, NULL at the end of all. */
static const struct stream_block *next_block(struct tsdb *db, const struct stream_table **table)
{
    for (; db->cursor.stream < db->streams.used; db->cursor.stream++) {
        const struct stream_map_entry *e = &db->streams.v[db->cursor.stream];

        for (; e->live && !e->value->root->is_busy && db->cursor.table < e->value->tables.n;
             db->cursor.table++) {
            *table = &e->value->tables.v[db->cursor.table];
            if (db->cursor.block < (*table)->blocks.n)
                return (*table)->blocks.v[db->cursor.block++];
            db->cursor.block = 0;
        }
        db->cursor.table = 0;
    }
    db->cursor.stream = 0;
    return NULL;
}

static void drop_empty_streams(struct tsdb *db)
{
    MAP_EACH (struct stream_map_entry, e, &db->streams) {
        struct tsdb_stream *s = e->value;

        if (s->n_series != 0 || s->lanes.n != 0 ||
            (s->root == s && (s->is_open || s->holders != 0)))
            continue;
        if (s->root != s)
            lane_forget(s);
        stream_map_del_entry(&db->streams, e);
        stream_release(s);
        mem_free(s);
    }
}

size_t tsdb_collect(struct tsdb *db, ts_ms now)
{
    uint32_t dead[DEAD_A_CALL + BLOCK_ROWS];
    size_t n = 0;

    tsdb_lock_write(db);
    for (int i = 0; i < BLOCKS_A_CALL && n < DEAD_A_CALL; i++) {
        const struct stream_table *table;
        const struct stream_block *b = next_block(db, &table);

        if (b == NULL) {
            drop_empty_streams(db);
            break;
        }
        look_at_block(db, table, b, now, dead, &n);
    }
    tsdb_drop_series(db, dead, n);
    tsdb_unlock(db);
    return n;
}
