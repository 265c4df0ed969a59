/* From the store to a file. Under the lock of a slice a series is found by the hash of its labels, what of it is new is cut
 * into spans and packed; series, symbols and times that the file has not yet are packed with it, as rows that are put without
 * the lock. A row that is there already, as after a restart or when a sample comes late, is read and written anew with
 * both: between the first and the last of the new samples nothing of the old ones counts.
 */
#include "history/writer.h"

#include "base/mem.h"
#include "model/labels.h"

enum { SLICES_A_PIECE = 64, KNOWN_SPANS = 3, TIMES_LATE = 1 << 19 };

MAP_DEFINE(history_known_map, uint64_t, struct history_known, hash_u64, eq_u64);

void history_writer_init(struct history_writer *w, struct storage storage)
{
    *w = (struct history_writer){.storage = storage};
    arena_init(&w->keep, 0);
    arena_init(&w->scratch, 0);
}

static void writer_end_span(struct history_writer *w)
{
    storage_slices_release(&w->slices);
    w->slices = (struct storage_slices){0};
    str_map_release(&w->times);
    arena_reset(&w->keep);
    w->is_busy = false;
}

void history_writer_close(struct history_writer *w)
{
    if (w->is_busy) { /* what is known of its series is not written */
        writer_end_span(w);
        history_known_map_release(&w->known);
    }
    if (w->is_open)
        history_file_close(&w->file);
    w->is_open = false;
    symbols_release(&w->symbols);
    w->symbols = (struct symbols){0};
    w->n_series = 0;
}

void history_writer_release(struct history_writer *w)
{
    history_writer_close(w);
    history_known_map_release(&w->known);
    arena_release(&w->keep);
    arena_release(&w->scratch);
    buf_release(&w->bytes);
    vec_release(&w->ops);
}

/* -- what a file has -- */

static bool writer_load_symbol(void *arg, int64_t key, str body, struct err *e)
{
    struct history_writer *w = arg;

    return symbols_ref(&w->symbols, body) == (uint64_t)key ||
           err_set(e, ERR_CORRUPT, "symbols of a file of history are damaged");
}

static bool writer_load_series(void *arg, int64_t key, str body, struct err *e)
{
    struct history_writer *w = arg;
    struct unpack u = unpack_of(body);
    size_t n = unpack_count(&u, 2), count = w->symbols.v.n;
    struct label *v = arena_array(&w->scratch, n + 1, sizeof(*v));
    struct labels ls = {v, n};

    for (size_t i = 0; i < n && !u.failed; i++) {
        uint64_t name = unpack_u64(&u), value = unpack_u64(&u);

        if (name >= count || value >= count)
            return err_set(e, ERR_CORRUPT, "labels in a file of history are damaged");
        v[i] = (struct label){symbols_text(&w->symbols, (uint32_t)name),
                              symbols_text(&w->symbols, (uint32_t)value)};
    }
    if (u.failed || key != w->n_series)
        return err_set(e, ERR_CORRUPT, "series of a file of history are damaged");
    vec_push(&w->ops, (struct history_op){.key = (int64_t)labels_hash(ls)}); /* by number */
    history_known_map_put(&w->known, labels_hash(ls),
                          (struct history_known){w->n_series++, w->number, INT64_MIN});
    arena_reset(&w->scratch);
    return true;
}

struct times_of {
    struct arena *a;
    const ts_ms *times;
    size_t n;
};

static bool writer_load_times(void *arg, int64_t key, str body, struct err *e)
{
    struct times_of *t = arg;

    (void)key;
    return history_times_read(body, t->a, &t->times, &t->n, e);
}

static bool writer_read_times(struct history_writer *w, int64_t span, uint64_t number,
                              struct times_of *out, struct err *e)
{
    int64_t key = history_times_key(span, number);

    *out = (struct times_of){.a = &w->scratch};
    return history_file_read(&w->file, HISTORY_TIMES, key, key, writer_load_times, out, e) &&
           (out->times != NULL ||
            err_set(e, ERR_CORRUPT, "times are missing in a file of history"));
}

/* A row of the file with its times. */
static bool writer_decode(struct history_writer *w, int64_t span, str body,
                          struct history_histograms *h, struct history_samples *out, struct err *e)
{
    struct unpack u = unpack_of(body);
    struct times_of t;
    uint64_t number;

    if (!history_row_read_times(&u, &number, e) || !writer_read_times(w, span, number, &t, e) ||
        !history_row_read(&u, t.n, &w->scratch, h, out, e))
        return false;
    out->times = t.times;
    return true;
}

struct recent_row {
    struct history_writer *w;
    VEC(int64_t) keys;
    VEC(str) bodies;
};

static bool writer_see_recent(void *arg, int64_t key, str body, struct err *e)
{
    struct recent_row *r = arg;

    (void)e;
    vec_push(&r->keys, key);
    vec_push(&r->bodies, arena_str(&r->w->keep, body));
    return true;
}

/* Up to when each series of the last spans is written. */
static bool writer_load_span(struct history_writer *w, int64_t span, struct err *e)
{
    struct recent_row r = {.w = w};
    struct history_histograms h = {.a = &w->scratch};
    bool ok = history_file_read(&w->file, HISTORY_SAMPLE, history_sample_key(&w->file, span, 0),
                                history_sample_key(&w->file, span, HISTORY_SERIES_MAX),
                                writer_see_recent, &r, e);

    for (size_t i = 0; ok && i < r.keys.n; i++) {
        uint64_t series = (uint64_t)r.keys.v[i] & HISTORY_SERIES_MAX;
        struct history_known *k =
            series < w->ops.n ? history_known_map_get(&w->known, (uint64_t)w->ops.v[series].key)
                              : NULL;
        struct history_samples s;

        ok = k != NULL ? writer_decode(w, span, r.bodies.v[i], &h, &s, e)
                       : err_set(e, ERR_CORRUPT, "a row of no series is in a file of history");
        while (ok && s.n != 0 && s.slots[s.n - 1] == STORAGE_ABSENT)
            s.n--;
        if (ok && s.n != 0 && s.times[s.n - 1] > k->last)
            k->last = s.times[s.n - 1];
        vec_clear(&h.v);
        arena_reset(&w->scratch);
    }
    vec_release(&h.v);
    vec_release(&r.keys);
    vec_release(&r.bodies);
    arena_reset(&w->keep);
    return ok;
}

static bool writer_load(struct history_writer *w, struct err *e)
{
    int64_t first, last;
    bool ok = history_file_read(&w->file, HISTORY_SYMBOL, 0, INT64_MAX, writer_load_symbol, w, e) &&
              history_file_read(&w->file, HISTORY_SERIES, 0, INT64_MAX, writer_load_series, w, e) &&
              history_file_spans(&w->file, &first, &last, e);

    for (int64_t span = ok ? last - KNOWN_SPANS + 1 : 1; ok && span <= last; span++)
        ok = span < first || writer_load_span(w, span, e);
    vec_release(&w->ops);
    return ok;
}

bool history_writer_open(struct history_writer *w, const char *path, int64_t first, struct err *e)
{
    if (!history_file_open(&w->file, path, first, e))
        return false;
    w->is_open = true;
    w->number++;
    vec_clear(&w->ops);
    if (writer_load(w, e))
        return true;
    history_writer_close(w);
    return false;
}

void history_writer_shift(struct history_writer *w, int64_t by_ms)
{
    MAP_EACH (struct history_known_map_entry, k, &w->known)
        if (by_ms < 0 && k->value.last > INT64_MIN - by_ms)
            k->value.last += by_ms;
}

void history_writer_forget(struct history_writer *w, ts_ms before)
{
    MAP_EACH (struct history_known_map_entry, k, &w->known)
        if (k->value.last < before && k->value.file != w->number)
            history_known_map_del_entry(&w->known, k);
}

/* -- out of the store, under its lock -- */

static size_t writer_op(struct history_writer *w, enum history_table t, int64_t key)
{
    vec_push(&w->ops, (struct history_op){.table = t, .key = key, .at = w->bytes.n});
    return w->ops.n - 1;
}

static void writer_op_ends(struct history_writer *w, size_t op)
{
    struct history_op *o = &w->ops.v[op];

    history_seal(&w->bytes, o->at, history_seal_key(o->table, o->key));
    o->n = w->bytes.n - o->at;
}

static uint32_t writer_symbol(struct history_writer *w, str text)
{
    size_t count = w->symbols.v.n, op;
    uint32_t id = symbols_ref(&w->symbols, text);

    if (w->symbols.v.n != count) {
        op = writer_op(w, HISTORY_SYMBOL, id);
        buf_add(&w->bytes, text);
        writer_op_ends(w, op);
    }
    return id;
}

static void writer_add_series(struct history_writer *w, struct labels ls, struct history_known *k)
{
    uint32_t *ids = arena_array(&w->scratch, 2 * ls.n + 1, sizeof(*ids));
    int64_t metric = -1;
    size_t op;

    for (size_t i = 0; i < ls.n; i++) {
        ids[2 * i] = writer_symbol(w, ls.v[i].name);
        ids[2 * i + 1] = writer_symbol(w, ls.v[i].value);
        if (str_is(ls.v[i].name, "__name__"))
            metric = ids[2 * i + 1];
    }
    k->number = w->n_series++;
    k->file = w->number;
    op = writer_op(w, HISTORY_SERIES, k->number);
    w->ops.v[op].metric = metric;
    pack_u64(&w->bytes, ls.n);
    for (size_t i = 0; i < 2 * ls.n; i++)
        pack_u64(&w->bytes, ids[i]);
    writer_op_ends(w, op);
}

/* The next number of times in a span. Of one that was over long ago nobody has looked which are taken: those that come late
 * count from beyond all others on. */
static uint64_t writer_next_times(struct history_writer *w, int64_t span)
{
    int64_t at = span - w->first_span;

    return at >= 0 && at < HISTORY_NEW_SPANS ? w->next[at]++ : TIMES_LATE + w->late++;
}

static uint64_t writer_times(struct history_writer *w, int64_t span, const ts_ms *times, size_t n)
{
    struct buf key = BUF_INIT;
    uint64_t number;
    void **at;
    bool is_new;
    size_t op;

    if (w->seen == times && w->n_seen == n)
        return w->seen_number;
    pack_i64(&key, span);
    history_times_write(&key, times, n);
    at = str_map_get(&w->times, buf_str(&key));
    if (at != NULL) {
        number = (uint64_t)(uintptr_t)*at - 1;
    } else {
        number = writer_next_times(w, span);
        op = writer_op(w, HISTORY_TIMES, history_times_key(span, number));
        history_times_write(&w->bytes, times, n);
        writer_op_ends(w, op);
        (void)str_map_add(&w->times, arena_str(&w->keep, buf_str(&key)),
                          (void *)(uintptr_t)(number + 1), &is_new);
    }
    buf_release(&key);
    w->seen = times;
    w->n_seen = n;
    w->seen_number = number;
    return number;
}

static size_t writer_first_after(const struct storage_series *s, ts_ms t)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (s->times[mid] > t)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static void writer_histogram(void *arg, storage_slot slot, struct histogram *out)
{
    const struct history_writer *w = arg;

    storage_histogram(w->storage, w->series_now, slot, out);
}

/* Samples [begin, end) of the series, all of one span. */
static void writer_add_row(struct history_writer *w, struct history_known *k,
                           const struct storage_series *s, size_t begin, size_t end)
{
    const struct history_lookup lookup = {writer_histogram, w};
    int64_t span = history_span_of(s->times[begin]);
    storage_slot *slots = arena_alloc(&w->scratch, (end - begin) * sizeof(*slots));
    struct history_samples out = {.times = s->times + begin,
                                  .slots = slots,
                                  .starts = s->starts != NULL ? s->starts + begin : NULL,
                                  .n = end - begin};
    size_t op, samples = 0, last = 0;
    uint64_t times;

    storage_row_slots(s->row, &s->codes, begin, end, slots);
    for (size_t i = 0; i < out.n; i++)
        if (slots[i] != STORAGE_ABSENT) {
            samples++;
            last = i;
        }
    if (samples == 0)
        return;
    times = writer_times(w, span, out.times, out.n);
    op = writer_op(w, HISTORY_SAMPLE, history_sample_key(&w->file, span, k->number));
    w->ops.v[op].span = span;
    history_row_write(&w->bytes, times, &out, &lookup);
    writer_op_ends(w, op);
    k->last = out.times[last];
    w->samples += samples;
}

static void writer_take_series(struct history_writer *w, uint32_t id)
{
    struct storage_series s;
    struct labels ls;
    struct history_known *k;
    bool is_new;
    size_t end;

    storage_read(w->storage, &id, 1, &s);
    end = writer_first_after(&s, w->end - 1);
    while (end != 0 && storage_at(&s, end - 1) == STORAGE_ABSENT)
        end--;
    if (end == 0)
        return;
    ls = storage_labels(w->storage, id, &w->scratch);
    k = history_known_map_add(&w->known, labels_hash(ls), (struct history_known){.last = INT64_MIN},
                              &is_new);
    if (s.times[end - 1] <= k->last)
        return;
    if (k->file != w->number)
        writer_add_series(w, ls, k);
    w->series_now = &s;
    end = writer_first_after(&s, w->end - 1);
    for (size_t begin = writer_first_after(&s, k->last), next; begin < end; begin = next) {
        ts_ms over = (history_span_of(s.times[begin]) + 1) * HISTORY_SPAN_MS;

        next = writer_first_after(&s, over - 1);
        writer_add_row(w, k, &s, begin, next < end ? next : end);
    }
}

/* -- into the file -- */

static bool writer_take_old(void *arg, int64_t key, str body, struct err *e)
{
    struct history_op *o = arg;
    struct history_writer *w = container_of(o, struct history_writer, old);

    (void)key, (void)e;
    o->at = w->bytes.n;
    o->n = body.n;
    buf_add(&w->bytes, body);
    return true;
}

static bool writer_put_times(struct history_writer *w, int64_t span, const ts_ms *times, size_t n,
                             uint64_t *number, struct err *e)
{
    size_t ops = w->ops.n;
    struct history_op o;
    bool is_new;

    w->seen = NULL;
    *number = writer_times(w, span, times, n);
    if (w->ops.n == ops)
        return true;
    o = vec_pop(&w->ops);
    return history_file_put(&w->file, o.table, o.key, 0,
                            str_sub(buf_str(&w->bytes), o.at, o.at + o.n), &is_new, e);
}

/* The row that is there, and the one that was to be put. */
static bool writer_merge(struct history_writer *w, const struct history_op *o, struct err *e)
{
    struct history_histograms h = {.a = &w->scratch};
    const struct history_lookup lookup = history_lookup_in(&h);
    struct history_samples old, new, both;
    str body = str_sub(buf_str(&w->bytes), o->at, o->at + o->n);
    struct buf out = BUF_INIT;
    uint64_t number;
    bool ok;

    w->old = (struct history_op){.n = 0};
    ok = history_file_read(&w->file, HISTORY_SAMPLE, o->key, o->key, writer_take_old, &w->old, e);
    body = str_sub(buf_str(&w->bytes), o->at, o->at + o->n - HISTORY_SEAL);
    ok = ok &&
         writer_decode(w, o->span, str_sub(buf_str(&w->bytes), w->old.at, w->old.at + w->old.n), &h,
                       &old, e) &&
         writer_decode(w, o->span, body, &h, &new, e);
    if (ok) {
        both = history_samples_join(&w->scratch, &old, &new);
        ok = writer_put_times(w, o->span, both.times, both.n, &number, e);
    }
    if (ok) {
        history_row_write(&out, number, &both, &lookup);
        history_seal(&out, 0, history_seal_key(HISTORY_SAMPLE, o->key));
        ok = history_file_replace(&w->file, HISTORY_SAMPLE, o->key, buf_str(&out), e);
    }
    buf_release(&out);
    vec_release(&h.v);
    return ok;
}

static bool writer_put(struct history_writer *w, const struct history_op *o, struct err *e)
{
    bool is_new;

    if (!history_file_put(&w->file, o->table, o->key, o->metric,
                          str_sub(buf_str(&w->bytes), o->at, o->at + o->n), &is_new, e))
        return false;
    w->series += o->table == HISTORY_SAMPLE;
    if (is_new)
        return true;
    if (o->table != HISTORY_SAMPLE)
        return err_set(e, ERR_CORRUPT, "numbers of a file of history are taken twice");
    return writer_merge(w, o, e);
}

static bool writer_put_all(struct history_writer *w, struct err *e)
{
    size_t n = w->ops.n;
    bool ok = true;

    for (size_t i = 0; ok && i < n; i++)
        ok = writer_put(w,
                        &(struct history_op){w->ops.v[i].table, w->ops.v[i].key, w->ops.v[i].metric,
                                             w->ops.v[i].span, w->ops.v[i].at, w->ops.v[i].n},
                        e);
    vec_clear(&w->ops);
    buf_clear(&w->bytes);
    arena_reset(&w->scratch);
    return ok;
}

/* -- a span -- */

static bool writer_know_times(struct history_writer *w, struct err *e)
{
    w->first_span = history_span_of(w->end) - HISTORY_NEW_SPANS;
    for (int i = 0; i < HISTORY_NEW_SPANS; i++)
        if (!history_file_next_times(&w->file, w->first_span + i, TIMES_LATE, &w->next[i], e))
            return false;
    return history_file_count_times(&w->file, &w->late, e);
}

bool history_writer_begin(struct history_writer *w, struct storage_selector *const *selectors,
                          size_t n, ts_ms end, struct err *e)
{
    w->end = end;
    w->selectors = selectors;
    w->n_selectors = n;
    w->at = 0;
    w->slices = (struct storage_slices){0};
    if (!history_file_begin(&w->file, e) || !writer_know_times(w, e))
        return false;
    w->is_busy = true;
    return true;
}

static bool writer_slice(struct history_writer *w)
{
    struct storage_ids ids;

    if (w->slices.selector == NULL)
        w->slices = (struct storage_slices){.storage = w->storage, .selector = w->selectors[w->at]};
    if (!storage_slices_next(&w->slices, &ids)) {
        storage_slices_release(&w->slices);
        w->slices = (struct storage_slices){0};
        w->at++;
        return false;
    }
    w->seen = NULL;
    for (size_t i = 0; i < ids.n; i++)
        writer_take_series(w, ids.v[i]);
    storage_slices_end(&w->slices, ids.n);
    return true;
}

bool history_writer_more(struct history_writer *w, struct err *e)
{
    for (int i = 0; i < SLICES_A_PIECE && w->at < w->n_selectors; i++)
        if (writer_slice(w) && !writer_put_all(w, e))
            return false;
    if (w->n_series >= HISTORY_SERIES_MAX)
        return err_set(e, ERR_LIMIT, "a file of history has %u series", w->n_series);
    return w->at < w->n_selectors;
}

bool history_writer_commit(struct history_writer *w, struct err *e)
{
    bool ok = history_file_commit(&w->file, e);

    writer_end_span(w);
    return ok;
}
