/* What pieces of work count for: each for itself by the clock on the wall, the turn by the CPU of its thread. */
#include "unit.h"

#include <time.h>
#include "os/meter.h"

static dur_ns cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void burn(dur_ns by)
{
    dur_ns end = cpu() + by;

    while (cpu() < end)
        ;
}

static void test_pieces_in_pieces(void **state)
{
    struct meter m;
    enum piece outer, inner;

    (void)state;
    meter_begin(&m);
    outer = meter_enter(&m, PIECE_REQUEST);
    burn(2 * NS_PER_MS);
    inner = meter_enter(&m, PIECE_ALERTS);
    burn(4 * NS_PER_MS);
    meter_leave(&m, inner);
    burn(2 * NS_PER_MS);
    meter_leave(&m, outer);
    assert_int_equal(m.piece, PIECE_SOCKETS);
    meter_turn(&m, 7);
    assert_true(m.longest[PIECE_REQUEST] >= 4 * NS_PER_MS);
    assert_true(m.longest[PIECE_ALERTS] >= 4 * NS_PER_MS);
    /* what is no piece's is the sockets', of the thread's CPU */
    assert_true(m.cpu.sum >= 8 * NS_PER_MS);
    assert_true(m.longest[PIECE_SOCKETS] <= m.cpu.sum && m.longest[PIECE_SOCKETS] >= 0);
    assert_int_equal(m.cpu.max, m.cpu.sum);
    assert_int_equal(m.lag.sum, 7);
}

static void test_turns(void **state)
{
    struct meter m;
    dur_ns longest;
    uint64_t turns = 0;

    (void)state;
    meter_begin(&m);
    burn(3 * NS_PER_MS);
    meter_turn(&m, 0);
    longest = m.longest[PIECE_SOCKETS];
    burn(NS_PER_MS / 10);
    meter_turn(&m, 0); /* begins anew */
    assert_int_equal(m.longest[PIECE_SOCKETS], longest);
    assert_int_equal(m.cpu.max, longest);
    for (size_t i = 0; i <= TURN_BOUNDS; i++)
        turns += m.cpu.buckets[i];
    assert_int_equal(turns, 2);
}

static void test_nobody_measures(void **state)
{
    (void)state;
    meter_leave(NULL, meter_enter(NULL, PIECE_GC));
    meter_turn(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_in_pieces),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_nobody_measures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
