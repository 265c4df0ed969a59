/* promql_eval_fuzz.c - any expression over a few series: both evaluators answer, and agree: on the answer of a range query, on what was
 * said about it, on how many samples it took, and on that there is none. */
#include "tests_fuzz.h"

#include <math.h>
#include "model/labels.h"
#include "promql/mem_storage.h"
#include "promql/plan.h"

enum {
    SERIES = 8,
    BUCKETS = 10,
    SAMPLES = 40,
    STEP = 30000,
    ASKED_MAX = 100,
    BYTES_MAX = 64 << 20,
    FEW_SAMPLES = 60, /* some queries need more */
    MANY_SAMPLES = 100000
};

static void put_series(struct mem_storage *m, int i)
{
    static const char *const names[] = {"a", "b_total", "h"};
    char n[2] = {(char)('0' + i % 4), '\0'};
    struct label l[] = {
        {S("__name__"), str_of(names[i % 3])}, {S("l"), str_of(n)}, {S("m"), S("x")}};
    double counts[] = {i, 2, 1};
    struct histogram_span span = {i, 3};
    struct histogram h = {
        .count = i + 3, .sum = 7, .schema = i % 3, .positive = {&span, counts, 1, 3}};

    for (int k = 0; k < SAMPLES; k++) {
        struct labels ls = {l, ARRAY_LEN(l)};
        ts_ms t = (ts_ms)k * STEP;

        if (i % 3 == 2 && !mem_storage_append_histogram(m, ls, t, &h, 0, NULL))
            __builtin_trap();
        if (i % 3 != 2 && k % 11 != 5)
            mem_storage_append(m, ls, t, (double)((k * (i + 3)) % 17), 0);
    }
}

/* Two classic histograms whose counts fall now and then, and a native one that has a bound. */
static void put_bucket(struct mem_storage *m, int i)
{
    static const char *const bounds[] = {"1", "5", "5.0", "+Inf", "?"};
    struct label l[] = {{S("__name__"), S("c_bucket")},
                        {S("l"), i % 2 == 0 ? S("0") : S("1")},
                        {S("le"), str_of(bounds[i / 2])}};
    struct histogram h = {.count = 2, .sum = 7, .zero_count = 2};

    for (int k = 0; k < SAMPLES; k++) {
        struct labels ls = {l, ARRAY_LEN(l)};
        ts_ms t = (ts_ms)k * STEP;

        if (i == BUCKETS - 1 && !mem_storage_append_histogram(m, ls, t, &h, 0, NULL))
            __builtin_trap();
        if (i != BUCKETS - 1 && k % 13 != i)
            mem_storage_append(m, ls, t, (double)(k * (i + 1) - (k + i) % 7), 0);
    }
}

static enum promql_go stop_late(void *arg, uint64_t read)
{
    (void)read;
    unsigned *asked = arg;

    return ++*asked > ASKED_MAX ? PROMQL_CANCELED : PROMQL_GO_ON;
}

struct outcome {
    bool ok;
    struct promql_result r;
    struct arena a;
    struct err e;
};

static void plain(const struct promql_query *q, ts_ms t, bool is_range, struct outcome *out)
{
    *out = (struct outcome){.e = ERR_INIT};
    arena_init(&out->a, 0);
    out->ok = is_range ? promql_range(q, t, t + 3 * STEP, STEP, &out->a, &out->r, &out->e)
                       : promql_instant(q, t, &out->a, &out->r, &out->e);
}

static void planned(const struct promql_query *q, ts_ms t, bool is_range, struct outcome *out)
{
    struct promql_plan *p;
    size_t number;

    *out = (struct outcome){.e = ERR_INIT};
    arena_init(&out->a, 0);
    if (is_range) {
        out->ok = promql_planned_range(q, t, t + 3 * STEP, STEP, &out->a, &out->r, &out->e);
        return;
    }
    p = promql_plan_new(q->storage, q->settings);
    if (promql_plan_add(p, q->expr, q->text, &number, &out->e)) {
        promql_plan_begin(p);
        out->ok = promql_plan_instant(p, number, t, &out->a, &out->r, &out->e);
        promql_plan_end(p);
    }
    promql_plan_free(p);
}

/* By memory, or by who was asked, who is not asked as often. */
static bool is_stopped(const struct outcome *o)
{
    return o->e.code == ERR_CONFLICT ||
           (o->e.code == ERR_LIMIT && strstr(o->e.msg, "memory in") == NULL);
}

/* Groups come in no order, and adding in another one gives another last digit. */
static bool is_close(double a, double b)
{
    return a == b || (isnan(a) && isnan(b)) || !isfinite(a) || !isfinite(b) ||
           fabs(a - b) <= 1e-6 * (fabs(a) + fabs(b)) + 1e-6;
}

static bool same_series(const struct promql_series *a, const struct promql_series *b)
{
    if (!labels_eq(a->labels, b->labels) || a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct promql_point *x = &a->points[i], *y = &b->points[i];

        if (x->t != y->t || (x->h != NULL) != (y->h != NULL) ||
            (x->h == NULL && !is_close(x->v, y->v)))
            return false;
    }
    return true;
}

static bool same_stats(const struct promql_stats *a, const struct promql_stats *b)
{
    return a->read == b->read && a->peak == b->peak && a->n_steps == b->n_steps &&
           (a->n_steps == 0 || memcmp(a->steps, b->steps, a->n_steps * sizeof(a->steps[0])) == 0);
}

/* Which of equal values topk() keeps, and what is then done with it, is not said. */
static bool is_vague(str text)
{
    static const char *const words[] = {"topk",        "bottomk",      "limitk",
                                        "limit_ratio", "count_values", "sort"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (memmem(text.p, text.n, words[i], strlen(words[i])) != NULL)
            return true;
    return false;
}

static bool is_same(const struct outcome *a, const struct outcome *b, str text, bool is_sorted)
{
    if (a->ok != b->ok || !a->ok)
        return a->ok == b->ok && a->e.code == b->e.code;
    if (a->r.n != b->r.n || is_vague(text))
        return a->r.n == b->r.n;
    if (a->r.n_warnings != b->r.n_warnings || a->r.n_infos != b->r.n_infos ||
        !same_stats(&a->r.stats, &b->r.stats))
        return false;
    for (size_t i = 0; is_sorted && i < a->r.n; i++)
        if (!same_series(&a->r.series[i], &b->r.series[i]))
            return false;
    return true;
}

static void check(struct promql_query *q, struct promql_settings *set, ts_ms t, bool is_range)
{
    unsigned asked = 0;
    struct outcome a, b;

    set->ask = stop_late;
    set->ask_arg = &asked;
    plain(q, t, is_range, &a);
    asked = 0;
    planned(q, t, is_range, &b);
    if (!is_stopped(&a) && !is_stopped(&b) && !is_same(&a, &b, q->text, is_range))
        __builtin_trap();
    arena_release(&a.a);
    arena_release(&b.a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct mem_storage *m;
    struct promql_settings set = {
        .max_bytes = BYTES_MAX, .start_times = true, .counts_steps = true};
    struct promql_query q = {.text = {(const char *)data, size}, .settings = &set};
    struct promql_expr *x;
    struct arena a;

    if (m == NULL) {
        m = mem_storage_new();
        for (int i = 0; i < SERIES; i++)
            put_series(m, i);
        for (int i = 0; i < BUCKETS; i++)
            put_bucket(m, i);
    }
    arena_init(&a, 0);
    x = size <= 400 ? promql_parse(q.text, &promql_everything, &a, NULL, NULL) : NULL;
    if (x != NULL) {
        q.expr = x;
        q.storage = mem_storage_port(m);
        set.delayed_names = size % 2 == 0;
        set.max_samples = size % 3 == 0 ? FEW_SAMPLES : MANY_SAMPLES;
        check(&q, &set, 20 * STEP + 7, false);
        if (x->type == PROMQL_T_VECTOR || x->type == PROMQL_T_SCALAR)
            check(&q, &set, 17 * STEP, true);
    }
    promql_release(x);
    arena_release(&a);
    return 0;
}
