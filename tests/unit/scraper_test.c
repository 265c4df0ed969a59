/* The scraper on a stepped clock, with scripted exporters: what becomes of a target's answers in the store. */
#include "tsdb_fixture.h"

#include "net/scripted.h"
#include "schema/schema.h"
#include "scrape/scraper.h"

static struct clock clock_;
static struct pool *pool;
static struct scripted *net;
static struct scraper *scraper;
static struct scrape_conf_list jobs;
static struct diags diags;
static int holds;
static struct scripted_answer answer; /* of every target */
static struct http_header headers[2];

static void *hold(void *conf)
{
    holds++;
    return conf;
}

static void let_go(void *conf)
{
    (void)conf;
    holds--;
}

static struct scripted_answer answer_all(void *arg, const struct scripted_request *rq)
{
    (void)arg;
    (void)rq;
    return answer;
}

static void say(const char *body)
{
    headers[0] = (struct http_header){S("Content-Type"), S("text/plain; version=0.0.4")};
    answer = (struct scripted_answer){.headers = {headers, 1}, .body = str_of(body)};
}

static int set_up(void **state)
{
    const struct scraper_parts parts = {.clock = &clock_, .hold = hold, .let_go = let_go};
    struct scraper_parts p = parts;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    diags_init(&diags);
    clock_init_stepped(&clock_, (struct now){1000 * NS_PER_S, NS_PER_S});
    p.db = db;
    p.pool = pool = pool_new_inline();
    net = scripted_new(&clock_, answer_all, NULL);
    p.transport = scripted_transport(net);
    scraper = scraper_new(&p);
    holds = 0;
    say("a 1\n");
    return 0;
}

static void release_jobs(struct scrape_conf_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        scrape_conf_release(&list->v[i]);
    *list = (struct scrape_conf_list){0};
}

static int tear_down(void **state)
{
    (void)state;
    pool_drain(pool);
    scraper_free(scraper);
    pool_free(pool);
    scripted_free(net);
    clock_release(&clock_);
    release_jobs(&jobs);
    diags_release(&diags);
    close_db();
    assert_int_equal(holds, 0);
    return 0;
}

/* The jobs as written in the file. */
static void configure(const char *yaml)
{
    static const struct conf_key keys[] = {
        CONF_KEY_AS("jobs", struct scrape_conf_list, v, CONF_CUSTOM, "jobs",
                    .decode = scrape_decode_list),
        CONF_KEYS_END,
    };
    static const struct conf_type type = {
        .name = "jobs", .keys = keys, .size = sizeof(struct scrape_conf_list)};
    const struct scrape_common global = {.interval = 10 * NS_PER_S};
    struct yaml_doc *doc = arena_new(&arena, struct yaml_doc);
    struct conf_run run = {.a = &arena, .d = &diags};
    struct scrape_conf_list old = jobs;
    struct conf_part part;

    if (!yaml_parse(str_of(yaml), S("jobs.yml"), &arena, doc, &diags))
        fail_msg("%s", yaml);
    part = (struct conf_part){doc, doc->root};
    if (!conf_decode(&run, &part, 1, (struct conf_layer){&type, &jobs, &global}))
        fail_msg("%.*s", STR(diags.v[0].message));
    scraper_configure(scraper, &jobs, jobs.v, jobs.n, 0);
    release_jobs(&old);
}

static void pass(int seconds)
{
    for (int i = 0; i < seconds * 10; i++) {
        clock_step_to(&clock_, clock_.now.mono + NS_PER_S / 10);
        pool_drain(pool);
        clock_step_to(&clock_, clock_.now.mono); /* the timers of what the workers brought */
    }
}

static void start(const char *yaml)
{
    configure(yaml);
    scraper_start(scraper);
}

static str last_error;
static size_t n_targets;

static void note(void *arg, const struct target_status *t)
{
    (void)arg;
    last_error = arena_str(&arena, t->last_error);
    n_targets++;
}

static str error_of_target(void)
{
    n_targets = 0;
    scraper_each(scraper, note, NULL);
    return last_error;
}

#define ONE "jobs: [{job_name: j, static_configs: [{targets: ['h:1']}]}]"

static void test_samples_and_reports(void **state)
{
    (void)state;
    start(ONE);
    assert_false(scraper_is_settled(scraper));
    pass(10);
    assert_true(scraper_is_settled(scraper));
    assert_str(newest("{__name__=\"a\"}"), "{__name__=\"a\", instance=\"h:1\", job=\"j\"} 1\n");
    assert_str(newest("{__name__=\"up\"}"), "{__name__=\"up\", instance=\"h:1\", job=\"j\"} 1\n");
    assert_str(newest("{__name__=\"scrape_series_added\"}"),
               "{__name__=\"scrape_series_added\", instance=\"h:1\", job=\"j\"} 1\n");
    pass(10);
    assert_str(newest("{__name__=\"scrape_series_added\"}"),
               "{__name__=\"scrape_series_added\", instance=\"h:1\", job=\"j\"} 0\n");
    assert_int_equal(scripted_count(net), 2);
    assert_str(scripted_at(net, 0)->http.url, "http://h:1/metrics");
}

static void test_what_disappears_ends(void **state)
{
    (void)state;
    say("a 1\nb 2\n");
    start(ONE);
    pass(10);
    say("b 3\n");
    pass(10);
    assert_str(newest("{__name__=\"a\"}"), "{__name__=\"a\", instance=\"h:1\", job=\"j\"} ended\n");
    assert_str(newest("{__name__=\"b\"}"), "{__name__=\"b\", instance=\"h:1\", job=\"j\"} 3\n");
    answer = (struct scripted_answer){.failure = TRANSPORT_CONNECT, .error = S("refused")};
    pass(10);
    assert_str(newest("{__name__=\"b\"}"), "{__name__=\"b\", instance=\"h:1\", job=\"j\"} ended\n");
    assert_str(newest("{__name__=\"up\"}"), "{__name__=\"up\", instance=\"h:1\", job=\"j\"} 0\n");
    configure("jobs: []");
    pool_drain(pool);
    assert_str(newest("{__name__=\"up\"}"),
               "{__name__=\"up\", instance=\"h:1\", job=\"j\"} ended\n");
}

static void test_a_broken_body_leaves_nothing(void **state)
{
    (void)state;
    say("a 1\nb x\n");
    start(ONE);
    pass(10);
    assert_str(newest("{__name__=~\"a|b\"}"), "");
    assert_str(error_of_target(), "line 2: a value is not a number: \"x\"");
    say("a 1");
    pass(10);
    assert_str(newest("{__name__=\"a\"}"), "{__name__=\"a\", instance=\"h:1\", job=\"j\"} 1\n");
    answer.headers.v[0].value = S("text/html");
    pass(10);
    assert_str(newest("{__name__=\"a\"}"), "{__name__=\"a\", instance=\"h:1\", job=\"j\"} ended\n");
    assert_str(error_of_target(), "the answer's Content-Type \"text/html\" is not known and "
                                  "fallback_scrape_protocol is not set");
    answer = (struct scripted_answer){.status = 500};
    pass(10);
    assert_str(error_of_target(), "server returned HTTP status 500");
}

static void test_clashing_labels(void **state)
{
    (void)state;
    say("a{job=\"x\",exported_job=\"y\",instance=\"\"} 1\n");
    start(ONE);
    pass(10);
    assert_str(
        newest("{__name__=\"a\"}"),
        "{__name__=\"a\", exported_exported_job=\"x\", exported_job=\"y\", instance=\"h:1\", "
        "job=\"j\"} 1\n");
    configure("jobs: [{job_name: j, honor_labels: true, static_configs: [{targets: ['h:1']}]}]");
    pass(10);
    assert_str(newest("{__name__=\"a\",job=\"x\"}"),
               "{__name__=\"a\", exported_job=\"y\", instance=\"h:1\", job=\"x\"} 1\n");
}

static void test_relabeling_and_limits(void **state)
{
    (void)state;
    say("a 1\nb 2\nc 3\n");
    start("jobs: [{job_name: j, sample_limit: 2, static_configs: [{targets: ['h:1']}], "
          "metric_relabel_configs: [{source_labels: [__name__], regex: b, action: drop}, "
          "{target_label: __name__, source_labels: [__name__], replacement: 'x_$1'}]}]");
    pass(10);
    assert_str(newest("{__name__=~\"x_.*\"}"),
               "{__name__=\"x_a\", instance=\"h:1\", job=\"j\"} 1\n"
               "{__name__=\"x_c\", instance=\"h:1\", job=\"j\"} 3\n");
    assert_str(newest("{__name__=\"scrape_samples_scraped\"}"),
               "{__name__=\"scrape_samples_scraped\", instance=\"h:1\", job=\"j\"} 3\n");
    assert_str(newest("{__name__=\"scrape_samples_post_metric_relabeling\"}"),
               "{__name__=\"scrape_samples_post_metric_relabeling\", instance=\"h:1\", job=\"j\"} "
               "2\n");
    say("a 1\nb 2\nc 3\nd 4\n");
    pass(10);
    assert_str(error_of_target(), "sample_limit exceeded: more than 2 samples");
    assert_str(newest("{__name__=\"x_a\"}"),
               "{__name__=\"x_a\", instance=\"h:1\", job=\"j\"} ended\n");
}

static void expect_up(const char *instance, const char *value)
{
    char selector[96], want[96];

    snprintf(selector, sizeof(selector), "{__name__=\"up\",instance=\"%s\"}", instance);
    snprintf(want, sizeof(want), "{__name__=\"up\", instance=\"%s\", job=\"j\"} %s\n", instance,
             value);
    assert_str(newest(selector), want);
}

/* Too many targets do not vanish, and their alerts with them: each is down, and says why. */
static void test_target_limit(void **state)
{
    (void)state;
    say("a 1\n");
    start("jobs: [{job_name: j, target_limit: 2, static_configs: [{targets: ['h:1', 'h:2']}]}]");
    pass(10);
    expect_up("h:1", "1");
    expect_up("h:2", "1");
    configure("jobs: [{job_name: j, target_limit: 2, static_configs: [{targets: ['h:1', 'h:2', "
              "'h:3', 'h:3']}]}]");
    pass(10);
    expect_up("h:1", "0");
    expect_up("h:2", "0");
    expect_up("h:3", "0");
    assert_str(error_of_target(), "target_limit exceeded (number of targets: 3, limit: 2)");
    assert_int_equal(n_targets, 3);
    configure(
        "jobs: [{job_name: j, target_limit: 2, static_configs: [{targets: ['h:1', 'h:3']}]}]");
    pass(10);
    expect_up("h:1", "1");
    expect_up("h:2", "ended");
    expect_up("h:3", "1");
}

static void test_bounds_are_canonical(void **state)
{
    (void)state;
    say("# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\n# TYPE g gauge\n"
        "g{le=\"1\"} 3\n");
    start(ONE);
    pass(10);
    assert_str(newest("{__name__=~\"h_bucket|g\"}"),
               "{__name__=\"h_bucket\", instance=\"h:1\", job=\"j\", le=\"1.0\"} 1\n"
               "{__name__=\"h_bucket\", instance=\"h:1\", job=\"j\", le=\"+Inf\"} 2\n"
               "{__name__=\"g\", instance=\"h:1\", job=\"j\", le=\"1\"} 3\n");
}

static void test_times_of_their_own(void **state)
{
    const char *const all = "{__name__=~\"old|now|behind|ahead|far\"}";

    (void)state;
    say("old 1 500000\nnow 1\nbehind 1 1001000\nahead 1 1500000\nfar 1 9000000\n");
    start(ONE);
    pass(10);
    assert_str(newest(all), "{__name__=\"now\", instance=\"h:1\", job=\"j\"} 1\n"
                            "{__name__=\"behind\", instance=\"h:1\", job=\"j\"} 1\n"
                            "{__name__=\"ahead\", instance=\"h:1\", job=\"j\"} 1\n");
    say("old 2 1009000\nbehind 1 1001000\nahead 2 1400000\nfar 2 1009000\n");
    pass(10);
    assert_str(newest(all), "{__name__=\"now\", instance=\"h:1\", job=\"j\"} ended\n"
                            "{__name__=\"behind\", instance=\"h:1\", job=\"j\"} 1\n"
                            "{__name__=\"ahead\", instance=\"h:1\", job=\"j\"} 1\n"
                            "{__name__=\"old\", instance=\"h:1\", job=\"j\"} 2\n"
                            "{__name__=\"far\", instance=\"h:1\", job=\"j\"} 2\n");
    answer = (struct scripted_answer){.failure = TRANSPORT_CONNECT, .error = S("refused")};
    pass(10);
    assert_string_equal(dump("{__name__=\"behind\"}"),
                        "{__name__=\"behind\", instance=\"h:1\", job=\"j\"} 1001=1\n");
    configure(
        "jobs: [{job_name: j, honor_timestamps: false, static_configs: [{targets: ['h:1']}]}]");
    say("behind 3 1001000\nfar 3 9000000\n");
    pass(10);
    say("");
    pass(10);
    assert_str(newest("{__name__=~\"behind|far\"}"),
               "{__name__=\"behind\", instance=\"h:1\", job=\"j\"} ended\n"
               "{__name__=\"far\", instance=\"h:1\", job=\"j\"} ended\n");
}

/* More than a worker is given at once: the exporter has to wait. */
static void test_a_large_body_comes_in_pieces(void **state)
{
    enum { LINES = 30000 };
    struct buf b = BUF_INIT;

    (void)state;
    for (int i = 0; i < LINES; i++)
        buf_addf(&b, "large_%d{text=\"%020d\"} %d\n", i, i, i);
    buf_addc(&b, '\0');
    say(b.p);
    start(ONE);
    pass(20);
    assert_int_equal(tsdb_stats(db).series, LINES + 5);
    assert_str(newest("{__name__=\"large_29999\"}"),
               "{__name__=\"large_29999\", instance=\"h:1\", job=\"j\", "
               "text=\"00000000000000029999\"} 29999\n");
    b.p[b.n - 3] = 'x'; /* the last value: all is refused */
    pass(10);
    assert_str(error_of_target(), "line 30000: a value is not a number: \"2999x\"");
    assert_str(newest("{__name__=\"large_7\"}"),
               "{__name__=\"large_7\", instance=\"h:1\", "
               "job=\"j\", text=\"00000000000000000007\"} ended\n");
    answer.delay = 5 * NS_PER_S;
    pass(7);
    configure("jobs: []"); /* while a scrape is under way */
    pass(10);
    assert_int_equal(n_targets, 1);
    buf_release(&b);
}

static void test_what_follows_the_end(void **state)
{
    (void)state;
    say("a 1\n# EOF\n");
    headers[0].value = S("application/openmetrics-text; version=1.0.0");
    start(ONE);
    pass(10);
    assert_str(error_of_target(), "");
    answer.body = S("a 1\n# EOF\nb 2\n");
    pass(10);
    assert_str(error_of_target(), "line 2: something follows # EOF: \"b 2\\n\"");
    answer.body = S("a 1\n");
    pass(10);
    assert_str(error_of_target(), "line 2: # EOF is missing");
}

static void test_targets_are_relabeled(void **state)
{
    (void)state;
    start("jobs: [{job_name: j, params: {module: [a, b]}, static_configs: [{targets: ['x:1', "
          "'drop:1'], labels: {zone: z}}], relabel_configs: [{source_labels: [__address__], regex: "
          "'drop.*', action: drop}, {source_labels: [__address__], target_label: __param_target}, "
          "{target_label: __address__, replacement: 'probe:9'}, {source_labels: [__param_target], "
          "target_label: instance}]}]");
    pass(10);
    assert_int_equal(scripted_count(net), 1);
    assert_str(scripted_at(net, 0)->http.url,
               "http://probe:9/metrics?module=a&module=b&target=x%3A1");
    assert_str(newest("{__name__=\"up\"}"),
               "{__name__=\"up\", instance=\"x:1\", job=\"j\", zone=\"z\"} 1\n");
    n_targets = 0;
    scraper_each_dropped(scraper, note, NULL);
    assert_int_equal(n_targets, 1);
}

static void test_a_reload_goes_on(void **state)
{
    size_t before;

    (void)state;
    start(ONE);
    pass(25);
    before = scripted_count(net);
    configure(ONE);
    pass(20);
    assert_int_equal(scripted_count(net), before + 2);
    assert_str(newest("{__name__=\"a\"}"), "{__name__=\"a\", instance=\"h:1\", job=\"j\"} 1\n");
    error_of_target();
    assert_int_equal(n_targets, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_samples_and_reports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_disappears_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_broken_body_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clashing_labels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_relabeling_and_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_target_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bounds_are_canonical, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_times_of_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_large_body_comes_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_follows_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_targets_are_relabeled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_reload_goes_on, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
