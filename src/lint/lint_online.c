/* The text is read once into a store, for the evaluator, and into a table by name, for what a selector misses. What a scrape
 * adds is not in it: nothing is said of job, instance and up. */
#include "lint/lint_online.h"

#include <math.h>
#include <stdlib.h>
#include "base/vec.h"
#include "codec/exposition_read.h"
#include "codec/float.h"
#include "lint/lint.h"
#include "lint/lint_now.h"
#include "lint/lint_partners.h"
#include "model/labels.h"
#include "promql/engine.h"
#include "promql/mem_storage.h"

struct lint_samples {
    struct arena a;
    str from;
    ts_ms now;
    bool has_targets;
    struct mem_storage *store;
    struct str_map names; /* struct online_name * */
    struct str_map types; /* TYPE of a family: text */
    struct str_map texts; /* series as written: struct online_series * */
};

/* -- reading -- */

static struct diag *online_report(struct lint_samples *s, struct diags *d, const char *id, int line,
                                  const char *text)
{
    struct diag_place at = {.file = s->from, .line = line, .col = 1};

    return diags_add(d, strcmp(id, "M001") == 0 ? DIAG_ERROR : DIAG_WARNING, id, at, "%s", text);
}

static void online_add(struct lint_samples *s, const struct expo_item *item, struct labels ls,
                       int line)
{
    str name = labels_get(ls, S("__name__"));
    void **hit = str_map_get(&s->names, name);
    struct online_name *n = hit != NULL ? *hit : arena_new(&s->a, struct online_name);

    if (hit == NULL)
        str_map_put(&s->names, name, n);
    if ((n->n & (n->n - 1)) == 0) /* full at each power of two */
        n->v = arena_copy(&s->a, n->v, n->n, n->n != 0 ? 2 * n->n : 1, sizeof(*n->v));
    n->v[n->n++] = (struct online_series){ls, item->value, line};
    mem_storage_append(s->store, ls, item->has_time ? item->t : s->now, item->value, 0);
    if (item->has_time && item->t > s->now)
        s->now = item->t;
}

static void online_sample(struct lint_samples *s, struct expo_reader *r,
                          const struct expo_item *item, struct err *e)
{
    struct online_series *one;
    struct labels ls;

    if (!expo_read_labels(r, item->series, &ls, e))
        return;
    one = arena_new(&s->a, struct online_series);
    *one = (struct online_series){labels_copy(&s->a, ls), item->value, r->line};
    str_map_put(&s->texts, arena_str(&s->a, item->series), one);
    s->has_targets |= labels_has(ls, S("job")) && labels_has(ls, S("instance"));
    online_add(s, item, one->labels, r->line);
}

static void online_read(struct lint_samples *s, str text, struct diags *d)
{
    struct expo_reader r;
    struct expo_item item;
    struct err e = ERR_INIT;

    expo_reader_init(&r, text, expo_guess(text));
    while (e.code == ERR_NONE && expo_read(&r, &item, &e))
        if (item.kind == EXPO_SAMPLE)
            online_sample(s, &r, &item, &e);
        else if (item.kind == EXPO_TYPE)
            str_map_put(&s->types, arena_str(&s->a, item.name),
                        (void *)(uintptr_t)arena_str(&s->a, item.text).p);
    if (e.code != ERR_NONE)
        online_report(s, d, "M001", e.line, e.msg);
    expo_reader_release(&r);
}

static bool is_type(const struct lint_samples *s, str family, const char *type)
{
    void **hit = str_map_get(&s->types, family);

    return hit != NULL && strcmp(*hit, type) == 0;
}

/* -- M003: counters -- */

static bool only_grows(const struct lint_samples *s, str name)
{
    static const char *const endings[] = {"_bucket", "_count"};

    if (is_type(s, name, "counter") ||
        (str_ends_with(name, S("_total")) && is_type(s, str_sub(name, 0, name.n - 6), "counter")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_ends_with(name, str_of(endings[i])) &&
            is_type(s, str_sub(name, 0, name.n - strlen(endings[i])), "histogram"))
            return true;
    return false;
}

static void online_compare(struct lint_samples *s, str again, struct diags *d)
{
    struct expo_reader r;
    struct expo_item item;
    struct err e = ERR_INIT;

    expo_reader_init(&r, again, expo_guess(again));
    while (expo_read(&r, &item, &e)) {
        void **hit = item.kind == EXPO_SAMPLE ? str_map_get(&s->texts, item.series) : NULL;
        const struct online_series *before = hit != NULL ? *hit : NULL;

        if (before == NULL || item.value >= before->value ||
            !only_grows(s, labels_get(before->labels, S("__name__"))))
            continue;
        diag_help(d,
                  online_report(s, d, "M003", before->line,
                                arena_printf(&s->a, "%.*s fell from %g to %g", STR(item.series),
                                             before->value, item.value)
                                    .p),
                  "a counter only grows, but for a restart: is it a gauge?");
    }
    expo_reader_release(&r);
}

/* -- M002: buckets -- */

struct online_bucket {
    str group; /* the labels without le, as text */
    double le;
    const struct online_series *series;
};

static int bucket_order(const void *a, const void *b)
{
    const struct online_bucket *x = a, *y = b;
    int c = str_cmp(x->group, y->group);

    return c != 0 ? c : (x->le > y->le) - (x->le < y->le);
}

static str group_text(struct lint_samples *s, struct labels ls)
{
    static const str without[] = {{"__name__", 8}, {"le", 2}};
    struct buf b = BUF_INIT;
    str out;

    labels_print(&b, labels_without(&s->a, ls, without, ARRAY_LEN(without)));
    out = arena_str(&s->a, buf_str(&b));
    buf_release(&b);
    return out;
}

static void check_count(struct lint_samples *s, str family, const struct online_bucket *last,
                        struct diags *d)
{
    void **hit = str_map_get(&s->names, arena_printf(&s->a, "%.*s_count", STR(family)));
    const struct online_name *counts = hit != NULL ? *hit : NULL;

    for (size_t i = 0; counts != NULL && i < counts->n; i++)
        if (str_eq(group_text(s, counts->v[i].labels), last->group) &&
            counts->v[i].value != last->series->value)
            online_report(s, d, "M002", last->series->line,
                          arena_printf(&s->a, "%.*s%.*s: le=\"+Inf\" is %g and _count is %g",
                                       STR(family), STR(last->group), last->series->value,
                                       counts->v[i].value)
                              .p);
}

static void check_group(struct lint_samples *s, str family, const struct online_bucket *v, size_t n,
                        struct diags *d)
{
    for (size_t i = 1; i < n; i++)
        if (v[i].series->value < v[i - 1].series->value)
            diag_help(d,
                      online_report(s, d, "M002", v[i].series->line,
                                    arena_printf(&s->a,
                                                 "%.*s%.*s: the bucket up to %g holds %g, the one "
                                                 "up to %g only %g",
                                                 STR(family), STR(v[i].group), v[i - 1].le,
                                                 v[i - 1].series->value, v[i].le,
                                                 v[i].series->value)
                                        .p),
                      "a bucket holds all up to its bound, those of the lower ones, too");
    if (isinf(v[n - 1].le))
        check_count(s, family, &v[n - 1], d);
    else
        online_report(s, d, "M002", v[n - 1].series->line,
                      arena_printf(&s->a, "%.*s%.*s: there is no bucket with le=\"+Inf\"",
                                   STR(family), STR(v[n - 1].group))
                          .p);
}

static void check_family(struct lint_samples *s, str family, const struct online_name *n,
                         struct diags *d)
{
    struct online_bucket *v = arena_array(&s->a, n->n, sizeof(*v));
    struct err e = ERR_INIT;
    size_t k = 0;

    for (size_t i = 0; i < n->n; i++) {
        v[k] = (struct online_bucket){.group = group_text(s, n->v[i].labels), .series = &n->v[i]};
        if (float_parse(labels_get(n->v[i].labels, S("le")), &v[k].le, &e))
            k++;
    }
    if (k != 0)
        qsort(v, k, sizeof(*v), bucket_order);
    for (size_t i = 0, first = 0; i < k; i++)
        if (i + 1 == k || !str_eq(v[i].group, v[i + 1].group)) {
            check_group(s, family, v + first, i + 1 - first, d);
            first = i + 1;
        }
}

static void check_histograms(struct lint_samples *s, struct diags *d)
{
    MAP_EACH (struct str_map_entry, e, &s->names) {
        str family = str_ends_with(e->key, S("_bucket")) ? str_sub(e->key, 0, e->key.n - 7) : S("");

        if (family.n != 0 && is_type(s, family, "histogram"))
            check_family(s, family, e->value, d);
    }
}

struct lint_samples *lint_samples_read(str from, str text, str again, ts_ms now, struct diags *d)
{
    struct lint_samples *s = mem_zalloc(sizeof(*s));

    arena_init(&s->a, 0);
    s->from = arena_str(&s->a, from);
    s->now = now;
    s->store = mem_storage_new();
    online_read(s, text, d);
    check_histograms(s, d);
    if (again.n != 0)
        online_compare(s, again, d);
    return s;
}

void lint_samples_free(struct lint_samples *s)
{
    if (s == NULL)
        return;
    mem_storage_free(s->store);
    str_map_release(&s->names);
    str_map_release(&s->types);
    str_map_release(&s->texts);
    arena_release(&s->a);
    mem_free(s);
}

const struct online_name *lint_samples_find(const struct lint_samples *s, str name)
{
    void **hit = str_map_get(&s->names, name);

    return hit != NULL ? *hit : NULL;
}

bool lint_samples_have_targets(const struct lint_samples *s)
{
    return s->has_targets;
}

str lint_samples_from(const struct lint_samples *s)
{
    return s->from;
}

bool lint_samples_ask(const struct lint_samples *s, const struct promql_expr *x, str text,
                      struct arena *a, struct lint_answer *out)
{
    static const struct promql_settings settings = {.max_samples = 0};
    struct promql_query query = {x, text, mem_storage_port(s->store), &settings};
    struct promql_result result;
    struct err e = ERR_INIT;

    *out = (struct lint_answer){0, 0};
    if (!promql_instant(&query, s->now, a, &result, &e) || result.type != PROMQL_T_VECTOR)
        return false;
    for (size_t i = 0; i < result.n; i++) {
        double v = result.series[i].points[0].v;

        if (i == 0 || v > out->most)
            out->most = v;
    }
    out->n = result.n;
    return true;
}

/* -- R080 to R082: what a selector misses -- */

/* One walk finds them. */
static const struct lint_expr_row rows_of_misses[] = {
    {"R080", false, NULL}, {"R081", false, NULL}, {"R082", false, NULL}};

/* What an exporter does not know of itself. */
static bool is_of_target(const struct lint_samples *s, str label)
{
    return !s->has_targets && (str_is(label, "job") || str_is(label, "instance"));
}

bool lint_is_made_elsewhere(const struct lint_expr_check *c, str name)
{
    return (!c->set->samples->has_targets &&
            (str_is(name, "up") || str_starts_with(name, S("scrape_")))) ||
           str_starts_with(name, S("ALERTS")) || str_map_get(&c->set->records, name) != NULL;
}

static void help_nearest(struct lint_expr_check *c, struct diag *g, str wanted,
                         const struct str_map *names, const char *otherwise)
{
    VEC(str) v = VEC_INIT;
    const str *hit;

    MAP_EACH (struct str_map_entry, e, names)
        vec_push(&v, e->key);
    hit = str_nearest(wanted, v.v, v.n);
    if (hit != NULL)
        diag_help(c->d, g, "did you mean \"%.*s\"?", STR(*hit));
    else
        diag_help(c->d, g, "%s", otherwise);
    vec_release(&v);
}

static void miss_matcher(struct lint_expr_check *c, const struct promql_expr *x,
                         const struct online_name *n, const struct matcher *m)
{
    struct str_map labels = {0}, values = {0};
    const str from = c->set->samples->from;
    bool has = false;

    for (size_t i = 0; i < n->n && !has; i++) {
        has = matcher_matches(m, labels_get(n->v[i].labels, m->name));
        LABELS_EACH (l, n->v[i].labels) {
            str_map_put(&labels, l->name, c);
            if (str_eq(l->name, m->name))
                str_map_put(&values, l->value, c);
        }
    }
    if (!has && values.n == 0) {
        c->row = &rows_of_misses[1];
        help_nearest(c,
                     lint_expr_report(c, x,
                                      arena_printf(c->a, "no \"%.*s\" in %.*s has a label \"%.*s\"",
                                                   STR(x->selector.name), STR(from), STR(m->name))
                                          .p),
                     m->name, &labels, "unless the scrape adds it, nothing is selected");
    } else if (!has) {
        c->row = &rows_of_misses[2];
        help_nearest(c,
                     lint_expr_report(
                         c, x,
                         arena_printf(c->a, "no \"%.*s\" in %.*s has a \"%.*s\" that is \"%.*s\"",
                                      STR(x->selector.name), STR(from), STR(m->name), STR(m->value))
                             .p),
                     m->value, &values,
                     "it may come with the first such event; else nothing is selected");
    }
    str_map_release(&labels);
    str_map_release(&values);
}

static void miss_name(struct lint_expr_check *c, const struct promql_expr *x)
{
    const struct lint_samples *s = c->set->samples;
    str name = x->selector.name;
    struct diag *g;

    c->row = &rows_of_misses[0];
    g = lint_expr_report(
        c, x, arena_printf(c->a, "there is no \"%.*s\" in %.*s", STR(name), STR(s->from)).p);
    if (str_map_get(&s->names, arena_printf(c->a, "%.*s_bucket", STR(name))) != NULL)
        diag_help(c->d, g, "it is a histogram: %.*s_bucket, _sum and _count", STR(name));
    else
        help_nearest(c, g, name, &s->names, "who exports it?");
}

/* How many series a selector has. */
static size_t selected(const struct lint_samples *s, const struct promql_expr *x)
{
    const struct online_name *name = lint_samples_find(s, x->selector.name);
    size_t n = 0;

    for (size_t i = 0; name != NULL && i < name->n; i++) {
        bool is_in = true;

        for (size_t k = 0; k < x->selector.matchers.n && is_in; k++)
            is_in = matcher_matches(&x->selector.matchers.v[k],
                                    labels_get(name->v[i].labels, x->selector.matchers.v[k].name));
        n += is_in;
    }
    return n;
}

static bool see_missing(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct lint_samples *s = c->set->samples;
    void **hit;

    if (promql_is_call_of(x, "absent") || promql_is_call_of(x, "absent_over_time"))
        return false;
    if (x->kind != PROMQL_SELECTOR || x->selector.name.n == 0 ||
        lint_is_made_elsewhere(c, x->selector.name))
        return true;
    if (c->set->source != NULL && selected(s, x) == 0 && lint_comes_and_goes(c, x))
        return true;
    hit = str_map_get(&s->names, x->selector.name);
    if (hit == NULL) {
        miss_name(c, x);
        return true;
    }
    for (size_t i = 0; i < x->selector.matchers.n; i++) {
        const struct matcher *m = &x->selector.matchers.v[i];

        if (!str_is(m->name, "__name__") && !is_of_target(s, m->name) && !matcher_matches(m, S("")))
            miss_matcher(c, x, *hit, m);
    }
    return true;
}

static void check_missing(struct lint_expr_check *c)
{
    promql_walk(c->root, see_missing, c);
}

/* -- R085: many -- */

enum { MANY_SERIES = 10000 };

static bool see_many(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    size_t n = x->kind == PROMQL_SELECTOR ? selected(c->set->samples, x) : 0;

    if (n > MANY_SERIES)
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   arena_printf(c->a, "it selects %zu series of %.*s", n,
                                                STR(c->set->samples->from))
                                       .p),
                  "select fewer, or let a rule record the aggregate that is needed");
    return true;
}

static void check_many(struct lint_expr_check *c)
{
    promql_walk(c->root, see_many, c);
}

/* -- R043: types -- */

static bool see_live_type(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in =
        promql_is_rate(x) && x->call.n_args != 0 ? promql_unwrap(x->call.args[0]) : NULL;
    str suffix;

    if (in == NULL || in->kind != PROMQL_RANGE)
        return true;
    in = in->range.selector;
    if (catalogue_find(&c->set->catalogue, in->selector.name, &suffix) == NULL &&
        is_type(c->set->samples, in->selector.name, "gauge"))
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   arena_printf(c->a,
                                                "\"%.*s\" is a gauge in %.*s: each fall of it "
                                                "counts as a counter's restart",
                                                STR(in->selector.name), STR(c->set->samples->from))
                                       .p),
                  "use deriv() for a gauge's slope, delta() for its change");
    return true;
}

static void check_live_type(struct lint_expr_check *c)
{
    promql_walk(c->root, see_live_type, c);
}

const struct lint_expr_row lint_online_rows[] = {
    {"R041", false, lint_partners},       {"R043", false, check_live_type},
    {"R080", false, check_missing},       {"R081", false, lint_lost_labels},
    {"R083", true, lint_firing},          {"R085", false, check_many},
    {"R086", false, lint_far_thresholds},
};
const size_t lint_online_n_rows = ARRAY_LEN(lint_online_rows);
