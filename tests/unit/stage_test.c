/* The stage: two instances share the time and the network, and nothing else; one seed tells everything. */
#include "conf_text.h"

#include "codec/json.h"
#include "config/config.h"
#include "stage/stage.h"

enum { SEEDS = 50, MINUTES = 20 };

static const struct now start = {1700000000 * NS_PER_S, 1000 * NS_PER_S};

struct fixture {
    struct stage stage;
    struct stage_instance a, b;
    struct buf told[2]; /* of each instance: what came to its receiver, and when */
    size_t messages[2];
};

static struct scripted_answer sink(void *arg, struct stage_instance *i,
                                   const struct scripted_request *rq)
{
    struct fixture *f = arg;
    size_t which = i == &f->b;

    f->messages[which]++;
    buf_addf(&f->told[which], "%.3f %.*s\n", (double)(rq->at.mono - start.mono) / NS_PER_S,
             STR(rq->http.body));
    return (struct scripted_answer){.status = 200};
}

static struct config *load(void)
{
    return config_of_text("t.yml",
                          S("route: {receiver: r, group_by: [alertname], group_wait: 10s}\n"
                            "receivers: [{name: r, webhook_configs: [{url: 'http://sink'}]}]\n"));
}

static void post(void *arg)
{
    struct stage_instance *i = arg;
    struct label name = {S("alertname"), S("A")};
    struct alert_input in = {.labels = {&name, 1}, .ends_at = TS_NONE};
    struct event ev = {.kind = EVENT_ALERTS, .alerts = {.v = &in, .n = 1}};

    in.starts_at = stage_now(i).wall;
    in.ends_at = ts_add(in.starts_at, 4 * NS_PER_M);
    shell_event(i->shell, &ev, NULL);
}

static void go_on(struct fixture *f, ts_ns until)
{
    ts_ns next;

    while ((next = stage_next(&f->stage)) <= until) {
        stage_move(&f->stage, next);
        stage_turn(&f->a, NULL, NULL);
        stage_turn(&f->b, NULL, NULL);
    }
    stage_move(&f->stage, until);
}

/* a has its power cut and a wall clock that is set; b has neither. */
static void run(struct fixture *f, uint64_t seed)
{
    const struct stage_life life = {.serve = sink, .arg = f, .host = S("h")};

    *f = (struct fixture){.messages = {0}};
    stage_init(&f->stage, seed, start);
    stage_add(&f->stage, &f->a, &life);
    stage_add(&f->stage, &f->b, &life);
    f->a.pace = f->b.pace = (struct stage_pace){2 * NS_PER_S, 3 * NS_PER_S, 9 * NS_PER_S};
    stage_begin(&f->a, load());
    stage_begin(&f->b, load());
    for (int m = 0; m < MINUTES; m++) {
        stage_turn(&f->a, post, &f->a);
        stage_turn(&f->b, post, &f->b);
        go_on(f, start.mono + (ts_ns)(m + 1) * NS_PER_M);
        if (m == 7)
            stage_step_wall(&f->a, NS_PER_H);
        if (m == 10) {
            stage_cut(&f->a);
            stage_begin(&f->a, load());
        }
    }
    stage_end(&f->a);
    stage_end(&f->b);
    stage_release(&f->stage);
}

static void release(struct fixture *f)
{
    buf_release(&f->told[0]);
    buf_release(&f->told[1]);
}

static void one_seed_tells_everything(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct fixture f, again;

        run(&f, seed);
        run(&again, seed);
        for (int i = 0; i < 2; i++)
            assert_true(str_eq(buf_str(&f.told[i]), buf_str(&again.told[i])));
        assert_int_equal(f.messages[1], 1); /* its alert fires all the time */
        assert_true(f.messages[0] >= 1);    /* and TocsinClockStepped */
        release(&f);
        release(&again);
    }
}

/* -- the stepped pool -- */

struct counted {
    struct job job;
    int run, done;
};

static void count_run(struct job *j)
{
    container_of(j, struct counted, job)->run++;
}

static void count_done(struct job *j)
{
    container_of(j, struct counted, job)->done++;
}

static struct job_pace second(void *arg)
{
    return (struct job_pace){.takes = NS_PER_S, .runs_first = *(bool *)arg};
}

static void jobs_take_time(void **state)
{
    struct counted v[4];
    struct clock c;

    (void)state;
    for (int first = 0; first < 2; first++) {
        bool runs_first = first != 0;
        struct pool *p;

        clock_init_stepped(&c, start);
        p = pool_new_stepped(&c, 2, second, &runs_first);
        for (int i = 0; i < 4; i++) {
            v[i] = (struct counted){.job = {.run = count_run, .done = count_done}};
            pool_run(p, WORK_RULE, &v[i].job);
        }
        assert_int_equal(pool_queued(p), 4);
        assert_int_equal(v[0].run, first); /* at one end of its time or at the other */
        assert_int_equal(v[2].run, 0);     /* no thread is free */
        clock_step_to(&c, start.mono + NS_PER_S);
        assert_int_equal(v[0].run + v[0].done + v[1].done, 3);
        assert_int_equal(v[2].done, 0);
        pool_take_back(p, &v[2].job);
        assert_int_equal(pool_settle(p), 1);
        assert_int_equal(v[2].done, 0);
        assert_int_equal(v[3].done, 1);
        assert_int_equal(clock_next(&c), TS_MAX);
        pool_free(p);
        clock_release(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(jobs_take_time),
                                       cmocka_unit_test(one_seed_tells_everything)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
