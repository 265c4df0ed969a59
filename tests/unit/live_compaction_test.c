/* The alert log written anew: in slices, each behind the one before, of what memory says when it is handed over. */
#include "unit.h"

#include "base/record.h"
#include "codec/pack.h"
#include "live/compaction.h"

static const struct now start = {1700000000 * NS_PER_S, 1000 * NS_PER_S};

struct fixture {
    struct engine e; /* of which a compaction reads its alerts, and nothing else */
    struct compaction c;
    struct state_backend b;
    uint64_t handed;
    size_t alerts, bytes; /* in the last slice */
    enum state_slice which;
    struct u64_map written; /* fingerprint -> updated_at, as written last */
};

static uint64_t slice(void *self, struct buf *records, enum state_slice which)
{
    struct fixture *f = self;
    str rest = buf_str(records), record;
    struct arena a;

    arena_init(&a, 0);
    f->alerts = 0;
    f->bytes = records->n;
    f->which = which;
    while (record_next(&rest, &record)) {
        struct unpack u = unpack_of(record);
        struct alert *got = alert_unpack(&u, &a, f->e.names, NS_PER_M, start);

        assert_non_null(got);
        assert_true(unpack_at_end(&u));
        u64_map_put(&f->written, alert_fingerprint(got), (void *)(uintptr_t)got->updated_at);
        alert_unref(got);
        f->alerts++;
    }
    assert_int_equal(rest.n, 0);
    buf_release(records);
    arena_release(&a);
    return ++f->handed;
}

static const struct state_backend_ops ops = {.alerts_slice = slice};

static int set_up(void **state)
{
    struct fixture *f = mem_new(struct fixture);

    f->e.names = interner_new();
    f->b = (struct state_backend){&ops, f};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    ALERT_TABLE_EACH (a, &f->e.alerts)
        alert_unref(a);
    alert_table_release(&f->e.alerts);
    u64_map_release(&f->written);
    compaction_release(&f->c);
    interner_free(f->e.names);
    mem_free(f);
    return 0;
}

static struct alert *add(struct fixture *f, size_t n, str text)
{
    char name[16];
    struct label l = {S("alertname"), {name, (size_t)snprintf(name, sizeof(name), "A%zu", n)}};
    struct label t = {S("text"), text};
    struct alert_input in = {.labels = {&l, 1},
                             .annotations = {&t, 1},
                             .starts_at = start.wall,
                             .ends_at = start.wall + NS_PER_H};
    struct alert *a = alert_new(f->e.names, &in, NS_PER_M, start);

    (void)alert_table_put(&f->e.alerts, a);
    return a;
}

static uint64_t step(struct fixture *f, uint64_t reported)
{
    return compaction_step(&f->c, &f->e, &f->b, reported);
}

static void slices_follow_each_other(void **state)
{
    struct fixture *f = *state;
    struct alert *last = NULL;
    uint64_t gone;

    for (size_t i = 0; i < 2500; i++)
        last = add(f, i, S("short"));
    assert_int_equal(step(f, 0), 0); /* not due */
    f->e.log_bytes = 100 << 20;
    assert_int_equal(step(f, 0), 1);
    assert_int_equal(f->which, STATE_SLICE_FIRST);
    assert_int_equal(f->alerts, 1000);
    assert_int_equal(step(f, 0), 0); /* the first is on its way */
    gone = alert_fingerprint(f->e.alerts.v[1500]);
    alert_unref(f->e.alerts.v[1500]);
    alert_table_del(&f->e.alerts, &f->e.alerts.v[1500]);
    last->updated_at += 7;
    add(f, 9999, S("logged by its own commit"));
    f->e.log_bytes += 77; /* which is in both logs */
    assert_int_equal(step(f, 1), 2);
    assert_int_equal(f->which, STATE_SLICE_NEXT);
    assert_int_equal(f->alerts, 999);
    assert_int_equal(step(f, 2), 3);
    assert_int_equal(f->which, STATE_SLICE_LAST);
    assert_int_equal(f->alerts, 500);
    assert_int_equal(f->written.n, 2499);
    assert_null(u64_map_get(&f->written, gone));
    assert_int_equal((uintptr_t)*u64_map_get(&f->written, alert_fingerprint(last)),
                     last->updated_at);
    assert_int_equal(f->e.log_bytes, f->e.live_bytes + 77);
    assert_int_equal(step(f, 3), 0);
}

static void a_slice_of_large_alerts_is_short(void **state)
{
    struct fixture *f = *state;
    size_t slices = 0;
    struct buf text = BUF_INIT;

    buf_pad(&text, 'x', 100000);
    for (size_t i = 0; i < 100; i++)
        add(f, i, buf_str(&text));
    buf_release(&text);
    f->e.log_bytes = 100 << 20;
    do {
        assert_int_equal(step(f, slices), slices + 1);
        assert_true(f->bytes < (1 << 20) + 100200);
        slices++;
    } while (!(f->which & STATE_SLICE_LAST));
    assert_int_equal(f->written.n, 100);
    assert_true(slices >= 9);
}

static void nothing_lives(void **state)
{
    struct fixture *f = *state;

    f->e.log_bytes = 2 << 20;
    assert_int_equal(step(f, 0), 1);
    assert_int_equal(f->which, STATE_SLICE_FIRST | STATE_SLICE_LAST);
    assert_int_equal(f->alerts, 0);
    assert_int_equal(f->e.log_bytes, 0);
}

static void trouble_ends_it(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < 1500; i++)
        add(f, i, S("short"));
    f->e.log_bytes = 2 << 20;
    assert_int_equal(step(f, 0), 1);
    compaction_stop(&f->c);
    assert_int_equal(step(f, 1), 2);
    assert_int_equal(f->which, STATE_SLICE_FIRST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(slices_follow_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slice_of_large_alerts_is_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_lives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trouble_ends_it, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
