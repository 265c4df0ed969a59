#include "unit.h"

#include "base/mem.h"
#include "live/http_later.h"

/* What one answer went through. */
struct counts {
    int runs, answers, frees;
};

struct later {
    struct http_later later;
    struct counts *counts;
    str text;         /* in the arena */
    bool client_goes; /* while it runs */
};

static struct http_laters all;
static struct clock clock_;

static int start(void **state)
{
    (void)state;
    clock_init_stepped(&clock_, (struct now){.wall = 0, .mono = NS_PER_S});
    all = (struct http_laters){.pool = pool_new_inline(), .clock = &clock_};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    assert_null(all.first);
    for (unsigned c = 0; c < WORK_CLASSES; c++)
        assert_int_equal(all.under_way[c], 0);
    pool_free(all.pool);
    clock_release(&clock_);
    return 0;
}

static void go(struct http_req *rq)
{
    rq->on_gone(rq, rq->ctx);
    rq->on_gone = NULL;
}

static void run(struct http_later *l)
{
    struct later *x = container_of(l, struct later, later);

    x->counts->runs++;
    assert_false(http_later_is_gone(l));
    if (x->client_goes) {
        go(l->request);
        assert_true(http_later_is_gone(l));
    }
}

static void answer(struct http_later *l)
{
    assert_non_null(l->request);
    assert_null(l->request->on_gone);
    container_of(l, struct later, later)->counts->answers++;
}

static void free_later(struct http_later *l)
{
    struct later *x = container_of(l, struct later, later);

    x->counts->frees++;
    assert_str(x->text, "text");
    mem_free(x);
}

static struct later *begin(struct counts *c)
{
    struct later *x = mem_new(struct later);

    http_later_begin(&x->later, &all, 0);
    x->later.run = run;
    x->later.answer = answer;
    x->later.free = free_later;
    x->counts = c;
    x->text = arena_str(&x->later.arena, S("text"));
    return x;
}

#define assert_counts(c, r, a, f)                                                                  \
    (assert_int_equal((c).runs, r), assert_int_equal((c).answers, a),                              \
     assert_int_equal((c).frees, f))

static void runs_and_answers(void **state)
{
    struct counts c = {0};
    struct http_req rq = {0};

    (void)state;
    http_later_run(&begin(&c)->later, &rq, WORK_QUERY);
    assert_int_equal(all.under_way[WORK_QUERY], 1);
    assert_counts(c, 0, 0, 0);
    pool_drain(all.pool);
    assert_counts(c, 1, 1, 1);
}

/* Queued: it never runs. Running: it is told, and nobody is answered. */
static void ends_with_the_client(void **state)
{
    struct counts queued = {0}, running = {0};
    struct http_req rq[2] = {0};
    struct later *x;

    (void)state;
    http_later_run(&begin(&queued)->later, &rq[0], WORK_QUERY);
    go(&rq[0]);
    assert_counts(queued, 0, 0, 1);
    assert_int_equal(pool_queued(all.pool), 0);
    x = begin(&running);
    x->client_goes = true;
    http_later_run(&x->later, &rq[1], WORK_QUERY);
    pool_drain(all.pool);
    assert_counts(running, 1, 0, 1);
}

static void waits_for_something_else(void **state)
{
    struct counts c = {0};
    struct http_req rq = {0};
    struct later *x = begin(&c);

    (void)state;
    http_later_wait(&x->later, &rq);
    assert_ptr_equal(http_later_take(&x->later), &rq);
    assert_null(rq.on_gone);
    http_later_free(&x->later);
    x = begin(&c);
    http_later_wait(&x->later, &rq);
    go(&rq);
    assert_counts(c, 0, 0, 1); /* what it waits for still comes */
    assert_null(http_later_take(&x->later));
    http_later_free(&x->later);
    http_later_free(&begin(&c)->later); /* answered at once */
    assert_counts(c, 0, 0, 3);
}

/* What waits for another event stays until that comes. */
static void a_stop_ends_what_is_queued(void **state)
{
    enum { N = 3 };
    struct counts c[N] = {0};
    struct http_req rq[N] = {0};
    struct later *waits = begin(&c[0]);

    (void)state;
    http_later_wait(&waits->later, &rq[0]);
    for (size_t i = 1; i < N; i++)
        http_later_run(&begin(&c[i])->later, &rq[i], i == 1 ? WORK_QUERY : WORK_SOURCE);
    http_laters_stop(&all);
    assert_int_equal(pool_queued(all.pool), 0);
    assert_counts(c[0], 0, 0, 0);
    for (size_t i = 1; i < N; i++)
        assert_counts(c[i], 0, 0, 1);
    http_later_free(&waits->later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_and_answers, start, stop),
        cmocka_unit_test_setup_teardown(ends_with_the_client, start, stop),
        cmocka_unit_test_setup_teardown(waits_for_something_else, start, stop),
        cmocka_unit_test_setup_teardown(a_stop_ends_what_is_queued, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
