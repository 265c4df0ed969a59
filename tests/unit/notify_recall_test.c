/* What deliveries learn and no disk may see. */
#include "unit.h"

#include <stdio.h>
#include "notify/recall.h"

static void test_recall(void **state)
{
    struct recall *r = recall_new();
    struct arena a;
    str got = STR_NONE;

    (void)state;
    arena_init(&a, 0);
    assert_false(recall_get(r, S("x"), 0, &a, &got));
    recall_put(r, S("x"), S("one"), 10);
    assert_true(recall_get(r, S("x"), 9, &a, &got));
    assert_true(str_is(got, "one"));
    assert_false(recall_get(r, S("x"), 10, &a, &got)); /* it has expired */
    recall_put(r, S("x"), S("two"), 20);
    assert_true(recall_get(r, S("x"), 10, &a, &got));
    assert_true(str_is(got, "two"));
    recall_put(r, S("x"), STR_NONE, 30); /* forgotten */
    assert_false(recall_get(r, S("x"), 10, &a, &got));
    arena_release(&a);
    recall_free(r);
}

/* The one that expires first makes room. */
static void test_recall_room(void **state)
{
    struct recall *r = recall_new();
    struct arena a;
    str got = STR_NONE;
    char name[16];

    (void)state;
    arena_init(&a, 0);
    for (int i = 0; i < 65; i++) {
        snprintf(name, sizeof(name), "%d", i);
        recall_put(r, str_of(name), S("v"), i == 7 ? 50 : 100 + i);
    }
    assert_false(recall_get(r, S("7"), 0, &a, &got));
    assert_true(recall_get(r, S("0"), 0, &a, &got));
    assert_true(recall_get(r, S("64"), 0, &a, &got));
    arena_release(&a);
    recall_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recall),
        cmocka_unit_test(test_recall_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
