/* The feed of changes: who follows misses nothing, or is told so. */
#include "unit.h"

#include "core/changes.h"

static void follows(void **state)
{
    struct changes c;
    struct change x;
    uint64_t seen, revision;
    bool lost = false;

    (void)state;
    changes_init(&c);
    seen = c.revision;
    assert_false(changes_next(&c, &seen, &x, &lost));
    revision = changes_note(&c, CHANGED_ALERT, 7, 0);
    assert_int_equal(revision, c.revision);
    changes_note(&c, CHANGED_GROUP, 8, 3);
    assert_true(changes_next(&c, &seen, &x, &lost));
    assert_int_equal(x.kind, CHANGED_ALERT);
    assert_int_equal(x.id[0], 7);
    assert_true(changes_next(&c, &seen, &x, &lost));
    assert_int_equal(x.kind, CHANGED_GROUP);
    assert_int_equal(x.id[1], 3);
    assert_int_equal(x.revision, c.revision);
    assert_false(changes_next(&c, &seen, &x, &lost));
    assert_false(lost);
    assert_int_equal(changes_last(&c, CHANGES_OF(CHANGED_GROUP)), c.revision);
    assert_true(changes_last(&c, CHANGES_OF(CHANGED_ALERT)) < c.revision);
    assert_int_equal(changes_last(&c, CHANGES_OF(CHANGED_ALERT) | CHANGES_OF(CHANGED_GROUP)),
                     c.revision);
    changes_release(&c);
}

static void too_slow(void **state)
{
    struct changes c;
    struct change x;
    uint64_t slow, quick, n = 0;
    bool lost = false;

    (void)state;
    changes_init(&c);
    slow = quick = c.revision;
    for (uint64_t i = 1; i <= CHANGES_KEPT; i++)
        changes_note(&c, CHANGED_ALERT, i, 0);
    for (; changes_next(&c, &quick, &x, &lost); n++)
        assert_int_equal(x.id[0], n + 1);
    assert_int_equal(n, CHANGES_KEPT);
    assert_false(lost);
    changes_note(&c, CHANGED_ALERT, CHANGES_KEPT + 1, 0);
    assert_true(changes_next(&c, &slow, &x, &lost));
    assert_true(lost);
    assert_int_equal(x.id[0], 2);
    for (n = 1; changes_next(&c, &slow, &x, &lost); n++)
        ;
    assert_int_equal(n, CHANGES_KEPT);
    assert_int_equal(slow, c.revision);
    changes_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows),
        cmocka_unit_test(too_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
