#include "tsdb/lane.h"

#include <stdio.h>
#include <stdlib.h>

enum { LABELS_GONE = UINT32_MAX };

/* -- lanes -- */

static struct tsdb_stream *lane_new(struct tsdb *db, struct tsdb_stream *root,
                                    const struct tsdb_stream_conf *c,
                                    const struct tsdb_stream *from, ts_ms t)
{
    struct tsdb_stream *lane = tsdb_open_locked(db, c);

    if (lane == root) /* a damaged log */
        return lane;
    lane->root = root;
    lane->made_from = from;
    lane->made_at = t;
    vec_push(&root->lanes, lane);
    return lane;
}

struct tsdb_stream *lane_open(struct tsdb *db, const struct tsdb_stream_conf *c, ts_ms t)
{
    struct tsdb_stream **hit = stream_map_get(&db->streams, c->name);
    struct tsdb_stream_conf root = *c;
    size_t n = c->name.n;

    if (hit != NULL)
        return *hit;
    while (n != 0 && c->name.p[n - 1] != '\n')
        n--;
    root.name = str_sub(c->name, 0, n != 0 ? n - 1 : 0);
    root.marks_stale = true;
    hit = stream_map_get(&db->streams, root.name);
    return lane_new(db, hit != NULL ? (*hit)->root : tsdb_open_locked(db, &root), c, NULL, t);
}

void lane_forget(struct tsdb_stream *lane)
{
    struct tsdb_stream *root = lane->root;

    for (size_t i = 0; i < root->lanes.n; i++) {
        if (root->lanes.v[i]->made_from == lane) /* another may come to lie there */
            root->lanes.v[i]->made_from = NULL;
        if (root->lanes.v[i] == lane)
            vec_remove(&root->lanes, i--);
    }
}

static struct tsdb_stream *lane_make(struct tsdb *db, struct tsdb_stream *root,
                                     const struct tsdb_stream *from, ts_ms t)
{
    struct tsdb_stream_conf c = {.interval_ms = root->interval_ms};
    struct buf name = BUF_INIT;
    struct tsdb_stream *lane;
    size_t n = root->lanes.n;

    do {
        buf_clear(&name);
        buf_addf(&name, "%.*s\n%zu", STR(root->name), n++);
        c.name = buf_str(&name);
    } while (stream_map_get(&db->streams, c.name) != NULL);
    lane = lane_new(db, root, &c, from, t);
    buf_release(&name);
    return lane;
}

/* Whatever lane the sample fits behind, best the one that waits least. */
static struct tsdb_stream *any_lane(const struct tsdb_stream *root, ts_ms t)
{
    struct tsdb_stream *best = root->lanes.v[0];

    for (size_t i = 1; i < root->lanes.n; i++) {
        struct tsdb_stream *l = root->lanes.v[i];

        if (stream_last(l) <= t && (stream_last(best) > t || stream_last(l) > stream_last(best)))
            best = l;
    }
    return best;
}

struct tsdb_stream *lane_for(struct tsdb *db, struct tsdb_stream *root,
                             const struct tsdb_stream *from, ts_ms t)
{
    for (size_t i = root->lanes.n; i-- != 0;) {
        struct tsdb_stream *l = root->lanes.v[i];

        if ((from == NULL && stream_last(l) == t) ||
            (l->made_from == from && l->made_at == t && stream_last(l) <= t))
            return l;
    }
    if (root->lanes.n == LANES_MAX)
        return any_lane(root, t);
    return lane_make(db, root, from, t);
}

/* -- a batch -- */

void lanes_resolve(struct tsdb_batch *b)
{
    struct tsdb_neighbour near = {.labels = LABELS_NONE};

    VEC_EACH (struct tsdb_timed *, x, &b->timed) {
        struct tsdb_own_time own = {x->t, b->t};
        enum tsdb_refusal why = TSDB_REFUSALS;

        if (x->item.ref != TSDB_REF_NEW || x->item.more == LABELS_GONE)
            continue;
        x->item.ref = tsdb_series_for(b->db, b->stream, &own, b->news.v[x->item.more].labels,
                                      x->item.slot, &near, &why);
        x->item.more = x->item.ref == TSDB_REF_NEW ? LABELS_GONE : 0;
        if (x->item.ref == TSDB_REF_DROPPED && why != TSDB_REFUSALS)
            tsdb_refuse(b, why);
    }
}

/* The lane that takes the sample, with its series in it; NULL: none does. */
static struct tsdb_stream *find_lane(struct tsdb_batch *b, const struct tsdb_timed *x)
{
    const struct series_place *p = &b->db->series.places.v[x->item.ref];
    struct tsdb_stream *lane = p->stream;
    storage_slot slot;
    ts_ms newest;

    if (lane->root != b->stream) { /* adopted by another in the meantime */
        tsdb_refuse(b, TSDB_FOREIGN);
        return NULL;
    }
    newest = stream_newest_slot(p, &slot);
    if (x->t <= newest) {
        if (x->t < newest || slot != x->item.slot)
            tsdb_refuse(b, x->t < newest ? TSDB_OUT_OF_ORDER : TSDB_DUPLICATE);
        return NULL;
    }
    if (lane != b->stream && x->t >= stream_last(lane))
        return lane;
    lane = lane_for(b->db, b->stream, lane, x->t);
    if (x->t < stream_last(lane)) {
        tsdb_refuse(b, TSDB_OUT_OF_ORDER);
        return NULL;
    }
    tsdb_move_series(b->db, lane, x->item.ref);
    return lane;
}

struct placed {
    const struct tsdb_timed *x;
    struct tsdb_stream *lane;
};

static int lane_by_time(const void *a, const void *b)
{
    const struct tsdb_timed *x = ((const struct placed *)a)->x, *y = ((const struct placed *)b)->x;

    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return (x > y) - (x < y);
}

static int by_lane(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    uintptr_t p = (uintptr_t)x->lane, q = (uintptr_t)y->lane;

    return p != q ? (p > q) - (p < q) : (x->x > y->x) - (x->x < y->x);
}

/* Samples of one time in one lane. */
static void commit_run(struct tsdb_batch *b, struct tsdb_batch *one, const struct placed *v,
                       size_t n)
{
    struct err e = ERR_INIT;

    one->stream = v->lane;
    one->t = v->x->t;
    one->refused = 0;
    vec_clear(&one->items);
    for (size_t i = 0; i < n; i++)
        vec_push(&one->items, v[i].x->item);
    if (!tsdb_commit_locked(one, &e)) { /* counted there */
        b->refused += n;
        return;
    }
    b->refused += one->refused;
    if (one->refused != 0)
        b->why = one->why;
}

/* Samples of one time. */
static void commit_time(struct tsdb_batch *b, struct tsdb_batch *one, struct placed *v, size_t n)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        v[i].lane = find_lane(b, v[i].x);
        if (v[i].lane != NULL)
            v[k++] = v[i];
    }
    if (k > 1)
        qsort(v, k, sizeof(*v), by_lane);
    for (size_t i = 0, j; i < k; i = j) {
        for (j = i + 1; j < k && v[j].lane == v[i].lane;)
            j++;
        commit_run(b, one, v + i, j - i);
    }
}

void lanes_commit(struct tsdb_batch *b)
{
    struct placed *v = mem_array(b->timed.n, sizeof(*v));
    struct tsdb_batch one;
    size_t n = 0;

    lanes_resolve(b);
    VEC_EACH (const struct tsdb_timed *, x, &b->timed)
        if (x->item.ref != TSDB_REF_NEW && x->item.ref != TSDB_REF_DROPPED)
            v[n++] = (struct placed){x, NULL};
    if (n > 1)
        qsort(v, n, sizeof(*v), lane_by_time);
    tsdb_batch_init(&one);
    one.db = b->db;
    for (size_t i = 0, j; i < n; i = j) {
        for (j = i + 1; j < n && v[j].x->t == v[i].x->t;)
            j++;
        commit_time(b, &one, v + i, j - i);
    }
    tsdb_batch_release(&one);
    mem_free(v);
}
