#include "remote_write/request.h"

#include "codec/pack.h"
#include "codec/protobuf.h"

enum { REQUEST_TIMESERIES = 1, REQUEST_METADATA = 3 };
enum { SERIES_LABELS = 1, SERIES_SAMPLES = 2, SERIES_HISTOGRAMS = 4 };
enum { LABEL_NAME = 1, LABEL_VALUE = 2 };
enum { SAMPLE_VALUE = 1, SAMPLE_TIME = 2 };
enum {
    HISTOGRAM_COUNT = 2,
    HISTOGRAM_SUM = 3,
    HISTOGRAM_SCHEMA = 4,
    HISTOGRAM_ZERO_THRESHOLD = 5,
    HISTOGRAM_ZERO_COUNT = 7,
    HISTOGRAM_NEGATIVE = 8, /* spans; their counts stand at + 2 */
    HISTOGRAM_POSITIVE = 11,
    HISTOGRAM_HINT = 14,
    HISTOGRAM_TIME = 15,
    HISTOGRAM_BOUNDS = 16
};
enum { METADATA_TYPE = 1, METADATA_METRIC = 2, METADATA_HELP = 4, METADATA_UNIT = 5 };

void request_put_label(struct buf *labels, str name, str value)
{
    struct buf label = BUF_INIT;

    pb_put_bytes(&label, LABEL_NAME, name);
    pb_put_bytes(&label, LABEL_VALUE, value);
    pb_put_message(labels, SERIES_LABELS, &label);
    buf_release(&label);
}

struct labels request_labels(str labels, struct arena *a)
{
    struct pb_reader r = pb_reader_of(labels);
    struct label *v;
    size_t n = 0;

    while (pb_next(&r))
        n++;
    v = arena_array(a, n, sizeof(*v));
    r = pb_reader_of(labels);
    for (size_t i = 0; i < n && pb_next(&r); i++)
        for (struct pb_reader l = pb_reader_of(r.bytes); pb_next(&l);)
            *(l.field == LABEL_NAME ? &v[i].name : &v[i].value) = l.bytes;
    return (struct labels){v, n};
}

static void put_sint(struct buf *out, unsigned field, int64_t v)
{
    pb_put_u64(out, field, pack_zigzag(v));
}

static void put_doubles(struct buf *out, unsigned field, const double *v, size_t n)
{
    struct buf packed = BUF_INIT;
    uint64_t bits;

    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, &v[i], sizeof(bits));
        pack_fixed64(&packed, bits);
    }
    pb_put_bytes(out, field, buf_str(&packed));
    buf_release(&packed);
}

static void put_side(struct buf *out, unsigned field, const struct histogram_side *s)
{
    struct buf span = BUF_INIT;

    for (uint32_t i = 0; i < s->n_spans; i++) {
        put_sint(&span, 1, s->spans[i].offset);
        pb_put_u64(&span, 2, s->spans[i].length);
        pb_put_message(out, field, &span);
    }
    put_doubles(out, field + 2, s->counts, s->n);
    buf_release(&span);
}

static void request_put_histogram(struct buf *out, const struct histogram *h, ts_ms t)
{
    pb_put_double(out, HISTOGRAM_COUNT, h->count);
    pb_put_double(out, HISTOGRAM_SUM, h->sum);
    put_sint(out, HISTOGRAM_SCHEMA, h->schema);
    pb_put_double(out, HISTOGRAM_ZERO_THRESHOLD, h->zero_threshold);
    pb_put_double(out, HISTOGRAM_ZERO_COUNT, h->zero_count);
    put_side(out, HISTOGRAM_NEGATIVE, &h->negative);
    put_side(out, HISTOGRAM_POSITIVE, &h->positive);
    pb_put_u64(out, HISTOGRAM_HINT, h->hint);
    pb_put_u64(out, HISTOGRAM_TIME, (uint64_t)t);
    put_doubles(out, HISTOGRAM_BOUNDS, h->bounds, h->n_bounds);
}

static void request_put_float(struct buf *out, storage_slot slot, ts_ms t)
{
    double v;

    memcpy(&v, &slot, sizeof(v));
    pb_put_double(out, SAMPLE_VALUE, v);
    pb_put_u64(out, SAMPLE_TIME, (uint64_t)t);
}

void request_put_sample(struct buf *body, str labels, ts_ms t, storage_slot slot,
                        const struct histogram *h)
{
    struct buf series = BUF_INIT, sample = BUF_INIT;

    buf_add(&series, labels);
    if (h != NULL)
        request_put_histogram(&sample, h, t);
    else
        request_put_float(&sample, slot, t);
    pb_put_message(&series, h != NULL ? SERIES_HISTOGRAMS : SERIES_SAMPLES, &sample);
    pb_put_message(body, REQUEST_TIMESERIES, &series);
    buf_release(&series);
    buf_release(&sample);
}

void request_put_metadata(struct buf *body, str metric, str type, str help, str unit)
{
    static const char *const types[] = {"unknown",        "counter", "gauge", "histogram",
                                        "gaugehistogram", "summary", "info",  "stateset"};
    struct buf m = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(type, types[i]))
            pb_put_u64(&m, METADATA_TYPE, i);
    pb_put_bytes(&m, METADATA_METRIC, metric);
    pb_put_bytes(&m, METADATA_HELP, help);
    pb_put_bytes(&m, METADATA_UNIT, unit);
    pb_put_message(body, REQUEST_METADATA, &m);
    buf_release(&m);
}
