/* Pieces are decompressed as they come, whole lines of them are read at once; lines that were there last time are
 * known by their bytes, new ones get their labels. Reports follow, then all is one commit, or none. */
#include "scrape/ingest.h"

#include <stdlib.h>
#include "base/hash.h"
#include "model/labels.h"

/* A sample whose own time is farther in the future is refused, as by Prometheus. */
enum { AHEAD_MS = 10 * 60 * 1000 };

/* New series: how many are collected before their labels are let go. */
enum { RESOLVE_AT = 1024 };

static const char *const report_names[SCRAPE_REPORTS] = {
    [REPORT_UP] = "up",
    [REPORT_DURATION] = "scrape_duration_seconds",
    [REPORT_SCRAPED] = "scrape_samples_scraped",
    [REPORT_KEPT] = "scrape_samples_post_metric_relabeling",
    [REPORT_ADDED] = "scrape_series_added",
};

void ingest_forget(struct ingest *g)
{
    line_cache_release(&g->lines);
}

void ingest_release(struct ingest *g)
{
    ingest_cancel(g);
    line_cache_release(&g->lines);
    vec_release(&g->fresh);
    metadata_release(&g->metadata);
}

/* -- the labels of a new line -- */

/* The target's labels, and how many of the sample's names they take. */
struct merge {
    struct ingest *g;
    struct label *v;
    size_t n;
};

static bool ingest_has(const struct merge *m, str name)
{
    for (size_t i = 0; i < m->n; i++)
        if (str_eq(m->v[i].name, name))
            return true;
    return false;
}

static int by_length(const void *a, const void *b)
{
    const struct label *x = a, *y = b;

    return x->name.n != y->name.n ? (x->name.n < y->name.n ? -1 : 1) : str_cmp(x->name, y->name);
}

/* exported_ is put before the name until nobody has it, shorter names first. */
static void export_clashing(struct merge *m, struct label *v, size_t n)
{
    if (n > 1)
        qsort(v, n, sizeof(*v), by_length);
    for (size_t i = 0; i < n; i++) {
        str name = v[i].name;

        do
            name = arena_printf(&m->g->scratch, "exported_%.*s", STR(name));
        while (ingest_has(m, name));
        m->v[m->n++] = (struct label){name, v[i].value};
    }
}

static struct labels merge_labels(struct ingest *g, struct labels ls)
{
    struct labels target = g->in->labels;
    struct label *clashing = arena_array(&g->scratch, ls.n, sizeof(*clashing));
    struct merge m = {.g = g, .v = arena_array(&g->scratch, ls.n + target.n, sizeof(*m.v))};
    size_t n_clashing = 0;
    str dup;

    LABELS_EACH (l, ls) {
        if (g->in->conf->honor_labels || !labels_has(target, l->name))
            m.v[m.n++] = *l;
        else
            clashing[n_clashing++] = *l;
    }
    LABELS_EACH (l, target)
        if (!g->in->conf->honor_labels || !labels_has(ls, l->name))
            m.v[m.n++] = *l;
    export_clashing(&m, clashing, n_clashing);
    m.n = labels_sort(m.v, m.n, &dup); /* no name is there twice */
    return (struct labels){m.v, m.n};
}

static bool ingest_within_limits(const struct ingest *g, struct labels ls, int line, struct err *e)
{
    const struct scrape_limits *l = &g->in->conf->common.limits;

    if (l->labels > 0 && ls.n > (size_t)l->labels)
        return err_at(e, line, 0, "label_limit exceeded: %zu labels, limit %lld", ls.n,
                      (long long)l->labels);
    LABELS_EACH (x, ls) {
        if (l->label_name_length > 0 && x->name.n > (size_t)l->label_name_length)
            return err_at(e, line, 0, "label_name_length_limit exceeded by \"%.*s\"", STR(x->name));
        if (l->label_value_length > 0 && x->value.n > (size_t)l->label_value_length)
            return err_at(e, line, 0, "label_value_length_limit exceeded by label \"%.*s\"",
                          STR(x->name));
    }
    return true;
}

static bool is_name_allowed(const struct ingest *g, struct labels ls)
{
    if (!str_is(g->in->conf->common.name_validation, "legacy"))
        return true;
    LABELS_EACH (l, ls)
        if (!(str_is(l->name, "__name__") ? metric_name_is_legacy(l->value)
                                          : label_name_is_legacy(l->name)))
            return false;
    return true;
}

/* Decodes a line's labels and gives them the target's. *keeps: relabeling leaves something. */
static bool new_labels(struct ingest *g, struct expo_reader *r, str series, struct labels *out,
                       bool *keeps, struct err *e)
{
    struct labels ls;

    arena_reset(&g->scratch);
    if (!expo_read_labels(r, series, &ls, e))
        return false;
    if (!is_name_allowed(g, ls))
        return err_at(e, r->line, 0, "invalid metric or label name");
    ls = merge_labels(g, expo_canonical_labels(&g->scratch, g->family_type, ls));
    *keeps = relabel(&g->in->conf->metric_relabel_configs, ls, &g->scratch, out) && out->n != 0;
    if (!*keeps)
        return true;
    if (!labels_has(*out, S("__name__")))
        return err_at(e, r->line, 0, "metric_relabel_configs leave a series without a name");
    return ingest_within_limits(g, *out, r->line, e);
}

/* -- samples -- */

static bool is_timed(const struct ingest *g, const struct expo_item *x)
{
    return x->has_time && g->in->conf->honor_timestamps;
}

static bool is_ahead(const struct ingest *g, const struct expo_item *x)
{
    return is_timed(g, x) && x->t > g->in->t + AHEAD_MS;
}

static void ingest_add(struct ingest *g, uint32_t ref, struct labels ls, const struct expo_item *x)
{
    if (is_timed(g, x))
        tsdb_batch_add_at(&g->batch, ref, ls, x->value, x->t);
    else
        tsdb_batch_add(&g->batch, ref, ls, x->value);
}

static bool add_new(struct ingest *g, struct expo_reader *r, const struct expo_item *x,
                    struct line *l, struct err *e)
{
    bool timed = is_timed(g, x), keeps;
    struct labels ls;

    if (!new_labels(g, r, x->series, &ls, &keeps, e))
        return false;
    l->is_relabeled_away = !keeps;
    l->ref = keeps && is_ahead(g, x) ? TSDB_REF_NEW : TSDB_REF_DROPPED;
    if (!keeps || is_ahead(g, x))
        return true;
    vec_push(&g->fresh,
             (struct ingest_fresh){.line = (uint32_t)(l - g->lines.v.v),
                                   .item = (uint32_t)(timed ? g->batch.timed.n : g->batch.items.n) &
                                           INT32_MAX,
                                   .is_timed = timed});
    ingest_add(g, TSDB_REF_NEW, ls, x);
    if (g->batch.news.n == RESOLVE_AT)
        tsdb_batch_resolve(&g->batch);
    return true;
}

static struct line *ingest_take_line(struct ingest *g, str series, bool *is_new)
{
    struct line *l = line_cache_get(&g->lines, hash_str(series), is_new);

    l->length = series.n <= UINT16_MAX ? (uint16_t)series.n : 0;
    return l;
}

static bool take_sample(struct ingest *g, struct expo_reader *r, const struct expo_item *x,
                        struct err *e)
{
    int64_t limit = g->in->conf->common.limits.samples;
    bool is_new = false;
    struct line *l =
        x->is_expected ? line_cache_step(&g->lines) : ingest_take_line(g, x->series, &is_new);

    g->out->scraped++;
    g->out->added += is_new;
    if (is_new || l->ref == TSDB_REF_NEW) { /* or what it had so far was too old for the store */
        if (!add_new(g, r, x, l, e))
            return false;
        line_cache_is_repeated(&g->lines, l);
    } else if (line_cache_is_repeated(&g->lines, l) && !is_timed(g, x)) {
        return true; /* the first one counts */
    } else if (l->ref != TSDB_REF_DROPPED && !is_ahead(g, x)) {
        ingest_add(g, l->ref, LABELS_NONE, x);
    }
    g->out->kept += !l->is_relabeled_away;
    if (limit > 0 && g->out->kept > (size_t)limit)
        return err_set(e, ERR_LIMIT, "sample_limit exceeded: more than %lld samples",
                       (long long)limit);
    return true;
}

/* What the bounds' labels ask about it. */
static str ingest_type_of(str text)
{
    return str_is(text, "histogram") ? S("histogram")
           : str_is(text, "summary") ? S("summary")
                                     : STR_NONE;
}

/* An exporter writes its lines in the same order each time. */
static bool ingest_read_item(struct ingest *g, struct expo_item *x, struct err *e)
{
    const struct line *next = line_cache_expects(&g->lines);

    expo_reader_expect(&g->reader, next != NULL ? next->length : 0, next != NULL ? next->hash : 0);
    return expo_read(&g->reader, x, e);
}

static bool read_lines(struct ingest *g, str lines, bool is_last, struct err *e)
{
    struct expo_item x;
    bool ok = true;

    expo_reader_more(&g->reader, lines, is_last);
    while (ok && ingest_read_item(g, &x, e)) {
        if (x.kind == EXPO_SAMPLE)
            ok = take_sample(g, &g->reader, &x, e);
        else
            metadata_see(&g->metadata, &x, g->in->format);
        if (x.kind == EXPO_TYPE)
            g->family_type = ingest_type_of(x.text);
    }
    if (e->code != ERR_NONE && e->line != 0)
        err_wrap(e, "line %d", e->line);
    return e->code == ERR_NONE;
}

/* -- the body -- */

enum { SLICE = 16 << 10 }; /* may become two hundred times that when inflated, in the worst case */

/* The beginning of a line waits for its end. */
static bool ingest_tear(struct ingest *g, str text, struct err *e)
{
    buf_add(&g->torn, text);
    return g->torn.n <= SCRAPE_LINE_MAX || err_set(e, ERR_LIMIT, "line %d is longer than %d bytes",
                                                   g->reader.line + 1, SCRAPE_LINE_MAX);
}

/* Reads what is whole of it: first the line that was torn, the rest where it stands. */
static bool ingest_read_text(struct ingest *g, str text, struct err *e)
{
    int64_t limit = g->in->conf->common.limits.body_size;
    const char *first = text.n != 0 ? memchr(text.p, '\n', text.n) : NULL;
    size_t whole = text.n,
           begin = first != NULL && g->torn.n != 0 ? (size_t)(first - text.p) + 1 : 0;

    g->out->bytes += text.n;
    if (limit > 0 && g->out->bytes >= (size_t)limit)
        return err_set(e, ERR_LIMIT, "body_size_limit exceeded: %lld bytes", (long long)limit);
    if (first == NULL)
        return ingest_tear(g, text, e);
    while (text.p[whole - 1] != '\n')
        whole--;
    buf_add(&g->torn, str_sub(text, 0, begin));
    if (!read_lines(g, buf_str(&g->torn), false, e) ||
        !read_lines(g, str_sub(text, begin, whole), false, e))
        return false;
    buf_clear(&g->torn);
    return ingest_tear(g, str_sub(text, whole, text.n), e);
}

/* What the scrape has in memory, but for what it adds to series that were there. */
static size_t ingest_bytes_of(const struct ingest *g)
{
    return g->batch.made + g->torn.cap + g->inflated.cap + g->scratch.used + g->batch.a.used +
           g->batch.items.cap * sizeof(g->batch.items.v[0]) +
           g->batch.timed.cap * sizeof(g->batch.timed.v[0]) +
           g->batch.news.cap * sizeof(g->batch.news.v[0]) + g->fresh.cap * sizeof(g->fresh.v[0]) +
           g->metadata.records.cap + line_cache_bytes(&g->lines);
}

static bool ingest_is_within_budget(struct ingest *g, struct err *e)
{
    return budget_hold(g->budget, &g->held, ingest_bytes_of(g)) ||
           err_set(e, ERR_LIMIT,
                   "the scrapes under way take too much memory together (limit %zu bytes), this "
                   "one %zu bytes",
                   g->budget->limit, ingest_bytes_of(g));
}

static bool read_slice(struct ingest *g, str slice, struct err *e)
{
    if (g->inflater == NULL)
        return ingest_read_text(g, slice, e);
    buf_clear(&g->inflated);
    return inflater_feed(g->inflater, slice, &g->inflated, e) &&
           ingest_read_text(g, buf_str(&g->inflated), e);
}

static bool ingest_read_end(struct ingest *g, struct err *e)
{
    if (g->inflater != NULL && !inflater_is_done(g->inflater))
        return err_set(e, ERR_INVALID, "the gzip body ends early");
    if (g->in->format == EXPO_TEXT && g->torn.n != 0)
        buf_addc(&g->torn, '\n'); /* a last line without its end is let pass */
    return read_lines(g, buf_str(&g->torn), true, e);
}

/* -- report series -- */

static void add_reports(struct ingest *g)
{
    const struct ingest_result *r = g->out;
    const double values[SCRAPE_REPORTS] = {
        [REPORT_UP] = r->is_up,
        [REPORT_DURATION] = (double)g->in->took / NS_PER_S,
        [REPORT_SCRAPED] = (double)r->scraped,
        [REPORT_KEPT] = (double)r->kept,
        [REPORT_ADDED] = (double)r->added,
    };
    struct labels target = g->in->labels;
    struct label *v = arena_array(&g->scratch, target.n + 1, sizeof(*v));

    for (size_t i = 0; i < SCRAPE_REPORTS; i++) {
        struct labels ls = {v, target.n + 1};
        str dup;

        if (target.n != 0)
            memcpy(v, target.v, target.n * sizeof(*v));
        v[target.n] = (struct label){S("__name__"), str_of(report_names[i])};
        ls.n = labels_sort(v, ls.n, &dup);
        if (g->reports[i] != TSDB_REF_DROPPED)
            tsdb_batch_add(&g->batch, g->reports[i], ls, values[i]);
    }
}

static void learn_reports(struct ingest *g)
{
    size_t at = g->batch.items.n;

    for (size_t i = SCRAPE_REPORTS; i-- > 0;)
        if (g->reports[i] != TSDB_REF_DROPPED)
            g->reports[i] = g->batch.items.v[--at].ref;
}

/* -- all -- */

static void begin_batch(struct ingest *g)
{
    uint64_t epoch;

    tsdb_follow(g->db, g->in->at);
    epoch = tsdb_batch_begin(&g->batch, g->db, g->stream, g->in->t);
    g->batch.stepped = g->in->at.stepped;
    if (epoch != g->epoch || g->lines.scrape == 0) {
        line_cache_release(&g->lines);
        for (size_t i = 0; i < SCRAPE_REPORTS; i++)
            g->reports[i] = TSDB_REF_NEW;
        g->epoch = epoch;
    }
    line_cache_begin(&g->lines);
    vec_reserve(&g->batch.items, g->lines.v.n + SCRAPE_REPORTS);
    vec_clear(&g->fresh);
}

void ingest_begin(struct ingest *g, const struct ingest_input *in, struct ingest_result *out)
{
    int64_t limit = in->conf->common.limits.body_size;

    *out = (struct ingest_result){0};
    g->is_open = true;
    g->in = in;
    g->out = out;
    g->family_type = STR_NONE;
    arena_init(&g->scratch, 0);
    tsdb_batch_init(&g->batch);
    expo_reader_init(&g->reader, STR_NONE, in->format);
    g->inflater = in->is_gzip ? inflater_new(limit > 0 ? (size_t)limit : SCRAPE_BODY_MAX) : NULL;
    metadata_begin(&g->metadata, in->metadata);
    begin_batch(g);
}

/* What the body needed. */
static void close_body(struct ingest *g)
{
    inflater_free(g->inflater);
    g->inflater = NULL;
    expo_reader_release(&g->reader);
    buf_release(&g->torn);
    buf_release(&g->inflated);
}

static void close_all(struct ingest *g)
{
    (void)budget_hold(g->budget, &g->held, 0);
    close_body(g);
    tsdb_batch_release(&g->batch);
    arena_release(&g->scratch);
    g->is_open = false;
}

void ingest_cancel(struct ingest *g)
{
    if (!g->is_open)
        return;
    line_cache_release(&g->lines); /* what this scrape has learnt is not complete */
    tsdb_batch_clear(&g->batch);
    tsdb_batch_cancel(&g->batch);
    close_all(g);
}

/* The scrape has failed: its samples go, and the memory that they took. */
static void ingest_give_up(struct ingest *g)
{
    line_cache_release(&g->lines);
    vec_release(&g->fresh);
    tsdb_batch_clear(&g->batch);
    (void)budget_hold(g->budget, &g->held, ingest_bytes_of(g));
}

void ingest_feed(struct ingest *g, str piece)
{
    struct err *e = &g->out->why;

    while (e->code == ERR_NONE && piece.n != 0) {
        str slice = str_sub(piece, 0, SLICE);

        piece = str_sub(piece, slice.n, piece.n);
        if (!read_slice(g, slice, e) || !ingest_is_within_budget(g, e)) {
            close_body(g);
            ingest_give_up(g);
        }
    }
}

static void ingest_commit(struct ingest *g)
{
    struct err e = ERR_INIT;

    if (!tsdb_commit(&g->batch, &e)) {
        ingest_give_up(g);
        g->out->is_up = false;
        g->out->why = e;
        g->epoch = UINT64_MAX; /* no ref was learnt */
        return;
    }
    learn_reports(g);
    VEC_EACH (const struct ingest_fresh *, f, &g->fresh)
        g->lines.v.v[f->line].ref =
            f->is_timed ? g->batch.timed.v[f->item].item.ref : g->batch.items.v[f->item].ref;
    line_cache_end(&g->lines);
}

void ingest_end(struct ingest *g)
{
    struct ingest_result *out = g->out;

    if (out->why.code == ERR_NONE)
        out->why = g->in->failed;
    out->is_up = out->why.code == ERR_NONE && ingest_read_end(g, &out->why);
    metadata_end(&g->metadata);
    close_body(g);
    if (!out->is_up) {
        ingest_give_up(g);
        out->scraped = out->kept = out->added = 0;
    }
    add_reports(g);
    ingest_commit(g);
    close_all(g);
}
