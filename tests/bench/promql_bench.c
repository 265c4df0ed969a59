/* promql_bench.c - the store and the evaluator on generated series: what a sample costs to append and to keep, and what
 * a query takes. Read by promql.py, which asks Prometheus the same.
 *
 *     promql_bench SERIES...          for each number of series
 *     promql_bench --series SERIES    the series, a line each: METRIC CPU INSTANCE JOB MODE VALUE STEP
 *     promql_bench --range SERIES...  range queries of 240 steps as the API answers them, and what they are asked of
 *     promql_bench --range-series SERIES
 *
 * The data is that of promql.md 16.1: counters m_total and n_total of SERIES series each, in instances of 100, a tenth of
 * them in mode "user"; 21 samples 15 s apart, off the edges of every window. For ranges m_total and h_bucket, which has le
 * in place of mode, and samples of an hour more.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "promql/gather.h"
#include "promql/plan.h"
#include "tsdb/log.h"
#include "tsdb/tsdb.h"

enum { SAMPLES = 21, STEPS = 240, STEP_MS = 15000, INSTANCE = 100, FIRST_MS = 7, METRICS = 2 };

static const char *const modes[] = {"user", "system", "idle",    "nice", "iowait",
                                    "irq",  "steal",  "softirq", "wait", "guest"};
static const char *const bounds[ARRAY_LEN(modes)] = {"0.1", "0.2", "0.5", "1",  "2",
                                                     "5",   "10",  "20",  "50", "+Inf"};

struct metric {
    const char *name, *label;
    const char *const *values;
};

struct data {
    struct metric metrics[METRICS];
    size_t samples;
};

static const struct data instants = {{{"m_total", "mode", modes}, {"n_total", "mode", modes}},
                                     SAMPLES};
static const struct data ranges = {{{"m_total", "mode", modes}, {"h_bucket", "le", bounds}},
                                   SAMPLES + STEPS - 1};

struct query {
    const char *name, *text;
};

static const struct query queries[] = {
    /* of promql.md 16.1 */
    {"count", "count(m_total)"},
    {"sum_rate", "sum(rate(m_total[5m]))"},
    {"sum_by_rate", "sum by (instance) (rate(m_total[5m]))"},
    {"rate_above", "rate(m_total[5m]) > 1e9"},
    {"above", "m_total > 1e18"},
    {"topk", "topk(5, m_total)"},
    {"max_over_time", "count(max_over_time(m_total[5m]))"},
    {"quantile_over_time", "count(quantile_over_time(0.9, m_total[5m]))"},
    {"join", "count(m_total / on (instance, cpu, mode) n_total)"},
    {"and", "count(m_total and on (instance, cpu, mode) n_total)"},
    {"regex", "sum(rate(m_total{mode=~\"us.*\",cpu=\"7\"}[5m]))"},
};

static const struct query range_queries[] = {
    {"sum_by_rate", "sum by (instance) (rate(m_total[5m]))"},
    {"quantile", "histogram_quantile(0.9, rate(h_bucket[5m]))"},
    {"quantile_of_sum", "histogram_quantile(0.9, sum by (instance, le) (rate(h_bucket[5m])))"},
    {"ratio", "sum(rate(m_total{mode=\"user\"}[5m])) / sum(rate(m_total{cpu=\"1\"}[5m]))"},
    {"topk", "topk(5, rate(m_total[5m]))"},
    {"relabel",
     "sum by (x) (label_replace(rate(m_total[5m]), \"x\", \"$1\", \"instance\", \"(.*)\"))"},
    {"timestamp", "max by (mode) (time() - timestamp(m_total))"},
    {"subquery", "max_over_time(sum(rate(m_total[5m]))[5m:15s])"},
    {"round", "sum by (mode) (round(rate(m_total[5m])))"},
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    size_t all = 0, pages = 0;

    if (f == NULL || fscanf(f, "%zu %zu", &all, &pages) != 2)
        exit(1);
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* -- the data: series i of a metric -- */

struct series_text {
    char instance[32], cpu[8];
    struct label v[5];
};

static struct labels series_labels(struct series_text *s, const struct metric *m, size_t i)
{
    snprintf(s->instance, sizeof(s->instance), "10.0.%zu.%zu:9100", i / INSTANCE / 250,
             i / INSTANCE % 250);
    snprintf(s->cpu, sizeof(s->cpu), "%zu", i % INSTANCE / ARRAY_LEN(modes));
    s->v[0] = (struct label){S("__name__"), str_of(m->name)};
    s->v[1] = (struct label){S("cpu"), str_of(s->cpu)};
    s->v[2] = (struct label){S("instance"), str_of(s->instance)};
    s->v[3] = (struct label){S("job"), S("node")};
    s->v[4] = (struct label){str_of(m->label), str_of(m->values[i % ARRAY_LEN(modes)])};
    return (struct labels){s->v, ARRAY_LEN(s->v)};
}

static double first_value(size_t i)
{
    return (double)(1000 + i % 997);
}

static double growth(size_t i)
{
    return (double)(1 + i % 13) * 1.25;
}

/* -- filling -- */

struct target {
    struct tsdb_stream *stream;
    uint32_t refs[METRICS * INSTANCE];
};

static void scrape(struct tsdb_batch *b, struct tsdb *db, const struct data *d, struct target *t,
                   size_t first, size_t n, size_t sample)
{
    struct err e = ERR_INIT;
    struct series_text text;

    (void)tsdb_batch_begin(b, db, t->stream, (ts_ms)sample * STEP_MS + FIRST_MS);
    for (size_t m = 0; m < METRICS; m++)
        for (size_t i = 0; i < n; i++) {
            uint32_t ref = sample == 0 ? TSDB_REF_NEW : t->refs[m * INSTANCE + i];

            tsdb_batch_add(
                b, ref, sample == 0 ? series_labels(&text, &d->metrics[m], first + i) : LABELS_NONE,
                first_value(first + i) + (double)sample * growth(first + i));
        }
    if (!tsdb_commit(b, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        exit(1);
    }
    for (size_t i = 0; i < b->items.n; i++)
        t->refs[i / n * INSTANCE + i % n] = b->items.v[i].ref;
}

static double write_log(struct tsdb *db, ts_ms now)
{
    double start = seconds();
    struct err e = ERR_INIT;

    if (!tsdb_log_step(db, now, true, &e)) {
        fprintf(stderr, "%s\n", e.msg);
        exit(1);
    }
    return (seconds() - start) * 1e9;
}

struct filled {
    double create_ns, append_ns; /* a sample */
    size_t bytes;                /* resident, a series */
};

/* log_ns: NULL, or what writing the log takes, as another thread would in the meantime. */
static struct filled fill(struct tsdb *db, const struct data *d, size_t series, double *log_ns)
{
    size_t n = (series + INSTANCE - 1) / INSTANCE, before = resident();
    struct target *targets = mem_array(n, sizeof(*targets));
    struct filled out = {0};
    struct tsdb_batch b;
    double start;

    tsdb_batch_init(&b);
    for (size_t k = 0; k < n; k++) {
        char name[32];

        snprintf(name, sizeof(name), "node-%zu", k);
        targets[k].stream = tsdb_stream_open(db,
                                             &(struct tsdb_stream_conf){.name = str_of(name),
                                                                        .interval_ms = STEP_MS,
                                                                        .marks_stale = true},
                                             NULL);
    }
    for (size_t sample = 0; sample < d->samples; sample++) {
        double *ns = sample == 0 ? &out.create_ns : &out.append_ns;

        for (size_t k = 0; k < n; k++) {
            size_t first = k * INSTANCE,
                   count = series - first < INSTANCE ? series - first : INSTANCE;

            start = seconds();
            scrape(&b, db, d, &targets[k], first, count, sample);
            *ns += (seconds() - start) * 1e9;
            if (log_ns != NULL && (k % 1000 == 999 || k + 1 == n))
                *log_ns += write_log(db, (ts_ms)sample * STEP_MS);
        }
    }
    tsdb_batch_release(&b);
    mem_free(targets);
    out.create_ns /= (double)(METRICS * series);
    out.append_ns /= (double)(METRICS * series * (d->samples - 1));
    out.bytes = (resident() - before) / (METRICS * series);
    return out;
}

/* -- reading and the log -- */

static volatile storage_slot sink; /* what is read counts as used */

/* What any evaluation pays: finding the arrays of each series, and the first and last value in them. */
static double read_ns(struct tsdb *db)
{
    static const char all[] = "{__name__=~\".+_total\"}";
    struct storage st = tsdb_storage(db);
    struct storage_series *v;
    struct storage_selector *s;
    struct storage_ids ids;
    struct arena a;
    struct err e = ERR_INIT;
    struct promql_expr *x;
    double best = INFINITY;

    arena_init(&a, 0);
    x = promql_parse(str_of(all), &promql_defaults, &a, NULL, &e);
    s = storage_select(st, &x->selector.matchers, 0, &e);
    storage_begin(st);
    ids = storage_ids(st, s);
    v = mem_array(ids.n, sizeof(*v));
    for (int run = 0; run < 5; run++) {
        double start = seconds(), took;

        storage_read(st, ids.v, ids.n, v);
        for (size_t i = 0; i < ids.n; i++)
            sink += storage_at(&v[i], 0) + storage_at(&v[i], v[i].n - 1);
        took = seconds() - start;
        best = took < best ? took : best;
    }
    storage_end(st);
    storage_release(st, s);
    promql_release(x);
    mem_free(v);
    arena_release(&a);
    return best * 1e9 / (double)ids.n;
}

struct logged {
    double append_ns; /* a sample, with its record */
    double write_ns, replay_ns;
    double bytes; /* a sample */
};

/* The same samples once more with a log, and back from it. */
static struct logged log_and_replay(size_t series)
{
    char dir[] = "build/tsdb-bench-XXXXXX", command[64];
    size_t samples = 2 * series * SAMPLES;
    struct tsdb_replay r = {0};
    struct logged out = {0};
    struct err e = ERR_INIT;
    struct tsdb *db;
    double start;

    if (mkdtemp(dir) == NULL)
        exit(1);
    db = tsdb_new(&(struct tsdb_options){.keep_all = true});
    if (!tsdb_log_open(db, str_of(dir), &r, &e))
        exit(1);
    out.append_ns = fill(db, &instants, series, &out.write_ns).append_ns;
    out.write_ns /= (double)samples;
    tsdb_free(db);
    db = tsdb_new(&(struct tsdb_options){.keep_all = true});
    start = seconds();
    if (!tsdb_log_open(db, str_of(dir), &r, &e) || r.samples != samples) {
        fprintf(stderr, "replayed %zu of %zu samples: %s\n", r.samples, samples, e.msg);
        exit(1);
    }
    out.replay_ns = (seconds() - start) * 1e9 / (double)samples;
    out.bytes = (double)r.bytes / (double)samples;
    tsdb_free(db);
    snprintf(command, sizeof(command), "rm -r '%s'", dir);
    if (system(command) != 0)
        exit(1);
    return out;
}

/* -- asking -- */

struct asked {
    double first,
        best; /* seconds: with the tables that follow from the labels; of later evaluations */
};

static bool evaluate(struct promql_plan *p, size_t number, ts_ms t, struct asked *out,
                     struct err *e)
{
    struct promql_result r;
    struct arena a;
    double start, took;
    bool ok;

    arena_init(&a, 0);
    start = seconds();
    promql_plan_begin(p);
    ok = promql_plan_instant(p, number, t, &a, &r, e);
    promql_plan_end(p);
    took = seconds() - start;
    if (out->first == 0)
        out->first = took;
    else if (out->best == 0 || took < out->best)
        out->best = took;
    arena_release(&a);
    return ok;
}

/* As a rule does: compiled once, evaluated again and again. */
static struct asked ask(struct tsdb *db, const char *text, ts_ms t)
{
    struct promql_settings settings = {0};
    struct promql_plan *p = promql_plan_new(tsdb_storage(db), &settings);
    struct asked out = {0};
    struct err e = ERR_INIT;
    struct promql_expr *x;
    struct arena tree;
    size_t number;
    bool ok;

    arena_init(&tree, 0);
    x = promql_parse(str_of(text), &promql_defaults, &tree, NULL, &e);
    ok = x != NULL && promql_plan_add(p, x, str_of(text), &number, &e);
    for (int i = 0; ok && i < 6; i++)
        ok = evaluate(p, number, t, &out, &e);
    if (!ok) {
        fprintf(stderr, "%s: %s\n", text, e.msg);
        exit(1);
    }
    promql_plan_free(p);
    promql_release(x);
    arena_release(&tree);
    return out;
}

static void run(size_t series)
{
    struct tsdb *db = tsdb_new(&(struct tsdb_options){.keep_all = true});
    struct filled f = fill(db, &instants, series, NULL);
    struct logged l;
    ts_ms now = (SAMPLES - 1) * STEP_MS + 2 * FIRST_MS;

    printf(
        "store %zu create_ns %.0f append_ns %.1f bytes_per_series %zu counted %zu read_ns %.1f\n",
        2 * series, f.create_ns, f.append_ns, f.bytes, tsdb_stats(db).bytes / (2 * series),
        read_ns(db));
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct asked took = ask(db, queries[i].text, now);

        printf("query %zu %s %.6f %.6f %s\n", series, queries[i].name, took.best * 1e3,
               took.first * 1e3, queries[i].text);
        fflush(stdout);
    }
    tsdb_free(db);
    l = log_and_replay(series);
    printf("log %zu append_ns %.1f write_ns %.1f replay_ns %.1f bytes_per_sample %.1f\n",
           2 * series, l.append_ns, l.write_ns, l.replay_ns, l.bytes);
}

/* -- ranges, as the API asks: on a copy, by a plan for one query -- */

static bool goes_on(void *arg)
{
    (void)arg;
    return true;
}

/* Seconds of the best of five, or plainly of one; *points of the answer. */
static double ask_range(struct tsdb *db, const char *text, bool plainly, size_t *points)
{
    int runs = plainly ? 1 : 5;
    ts_ms start = (SAMPLES - 1) * STEP_MS + 2 * FIRST_MS, end = start + (STEPS - 1) * STEP_MS;
    struct promql_settings settings = {0};
    double best = INFINITY;
    struct err e = ERR_INIT;
    struct arena tree;
    bool ok = true;
    struct promql_expr *x;

    arena_init(&tree, 0);
    x = promql_parse(str_of(text), &promql_defaults, &tree, NULL, &e);
    for (int i = 0; x != NULL && ok && i < runs; i++) {
        struct gather *g = gather_new(tsdb_storage(db), 0, goes_on, NULL);
        struct promql_query q = {x, str_of(text), gather_storage(g), &settings};
        double from = seconds(), took;
        struct promql_result r;
        struct arena a;

        arena_init(&a, 0);
        ok = plainly ? promql_range(&q, start, end, STEP_MS, &a, &r, &e)
                     : promql_planned_range(&q, start, end, STEP_MS, &a, &r, &e);
        took = seconds() - from;
        best = took < best ? took : best;
        *points = 0;
        for (size_t k = 0; ok && k < r.n; k++)
            *points += r.series[k].n;
        arena_release(&a);
        gather_free(g);
    }
    if (x == NULL || !ok) {
        fprintf(stderr, "%s: %s\n", text, e.msg);
        exit(1);
    }
    promql_release(x);
    arena_release(&tree);
    return best;
}

static void run_ranges(size_t series)
{
    struct tsdb *db = tsdb_new(
        &(struct tsdb_options){.keep_all = true, .min_reach_ms = (ts_ms)ranges.samples * STEP_MS});

    (void)fill(db, &ranges, series, NULL);
    for (size_t i = 0; i < ARRAY_LEN(range_queries); i++) {
        const struct query *q = &range_queries[i];
        size_t points;
        double fast = ask_range(db, q->text, false, &points),
               plain = ask_range(db, q->text, true, &points);

        printf("range %zu %s %.3f %.3f %zu %s\n", series, q->name, fast * 1e3, plain * 1e3, points,
               q->text);
        fflush(stdout);
    }
    tsdb_free(db);
}

static void print_series(const struct data *d, size_t series)
{
    struct series_text text;

    for (size_t m = 0; m < METRICS; m++)
        for (size_t i = 0; i < series; i++) {
            struct labels ls = series_labels(&text, &d->metrics[m], i);

            LABELS_EACH (l, ls)
                printf("%.*s ", STR(l->value));
            printf("%g %g\n", first_value(i), growth(i));
        }
}

int main(int argc, char **argv)
{
    bool is_range = argc > 2 && str_is(str_of(argv[1]), "--range");

    if (argc == 3 && str_is(str_of(argv[1]), "--series")) {
        print_series(&instants, (size_t)strtoull(argv[2], NULL, 10));
        return 0;
    }
    if (argc == 3 && str_is(str_of(argv[1]), "--range-series")) {
        print_series(&ranges, (size_t)strtoull(argv[2], NULL, 10));
        return 0;
    }
    for (int i = is_range ? 2 : 1; i < argc; i++)
        (is_range ? run_ranges : run)((size_t)strtoull(argv[i], NULL, 10));
    return 0;
}
