/* promqltest [--reference | --language] FILE... - runs .test files and says where an answer is not the expected one.
 *
 *     functions.test:12: rate(x[5m]): {}: expected 0.2@60000, got 0.3@60000
 *     430 passed, 1 failed
 *
 * With --language it says besides what of the language no case asks (cover.h), which is a failure, and "said: " what each
 * query was refused with or said beside its result: tests/promql/language.py holds that against the texts of the engine.
 * The planner answers, or with --reference the plain evaluator. Every instant eval runs again, pinned by @ and at other times, and as the middle of a range query: promql.md 2.5.
 * Exit code 1 when something failed, 2 for wrong usage.
 */
#include <stdio.h>
#include <string.h>
#include "compare.h"
#include "cover.h"
#include "load.h"
#include "promql/plan.h"

struct runner {
    const char *path;
    str *lines;
    size_t n, at; /* at: the line behind the current command */
    struct mem_storage *store;
    unsigned passed, failed;
    bool is_reference, is_language;
};

static const struct promql_settings settings = {
    .max_samples = 10000, .delayed_names = true, .start_times = true};

static void say(const struct runner *r, size_t line, str subject, str why)
{
    printf("%s:%zu: %.*s%s%.*s\n", r->path, line, STR(subject), subject.n != 0 ? ": " : "",
           STR(why));
}

/* -- evaluating -- */

/* x->fails: the query must fail, with the right words. Returns whether there is a result to look at. */
static bool settle(const struct expected *x, bool ok, const struct err *e, struct buf *why)
{
    if (ok && x->fails)
        buf_adds(why, "expected to fail, but did not");
    else if (!ok && !x->fails)
        buf_addf(why, "expected a result, but failed: %s", e->msg);
    else if (!ok && !said_matches(&x->failure, str_of(e->msg)))
        buf_addf(why, "expected to fail with \"%.*s%.*s\", but failed: %s", STR(x->failure.text),
                 STR(x->failure.re != NULL ? regex_pattern(x->failure.re) : STR_NONE), e->msg);
    return ok && !x->fails;
}

struct eval {
    struct runner *r;
    struct expected x;
    struct promql_query q;
    struct arena a;
};

struct times {
    ts_ms start, end, step; /* step 0: instant */
};

static bool ask_plan(struct promql_plan *p, size_t number, ts_ms t, struct arena *a,
                     struct promql_result *out, struct err *e)
{
    bool ok;

    promql_plan_begin(p);
    ok = promql_plan_instant(p, number, t, a, out, e);
    promql_plan_end(p);
    return ok;
}

static bool ask(struct eval *ev, const struct promql_query *q, struct times t,
                struct promql_result *out, struct err *e)
{
    struct promql_plan *p;
    size_t number;
    bool ok;

    if (ev->r->is_reference)
        return t.step != 0 ? promql_range(q, t.start, t.end, t.step, &ev->a, out, e)
                           : promql_instant(q, t.start, &ev->a, out, e);
    if (t.step != 0)
        return promql_planned_range(q, t.start, t.end, t.step, &ev->a, out, e);
    p = promql_plan_new(q->storage, q->settings);
    ok = promql_plan_add(p, q->expr, q->text, &number, e) &&
         ask_plan(p, number, t.start, &ev->a, out, e);
    promql_plan_free(p);
    return ok;
}

static void say_said(const struct runner *r, str text)
{
    if (r->is_language)
        printf("said: %.*s\n", STR(text));
}

static void say_notes(const struct runner *r, const struct promql_result *result)
{
    for (size_t i = 0; i < result->n_warnings; i++)
        say_said(r, result->warnings[i]);
    for (size_t i = 0; i < result->n_infos; i++)
        say_said(r, result->infos[i]);
}

static bool run_main(struct eval *ev, struct buf *why)
{
    const struct expected *x = &ev->x;
    struct promql_result result;
    struct err e = ERR_INIT;
    struct times t = {x->start, x->end, x->is_range ? x->step : 0};
    bool ok = ask(ev, &ev->q, t, &result, &e);

    if (ok)
        say_notes(ev->r, &result);
    else
        say_said(ev->r, str_of(e.msg));
    return settle(x, ok, &e, why) && compare_notes(x, &result, why) &&
           compare_result(x, &result, &ev->a, why);
}

/* -- the same, pinned by @ -- */

static bool is_time_dependent(const char *function)
{
    static const char *const names[] = {"days_in_month",  "day_of_month", "day_of_week",
                                        "day_of_year",    "hour",         "minute",
                                        "month",          "year",         "time",
                                        "timestamp",      "start",        "end",
                                        "predict_linear", "step",         "range"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], function) == 0)
            return true;
    return false;
}

static void pin_shift(struct promql_shift *s, ts_ms t)
{
    if (s->at == PROMQL_AT_TIME)
        return;
    s->at = PROMQL_AT_TIME;
    s->at_time = t;
}

/* A subquery that is pinned, or gets pinned here, pins what is below it. */
static bool pin(struct promql_expr *x, void *arg)
{
    const ts_ms *t = arg;

    if (x->kind == PROMQL_SELECTOR)
        pin_shift(&x->selector.shift, *t);
    if (x->kind != PROMQL_SUBQUERY)
        return true;
    pin_shift(&x->subquery.shift, *t);
    return false;
}

static bool has_time_dependent(struct promql_expr *x)
{
    struct promql_expr *child;

    if (x->kind == PROMQL_CALL && is_time_dependent(x->call.fn->name))
        return true;
    for (size_t i = 0; (child = promql_child(x, i)) != NULL; i++)
        if (has_time_dependent(child))
            return true;
    return false;
}

static bool run_at(struct eval *ev, const struct promql_query *q, ts_ms t, struct buf *why)
{
    struct promql_result result;
    struct expected x = ev->x;
    struct err e = ERR_INIT;
    bool ok = ask(ev, q, (struct times){t, t, 0}, &result, &e);

    x.start = t;
    if (settle(&x, ok, &e, why))
        compare_result(&x, &result, &ev->a, why);
    if (why->n != 0)
        buf_addf(why, " (as %.*s at %lld ms)", STR(q->text), (long long)t);
    return why->n == 0;
}

static struct promql_expr *pinned(struct eval *ev, struct buf *text, struct err *e)
{
    struct promql_expr *x = promql_parse(ev->x.query, &promql_everything, &ev->a, NULL, e), *again;
    ts_ms t = ev->x.start;

    if (x == NULL)
        return NULL;
    if (has_time_dependent(x)) {
        promql_release(x);
        return NULL;
    }
    promql_walk(x, pin, &t);
    promql_print(text, x);
    promql_release(x);
    again = promql_parse(buf_str(text), &promql_everything, &ev->a, NULL, e);
    return again;
}

static bool run_pinned(struct eval *ev, struct buf *why)
{
    ts_ms t = ev->x.start;
    const ts_ms times[] = {t == 0 ? -1000 : -10 * t, 0, t / 5, t, t == 0 ? 1000 : 10 * t};
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;
    struct promql_expr *x = pinned(ev, &text, &e);
    struct promql_query q = ev->q;

    if (x == NULL && e.code != ERR_NONE)
        buf_addf(why, "pinned query does not parse: %s: %.*s", e.msg, STR(buf_str(&text)));
    q.expr = x;
    q.text = buf_str(&text);
    for (size_t i = 0; x != NULL && why->n == 0 && i < ARRAY_LEN(times); i++)
        run_at(ev, &q, times[i], why);
    promql_release(x);
    buf_release(&text);
    return why->n == 0;
}

/* -- the same, as a step of a range query -- */

static bool mentions_query_times(str query)
{
    static const char *const words[] = {"start()", "end()", "range()", "step()"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_find_str(query, str_of(words[i])) >= 0)
            return true;
    return false;
}

static bool run_in_range(struct eval *ev, struct buf *why)
{
    ts_ms t = ev->x.start, minute = 60 * 1000;
    struct promql_result result;
    struct err e = ERR_INIT;

    if (mentions_query_times(ev->x.query) || ev->x.has_grid || ev->x.is_string || ev->x.fails)
        return true;
    if (!ask(ev, &ev->q, (struct times){t - minute, t + minute, minute}, &result, &e))
        buf_addf(why, "as a range query: failed: %s", e.msg);
    else if (!compare_step(&ev->x, &result, t, &ev->a, why))
        buf_adds(why, " (as a range query)");
    return why->n == 0;
}

/* -- commands -- */

static bool run_parsed(struct eval *ev, struct buf *why)
{
    struct err e = ERR_INIT;
    struct promql_expr *x = promql_parse(ev->x.query, &promql_everything, &ev->a, NULL, &e);

    if (x == NULL) {
        struct err full = e;
        struct buf b = BUF_INIT;

        promql_error_text(&b, &e);
        snprintf(full.msg, sizeof(full.msg), "%.*s", STR(buf_str(&b)));
        buf_release(&b);
        say_said(ev->r, str_of(full.msg));
        settle(&ev->x, false, &full, why);
        return why->n == 0;
    }
    ev->q = (struct promql_query){x, ev->x.query, mem_storage_port(ev->r->store), &settings};
    if (!ev->x.fails)
        cover_mark(x);
    run_main(ev, why);
    if (why->n == 0 && !ev->x.is_range)
        run_pinned(ev, why);
    if (why->n == 0 && !ev->x.is_range)
        run_in_range(ev, why);
    promql_release(x);
    return why->n == 0;
}

static void run_eval(struct runner *r, size_t at, const str *lines, size_t n)
{
    struct eval ev = {.r = r};
    struct buf why = BUF_INIT;
    struct err e = ERR_INIT;

    arena_init(&ev.a, 0);
    if (!expect_parse(r->lines[at], lines, n, (unsigned)at + 2, &ev.a, &ev.x, &e))
        buf_addf(&why, "%s", e.msg);
    else {
        run_parsed(&ev, &why);
        expect_release(&ev.x);
    }
    if (why.n != 0)
        say(r, at + 1, ev.x.query, buf_str(&why));
    r->failed += why.n != 0;
    r->passed += why.n == 0;
    buf_release(&why);
    arena_release(&ev.a);
}

static void fail_command(struct runner *r, size_t at, const char *why)
{
    say(r, at + 1, r->lines[at], str_of(why));
    r->failed++;
}

static void run_load(struct runner *r, size_t at, const str *lines, size_t n)
{
    str rest = r->lines[at], word = cut_word(&rest);
    bool with_nhcb = str_eq_nocase(word, S("load_with_nhcb"));
    struct err e = ERR_INIT;
    ts_ms step;

    if (!with_nhcb && !str_eq_nocase(word, S("load")))
        fail_command(r, at, "unknown command");
    else if (!parse_moment(rest, &step, &e) || !load_block(r->store, lines, n, step, with_nhcb, &e))
        fail_command(r, at, e.msg);
}

static void run_command(struct runner *r)
{
    size_t at = r->at++, end = r->at;
    str rest = r->lines[at], word = cut_word(&rest);

    if (word.n == 0)
        return;
    if (str_eq_nocase(word, S("clear"))) {
        mem_storage_free(r->store);
        r->store = mem_storage_new();
        return;
    }
    while (end < r->n && r->lines[end].n != 0)
        end++;
    r->at = end;
    if (str_eq_nocase(str_sub(word, 0, 4), S("load")))
        run_load(r, at, &r->lines[at + 1], end - at - 1);
    else if (str_eq_nocase(str_sub(word, 0, 4), S("eval")))
        run_eval(r, at, &r->lines[at + 1], end - at - 1);
    else
        fail_command(r, at, "unknown command");
}

/* -- files -- */

static bool read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    char block[16384];
    size_t k;

    if (f == NULL)
        return false;
    while ((k = fread(block, 1, sizeof(block), f)) != 0)
        buf_add(out, (str){block, k});
    fclose(f);
    return true;
}

/* Comments are empty lines. */
static void split(str text, struct runner *r, struct arena *a)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    r->lines = arena_array(a, n, sizeof(r->lines[0]));
    while (text.n != 0) {
        str line = str_trim(str_cut(&text, '\n'));

        r->lines[r->n++] = line.n != 0 && line.p[0] == '#' ? STR_NONE : line;
    }
}

static void run_file(struct runner *r, const char *path)
{
    struct buf text = BUF_INIT;
    struct arena a;

    arena_init(&a, 0);
    r->path = path;
    r->n = r->at = 0;
    r->store = mem_storage_new();
    if (read_file(path, &text)) {
        split(buf_str(&text), r, &a);
        while (r->at < r->n)
            run_command(r);
    } else {
        printf("%s: cannot be read\n", path);
        r->failed++;
    }
    mem_storage_free(r->store);
    buf_release(&text);
    arena_release(&a);
}

int main(int argc, char **argv)
{
    struct runner r = {.path = NULL};
    int first = 1;

    if (argc > 1 && strcmp(argv[1], "--reference") == 0) {
        r.is_reference = true;
        first++;
    } else if (argc > 1 && strcmp(argv[1], "--language") == 0) {
        r.is_language = true;
        first++;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: promqltest [--reference | --language] FILE...\n");
        return 2;
    }
    for (int i = first; i < argc; i++)
        run_file(&r, argv[i]);
    if (r.is_language)
        r.failed += cover_report();
    printf("%u passed, %u failed\n", r.passed, r.failed);
    return r.failed != 0;
}
