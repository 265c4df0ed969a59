#include "tsdb_fixture.h"

#include <math.h>
#include "tsdb/codes.h"

enum { ROW = 60, KINDS = 12 };

static uint64_t seed = 1;

static uint32_t dice(uint32_t sides)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(seed >> 33) % sides;
}

static double bits(void)
{
    uint64_t x = (uint64_t)dice(UINT32_MAX) << 32 | dice(UINT32_MAX);
    double v;

    memcpy(&v, &x, sizeof(v));
    return v;
}

/* What exporters send, and what nobody should. */
static double next_of(uint32_t kind, double last)
{
    static const double odd[] = {0,         -0.0,         1e300,     -1e300, 5e-324,       INFINITY,
                                 -INFINITY, NAN,          0x1p50,    0x1p53, 32765,        -32765,
                                 32766,     2147483645,   -1e-9,     0.1,    2147483646.0, 1e-10,
                                 123456.7,  4294967295.0, 0x1p50 - 1};

    switch (kind) {
    case 0: return last + dice(20);
    case 1: return last + dice(4000); /* leaves the two bytes behind */
    case 2: return last + dice(100000000);
    case 3: return last + 1e10 * dice(100);
    case 4: return dice(10000) / 100.0;
    case 5: return 1.79e9 + dice(1000000) / 1e6;
    case 6: return dice(1000) / 1000.0 - 0.5;
    case 7: return last + dice(1000) / 3.0;
    case 8: return dice(40) == 0 ? bits() : dice(100);
    case 9: return odd[dice(ARRAY_LEN(odd))];
    case 10: return dice(200) == 0 ? 0 : last + dice(500); /* is reset */
    default: return bits();
    }
}

static storage_slot slot_of(uint32_t kind, double *last)
{
    storage_slot slot;

    switch (dice(30)) {
    case 0: return STORAGE_ABSENT;
    case 1: return STORAGE_STALE;
    default: break;
    }
    *last = next_of(kind, *last);
    slot = storage_float(*last);
    if (!(*last - *last == 0))
        *last = 0;
    return slot == STORAGE_STALE || slot == STORAGE_ABSENT || storage_is_histogram(slot)
               ? STORAGE_NAN
               : slot;
}

static void rows_come_back_to_the_bit(void **state)
{
    size_t narrow[9] = {0};

    (void)state;
    for (int round = 0; round < 20000; round++) {
        storage_slot v[ROW], out[ROW], row[ROW];
        uint32_t kind = dice(KINDS), n = dice(ROW) + 1, begin = dice(n);
        double last = dice(5) * 1000;
        struct storage_codes c;

        for (uint32_t i = 0; i < n; i++)
            v[i] = slot_of(kind, &last);
        c = codes_for(v, n, dice(3) == 0 ? 4 : 2);
        narrow[c.bytes]++;
        for (uint32_t i = 0; i < n; i++)
            assert_true(codes_put(&c, row, i, v[i]));
        storage_row_slots(row, &c, begin, n, out);
        for (uint32_t i = 0; i < n; i++) {
            assert_true(storage_row_at(row, &c, i) == v[i]);
            assert_true(i < begin || out[i - begin] == v[i]);
        }
        /* What is refused is left as it was; what is taken comes back. */
        v[0] = slot_of(kind, &last);
        row[0] = c.bytes == sizeof(row[0]) ? v[0] : row[0];
        if (codes_put(&c, row, 0, v[0]))
            assert_true(storage_row_at(row, &c, 0) == v[0]);
        if (n > 1)
            assert_true(storage_row_at(row, &c, 1) == v[1]);
    }
    assert_true(narrow[2] > 4000 && narrow[4] > 2000 && narrow[8] > 2000);
}

static storage_slot at_end(struct storage_selector *sel, uint32_t i, size_t back, bool *found)
{
    struct storage st = tsdb_storage(db);
    struct storage_series v;

    storage_read(st, &storage_ids(st, sel).v[i], 1, &v);
    *found = back < v.n;
    return *found ? storage_at(&v, v.n - 1 - back) : STORAGE_ABSENT;
}

/* A store of all kinds, whose series change their kind, gain histograms, end and begin anew, beside a plain list. */
static void a_store_gives_back_what_it_took(void **state)
{
    enum { SERIES = 90, TIMES = 400, KEEP = 20 };
    static storage_slot model[SERIES][TIMES];
    struct storage_selector *all;
    struct tsdb_stream *s;
    double last[SERIES] = {0};
    uint32_t kind[SERIES];
    struct histogram h;
    size_t most = 0;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true});
    h = exponential(1, 2);
    all = selector("{__name__=\"m\"}", KEEP * STEP);
    s = stream("a");
    for (uint32_t i = 0; i < SERIES; i++)
        kind[i] = dice(KINDS);
    for (uint32_t t = 0; t < TIMES; t++) {
        begin(s, (ts_ms)(t + 1) * STEP);
        for (uint32_t i = 0; i < SERIES; i++) {
            char text[32];

            snprintf(text, sizeof(text), "m{i=\"%02u\"}", i);
            if (dice(100) == 0)
                kind[i] = dice(KINDS);
            model[i][t] = slot_of(kind[i], &last[i]);
            if (t != 0 && model[i][t] == STORAGE_ABSENT) {
                model[i][t] = model[i][t - 1] == STORAGE_STALE || model[i][t - 1] == STORAGE_ABSENT
                                  ? STORAGE_ABSENT
                                  : STORAGE_STALE;
                continue;
            }
            if (model[i][t] == STORAGE_ABSENT)
                model[i][t] = 0;
            if (kind[i] == 8 && dice(20) == 0) {
                model[i][t] = STORAGE_HISTOGRAM;
                tsdb_batch_add_histogram(&batch, TSDB_REF_NEW, labels(text), &h);
            } else {
                tsdb_batch_add(&batch, TSDB_REF_NEW, labels(text), 0);
                vec_last(&batch.items)->slot = model[i][t];
            }
        }
        commit();
        if (t == TIMES / 2) /* rows go to a longer table */
            release(selector("{__name__=\"m\",i=~\"1.\"}", 2 * KEEP * STEP));
        storage_begin(tsdb_storage(db));
        for (uint32_t i = 0; i < SERIES; i++)
            for (uint32_t back = 0; back < KEEP && back <= t; back++) {
                bool found;
                storage_slot got = at_end(all, i, back, &found), wanted = model[i][t - back];

                assert_true(found);
                assert_true(wanted == STORAGE_HISTOGRAM ? storage_is_histogram(got)
                                                        : got == wanted);
            }
        storage_end(tsdb_storage(db));
        most = tsdb_stats(db).bytes > most ? tsdb_stats(db).bytes : most;
        arena_reset(&arena);
        h = exponential(1, 2);
    }
    assert_true(most < SERIES * 2 * KEEP * 8 * 3);
    release(all);
    close_db();
}

/* A row that wants wider samples than the store has memory for refuses the sample, and only that. */
static void widening_stays_within_the_limit(void **state)
{
    size_t bytes;

    (void)state;
    open_with((struct tsdb_options){.keep_all = true, .min_reach_ms = 1000000});
    begin(stream("a"), STEP);
    put("m{i=\"1\"}", 1);
    put("m{i=\"2\"}", 2);
    commit();
    bytes = tsdb_stats(db).bytes;
    close_db();

    open_with(
        (struct tsdb_options){.keep_all = true, .min_reach_ms = 1000000, .max_bytes = bytes + 100});
    begin(stream("a"), STEP);
    put("m{i=\"1\"}", 1);
    put("m{i=\"2\"}", 2);
    commit();
    begin(stream("a"), 2 * STEP);
    put("m{i=\"1\"}", 1.0 / 3);
    put("m{i=\"2\"}", 3);
    commit();
    assert_int_equal(tsdb_stats(db).refused[TSDB_TOO_MUCH_MEMORY], 1);
    assert_string_equal(
        dump("{__name__=\"m\"}"),
        "{__name__=\"m\", i=\"1\"} 15=1 30=stale\n{__name__=\"m\", i=\"2\"} 15=2 30=3\n");
    close_db();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_to_the_bit),
        cmocka_unit_test(a_store_gives_back_what_it_took),
        cmocka_unit_test(widening_stays_within_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
