/* promql_eval_fuzz.c - any expression over a few series: both evaluators answer, and agree whether there is an answer. */
#include "tests_fuzz.h"

#include "model/labels.h"
#include "promql/mem_storage.h"
#include "promql/plan.h"

enum {
    SERIES = 8,
    BUCKETS = 10,
    SAMPLES = 40,
    STEP = 30000,
    ASKED_MAX = 3000,
    BYTES_MAX = 64 << 20
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
    size_t n;
    struct err e;
};

static struct outcome plain(const struct promql_query *q, ts_ms t, bool is_range)
{
    struct outcome out = {.e = ERR_INIT};
    struct promql_result r;
    struct arena a;

    arena_init(&a, 0);
    out.ok = is_range ? promql_range(q, t, t + 3 * STEP, STEP, &a, &r, &out.e)
                      : promql_instant(q, t, &a, &r, &out.e);
    out.n = out.ok ? r.n : 0;
    arena_release(&a);
    return out;
}

static struct outcome planned(const struct promql_query *q, ts_ms t, bool is_range)
{
    struct promql_plan *p = promql_plan_new(q->storage, q->settings);
    struct outcome out = {.e = ERR_INIT};
    struct promql_result r;
    struct arena a;
    size_t number;

    arena_init(&a, 0);
    if (promql_plan_add(p, q->expr, q->text, &number, &out.e)) {
        promql_plan_begin(p);
        out.ok = is_range ? promql_plan_range(p, number, t, t + 3 * STEP, STEP, &a, &r, &out.e)
                          : promql_plan_instant(p, number, t, &a, &r, &out.e);
        promql_plan_end(p);
    }
    out.n = out.ok ? r.n : 0;
    arena_release(&a);
    promql_plan_free(p);
    return out;
}

static bool is_stopped(const struct outcome *o)
{
    return o->e.code == ERR_CONFLICT || o->e.code == ERR_LIMIT;
}

static void check(struct promql_query *q, struct promql_settings *set, ts_ms t, bool is_range)
{
    unsigned asked = 0;
    struct outcome a, b;

    set->ask = stop_late;
    set->ask_arg = &asked;
    a = plain(q, t, is_range);
    asked = 0;
    b = planned(q, t, is_range);
    if (!is_stopped(&a) && !is_stopped(&b) && (a.ok != b.ok || a.n != b.n))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct mem_storage *m;
    struct promql_settings set = {
        .max_samples = 100000, .max_bytes = BYTES_MAX, .start_times = true};
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
        check(&q, &set, 20 * STEP + 7, false);
        if (x->type == PROMQL_T_VECTOR || x->type == PROMQL_T_SCALAR)
            check(&q, &set, 17 * STEP, true);
    }
    promql_release(x);
    arena_release(&a);
    return 0;
}
