/* What a destination takes: never more than n in a span, whoever asks how often, and the urgent soon. */
#include "unit.h"

#include "base/rand.h"
#include "core/bucket.h"

enum { SENT_MAX = 4000 };

static struct pace_bucket bucket_with(unsigned messages, dur_ns per, unsigned burst)
{
    const struct receiver_pace pace = {.limits = {{messages, per, burst}}};
    struct pace_bucket b = {0};

    for (size_t i = 0; i < PACE_LIMITS; i++)
        b.limits[i].spent = TS_NONE;
    bucket_set(&b, &pace);
    return b;
}

/* How many of v, ascending, lie in the fullest span, both ends among it. */
static size_t most_in(const ts_ns *v, size_t n, dur_ns per)
{
    size_t most = 0, first = 0;

    for (size_t i = 0; i < n; i++) {
        while (v[i] - v[first] > per)
            first++;
        most = i - first + 1 > most ? i - first + 1 : most;
    }
    return most;
}

static void never_more_than_n_in_any_span(void **state)
{
    static const unsigned counts[] = {2, 3, 4, 5, 6, 20, 100};
    static ts_ns sent[SENT_MAX];
    struct rand r = {.state = 7};

    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(counts); c++)
        for (int greedy = 0; greedy < 2; greedy++) {
            struct pace_bucket b = bucket_with(counts[c], NS_PER_M, 0);
            ts_ns now = NS_PER_H;
            size_t n = 0;

            while (n < SENT_MAX) {
                ts_ns opens = bucket_opens(&b);

                now = opens > now ? opens : now;
                if (!greedy)
                    now += (dur_ns)rand_below(&r, (uint64_t)NS_PER_M / counts[c]);
                assert_true(bucket_left(&b, now) >= 1);
                bucket_take(&b, now);
                sent[n++] = now;
            }
            assert_in_range(most_in(sent, n, NS_PER_M), counts[c] > 2 ? counts[c] / 2 : 1,
                            counts[c]);
        }
}

/* Not n at once and then nothing for a span: who is urgent waits for a share of it. */
static void the_next_is_soon(void **state)
{
    struct pace_bucket b = bucket_with(20, NS_PER_M, 0);
    ts_ns now = NS_PER_H;
    size_t at_once = 0;

    (void)state;
    for (; bucket_left(&b, now) != 0; at_once++)
        bucket_take(&b, now);
    assert_int_equal(at_once, 10);
    assert_in_range(bucket_opens(&b) - now, 7 * NS_PER_S, 7 * NS_PER_S + 1);
}

static void a_burst_is_taken_as_it_is(void **state)
{
    struct pace_bucket b = bucket_with(1, NS_PER_S, 25);
    ts_ns now = NS_PER_H;

    (void)state;
    assert_int_equal(bucket_left(&b, now), 25);
    for (int i = 0; i < 25; i++)
        bucket_take(&b, now);
    assert_int_equal(bucket_left(&b, now), 0);
    assert_int_equal(bucket_opens(&b) - now, NS_PER_S);
}

/* Each was under way for 30 s and arrived at the end of them: as if it had been sent then. */
static void what_arrives_late_counts_then(void **state)
{
    static ts_ns arrived[SENT_MAX];
    struct pace_bucket b = bucket_with(20, NS_PER_M, 0);
    ts_ns now = NS_PER_H;
    size_t sent = 0, n = 0;

    (void)state;
    for (; n < 300; now += NS_PER_S) {
        bool is_slow = (now / (5 * NS_PER_M)) % 2 == 0;

        while (n < sent && arrived[n] <= now)
            (void)bucket_arrived(&b, 30 * NS_PER_S, arrived[n++]);
        while (sent < 310 && is_slow && bucket_left(&b, now) != 0) {
            bucket_take(&b, now);
            arrived[sent++] = now + 30 * NS_PER_S;
        }
    }
    assert_in_range(most_in(arrived, n, NS_PER_M), 9, 20);
}

static void without_limits_all_is_taken(void **state)
{
    struct pace_bucket b = bucket_with(0, NS_PER_M, 0);

    (void)state;
    bucket_take(&b, NS_PER_H);
    assert_true(bucket_opens(&b) == TS_NONE);
    assert_true(bucket_left(&b, NS_PER_H) > 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_than_n_in_any_span),
        cmocka_unit_test(the_next_is_soon),
        cmocka_unit_test(a_burst_is_taken_as_it_is),
        cmocka_unit_test(what_arrives_late_counts_then),
        cmocka_unit_test(without_limits_all_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
