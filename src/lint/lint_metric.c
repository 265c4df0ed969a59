/* Each check walks the tree once and asks the catalogue (lint/catalogue.h) about the selectors it meets; what is not in there
 * is judged by nobody, but for what a name says itself. */
#include "lint/lint_metric.h"

#include <math.h>
#include "codec/float.h"
#include "lint/lint_labels.h"
#include "lint/lint_near.h"
#include "lint/lint_unit.h"
#include "promql/promql.h"

struct known_series metric_known_of(const struct lint_expr_check *c, const struct promql_expr *x)
{
    struct known_series k = {0};

    if (x->kind == PROMQL_RANGE)
        x = x->range.selector;
    if (x->kind == PROMQL_SELECTOR && x->selector.name.n != 0)
        k.m = catalogue_find(&c->set->catalogue, x->selector.name, &k.suffix);
    return k;
}

const struct promql_expr *metric_summed_below(const struct promql_expr *x)
{
    x = promql_unwrap(x);
    while ((x->kind == PROMQL_AGGREGATE && x->aggregate.op == PROMQL_SUM) || promql_is_rate(x))
        x = promql_unwrap(x->kind == PROMQL_AGGREGATE ? x->aggregate.expr : x->call.args[0]);
    if (x->kind == PROMQL_RANGE)
        x = x->range.selector;
    return x->kind == PROMQL_SELECTOR ? x : NULL;
}

static const struct promql_expr *argument(const struct promql_expr *x)
{
    return x->kind == PROMQL_CALL && x->call.n_args != 0 ? promql_unwrap(x->call.args[0]) : NULL;
}

/* -- R062, R065, R067: names -- */

static bool is_native_function(const struct promql_expr *x)
{
    return x->kind == PROMQL_CALL && strncmp(x->call.fn->name, "histogram_", 10) == 0;
}

static void see_old_name(struct lint_expr_check *c, const struct promql_expr *x,
                         struct known_series k)
{
    struct diag *g = lint_expr_report(
        c, x, arena_printf(c->a, "\"%.*s\" is called otherwise by now", STR(x->selector.name)).p);

    diag_help(c->d, g, "%.*s: it is \"%.*s%.*s\"", STR(k.m->source), STR(k.m->now), STR(k.suffix));
}

static void see_unknown_name(struct lint_expr_check *c, const struct promql_expr *x)
{
    str name = x->selector.name, near = S(""), source;
    struct diag *g;

    if (str_map_get(&c->set->records, name) != NULL ||
        !catalogue_denies(&c->set->catalogue, name, c->a, &near, &source))
        return;
    g = lint_expr_report(c, x,
                         arena_printf(c->a, "%.*s exports no \"%.*s\"", STR(source), STR(name)).p);
    if (near.n != 0)
        diag_help(c->d, g, "did you mean \"%.*s\"?", STR(near));
    else
        diag_help(c->d, g, "an alert on what is not there never fires");
}

static bool see_name(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    struct known_series k;

    if (is_native_function(x) && !promql_is_call_of(x, "histogram_quantile"))
        return false; /* a histogram in one series */
    if (x->kind != PROMQL_SELECTOR || x->selector.name.n == 0)
        return true;
    k = metric_known_of(c, x);
    if (k.m == NULL)
        see_unknown_name(c, x);
    return true;
}

static void check_name(struct lint_expr_check *c)
{
    promql_walk(c->root, see_name, c);
}

static bool see_renamed(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    struct known_series k = metric_known_of(c, x);

    if (x->kind == PROMQL_SELECTOR && k.m != NULL && k.m->now.n != 0 && !c->found)
        see_old_name(c, x, k);
    return true;
}

/* "new or old" asks for both, whichever is there. */
static bool see_either(struct promql_expr *x, void *arg)
{
    if (x->kind == PROMQL_BINARY && x->binary.op == PROMQL_OR)
        ((struct lint_expr_check *)arg)->found = true;
    return true;
}

static void check_renamed(struct lint_expr_check *c)
{
    promql_walk(c->root, see_either, c);
    promql_walk(c->root, see_renamed, c);
}

struct off_names {
    struct lint_expr_check *c;
    struct str_map told;
};

/* Each name once: the first time that it stands there. */
static bool see_off(struct promql_expr *x, void *arg)
{
    struct off_names *o = arg;
    struct lint_expr_check *c = o->c;
    struct known_series k = metric_known_of(c, x);

    if (x->kind != PROMQL_SELECTOR || k.m == NULL || !k.m->is_off ||
        str_map_get(&o->told, x->selector.name) != NULL)
        return true;
    str_map_put(&o->told, x->selector.name, c);
    diag_help(c->d,
              lint_expr_report(c, x,
                               arena_printf(c->a, "%.*s does not export \"%.*s\" by default",
                                            STR(k.m->source), STR(x->selector.name))
                                   .p),
              "enable %.*s", STR(k.m->enable));
    return true;
}

static void check_off(struct lint_expr_check *c)
{
    struct off_names o = {.c = c};

    promql_walk(c->root, see_off, &o);
    str_map_release(&o.told);
}

/* -- R066: bounds of buckets -- */

/* The bounds that a value lies between, as far as there are such. */
static void print_around(struct buf *b, const struct known_metric *m, double v)
{
    const double *below = NULL, *above = NULL;

    for (size_t i = 0; i < m->n_bounds; i++) {
        if (m->bounds[i] < v)
            below = &m->bounds[i];
        else if (above == NULL)
            above = &m->bounds[i];
    }
    if (below != NULL)
        buf_addf(b, "%g", *below);
    if (below != NULL && above != NULL)
        buf_adds(b, " and ");
    if (above != NULL)
        buf_addf(b, "%g", *above);
}

static bool has_bound(const struct known_metric *m, double v)
{
    for (size_t i = 0; i < m->n_bounds; i++)
        if (m->bounds[i] == v)
            return true;
    return isinf(v);
}

static void see_bound(struct lint_expr_check *c, const struct promql_expr *x,
                      const struct known_metric *m, str text)
{
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT;
    double v;

    if (!float_parse(text, &v, &e) || has_bound(m, v))
        return;
    print_around(&b, m, v);
    diag_help(c->d,
              lint_expr_report(c, x,
                               arena_printf(c->a, "\"%.*s\" has no bucket with le=\"%.*s\"",
                                            STR(m->name), STR(text))
                                   .p),
              "the nearest bounds are %.*s", STR(buf_str(&b)));
    buf_release(&b);
}

static bool see_bounds(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    struct known_series k = metric_known_of(c, x);

    if (x->kind != PROMQL_SELECTOR || k.m == NULL || k.m->n_bounds == 0)
        return true;
    for (size_t i = 0; i < x->selector.matchers.n; i++) {
        const struct matcher *m = &x->selector.matchers.v[i];

        if (str_is(m->name, "le") && m->op == MATCH_EQ)
            see_bound(c, x, k.m, m->value);
        for (str rest = m->value; str_is(m->name, "le") && m->op == MATCH_RE && rest.n != 0;)
            see_bound(c, x, k.m, str_cut(&rest, '|'));
    }
    return true;
}

static void check_bounds(struct lint_expr_check *c)
{
    promql_walk(c->root, see_bounds, c);
}

/* -- R058: above the highest bound -- */

static bool see_top(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in, *l;
    struct known_series k = {0};
    double v, top;

    if (x->kind != PROMQL_BINARY || (x->binary.op != PROMQL_GT && x->binary.op != PROMQL_GE) ||
        !promql_is_constant(x->binary.rhs, &v))
        return true;
    in = promql_unwrap(x->binary.lhs);
    l = promql_is_call_of(in, "histogram_quantile") ? metric_summed_below(in->call.args[1]) : NULL;
    if (l != NULL)
        k = metric_known_of(c, l);
    if (k.m == NULL || k.m->n_bounds == 0)
        return true;
    top = k.m->bounds[k.m->n_bounds - 1];
    if (v > top || (x->binary.op == PROMQL_GT && v == top))
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   arena_printf(c->a,
                                                "the highest bound of \"%.*s\" is %g: no quantile "
                                                "is above it",
                                                STR(k.m->name), top)
                                       .p),
                  "count what is above it: 1 - sum(rate(%.*s_bucket{le=\"%g\"}[5m])) / "
                  "sum(rate(%.*s_count[5m]))",
                  STR(k.m->name), top, STR(k.m->name));
    return true;
}

static void check_top(struct lint_expr_check *c)
{
    promql_walk(c->root, see_top, c);
}

/* -- R043, R045: functions for the other type -- */

/* What only a gauge is called; of what is in the catalogue that says what it is. */
static bool is_gauge_name(str name)
{
    static const char *const endings[] = {
        "_celsius",     "_ratio",        "_info",        "_timestamp",   "_timestamp_seconds",
        "_watts",       "_volts",        "_percent",     "_percentage",  "_limit",
        "_limit_bytes", "_capacity",     "_size_bytes",  "_max_bytes",   "_capacity_bytes",
        "_free_bytes",  "_used_bytes",   "_avail_bytes", "_up",          "_available_bytes",
        "_queue_size",  "_queue_length", "_utilization", "_temperature", "_replicas"};

    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_ends_with(name, str_of(endings[i])))
            return true;
    return str_is(name, "up");
}

static void see_gauge_name(struct lint_expr_check *c, const struct promql_expr *x, str name)
{
    diag_help(c->d,
              lint_expr_report(c, x,
                               arena_printf(c->a,
                                            "\"%.*s\" is called as a gauge is: each fall of it "
                                            "counts as a counter's restart",
                                            STR(name))
                                   .p),
              "use deriv() for a gauge's slope, delta() for its change");
}

static bool see_gauge_rate(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in = promql_is_rate(x) ? argument(x) : NULL;
    struct known_series k = {0};

    if (in != NULL && in->kind == PROMQL_RANGE)
        k = metric_known_of(c, in);
    if (in != NULL && in->kind == PROMQL_RANGE && k.m == NULL &&
        is_gauge_name(in->range.selector->selector.name))
        see_gauge_name(c, x, in->range.selector->selector.name);
    if (k.m == NULL || k.m->type != METRIC_GAUGE || k.suffix.n != 0)
        return true;
    if (str_is(k.m->unit, "code"))
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   arena_printf(c->a,
                                                "\"%.*s\" is a gauge that holds the last code: a "
                                                "fall to a lower one counts as a restart",
                                                STR(k.m->name))
                                       .p),
                  "compare the code itself, %.*s == 79, and its change with changes()",
                  STR(k.m->name));
    else
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   arena_printf(c->a,
                                                "\"%.*s\" is a gauge: each fall of it counts as a "
                                                "counter's restart",
                                                STR(k.m->name))
                                       .p),
                  "use deriv() for a gauge's slope, delta() for its change");
    return true;
}

static void check_gauge_rate(struct lint_expr_check *c)
{
    promql_walk(c->root, see_gauge_rate, c);
}

static bool see_counter_slope(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in = argument(x);
    struct known_series k = {0};

    if (in != NULL && in->kind == PROMQL_RANGE &&
        (promql_is_call_of(x, "deriv") || promql_is_call_of(x, "delta") ||
         promql_is_call_of(x, "predict_linear")))
        k = metric_known_of(c, in);
    if (k.m != NULL && !str_ends_with(k.m->name, S("_total")) && /* which the name alone says */
        (k.m->type == METRIC_COUNTER || k.suffix.n != 0))
        diag_help(c->d, lint_expr_report(c, x, "a counter's restart counts as a fall here"),
                  "use rate() or increase()");
    return true;
}

static void check_counter_slope(struct lint_expr_check *c)
{
    promql_walk(c->root, see_counter_slope, c);
}

/* -- R076: series that are born with their first event -- */

static bool see_sparse(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in = promql_is_rate(x) ? argument(x) : NULL;
    struct known_series k = {0};

    if (in != NULL && in->kind == PROMQL_RANGE)
        k = metric_known_of(c, in);
    if (k.m != NULL && k.m->sparse.n != 0)
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   arena_printf(c->a,
                                                "a series of \"%.*s\" begins with its first event, "
                                                "at 1: that one is no increase",
                                                STR(k.m->name))
                                       .p),
                  "ask when it was: %.*s", STR(k.m->sparse));
    return true;
}

static void check_sparse(struct lint_expr_check *c)
{
    promql_walk(c->root, see_sparse, c);
}

/* -- R068: labels -- */

/* "finish_reason": an ending or two letters too few. */
static bool is_shortened(str name, str label)
{
    size_t head = 0;

    while (head < name.n && head < label.n && name.p[head] == label.p[head])
        head++;
    return name.n > 8 && label.n > name.n && label.n - name.n <= 2 &&
           str_ends_with(label, str_sub(name, head, name.n));
}

static const str *slip_among(str name, const struct known_metric *m)
{
    const str *hit = NULL;

    for (size_t i = 0; i < m->n_labels; i++) {
        if (str_eq(name, m->labels[i]))
            return NULL;
        if (catalogue_is_slip(name, m->labels[i]) || is_shortened(name, m->labels[i]))
            hit = &m->labels[i];
    }
    return hit;
}

/* The labels that an expression names, in its order, and how often. */
struct named_labels {
    struct arena *a;
    struct named_label {
        str name;
        size_t count;
    } * v;
    size_t n;
};

static void name_label(struct named_labels *l, str name)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i].name, name)) {
            l->v[i].count++;
            return;
        }
    l->v = arena_copy(l->a, l->v, l->n, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = (struct named_label){name, 1};
}

static bool see_named_labels(struct promql_expr *x, void *arg)
{
    struct named_labels *l = arg;

    for (size_t i = 0; x->kind == PROMQL_SELECTOR && i < x->selector.matchers.n; i++)
        name_label(l, x->selector.matchers.v[i].name);
    for (size_t i = 0; x->kind == PROMQL_AGGREGATE && i < x->aggregate.n_labels; i++)
        name_label(l, x->aggregate.labels[i]);
    for (size_t i = 0; x->kind == PROMQL_BINARY && i < x->binary.matching->n_labels; i++)
        name_label(l, x->binary.matching->labels[i]);
    return true;
}

/* What the rest of the expression calls nearly so, and more often, or first. */
static const str *misspelt_among(const struct named_labels *l, str name)
{
    const struct named_label *own = NULL;

    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->v[i].name, name))
            own = &l->v[i];
    for (size_t i = 0; own != NULL && i < l->n; i++)
        if (lint_is_misspelt(name, l->v[i].name, 6) &&
            (l->v[i].count > own->count || (l->v[i].count == own->count && &l->v[i] < own)))
            return &l->v[i].name;
    return NULL;
}

/* What each target has, whatever the metric. */
static const str *misspelt_target(str name)
{
    static const str usual[] = {{"instance", 8}, {"namespace", 9}, {"container", 9}};

    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        if (lint_is_misspelt(name, usual[i], 6))
            return &usual[i];
    return NULL;
}

static const str *misspelt_label(struct lint_expr_check *c, const struct known_metric *m, str name)
{
    struct named_labels l = {.a = c->a};
    const str *hit = NULL;

    if (name.n <= 2 || str_starts_with(name, S("__")))
        return NULL;
    for (size_t i = 0; m != NULL && i < m->n_labels; i++)
        if (str_eq(m->labels[i], name))
            return NULL;
    if (m != NULL && m->knows_labels)
        hit = slip_among(name, m);
    if (hit == NULL)
        hit = misspelt_target(name);
    if (hit != NULL)
        return hit;
    promql_walk(c->root, see_named_labels, &l);
    return misspelt_among(&l, name);
}

static void see_metric_label(struct lint_expr_check *c, const struct promql_expr *x,
                             struct known_series k, str name)
{
    static const str quantile = {"quantile", 8};
    const str *hit = misspelt_label(c, k.m, name);
    struct diag *g;

    if (hit == NULL && k.m != NULL && k.m->type == METRIC_SUMMARY &&
        lint_is_misspelt(name, quantile, 6))
        hit = &quantile;
    if (hit == NULL)
        return;
    g = lint_expr_report(
        c, x,
        k.m != NULL
            ? arena_printf(c->a, "\"%.*s\" has no label \"%.*s\"", STR(k.m->name), STR(name)).p
            : arena_printf(c->a, "label \"%.*s\" is nearly \"%.*s\"", STR(name), STR(*hit)).p);
    diag_help(c->d, g, "did you mean \"%.*s\"?", STR(*hit));
}

static const struct promql_expr *labelled_argument(const struct promql_expr *x)
{
    if (x->kind == PROMQL_CALL && x->call.n_args != 0 &&
        strncmp(x->call.fn->name, "label_", 6) != 0)
        return x->call.args[x->call.n_args - 1];
    if (x->kind != PROMQL_BINARY)
        return NULL;
    if (x->binary.lhs->type == PROMQL_T_SCALAR)
        return x->binary.rhs;
    return x->binary.rhs->type == PROMQL_T_SCALAR ? x->binary.lhs : NULL;
}

/* The selector below what leaves labels as they are. */
static const struct promql_expr *labelled_below(const struct promql_expr *x)
{
    x = promql_unwrap(x);
    for (const struct promql_expr *in; (in = labelled_argument(x)) != NULL;)
        x = promql_unwrap(in);
    if (x->kind == PROMQL_RANGE)
        x = x->range.selector;
    return x;
}

/* Of on (...): a label that a side has not is empty for all of it. */
static void see_join_labels(struct lint_expr_check *c, const struct promql_expr *x,
                            const struct promql_expr *side)
{
    const struct promql_expr *in = labelled_below(side);
    const struct known_metric *m = metric_known_of(c, in).m;

    for (size_t i = 0; m != NULL && m->knows_labels && i < x->binary.matching->n_labels; i++) {
        str name = x->binary.matching->labels[i];
        bool has = label_may_be_added(name) || str_is(name, "le");

        for (size_t k = 0; k < m->n_labels && !has; k++)
            has = str_eq(m->labels[k], name);
        if (!has)
            diag_help(c->d,
                      lint_expr_report(c, x,
                                       arena_printf(c->a, "\"%.*s\" has no label \"%.*s\"",
                                                    STR(m->name), STR(name))
                                           .p),
                      "unless the scrape adds it, all of its series are matched alike");
    }
}

static bool see_metric_labels(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    struct known_series k = metric_known_of(c, x);

    if (x->kind == PROMQL_BINARY && x->binary.matching->is_on) {
        see_join_labels(c, x, x->binary.lhs);
        see_join_labels(c, x, x->binary.rhs);
    }

    if (x->kind == PROMQL_SELECTOR)
        for (size_t i = 0; i < x->selector.matchers.n; i++)
            see_metric_label(c, x, k, x->selector.matchers.v[i].name);
    if (x->kind == PROMQL_AGGREGATE && !x->aggregate.is_without) {
        k = metric_known_of(c, labelled_below(x->aggregate.expr));
        for (size_t i = 0; i < x->aggregate.n_labels; i++)
            see_metric_label(c, x, k, x->aggregate.labels[i]);
    }
    return true;
}

static void check_metric_labels(struct lint_expr_check *c)
{
    promql_walk(c->root, see_metric_labels, c);
}

/* -- R073: used by free -- */

static const struct promql_expr *one_selector(const struct promql_expr *x)
{
    x = promql_unwrap(x);
    while (x->kind == PROMQL_AGGREGATE && x->aggregate.param == NULL)
        x = promql_unwrap(x->aggregate.expr);
    return x->kind == PROMQL_SELECTOR ? x : NULL;
}

/* Whether b is a with "free" in the place of "used". */
static bool are_parts(str a, str b)
{
    static const char *const used[] = {"used", "USED"}, *const left[] = {"free", "FREE"};

    for (size_t i = 0; i < ARRAY_LEN(used); i++) {
        ptrdiff_t at = str_find_str(a, str_of(used[i]));
        size_t k = (size_t)at;

        if (at >= 0 && a.n == b.n && memcmp(a.p, b.p, k) == 0 && memcmp(b.p + k, left[i], 4) == 0 &&
            memcmp(a.p + k + 4, b.p + k + 4, a.n - k - 4) == 0)
            return true;
    }
    return false;
}

static bool see_used_by_free(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *l, *r;

    if (x->kind != PROMQL_BINARY || x->binary.op != PROMQL_DIV)
        return true;
    l = one_selector(x->binary.lhs);
    r = one_selector(x->binary.rhs);
    if (l != NULL && r != NULL && are_parts(l->selector.name, r->selector.name))
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   "what is used by what is free is no share: 0.95 of it is 49 % "
                                   "of the whole"),
                  "divide by the whole: %.*s / (%.*s + %.*s)", STR(l->selector.name),
                  STR(l->selector.name), STR(r->selector.name));
    return true;
}

static void check_used_by_free(struct lint_expr_check *c)
{
    promql_walk(c->root, see_used_by_free, c);
}

/* -- R074: buckets added up -- */

static bool has_bound_matcher(const struct promql_expr *x)
{
    for (size_t i = 0; i < x->selector.matchers.n; i++)
        if (str_is(x->selector.matchers.v[i].name, "le"))
            return true;
    return false;
}

static bool see_bucket_sum(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in;

    if (is_native_function(x))
        return false; /* R048 looks at these */
    if (x->kind != PROMQL_AGGREGATE ||
        (x->aggregate.op != PROMQL_SUM && x->aggregate.op != PROMQL_AVG) ||
        promql_has_label(x, "le") != x->aggregate.is_without)
        return true;
    in = metric_summed_below(x->aggregate.expr);
    if (in != NULL && str_ends_with(in->selector.name, S("_bucket")) && !has_bound_matcher(in))
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   "each event is in every bucket above its value, and here they "
                                   "are added up: it counts several times"),
                  "count with %.*s_count, or keep le",
                  STR(str_sub(in->selector.name, 0, in->selector.name.n - 7)));
    return true;
}

static void check_bucket_sum(struct lint_expr_check *c)
{
    promql_walk(c->root, see_bucket_sum, c);
}

/* -- R077: fewer than some, and none at all -- */

static bool see_nothing_caught(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;

    c->found |= promql_is_call_of(x, "absent") || promql_is_call_of(x, "absent_over_time") ||
                promql_is_call_of(x, "vector");
    return true;
}

static bool see_too_few(struct promql_expr *x, void *arg)
{
    struct lint_expr_check *c = arg;
    const struct promql_expr *in;
    double v;

    if (x->kind != PROMQL_BINARY || (x->binary.op != PROMQL_LT && x->binary.op != PROMQL_LE) ||
        !promql_is_constant(x->binary.rhs, &v) || v < 1 || (x->binary.op == PROMQL_LT && v <= 1))
        return true;
    in = promql_unwrap(x->binary.lhs);
    if (in->kind == PROMQL_AGGREGATE && in->aggregate.op == PROMQL_COUNT &&
        in->aggregate.n_labels == 0)
        diag_help(c->d,
                  lint_expr_report(c, x,
                                   "when none is left there is no result, and the alert ends"),
                  "count nothing as 0: (count(...) or vector(0)) < %g", v);
    return true;
}

static void check_too_few(struct lint_expr_check *c)
{
    promql_walk(c->root, see_nothing_caught, c);
    if (!c->found)
        promql_walk(c->root, see_too_few, c);
}

/* -- the table -- */

const struct lint_expr_row lint_metric_rows[] = {
    {"R043", false, check_gauge_rate}, {"R045", false, check_counter_slope},
    {"R058", true, check_top},         {"R062", false, check_name},
    {"R065", false, check_renamed},    {"R066", false, check_bounds},
    {"R067", false, check_off},        {"R068", false, check_metric_labels},
    {"R069", false, lint_units},       {"R073", false, check_used_by_free},
    {"R074", false, check_bucket_sum}, {"R076", false, check_sparse},
    {"R077", true, check_too_few},
};
const size_t lint_metric_n_rows = ARRAY_LEN(lint_metric_rows);
