#include "unit.h"

#include "base/mem.h"
#include "promql/gather.h"

/* A store whose series all have the same samples, and that changes whenever nobody holds it. */
enum { SERIES = 2000, ROW = 40 };

static struct {
    uint32_t ids[2 * SERIES];
    size_t n;
    uint64_t epoch;
    bool is_held;
    size_t spans, read, most_read; /* samples in this span; in any */
    size_t row;
    void (*between)(void);
} store;

static ts_ms times[100000];
static storage_slot row[100000];

static void begin(void *impl)
{
    (void)impl;
    assert_false(store.is_held);
    store.is_held = true;
    store.spans++;
    store.read = 0;
}

static void end(void *impl)
{
    (void)impl;
    assert_true(store.is_held);
    store.is_held = false;
    if (store.read > store.most_read)
        store.most_read = store.read;
    if (store.between != NULL)
        store.between();
}

static struct storage_selector *select_all(void *impl, const struct matchers *m, int64_t reach,
                                           struct err *e)
{
    (void)m, (void)reach, (void)e;
    return impl;
}

static void release(void *impl, struct storage_selector *s)
{
    assert_ptr_equal(impl, s);
}

static struct storage_ids ids(void *impl, struct storage_selector *s)
{
    (void)impl, (void)s;
    assert_true(store.is_held);
    return (struct storage_ids){store.ids, store.n, store.epoch};
}

static void read_series(void *impl, const uint32_t *v, size_t n, struct storage_series *out)
{
    (void)impl, (void)v;
    assert_true(store.is_held);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct storage_series){
            .times = times, .row = row, .codes = STORAGE_PLAIN, .n = store.row};
        store.read += store.row;
    }
}

static struct labels labels_of(void *impl, uint32_t id, struct arena *a)
{
    struct label *l = arena_new(a, struct label);

    (void)impl;
    *l = (struct label){S("id"), arena_printf(a, "%u", id)};
    return (struct labels){l, 1};
}

static const struct storage_ops ops = {.begin = begin,
                                       .end = end,
                                       .select = select_all,
                                       .release = release,
                                       .ids = ids,
                                       .read = read_series,
                                       .labels = labels_of};
static const struct storage port = {&ops, &store};

static int start(void **state)
{
    (void)state;
    memset(&store, 0, sizeof(store));
    for (uint32_t i = 0; i < SERIES; i++)
        store.ids[store.n++] = i;
    store.row = ROW;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        times[i] = (ts_ms)i;
        row[i] = storage_float((double)i);
    }
    return 0;
}

static bool goes_on(void *arg)
{
    size_t *left = arg;

    return left == NULL || (*left)-- != 0;
}

static size_t found;
static bool has_seen[2 * SERIES];

static void gather(size_t max_bytes, size_t *slices, bool is_whole)
{
    struct gather *g = gather_new(port, max_bytes, goes_on, slices);
    struct storage st = gather_storage(g);
    struct storage_selector *s = storage_select(st, &(struct matchers){NULL, 0}, 0, NULL);
    struct storage_ids got;

    memset(has_seen, 0, sizeof(has_seen));
    storage_begin(st);
    assert_false(store.is_held);
    assert_int_equal(gather_is_whole(g), is_whole);
    got = storage_ids(st, s);
    found = got.n;
    for (size_t i = 0; is_whole && i < got.n; i++) {
        struct storage_series x;
        uint64_t id;

        assert_true(str_to_u64(labels_get(storage_labels(st, got.v[i], NULL), S("id")), &id));
        assert_false(has_seen[id]);
        has_seen[id] = true;
        storage_read(st, &got.v[i], 1, &x);
        assert_int_equal(x.n, store.row);
        assert_int_equal(x.times[x.n - 1], x.n - 1);
        assert_true(storage_at(&x, x.n - 1) == storage_float((double)(x.n - 1)));
    }
    storage_end(st);
    storage_release(st, s);
    gather_free(g);
}

static void slices_are_small(void **state)
{
    (void)state;
    gather(0, NULL, true);
    assert_int_equal(found, SERIES);
    assert_in_range(store.spans, SERIES / 256, SERIES / 256 + 2);
    store.row = 50000; /* a few fill a slice */
    store.n = 20;
    store.spans = 0;
    gather(0, NULL, true);
    assert_int_equal(found, 20);
    assert_in_range(store.spans, 10, 11);
    assert_in_range(store.most_read, 1, 2 * 50000);
}

/* In each pause the last 100 go, of which 50 come back as others: under their ids, which have not been read yet, or under
 * ids that are new. */
static void change(void)
{
    if (store.n <= 1000)
        return;
    store.n -= 100;
    for (uint32_t i = 0; i < 50; i++)
        store.ids[store.n++] = (uint32_t)(SERIES + store.spans * 50 + i);
    store.epoch++;
}

static void series_go_and_come(void **state)
{
    (void)state;
    store.between = change;
    gather(0, NULL, true);
    for (uint32_t id = 0; id < 1000; id++) /* that have stayed all the time */
        assert_true(has_seen[id]);
    for (uint32_t id = SERIES; id < 2 * SERIES; id++) /* that were not there at the beginning */
        assert_false(has_seen[id]);
    assert_in_range(found, 1000, SERIES - 100);
}

static void may_be_stopped(void **state)
{
    size_t slices = 2;

    (void)state;
    gather(0, &slices, false);
    assert_int_equal(store.spans, 3);
    store.spans = 0;
    gather(100 * ROW * sizeof(storage_slot), NULL, false);
    assert_in_range(store.spans, 1, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(slices_are_small, start),
        cmocka_unit_test_setup(series_go_and_come, start),
        cmocka_unit_test_setup(may_be_stopped, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
