/* Sending to other Alertmanagers: targets, batches, the newest word, retries, an instance that meets itself. */
#include "unit.h"

#include "base/mem.h"
#include "forward/forward.h"
#include "net/scripted.h"

#define T0 (1700000000 * NS_PER_S)

struct bench {
    struct clock clock;
    struct scripted *script;
    struct forward *f;
    str targets[2];
    struct static_sd_conf statics;
    struct alertmanagers_conf entries[2];
    struct alerting_conf conf;
};

static int set_up(void **state)
{
    struct bench *b = mem_new(struct bench);

    clock_init_stepped(&b->clock, (struct now){T0, NS_PER_H});
    b->script = scripted_new(&b->clock, NULL, NULL);
    b->f = forward_new(scripted_transport(b->script), &b->clock, S("me"));
    b->targets[0] = S("a:9093");
    b->targets[1] = S("b:9093");
    b->statics.targets = (struct conf_strings){b->targets, 1};
    b->entries[0] = (struct alertmanagers_conf){.scheme = S("http"),
                                                .path_prefix = S("/am/"),
                                                .timeout = 10 * NS_PER_S,
                                                .statics = {&b->statics, 1}};
    b->conf.alertmanagers.v = b->entries;
    b->conf.alertmanagers.n = 1;
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    forward_free(b->f);
    scripted_free(b->script);
    clock_release(&b->clock);
    mem_free(b);
    return 0;
}

static void step(struct bench *b, dur_ns d)
{
    clock_step_to(&b->clock, b->clock.now.mono + d);
}

/* Configured, and greeted. */
static void start(struct bench *b)
{
    forward_configure(b->f, &b->conf);
    step(b, 1);
    assert_int_equal(scripted_count(b->script), b->f->queues.n);
}

static void fire(struct bench *b, int n)
{
    char text[16];
    struct label label[] = {{S("alertname"), S("A")}, {S("n"), STR_NONE}};
    struct alert_input in = {.labels = {label, 2},
                             .generator_url = S("http://g"),
                             .starts_at = T0,
                             .ends_at = b->clock.now.wall + 4 * NS_PER_M};

    snprintf(text, sizeof(text), "%d", n);
    label[1].value = str_of(text);
    forward_alerts(b->f, &in, 1);
}

static str body(const struct bench *b, size_t request)
{
    return scripted_at(b->script, request)->http.body;
}

static size_t alerts_in(str json)
{
    size_t n = 0;
    ptrdiff_t at;

    for (; (at = str_find_str(json, S("startsAt"))) >= 0; n++)
        json = str_sub(json, (size_t)at + 1, json.n);
    return n;
}

static const struct forward_stats *stats(const struct bench *b)
{
    return forward_queue_stats(b->f->queues.v[0]);
}

static void an_alert_is_sent_as_the_api_takes_it(void **state)
{
    struct bench *b = *state;
    const struct scripted_request *rq;

    start(b);
    assert_str(body(b, 0), "[]");
    fire(b, 1);
    step(b, 1);
    assert_int_equal(scripted_count(b->script), 2);
    rq = scripted_at(b->script, 1);
    assert_str(rq->http.url, "http://a:9093/am/api/v2/alerts");
    assert_str(http_header_get(&rq->http.headers, S("content-type")), "application/json");
    assert_int_equal(rq->deadline - rq->at.mono, 10 * NS_PER_S);
    assert_str(rq->http.body,
               "[{\"annotations\":{},\"startsAt\":\"2023-11-14T22:13:20.000Z\","
               "\"endsAt\":\"2023-11-14T22:17:20.000Z\",\"labels\":{\"alertname\":\"A\","
               "\"n\":\"1\"},\"generatorURL\":\"http://g\"}]");
    assert_int_equal(stats(b)->sent, 1);
    assert_int_equal(forward_waiting(b->f), 0);
}

static void many_alerts_go_in_batches(void **state)
{
    struct bench *b = *state;

    start(b);
    for (int i = 0; i < 600; i++)
        fire(b, i);
    step(b, NS_PER_S);
    assert_int_equal(scripted_count(b->script), 4);
    assert_int_equal(alerts_in(body(b, 1)), 256);
    assert_int_equal(alerts_in(body(b, 2)), 256);
    assert_int_equal(alerts_in(body(b, 3)), 88);
    assert_int_equal(stats(b)->sent, 600);
}

static void a_target_that_is_away_hears_the_newest_word_once(void **state)
{
    struct bench *b = *state;

    start(b);
    for (int i = 0; i < 3; i++) /* tried at 0, 1 and 3 s */
        scripted_push(b->script, (struct scripted_answer){.status = 503});
    fire(b, 1);
    step(b, NS_PER_S / 2);
    fire(b, 1); /* refreshed: a later end */
    fire(b, 2);
    step(b, 10 * NS_PER_S);
    assert_int_equal(scripted_count(b->script), 5);
    assert_int_equal(scripted_at(b->script, 2)->at.mono - scripted_at(b->script, 1)->at.mono,
                     NS_PER_S);
    assert_int_equal(scripted_at(b->script, 3)->at.mono - scripted_at(b->script, 2)->at.mono,
                     2 * NS_PER_S);
    assert_int_equal(alerts_in(body(b, 4)), 2);
    assert_true(str_find_str(body(b, 4), S("22:17:20.500Z")) >= 0);
    assert_int_equal(stats(b)->sent, 2);
    assert_int_equal(stats(b)->errors, 5); /* 1 + 2 + 2 */
    assert_int_equal(stats(b)->dropped, 0);
}

static void a_word_that_comes_while_an_older_one_is_sent_is_sent_too(void **state)
{
    struct bench *b = *state;

    start(b);
    scripted_push(b->script, (struct scripted_answer){.delay = NS_PER_S});
    fire(b, 1);
    step(b, NS_PER_S / 2);
    assert_int_equal(scripted_in_flight(b->script), 1);
    fire(b, 1);
    step(b, NS_PER_S);
    assert_int_equal(scripted_count(b->script), 3);
    assert_int_equal(forward_waiting(b->f), 0);
}

static void what_is_refused_is_dropped(void **state)
{
    struct bench *b = *state;

    start(b);
    scripted_push(b->script, (struct scripted_answer){.status = 400});
    fire(b, 1);
    step(b, NS_PER_M);
    assert_int_equal(scripted_count(b->script), 2);
    assert_int_equal(stats(b)->dropped, 1);
}

/* The answer's body was cut off; its status came. */
static void a_status_suffices(void **state)
{
    struct bench *b = *state;

    start(b);
    scripted_push(b->script, (struct scripted_answer){.failure = TRANSPORT_CONNECT, .status = 200});
    fire(b, 1);
    step(b, NS_PER_M);
    assert_int_equal(stats(b)->sent, 1);
    assert_int_equal(stats(b)->errors, 0);
}

static void a_full_queue_loses_its_oldest(void **state)
{
    struct bench *b = *state;

    start(b);
    scripted_push(b->script, (struct scripted_answer){.status = 500});
    fire(b, -1);
    step(b, 1);
    for (int i = 0; i < FORWARD_CAPACITY; i++)
        fire(b, i);
    assert_int_equal(forward_waiting(b->f), FORWARD_CAPACITY);
    assert_int_equal(stats(b)->dropped, 1);
    step(b, NS_PER_S);
    assert_true(str_find_str(body(b, 2), S("\"n\":\"-1\"")) < 0);
    assert_true(str_find_str(body(b, 2), S("\"n\":\"0\"")) >= 0);
}

static void an_instance_that_meets_itself_stops(void **state)
{
    struct bench *b = *state;

    scripted_push(b->script, (struct scripted_answer){.status = 421});
    forward_configure(b->f, &b->conf);
    fire(b, 1); /* before it is known */
    step(b, 1);
    assert_str(http_header_get(&scripted_at(b->script, 0)->http.headers, S("tocsin-instance")),
               "me");
    assert_str(body(b, 0), "[]"); /* never an alert */
    fire(b, 2);
    step(b, NS_PER_H);
    assert_int_equal(scripted_count(b->script), 1);
    assert_int_equal(forward_waiting(b->f), 0);
    assert_true(forward_queue_is_own(b->f->queues.v[0]));
}

static void a_reload_keeps_the_queue_of_a_target_that_stays(void **state)
{
    struct bench *b = *state;

    start(b);
    scripted_push(b->script, (struct scripted_answer){.never = true});
    fire(b, 1);
    step(b, 1);
    b->statics.targets.n = 2;
    forward_configure(b->f, &b->conf);
    assert_int_equal(b->f->queues.n, 2);
    step(b, NS_PER_S);
    assert_int_equal(scripted_count(b->script), 4); /* a once more, the greeting of b */
    assert_int_equal(stats(b)->sent, 1);
    b->statics.targets.n = 1;
    b->targets[0] = S("b:9093");
    forward_configure(b->f, &b->conf);
    assert_int_equal(b->f->queues.n, 1);
    assert_str(forward_queue_url(b->f->queues.v[0]), "http://b:9093/am/api/v2/alerts");
}

static void entries_rewrite_targets_and_alerts(void **state)
{
    struct bench *b = *state;
    struct err e = ERR_INIT;
    str n = S("n"), address = S("__address__");
    struct relabel_rule drop_two = {
        .action = RELABEL_DROP, .source_labels = {&n, 1}, .regex = relabel_regex(S("2"), &e)};
    struct relabel_rule keep_b = {.action = RELABEL_KEEP,
                                  .source_labels = {&address, 1},
                                  .regex = relabel_regex(S("b:.*"), &e)};

    b->statics.targets.n = 2;
    b->entries[1] = b->entries[0];
    b->entries[1].relabel_configs = (struct relabel_rules){&keep_b, 1};
    b->entries[1].alert_relabel_configs = (struct relabel_rules){&drop_two, 1};
    b->conf.alertmanagers.n = 2;
    start(b);
    assert_int_equal(b->f->queues.n, 3); /* a, b, and b once more as the second entry has it */
    fire(b, 1);
    fire(b, 2);
    step(b, 1);
    assert_int_equal(forward_queue_stats(b->f->queues.v[1])->sent, 2);
    assert_int_equal(forward_queue_stats(b->f->queues.v[2])->sent, 1);
    regex_unref(drop_two.regex);
    regex_unref(keep_b.regex);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_alert_is_sent_as_the_api_takes_it),
        T(many_alerts_go_in_batches),
        T(a_target_that_is_away_hears_the_newest_word_once),
        T(a_word_that_comes_while_an_older_one_is_sent_is_sent_too),
        T(a_status_suffices),
        T(what_is_refused_is_dropped),
        T(a_full_queue_loses_its_oldest),
        T(an_instance_that_meets_itself_stops),
        T(a_reload_keeps_the_queue_of_a_target_that_stays),
        T(entries_rewrite_targets_and_alerts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
