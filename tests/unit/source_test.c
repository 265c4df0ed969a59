/* The Prometheus client: answers told apart, the queue, and a pair of servers of which one fails. */
#include "unit.h"

#include "base/mem.h"
#include "model/labels.h"
#include "net/scripted.h"
#include "source/source.h"

#define UP "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}"

static bool parse(struct arena *a, const char *body, struct samples *out, struct err *e)
{
    return prom_answer_parse(str_of(body), a, out, NULL, e);
}

static void answers_become_samples(void **state)
{
    struct arena a;
    struct samples s;
    struct err e = ERR_INIT;

    (void)state;
    arena_init(&a, 0);
    assert_true(parse(
        &a,
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
        "{\"metric\":{\"job\":\"x\",\"__name__\":\"up\"},\"value\":[1700000000.1234,\"-Inf\"]},"
        "{\"metric\":{\"h\":\"1\"},\"histogram\":[1,{\"count\":\"4\",\"sum\":\"2.5\",\"buckets\":"
        "[[0,\"1\",\"2\",\"4\"]]}]}]},\"warnings\":[\"w\"],\"isPartial\":false}",
        &s, &e));
    assert_int_equal(s.n, 2);
    assert_int_equal(s.v[0].t, 1700000000123);
    assert_true(s.v[0].value < -1e308);
    assert_str(s.v[0].labels.v[0].name, "__name__"); /* sorted */
    assert_true(s.v[1].is_histogram);
    assert_true(s.v[1].value == 2.5);
    /* the result may stand before its type */
    assert_true(parse(
        &a, "{\"data\":{\"result\":[1,\"3\"],\"resultType\":\"scalar\"},\"status\":\"success\"}",
        &s, &e));
    assert_int_equal(s.n, 1);
    assert_int_equal(s.v[0].labels.n, 0);
    assert_true(s.v[0].value == 3);
    arena_release(&a);
}

/* What is told beside the samples, and what of it says that some are missing. */
static void answers_say_what_is_missing(void **state)
{
    static const struct {
        const char *more, *partial;
        size_t warnings, infos;
    } v[] = {
        {"", "", 0, 0},
        {",\"isPartial\":false,\"warnings\":[],\"infos\":null", "", 0, 0},
        {",\"isPartial\":true", "the source says that its answer is partial", 0, 0},
        {",\"warnings\":[\"PromQL warning: a (1:1)\",\"PromQL info: b (1:1)\"]", "", 2, 0},
        {",\"warnings\":[\"results truncated due to limit\"]", "", 1, 0},
        {",\"warnings\":[\"PromQL warning: a\",\"store s: refused\"],\"infos\":[\"i\"]",
         "store s: refused", 2, 1},
        {",\"warnings\":[\"PromQL warning: 1\",\"PromQL warning: 2\",\"PromQL warning: "
         "3\",\"PromQL "
         "warning: 4\",\"PromQL warning: 5\",\"PromQL warning: 6\",\"PromQL warning: 7\",\"PromQL "
         "warning: 8\",\"PromQL warning: 9\",\"PromQL warning: 10\",\"PromQL warning: "
         "11\",\"gone\"]",
         "gone", 10, 0},
        {",\"warnings\":\"none\",\"infos\":[1,{}]", "", 0, 0},
    };
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct answer_notes n = {0};
        struct samples s;
        struct err e = ERR_INIT;
        str body = arena_printf(&a,
                                "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
                                "\"result\":[]}%s}",
                                v[i].more);

        assert_true(prom_answer_parse(body, &a, &s, &n, &e));
        assert_str(n.partial, v[i].partial);
        assert_int_equal(n.n_warnings, v[i].warnings);
        assert_int_equal(n.n_infos, v[i].infos);
    }
    arena_release(&a);
}

static void what_is_no_answer_is_said(void **state)
{
    static const struct {
        const char *body, *message;
    } v[] = {
        {"", "not JSON"},
        {"<html>", "not JSON"},
        {UP "x", "not JSON"},
        {"{\"status\":\"error\",\"error\":\"boom\"}", "boom"},
        {"{}", "the source answered"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}",
         "not a vector or scalar"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"string\",\"result\":[1,\"x\"]}}",
         "not a vector or scalar"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\"}}", "result"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"x\"]}}",
         "is not a number"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,2]}}",
         "result"},
        {"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{"
         "\"\":\"1\"},\"value\":[1,\"1\"]}]}}",
         "a label has no name"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct arena a;
        struct samples s;
        struct err e = ERR_INIT;

        arena_init(&a, 0);
        if (parse(&a, v[i].body, &s, &e) || strstr(e.msg, v[i].message) == NULL)
            fail_msg("%s: '%s'", v[i].body, e.msg);
        arena_release(&a);
    }
}

static void of_what_stands_twice_the_last_counts(void **state)
{
    struct arena a;
    struct samples s;
    struct err e = ERR_INIT;

    (void)state;
    arena_init(&a, 0);
    assert_true(
        parse(&a,
              "{\"status\":\"error\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"1\"]},"
              "\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":"
              "{\"z\":\"0\"},\"value\":[1,\"5\"],\"metric\":{\"a\":\"1\",\"b\":\"x\",\"a\":\"2\","
              "\"b\":\"\"},\"value\":[1,\"7\"]}]}}",
              &s, &e));
    assert_int_equal(s.n, 1);
    assert_int_equal(s.v[0].labels.n, 1);
    assert_str(labels_get(s.v[0].labels, S("a")), "2");
    assert_true(s.v[0].value == 7);
    arena_release(&a);
}

static void failures_are_told_apart(void **state)
{
    static const char said[] = "{\"status\":\"error\",\"errorType\":\"x\",\"error\":\"its words\"}";
    static const struct {
        int status;
        const char *body;
        enum source_error want;
    } v[] = {
        {400, said, SOURCE_BAD_DATA},    {422, said, SOURCE_EXECUTION},
        {503, said, SOURCE_TIMEOUT},     {499, said, SOURCE_TIMEOUT},
        {429, "slow", SOURCE_THROTTLED}, {500, said, SOURCE_DOWN},
        {502, "<html>", SOURCE_DOWN},    {404, "nothing", SOURCE_DOWN},
        {400, "<html>", SOURCE_DOWN}, /* a proxy's own */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct err e = ERR_INIT;

        assert_int_equal(prom_answer_error(v[i].status, str_of(v[i].body), &e), v[i].want);
        if (v[i].body == said)
            assert_string_equal(e.msg, "its words");
    }
}

/* -- the client -- */

struct bench {
    struct clock clock;
    struct scripted *script;
    str urls[2];
    struct source_conf conf;
    struct source *source;
    unsigned answers;
    enum source_error last;
    struct buf order;
};

static int set_up(void **state)
{
    struct bench *b = mem_new(struct bench);

    clock_init_stepped(&b->clock, (struct now){1700000000123 * NS_PER_MS, NS_PER_H});
    b->script = scripted_new(&b->clock, NULL, NULL);
    b->urls[0] = S("http://a:9090/prom/");
    b->urls[1] = S("http://b:9090");
    b->conf = (struct source_conf){.name = S("p"),
                                   .urls = b->urls,
                                   .n_urls = 2,
                                   .timeout = 10 * NS_PER_S,
                                   .max_concurrent = 2,
                                   .down_after = 3 * NS_PER_M};
    b->source = source_new(&b->conf, scripted_transport(b->script), &b->clock);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    source_free(b->source);
    scripted_free(b->script);
    clock_release(&b->clock);
    buf_release(&b->order);
    mem_free(b);
    return 0;
}

static void answered(void *arg, const struct source_answer *a)
{
    struct bench *b = arg;

    b->answers++;
    b->last = a->error;
    if (a->error == SOURCE_OK)
        buf_addf(&b->order, "%zu;", a->body.n);
}

static void pass(struct bench *b, dur_ns d)
{
    clock_step_to(&b->clock, b->clock.now.mono + d);
}

static void a_query_is_a_form(void **state)
{
    struct bench *b = *state;
    const struct scripted_request *rq;

    scripted_push(b->script, (struct scripted_answer){.body = S(UP)});
    source_query(b->source, S("sum(up) == 0 & \"\xc3\xa9\""), 1700000000123 * NS_PER_MS, answered,
                 b);
    pass(b, NS_PER_S);
    assert_int_equal(b->answers, 1);
    assert_int_equal(b->last, SOURCE_OK);
    rq = scripted_at(b->script, 0);
    assert_str(rq->http.url, "http://a:9090/prom/api/v1/query");
    assert_str(rq->http.method, "POST");
    assert_true(str_starts_with(
        rq->http.body,
        S("query=sum%28up%29%20%3D%3D%200%20%26%20%22%C3%A9%22&time=1700000000.123")));
}

static void the_pair_is_tried_in_turn(void **state)
{
    struct bench *b = *state;

    scripted_push(b->script, (struct scripted_answer){.status = 502, .body = S("bad gateway")});
    scripted_push(b->script, (struct scripted_answer){.body = S(UP)});
    source_query(b->source, S("up"), 0, answered, b);
    pass(b, NS_PER_S);
    assert_int_equal(b->last, SOURCE_OK);
    assert_str(scripted_at(b->script, 1)->http.url, "http://b:9090/api/v1/query");
    scripted_push(b->script, (struct scripted_answer){.body = S(UP)});
    source_query(b->source, S("up"), 0, answered, b);
    pass(b, NS_PER_S);
    assert_str(scripted_at(b->script, 2)->http.url,
               "http://b:9090/api/v1/query"); /* who answered last is asked first */
    assert_true(source_down_since(b->source) == TS_NONE);
}

static void a_wrong_rule_is_not_asked_twice(void **state)
{
    struct bench *b = *state;

    scripted_push(b->script,
                  (struct scripted_answer){
                      .status = 400, .body = S("{\"status\":\"error\",\"error\":\"parse\"}")});
    source_query(b->source, S("up{"), 0, answered, b);
    pass(b, NS_PER_S);
    assert_int_equal(b->last, SOURCE_BAD_DATA);
    assert_int_equal(scripted_count(b->script), 1);
    assert_true(source_down_since(b->source) == TS_NONE);
}

static void an_outage_has_a_begin_and_an_end(void **state)
{
    struct bench *b = *state;
    ts_ns since;

    for (int i = 0; i < 4; i++)
        scripted_push(b->script, (struct scripted_answer){.failure = TRANSPORT_CONNECT,
                                                          .error = S("refused")});
    source_query(b->source, S("up"), 0, answered, b);
    pass(b, NS_PER_S);
    assert_int_equal(b->last, SOURCE_DOWN);
    since = source_down_since(b->source);
    assert_true(since != TS_NONE);
    assert_non_null(strstr(source_last_error(b->source), "refused"));
    source_query(b->source, S("up"), 0, answered, b);
    pass(b, NS_PER_S);
    assert_int_equal(source_down_since(b->source), since); /* of the first */
    scripted_push(b->script, (struct scripted_answer){.body = S(UP)});
    source_query(b->source, S("up"), 0, answered, b);
    pass(b, NS_PER_S);
    assert_true(source_down_since(b->source) == TS_NONE);
}

static void more_than_max_concurrent_waits_in_order(void **state)
{
    struct bench *b = *state;

    scripted_push(b->script, (struct scripted_answer){.body = S(" " UP), .delay = NS_PER_S});
    scripted_push(b->script, (struct scripted_answer){.body = S("  " UP), .delay = 2 * NS_PER_S});
    scripted_push(b->script, (struct scripted_answer){.body = S("   " UP), .delay = 3 * NS_PER_S});
    for (int i = 0; i < 3; i++)
        source_query(b->source, S("up"), 0, answered, b);
    assert_int_equal(source_under_way(b->source), 2);
    assert_int_equal(source_waiting(b->source), 1);
    assert_int_equal(scripted_count(b->script), 2);
    pass(b, NS_PER_S);
    assert_int_equal(scripted_count(b->script), 3);
    pass(b, 10 * NS_PER_S);
    assert_int_equal(b->answers, 3);
    assert_int_equal(source_under_way(b->source), 0);
}

static void silence_ends_at_the_deadline(void **state)
{
    struct bench *b = *state;

    scripted_push(b->script, (struct scripted_answer){.never = true});
    scripted_push(b->script, (struct scripted_answer){.never = true});
    source_query(b->source, S("up"), 0, answered, b);
    pass(b, 10 * NS_PER_S);
    assert_int_equal(b->answers, 0); /* the other one is being asked */
    pass(b, 10 * NS_PER_S);
    assert_int_equal(b->answers, 1);
    assert_int_equal(b->last, SOURCE_TIMEOUT);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_become_samples),
        cmocka_unit_test(answers_say_what_is_missing),
        cmocka_unit_test(what_is_no_answer_is_said),
        cmocka_unit_test(of_what_stands_twice_the_last_counts),
        cmocka_unit_test(failures_are_told_apart),
        T(a_query_is_a_form),
        T(the_pair_is_tried_in_turn),
        T(a_wrong_rule_is_not_asked_twice),
        T(an_outage_has_a_begin_and_an_end),
        T(more_than_max_concurrent_waits_in_order),
        T(silence_ends_at_the_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
