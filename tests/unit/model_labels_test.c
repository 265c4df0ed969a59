#include "unit.h"

#include "model/labels.h"

static struct labels make(struct arena *a, const char *const *pairs)
{
    struct label *v;
    size_t n = 0;
    str dup;

    while (pairs[2 * n] != NULL)
        n++;
    v = arena_array(a, n, sizeof(*v));
    for (size_t i = 0; i < n; i++)
        v[i] = (struct label){str_of(pairs[2 * i]), str_of(pairs[2 * i + 1])};
    n = labels_sort(v, n, &dup);
    assert_true(n != SIZE_MAX);
    return (struct labels){v, n};
}
#define LABELS(a, ...) make(a, (const char *const[]){__VA_ARGS__, NULL})

/* Vectors of alertmanager.md 3.1. */
static void fingerprints(void **state)
{
    struct arena a;
    struct labels ls;

    (void)state;
    arena_init(&a, 0);
    assert_int_equal(labels_fingerprint(LABELS_NONE), 0xcbf29ce484222325ull);
    ls = LABELS(&a, "alertname", "test1");
    assert_int_equal(labels_fingerprint(ls), 0x5ae90ff6f82ebe6bull);
    assert_int_equal(labels_dedup_hash(ls), 3244186490308918998ull);
    ls = LABELS(&a, "severity", "warning", "alertname", "test1");
    assert_int_equal(labels_fingerprint(ls), 0x8f14a41207c8456cull);
    assert_int_equal(labels_dedup_hash(ls), 13905491285116304203ull);
    ls = LABELS(&a, "alertname", "InstanceDown", "instance", "db-1:9100", "job", "node", "severity",
                "critical");
    assert_int_equal(labels_fingerprint(ls), 0xffdd78bd7f1cd0edull);
    assert_int_equal(labels_dedup_hash(ls), 8466909370166661727ull);
    ls = LABELS(&a, "a", "a", "00", "b", "Σ", "c", "🙂", "dΘ");
    assert_int_equal(labels_fingerprint(ls), 0xd90789cf54ff7ca7ull);
    assert_int_equal(labels_dedup_hash(ls), 5752182277331845269ull);
    arena_release(&a);
}

static void empty_values_drop_and_duplicates_show(void **state)
{
    struct label v[] = {{S("b"), S("1")}, {S("a"), S("")}, {S("c"), S("2")}};
    struct label twice[] = {{S("b"), S("1")}, {S("a"), S("x")}, {S("b"), S("2")}};
    str dup = STR_NONE;

    (void)state;
    assert_int_equal(labels_sort(v, 3, &dup), 2);
    assert_str(v[0].name, "b");
    assert_int_equal(labels_sort(twice, 3, &dup), SIZE_MAX);
    assert_str(dup, "b");
}

static void printing(void **state)
{
    struct arena a;
    struct buf b = BUF_INIT;

    (void)state;
    arena_init(&a, 0);
    labels_print(&b, LABELS(&a, "job", "n\"o\nde", "alertname", "Zürich\x01"));
    assert_str(buf_str(&b), "{alertname=\"Zürich\\x01\", job=\"n\\\"o\\nde\"}");
    buf_release(&b);
    arena_release(&a);
}

static void merging(void **state)
{
    struct arena a;
    struct buf b = BUF_INIT;
    const str names[] = {S("a"), S("d")};
    struct label over[] = {{S("a"), S("")}, {S("b"), S("9")}, {S("e"), S("5")}};
    struct labels under;

    (void)state;
    arena_init(&a, 0);
    under = LABELS(&a, "a", "1", "b", "2", "c", "3", "d", "4");
    labels_print(&b, labels_merge(&a, under, (struct labels){over, 3}));
    assert_str(buf_str(&b), "{b=\"9\", c=\"3\", d=\"4\", e=\"5\"}");
    buf_clear(&b);
    labels_print(&b, labels_only(&a, under, names, 2));
    labels_print(&b, labels_without(&a, under, names, 2));
    assert_str(buf_str(&b), "{a=\"1\", d=\"4\"}{b=\"2\", c=\"3\"}");
    buf_release(&b);
    arena_release(&a);
}

static void interning(void **state)
{
    struct interner *in = interner_new();
    struct label_set *x, *y, *z;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    x = label_set_intern(in, LABELS(&a, "a", "1", "b", "2"));
    y = label_set_intern(in, LABELS(&a, "b", "2", "a", "1"));
    z = label_set_intern(in, LABELS(&a, "b", "2"));
    assert_ptr_equal(x, y);
    assert_ptr_not_equal(x, z);
    assert_int_equal(interner_count(in), 2);
    label_set_unref(x);
    label_set_unref(y);
    label_set_unref(z);
    assert_int_equal(interner_count(in), 0);
    interner_free(in);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints), cmocka_unit_test(empty_values_drop_and_duplicates_show),
        cmocka_unit_test(printing),     cmocka_unit_test(merging),
        cmocka_unit_test(interning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
