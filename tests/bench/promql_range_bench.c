/* promql_range_bench.c - the cases of promql.md 16.4: one and a hundred series, histograms, joins; at one step, and range
 * queries of 100 and 1,000 steps; by the planner and by the plain evaluator.
 *
 *     promql_range_bench
 *
 * Data: a_N and b_N of 1 and 100 series (label l), counters every 10 s for three hours; h_N, classic histograms of 10
 * buckets and +Inf; nh, 100 native histograms of 20 buckets. Prints a line a case: milliseconds of the best of three runs,
 * and nanoseconds a series and step.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "promql/mem_storage.h"
#include "promql/plan.h"

enum { STEP_MS = 10000, SAMPLES = 1100, HUNDRED = 100, BUCKETS = 11 };

static const struct promql_settings settings = {.lookback = 0};

/* X stands for 1 and 100. */
static const char *const cases[] = {
    "a_X",
    "rate(a_X[1m])",
    "rate(a_X[5m])",
    "changes(a_X[1h])",
    "absent_over_time(a_X[1h])",
    "-a_X",
    "a_X - b_X",
    "a_X and b_X{l=~'.*[0-4]$'}",
    "a_X or b_X{l=~'.*[0-4]$'}",
    "a_X unless b_X{l=~'.*[0-4]$'}",
    "a_X and b_X{l='notfound'}",
    "abs(a_X)",
    "label_replace(a_X, 'l2', '$1', 'l', '(.*)')",
    "label_join(a_X, 'l2', '-', 'l', 'l')",
    "sum(a_X)",
    "avg(a_X)",
    "sum without (l)(h_X_bucket)",
    "sum without (le)(h_X_bucket)",
    "sum by (l)(h_X_bucket)",
    "sum by (le)(h_X_bucket)",
    "count_values('value', h_X_bucket)",
    "topk(1, a_X)",
    "topk(5, a_X)",
    "limitk(5, a_X)",
    "limit_ratio(0.5, a_X)",
    "rate(a_X[1m]) + rate(b_X[1m])",
    "sum without (l)(rate(a_X[1m]))",
    "sum without (l)(rate(a_X[1m])) / sum without (l)(rate(b_X[1m]))",
    "histogram_quantile(0.9, rate(h_X_bucket[5m]))",
    "a_X + on (l) group_right a_1",
    "timestamp(a_X)",
    "double_exponential_smoothing(a_X[1h], 0.3, 0.3)",
    "sum(rate(nh[2m]))",
    "histogram_quantile(0.9, sum(rate(nh[2m])))",
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add(struct mem_storage *m, const char *name, size_t l, const char *le, double rate)
{
    char text[24];
    struct label v[3] = {{S("__name__"), str_of(name)}, {S("l"), STR_NONE}, {S("le"), str_of(le)}};
    struct labels ls = {v, le != NULL ? 3 : 2};

    snprintf(text, sizeof(text), "%zu", l);
    v[1].value = str_of(text);
    for (size_t i = 0; i < SAMPLES; i++)
        mem_storage_append(m, ls, (ts_ms)i * STEP_MS + 7, (double)i * rate, 0);
}

static void add_native(struct mem_storage *m, size_t l)
{
    char text[24];
    struct label v[2] = {{S("__name__"), S("nh")}, {S("l"), STR_NONE}};
    struct histogram_span span = {0, 20};
    double counts[20];
    struct err e = ERR_INIT;

    snprintf(text, sizeof(text), "%zu", l);
    v[1].value = str_of(text);
    for (size_t i = 0; i < SAMPLES; i++) {
        struct histogram h = {.schema = 2, .positive = {&span, counts, 1, 20}};

        for (size_t k = 0; k < 20; k++) {
            counts[k] = (double)(i * (k + 1));
            h.count += counts[k];
        }
        h.sum = h.count;
        if (!mem_storage_append_histogram(m, (struct labels){v, 2}, (ts_ms)i * STEP_MS + 7, &h, 0,
                                          &e))
            exit(1);
    }
}

static struct mem_storage *fill(void)
{
    static const char *const les[BUCKETS] = {"0.1", "0.2", "0.5", "1",   "2",   "5",
                                             "10",  "20",  "50",  "100", "+Inf"};
    struct mem_storage *m = mem_storage_new();

    for (size_t i = 0; i < HUNDRED; i++) {
        add(m, "a_100", i, NULL, (double)(i + 1));
        add(m, "b_100", i, NULL, (double)(i + 2));
        for (size_t k = 0; k < BUCKETS; k++)
            add(m, "h_100_bucket", i, les[k], (double)(k + 1));
        add_native(m, i);
    }
    add(m, "a_1", 0, NULL, 1);
    add(m, "b_1", 0, NULL, 2);
    for (size_t k = 0; k < BUCKETS; k++)
        add(m, "h_1_bucket", 0, les[k], (double)(k + 1));
    return m;
}

/* Seconds of the best of three; the series of the answer in *n. Steps 1: an instant. */
static double best(struct mem_storage *m, const char *text, size_t steps, bool plain, size_t *n)
{
    struct promql_query q = {
        .text = str_of(text), .storage = mem_storage_port(m), .settings = &settings};
    struct promql_plan *p = promql_plan_new(q.storage, &settings);
    ts_ms end = (SAMPLES - 1) * STEP_MS + 14, start = end - (ts_ms)(steps - 1) * STEP_MS;
    double least = INFINITY;
    struct err e = ERR_INIT;
    struct promql_expr *x;
    struct arena tree;
    size_t number = 0;
    bool ok;

    arena_init(&tree, 0);
    q.expr = x = promql_parse(q.text, &promql_everything, &tree, NULL, &e);
    ok = x != NULL && promql_plan_add(p, x, q.text, &number, &e);
    for (int i = 0; i < 3 && ok; i++) {
        double from = seconds(), took;
        struct promql_result r;
        struct arena a;

        arena_init(&a, 0);
        if (plain) {
            ok = steps == 1 ? promql_instant(&q, end, &a, &r, &e)
                            : promql_range(&q, start, end, STEP_MS, &a, &r, &e);
        } else {
            promql_plan_begin(p);
            ok = steps == 1 ? promql_plan_instant(p, number, end, &a, &r, &e)
                            : promql_plan_range(p, number, start, end, STEP_MS, &a, &r, &e);
            promql_plan_end(p);
        }
        took = seconds() - from;
        least = took < least ? took : least;
        *n = ok ? r.n : 0;
        arena_release(&a);
    }
    if (!ok) {
        fprintf(stderr, "%s: %s\n", text, e.msg);
        exit(1);
    }
    promql_plan_free(p);
    promql_release(x);
    arena_release(&tree);
    return least;
}

/* The case with X as the number. */
static void put_number(const char *text, const char *number, char *out, size_t room)
{
    size_t n = 0;

    for (; *text != '\0' && n + 4 < room; text++) {
        if (*text != 'X') {
            out[n++] = *text;
            continue;
        }
        n += (size_t)snprintf(out + n, room - n, "%s", number);
    }
    out[n] = '\0';
}

int main(void)
{
    static const size_t steps[] = {1, 100, 1000};
    static const char *const numbers[] = {"1", "100"};
    struct mem_storage *m = fill();

    printf("%6s %6s %10s %10s %12s  %s\n", "series", "steps", "planner ms", "plain ms",
           "ns a point", "expression");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
            for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
                char text[256];
                double fast, plain;
                size_t n, all;

                put_number(cases[i], numbers[k], text, sizeof(text));
                fast = best(m, text, steps[s], false, &n);
                plain = best(m, text, steps[s], true, &n);
                all = (k == 0 ? 1 : HUNDRED) * steps[s];
                printf("%6s %6zu %10.3f %10.3f %12.0f  %s\n", numbers[k], steps[s], fast * 1e3,
                       plain * 1e3, fast * 1e9 / (double)all, text);
            }
    mem_storage_free(m);
    return 0;
}
