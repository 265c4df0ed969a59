#include "promql/notes.h"

#include <math.h>
#include <time.h>
#include "codec/float.h"
#include "codec/quote.h"

enum naming {
    NAMELESS,
    NAMED,    /* the quoted name ends the text */
    NAMED_IF, /* " for metric name " and the quoted name, when there is one */
};

#define SEEN_METRIC " for metric name"

static const struct {
    bool is_warning;
    enum naming naming;
    const char *text;
} texts[] = {
    {true, NAMED, "encountered a mix of histograms and floats" SEEN_METRIC},
    {true, NAMELESS, "encountered a mix of histograms and floats for aggregation"},
    {true, NAMED,
     "vector contains a mix of histograms with exponential and custom buckets schemas" SEEN_METRIC},
    {true, NAMED_IF, "vector contains a mix of classic and native histograms"},
    {true, NAMED, "this native histogram metric is not a counter:"},
    {true, NAMED, "this native histogram metric is not a gauge:"},
    {true, NAMED, "sample has start time that overlaps with previous sample timestamp for metric"},
    {false, NAMED,
     "ignored histograms in a range containing both floats and histograms" SEEN_METRIC},
    {true, NAMELESS, "conflicting counter resets during histogram addition"},
    {true, NAMELESS, "conflicting counter resets during histogram subtraction"},
    {true, NAMELESS, "conflicting counter resets during histogram aggregation"},
    {false, NAMELESS, "mismatched custom buckets were reconciled during addition"},
    {false, NAMELESS, "mismatched custom buckets were reconciled during subtraction"},
    {false, NAMELESS, "mismatched custom buckets were reconciled during aggregation"},
    {false, NAMED_IF, "input to histogram_quantile has NaN observations, result is NaN"},
    {false, NAMED_IF, "input to histogram_quantile has NaN observations, result is skewed higher"},
    {false, NAMED_IF,
     "input to histogram_fraction has NaN observations, which are excluded from all fractions"},
    {false, NAMED,
     "metric might not be a counter, name does not end in _total/_sum/_count/_bucket:"},
    {true, NAMELESS,
     "sort is ineffective for range queries since results are always ordered by labels"},
};

void promql_notes_init(struct promql_notes *n, struct arena *a)
{
    *n = (struct promql_notes){.a = a};
}

void promql_notes_release(struct promql_notes *n)
{
    str_map_release(&n->by_text);
}

static struct promql_annotation *notes_add(struct promql_notes *n, bool is_warning, uint32_t at,
                                           str text)
{
    void **old = str_map_get(&n->by_text, text);
    struct promql_annotation *x;

    n->said++;
    if (old != NULL) {
        x = *old;
        x->at = at;
        return x;
    }
    x = arena_new(n->a, struct promql_annotation);
    *x = (struct promql_annotation){
        .is_warning = is_warning, .text = arena_str(n->a, text), .at = at};
    str_map_put(&n->by_text, x->text, x);
    return x;
}

static void add_bit(struct promql_notes *n, unsigned i, str metric, uint32_t at)
{
    struct buf b = BUF_INIT;

    buf_addf(&b, "PromQL %s: %s", texts[i].is_warning ? "warning" : "info", texts[i].text);
    if (texts[i].naming == NAMED_IF && metric.n != 0)
        buf_adds(&b, SEEN_METRIC);
    if (texts[i].naming == NAMED || (texts[i].naming == NAMED_IF && metric.n != 0)) {
        buf_addc(&b, ' ');
        quote_go(&b, metric);
    }
    notes_add(n, texts[i].is_warning, at, buf_str(&b));
    buf_release(&b);
}

void promql_notes_add(struct promql_notes *n, unsigned bits, str metric, uint32_t at)
{
    for (; bits != 0; bits &= bits - 1)
        add_bit(n, (unsigned)__builtin_ctz(bits), metric, at);
}

void promql_note(struct promql_notes *n, bool is_warning, uint32_t at, const char *fmt, ...)
{
    struct buf b = BUF_INIT;
    va_list ap;

    buf_addf(&b, "PromQL %s: ", is_warning ? "warning" : "info");
    va_start(ap, fmt);
    buf_vaddf(&b, fmt, ap);
    va_end(ap);
    notes_add(n, is_warning, at, buf_str(&b));
    buf_release(&b);
}

void promql_note_quantile(struct promql_notes *n, double q, uint32_t at)
{
    struct buf b = BUF_INIT;

    float_print_g(&b, q);
    promql_note(n, true, at, "quantile value should be between 0 and 1, got %.*s",
                STR(buf_str(&b)));
    buf_release(&b);
}

/* -- levelled buckets -- */

void promql_extent_add(struct promql_extent *all, struct promql_extent x)
{
    if (x.n == 0)
        return;
    if (all->n == 0)
        *all = x;
    else
        *all = (struct promql_extent){.from = fmin(all->from, x.from),
                                      .to = fmax(all->to, x.to),
                                      .most = fmax(all->most, x.most),
                                      .n = all->n + x.n,
                                      .first = all->first < x.first ? all->first : x.first,
                                      .last = all->last > x.last ? all->last : x.last};
}

void promql_note_levelled(struct promql_notes *n, struct promql_extent x, str metric, uint32_t at)
{
    struct buf b = BUF_INIT;

    buf_adds(&b,
             "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
             "https://prometheus.io/docs/prometheus/latest/querying/functions/"
             "#histogram_quantile)");
    if (metric.n != 0) {
        buf_adds(&b, SEEN_METRIC " ");
        quote_go(&b, metric);
    }
    if (x.n != 0 || str_map_get(&n->by_text, buf_str(&b)) != NULL)
        promql_extent_add(&notes_add(n, false, at, buf_str(&b))->extent, x);
    buf_release(&b);
}

static void print_time(struct buf *out, ts_ms t)
{
    time_t s = t / 1000;
    struct tm tm;
    char text[64];

    if (gmtime_r(&s, &tm) != NULL && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) != 0)
        buf_add(out, str_of(text));
}

static void print_extent(struct buf *out, const struct promql_extent *x)
{
    buf_adds(out, ", from buckets ");
    float_print_g(out, x->from);
    buf_adds(out, " to ");
    float_print_g(out, x->to);
    buf_addf(out, ", with a max diff of %.2g, over %zu samples from ", x->most, x->n);
    print_time(out, x->first);
    buf_adds(out, " to ");
    print_time(out, x->last);
}

void promql_annotation_print(struct buf *out, const struct promql_annotation *x, str text)
{
    size_t line = 1, col = 1;

    buf_add(out, x->text);
    if (x->extent.n != 0)
        print_extent(out, &x->extent);
    for (size_t i = 0; i < x->at && i < text.n; i++) {
        col++;
        if (text.p[i] == '\n') {
            line++;
            col = 1;
        }
    }
    buf_addf(out, " (%zu:%zu)", line, col);
}
