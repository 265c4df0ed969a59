/* The planner against the plain evaluator: random expressions over random series, with gaps, stale markers, resets,
 * NaNs, histograms, classic and native, series that come later, names dropped at once and at the end. Seeds are fixed. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include "model/labels.h"
#include "promql/label_sets.h"
#include "promql/mem_storage.h"
#include "promql/plan_priv.h"

enum { STEP = 15000, SAMPLES = 60, EXPRS = 40, ROUNDS = 40, DEPTH = 4 };
enum { SAME_WORDS = 40 }; /* of errors: behind them is the first of several examples */

static uint64_t dice;

static unsigned roll(unsigned n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice >> 33) % n;
}

static const char *pick(const char *const *v, size_t n)
{
    return v[roll((unsigned)n)];
}

#define PICK(...)                                                                                  \
    pick((const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

/* -- series -- */

static void put_histogram(struct mem_storage *m, struct labels ls, ts_ms t, int k)
{
    double counts[] = {1.0 * k, 2.0 * k, roll(3)};
    struct histogram_span span = {0, 3};
    struct histogram h = {.count = counts[0] + counts[1] + counts[2],
                          .sum = 3.5 * k,
                          .positive = {&span, counts, 1, 3}};

    assert_true(mem_storage_append_histogram(m, ls, t, &h, 0, NULL));
}

static void put_series(struct mem_storage *m, struct labels ls, bool is_histogram)
{
    double v = roll(100);

    for (int k = 0; k < SAMPLES; k++) {
        ts_ms t = (ts_ms)k * STEP + roll(50);

        if (roll(12) == 0)
            v = roll(4) == 0 ? NAN : 0;
        v += roll(20);
        if (roll(9) == 0)
            continue;
        if (roll(25) == 0)
            mem_storage_append_stale(m, ls, t);
        else if (is_histogram && roll(15) != 0)
            put_histogram(m, ls, t, k);
        else
            mem_storage_append(m, ls, t, v, roll(30) == 0 ? t - 5000 : 0);
    }
}

static void put_some(struct mem_storage *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct label l[] = {{S("__name__"), str_of(PICK("a_total", "b_total", "gauge", "h"))},
                            {S("instance"), str_of(PICK("1", "2", "3"))},
                            {S("job"), str_of(PICK("x", "y"))},
                            {S("zone"), str_of(PICK("", "n", "s"))}};
        str dup;

        put_series(m, (struct labels){l, labels_sort(l, ARRAY_LEN(l), &dup)},
                   str_is(l[0].value, "h"));
    }
}

/* Now and then a bound that is none, one that stands twice in two spellings, native histograms that have one. */
static void put_buckets(struct mem_storage *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const char *instance = PICK("1", "2", "3"), *job = PICK("x", "y");

        for (unsigned k = 0; k < 4; k++) {
            struct label l[] = {{S("__name__"), S("c_bucket")},
                                {S("instance"), str_of(instance)},
                                {S("job"), str_of(job)},
                                {S("le"), str_of(PICK("1", "2", "2.0", "5", "+Inf", "+Inf", "?"))}};

            put_series(m, (struct labels){l, ARRAY_LEN(l)}, roll(12) == 0);
        }
    }
}

/* -- expressions -- */

static void add_vector(struct buf *b, int depth);

static void add_selector(struct buf *b)
{
    buf_addf(b, "%s",
             PICK("a_total", "b_total", "gauge", "h", "{__name__=~\"a_total|gauge\"}",
                  "a_total{job=\"x\"}", "b_total{zone=\"\"}", "{job=\"y\"}", "c_bucket"));
}

static void add_modifiers(struct buf *b)
{
    if (roll(8) == 0)
        buf_addf(b, " offset %us", roll(90));
    if (roll(10) == 0)
        buf_addf(b, " @ %u", roll(900));
}

static void add_buckets(struct buf *b)
{
    buf_addf(b, "%s",
             PICK("c_bucket", "rate(c_bucket[2m])", "sum by (le) (c_bucket)",
                  "sum by (instance, le) (rate(c_bucket[1m]))", "c_bucket{le!=\"?\"}",
                  "sum by (job, le) (rate(c_bucket{le!=\"?\"}[5m]))",
                  "{__name__=~\"c_bucket|h\"}"));
}

static void add_call(struct buf *b, int depth)
{
    switch (roll(11)) {
    case 6:
        buf_adds(b, "label_replace(");
        add_vector(b, depth - 1);
        buf_addf(
            b, ", %s)",
            PICK("\"zone\", \"$1$1\", \"instance\", \"([12])\"", "\"new\", \"\", \"job\", \"\"",
                 "\"job\", \"z\", \"zone\", \"n|s\"", "\"__name__\", \"n_$1\", \"job\", \"(.*)\"",
                 "\"job\", \"$1\", \"job\", \"x(\"", "\"instance\", \"\", \"instance\", \"3\""));
        return;
    case 5:
        buf_adds(b, "label_join(");
        add_vector(b, depth - 1);
        buf_addf(b, ", %s)",
                 PICK("\"zone\", \"-\", \"instance\", \"zone\"",
                      "\"__name__\", \"_\", \"__name__\", \"job\"", "\"job\", \"\""));
        return;
    case 4:
        buf_addf(b, "%s(", PICK("clamp_min", "clamp_max", "round"));
        add_vector(b, depth - 1);
        buf_addf(b, ", %s)", PICK("7", "0.1", "scalar(gauge)", "NaN", "time() / 50"));
        return;
    case 3:
        buf_adds(b, "clamp(");
        add_vector(b, depth - 1);
        buf_addf(b, ", %s)", PICK("2, 9.5", "9, 2", "scalar(gauge), 60"));
        return;
    case 0:
        buf_addf(b, "%s(",
                 PICK("abs", "ceil", "sqrt", "-", "sort", "absent", "histogram_count", "timestamp",
                      "hour", "round"));
        add_vector(b, depth - 1);
        buf_addc(b, ')');
        return;
    case 1:
        buf_addf(b, "%s((", PICK("sum_over_time", "rate", "max_over_time"));
        add_vector(b, depth - 1);
        buf_adds(b, ")[2m:30s])");
        return;
    case 2:
        buf_addf(b, "%s(%s, ", PICK("quantile_over_time"), PICK("0.5", "0.9", "2"));
        add_selector(b);
        buf_addf(b, "[%s])", PICK("1m", "5m"));
        return;
    case 7:
        buf_addf(b, "histogram_quantile(%s, ", PICK("0.5", "0.9", "(0.9)", "1", "2", "-1", "NaN"));
        if (roll(4) == 0)
            add_vector(b, depth - 1);
        else
            add_buckets(b);
        buf_addc(b, ')');
        return;
    default:
        buf_addf(b, "%s(",
                 PICK("rate", "increase", "delta", "irate", "idelta", "changes", "resets",
                      "sum_over_time", "avg_over_time", "count_over_time", "deriv", "min_over_time",
                      "last_over_time", "stddev_over_time", "absent_over_time",
                      "present_over_time"));
        add_selector(b);
        buf_addf(b, "[%s]", PICK("30s", "1m", "5m"));
        add_modifiers(b);
        buf_addc(b, ')');
        return;
    }
}

/* Windows that share instants from step to step, or none, or have one, or lie still. depth below 0: of series in the store's
 * order. */
static void add_subquery(struct buf *b, int depth)
{
    buf_addf(b, "%s((",
             PICK("sum_over_time", "avg_over_time", "rate", "max_over_time", "last_over_time",
                  "count_over_time", "deriv", "stddev_over_time", "absent_over_time"));
    if (depth > 0 && roll(3) == 0) {
        add_subquery(b, depth - 1);
        buf_addf(b, "%s", PICK("", " or h")); /* of histograms each window is made anew */
    } else if (roll(8) == 0)
        buf_adds(b, "sort({__name__=~\"a_total|gauge\"})");
    else if (depth < 0)
        add_selector(b);
    else
        add_vector(b, 2);
    buf_addf(b, ")%s", PICK("[2m:30s]", "[1m:1m]", "[90s:1m]", "[5m:20s]", "[10s:20s]", "[3m:7s]"));
    add_modifiers(b);
    buf_addc(b, ')');
}

static void add_aggregate(struct buf *b, int depth)
{
    if (roll(5) == 0) { /* of equal values these keep the first, and groups have no order */
        buf_addf(b, "%s(2, ", PICK("topk", "bottomk", "limitk"));
        add_selector(b);
        buf_addc(b, ')');
        return;
    }
    buf_addf(b, "%s %s(", PICK("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"),
             PICK("", "", "by (job) ", "by (instance, job) ", "without (instance) ",
                  "by (__name__) "));
    add_vector(b, depth - 1);
    buf_addc(b, ')');
}

static void add_binary(struct buf *b, int depth)
{
    buf_addc(b, '(');
    if (roll(3) == 0) {
        add_vector(b, depth - 1);
        buf_addf(b, " %s %s", PICK("+", "*", ">", "<=", "== bool", "!=", "> bool", "-", "%", "^"),
                 PICK("1", "20", "time()", "scalar(gauge)"));
    } else {
        add_vector(b, depth - 1);
        buf_addf(b, " %s ",
                 PICK("and", "or", "unless", "and on (job)", "or on (instance, job)",
                      "unless ignoring (zone)", "+", "/ on (instance, job, zone)",
                      "- ignoring (zone)", "> on (instance, job) group_left ()",
                      "* on (job) group_left (zone)", "/ on (instance) group_right ()",
                      "== bool on (instance, job, zone)", "<"));
        add_vector(b, depth - 1);
    }
    buf_addc(b, ')');
}

static void add_vector(struct buf *b, int depth)
{
    unsigned kind = depth <= 0 ? 0 : roll(7);

    if (kind <= 1) {
        add_selector(b);
        add_modifiers(b);
    } else if (kind <= 3)
        add_call(b, depth);
    else if (kind == 4)
        add_aggregate(b, depth);
    else
        add_binary(b, depth);
}

/* -- comparing -- */

struct answer {
    struct promql_result r;
    struct err e;
    bool ok;
};

static int by_labels(const void *a, const void *b)
{
    return label_sets_order(((const struct promql_series *)a)->labels,
                            ((const struct promql_series *)b)->labels);
}

static bool same_value(const struct promql_point *a, const struct promql_point *b)
{
    if (a->t != b->t || (a->h != NULL) != (b->h != NULL))
        return false;
    if (a->h != NULL)
        return histogram_eq(a->h, b->h) && a->h->hint == b->h->hint;
    return memcmp(&a->v, &b->v, sizeof(a->v)) == 0 || (isnan(a->v) && isnan(b->v));
}

static bool same_texts(const str *a, size_t n, const str *b, size_t m)
{
    for (size_t i = 0; i < n; i++) {
        bool found = false;

        for (size_t k = 0; k < m; k++)
            found |= str_eq(a[i], b[k]);
        if (!found)
            return false;
    }
    return n == m;
}

static bool same_answer(struct answer *a, struct answer *b)
{
    if (!a->ok || !b->ok)
        return a->ok == b->ok && strncmp(a->e.msg, b->e.msg, SAME_WORDS) == 0;
    if (a->r.type != b->r.type || a->r.n != b->r.n || a->r.stats.read != b->r.stats.read ||
        a->r.stats.peak != b->r.stats.peak ||
        !same_texts(a->r.warnings, a->r.n_warnings, b->r.warnings, b->r.n_warnings) ||
        !same_texts(a->r.infos, a->r.n_infos, b->r.infos, b->r.n_infos))
        return false;
    if (a->r.n > 1) {
        qsort(a->r.series, a->r.n, sizeof(a->r.series[0]), by_labels);
        qsort(b->r.series, b->r.n, sizeof(b->r.series[0]), by_labels);
    }
    for (size_t i = 0; i < a->r.n; i++) {
        const struct promql_series *x = &a->r.series[i], *y = &b->r.series[i];

        if (!labels_eq(x->labels, y->labels) || x->n != y->n)
            return false;
        for (size_t k = 0; k < x->n; k++)
            if (!same_value(&x->points[k], &y->points[k]))
                return false;
    }
    return true;
}

struct counts {
    unsigned answers, failures, values;
};

static void add_counts(struct counts *all, const struct counts *c)
{
    all->answers += c->answers;
    all->failures += c->failures;
    all->values += c->values;
}

static void check_counts(const struct counts *all)
{
    printf("%u answers, %u errors, %u with values\n", all->answers, all->failures, all->values);
    assert_true(all->values > all->answers / 3 && all->failures < all->answers / 3);
}

struct world {
    struct mem_storage *m;
    struct promql_settings set;
    struct promql_plan *p;
    struct promql_expr *x[EXPRS];
    str text[EXPRS];
    size_t number[EXPRS], n;
    struct arena a;
    struct counts counts;
    unsigned steps; /* of a range, but for the first */
};

static void describe(const char *who, const struct answer *a)
{
    printf("%s: %s, %zu series, %zu warnings, %zu infos, %llu read, peak %zu\n", who,
           a->ok ? "ok" : a->e.msg, a->r.n, a->r.n_warnings, a->r.n_infos,
           (unsigned long long)a->r.stats.read, a->r.stats.peak);
}

/* step: of a range; 0: an instant. */
static void check_one(struct world *w, size_t i, ts_ms t, ts_ms step, struct answer *planned,
                      struct arena *a)
{
    struct promql_query q = {w->x[i], w->text[i], mem_storage_port(w->m), &w->set};
    struct answer plain = {.e = ERR_INIT};

    plain.ok = step != 0 ? promql_range(&q, t, t + w->steps * step, step, a, &plain.r, &plain.e)
                         : promql_instant(&q, t, a, &plain.r, &plain.e);
    if (!same_answer(&plain, planned)) {
        printf("at %lld: %.*s\n", (long long)t, STR(w->text[i]));
        describe("plain", &plain);
        describe("planned", planned);
        fail();
    }
    w->counts.answers++;
    w->counts.failures += !plain.ok;
    w->counts.values += plain.ok && plain.r.n != 0;
}

/* The expressions share what they have in common: in one span, or only what outlives it. */
static void check_at(struct world *w, ts_ms t, ts_ms step, bool in_one_span)
{
    struct answer planned[EXPRS];
    struct arena a;

    arena_init(&a, 0);
    promql_plan_begin(w->p);
    for (size_t i = 0; i < w->n; i++) {
        struct answer *x = &planned[i];

        if (!in_one_span && i != 0) {
            promql_plan_end(w->p);
            promql_plan_begin(w->p);
        }
        *x = (struct answer){.e = ERR_INIT};
        x->ok = step != 0 ? promql_plan_range(w->p, w->number[i], t, t + w->steps * step, step, &a,
                                              &x->r, &x->e)
                          : promql_plan_instant(w->p, w->number[i], t, &a, &x->r, &x->e);
    }
    promql_plan_end(w->p);
    for (size_t i = 0; i < w->n; i++)
        check_one(w, i, t, step, &planned[i], &a);
    arena_release(&a);
}

static void check_all(struct world *w)
{
    for (int k = 0; k < 4; k++)
        check_at(w, (ts_ms)roll(SAMPLES) * STEP + roll(STEP), k == 3 ? 20000 : 0, k % 2 == 0);
}

static void begin_world(struct world *w, bool delayed_names)
{
    *w = (struct world){.m = mem_storage_new(),
                        .set = {.delayed_names = delayed_names, .start_times = true},
                        .steps = 3};
    arena_init(&w->a, 0);
    w->p = promql_plan_new(mem_storage_port(w->m), &w->set);
}

static void add_expr(struct world *w, str text)
{
    struct err e = ERR_INIT;
    size_t i = w->n++;

    w->text[i] = arena_str(&w->a, text);
    w->x[i] = promql_parse(w->text[i], &promql_everything, &w->a, NULL, &e);
    if (w->x[i] == NULL)
        printf("%.*s: %s\n", STR(text), e.msg);
    assert_non_null(w->x[i]);
    assert_true(promql_plan_add(w->p, w->x[i], w->text[i], &w->number[i], &e));
}

static void make_world(struct world *w, bool delayed_names)
{
    begin_world(w, delayed_names);
    put_some(w->m, 25);
    put_buckets(w->m, 6);
    for (size_t i = 0; i < EXPRS; i++) {
        struct buf b = BUF_INIT;

        add_vector(&b, DEPTH);
        add_expr(w, buf_str(&b));
        buf_release(&b);
    }
}

static void end_world(struct world *w)
{
    promql_plan_free(w->p);
    for (size_t i = 0; i < w->n; i++)
        promql_release(w->x[i]);
    mem_storage_free(w->m);
    arena_release(&w->a);
}

static void planned_as_plain(void **state)
{
    struct counts all = {0};

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct world w;

        dice = seed;
        make_world(&w, seed % 2 == 0);
        check_all(&w);
        put_some(w.m, 10); /* the tables have to follow */
        put_buckets(w.m, 2);
        check_all(&w);
        end_world(&w);
        add_counts(&all, &w.counts);
    }
    check_counts(&all);
}

/* The windows of a subquery, step by step. */
static void subqueries_as_plain(void **state)
{
    static const ts_ms steps[] = {1000, 7000, 15000, 30000, 60000, 200000};
    struct counts all = {0};

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct world w;

        dice = seed;
        begin_world(&w, seed % 2 == 0);
        w.steps = 11;
        put_some(w.m, 12);
        put_buckets(w.m, 3);
        add_expr(&w, S("limitk(1, last_over_time((sort({__name__=~\"a_total|gauge\"}))[90s:1m]))"));
        add_expr(&w, S("max_over_time((sum_over_time((b_total)[5m:20s]) or h)[2m:30s])"));
        add_expr(&w, S("max_over_time((sum_over_time((b_total)[31s:9s]) or h)[8s:4s])"));
        while (w.n < EXPRS) {
            struct buf b = BUF_INIT;
            bool is_ranked = roll(4) == 0; /* the first of equal values, and groups have no order */

            buf_addf(&b, "%s",
                     is_ranked
                         ? PICK("limitk(1, ", "topk by (job) (1, ")
                         : PICK("(", "sum(", "sum by (job) (", "avg by (__name__) (", "sort("));
            add_subquery(&b, is_ranked ? -1 : 1);
            buf_addc(&b, ')');
            add_expr(&w, buf_str(&b));
            buf_release(&b);
        }
        for (size_t k = 0; k < 3; k++)
            check_at(&w, (ts_ms)roll(SAMPLES) * STEP + roll(STEP), steps[roll(ARRAY_LEN(steps))],
                     k % 2 == 0);
        end_world(&w);
        add_counts(&all, &w.counts);
    }
    check_counts(&all);
}

/* -- the answer of a range has what its instants have, however long it is -- */

enum { LONG = 2 * 16 + 7 }; /* steps; points are written sixteen steps at a time */

/* The point of a range's answer that a series has at t; NULL: none. */
static const struct promql_point *point_at(const struct promql_result *r, struct labels ls, ts_ms t)
{
    const struct promql_point *found = NULL;

    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; labels_eq(r->series[i].labels, ls) && k < r->series[i].n; k++) {
            assert_true(k == 0 || r->series[i].points[k - 1].t < r->series[i].points[k].t);
            if (r->series[i].points[k].t == t)
                found = &r->series[i].points[k];
        }
    return found;
}

static size_t points_of(const struct promql_result *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        n += r->series[i].n;
    return n;
}

static void check_instants(struct world *w, size_t i, ts_ms start, ts_ms step, struct arena *a)
{
    struct promql_query q = {w->x[i], w->text[i], mem_storage_port(w->m), &w->set};
    struct answer whole = {.e = ERR_INIT}, one = {.ok = true, .e = ERR_INIT};
    size_t points = 0;

    whole.ok = promql_range(&q, start, start + LONG * step, step, a, &whole.r, &whole.e);
    for (int k = 0; k <= LONG && one.ok; k++) {
        one = (struct answer){.e = ERR_INIT};
        one.ok = promql_instant(&q, start + k * step, a, &one.r, &one.e);
        for (size_t j = 0; one.ok && whole.ok && j < one.r.n; j++) {
            const struct promql_point *p =
                point_at(&whole.r, one.r.series[j].labels, start + k * step);

            assert_non_null(p);
            assert_true(same_value(p, &one.r.series[j].points[0]));
            points++;
        }
    }
    if (whole.ok != one.ok || (whole.ok && points != points_of(&whole.r)))
        printf("at %lld, step %lld: %.*s\n", (long long)start, (long long)step, STR(w->text[i]));
    assert_int_equal(whole.ok, one.ok);
    assert_true(!whole.ok || points == points_of(&whole.r));
    assert_true(whole.ok || strncmp(whole.e.msg, one.e.msg, SAME_WORDS) == 0);
    w->counts.answers++;
    w->counts.failures += !whole.ok;
    w->counts.values += points != 0;
}

static void ranges_as_instants(void **state)
{
    static const char *const texts[] = {
        "{__name__=~'a_total|b_total|gauge|h'}",
        "a_total or b_total",
        "a_total or a_total{job='x'}",
        "gauge{job='x'} or gauge",
        "gauge > 2 or h",
        "rate(a_total[1m]) or b_total offset 1m",
        "label_replace(gauge, 'zone', '', '', '')",
        "-{__name__=~'a_total|b_total',zone='n'}", /* of delayed names only the answer knows */
        "sort(gauge)",
        "topk(2, gauge)",
        "gauge and on (job) (b_total > 3)",
        "last_over_time(h[2m]) or gauge",
        "sum by (job) (gauge) or sum by (zone) (gauge)",
        "gauge @ 300 + on (job, zone) group_left () gauge",
        "-rate(a_total[2m] @ 200) or h @ 250",
        "predict_linear(gauge[2m] @ 300, 60) or timestamp(gauge @ 310)", /* the first looks ahead from the instant */
        "clamp_max(sum by (job) (gauge @ 240 offset 20s), scalar(count(a_total)))",
        "sum by (job) (rate(b_total[3m] @ 400)) * 100 > time() % 40",
        "histogram_quantile(0.9, h @ 200) or abs(gauge @ 330) or rate(h[2m] @ 300)",
    };
    static const ts_ms steps[] = {3000, 7000, 15000, 40000};
    struct counts all = {0};
    struct arena a;

    (void)state;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct world w;

        dice = seed;
        begin_world(&w, seed % 2 == 0);
        put_some(w.m, 20);
        for (size_t i = 0; i < ARRAY_LEN(texts); i++)
            add_expr(&w, str_of(texts[i]));
        for (size_t i = 0; i < w.n; i++) {
            ts_ms step = steps[roll(ARRAY_LEN(steps))];

            arena_init(&a, 0);
            check_instants(&w, i, (ts_ms)roll(SAMPLES / 2) * STEP + roll(STEP), step, &a);
            w.steps = LONG;
            check_at(&w, (ts_ms)roll(SAMPLES / 2) * STEP + roll(STEP), step, seed % 2 == 0);
            arena_release(&a);
        }
        end_world(&w);
        add_counts(&all, &w.counts);
    }
    check_counts(&all);
}

/* -- what random expressions seldom meet -- */

static void put_ones(struct mem_storage *m, const char *name, const char *job, const char *zone,
                     const char *le, int samples)
{
    struct label l[] = {{S("__name__"), str_of(name)},
                        {S("job"), str_of(job)},
                        {S("le"), str_of(le)},
                        {S("zone"), str_of(zone)}};
    str dup;
    struct labels ls = {l, labels_sort(l, ARRAY_LEN(l), &dup)};

    for (int k = 0; k < samples; k++)
        mem_storage_append(m, ls, (ts_ms)k * STEP, 1, 0);
    mem_storage_append_stale(m, ls, (ts_ms)samples * STEP);
}

/* The first member of {zone="n"} is the one whose partner ends early. */
static void group_named_by_absent_partner(void **state)
{
    struct world w;

    (void)state;
    begin_world(&w, false);
    put_ones(w.m, "a", "x", "", "", SAMPLES);
    put_ones(w.m, "a", "y", "", "", SAMPLES);
    put_ones(w.m, "b", "x", "n", "", SAMPLES / 4);
    put_ones(w.m, "b", "y", "n", "", SAMPLES);
    add_expr(&w, S("a * on (job) group_left (zone) b"));
    add_expr(&w, S("sum by (zone) (a * on (job) group_left (zone) b)"));
    add_expr(&w, S("sum by (zone) (a * on (job) group_left (zone) b) > 0"));
    check_at(&w, (ts_ms)SAMPLES / 2 * STEP, false, true);
    check_at(&w, (ts_ms)SAMPLES / 8 * STEP, false, true);
    check_at(&w, (ts_ms)SAMPLES / 2 * STEP, false, false);
    assert_int_equal(w.counts.values, w.counts.answers);
    end_world(&w);
}

/* The series of either histogram stand between those of the other. */
static void buckets_in_turn(void **state)
{
    struct world w;

    (void)state;
    begin_world(&w, false);
    put_ones(w.m, "a", "1", "x", "1", SAMPLES);
    put_ones(w.m, "a", "2", "y", "4", SAMPLES);
    put_ones(w.m, "a", "3", "x", "+Inf", SAMPLES);
    put_ones(w.m, "a", "4", "y", "+Inf", SAMPLES);
    add_expr(&w, S("histogram_quantile(0.5, sum by (zone, le) (a))"));
    add_expr(&w, S("histogram_quantile(0.5, sum by (zone, le) (a)) > 1"));
    check_at(&w, (ts_ms)SAMPLES / 2 * STEP, false, true);
    assert_int_equal(w.counts.values, w.counts.answers);
    end_world(&w);
}

/* Both have to say that a is no counter, although they share the column. */
static void notes_of_shared_scalar(void **state)
{
    struct world w;

    (void)state;
    begin_world(&w, false);
    put_ones(w.m, "a", "x", "", "", SAMPLES);
    add_expr(&w, S("a > bool scalar(rate(a[5m]))"));
    add_expr(&w, S("sum(a > bool scalar(rate(a[5m])))"));
    add_expr(&w, S("abs(a > bool scalar(rate(a[5m])))"));
    check_at(&w, (ts_ms)SAMPLES / 2 * STEP, false, true);
    assert_int_equal(w.counts.values, w.counts.answers);
    end_world(&w);
}

/* -- what is shared -- */

/* Equal parts are one node, however they are spelt; what the store is asked of resets makes them two. */
static struct labels numbered(const char *name, int i, struct arena *a)
{
    struct label *l = arena_array(a, 2, sizeof(*l));

    l[0] = (struct label){S("__name__"), str_of(name)};
    l[1] = (struct label){S("instance"), arena_printf(a, "%d", i)};
    return (struct labels){l, 2};
}

/* A column of many rows is kept from span to span: it is another one when there are more of them, and made anew for a time that
 * has been asked for before. */
static void columns_of_many_rows(void **state)
{
    enum { MANY = 200, NEW = 50 };
    static const char *const texts[] = {
        "rate(a_total[2m]) / ignoring (instance) group_left sum (rate(b_total[2m])) > 0",
        "a_total unless b_total", "-a_total + b_total > 1", "a_total < 20 or b_total",
        "sum by (instance) (rate(a_total[2m])) * on (instance) b_total"};
    ts_ms end = (ts_ms)SAMPLES * STEP;
    struct world w;

    (void)state;
    dice = 7;
    begin_world(&w, false);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        add_expr(&w, str_of(texts[i]));
    for (int n = 0; n < MANY; n += NEW) {
        for (int i = n; i < n + NEW; i++) {
            put_series(w.m, numbered("a_total", i, &w.a), false);
            put_series(w.m, numbered("b_total", i + NEW / 2, &w.a), false);
        }
        check_all(&w);
    }
    check_at(&w, end + STEP, false, true);
    for (int i = 0; i < MANY; i++)
        mem_storage_append(w.m, numbered("a_total", i, &w.a), end + STEP / 2, 1000 + i, 0);
    check_at(&w, end + STEP, false, true);
    assert_true(w.counts.values > w.counts.answers / 2);
    assert_int_equal(w.counts.failures, 0);
    end_world(&w);
}

static void equal_parts_are_one(void **state)
{
    struct world w;

    (void)state;
    begin_world(&w, false);
    put_some(w.m, 25);
    add_expr(&w, S("sum by (job) (rate(a[5m])) > 1"));
    add_expr(&w, S("2 < sum by (job) (rate( a [300s] ))"));
    add_expr(&w, S("count(rate(a[5m])) + sum(a)"));
    /* rate, sum by, > 1; 2 <; count, a, sum, + */
    assert_int_equal(w.p->nodes.n, 8);
    assert_int_equal(w.p->selectors.n, 1);
    add_expr(&w, S("abs(histogram_count(b)) + sum(b)"));
    add_expr(&w, S("histogram_sum(b) + sum(b)"));
    /* b as a count reads it, b; sum, once */
    assert_int_equal(w.p->nodes.n, 11);
    check_all(&w);
    add_expr(&w, S("count(rate(a[5m]))"));
    assert_int_equal(w.p->nodes.n, 13);
    check_all(&w);
    end_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planned_as_plain),     cmocka_unit_test(subqueries_as_plain),
        cmocka_unit_test(ranges_as_instants),   cmocka_unit_test(group_named_by_absent_partner),
        cmocka_unit_test(buckets_in_turn),      cmocka_unit_test(notes_of_shared_scalar),
        cmocka_unit_test(columns_of_many_rows), cmocka_unit_test(equal_parts_are_one)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
