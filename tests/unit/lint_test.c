#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lint/lint.h"
#include "lint/render.h"

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void kinds_are_recognised(void **state)
{
    (void)state;
    assert_int_equal(lint_recognise(S("groups: []\n"), S("x")), LINT_RULES);
    assert_int_equal(lint_recognise(S("route: {}\n"), S("x")), LINT_CONFIG);
    assert_int_equal(lint_recognise(S("scrape_configs: []\n"), S("x")), LINT_CONFIG);
    assert_int_equal(lint_recognise(S("rule_files: [a]\ntests: []\n"), S("x")), LINT_TEST);
    assert_int_equal(lint_recognise(S("apiVersion: v1\n"), S("x")), LINT_OTHER);
    assert_int_equal(lint_recognise(S("[1]\n"), S("x")), LINT_OTHER);
}

/* Rules with faults of many kinds: more than are kept, in many files. */
static void write_rules(const char *path, int file)
{
    struct buf b = BUF_INIT;

    buf_adds(&b, "groups:\n- name: g\n  rules:\n");
    for (int i = 0; i < 400; i++)
        buf_addf(&b,
                 "  - alert: A%d\n    expr: rate(x_%d_bytes[5m]) > %d  # %s\n"
                 "    annotations: {summary: \"{{ $labels.a }} %s\"}\n",
                 i + file % 3, i, i, i % 7 == 0 ? "tocsin: ignore R030" : "",
                 i % 11 == 0 ? "{{ end" : "{{ printf \\\"%d\\\" $value }}");
    write_file(path, buf_z(&b));
    buf_release(&b);
}

static void by_threads_it_is_the_same(void **state)
{
    char dir[] = "/tmp/tocsin-lint-XXXXXX", path[8][64];
    const struct render_options plain = {.least = DIAG_INFO};
    struct buf out[2] = {BUF_INIT, BUF_INIT};
    struct lint_result r[2];
    str root = str_of(dir);

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 8; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/%c.yml", dir, 'a' + i);
        write_rules(path[i], i);
    }
    for (int i = 0; i < 2; i++) {
        const struct lint_options o = {.mode = MATCHER_FALLBACK, .threads = i == 0 ? 0 : 4};
        struct diags d;

        diags_init(&d);
        r[i] = lint_paths(&root, 1, &o, &d);
        assert_true(d.dropped != 0);
        diags_render(&out[i], &d, &plain);
        diags_release(&d);
    }
    assert_int_equal(r[0].rules, 3200);
    assert_memory_equal(&r[0], &r[1], sizeof(r[0]));
    assert_true(str_find_str(buf_str(&out[0]), S("R010")) >= 0);
    assert_true(str_eq(buf_str(&out[0]), buf_str(&out[1])));
    for (int i = 0; i < 8; i++)
        unlink(path[i]);
    rmdir(dir);
    buf_release(&out[0]);
    buf_release(&out[1]);
}

static void a_folder_and_what_it_shows(void **state)
{
    char dir[] = "/tmp/tocsin-lint-XXXXXX", path[4][64];
    const struct lint_options o = {.mode = MATCHER_FALLBACK};
    const struct render_options plain = {.least = DIAG_WARNING};
    struct lint_result r;
    struct buf out = BUF_INIT;
    struct diags d;
    str root;

    (void)state;
    assert_non_null(mkdtemp(dir));
    for (int i = 0; i < 4; i++)
        snprintf(path[i], sizeof(path[i]), "%s/%c.yml", dir, 'a' + i);
    write_file(path[0], "groups: [{name: g, rules: [{alert: A, expr: x > 0}]}]\n");
    write_file(path[1],
               "groups: [{name: h, rules: [{alert: A, expr: y > 0}, {alert: B, exp: z}]}]\n");
    write_file(path[2], "groups: [{name: h, rules: [{alert: A, expr: x > 0}]}]\n");
    write_file(path[3], "kind: Pod\n");
    root = str_of(dir);
    diags_init(&d);
    r = lint_paths(&root, 1, &o, &d);
    assert_int_equal(r.rule_files, 3);
    assert_int_equal(r.skipped, 1);
    assert_int_equal(d.errors, 1);
    assert_int_equal(d.warnings,
                     2); /* R020: A of a.yml, of b.yml, which is broken elsewhere, and of c.yml */
    assert_true(lint_fails(&d, DIAG_ERROR));
    diags_render(&out, &d, &plain);
    assert_true(str_find_str(buf_str(&out), S("did you mean \"expr\"?")) >= 0);
    assert_true(str_find_str(buf_str(&out), S("warning[R020]")) >= 0);
    assert_true(str_find_str(buf_str(&out), S("1 error, 2 warnings")) >= 0);
    diags_release(&d);
    buf_release(&out);
    for (int i = 0; i < 4; i++)
        unlink(path[i]);
    rmdir(dir);
}

static void three_files_are_one_configuration(void **state)
{
    char dir[] = "/tmp/tocsin-lint-XXXXXX", am[64], own[64];
    const struct lint_options o = {.mode = MATCHER_FALLBACK};
    struct diags d;
    str root, alone;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(am, sizeof(am), "%s/alertmanager.yml", dir);
    snprintf(own, sizeof(own), "%s/tocsin.yml", dir);
    write_file(am, "route: {receiver: r}\nreceivers: [{name: r}]\n");
    write_file(own, "receivers: [{name: r, console_configs: [{}]}]\n");
    root = str_of(dir);
    alone = str_of(own);
    diags_init(&d);
    assert_int_equal(lint_paths(&root, 1, &o, &d).configs, 2);
    assert_int_equal(d.errors, 0);
    diags_release(&d);
    diags_init(&d);
    (void)lint_paths(&alone, 1, &o, &d);
    assert_int_equal(d.errors, 1); /* receivers without a route */
    diags_release(&d);
    write_file(am, "route: {receiver: q}\nreceivers: [{name: r}]\n");
    diags_init(&d);
    (void)lint_paths(&root, 1, &o, &d);
    assert_int_equal(d.errors, 1); /* said once */
    diags_release(&d);
    unlink(am);
    unlink(own);
    rmdir(dir);
}

static void carets_stand_under_the_text(void **state)
{
    char path[] = "/tmp/tocsin-render-XXXXXX";
    int fd = mkstemp(path);
    struct diag_place p = {.file = str_of(path), .line = 2, .col = 7, .at = 0, .len = 3};
    struct render_options o = {.least = DIAG_INFO};
    struct buf out = BUF_INIT, want = BUF_INIT;
    struct diags d;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "one\n\xc3\xa9 is two\n", 13), 13);
    close(fd);
    diags_init(&d);
    diag_help(&d, diags_add(&d, DIAG_ERROR, "C002", p, "wrong \x1b[31m"), "better");
    diags_render(&out, &d, &o);
    buf_addf(&want,
             "error[C002]: wrong \\u001b[31m\n  --> %s:2:6\n      |\n    2 | \xc3\xa9 is two\n     "
             " |    "
             "  ^^^\n"
             "      = help: better\n\n1 error, 0 warnings\n",
             path);
    assert_str(buf_str(&out), buf_z(&want));
    buf_clear(&out);
    o.format = RENDER_GITHUB;
    diags_render(&out, &d, &o);
    assert_true(str_starts_with(buf_str(&out), S("::error file=")));
    buf_clear(&out);
    o.format = RENDER_JSON;
    diags_render(&out, &d, &o);
    assert_true(str_find_str(buf_str(&out), S("\"line\":2,\"column\":6")) >= 0);
    diags_release(&d);
    buf_release(&out);
    buf_release(&want);
    unlink(path);
}

static void text_in_memory(void **state)
{
    const struct lint_options o = {.mode = MATCHER_FALLBACK};
    struct diags d;

    (void)state;
    diags_init(&d);
    lint_text(S("route: {receiver: r}\n"), S("-"), &o, &d);
    assert_true(d.errors != 0);
    diags_release(&d);
    diags_init(&d);
    lint_text(S("kind: Pod\n"), S("-"), &o, &d);
    assert_true(lint_fails(&d, DIAG_ERROR));
    diags_release(&d);
}

/* A file that says nothing: as rules it is "no groups", as promtool has it; as a configuration it is an error, also by its
 * name alone. */
static void files_that_say_nothing(void **state)
{
    static const char *const texts[] = {"",    "# nothing\n", "{}\n",    "null\n",
                                        "~\n", "---\n",       "--- {}\n"};
    static const struct {
        const char *as, *name;
        const char *says; /* the last finding */
        bool fails;
    } v[] = {
        {"rules", "r.yml", "no groups", false},
        {"config", "c.yml", "says nothing", true},
        {NULL, "x/alertmanager.yml", "says nothing", true},
        {NULL, "alert.yml", "no groups", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v) * ARRAY_LEN(texts); i++) {
        const char *text = texts[i % ARRAY_LEN(texts)];
        size_t k = i / ARRAY_LEN(texts);
        struct lint_options o = {.mode = MATCHER_FALLBACK, .is_known = v[k].as != NULL};
        bool says = false;
        struct diags d;

        if (v[k].as != NULL)
            assert_true(lint_kind_parse(str_of(v[k].as), &o.kind));
        diags_init(&d);
        lint_text(str_of(text), str_of(v[k].name), &o, &d);
        for (size_t j = 0; j < d.n; j++)
            says |= str_find_str(d.v[j].message, str_of(v[k].says)) >= 0;
        if (!says || lint_fails(&d, DIAG_ERROR) != v[k].fails)
            fail_msg("'%s' as %s", text, v[k].name);
        diags_release(&d);
    }
    assert_false(lint_kind_parse(S("rule"), &(enum lint_kind){0}));
}

static void expressions_that_mislead(void **state)
{
    static const struct {
        const char *kind, *expr, *ids; /* ids found, in order */
    } cases[] = {
        {"alert", "up > 0", ""},
        {"alert", "up", "R030 "},
        {"alert", "up == bool 0", "R030 "},
        {"alert", "a or b", "R030 "},
        {"alert", "a unless b", ""},
        {"alert", "ALERTS{alertname='x'}", ""},
        {"alert", "absent(up)", "R031 "},
        {"alert", "absent_over_time(up[5m])", ""},
        {"alert", "topk(5, x) > 1", "R038 "},
        {"record", "topk(5, x)", ""},
        {"record", "rate(sum(x_total)[5m:])", "R044 "},
        {"record", "rate((x_total)[5m:])", ""},
        {"alert", "irate(x[5m]) > 0", "R045 "},
        {"record", "delta(x_total[5m])", "R045 "},
        {"record", "x{a=~'b'}", "R046 "},
        {"record", "x{a=~'^b.*'}", "R046 "},
        {"record", "x{a=~'b.*$', b=~'c|d\\\\\\\\$'}", "R046 "},
        {"record", "x{a=~'.*'}", "R046 "},
        {"record", "{a='b'}", "R046 "},
        {"record", "histogram_quantile(0.9, sum by (a) (rate(x_bucket[5m])))", "R048 "},
        {"record", "histogram_quantile(0.9, sum by (a, le) (rate(x_bucket[5m])))", ""},
        {"record", "histogram_quantile(0.9, sum without (le) (rate(x_bucket[5m])))", "R048 "},
        {"record", "histogram_quantile(0.9, sum by (a) (rate(x[5m])))", ""},
        {"alert", "x == 0.5", "R049 "},
        {"record", "limitk(1, x) + fill(0) mad_over_time(y[5m] smoothed)", "R070 R070 R070 R070 "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct lint_options o = {.mode = MATCHER_FALLBACK};
        struct buf text = BUF_INIT, ids = BUF_INIT;
        struct diags d;

        buf_addf(&text, "groups: [{name: g, rules: [{%s: r, expr: \"%s\"}]}]\n", cases[i].kind,
                 cases[i].expr);
        diags_init(&d);
        lint_text(buf_str(&text), S("r.yml"), &o, &d);
        for (size_t k = 0; k < d.n; k++)
            buf_addf(&ids, "%s ", d.v[k].id);
        if (!str_is(buf_str(&ids), cases[i].ids))
            print_error("%s\n", cases[i].expr);
        assert_str(buf_str(&ids), cases[i].ids);
        assert_int_equal(d.errors, 0);
        diags_release(&d);
        buf_release(&text);
        buf_release(&ids);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_recognised),
        cmocka_unit_test(files_that_say_nothing),
        cmocka_unit_test(expressions_that_mislead),
        cmocka_unit_test(a_folder_and_what_it_shows),
        cmocka_unit_test(by_threads_it_is_the_same),
        cmocka_unit_test(three_files_are_one_configuration),
        cmocka_unit_test(carets_stand_under_the_text),
        cmocka_unit_test(text_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
