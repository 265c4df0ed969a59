/* The readers of tocsin collect: tables of nvidia-smi, text files, fields of JSON; a page of several sheets; a child. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "collect/child.h"
#include "collect/collect_conf.h"
#include "collect/json_field.h"
#include "collect/nvidia_table.h"
#include "collect/part.h"
#include "collect/pseudo_file.h"
#include "collect/text_file.h"
#include "collect/worker.h"

/* -- nvidia-smi -- */

static void numbers_of_cells(void **state)
{
    static const struct {
        const char *cell;
        bool ok;
        double v;
    } rows[] = {{"35", true, 35},
                {"35 %", true, 35},
                {"691.36 W", true, 691.36},
                {"-3", true, -3},
                {"0x0000000000000004", true, 4},
                {"Active", true, 1},
                {"Not Active", true, 0},
                {"Enabled", true, 1},
                {"P8", true, 8},
                {"Exclusive_Process", true, 3},
                {"[N/A]", false, 0},
                {"N/A", false, 0},
                {"[Unknown Error]", false, 0},
                {"[GPU requires reset]", false, 0},
                {"", false, 0},
                {"0x", false, 0},
                {"0xg", false, 0},
                {"P", false, 0},
                {"Inf", false, 0},
                {"nan", false, 0},
                {"35x", false, 0},
                {"9223372036854775794", false, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double v = -1;

        assert_int_equal(nvidia_number(str_of(rows[i].cell), &v), rows[i].ok);
        if (rows[i].ok)
            assert_true(v == rows[i].v);
    }
    assert_str(nvidia_unknown_field(S("Field \"a.b\" is not a valid field to query.\n\n")), "a.b");
    assert_int_equal(nvidia_unknown_field(S("\" is not a valid field to query")).n, 0);
    assert_int_equal(nvidia_unknown_field(S("")).n, 0);
}

static bool reads_table(const char *text, struct arena *a, struct nvidia_table *t)
{
    static const str asked[] = {S_INIT("index"), S_INIT("uuid"), S_INIT("power.draw"),
                                S_INIT("pstate")};
    struct err e = ERR_INIT;
    bool ok = nvidia_table_parse(str_of(text), asked, ARRAY_LEN(asked), a, t, &e);

    assert_int_equal(ok, e.code == ERR_NONE);
    if (!ok)
        assert_int_equal(e.code, ERR_INVALID);
    return ok;
}

static void tables_are_whole_or_none(void **state)
{
    static const char *const bad[] = {
        "",
        "\n\n",
        "index, uuid\n",                   /* no card */
        "index, uuid\n0, GPU-1\n1, GPU-2", /* within a line */
        "index, uuid\n0, GPU-1\n1\n",      /* a cell is missing */
        "index, uuid\n0, GPU-1, 3\n",      /* or one more is there */
        "index, uuid\nGPU-1, 0\n",         /* columns have moved */
        "index, uuid\nx, GPU-1\n",
        "index, uuid\n0, [N/A]\n",
        "index [, uuid\n0, GPU-1\n",
        "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.\n",
        "No devices were found\n",
        "0, GPU-1, 3 W, P0, more\n", /* more than was asked for */
    };
    struct nvidia_table t;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(reads_table(bad[i], &a, &t));
    assert_true(reads_table("index, uuid, power.draw [W]\r\n0, GPU-1, 3.5 W\r\n", &a, &t));
    assert_int_equal(t.rows, 1);
    assert_str(nvidia_table_cell(&t, 0, "power.draw"), "3.5 W");
    assert_str(t.units[2], "W");
    assert_int_equal(nvidia_table_cell(&t, 0, "pstate").n, 0);
    /* Without a head: what was asked for, in order; the last row of a card counts. */
    assert_true(reads_table("0, GPU-1, 3\n1, GPU-2, 4\n0, GPU-1, 5\n", &a, &t));
    assert_int_equal(t.rows, 2);
    assert_str(nvidia_table_cell(&t, 0, "power.draw"), "5");
    assert_str(nvidia_table_cell(&t, 1, "power.draw"), "4");
    arena_release(&a);
}

/* -- text files -- */

static bool takes(struct sheet *s, struct text_seen *seen, const char *text, const char *why)
{
    struct err e = ERR_INIT;
    bool ok = text_file_put(str_of(text), S("a.prom"), s, seen, &e);

    if (!ok && strstr(e.msg, why) == NULL)
        fail_msg("%s: not %s", e.msg, why);
    return ok;
}

static void text_files_are_whole_or_none(void **state)
{
    struct text_seen seen = {0};
    struct buf page = BUF_INIT;
    const struct sheet *sheets[1];
    struct sheet s;

    (void)state;
    sheet_init(&s);
    sheets[0] = &s;
    assert_true(takes(&s, &seen, "# TYPE a counter\na{x=\"1\"} 2\n", ""));
    assert_true(takes(&s, &seen, "", ""));
    assert_false(takes(&s, &seen, "b 1", "within a line"));
    assert_false(takes(&s, &seen, "b 1\nb{\n", ""));
    assert_false(takes(&s, &seen, "b 1 5\n", "has a time"));
    assert_false(takes(&s, &seen, "{\"b c\"} 1\n", "needs quotes"));
    assert_false(takes(&s, &seen, "b{\"c d\"=\"1\"} 1\n", "needs quotes"));
    assert_false(takes(&s, &seen, "b 1\nb 2\n", "there already"));
    assert_false(takes(&s, &seen, "b 1\na{x=\"1\"} 3\n", "type"));
    assert_false(takes(&s, &seen, "# TYPE a counter\na{x=\"1\"} 3\n", "there already"));
    assert_false(takes(&s, &seen, "# TYPE b many\nb 1\n", ""));
    assert_false(takes(&s, &seen, "node_textfile_mtime_seconds 1\n", "own"));
    assert_true(takes(&s, &seen,
                      "# HELP h One\\nof \\\\.\n# TYPE h summary\nh{quantile=\"0.5\"} 1\nh_sum "
                      "NaN\nh_count +Inf\nb 1\n# TYPE a counter\na{x=\"2\"} 1e-9\n",
                      ""));
    sheets_print(sheets, 1, &page);
    assert_str(buf_str(&page), "# HELP a Metric read from a.prom\n# TYPE a counter\na{x=\"1\"} 2\n"
                               "a{x=\"2\"} 1e-09\n# HELP h One\\nof \\\\.\n# TYPE h summary\n"
                               "h{quantile=\"0.5\"} 1\nh_sum{} NaN\nh_count{} +Inf\n"
                               "# HELP b Metric read from a.prom\n# TYPE b untyped\nb{} 1\n");
    str_map_release(&seen.series);
    buf_release(&page);
    sheet_release(&s);
}

static void sheets_share_families(void **state)
{
    const struct expo_label l = SHEET_LABEL("x", S("1"));
    const struct sheet *v[4] = {NULL};
    struct buf page = BUF_INIT;
    struct sheet s[3];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(s); i++) {
        sheet_init(&s[i]);
        v[i == 0 ? 0 : i + 1] = &s[i]; /* a part is not there */
        sheet_begin(&s[i], S("a"), i == 0 ? EXPO_GAUGE : EXPO_COUNTER, S("A."));
        sheet_put(&s[i], i == 0 ? NULL : &l, i != 0, (double)i);
    }
    s[2].yields = true;
    sheet_one(&s[2], S("b"), EXPO_GAUGE, S("B."), 1);
    sheets_print(v, ARRAY_LEN(v), &page);
    assert_str(buf_str(&page), "# HELP a A.\n# TYPE a gauge\na 0\na{x=\"1\"} 1\n# HELP b B.\n"
                               "# TYPE b gauge\nb 1\n");
    buf_release(&page);
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        sheet_release(&s[i]);
}

/* -- JSON -- */

static void fields_of_json(void **state)
{
    static const str doc =
        S_INIT("{\"a\": {\"b\": [1, {\"c\": \"x\"}, [true]]}, \"n\": null, \"d\": 1, \"d\": 2.50}");
    static const struct {
        const char *field, *text;
        enum json_type type; /* JSON_FAILED: there is none, or it is no value */
    } rows[] = {{"a.b[0]", "1", JSON_NUMBER},
                {"a.b[1].c", "x", JSON_STRING},
                {"a.b[2][0]", "true", JSON_BOOL},
                {"n", "", JSON_NULL},
                {"d", "2.50", JSON_NUMBER},
                {"a", "", JSON_FAILED},
                {"a.b", "", JSON_FAILED},
                {"a.b[3]", "", JSON_FAILED},
                {"a.b[", "", JSON_FAILED},
                {"a.b[x]", "", JSON_FAILED},
                {"a..b", "", JSON_FAILED},
                {"d.x", "", JSON_FAILED},
                {"d[0]", "", JSON_FAILED},
                {"e", "", JSON_FAILED},
                {".", "", JSON_FAILED}};
    struct err e = ERR_INIT;
    enum json_type type;
    struct arena a;
    str text;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool ok;

        text = STR_NONE;
        ok = json_field(doc, str_of(rows[i].field), &a, &type, &text, &e);
        assert_int_equal(ok, rows[i].type != JSON_FAILED);
        if (ok) {
            assert_int_equal(type, rows[i].type);
            assert_str(text, rows[i].text);
        }
    }
    assert_false(json_field(S("{\"a\": 1"), S("a"), &a, &type, &text, &e));
    assert_false(json_field(S("<html>"), S("a"), &a, &type, &text, &e));
    arena_release(&a);
}

/* -- a child -- */

static bool runs(struct child *c, const char *script, int ms, size_t max, struct err *e)
{
    char *argv[] = {(char *)(uintptr_t) "/bin/sh", (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)script, NULL};
    int stop = eventfd(0, EFD_CLOEXEC);
    bool ok;

    *e = (struct err)ERR_INIT;
    ok = child_run(c, argv, part_mono() + ms * NS_PER_MS, stop, max, e);
    close(stop);
    return ok;
}

/* One that has ended and is not waited for yet has no command line. */
static bool is_alive(pid_t pid)
{
    struct buf b = BUF_INIT;
    char name[32];
    bool alive;

    snprintf(name, sizeof(name), "%ld/cmdline", (long)pid);
    alive = pseudo_read(&b, S("/proc"), name, 100) && b.n != 0;
    buf_release(&b);
    return alive;
}

static void children_end(void **state)
{
    struct child c = {0};
    char *none[] = {(char *)(uintptr_t) "no-such-program-is-here", NULL};
    struct err e;
    pid_t pid;

    (void)state;
    assert_true(runs(&c, "echo out; echo said >&2; exit 3", 20000, 100, &e));
    assert_int_equal(c.exit_status, 3);
    assert_str(buf_str(&c.out), "out\n");
    assert_str(buf_str(&c.said), "said\n");
    /* What it has started goes with it, though it holds the pipe. */
    assert_true(runs(&c, "sleep 100 & echo $!", 20000, 100, &e));
    pid = (pid_t)atoi(buf_z(&c.out));
    assert_true(pid > 1);
    for (int i = 0; i < 1000 && is_alive(pid); i++)
        usleep(10000);
    assert_false(is_alive(pid));
    assert_false(runs(&c, "trap '' TERM; echo half; sleep 100; sleep 100", 200, 100, &e));
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_str(buf_str(&c.out), "half\n");
    assert_int_equal(c.exit_status, 128 + SIGKILL);
    assert_false(runs(&c, "while :; do echo much; done", 20000, 1000, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    assert_false(child_run(&c, none, part_mono() + NS_PER_S, -1, 100, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    child_release(&c);
}

/* -- a worker -- */

struct stubborn {
    struct part part;
    int wake; /* an eventfd: it runs until this can be read, whatever its deadline */
    unsigned runs;
};

static bool stubborn_run(struct part *p, struct part_run *r, struct err *e)
{
    struct stubborn *s = container_of(p, struct stubborn, part);
    uint64_t n;

    sheet_one(r->out, S("runs"), EXPO_GAUGE, S("Runs."), ++s->runs);
    return read(s->wake, &n, sizeof(n)) == sizeof(n) && n == 1 ? err_set(e, ERR_IO, "one") : true;
}

static void stubborn_free(struct part *p)
{
    (void)p;
}

static void wait_for(int fd)
{
    uint64_t n;

    assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
}

static void wake(int fd, uint64_t n)
{
    assert_int_equal(write(fd, &n, sizeof(n)), sizeof(n));
}

static void who_hangs_is_not_waited_for(void **state)
{
    struct stubborn s = {.part = {S("stubborn"), NS_PER_S, stubborn_run, stubborn_free}};
    int stop = eventfd(0, EFD_CLOEXEC), done = eventfd(0, EFD_CLOEXEC);
    struct worker *w = worker_new(&s.part, stop, done);
    uint64_t first;

    (void)state;
    s.wake = eventfd(0, EFD_CLOEXEC);
    first = worker_ask(w, part_mono() + 3600 * NS_PER_S);
    assert_int_equal(first, 1);
    assert_int_equal(worker_ask(w, part_mono()), first); /* the run under way is shared */
    assert_false(worker_is_overdue(w));
    assert_false(worker_take(w));
    wake(s.wake, 2);
    wait_for(done);
    assert_true(worker_take(w));
    assert_int_equal(worker_last(w)->run, first);
    assert_true(worker_last(w)->ok);
    assert_true(sheet_find(&worker_last(w)->sheet, S("runs")) != NULL);
    /* The next one is overdue before it has ended; what the last one said stays its own. */
    assert_int_equal(worker_ask(w, part_mono() - NS_PER_S), first + 1);
    assert_true(worker_is_overdue(w));
    assert_int_equal(worker_last(w)->run, first);
    assert_false(worker_join(w, part_mono()));
    wake(s.wake, 1);
    wait_for(done);
    assert_true(worker_take(w));
    assert_false(worker_is_overdue(w));
    assert_false(worker_last(w)->ok);
    assert_string_equal(worker_last(w)->err.msg, "one");
    worker_stop(w);
    assert_true(worker_join(w, part_mono() + 60 * NS_PER_S));
    close(stop);
    close(done);
    close(s.wake);
}

/* -- the configuration -- */

static void a_file_and_flags_are_one(void **state)
{
    const struct collect_source v[] = {
        {S("probes: [{name: a, url: 'http://x'}]\nnvidia: {timeout: 2s}\n"), S("file")},
        {S("{\"probes\": [{\"name\": \"b\", \"url\": \"http://y\"}], \"timeout\": \"3s\"}"),
         S("flags")}};
    const struct collect_source twice[] = {{S("timeout: 1s\n"), S("file")},
                                           {S("{\"timeout\": \"3s\"}"), S("flags")}};
    struct collect_conf c;
    struct diags d;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    diags_init(&d);
    assert_true(collect_conf_parse(v, ARRAY_LEN(v), &a, &c, &d));
    assert_int_equal(c.probes.n, 2);
    assert_int_equal(c.timeout, 3 * NS_PER_S);
    assert_true(c.host.enabled && c.nvidia != NULL && c.text == NULL);
    assert_int_equal(c.nvidia->command.n, 1);
    assert_str(c.nvidia->command.v[0], "nvidia-smi");
    assert_true(c.probes.v[0].http_config != NULL);
    assert_false(collect_conf_parse(twice, ARRAY_LEN(twice), &a, &c, &d));
    diags_release(&d);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_cells),
        cmocka_unit_test(tables_are_whole_or_none),
        cmocka_unit_test(text_files_are_whole_or_none),
        cmocka_unit_test(sheets_share_families),
        cmocka_unit_test(fields_of_json),
        cmocka_unit_test(children_end),
        cmocka_unit_test(who_hangs_is_not_waited_for),
        cmocka_unit_test(a_file_and_flags_are_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
