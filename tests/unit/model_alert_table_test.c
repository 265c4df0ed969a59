/* The table against a map that does the same with keys. */
#include "unit.h"

#include "base/map.h"
#include "base/rand.h"
#include "model/alert_table.h"

enum { KEYS = 3000 };

struct both {
    struct alert_table table;
    struct u64_map map;
};

static void both_are_equal(const struct both *b)
{
    const struct u64_map_entry *next = b->map.v;
    size_t n = 0;

    ALERT_TABLE_EACH (a, &b->table) {
        while (!next->live)
            next++;
        assert_int_equal(alert_fingerprint(a), next->key);
        assert_ptr_equal(a, next->value);
        next++;
        n++;
    }
    assert_int_equal(n, b->map.n);
    assert_int_equal(n, b->table.n);
}

static void both_step(struct both *b, struct alert *alerts, struct rand *r, size_t keys)
{
    uint64_t key = rand_next(r) % keys;
    struct alert *a = &alerts[key + (rand_next(r) % 2) * KEYS], **at;
    void **slot = u64_map_get(&b->map, key);

    at = alert_table_find(&b->table, key);
    assert_true((at != NULL) == (slot != NULL));
    assert_ptr_equal(alert_table_get(&b->table, key), slot != NULL ? *slot : NULL);
    if (rand_next(r) % 3 != 0) {
        assert_ptr_equal(alert_table_put(&b->table, a), slot != NULL ? *slot : NULL);
        u64_map_put(&b->map, key, a);
    } else if (at != NULL) {
        alert_table_del(&b->table, at);
        u64_map_del(&b->map, key);
    }
}

static void as_a_map(void **state)
{
    struct alert *alerts = mem_array((size_t)2 * KEYS, sizeof(*alerts));
    struct rand r = rand_of(3);
    struct both b = {0};

    (void)state;
    for (size_t i = 0; i < (size_t)2 * KEYS; i++)
        alerts[i].fingerprint = i % KEYS;
    for (size_t few = 1; few <= KEYS; few = few * 3) {
        for (size_t i = 0; i < few * 20; i++)
            both_step(&b, alerts, &r, few);
        both_are_equal(&b);
    }
    ALERT_TABLE_EACH (a, &b.table)
        alert_table_del(&b.table, at_a);
    assert_int_equal(b.table.n, 0);
    assert_null(alert_table_find(&b.table, 1));
    alert_table_release(&b.table);
    u64_map_release(&b.map);
    mem_free(alerts);
}

/* -- sources -- */

/* Sources of which many are alike in the bits by which they are filed. */
static struct hash_wide source_drawn(struct rand *r)
{
    uint64_t n = rand_below(r, 2000);

    return (struct hash_wide){.low = n == 0 ? 0 : n % 50 + ((n % 3) << 40) + 1, .high = n % 7 + 9};
}

static bool source_is(struct hash_wide a, struct hash_wide b)
{
    return a.low == b.low && a.high == b.high;
}

/* Against a walk over what each alert was noted with last. Two alerts have one source only where this test gives it to both. */
static void found_by_source(void **state)
{
    struct alert *alerts = mem_array(KEYS, sizeof(*alerts));
    struct hash_wide *noted = mem_array(KEYS, sizeof(*noted)), s;
    struct alert_table t = {0};
    struct rand r = rand_of(11);

    (void)state;
    assert_null(alert_table_of_source(&t, (struct hash_wide){1, 1}));
    for (size_t i = 0; i < KEYS; i++)
        alerts[i].fingerprint = i;
    for (size_t i = 0; i < (size_t)8 * KEYS; i++) {
        size_t key = rand_below(&r, i / 8 + 1);
        struct alert **at = alert_table_find(&t, key);
        const struct alert *found;

        if (at != NULL && rand_below(&r, 9) == 0) {
            alert_table_del(&t, at);
            continue;
        }
        if (at == NULL) {
            alerts[key].source = 0; /* another one */
            (void)alert_table_put(&t, &alerts[key]);
        }
        noted[key] = source_drawn(&r);
        alert_table_note_source(&t, &alerts[key], noted[key]);
        s = source_drawn(&r);
        found = alert_table_of_source(&t, s);
        if (found != NULL) {
            assert_true(s.low != 0 && source_is(noted[found->fingerprint], s));
            assert_ptr_equal(alert_table_get(&t, found->fingerprint), found);
        }
        for (size_t k = 0; k <= i / 8 && found == NULL && s.low != 0; k++)
            assert_false(alert_table_get(&t, k) != NULL && source_is(noted[k], s));
    }
    alert_table_release(&t);
    mem_free(alerts);
    mem_free(noted);
}

/* One that comes in other words each time does not fill the table. */
static void old_sources_make_room(void **state)
{
    struct alert a[100] = {{.fingerprint = 0}};
    struct alert_table t = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(a); i++) {
        a[i].fingerprint = i;
        (void)alert_table_put(&t, &a[i]);
    }
    for (size_t i = 0; i < 100000; i++) {
        struct hash_wide s = hash_wide(&i, sizeof(i));

        alert_table_note_source(&t, &a[i % ARRAY_LEN(a)], s);
        assert_ptr_equal(alert_table_of_source(&t, s), &a[i % ARRAY_LEN(a)]);
        assert_true(t.n_sources <= t.source_mask && t.source_mask < 512);
    }
    alert_table_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_a_map),
                                       cmocka_unit_test(found_by_source),
                                       cmocka_unit_test(old_sources_make_room)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
