#include "load.h"

#include "base/vec.h"
#include "codec/duration.h"
#include "model/labels.h"
#include "promql/label_sets.h"
#include "promql/series_histogram.h"

/* -- start timestamps: labels@st, then durations relative to the samples -- */

struct starts {
    VEC(dur_ns) v; /* NO_START: none */
};

#define NO_START INT64_MIN

static ptrdiff_t find_st(str line)
{
    char quote = '\0';

    for (size_t i = 0; i + 4 <= line.n; i++) {
        if (quote != '\0') {
            if (line.p[i] == '\\')
                i++;
            else if (line.p[i] == quote)
                quote = '\0';
        } else if (line.p[i] == '"' || line.p[i] == '\'' || line.p[i] == '`')
            quote = line.p[i];
        else if (str_starts_with(str_sub(line, i, line.n), S("@st")) &&
                 (line.p[i + 3] == ' ' || line.p[i + 3] == '\t'))
            return (ptrdiff_t)i;
    }
    return -1;
}

static bool parse_signed(str s, dur_ns *out, struct err *e)
{
    bool is_minus = s.n != 0 && s.p[0] == '-';

    if (!duration_parse(s.n != 0 && (is_minus || s.p[0] == '+') ? str_sub(s, 1, s.n) : s, out, e))
        return false;
    *out = is_minus ? -*out : *out;
    return true;
}

static bool parse_times(str s, uint64_t *out)
{
    return s.n > 1 && s.p[0] == 'x' && str_to_u64(str_sub(s, 1, s.n), out) && *out < 1000000;
}

/* D, DxN, D+DxN, D-DxN: the second duration begins at a sign that is not the first character. */
static bool parse_start(str item, struct starts *out, struct err *e)
{
    ptrdiff_t x = str_find(item, 'x');
    str values = x < 0 ? item : str_sub(item, 0, (size_t)x);
    dur_ns first, step = 0;
    uint64_t times = 0;
    size_t k = 1;

    if (x >= 0 && !parse_times(str_sub(item, (size_t)x, item.n), &times))
        return err_set(e, ERR_INVALID, "start timestamps: repetition in '%.*s'", STR(item));
    while (k < values.n && values.p[k] != '+' && values.p[k] != '-')
        k++;
    if (!parse_signed(str_sub(values, 0, k), &first, e) ||
        (k < values.n && !parse_signed(str_sub(values, k, values.n), &step, e)))
        return false;
    for (uint64_t i = 0; i <= times; i++)
        vec_push(&out->v, first + (dur_ns)i * step);
    return true;
}

static bool parse_starts(str text, struct starts *out, struct err *e)
{
    for (str rest = str_trim(text); rest.n != 0; rest = str_trim(rest)) {
        size_t k = 0;
        uint64_t times = 1;
        str item;

        while (k < rest.n && rest.p[k] != ' ' && rest.p[k] != '\t')
            k++;
        item = str_sub(rest, 0, k);
        rest = str_sub(rest, k, rest.n);
        if (item.p[0] != '_') {
            if (!parse_start(item, out, e))
                return false;
            continue;
        }
        if (item.n > 1 && !parse_times(str_sub(item, 1, item.n), &times))
            return err_set(e, ERR_INVALID, "start timestamps: repetition in '%.*s'", STR(item));
        for (uint64_t i = 0; i < times; i++)
            vec_push(&out->v, NO_START);
    }
    return true;
}

/* -- one line -- */

struct line {
    struct series_line series;
    dur_ns *starts; /* NULL: none */
};

static bool store_value(struct mem_storage *m, const struct line *l, size_t i, ts_ms t, ts_ms start,
                        struct series_before *before, struct arena *a, struct err *e)
{
    const struct series_value *v = &l->series.values[i];
    struct histogram h;

    switch (v->kind) {
    case SERIES_OMITTED: return true;
    case SERIES_STALE: mem_storage_append_stale(m, l->series.labels, t); return true;
    case SERIES_FLOAT: mem_storage_append(m, l->series.labels, t, v->v, start); return true;
    case SERIES_HISTOGRAM: break;
    }
    return series_to_histogram(v, before, a, &h, e) &&
           mem_storage_append_histogram(m, l->series.labels, t, &h, start, e);
}

static bool store_line(struct mem_storage *m, const struct line *l, ts_ms step, struct nhcb *nhcb,
                       struct arena *a, struct err *e)
{
    struct series_before before = {.v = NULL};

    for (size_t i = 0; i < l->series.n; i++) {
        ts_ms t = (ts_ms)i * step;
        bool has_start = l->starts != NULL && l->starts[i] != NO_START;

        if (!store_value(m, l, i, t, has_start ? t + l->starts[i] / NS_PER_MS : 0, &before, a, e))
            return false;
        if (nhcb != NULL && l->series.values[i].kind == SERIES_FLOAT)
            nhcb_add(nhcb, l->series.labels, t, l->series.values[i].v);
    }
    return true;
}

/* -- a block -- */

struct block {
    struct arena a;
    VEC(struct line) lines;
    struct label_sets by_labels; /* a series named twice: the last one holds */
    struct starts starts;
    struct labels starts_of;
    bool has_starts;
};

static bool take_starts(struct block *b, str line, size_t at, struct err *e)
{
    vec_clear(&b->starts.v);
    b->has_starts = true;
    return series_parse_labels(str_sub(line, 0, at), &b->a, &b->starts_of, e) &&
           parse_starts(str_sub(line, at + 3, line.n), &b->starts, e);
}

static bool take_series(struct block *b, str line, struct err *e)
{
    struct line l = {.starts = NULL};
    bool is_new;
    uint32_t at;

    if (!series_parse(line, &b->a, &l.series, e))
        return false;
    if (b->has_starts) {
        if (!labels_eq(b->starts_of, l.series.labels) || b->starts.v.n != l.series.n)
            return err_set(e, ERR_INVALID, "start timestamps do not fit the line below");
        l.starts = arena_array(&b->a, l.series.n + 1, sizeof(*l.starts));
        if (l.series.n != 0)
            memcpy(l.starts, b->starts.v.v, l.series.n * sizeof(*l.starts));
        b->has_starts = false;
    }
    at = *label_sets_add(&b->by_labels, l.series.labels, (uint32_t)b->lines.n, &is_new);
    if (is_new)
        vec_push(&b->lines, l);
    else
        b->lines.v[at] = l;
    return true;
}

static bool read_lines(struct block *b, const str *lines, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        ptrdiff_t st = find_st(lines[i]);

        if (st >= 0 ? !take_starts(b, lines[i], (size_t)st, e) : !take_series(b, lines[i], e))
            return false;
    }
    return !b->has_starts || err_set(e, ERR_INVALID, "start timestamps without a series");
}

static bool store_lines(struct block *b, struct mem_storage *m, ts_ms step, struct nhcb *nhcb,
                        struct err *e)
{
    VEC_EACH (struct line *, l, &b->lines)
        if (!store_line(m, l, step, nhcb, &b->a, e))
            return false;
    return nhcb == NULL || nhcb_store(nhcb, m, e);
}

bool load_block(struct mem_storage *m, const str *lines, size_t n, ts_ms step, bool with_nhcb,
                struct err *e)
{
    struct nhcb *nhcb = with_nhcb ? nhcb_new() : NULL;
    struct block b = {.lines = VEC_INIT};
    bool ok;

    arena_init(&b.a, 0);
    ok = read_lines(&b, lines, n, e) && store_lines(&b, m, step, nhcb, e);
    nhcb_free(nhcb);
    vec_release(&b.lines);
    vec_release(&b.starts.v);
    label_sets_release(&b.by_labels);
    arena_release(&b.a);
    return ok;
}
