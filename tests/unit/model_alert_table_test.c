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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_a_map)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
