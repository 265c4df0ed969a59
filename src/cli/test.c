/* Runs files of tests, and those of folders, shows what failed as a difference, and what no test reaches. */
#include "cli/test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cli/say.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "lint/lint.h"
#include "lint/render.h"
#include "lint/report.h"
#include "os/file.h"
#include "os/log.h"
#include "ruletest/ruletest.h"

#define F struct test_flags
const struct flag test_flag_table[] = {
    FLAG(F, run, "run", FLAG_LIST, NULL, "REGEX",
         "only tests whose name it is found in; several: any of them"),
    FLAG(F, junit, "junit", FLAG_TEXT, "", "FILE", "write a report as JUnit's XML, too"),
    FLAG(F, coverage, "coverage", FLAG_BOOL, NULL, NULL,
         "show the rules and routes that no test reaches: alerts that none expects, records "
         "without a sample, "
         "routes that no alert of a test takes"),
    FLAG(F, output, "output", FLAG_TEXT, "text", "FORMAT", "text or json", .letter = 'o',
         .words = "text json"),
    FLAG(F, quiet, "quiet", FLAG_BOOL, NULL, NULL, "only failures", .letter = 'q'),
    FLAGS_END,
};
#undef F

struct test_work {
    const struct test_flags *f;
    VEC(struct regex *) run;
    struct ruletest_options o;
    struct ruletest_report r;
    struct diags d;
    struct arena a;
    struct lint_files files;
};

static ts_ns test_mono(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool test_read_patterns(struct test_work *w)
{
    for (size_t i = 0; i < w->f->run.n; i++) {
        struct err e = ERR_INIT;
        struct regex *re = regex_compile(str_of(w->f->run.v[i]), 0, &e);

        if (re == NULL) {
            say(stderr, "tocsin: --run: %s\n", e.msg);
            return false;
        }
        vec_push(&w->run, re);
    }
    w->o.run = (const struct regex *const *)w->run.v;
    w->o.n_run = w->run.n;
    return true;
}

/* -- as text -- */

/* What the files are to blame for; of those of them that could be run only warnings. */
static void say_problems(const struct diags *d)
{
    const struct render_options o = {.least = DIAG_WARNING};
    struct buf out = BUF_INIT;

    if (d->errors + d->warnings != 0)
        diags_render(&out, d, &o);
    fwrite(out.n != 0 ? out.p : "", 1, out.n, stderr);
    buf_release(&out);
}

static void say_file(const struct test_work *w, str path, size_t from, bool ok)
{
    size_t failed = 0;

    for (size_t i = from; i < w->r.cases.n; i++)
        failed += w->r.cases.v[i].failure.n != 0;
    if (!ok || failed != 0)
        say(stdout, "%.*s: FAILED%s\n", STR(path), ok ? "" : ": it cannot be run");
    else if (!w->f->quiet)
        say(stdout, "%.*s: %zu passed\n", STR(path), w->r.cases.n - from);
    for (size_t i = from; i < w->r.cases.n; i++) {
        const struct ruletest_verdict *v = &w->r.cases.v[i];

        if (v->failure.n != 0)
            say(stdout, " test \"%.*s\":\n%.*s", STR(v->name), STR(v->failure));
    }
}

static void say_coverage(const struct ruletest_report *r)
{
    size_t reached = 0;

    VEC_EACH (const struct ruletest_rule *, x, &r->rules)
        reached += x->is_reached;
    say(stdout, "coverage: %zu of %zu rules\n", reached, r->rules.n);
    VEC_EACH (const struct ruletest_rule *, x, &r->rules)
        if (!x->is_reached)
            say(stdout, "  %.*s:%d: %s \"%.*s\": %s\n", STR(x->file), x->line,
                x->is_alert ? "alert" : "record", STR(x->name),
                x->is_alert ? "no test that passes expects it" : "it gave no sample");
}

static void say_route_coverage(const struct ruletest_report *r)
{
    size_t reached = 0;

    if (r->ways.n == 0)
        return;
    VEC_EACH (const struct ruletest_way *, x, &r->ways)
        reached += x->is_reached;
    say(stdout, "coverage: %zu of %zu routes\n", reached, r->ways.n);
    VEC_EACH (const struct ruletest_way *, x, &r->ways)
        if (!x->is_reached)
            say(stdout, "  %.*s:%d: route to \"%.*s\": no test that passes takes it\n",
                STR(x->file), x->line, STR(x->receiver));
}

static void say_text_coverage(const struct ruletest_report *r)
{
    size_t reached = 0;

    if (r->texts.n == 0)
        return;
    VEC_EACH (const struct ruletest_text *, x, &r->texts)
        reached += x->is_reached;
    say(stdout, "coverage: %zu of %zu templates\n", reached, r->texts.n);
    VEC_EACH (const struct ruletest_text *, x, &r->texts)
        if (!x->is_reached)
            say(stdout, "  %.*s:%d: template \"%.*s\": no test expects a message of it\n",
                STR(x->file), x->line, STR(x->name));
}

/* -- for programs -- */

static void put_verdict(struct json_writer *w, const struct ruletest_verdict *v)
{
    json_open(w, '{');
    json_put_text(w, "file", v->file);
    json_put_text(w, "name", v->name);
    json_key(w, S("passed"));
    json_put_bool(w, v->failure.n == 0);
    if (v->failure.n != 0)
        json_put_text(w, "failure", v->failure);
    json_key(w, S("seconds"));
    json_put_double(w, (double)v->took / 1e9);
    json_close(w, '}');
}

static void put_rule(struct json_writer *w, const struct ruletest_rule *x)
{
    json_open(w, '{');
    json_put_text(w, "file", x->file);
    json_key(w, S("line"));
    json_put_i64(w, x->line);
    json_put_text(w, x->is_alert ? "alert" : "record", x->name);
    json_key(w, S("reached"));
    json_put_bool(w, x->is_reached);
    json_close(w, '}');
}

static void put_way(struct json_writer *w, const struct ruletest_way *x)
{
    json_open(w, '{');
    json_put_text(w, "file", x->file);
    json_key(w, S("line"));
    json_put_i64(w, x->line);
    json_put_text(w, "route", x->key);
    json_put_text(w, "receiver", x->receiver);
    json_key(w, S("reached"));
    json_put_bool(w, x->is_reached);
    json_close(w, '}');
}

static void put_text(struct json_writer *w, const struct ruletest_text *x)
{
    json_open(w, '{');
    json_put_text(w, "file", x->file);
    json_key(w, S("line"));
    json_put_i64(w, x->line);
    json_put_text(w, "template", x->name);
    json_key(w, S("reached"));
    json_put_bool(w, x->is_reached);
    json_close(w, '}');
}

static void say_json(const struct test_work *w)
{
    struct buf b = BUF_INIT;
    struct json_writer j;

    json_writer_init(&j, &b, false);
    json_open(&j, '{');
    json_key(&j, S("tests"));
    json_open(&j, '[');
    VEC_EACH (const struct ruletest_verdict *, v, &w->r.cases)
        put_verdict(&j, v);
    json_close(&j, ']');
    json_key(&j, S("failed"));
    json_put_u64(&j, w->r.failed);
    if (w->f->coverage) {
        json_key(&j, S("rules"));
        json_open(&j, '[');
        VEC_EACH (const struct ruletest_rule *, x, &w->r.rules)
            put_rule(&j, x);
        json_close(&j, ']');
        json_key(&j, S("routes"));
        json_open(&j, '[');
        VEC_EACH (const struct ruletest_way *, x, &w->r.ways)
            put_way(&j, x);
        json_close(&j, ']');
        json_key(&j, S("templates"));
        json_open(&j, '[');
        VEC_EACH (const struct ruletest_text *, x, &w->r.texts)
            put_text(&j, x);
        json_close(&j, ']');
    }
    json_close(&j, '}');
    say(stdout, "%.*s\n", STR(buf_str(&b)));
    buf_release(&b);
}

static void junit_case(struct buf *b, const struct ruletest_verdict *v)
{
    buf_adds(b, "<testcase");
    report_add_attribute(b, "name", v->name);
    buf_addf(b, " time=\"%.3f\"", (double)v->took / 1e9);
    if (v->failure.n == 0) {
        buf_adds(b, "/>\n");
        return;
    }
    buf_adds(b, "><failure message=\"the test failed\">");
    report_add_xml(b, v->failure);
    buf_adds(b, "</failure></testcase>\n");
}

/* A suite a file; one that cannot be run is a suite with an error. */
static void junit_suite(struct buf *b, const struct test_work *w, str path)
{
    size_t n = 0, failed = 0;

    VEC_EACH (const struct ruletest_verdict *, v, &w->r.cases)
        if (str_eq(v->file, path))
            n++, failed += v->failure.n != 0;
    buf_adds(b, "<testsuite");
    report_add_attribute(b, "name", path);
    buf_addf(b, " tests=\"%zu\" failures=\"%zu\" errors=\"%d\">\n", n != 0 ? n : 1, failed, n == 0);
    if (n == 0)
        buf_adds(b, "<testcase name=\"the file\"><error message=\"it ran no test\"/></testcase>\n");
    VEC_EACH (const struct ruletest_verdict *, v, &w->r.cases)
        if (str_eq(v->file, path))
            junit_case(b, v);
    buf_adds(b, "</testsuite>\n");
}

static bool write_junit(const struct test_work *w)
{
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok;

    buf_adds(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (size_t i = 0; i < w->files.n; i++)
        junit_suite(&b, w, w->files.v[i]);
    buf_adds(&b, "</testsuites>\n");
    ok = file_replace(str_of(w->f->junit), buf_str(&b), &e);
    if (!ok)
        say(stderr, "tocsin: --junit: %s\n", e.msg);
    buf_release(&b);
    return ok;
}

/* -- the command -- */

static bool is_test(str path)
{
    struct buf text = BUF_INIT;
    struct err e = ERR_INIT;
    bool ok = file_read(path, FILE_REGULAR, YAML_MAX, &text, &e) &&
              lint_recognise(buf_str(&text), path) == LINT_TEST;

    buf_release(&text);
    return ok;
}

/* A folder stands for the files of tests in it. */
static void collect_tests(struct test_work *w, char **args, int n)
{
    struct lint_files found = {0};
    struct stat st;

    for (int i = 0; i < n; i++) {
        if (stat(args[i], &st) != 0 || !S_ISDIR(st.st_mode)) {
            vec_push(&w->files, str_of(args[i]));
            continue;
        }
        found.n = 0;
        lint_files_of(str_of(args[i]), &w->a, &found, &w->d);
        for (size_t k = 0; k < found.n; k++)
            if (is_test(found.v[k]))
                vec_push(&w->files, found.v[k]);
    }
    vec_release(&found);
}

static int run_files(struct test_work *w)
{
    bool as_text = strcmp(w->f->output, "text") == 0, ok = true;

    for (size_t i = 0; i < w->files.n; i++) {
        size_t from = w->r.cases.n;
        bool ran = ruletest_run(w->files.v[i], &w->o, &w->r, &w->d);

        say_problems(&w->d);
        diags_release(&w->d);
        diags_init(&w->d);
        if (as_text)
            say_file(w, w->files.v[i], from, ran);
    }
    if (as_text && w->f->coverage) {
        say_coverage(&w->r);
        say_route_coverage(&w->r);
        say_text_coverage(&w->r);
    }
    if (!as_text)
        say_json(w);
    if (w->f->junit[0] != '\0')
        ok = write_junit(w);
    return ok && w->r.failed == 0 ? EXIT_OK : EXIT_FAILED;
}

static int no_tests(const struct test_work *w)
{
    say_problems(&w->d);
    if (w->d.errors == 0)
        say(stderr, "tocsin: there is nothing to test: no file of tests is in there\n");
    return EXIT_FAILED;
}

int test_run(const void *flags, char **args, int n_args)
{
    struct test_work w = {.f = flags, .o = {.mono = test_mono}};
    int code = EXIT_USAGE;

    log_setup(LOG_ERROR, LOG_LOGFMT,
              STDERR_FILENO); /* what the router says stands in the failures */
    ruletest_report_init(&w.r);
    diags_init(&w.d);
    arena_init(&w.a, 0);
    collect_tests(&w, args, n_args);
    if (n_args == 0)
        say(stderr, "tocsin: test needs files of tests, or folders\n");
    else if (strcmp(w.f->output, "text") != 0 && strcmp(w.f->output, "json") != 0)
        say(stderr, "tocsin: --output: '%s' is none of text, json\n", w.f->output);
    else if (w.files.n == 0 || w.d.errors != 0)
        code = no_tests(&w);
    else if (test_read_patterns(&w))
        code = run_files(&w);
    VEC_EACH (struct regex **, re, &w.run)
        regex_unref(*re);
    vec_release(&w.run);
    vec_release(&w.files);
    arena_release(&w.a);
    diags_release(&w.d);
    ruletest_report_release(&w.r);
    return code;
}
