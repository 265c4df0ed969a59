/* Appending. A batch is one sample time of one stream. Whoever fills it needs no lock: series that it knows go by their
 * ref, the others by their labels, which are looked up when the batch is committed.
 *
 * A ref is good as long as tsdb_batch_begin() returns the same number for the stream: the number changes when a series of
 * the stream has been forgotten, and when a new selector may want what was dropped. Between begin and commit nothing of
 * the stream is forgotten.
 */
#include <stdlib.h>
#include "model/histogram_reset.h"
#include "tsdb/lane.h"
#include "tsdb/log.h"
#include "tsdb/tsdb_priv.h"

enum { SAMPLELESS_A_LOCK = 2048 };

/* -- filling -- */

void tsdb_batch_init(struct tsdb_batch *b)
{
    *b = (struct tsdb_batch){0};
    arena_init_small(&b->a, 0);
}

void tsdb_batch_release(struct tsdb_batch *b)
{
    vec_release(&b->items);
    vec_release(&b->timed);
    vec_release(&b->news);
    vec_release(&b->rest);
    arena_release(&b->a);
}

uint64_t tsdb_batch_begin(struct tsdb_batch *b, struct tsdb *db, struct tsdb_stream *s, ts_ms t)
{
    uint64_t epoch;

    b->db = db;
    b->stream = s;
    b->t = t;
    b->refused = 0;
    vec_clear(&b->items);
    vec_clear(&b->timed);
    vec_clear(&b->news);
    vec_clear(&b->rest);
    arena_reset(&b->a);
    tsdb_lock_write(db);
    s->is_busy = true;
    epoch = s->epoch;
    b->stepped = db->stepped;
    tsdb_unlock(db);
    return epoch;
}

/* Where the item has the number of its rest: with the labels, as long as it has these. */
static uint32_t *rest_at(struct tsdb_batch *b, struct tsdb_item *item)
{
    return item->ref == TSDB_REF_NEW ? &b->news.v[item->more].rest : &item->more;
}

static struct tsdb_item item_of(struct tsdb_batch *b, uint32_t ref, struct labels ls,
                                storage_slot slot)
{
    struct tsdb_item item = {.ref = ref, .slot = slot};

    if (ref == TSDB_REF_NEW) {
        item.more = (uint32_t)b->news.n;
        vec_push(&b->news, (struct tsdb_new){labels_copy(&b->a, ls), 0});
    }
    return item;
}

void tsdb_batch_add(struct tsdb_batch *b, uint32_t ref, struct labels ls, double v)
{
    vec_push(&b->items, item_of(b, ref, ls, storage_float(v)));
}

void tsdb_batch_set_start(struct tsdb_batch *b, ts_ms start)
{
    uint32_t *at = rest_at(b, vec_last(&b->items));

    if (*at == 0)
        *at = tsdb_batch_rest(b, (struct tsdb_rest){NULL, start});
    else
        b->rest.v[*at - 1].start = start;
}

void tsdb_batch_add_at(struct tsdb_batch *b, uint32_t ref, struct labels ls, double v, ts_ms t)
{
    vec_push(&b->timed, (struct tsdb_timed){t, item_of(b, ref, ls, storage_float(v))});
}

void tsdb_batch_add_histogram(struct tsdb_batch *b, uint32_t ref, struct labels ls,
                              const struct histogram *h)
{
    struct histogram *own = arena_new(&b->a, struct histogram);
    *own = histogram_copy(&b->a, h);
    vec_push(&b->items,
             item_of(b, ref, ls, STORAGE_HISTOGRAM)); /* of which kind the series is to be */
    *rest_at(b, vec_last(&b->items)) = tsdb_batch_rest(b, (struct tsdb_rest){own, 0});
}

/* -- series -- */

static size_t text_bytes(struct labels ls)
{
    size_t n = 0;

    LABELS_EACH (l, ls)
        n += l->name.n + l->value.n;
    return n;
}

static bool batch_is_room(const struct tsdb *db, const struct tsdb_stream *s, int64_t reach,
                          storage_slot first, enum tsdb_refusal *why)
{
    if (db->o.max_series != 0 && db->series.n >= db->o.max_series)
        *why = TSDB_TOO_MANY_SERIES;
    else if (db->o.max_bytes != 0 &&
             tsdb_bytes(db) + stream_row_cost(s, reach, first) > db->o.max_bytes)
        *why = TSDB_TOO_MUCH_MEMORY;
    else
        return true;
    return false;
}

static uint32_t batch_create(struct tsdb *db, struct tsdb_stream *s,
                             const struct tsdb_own_time *own, const struct series_label *v,
                             uint32_t n, storage_slot first, enum tsdb_refusal *why)
{
    int64_t wanted = selectors_match(db, v, n);
    int64_t reach = wanted > db->o.min_reach_ms ? wanted : db->o.min_reach_ms;
    uint32_t id;

    *why = TSDB_REFUSALS;
    if ((wanted == 0 && !db->o.keep_all) || !batch_is_room(db, s, reach, first, why))
        return TSDB_REF_DROPPED;
    if (own != NULL && own->t <= own->batch - reach)
        return TSDB_REF_NEW;
    if (own != NULL)
        s = lane_for(db, s, NULL, own->t);
    id = series_add(&db->series, v, n);
    stream_add_row(s, reach, id, first, &db->series.places.v[id]);
    s->n_series++;
    for (uint32_t i = 0; i < n; i++)
        index_add(&db->index, &db->symbols, v[i].name, v[i].value, id);
    selectors_admit(db, id);
    return id;
}

void tsdb_move_series(struct tsdb *db, struct tsdb_stream *to, uint32_t id)
{
    struct series_place *p = &db->series.places.v[id];
    struct tsdb_stream *from = p->stream;

    if (to->root != to && to->tables.n == 0 && to->end == to->first)
        stream_take_times(to, from, to->made_at);
    stream_move(to, p);
    if (from->root != to->root)
        from->root->epoch++;
    if (db->log != NULL)
        tsdb_log_forget(db->log, id);
}

/* A series whose stream was closed begins anew in another: its times are not the other's. */
static uint32_t batch_adopt(struct tsdb *db, struct tsdb_stream *s, const struct tsdb_own_time *own,
                            uint32_t id, enum tsdb_refusal *why)
{
    const struct tsdb_stream *root = db->series.places.v[id].stream->root;

    if (root == s->root && own != NULL) /* which lane, its sample will tell */
        return id;
    if (root != s->root && root->is_open && !stream_is_left(root)) {
        *why = TSDB_FOREIGN;
        return TSDB_REF_DROPPED;
    }
    tsdb_move_series(db, own != NULL ? lane_for(db, s, NULL, own->t) : s, id);
    return id;
}

/* The symbols of labels, SYMBOL_NONE where there is none yet; false: so it is somewhere. */
static bool find_symbols(const struct symbols *sy, const struct tsdb_neighbour *near,
                         struct labels ls, struct series_label *v)
{
    bool all = true;

    for (size_t i = 0; i < ls.n; i++) {
        const struct label *l = &ls.v[i];

        if (i < near->labels.n && str_eq(near->labels.v[i].name, l->name) &&
            str_eq(near->labels.v[i].value, l->value))
            v[i] = near->v[i];
        else
            v[i] = (struct series_label){symbols_find(sy, l->name), symbols_find(sy, l->value)};
        all &= v[i].name != SYMBOL_NONE && v[i].value != SYMBOL_NONE;
    }
    return all;
}

static void note_neighbour(struct tsdb_neighbour *near, struct labels ls,
                           const struct series_label *v)
{
    if (ls.n > TSDB_NEIGHBOUR_LABELS)
        return;
    near->labels = ls;
    memcpy(near->v, v, ls.n * sizeof(*v));
}

static uint32_t hold_symbol(struct symbols *sy, uint32_t id, str text)
{
    if (id == SYMBOL_NONE)
        return symbols_ref(sy, text);
    symbols_hold(sy, id);
    return id;
}

/* Empty text is no symbol and has no number. Of what is known already all labels are. */
static bool are_valid(struct labels ls)
{
    LABELS_EACH (l, ls)
        if (!label_name_is_utf8(l->name) || l->value.n == 0)
            return false;
    return true;
}

/* Symbols are held while it is not known whether the series comes to stay; then the index holds them. */
static uint32_t create_with_symbols(struct tsdb *db, struct tsdb_stream *s,
                                    const struct tsdb_own_time *own, struct labels ls,
                                    struct series_label *v, storage_slot first,
                                    enum tsdb_refusal *why)
{
    uint32_t id;

    *why = TSDB_LABELS_INVALID;
    if (!are_valid(ls))
        return TSDB_REF_DROPPED;
    for (size_t i = 0; i < ls.n; i++)
        v[i] = (struct series_label){hold_symbol(&db->symbols, v[i].name, ls.v[i].name),
                                     hold_symbol(&db->symbols, v[i].value, ls.v[i].value)};
    id = batch_create(db, s, own, v, (uint32_t)ls.n, first, why);
    for (size_t i = 0; i < ls.n; i++) {
        tsdb_unref_symbol(db, v[i].name);
        tsdb_unref_symbol(db, v[i].value);
    }
    return id;
}

uint32_t tsdb_series_for(struct tsdb *db, struct tsdb_stream *s, const struct tsdb_own_time *own,
                         struct labels ls, storage_slot first, struct tsdb_neighbour *near,
                         enum tsdb_refusal *why)
{
    struct series_label *v;
    uint32_t id = SERIES_NONE;

    *why = TSDB_LABELS_TOO_LONG;
    if (db->o.max_label_bytes != 0 && text_bytes(ls) > db->o.max_label_bytes)
        return TSDB_REF_DROPPED;
    vec_reserve(&db->scratch, ls.n + 1);
    v = db->scratch.v;
    if (find_symbols(&db->symbols, near, ls, v))
        id = series_find(&db->series, v, (uint32_t)ls.n);
    if (id == SERIES_NONE)
        id = create_with_symbols(db, s, own, ls, v, first, why);
    else if (db->series.places.v[id].stream != s)
        id = batch_adopt(db, s, own, id, why);
    if (id != TSDB_REF_NEW && id != TSDB_REF_DROPPED)
        note_neighbour(near, ls, v);
    return id;
}

/* -- committing -- */

void tsdb_refuse(struct tsdb_batch *b, enum tsdb_refusal why)
{
    b->db->refused[why]++;
    b->refused++;
    b->why = why;
}

static void batch_resolve(struct tsdb_batch *b)
{
    struct tsdb_neighbour near = {.labels = LABELS_NONE};

    VEC_EACH (struct tsdb_item *, item, &b->items) {
        const struct tsdb_new *x;
        enum tsdb_refusal why;

        if (item->ref != TSDB_REF_NEW)
            continue;
        x = &b->news.v[item->more];
        item->ref = tsdb_series_for(b->db, b->stream, NULL, x->labels, item->slot, &near, &why);
        item->more = x->rest;
        if (item->ref == TSDB_REF_DROPPED && why != TSDB_REFUSALS)
            tsdb_refuse(b, why);
    }
}

/* The hint of a counter is what its predecessor tells; only "reset" and "gauge" are the sender's to say. */
static storage_slot batch_put_histogram(struct tsdb *db, const struct histogram *h,
                                        storage_slot last)
{
    struct histogram own = *h, before;

    if (storage_is_histogram(last))
        slab_get(last, &before);
    own.hint = histogram_hint_after(h, storage_is_histogram(last) ? &before : NULL);
    return slab_put(&db->slab, &own);
}

static size_t room_of(const struct tsdb *db)
{
    size_t max = db->o.max_bytes, bytes;

    if (max == 0)
        return SIZE_MAX;
    bytes = tsdb_bytes(db);
    return bytes < max ? max - bytes : 0;
}

/* The series is in the batch's stream then. */
static bool batch_bring(struct tsdb_batch *b, uint32_t ref)
{
    if (b->db->series.places.v[ref].stream->root != b->stream->root) {
        tsdb_refuse(b, TSDB_FOREIGN); /* adopted by another in the meantime */
        return false;
    }
    tsdb_move_series(b->db, b->stream, ref); /* it had times of its own */
    return true;
}

static bool put_slot(struct tsdb_batch *b, struct series_place *p, storage_slot slot)
{
    enum stream_answer answer = stream_put(b->stream, p, slot);

    if (is_unlikely(answer == STREAM_NEEDS_ROOM) &&
        stream_put_wider(b->stream, p, slot, room_of(b->db)))
        answer = STREAM_PUT;
    if (answer == STREAM_PUT) {
        b->db->appended++;
        return true;
    }
    tsdb_refuse(b, answer == STREAM_HAS_ONE ? TSDB_DUPLICATE : TSDB_TOO_MUCH_MEMORY);
    return false;
}

static void put_more(struct tsdb_batch *b, struct series_place *p, const struct tsdb_item *item)
{
    struct tsdb_rest rest = tsdb_rest_of(b, item);
    storage_slot slot = item->slot;

    if (rest.histogram != NULL) {
        if (stream_has(p)) {
            tsdb_refuse(b, TSDB_DUPLICATE);
            return;
        }
        slot = batch_put_histogram(b->db, rest.histogram, stream_before(b->stream, p));
    }
    if (!put_slot(b, p, slot)) {
        if (rest.histogram != NULL)
            slab_drop(&b->db->slab, slot);
        return;
    }
    if (rest.start != 0)
        stream_set_start(b->stream, p, rest.start);
}

static void write_item(struct tsdb_batch *b, const struct tsdb_item *item)
{
    struct series_place *p = &b->db->series.places.v[item->ref];

    if (p->stream != b->stream && !batch_bring(b, item->ref))
        return;
    if (is_unlikely(item->more != 0))
        put_more(b, p, item);
    else
        (void)put_slot(b, p, item->slot);
}

bool tsdb_commit_locked(struct tsdb_batch *b, struct err *e)
{
    struct tsdb *db = b->db;
    struct tsdb_stream *s = b->stream;
    bool is_known = s->root != s && b->t == stream_last(s); /* a lane learns of a time bit by bit */

    if ((b->t <= stream_last(s) && !is_known) || !tsdb_time_is_valid(b->t)) {
        db->refused[TSDB_OUT_OF_ORDER] += b->items.n;
        return err_set(e, ERR_CONFLICT, "samples of '%.*s' at %lld are not after the last at %lld",
                       STR(s->name), (long long)b->t, (long long)stream_last(s));
    }
    batch_resolve(b);
    if (!is_known && db->o.max_bytes != 0 &&
        tsdb_bytes(db) + stream_growth(s, b->t) > db->o.max_bytes) {
        db->refused[TSDB_TOO_MUCH_MEMORY] += b->items.n;
        return err_set(e, ERR_LIMIT, "samples of '%.*s' do not fit: the store may take %zu bytes",
                       STR(s->name), db->o.max_bytes);
    }
    if (!is_known)
        stream_advance(s, b->t);
    VEC_EACH (struct tsdb_item *, item, &b->items)
        if (item->ref != TSDB_REF_DROPPED)
            write_item(b, item);
    stream_settle(s, s->marks_stale);
    if (db->log != NULL)
        tsdb_log_batch(db->log, b);
    return true;
}

void tsdb_batch_resolve(struct tsdb_batch *b)
{
    size_t before;

    tsdb_lock_write(b->db);
    before = tsdb_bytes(b->db);
    batch_resolve(b);
    lanes_resolve(b);
    b->made += tsdb_bytes(b->db) - before;
    tsdb_unlock(b->db);
    vec_clear(&b->news);
    arena_reset(&b->a);
}

/* Some of a batch's series that have no sample, each once. */
struct sampleless {
    uint32_t ids[SAMPLELESS_A_LOCK];
    size_t n;
};

static void note_sampleless(const struct tsdb_batch *b, uint32_t ref, struct sampleless *v)
{
    const struct series_place *p;

    if (ref == TSDB_REF_NEW || ref == TSDB_REF_DROPPED)
        return;
    p = &b->db->series.places.v[ref];
    if (p->stream != NULL && p->stream->root == b->stream->root && stream_newest(p) == INT64_MIN)
        v->ids[v->n++] = ref;
}

static int by_id(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void drop_sampleless(struct tsdb *db, struct sampleless *v)
{
    size_t n = 0;

    qsort(v->ids, v->n, sizeof(v->ids[0]), by_id);
    for (size_t i = 0; i < v->n; i++)
        if (i == 0 || v->ids[i] != v->ids[i - 1])
            v->ids[n++] = v->ids[i];
    tsdb_drop_series(db, v->ids, n);
}

/* In slices: readers do not wait for long. */
void tsdb_batch_clear(struct tsdb_batch *b)
{
    struct sampleless v;
    size_t all = b->items.n + b->timed.n;

    for (size_t at = 0; at < all;) {
        tsdb_lock_write(b->db);
        for (v.n = 0; at < all && v.n < SAMPLELESS_A_LOCK; at++)
            note_sampleless(
                b, at < b->items.n ? b->items.v[at].ref : b->timed.v[at - b->items.n].item.ref, &v);
        drop_sampleless(b->db, &v);
        tsdb_unlock(b->db);
    }
    vec_release(&b->items);
    vec_release(&b->timed);
    vec_release(&b->rest);
    b->made = 0;
}

void tsdb_batch_cancel(struct tsdb_batch *b)
{
    tsdb_lock_write(b->db);
    b->stream->is_busy = false;
    tsdb_unlock(b->db);
}

bool tsdb_commit(struct tsdb_batch *b, struct err *e)
{
    bool ok;

    tsdb_lock_write(b->db);
    b->t += tsdb_moved_ms(b->db, b->stepped);
    ok = tsdb_commit_locked(b, e);
    if (ok && b->timed.n != 0)
        lanes_commit(b);
    b->stream->is_busy = false;
    tsdb_unlock(b->db);
    return ok;
}
