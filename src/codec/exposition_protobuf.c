/* A walk over the wire format (protobuf.h), family by family: names and help are kept until the type is known, then
 * each metric becomes the lines that its type has in text. */
#include "codec/exposition_protobuf.h"

#include "base/utf8.h"
#include "codec/exposition.h"
#include "codec/float.h"
#include "codec/protobuf.h"

enum type { COUNTER, GAUGE, SUMMARY, UNTYPED, HISTOGRAM, GAUGE_HISTOGRAM, TYPES };

/* field: of Metric, where a metric of that type has its value. */
static const struct {
    const char *text;
    unsigned field;
} types[TYPES] = {
    [COUNTER] = {"counter", 3},     [GAUGE] = {"gauge", 2},
    [SUMMARY] = {"summary", 4},     [UNTYPED] = {"untyped", 5},
    [HISTOGRAM] = {"histogram", 7}, [GAUGE_HISTOGRAM] = {"histogram", 7},
};

enum {
    FAMILY_NAME = 1,
    FAMILY_HELP = 2,
    FAMILY_TYPE = 3,
    FAMILY_METRIC = 4,
    METRIC_LABEL = 1,
    METRIC_TIME = 6,
    LABEL_NAME = 1,
    LABEL_VALUE = 2,
    VALUE = 1, /* of a counter, a gauge, an untyped metric */
    SUMMARY_COUNT = 1,
    SUMMARY_SUM = 2,
    SUMMARY_QUANTILE = 3,
    QUANTILE_AT = 1,
    QUANTILE_VALUE = 2,
    HISTOGRAM_COUNT = 1,
    HISTOGRAM_SUM = 2,
    HISTOGRAM_BUCKET = 3,
    HISTOGRAM_COUNT_FLOAT = 4,
    BUCKET_COUNT = 1,
    BUCKET_BOUND = 2,
    BUCKET_COUNT_FLOAT = 4,
};

struct writing {
    struct buf *out;
    size_t limit;
    str name;
    str metric; /* the message */
    bool has_time;
    int64_t time_ms;
    bool failed; /* a message in the metric is malformed */
};

static void put_label(struct writing *w, str message, bool *any)
{
    struct pb_reader r = pb_reader_of(message);
    str name = STR_NONE, value = STR_NONE;

    while (pb_next(&r)) {
        if (r.field == LABEL_NAME)
            name = r.bytes;
        else if (r.field == LABEL_VALUE)
            value = r.bytes;
    }
    w->failed |= r.failed;
    expo_put_label(w->out, any, name, value);
}

/* Name and labels. more: the name of one more label, with the value at. */
static void exposition_protobuf_put_series(struct writing *w, const char *suffix, const char *more,
                                           double at)
{
    struct pb_reader r = pb_reader_of(w->metric);
    bool any = expo_open_series(w->out, w->name, suffix);

    while (pb_next(&r))
        if (r.field == METRIC_LABEL)
            put_label(w, r.bytes, &any);
    if (more != NULL) {
        buf_addf(w->out, "%s%s=\"", any ? "," : "", more);
        float_print_g(w->out, at);
        buf_addc(w->out, '"');
    }
    buf_adds(w->out, "} ");
}

static void put_end(struct writing *w)
{
    if (w->has_time) {
        buf_addc(w->out, ' ');
        buf_add_i64(w->out, w->time_ms);
    }
    buf_addc(w->out, '\n');
}

static void put_double(struct writing *w, const char *suffix, const char *more, double at, double v)
{
    exposition_protobuf_put_series(w, suffix, more, at);
    float_print_g(w->out, v);
    put_end(w);
}

static void put_count(struct writing *w, const char *suffix, const char *more, double at,
                      uint64_t count, double real)
{
    if (real > 0) {
        put_double(w, suffix, more, at, real);
        return;
    }
    exposition_protobuf_put_series(w, suffix, more, at);
    buf_add_u64(w->out, count);
    put_end(w);
}

static void put_simple(struct writing *w, str message)
{
    struct pb_reader r = pb_reader_of(message);
    double v = 0;

    while (pb_next(&r))
        if (r.field == VALUE)
            v = float_of_bits(r.value);
    w->failed |= r.failed;
    put_double(w, "", NULL, 0, v);
}

static void put_quantile(struct writing *w, str message)
{
    struct pb_reader r = pb_reader_of(message);
    double at = 0, v = 0;

    while (pb_next(&r)) {
        if (r.field == QUANTILE_AT)
            at = float_of_bits(r.value);
        else if (r.field == QUANTILE_VALUE)
            v = float_of_bits(r.value);
    }
    w->failed |= r.failed;
    put_double(w, "", "quantile", at, v);
}

static bool fits(const struct writing *w)
{
    return w->out->n <= w->limit;
}

static void put_summary(struct writing *w, str message)
{
    struct pb_reader r = pb_reader_of(message);
    uint64_t count = 0;
    double sum = 0;

    while (fits(w) && pb_next(&r)) {
        if (r.field == SUMMARY_QUANTILE)
            put_quantile(w, r.bytes);
        else if (r.field == SUMMARY_COUNT)
            count = r.value;
        else if (r.field == SUMMARY_SUM)
            sum = float_of_bits(r.value);
    }
    w->failed |= r.failed;
    put_double(w, "_sum", NULL, 0, sum);
    put_count(w, "_count", NULL, 0, count, 0);
}

static bool put_bucket(struct writing *w, str message)
{
    struct pb_reader r = pb_reader_of(message);
    double bound = 0, real = 0;
    uint64_t count = 0;

    while (pb_next(&r)) {
        if (r.field == BUCKET_BOUND)
            bound = float_of_bits(r.value);
        else if (r.field == BUCKET_COUNT)
            count = r.value;
        else if (r.field == BUCKET_COUNT_FLOAT)
            real = float_of_bits(r.value);
    }
    w->failed |= r.failed;
    put_count(w, "_bucket", "le", bound, count, real);
    return bound == __builtin_inf();
}

static void exposition_protobuf_put_histogram(struct writing *w, str message)
{
    struct pb_reader r = pb_reader_of(message);
    double sum = 0, real = 0;
    uint64_t count = 0;
    bool is_whole = false;

    while (fits(w) && pb_next(&r)) {
        if (r.field == HISTOGRAM_BUCKET)
            is_whole |= put_bucket(w, r.bytes);
        else if (r.field == HISTOGRAM_COUNT)
            count = r.value;
        else if (r.field == HISTOGRAM_COUNT_FLOAT)
            real = float_of_bits(r.value);
        else if (r.field == HISTOGRAM_SUM)
            sum = float_of_bits(r.value);
    }
    w->failed |= r.failed;
    if (!is_whole)
        put_count(w, "_bucket", "le", __builtin_inf(), count, real);
    put_double(w, "_sum", NULL, 0, sum);
    put_count(w, "_count", NULL, 0, count, real);
}

static bool exposition_protobuf_check_limit(const struct writing *w, struct err *e)
{
    return fits(w) ||
           err_set(e, ERR_LIMIT, "the metrics are more than %zu bytes as text", w->limit);
}

static bool put_metric(struct writing *w, enum type type, struct err *e)
{
    struct pb_reader r = pb_reader_of(w->metric);
    str value = STR_NONE;
    bool has_value = false;

    w->has_time = false;
    while (pb_next(&r)) {
        if (r.field == types[type].field && r.is_bytes) {
            value = r.bytes;
            has_value = true;
        } else if (r.field == METRIC_TIME) {
            w->has_time = true;
            w->time_ms = (int64_t)r.value;
        }
    }
    w->failed |= r.failed;
    if (!w->failed && !has_value)
        return err_set(e, ERR_INVALID, "a metric of the %s '%.*s' has no such value",
                       types[type].text, STR(w->name));
    if (type == SUMMARY)
        put_summary(w, value);
    else if (type == HISTOGRAM || type == GAUGE_HISTOGRAM)
        exposition_protobuf_put_histogram(w, value);
    else
        put_simple(w, value);
    if (w->failed)
        return err_set(e, ERR_INVALID, "a metric of '%.*s' is malformed", STR(w->name));
    return fits(w) ||
           err_set(e, ERR_LIMIT, "the metrics are more than %zu bytes as text", w->limit);
}

static bool put_family(struct writing *w, str message, struct err *e)
{
    struct pb_reader r = pb_reader_of(message);
    uint64_t type = COUNTER;
    str help = STR_NONE;

    w->name = STR_NONE;
    while (pb_next(&r)) {
        if (r.field == FAMILY_NAME)
            w->name = r.bytes;
        else if (r.field == FAMILY_HELP)
            help = r.bytes;
        else if (r.field == FAMILY_TYPE)
            type = r.value;
    }
    if (r.failed)
        return err_set(e, ERR_INVALID, "a metric family is malformed");
    if (w->name.n == 0 || !utf8_is_valid(w->name))
        return err_set(e, ERR_INVALID, "a metric family has no name, or one that is not UTF-8");
    if (type >= TYPES)
        return err_set(e, ERR_INVALID, "the type of '%.*s' is unknown", STR(w->name));
    if (help.n != 0) {
        buf_adds(w->out, "# HELP ");
        expo_put_name(w->out, w->name, "");
        buf_addc(w->out, ' ');
        expo_escape(w->out, help, false);
        buf_addc(w->out, '\n');
    }
    buf_adds(w->out, "# TYPE ");
    expo_put_name(w->out, w->name, "");
    buf_addf(w->out, " %s\n", types[type].text);
    for (r = pb_reader_of(message); pb_next(&r);)
        if (r.field == FAMILY_METRIC) {
            w->metric = r.bytes;
            if (!put_metric(w, (enum type)type, e))
                return false;
        }
    return exposition_protobuf_check_limit(w, e);
}

bool expo_from_protobuf(str body, size_t limit, struct buf *out, struct err *e)
{
    struct writing w = {.out = out, .limit = limit};
    struct pb_reader r = pb_reader_of(body);

    while (r.at < body.n) {
        uint64_t n = pb_varint(&r);

        if (r.failed || n > body.n - r.at)
            return err_set(e, ERR_INVALID, "the body ends in the middle of a metric family");
        if (!put_family(&w, str_sub(body, r.at, r.at + (size_t)n), e))
            return false;
        r.at += (size_t)n;
    }
    return true;
}
