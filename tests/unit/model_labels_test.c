#include "unit.h"

#include "base/mem.h"
#include "base/rand.h"
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

/* One of 700 sets of a few names and values: many are equal, and share names, values or neither. */
static struct labels drawn(struct arena *a, struct rand *from)
{
    static const char *const names[] = {"a",        "aa",   "ab", "b",   "job",
                                        "instance", "zone", "z<", "\xff"};
    static const char *const texts[] = {
        "7", "\"", "<&>", "温度过高", "a\xe2\x80\xa8z", "é\xff", "0123456789abcdef\n", "\x7f"};
    struct label *v = arena_array(a, ARRAY_LEN(names), sizeof(*v));
    struct rand one = rand_of(rand_below(from, 700)), *r = &one;
    size_t n = 0;
    str dup;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (rand_next(r) % 3 != 0)
            v[n++] = (struct label){str_of(names[i]),
                                    arena_printf(a, "%d%s", (int)(rand_next(r) % 3) * 7,
                                                 texts[rand_next(r) % ARRAY_LEN(texts)])};
    n = labels_sort(v, n, &dup);
    assert_true(n != SIZE_MAX);
    return (struct labels){v, n};
}

/* Everything that is read of a set is what its view says. */
static void assert_is_set(struct arena *a, const struct label_set *set, struct labels ls)
{
    static const char *const none[] = {"", "c", "jo", "jobs", "zz"};
    struct buf of_set = BUF_INIT, of_view = BUF_INIT;
    struct json_writer w;
    size_t n = 0;

    assert_true(labels_eq(label_set_view(a, set), ls));
    LABEL_SET_EACH (l, set) {
        assert_str(l.name, ls.v[n].name.p);
        assert_str(l.value, ls.v[n++].value.p);
    }
    assert_int_equal(n, ls.n);
    LABELS_EACH (l, ls)
        assert_true(str_eq(label_set_get(set, l->name), l->value));
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_int_equal(label_set_get(set, str_of(none[i])).n, 0);
    assert_int_equal(label_set_fingerprint(set), labels_fingerprint(ls));
    assert_int_equal(label_set_dedup_hash(set), labels_dedup_hash(ls));
    label_set_print(&of_set, set);
    labels_print(&of_view, ls);
    for (int html = 0; html <= 1; html++) {
        json_writer_init(&w, &of_set, html != 0);
        label_set_put_json(&w, set);
        json_writer_init(&w, &of_view, html != 0);
        labels_put_json(&w, ls);
    }
    assert_true(str_eq(buf_str(&of_set), buf_str(&of_view)));
    buf_release(&of_set);
    buf_release(&of_view);
}

static int sign(int c)
{
    return (c > 0) - (c < 0);
}

/* Drawn sets come and go; those that are equal are one pointer, whatever came between. */
static void sets_come_and_go(void **state)
{
    enum { HELD = 500, STEPS = 5000 };
    struct interner *in = interner_new();
    struct label_set **held = mem_array(HELD, sizeof(struct label_set *));
    struct labels *of = mem_array(HELD, sizeof(*of));
    struct rand r = rand_of(7);
    struct arena a, scratch;

    (void)state;
    arena_init(&a, 0);
    arena_init(&scratch, 0);
    for (size_t i = 0; i < STEPS; i++) {
        size_t at = rand_next(&r) % HELD, other = rand_next(&r) % HELD;

        label_set_unref(held[at]);
        of[at] = drawn(&a, &r);
        held[at] = label_set_intern(in, of[at]);
        if (held[other] == NULL)
            continue;
        arena_reset(&scratch);
        assert_is_set(&scratch, held[other], of[other]);
        for (size_t k = 0; k < HELD; k++)
            assert_true(held[k] == NULL || (held[at] == held[k]) == labels_eq(of[at], of[k]));
        assert_int_equal(sign(label_set_cmp(held[at], held[other])),
                         sign(labels_cmp(of[at], of[other])));
    }
    for (size_t i = 0; i < HELD; i++)
        label_set_unref(held[i]);
    assert_int_equal(interner_count(in), 0);
    interner_free(in);
    arena_release(&a);
    arena_release(&scratch);
    mem_free(held);
    mem_free(of);
}

/* Who reads on another thread while the interner grows and forgets reads what it had. */
static void what_is_held_stays_in_place(void **state)
{
    struct interner *in = interner_new();
    struct label_set *held, *more[1000];
    struct labels before, after;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    held = label_set_intern(in, LABELS(&a, "a", "1", "b", "2"));
    before = label_set_view(&a, held);
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        struct label l = {arena_printf(&a, "n%zu", i), arena_printf(&a, "v%zu", i)};

        more[i] = label_set_intern(in, (struct labels){&l, 1});
    }
    for (size_t i = 0; i < ARRAY_LEN(more); i++)
        label_set_unref(more[i]);
    after = label_set_view(&a, held);
    for (size_t i = 0; i < 2; i++) {
        assert_ptr_equal(before.v[i].name.p, after.v[i].name.p);
        assert_ptr_equal(before.v[i].value.p, after.v[i].value.p);
    }
    label_set_unref(held);
    interner_free(in);
    arena_release(&a);
}

/* Names stand once for all sets that have the same, values once for all. */
static void sets_share_what_they_repeat(void **state)
{
    struct interner *in = interner_new();
    struct label_set *x, *y, *z;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    x = label_set_intern(in, LABELS(&a, "a", "same", "b", "1"));
    z = label_set_intern(in, LABELS(&a, "c", "same"));
    y = label_set_intern(in, LABELS(&a, "a", "same", "b", "2"));
    assert_ptr_equal(x->names, y->names);
    assert_ptr_equal(x->values[0], y->values[0]);
    assert_ptr_equal(x->values[0], z->values[0]);
    assert_ptr_not_equal(x->values[1], y->values[1]);
    label_set_unref(x);
    assert_str(label_set_get(y, S("a")), "same");
    label_set_unref(y);
    label_set_unref(z);
    interner_free(in);
    arena_release(&a);
}

/* The hash of a set is that of its view, of long ones, too. */
static void sets_are_hashed_however_long(void **state)
{
    static char text[2000];
    struct interner *in = interner_new();
    struct label two[] = {{S("a"), STR_NONE}, {S("job"), S("x")}};
    const struct labels ls = {two, 2};

    (void)state;
    memset(text, 'v', sizeof(text));
    for (size_t n = 1; n <= sizeof(text); n += n < 495 || n > 520 ? 31 : 1) {
        struct label_set *set;

        two[0].value = (str){text, n};
        set = label_set_intern(in, ls);
        assert_int_equal(label_set_dedup_hash(set), labels_dedup_hash(ls));
        label_set_unref(set);
    }
    interner_free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints),
        cmocka_unit_test(empty_values_drop_and_duplicates_show),
        cmocka_unit_test(printing),
        cmocka_unit_test(merging),
        cmocka_unit_test(interning),
        cmocka_unit_test(sets_come_and_go),
        cmocka_unit_test(what_is_held_stays_in_place),
        cmocka_unit_test(sets_share_what_they_repeat),
        cmocka_unit_test(sets_are_hashed_however_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
