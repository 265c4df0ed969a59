/* Places: how many, whose turn it is, who is first, and who asked to be left alone. */
#include "unit.h"

#include "base/rand.h"
#include "core/queue.h"

enum { MANY = 3000 };

struct fixture {
    struct send_queue q;
    struct queue_entry v[MANY];
};

static int set_up(void **state)
{
    *state = mem_new(struct fixture);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < MANY; i++)
        queue_leave(&f->q, &f->v[i]);
    assert_int_equal(f->q.under_way + f->q.waiting + f->q.busy, 0);
    for (int i = 0; i < 10; i++)
        queue_hold(&f->q, (uint64_t)i, 1);
    assert_null(queue_next(&f->q, TS_MAX)); /* forgets what is held no longer */
    assert_int_equal(f->q.destinations.n, 0);
    queue_release(&f->q);
    mem_free(f);
    return 0;
}

static size_t serve(struct fixture *f, ts_ns now)
{
    size_t n = 0;

    while (queue_next(&f->q, now) != NULL)
        n++;
    return n;
}

static void one_takes_no_more_than_its_share(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < 100; i++)
        queue_join(&f->q, &f->v[i], 1, 1);
    assert_int_equal(serve(f, 0), QUEUE_SHARE);
    queue_join(&f->q, &f->v[100], 2, 1);
    assert_ptr_equal(queue_next(&f->q, 0), &f->v[100]); /* the other waits for nobody */
    queue_leave(&f->q, &f->v[5]);
    assert_ptr_equal(queue_next(&f->q, 0), &f->v[QUEUE_SHARE]); /* who joined first */
    assert_null(queue_next(&f->q, 0));
}

static void the_twenty_first_finds_room(void **state)
{
    struct fixture *f = *state;
    size_t n = 0;

    for (uint64_t d = 0; d < 20; d++)
        for (size_t i = 0; i < 100; i++)
            queue_join(&f->q, &f->v[n++], d, 1);
    assert_in_range(serve(f, 0), 200, QUEUE_PLACES - 1);
    queue_join(&f->q, &f->v[n], 20, 1);
    assert_ptr_equal(queue_next(&f->q, 0), &f->v[n]);
}

static void destinations_take_turns_and_the_urgent_go_first(void **state)
{
    struct fixture *f = *state;
    const struct queue_entry *got[6];

    for (size_t i = 0; i < 4; i++)
        queue_join(&f->q, &f->v[i], 1, 1);
    queue_join(&f->q, &f->v[4], 1, 0);
    queue_join(&f->q, &f->v[5], 2, 1);
    for (size_t i = 0; i < 6; i++)
        got[i] = queue_next(&f->q, 0);
    assert_ptr_equal(got[0], &f->v[4]);
    assert_ptr_equal(got[1], &f->v[5]);
    for (size_t i = 2; i < 6; i++)
        assert_ptr_equal(got[i], &f->v[i - 2]);
}

static void who_asked_to_be_left_alone_is(void **state)
{
    struct fixture *f = *state;

    queue_join(&f->q, &f->v[0], 1, 0);
    queue_join(&f->q, &f->v[1], 2, 1);
    queue_hold(&f->q, 1, 100);
    queue_hold(&f->q, 1, 50); /* a shorter wait ends no longer one */
    assert_int_equal(queue_opens(&f->q, 1), 100);
    assert_int_equal(queue_opens(&f->q, 2), TS_NONE);
    assert_int_equal(queue_due(&f->q), 100);
    assert_ptr_equal(queue_next(&f->q, 99), &f->v[1]);
    assert_null(queue_next(&f->q, 99));
    queue_join(&f->q, &f->v[2], 1, 0);
    assert_null(queue_next(&f->q, 99));
    assert_ptr_equal(queue_next(&f->q, 100), &f->v[0]);
    assert_ptr_equal(queue_next(&f->q, 100), &f->v[2]);
    assert_int_equal(queue_due(&f->q), TS_MAX);
}

/* Whatever happens, no place is lost and none is given twice. */
static void at_random(void **state)
{
    struct fixture *f = *state;

    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rand r = {seed};
        ts_ns now = 0;

        for (int step = 0; step < 2000; step++) {
            struct queue_entry *x = &f->v[rand_below(&r, MANY)];

            switch (rand_below(&r, 5)) {
            case 0:
            case 1:
                if (x->in == NULL)
                    queue_join(&f->q, x, rand_below(&r, 30), (unsigned char)rand_below(&r, 2));
                break;
            case 2: queue_leave(&f->q, x); break;
            case 3: queue_hold(&f->q, rand_below(&r, 30), now + (ts_ns)rand_below(&r, 50)); break;
            default:
                now += (ts_ns)rand_below(&r, 20);
                x = queue_next(&f->q, now);
                assert_true(x == NULL || x->has_place);
                break;
            }
            assert_true(f->q.under_way <= QUEUE_PLACES);
        }
        for (size_t left = f->q.waiting; f->q.waiting != 0; left = f->q.waiting) {
            for (size_t i = 0; i < MANY; i++)
                if (f->v[i].has_place)
                    queue_leave(&f->q, &f->v[i]);
            serve(f, TS_MAX);
            assert_true(f->q.waiting < left); /* nobody is forgotten */
        }
        for (size_t i = 0; i < MANY; i++)
            queue_leave(&f->q, &f->v[i]);
        assert_int_equal(f->q.under_way + f->q.busy, 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_takes_no_more_than_its_share),
        TEST(the_twenty_first_finds_room),
        TEST(destinations_take_turns_and_the_urgent_go_first),
        TEST(who_asked_to_be_left_alone_is),
        TEST(at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
