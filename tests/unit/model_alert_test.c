#include "unit.h"

#include "base/attr.h"
#include "codec/pack.h"
#include "model/alert.h"

#define SEC 1000000000ll
#define T0  (1000000 * SEC)

static struct interner *names;

static struct now at(int64_t s)
{
    return (struct now){T0 + s * SEC, (5000 + s) * SEC};
}

/* An alert posted at `when`; 0 = time not given. Seconds since T0. */
static struct alert *make(int64_t when, int64_t starts, int64_t ends, const char *summary)
{
    static const struct label labels[] = {{S_INIT("alertname"), S_INIT("X")}};
    struct label ann = {S("summary"), str_of(summary)};
    struct alert_input in = {.labels = {labels, 1},
                             .annotations = {&ann, 1},
                             .starts_at = starts != 0 ? T0 + starts * SEC : TS_NONE,
                             .ends_at = ends != 0 ? T0 + ends * SEC : TS_NONE};

    return alert_new(names, &in, 300 * SEC, at(when));
}

static void assert_times(const struct alert *a, int64_t starts, int64_t ends)
{
    assert_int_equal(a->starts_at, T0 + starts * SEC);
    assert_int_equal(a->ends_at, T0 + ends * SEC);
}

/* alertmanager.md 3.2: what is not given. */
static void defaults(void **state)
{
    struct alert *a = make(100, 0, 0, "a"), *b = make(100, 0, 90, "b"), *c = make(100, 50, 0, "c");

    (void)state;
    assert_times(a, 100, 400);
    assert_true(a->is_timeout);
    assert_times(b, 90, 90);
    assert_true(alert_is_resolved(b, at(100)));
    assert_times(c, 50, 400);
    assert_false(alert_is_resolved(a, at(399)));
    assert_true(alert_is_resolved(a, at(400)));
    alert_unref(a);
    alert_unref(b);
    alert_unref(c);
}

struct merge {
    int64_t old_starts, old_ends, new_starts,
        new_ends; /* posted at 100 and 200; ends 0 = timeout */
    int64_t starts, ends;
    bool news;
};

static const struct merge merges[] = {
    {100, 500, 200, 600, 100, 600,
     false}, /* overlap: earlier start, later end; only the end moved */
    {100, 500, 100, 400, 100, 500, false}, /* the older was told to last longer */
    {100, 0, 200, 250, 100, 250, false},   /* the older's end was only a timeout (400) */
    {100, 500, 100, 200, 100, 200, true},  /* resolved now: that is news */
    {100, 150, 180, 600, 180, 600, true},  /* a gap: a new life */
    {100, 500, 90, 600, 90, 600, true},    /* an earlier start is news */
};

static void merging(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(merges); i++) {
        const struct merge *m = &merges[i];
        struct alert *old = make(100, m->old_starts, m->old_ends, "s");
        struct alert *in = make(200, m->new_starts, m->new_ends, "s");
        bool news = alert_store_over(old, in, at(200));

        if (news != m->news || old->starts_at != T0 + m->starts * SEC ||
            old->ends_at != T0 + m->ends * SEC)
            print_error("row %zu\n", i);
        assert_times(old, m->starts, m->ends);
        assert_int_equal(news, m->news);
        alert_unref(old);
        alert_unref(in);
    }
}

static void new_annotations_are_news(void **state)
{
    struct alert *old = make(100, 100, 500, "cold"), *in = make(200, 100, 600, "hot");

    (void)state;
    assert_true(alert_store_over(old, in, at(200)));
    assert_str(label_set_get(old->annotations, S("summary")), "hot");
    alert_unref(old);
    alert_unref(in);
}

/* design.md 4 "alerts on disk": kept until max(resolve_timeout, its last endsAt - updatedAt) after the start. */
static void restored(void **state)
{
    struct alert *a = make(100, 100, 1100, "s"), *b = make(100, 50, 90, "s"), *back;
    struct buf buf = BUF_INIT;
    struct arena scratch;
    struct unpack u;

    (void)state;
    arena_init(&scratch, 0);
    alert_pack(&buf, a);
    u = unpack_of(buf_str(&buf));
    back = alert_unpack(&u, &scratch, names, 300 * SEC, at(5000));
    assert_non_null(back);
    assert_true(back->labels == a->labels);
    assert_false(alert_is_resolved(back, at(5999)));
    assert_true(alert_is_resolved(back, at(6000)));
    alert_unref(back);
    buf_clear(&buf);
    alert_pack(&buf, b);
    u = unpack_of(buf_str(&buf));
    back = alert_unpack(&u, &scratch, names, 300 * SEC, at(5000));
    assert_true(alert_is_resolved(back, at(5000)));
    assert_times(back, 50, 90);
    for (size_t cut = 0; cut < buf.n; cut++) {
        u = unpack_of(str_sub(buf_str(&buf), 0, cut));
        assert_null(alert_unpack(&u, &scratch, names, 300 * SEC, at(5000)));
    }
    alert_unref(back);
    alert_unref(a);
    alert_unref(b);
    buf_release(&buf);
    arena_release(&scratch);
}

static int setup(void **state)
{
    (void)state;
    names = interner_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    interner_free(names); /* aborts when a reference is left */
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults), cmocka_unit_test(merging),
                                       cmocka_unit_test(new_annotations_are_news),
                                       cmocka_unit_test(restored)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
