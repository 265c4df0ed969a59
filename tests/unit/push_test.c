/* Pushed groups on a stepped clock: paths, what PUT, POST and DELETE make of a group, and what the store has of it. */
#include "tsdb_fixture.h"

#include <stdio.h>
#include "push/push.h"
#include "push/push_path.h"

static struct clock clock_;
static struct pool *pool;
static struct push *push;
static struct push_conf conf;
static enum err_code answer;
static char why[1024];
static int answers;

static int set_up(void **state)
{
    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    clock_init_stepped(&clock_, (struct now){1000 * NS_PER_S, NS_PER_S});
    pool = pool_new_inline();
    push = push_new(&clock_, pool, db);
    conf = (struct push_conf){.max_age = 60 * NS_PER_S,
                              .max_groups = 2,
                              .max_series = 5,
                              .label_limit = 4,
                              .label_name_length_limit = 8,
                              .label_value_length_limit = 20,
                              .interval = 10 * NS_PER_S};
    push_configure(push, &conf, 0);
    push_start(push);
    answers = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (pool_drain(pool) != 0)
        ;
    push_free(push);
    pool_free(pool);
    clock_release(&clock_);
    close_db();
    return 0;
}

static struct labels key(const char *path)
{
    struct labels ls;
    struct err e = ERR_INIT;

    if (!push_path_parse(str_of(path), &arena, &ls, &e))
        fail_msg("%s: %s", path, e.msg);
    return ls;
}

static void answered(void *arg, const struct err *e)
{
    (void)arg;
    answer = e->code;
    snprintf(why, sizeof(why), "%s", e->msg);
    answers++;
}

static void drain(void)
{
    while (pool_drain(pool) != 0)
        ;
}

static void queue(enum push_method method, const char *path, const char *body)
{
    const struct push_request rq = {.method = method, .key = key(path), .body = str_of(body)};

    push_submit(push, &rq, answered, NULL);
}

static enum err_code send(enum push_method method, const char *path, const char *body)
{
    queue(method, path, body);
    drain();
    return answer;
}

static void go_to(double s)
{
    ts_ns until = NS_PER_S + (ts_ns)(s * NS_PER_S);

    while (clock_.now.mono < until) { /* so that a timer's work is done before the next one */
        ts_ns next = clock_next(&clock_);

        clock_step_to(&clock_, next < until ? next : until);
        drain();
    }
}

/* -- paths -- */

static const char *path_error(const char *path)
{
    struct labels ls;
    struct err e = ERR_INIT;

    if (push_path_parse(str_of(path), &arena, &ls, &e))
        return "";
    return arena_str(&arena, str_of(e.msg)).p;
}

static str printed(const char *path)
{
    return push_path_print(key(path), &arena);
}

static void test_paths(void **state)
{
    (void)state;
    assert_str(printed("job/a/"), "/metrics/job/a");
    assert_str(printed("job/a/zone/b/area/c"), "/metrics/job/a/area/c/zone/b");
    assert_str(printed("job@base64/YQ==/path@base64/L3Zhci90bXA"),
               "/metrics/job/a/path@base64/L3Zhci90bXA");
    assert_str(printed("job/a/zone@base64/="), "/metrics/job/a/zone@base64/=");
    assert_true(labels_get(key("job/a/zone@base64/="), S("zone")).n == 0);
    assert_string_equal(path_error("job/"), "the path names no job");
    assert_string_equal(path_error("job@base64/="), "the path names no job");
    assert_string_equal(path_error("job/a/b"), "the path ends with a label that has no value");
    assert_string_equal(path_error("job/a/b/c/"), "the path ends with a label that has no value");
    assert_string_equal(path_error("job/a/b@base64/?"), "\"?\" of label \"b\" is not base64");
    assert_string_equal(path_error("job/a/b@base64/_w"), "label \"b\" is not UTF-8");
    assert_string_equal(path_error("job/a/__x/b"), "\"__x\" cannot be the name of a label");
    assert_string_equal(path_error("job/a/1/b"), "\"1\" cannot be the name of a label");
    assert_string_equal(path_error("job/a/x/1/x/2"), "label \"x\" stands twice in the path");
    assert_string_equal(path_error("job/a/job/b"), "label \"job\" stands twice in the path");
}

/* -- what a group has -- */

static void test_samples_every_interval(void **state)
{
    (void)state;
    assert_int_equal(send(PUSH_PUT, "job/a/gpu/0", "m{gpu=\"9\",x=\"y\"} 1\n"), ERR_NONE);
    assert_str(newest("{__name__=\"m\"}"), "");
    go_to(10);
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", gpu=\"0\", job=\"a\", x=\"y\"} 1\n");
    assert_str(newest("{__name__=\"push_time_seconds\"}"),
               "{__name__=\"push_time_seconds\", gpu=\"0\", job=\"a\"} 1000\n");
    assert_str(newest("{__name__=\"push_failure_time_seconds\"}"),
               "{__name__=\"push_failure_time_seconds\", gpu=\"0\", job=\"a\"} 0\n");
    go_to(40);
    assert_int_equal(push_stats(push).samples, 4 * 3);
    assert_int_equal(push_stats(push).series, 1);
}

static void test_put_replaces_the_group(void **state)
{
    (void)state;
    send(PUSH_PUT, "job/a", "m 1\nn 2");
    go_to(10);
    assert_int_equal(send(PUSH_PUT, "job/a", "n 3\n"), ERR_NONE);
    go_to(20);
    assert_str(newest("{__name__=~\"m|n\"}"),
               "{__name__=\"m\", job=\"a\"} ended\n{__name__=\"n\", job=\"a\"} 3\n");
    assert_int_equal(send(PUSH_PUT, "job/a", ""), ERR_NONE);
    go_to(30);
    assert_str(newest("{__name__=\"n\"}"), "{__name__=\"n\", job=\"a\"} ended\n");
    assert_str(newest("{__name__=\"push_time_seconds\"}"),
               "{__name__=\"push_time_seconds\", job=\"a\"} 1020\n");
}

#define HISTOGRAM                                                                                  \
    "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_count 2\nh_sum 3\n"

static void test_post_replaces_families(void **state)
{
    (void)state;
    send(PUSH_POST, "job/a", HISTOGRAM "m 1\n");
    go_to(10);
    assert_str(newest("{__name__=\"h_bucket\",le=\"1.0\"}"),
               "{__name__=\"h_bucket\", job=\"a\", le=\"1.0\"} 1\n");
    send(PUSH_POST, "job/a", "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 5\nh_count 5\n");
    go_to(20);
    assert_str(newest("{__name__=~\"h_.*\"}"),
               "{__name__=\"h_bucket\", job=\"a\", le=\"1.0\"} ended\n"
               "{__name__=\"h_bucket\", job=\"a\", le=\"+Inf\"} 5\n"
               "{__name__=\"h_count\", job=\"a\"} 5\n{__name__=\"h_sum\", job=\"a\"} ended\n");
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", job=\"a\"} 1\n");
    assert_int_equal(push_stats(push).series, 3);
}

static void test_delete_ends_the_group(void **state)
{
    (void)state;
    assert_int_equal(send(PUSH_DELETE, "job/none", ""), ERR_NONE);
    send(PUSH_PUT, "job/a", "m 1\n");
    go_to(10);
    assert_int_equal(send(PUSH_DELETE, "job/a", ""), ERR_NONE);
    assert_str(newest("{job=\"a\"}"), "{__name__=\"push_time_seconds\", job=\"a\"} ended\n"
                                      "{__name__=\"push_failure_time_seconds\", job=\"a\"} ended\n"
                                      "{__name__=\"m\", job=\"a\"} ended\n");
    assert_int_equal(push_stats(push).groups, 0);
    assert_int_equal(push_stats(push).series, 0);
    go_to(30);
    send(PUSH_PUT, "job/a", "m 7\n");
    go_to(40);
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", job=\"a\"} 7\n");
}

static void test_requests_of_a_group_keep_their_order(void **state)
{
    (void)state;
    queue(PUSH_PUT, "job/a", "m 1\n");
    queue(PUSH_POST, "job/a", "n 2\n");
    queue(PUSH_DELETE, "job/a", "");
    queue(PUSH_DELETE, "job/a", "");
    queue(PUSH_POST, "job/a", "n 3\n");
    drain();
    assert_int_equal(answers, 5);
    go_to(10);
    assert_str(newest("{__name__=~\"m|n\"}"), "{__name__=\"n\", job=\"a\"} 3\n");
}

static void test_a_dead_sender_ends(void **state)
{
    (void)state;
    send(PUSH_PUT, "job/a", "m 1\n");
    go_to(50);
    send(PUSH_POST, "job/a", ""); /* nothing new, but alive */
    go_to(109);
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", job=\"a\"} 1\n");
    send(PUSH_PUT, "job/a", "m one\n"); /* a failure is no sign of life */
    go_to(110.5);
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", job=\"a\"} ended\n");
    assert_str(newest("{__name__=\"push_time_seconds\"}"),
               "{__name__=\"push_time_seconds\", job=\"a\"} ended\n");
    assert_int_equal(push_stats(push).expired, 1);
    assert_int_equal(push_stats(push).groups, 0);
}

static void test_without_max_age_it_stays(void **state)
{
    (void)state;
    conf.max_age = 0;
    push_configure(push, &conf, 0);
    send(PUSH_PUT, "job/a", "m 1\n");
    go_to(100000);
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", job=\"a\"} 1\n");
}

/* -- wrong pushes -- */

static void test_wrong_pushes_change_nothing(void **state)
{
    static const struct {
        const char *body;
        enum err_code code;
        const char *why;
    } wrong[] = {
        {"m 1\nn one\n", ERR_INVALID, "line 2: a value is not a number: \"one\""},
        {"m 1 1000\n", ERR_INVALID, "line 1: a pushed sample must not have a time"},
        {"m{x=\"1\"} 1\nm{x=\"1\"} 2\n", ERR_INVALID, "line 2: the series stands twice"},
        {"m{job=\"x\"} 1\nm 2\n", ERR_INVALID, "line 2: the series stands twice"},
        {"m{a=\"1\",b=\"2\",c=\"3\"} 1\n", ERR_INVALID,
         "line 1: 5 labels are more than \"label_limit\" 4"},
        {"m{long_name=\"1\"} 1\n", ERR_INVALID,
         "line 1: the name of label \"long_name\" is longer than \"label_name_length_limit\""},
        {"m{a=\"123456789012345678901\"} 1\n", ERR_INVALID,
         "line 1: label \"a\" is longer than \"label_value_length_limit\""},
        {"a 1\nb 1\nc 1\nd 1\ne 1\nf 1\n", ERR_LIMIT, "more series than \"max_series\" 5"},
    };

    (void)state;
    send(PUSH_PUT, "job/a", "m 5\n");
    clock_step_to(&clock_, 2 * NS_PER_S);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_int_equal(send(PUSH_PUT, "job/a", wrong[i].body), wrong[i].code);
        assert_string_equal(why, wrong[i].why);
    }
    go_to(10);
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", job=\"a\"} 5\n");
    assert_str(newest("{__name__=\"push_time_seconds\"}"),
               "{__name__=\"push_time_seconds\", job=\"a\"} 1000\n");
    assert_str(newest("{__name__=\"push_failure_time_seconds\"}"),
               "{__name__=\"push_failure_time_seconds\", job=\"a\"} 1001\n");
    assert_int_equal(push_stats(push).failed, ARRAY_LEN(wrong));
}

static void test_what_is_the_groups_own_cannot_be_pushed(void **state)
{
    (void)state;
    send(PUSH_PUT, "job/a", "push_time_seconds 1\nm 1\n");
    go_to(10);
    assert_str(newest("{__name__=\"push_time_seconds\"}"),
               "{__name__=\"push_time_seconds\", job=\"a\"} 1000\n");
    assert_int_equal(push_stats(push).series, 1);
}

static void test_limits_of_all_groups(void **state)
{
    (void)state;
    assert_int_equal(send(PUSH_PUT, "job/a", "a 1\nb 1\nc 1\n"), ERR_NONE);
    assert_int_equal(send(PUSH_PUT, "job/b", "a 1\nb 1\nc 1\n"), ERR_LIMIT);
    assert_string_equal(why, "more series than \"max_series\" 5, with those of all groups");
    assert_int_equal(send(PUSH_PUT, "job/b", "a 1\nb 1\n"), ERR_NONE);
    assert_int_equal(send(PUSH_POST, "job/b", "c 1\n"), ERR_LIMIT);
    assert_int_equal(send(PUSH_PUT, "job/c", "a 1\n"), ERR_LIMIT);
    assert_string_equal(why, "more groups than \"max_groups\" 2");
    send(PUSH_DELETE, "job/a", "");
    assert_int_equal(send(PUSH_PUT, "job/c", "a 1\n"), ERR_NONE);
    assert_int_equal(push_stats(push).series, 3);
}

/* -- the configuration -- */

static void test_groups_survive_a_reload(void **state)
{
    (void)state;
    send(PUSH_PUT, "job/a", "m 1\n");
    go_to(10);
    conf.interval = 5 * NS_PER_S;
    push_configure(push, &conf, 0);
    drain();
    go_to(20);
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", job=\"a\"} 1\n");
    assert_int_equal(push_stats(push).samples, 3 * 3);
    push_configure(push, NULL, 0);
    drain();
    assert_str(newest("{__name__=\"m\"}"), "{__name__=\"m\", job=\"a\"} ended\n");
    assert_int_equal(push_stats(push).groups, 0);
    assert_int_equal(send(PUSH_PUT, "job/a", "m 1\n"), ERR_CONFLICT);
}

static void test_only_what_rules_select_is_kept(void **state)
{
    struct tsdb *all = db;
    struct storage_selector *s;

    (void)state;
    push_free(push);
    tsdb_free(all);
    db = tsdb_new(&(struct tsdb_options){.keep_all = false});
    push = push_new(&clock_, pool, db);
    push_configure(push, &conf, 0);
    push_start(push);
    s = selector("{__name__=\"m\"}", MINUTES_5);
    send(PUSH_PUT, "job/a", "m 1\nn 1\n");
    go_to(10);
    assert_int_equal(tsdb_stats(db).series, 1);
    release(s);
    s = selector("{__name__=\"n\"}", MINUTES_5);
    go_to(20);
    assert_str(newest("{__name__=\"n\"}"), "{__name__=\"n\", job=\"a\"} 1\n");
    release(s);
}

/* -- restarts -- */

/* A disk of rows, that says when they are on it. */
static struct disk {
    struct {
        str path, body; /* owned */
    } rows[8];
    size_t n;
    bool is_slow;
    void (*done)(void *of, bool ok, const struct err *e);
    void *of[8];
    size_t waiting;
} disk;

static size_t row_of(str path)
{
    size_t i = 0;

    while (i < disk.n && !str_eq(disk.rows[i].path, path))
        i++;
    return i;
}

static void drop_row(void *arg, str path)
{
    size_t i = row_of(path);

    (void)arg;
    if (i == disk.n)
        return;
    mem_str_free(disk.rows[i].path);
    mem_str_free(disk.rows[i].body);
    disk.rows[i] = disk.rows[--disk.n];
}

static void keep_row(void *arg, str path, str body)
{
    drop_row(arg, path);
    assert_in_range(disk.n, 0, ARRAY_LEN(disk.rows) - 1);
    disk.rows[disk.n].path = mem_str_dup(path);
    disk.rows[disk.n++].body = mem_str_dup(body);
}

static void after(void *arg, void (*done)(void *of, bool ok, const struct err *e), void *of)
{
    (void)arg;
    if (!disk.is_slow) {
        done(of, true, NULL);
        return;
    }
    disk.done = done;
    disk.of[disk.waiting++] = of;
}

static void report(bool ok)
{
    const struct err e = {.code = ERR_IO, .msg = "no space left"};

    for (size_t i = 0; i < disk.waiting; i++)
        disk.done(disk.of[i], ok, ok ? NULL : &e);
    disk.waiting = 0;
}

static const struct push_keeper keeper = {.put = keep_row, .drop = drop_row, .after = after};

/* Another program over the same rows, with an empty store. */
static void restart(const struct push_conf *with)
{
    push_free(push);
    tsdb_free(db);
    db = tsdb_new(&(struct tsdb_options){.keep_all = true});
    push = push_new(&clock_, pool, db);
    push_configure(push, with, 0);
    push_keep(push, &keeper);
    for (size_t i = disk.n; i-- != 0;)
        push_restore(push, disk.rows[i].body);
    push_start(push);
}

/* Exactly these rows would be written anew. */
static void snapshot_is(size_t n)
{
    struct disk was = disk;

    disk = (struct disk){.n = 0};
    push_snapshot(push, keep_row, NULL);
    assert_int_equal(disk.n, n);
    for (size_t i = 0; i < was.n; i++)
        assert_true(str_eq(disk.rows[row_of(was.rows[i].path)].body, was.rows[i].body));
    while (disk.n != 0)
        drop_row(NULL, disk.rows[0].path);
    disk = was;
}

static void test_groups_survive_a_restart(void **state)
{
    struct push_conf roomy = conf;

    (void)state;
    roomy.max_series = 10;
    restart(&roomy);
    send(PUSH_POST, "job/a/zone@base64/=", HISTOGRAM);
    send(PUSH_PUT, "job/b", "{\"a name\",x=\"\\n\"} NaN\nm 1\n");
    send(PUSH_PUT, "job/b", "m x\n");
    assert_int_equal(disk.n, 2);
    snapshot_is(2);
    go_to(5);
    restart(&roomy);
    assert_int_equal(push_stats(push).groups, 2);
    assert_int_equal(push_stats(push).series, 6);
    go_to(16);
    assert_str(newest("{__name__=\"h_sum\"}"), "{__name__=\"h_sum\", job=\"a\"} 3\n");
    assert_str(newest("{__name__=~\"m|a name\"}"),
               "{__name__=\"a name\", job=\"b\", x=\"\\n\"} nan\n"
               "{__name__=\"m\", job=\"b\"} 1\n");
    assert_str(newest("{__name__=~\"push_.*\",job=\"b\"}"),
               "{__name__=\"push_time_seconds\", job=\"b\"} 1000\n"
               "{__name__=\"push_failure_time_seconds\", job=\"b\"} 1000\n");
    /* Families are known still. */
    send(PUSH_POST, "job/a/zone@base64/=", "# TYPE h histogram\nh_count 5\n");
    go_to(30);
    assert_str(newest("{__name__=~\"h_.*\",le=\"\"}"),
               "{__name__=\"h_count\", job=\"a\"} 5\n{__name__=\"h_sum\", job=\"a\"} ended\n");

    send(PUSH_DELETE, "job/b", "");
    assert_int_equal(disk.n, 1);
    /* What was pushed counts from then: the group ends 60 s after, not 60 s after the restart. */
    restart(&roomy);
    assert_int_equal(push_stats(push).groups, 1);
    go_to(75);
    assert_int_equal(push_stats(push).groups, 1);
    go_to(77);
    assert_int_equal(push_stats(push).groups, 0);
    assert_int_equal(disk.n, 0);

    send(PUSH_PUT, "job/c", "m 1\n");
    assert_int_equal(disk.n, 1);
    ((char *)disk.rows[0].body.p)[0] = '~';
    restart(&roomy);
    assert_int_equal(push_stats(push).groups, 0);
    assert_int_equal(push_stats(push).unreadable, 1);
    assert_int_equal(disk.n, 1);
    send(PUSH_PUT, "job/c", "m 1\n");
    restart(NULL);
    assert_int_equal(push_stats(push).groups, 0);
    assert_int_equal(disk.n, 0);
}

/* An answer is as good as what is on the disk. */
static void test_a_push_is_answered_when_it_is_on_disk(void **state)
{
    (void)state;
    restart(&conf);
    disk.is_slow = true;
    send(PUSH_PUT, "job/a", "m 1\n");
    send(PUSH_PUT, "job/a", "m 2\n"); /* the next one need not wait for the one before */
    assert_int_equal(answers, 0);
    assert_int_equal(disk.n, 1);
    report(true);
    assert_int_equal(answers, 2);
    assert_int_equal(answer, ERR_NONE);
    assert_int_equal(send(PUSH_PUT, "job/b", "m x\n"), ERR_INVALID); /* changed nothing */
    assert_int_equal(answers, 3);
    send(PUSH_PUT, "job/b", "m 3\n");
    send(PUSH_DELETE, "job/a", "");
    assert_int_equal(answers, 3);
    report(false);
    assert_int_equal(answers, 5);
    assert_int_equal(answer, ERR_CONFLICT);
    assert_non_null(strstr(why, "not on disk: no space left"));
    assert_int_equal(push_stats(push).groups, 1); /* and counts all the same */
    snapshot_is(1);
    send(PUSH_DELETE, "job/b", "");
    assert_int_equal(disk.n, 0);
    disk = (struct disk){.n = 0}; /* never answered: it goes with the rest */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)
        T(paths),
        T(samples_every_interval),
        T(put_replaces_the_group),
        T(post_replaces_families),
        T(delete_ends_the_group),
        T(requests_of_a_group_keep_their_order),
        T(a_dead_sender_ends),
        T(without_max_age_it_stays),
        T(wrong_pushes_change_nothing),
        T(what_is_the_groups_own_cannot_be_pushed),
        T(limits_of_all_groups),
        T(groups_survive_a_reload),
        T(only_what_rules_select_is_kept),
        T(groups_survive_a_restart),
        T(a_push_is_answered_when_it_is_on_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
