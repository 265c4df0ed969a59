/* The expression is parsed here, so that a mistake shows its place; the file is read as a scrape would be, into a
 * store in memory; the result is printed as a table or as the API's JSON. Asking a server is query_remote.c. */
#include "cli/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "os/file.h"
#include "cli/client.h"
#include "cli/query_remote.h"
#include "cli/say.h"
#include "cli/table.h"
#include "cli/when.h"
#include "codec/exposition_read.h"
#include "codec/float.h"
#include "codec/timefmt.h"
#include "promql/mem_storage.h"
#include "promql/plan.h"
#include "promql/result_json.h"

#define F struct query_flags
const struct flag query_flag_table[] = {
    FLAG(F, file, "file", FLAG_TEXT, NULL, "FILE",
         "metrics as Prometheus text or OpenMetrics, with or without timestamps"),
    FLAG(F, client.url, "url", FLAG_TEXT, NULL, "URL",
         "a server that speaks Prometheus' API; without --file default: $TOCSIN_URL"),
    FLAG(
        F, time, "time", FLAG_TEXT, NULL, "TIME",
        "RFC 3339, local time, Unix seconds or \"2h ago\"; default: the newest sample of the file, "
        "or now"),
    FLAG(F, start, "start", FLAG_TEXT, NULL, "TIME", "first step of a range query"),
    FLAG(F, end, "end", FLAG_TEXT, NULL, "TIME", "last step; default: as --time"),
    FLAG(F, step, "step", FLAG_DURATION, "0s", "D", "between steps; default: a 250th of the range"),
    FLAG(F, client.timeout, "timeout", FLAG_DURATION, "30s", "D", "limit for asking a server"),
    FLAG(F, client.output, "output", FLAG_TEXT, "table", "FORMAT", "table or json", .letter = 'o',
         .words = "table json"),
    CLIENT_AUTH_ROWS(F),
    FLAGS_END,
};
#undef F

struct query_query_job {
    const struct query_flags *f;
    str text;
    struct promql_expr *expr;
    struct query_times times;
    struct mem_storage *store; /* of --file */
    ts_ms newest;              /* sample of the file; 0: no sample has a time */
    struct arena a;
};

/* -- the expression -- */

/* The line that the place is in, and carets below it. */
static void show_place(str text, struct promql_place place)
{
    size_t begin = place.at < text.n ? place.at : text.n, end = begin, carets = place.len;

    while (begin != 0 && text.p[begin - 1] != '\n')
        begin--;
    while (end < text.n && text.p[end] != '\n')
        end++;
    if (carets > end - place.at)
        carets = end - place.at;
    say(stderr, "  %.*s\n  %*s^", STR(str_sub(text, begin, end)), (int)(place.at - begin), "");
    while (carets-- > 1)
        say(stderr, "^");
    say(stderr, "\n");
}

static bool parse_expr(struct query_query_job *q)
{
    struct promql_place place;
    struct buf why = BUF_INIT;
    struct err e = ERR_INIT;

    q->expr = promql_parse(q->text, &promql_everything, &q->a, &place, &e);
    if (q->expr != NULL)
        return true;
    promql_error_text(&why, &e);
    say(stderr, "tocsin: %.*s\n", STR(buf_str(&why)));
    show_place(q->text, place);
    buf_release(&why);
    return false;
}

/* -- the file -- */

static bool load_sample(struct query_query_job *q, struct expo_reader *r,
                        const struct expo_item *item, ts_ms now, struct err *e)
{
    ts_ms t = item->has_time ? item->t : now;
    struct labels ls;

    if (!expo_read_labels(r, item->series, &ls, e))
        return false;
    mem_storage_append(q->store, ls, t, item->value, 0);
    if (item->has_time && t > q->newest)
        q->newest = t;
    return true;
}

static bool load_text(struct query_query_job *q, str text, ts_ms now, struct err *e)
{
    struct expo_reader r;
    struct expo_item item;
    bool ok = true;

    expo_reader_init(&r, text, expo_guess(text));
    while (ok && expo_read(&r, &item, e))
        if (item.kind == EXPO_SAMPLE)
            ok = load_sample(q, &r, &item, now, e);
    expo_reader_release(&r);
    return ok && e->code == ERR_NONE;
}

static bool query_load_file(struct query_query_job *q, ts_ms now)
{
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok = file_read(str_of(q->f->file), FILE_OR_PIPE, SIZE_MAX, &text, &e);

    q->store = mem_storage_new();
    if (!ok)
        say(stderr, "tocsin: %s\n", e.msg);
    else if (!load_text(q, buf_str(&text), now, &e)) {
        ok = false;
        say(stderr, "tocsin: %s:%d: %s\n", q->f->file, e.line, e.msg);
    }
    buf_release(&text);
    return ok;
}

/* -- times -- */

static bool parse_time(const char *text, ts_ms otherwise, ts_ms *out)
{
    double seconds;
    struct err e = ERR_INIT;
    ts_ns t;

    *out = otherwise;
    if (text == NULL)
        return true;
    if (float_parse(str_of(text), &seconds, NULL) &&
        fabs(seconds) < 4e15 /* two of them can be subtracted */) {
        *out = (ts_ms)llround(seconds * 1000);
        return true;
    }
    if (when_parse(str_of(text), client_now(), WHEN_BACK, &t, &e)) {
        *out = t / NS_PER_MS;
        return true;
    }
    say(stderr, "tocsin: %s\n", e.msg);
    return false;
}

static bool parse_times(struct query_query_job *q, ts_ms now)
{
    const struct query_flags *f = q->f;
    struct query_times *t = &q->times;
    ts_ms at;

    if (!parse_time(f->time, q->newest != 0 ? q->newest : now, &at) ||
        !parse_time(f->start, at, &t->start) || !parse_time(f->end, at, &t->end))
        return false;
    t->is_range = f->start != NULL;
    t->step = f->step / NS_PER_MS;
    if (t->is_range && t->step == 0)
        t->step = t->end - t->start > 250 * 1000 ? (t->end - t->start) / 250 : 1000;
    if (t->end >= t->start && t->step >= 0)
        return true;
    say(stderr, "tocsin: the range ends before it starts\n");
    return false;
}

/* -- printing -- */

static void add_value(struct table *out, const struct promql_point *p)
{
    struct buf b = BUF_INIT;

    if (p->h != NULL)
        histogram_print(&b, p->h);
    else
        float_print_g(&b, p->v);
    table_add(out, buf_str(&b));
    buf_release(&b);
}

/* name{a="b"} */
static void query_add_series(struct table *out, struct labels ls)
{
    struct buf b = BUF_INIT;
    struct arena a;
    str name = S("__name__");

    arena_init(&a, 0);
    buf_add(&b, labels_get(ls, name));
    ls = labels_without(&a, ls, &name, 1);
    if (ls.n != 0 || b.n == 0)
        labels_print(&b, ls);
    table_add(out, buf_str(&b));
    buf_release(&b);
    arena_release(&a);
}

static void query_add_time(struct table *out, ts_ms t)
{
    struct buf b = BUF_INIT;

    rfc3339_ms(&b, t * NS_PER_MS);
    table_add(out, buf_str(&b));
    buf_release(&b);
}

static void print_table(const struct promql_result *r)
{
    bool is_matrix = r->type == PROMQL_T_MATRIX;
    struct table out;

    if (r->type == PROMQL_T_STRING) {
        say(stdout, "%.*s\n", STR(r->text));
        return;
    }
    table_init(&out, r->type == PROMQL_T_SCALAR ? 1 : is_matrix ? 3 : 2);
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->series[i].n; k++) {
            if (r->type != PROMQL_T_SCALAR)
                query_add_series(&out, r->series[i].labels);
            if (is_matrix)
                query_add_time(&out, r->series[i].points[k].t);
            add_value(&out, &r->series[i].points[k]);
        }
    table_print(&out, stdout);
}

static void query_print_json(const struct query_query_job *q, const struct promql_result *r)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    json_writer_init(&w, &b, false);
    promql_result_json(&w, r, q->times.start);
    say(stdout, "%.*s\n", STR(buf_str(&b)));
    buf_release(&b);
}

static void print_result(const struct query_query_job *q, const struct promql_result *r)
{
    for (size_t i = 0; i < r->n_warnings; i++)
        say(stderr, "%.*s\n", STR(r->warnings[i]));
    for (size_t i = 0; i < r->n_infos; i++)
        say(stderr, "%.*s\n", STR(r->infos[i]));
    if (strcmp(q->f->client.output, "json") == 0)
        query_print_json(q, r);
    else
        print_table(r);
}

/* -- running -- */

static int query_evaluate(struct query_query_job *q, struct promql_result *out)
{
    static const struct promql_settings settings = {.max_samples = 0};
    struct promql_query query = {q->expr, q->text, mem_storage_port(q->store), &settings};
    const struct query_times *t = &q->times;
    struct err e = ERR_INIT;

    if (t->is_range ? promql_planned_range(&query, t->start, t->end, t->step, &q->a, out, &e)
                    : promql_instant(&query, t->start, &q->a, out, &e))
        return EXIT_OK;
    say(stderr, "tocsin: %s\n", e.msg);
    return EXIT_FAILED;
}

static int run_job(struct query_query_job *q)
{
    ts_ms now = client_now() / NS_PER_MS;
    struct promql_result result;
    int code;

    if (!parse_expr(q) || (q->f->file != NULL && !query_load_file(q, now)))
        return EXIT_FAILED;
    if (!parse_times(q, now))
        return EXIT_USAGE;
    code = q->store != NULL ? query_evaluate(q, &result)
                            : query_remote(q->f, q->text, &q->times, &q->a, &result);
    if (code == EXIT_OK)
        print_result(q, &result);
    return code;
}

int query_run(const void *flags, char **args, int n_args)
{
    struct query_flags f = *(const struct query_flags *)flags;
    struct query_query_job q = {.f = &f};
    int code;

    if (f.file == NULL && f.client.url == NULL)
        f.client.url = getenv("TOCSIN_URL");
    if (n_args != 1 || (f.file == NULL) == (f.client.url == NULL)) {
        say(stderr, "tocsin: query needs one expression, and either --file or --url\n");
        return EXIT_USAGE;
    }
    q.text = str_of(args[0]);
    arena_init(&q.a, 0);
    code = run_job(&q);
    promql_release(q.expr);
    mem_storage_free(q.store);
    arena_release(&q.a);
    return code;
}
