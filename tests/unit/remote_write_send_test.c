/* Sending on a stepped clock: what is sent again and when, what is dropped, what a reload changes, and when somebody is told. */
#include "tsdb_fixture.h"

#include <stdlib.h>
#include "net/scripted.h"
#include "remote_write/remote_write.h"
#include "remote_write/sender.h"
#include "tsdb/log.h"

#define T0 (1700000000 * NS_PER_S)

struct bench {
    struct clock clock;
    struct scripted *script;
    struct pool *pool;
    struct remote_write *w;
    char dir[64];
    struct remote_write_conf conf[2];
    struct remote_write_list list;
    int held; /* references of the configuration */
    int told; /* how often somebody was told that it fails, less how often that it does not */
    char why[200];
    int runs;
};

static void *hold(void *conf)
{
    ((struct bench *)conf)->held++;
    return conf;
}

static void let_go(void *conf)
{
    ((struct bench *)conf)->held--;
}

static void failing(void *arg, str title, bool is_failing, str why)
{
    struct bench *b = arg;

    assert_str(title, "r");
    b->told += is_failing ? 1 : -1;
    snprintf(b->why, sizeof(b->why), "%.*s", STR(why));
}

static int set_up(void **state)
{
    struct bench *b = mem_new(struct bench);

    clock_init_stepped(&b->clock, (struct now){T0, NS_PER_H});
    b->script = scripted_new(&b->clock, NULL, NULL);
    b->pool = pool_new_inline();
    open_with((struct tsdb_options){.keep_all = true});
    b->w = remote_write_new(&(struct remote_write_parts){.clock = &b->clock,
                                                         .pool = b->pool,
                                                         .transport = scripted_transport(b->script),
                                                         .db = db,
                                                         .hold = hold,
                                                         .let_go = let_go,
                                                         .failing = failing,
                                                         .arg = b});
    snprintf(b->dir, sizeof(b->dir), "/tmp/tocsin-sending-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->conf[0] = (struct remote_write_conf){.name = S("r"),
                                            .url = {.hidden = S("http://r/write")},
                                            .what = S("rules"),
                                            .remote_timeout = 30 * NS_PER_S,
                                            .queue_config = {.max_samples_per_send = 3,
                                                             .batch_send_deadline = 2 * NS_PER_S,
                                                             .min_backoff = 100 * NS_PER_MS,
                                                             .max_backoff = NS_PER_S,
                                                             .max_size = 1 << 20}};
    b->list = (struct remote_write_list){b->conf, 1};
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    char command[128];

    remote_write_stop(b->w);
    (void)pool_settle(b->pool);
    remote_write_free(b->w);
    assert_int_equal(b->held, 0);
    close_db();
    scripted_free(b->script);
    pool_free(b->pool);
    clock_release(&b->clock);
    snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
    assert_int_equal(system(command), 0);
    mem_free(b);
    return 0;
}

static str below(struct bench *b, const char *name)
{
    return arena_printf(&arena, "%s/%s", b->dir, name);
}

/* What the disk's job does every second, and what senders read. */
static void second(struct bench *b)
{
    struct err e = ERR_INIT;

    clock_step_to(&b->clock, b->clock.now.mono + NS_PER_S);
    remote_write_lend(b->w);
    assert_true(remote_write_begin(b->w, below(b, "remote"), &e));
    if (b->runs++ == 0) {
        struct tsdb_replay r;

        assert_true(tsdb_log_open(db, below(b, "samples"), &r, &e));
    }
    assert_true(tsdb_log_step(db, b->clock.now.wall / NS_PER_MS, true, &e));
    assert_true(remote_write_step(b->w, b->clock.now, false, true, &e));
    remote_write_settled(b->w);
    (void)pool_settle(b->pool);
}

static void settle(struct bench *b, dur_ns d)
{
    for (ts_ns end = b->clock.now.mono + d; b->clock.now.mono < end;) {
        clock_step_to(&b->clock, b->clock.now.mono + 10 * NS_PER_MS);
        (void)pool_settle(b->pool);
    }
}

static void configure(struct bench *b)
{
    remote_write_configure(b->w, b, &b->list, LABELS_NONE);
    second(b);
}

static void record(struct bench *b, int n)
{
    begin(stream("rule/1"), b->clock.now.wall / NS_PER_MS);
    for (int i = 0; i < n; i++) {
        char series[32];

        snprintf(series, sizeof(series), "m{i=\"%d\"}", i);
        put(series, i);
    }
    commit();
}

static void see_status(void *arg, const struct remote_status *r)
{
    *(struct remote_status *)arg = *r;
}

static struct remote_status status(struct bench *b)
{
    struct remote_status s = {0};

    remote_write_each(b->w, see_status, &s);
    return s;
}

static void samples_wait_for_more_and_go(void **state)
{
    struct bench *b = *state;
    const struct scripted_request *rq;

    configure(b);
    record(b, 2);
    second(b);
    assert_int_equal(scripted_count(b->script), 0); /* two of three, and not for long */
    record(b, 2);
    second(b);
    settle(b, 100 * NS_PER_MS);
    assert_int_equal(scripted_count(b->script), 2);
    rq = scripted_at(b->script, 0);
    assert_str(rq->http.url, "http://r/write");
    assert_str(rq->http.method, "POST");
    assert_str(http_header_get(&rq->http.headers, S("content-encoding")), "snappy");
    assert_str(http_header_get(&rq->http.headers, S("x-prometheus-remote-write-version")), "0.1.0");
    assert_int_equal(rq->deadline - rq->at.mono, 30 * NS_PER_S);
    assert_int_equal(status(b).stats->samples, 4);
    assert_int_equal(status(b).queue.samples, 0);
    record(b, 1);
    second(b);
    second(b);
    second(b);
    settle(b, 100 * NS_PER_MS);
    assert_int_equal(scripted_count(b->script), 3);    /* batch_send_deadline */
    assert_int_equal(status(b).stats->samples, 5 + 1); /* one of the two series has ended */
}

static void what_fails_is_sent_again_after_a_wait_that_doubles(void **state)
{
    static const dur_ns waits[] = {100, 200, 400, 800, 1000, 1000};
    struct bench *b = *state;

    configure(b);
    for (int i = 0; i < 6; i++)
        scripted_push(b->script, (struct scripted_answer){.status = i % 2 == 0 ? 500 : 503});
    record(b, 3);
    second(b);
    settle(b, 6 * NS_PER_S);
    assert_int_equal(scripted_count(b->script), 7);
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        const struct scripted_request *x = scripted_at(b->script, i),
                                      *y = scripted_at(b->script, i + 1);

        assert_in_range(y->at.mono - x->at.mono, waits[i] * NS_PER_MS, (waits[i] + 30) * NS_PER_MS);
        assert_true(str_eq(x->http.body, y->http.body));
    }
    assert_int_equal(status(b).stats->failed, 6);
    assert_int_equal(status(b).stats->samples, 3);
    assert_int_equal(b->told, 0);
}

static void a_remote_says_when_it_wants_to_be_asked_again(void **state)
{
    static struct http_header wait = {S_INIT("Retry-After"), S_INIT("7")},
                              long_wait = {S_INIT("Retry-After"), S_INIT("86400")};
    struct bench *b = *state;

    b->conf[0].queue_config.retry_on_http_429 = true;
    configure(b);
    scripted_push(b->script, (struct scripted_answer){.status = 429, .headers = {&wait, 1}});
    scripted_push(b->script, (struct scripted_answer){.status = 503, .headers = {&long_wait, 1}});
    record(b, 3);
    second(b);
    settle(b, 6 * NS_PER_S);
    assert_int_equal(scripted_count(b->script), 1);
    settle(b, 2 * NS_PER_S);
    assert_int_equal(scripted_count(b->script), 2);
    settle(b, 298 * NS_PER_S);
    assert_int_equal(scripted_count(b->script), 2);
    settle(b, 2 * NS_PER_S);
    assert_int_equal(scripted_count(b->script), 3);
    assert_int_equal(status(b).stats->samples, 3);
}

static void what_is_refused_is_dropped_and_told(void **state)
{
    struct bench *b = *state;

    configure(b);
    scripted_push(b->script, (struct scripted_answer){.status = 400, .body = S("out of bounds\n")});
    scripted_push(b->script, (struct scripted_answer){.status = 429});
    record(b, 3);
    second(b);
    record(b, 3);
    second(b);
    record(b, 3);
    second(b);
    settle(b, NS_PER_S);
    assert_int_equal(status(b).stats->rejected, 6);
    assert_int_equal(status(b).stats->samples, 3);
    second(b);
    assert_int_equal(b->told, 1);
    for (int i = 0; i < 302; i++)
        second(b);
    assert_int_equal(b->told, 0);
}

static void a_remote_that_is_away_for_long_is_told(void **state)
{
    struct bench *b = *state;

    configure(b);
    record(b, 3);
    for (int i = 0; i < 2000; i++)
        scripted_push(b->script, (struct scripted_answer){.failure = TRANSPORT_CONNECT,
                                                          .error = S("refused")});
    for (int i = 0; i < 298; i++)
        second(b);
    assert_int_equal(b->told, 0);
    for (int i = 0; i < 5; i++)
        second(b);
    assert_int_equal(b->told, 1);
    assert_str(str_of(b->why), "0 samples are lost since the start, 3 wait: refused");
    for (int i = 0; b->told != 0 && i < 3000; i++)
        second(b);
    assert_int_equal(b->told, 0);
    assert_int_equal(status(b).stats->samples, 3);
}

static void what_is_too_old_is_not_sent(void **state)
{
    struct bench *b = *state;

    b->conf[0].queue_config.sample_age_limit = 10 * NS_PER_S;
    configure(b);
    for (int i = 0; i < 20; i++)
        scripted_push(b->script, (struct scripted_answer){.status = 500});
    record(b, 3);
    for (int i = 0; i < 15; i++)
        second(b);
    assert_int_equal(status(b).stats->too_old, 3);
    assert_int_equal(status(b).queue.samples, 0);
}

static void a_reload_sends_what_is_under_way_in_the_new_way(void **state)
{
    struct bench *b = *state;

    configure(b);
    scripted_push(b->script, (struct scripted_answer){.never = true});
    record(b, 3);
    second(b);
    assert_int_equal(scripted_in_flight(b->script), 1);
    b->conf[1] = b->conf[0];
    b->conf[1].url.hidden = S("http://other/write");
    b->list.v = &b->conf[1];
    configure(b);
    settle(b, 100 * NS_PER_MS);
    assert_int_equal(scripted_count(b->script), 2);
    assert_str(scripted_at(b->script, 1)->http.url, "http://other/write");
    assert_true(str_eq(scripted_at(b->script, 0)->http.body, scripted_at(b->script, 1)->http.body));
    assert_int_equal(status(b).stats->samples, 3);
    b->list.n = 0;
    configure(b);
    assert_null(status(b).stats);
    assert_int_equal(b->held, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(samples_wait_for_more_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_is_sent_again_after_a_wait_that_doubles, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_remote_says_when_it_wants_to_be_asked_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused_is_dropped_and_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_remote_that_is_away_for_long_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_old_is_not_sent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_sends_what_is_under_way_in_the_new_way, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
