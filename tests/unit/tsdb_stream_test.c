/* A stream between a new sample and its settling: rows that come, go and move meanwhile. */
#include "unit.h"

#include "promql/storage.h"
#include "tsdb/stream.h"

enum { REACH = 60000 };

static struct slab slab;
static size_t bytes;

static void begin(struct tsdb_stream *s, const char *name)
{
    stream_init(s, &(struct tsdb_stream_conf){str_of(name), 1000, true}, &slab, &bytes);
}

static struct series_place row(struct tsdb_stream *s, uint32_t id)
{
    struct series_place p = {0};

    stream_add_row(s, REACH, id, storage_float(1), &p);
    s->n_series++;
    return p;
}

static storage_slot newest(const struct series_place *p)
{
    struct storage_series x;

    stream_read(p, &x);
    assert_true(x.last == storage_at(&x, x.n - 1));
    return x.last;
}

static void a_row_that_is_used_again_has_nothing(void **state)
{
    struct tsdb_stream s;
    struct series_place p, q;

    (void)state;
    begin(&s, "s");
    p = row(&s, 1);
    stream_advance(&s, 1000);
    assert_int_equal(stream_put(&s, &p, storage_float(1)), STREAM_PUT);
    assert_int_equal(stream_put(&s, &p, storage_float(1)), STREAM_HAS_ONE);
    stream_settle(&s, true);
    q = row(&s, 2);
    stream_del_row(&s, &p);
    p = row(&s, 3);
    assert_int_equal(p.row, 0);
    assert_false(stream_has(&p));
    assert_int_equal(stream_put(&s, &p, storage_float(2)), STREAM_PUT);
    assert_true(newest(&p) == storage_float(2) && newest(&q) == STORAGE_ABSENT);
    stream_release(&s);
    assert_int_equal(bytes, 0);
}

static void what_comes_to_an_open_sample_ends_without_one(void **state)
{
    struct tsdb_stream s, other;
    struct series_place p, q;

    (void)state;
    begin(&s, "s");
    begin(&other, "other");
    p = row(&s, 1);
    q = row(&s, 2);
    stream_advance(&s, 1000);
    stream_advance(&other, 1000);
    assert_int_equal(stream_put(&s, &p, storage_float(1)), STREAM_PUT);
    assert_int_equal(stream_put(&s, &q, storage_float(1)), STREAM_PUT);
    stream_settle(&s, true);
    stream_settle(&other, true);
    stream_advance(&other, 2000);
    stream_move(&other, &p);
    stream_move(&other, &q);
    assert_int_equal(stream_put(&other, &q, storage_float(1)), STREAM_PUT);
    stream_settle(&other, true);
    assert_true(newest(&p) == STORAGE_STALE && newest(&q) == storage_float(1));
    stream_advance(&other, 3000);
    assert_int_equal(stream_put(&other, &q, storage_float(1)), STREAM_PUT);
    stream_settle(&other, true);
    assert_true(newest(&p) == STORAGE_ABSENT && newest(&q) == storage_float(1));
    stream_release(&s);
    stream_release(&other);
    assert_int_equal(bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_is_used_again_has_nothing),
        cmocka_unit_test(what_comes_to_an_open_sample_ends_without_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
