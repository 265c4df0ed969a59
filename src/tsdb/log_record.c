#include "tsdb/log_record.h"

enum {
    VERSION = 1,
    HAS_START = 2,
    IS_HISTOGRAM = 1,
    MARKS_STALE = 1,
    IS_LANE = 2,
    LABELS_MAX = 1000
};

static void pack_double(struct buf *b, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    pack_fixed64(b, bits);
}

static double unpack_double(struct unpack *u)
{
    uint64_t bits = unpack_fixed64(u);
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

/* -- histograms -- */

static void pack_side(struct buf *b, const struct histogram_side *s)
{
    pack_u64(b, s->n_spans);
    for (uint32_t i = 0; i < s->n_spans; i++) {
        pack_i64(b, s->spans[i].offset);
        pack_u64(b, s->spans[i].length);
    }
    pack_u64(b, s->n);
    for (uint32_t i = 0; i < s->n; i++)
        pack_double(b, s->counts[i]);
}

static struct histogram_side unpack_side(struct unpack *u, struct arena *a)
{
    struct histogram_side s = {.n_spans = (uint32_t)unpack_count(u, 2)};
    struct histogram_span *spans = arena_array(a, s.n_spans, sizeof(*spans));
    double *counts;

    for (uint32_t i = 0; i < s.n_spans; i++) {
        spans[i].offset = (int32_t)unpack_i64(u);
        spans[i].length = (uint32_t)unpack_u64(u);
    }
    s.n = (uint32_t)unpack_count(u, 8);
    counts = arena_array(a, s.n, sizeof(*counts));
    for (uint32_t i = 0; i < s.n; i++)
        counts[i] = unpack_double(u);
    s.spans = spans;
    s.counts = counts;
    return s;
}

void log_write_histogram(struct buf *b, const struct histogram *h)
{
    pack_u64(b, h->hint);
    pack_i64(b, h->schema);
    pack_double(b, h->count);
    pack_double(b, h->sum);
    pack_double(b, h->zero_threshold);
    pack_double(b, h->zero_count);
    pack_u64(b, h->n_bounds);
    for (uint32_t i = 0; i < h->n_bounds; i++)
        pack_double(b, h->bounds[i]);
    pack_side(b, &h->negative);
    pack_side(b, &h->positive);
}

const struct histogram *log_read_histogram(struct unpack *u, struct arena *a, struct err *e)
{
    struct histogram *h = arena_new(a, struct histogram);
    uint64_t hint = unpack_u64(u);
    double *bounds;

    h->schema = (int32_t)unpack_i64(u);
    h->hint = hint <= HISTOGRAM_GAUGE ? (enum histogram_hint)hint : HISTOGRAM_UNKNOWN;
    h->count = unpack_double(u);
    h->sum = unpack_double(u);
    h->zero_threshold = unpack_double(u);
    h->zero_count = unpack_double(u);
    h->n_bounds = (uint32_t)unpack_count(u, 8);
    bounds = arena_array(a, h->n_bounds, sizeof(*bounds));
    for (uint32_t i = 0; i < h->n_bounds; i++)
        bounds[i] = unpack_double(u);
    h->bounds = bounds;
    h->negative = unpack_side(u, a);
    h->positive = unpack_side(u, a);
    return !u->failed && histogram_check(h, e) && h->schema <= HISTOGRAM_SCHEMA_MAX ? h : NULL;
}

/* -- heads -- */

void log_write_head(struct buf *b, const struct log_head *h)
{
    pack_u64(b, VERSION);
    pack_u64(b, h->kind);
    if (h->kind == LOG_STEP) {
        pack_i64(b, h->t);
        return;
    }
    pack_u64(b, h->stream);
    if (h->is_new) {
        pack_str(b, h->conf.name);
        pack_i64(b, h->conf.interval_ms);
        pack_u64(b, (h->conf.marks_stale ? MARKS_STALE : 0) | (h->is_lane ? IS_LANE : 0));
    }
    pack_i64(b, h->t);
    pack_u64(b, h->items);
}

bool log_read_head(struct unpack *u, uint64_t streams, struct log_head *out, struct err *e)
{
    uint64_t version = unpack_u64(u), kind = unpack_u64(u), flags;

    if (version != VERSION || kind < LOG_BATCH || kind > LOG_STEP)
        return err_set(e, ERR_CORRUPT, "record of an unknown kind");
    *out = (struct log_head){.kind = (enum log_kind)kind};
    if (kind == LOG_STEP) {
        out->t = unpack_i64(u);
        return !u->failed || err_set(e, ERR_CORRUPT, "record is cut");
    }
    out->stream = unpack_u64(u);
    if (out->stream > streams)
        return err_set(e, ERR_CORRUPT, "record of an unknown stream");
    out->is_new = out->stream == streams;
    if (out->is_new) {
        out->conf.name = unpack_str(u);
        out->conf.interval_ms = unpack_i64(u);
        flags = unpack_u64(u);
        out->conf.marks_stale = (flags & MARKS_STALE) != 0;
        out->is_lane = (flags & IS_LANE) != 0;
    }
    out->t = unpack_i64(u);
    out->items = unpack_count(u, 2);
    return !u->failed || err_set(e, ERR_CORRUPT, "record is cut");
}

/* -- items -- */

void log_write_item(struct buf *b, const struct log_item *item, uint64_t last)
{
    pack_u64(b, pack_zigzag((int64_t)(item->series - (last + 1))) << 2 |
                    (item->start != 0 ? HAS_START : 0) |
                    (item->histogram != NULL ? IS_HISTOGRAM : 0));
    if (item->is_new) {
        pack_u64(b, item->labels.n);
        LABELS_EACH (l, item->labels) {
            pack_str(b, l->name);
            pack_str(b, l->value);
        }
    }
    if (item->start != 0)
        pack_i64(b, item->start);
    if (item->histogram != NULL)
        log_write_histogram(b, item->histogram);
    else
        pack_fixed64(b, item->slot);
}

/* Labels in the log are sorted: they have been in the store. Damage that the checksum missed must not get in there. */
static bool log_record_read_labels(struct unpack *u, struct arena *a, struct labels *out,
                                   struct err *e)
{
    size_t n = unpack_count(u, 2);
    struct label *v;
    str dup;

    if (n > LABELS_MAX)
        return err_set(e, ERR_CORRUPT, "record of a series with %zu labels", n);
    v = arena_array(a, n, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        v[i].name = unpack_str(u);
        v[i].value = unpack_str(u);
        if (v[i].name.n == 0)
            return err_set(e, ERR_CORRUPT, "record of a label without a name");
    }
    n = labels_sort(v, n, &dup);
    if (n == SIZE_MAX)
        return err_set(e, ERR_CORRUPT, "record of a series with a label twice");
    *out = (struct labels){v, n};
    return true;
}

bool log_read_item(struct unpack *u, uint64_t last, uint64_t series, struct arena *a,
                   struct log_item *out, struct err *e)
{
    uint64_t head = unpack_u64(u);

    *out = (struct log_item){.series = last + 1 + (uint64_t)unpack_zigzag(head >> 2)};
    if (u->failed || out->series > series)
        return err_set(e, ERR_CORRUPT, "record of an unknown series");
    out->is_new = out->series == series;
    if (out->is_new && !log_record_read_labels(u, a, &out->labels, e))
        return false;
    if ((head & HAS_START) != 0)
        out->start = unpack_i64(u);
    if ((head & IS_HISTOGRAM) == 0)
        out->slot = storage_float(unpack_double(u));
    else if ((out->histogram = log_read_histogram(u, a, e)) == NULL)
        return err_set(e, ERR_CORRUPT, "record of a damaged histogram");
    return !u->failed || err_set(e, ERR_CORRUPT, "record is cut");
}
