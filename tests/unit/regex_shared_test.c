/* One of each pattern: who compiles it again gets the same, from any thread, until nobody has it. */
#include "unit.h"

#include <pthread.h>
#include "regex/regex.h"

enum { THREADS = 4, ROUNDS = 20000, PATTERNS = 3 };

static struct regex *compiled(const char *pattern, enum regex_flags flags)
{
    struct err e = ERR_INIT;
    struct regex *re = regex_compile(str_of(pattern), flags, &e);

    assert_non_null(re);
    return re;
}

static void equal_patterns_are_one(void **state)
{
    struct regex *a = compiled("a.*b", REGEX_ANCHORED), *b = compiled("a.*b", REGEX_ANCHORED),
                 *c = compiled("a.*b", 0), *d = compiled("a.*c", REGEX_ANCHORED);

    (void)state;
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_ptr_not_equal(a, d);
    regex_unref(a);
    assert_true(regex_matches(b, S("a-b")));
    regex_unref(b);
    regex_unref(c);
    regex_unref(d);
    a = compiled("a.*b", REGEX_ANCHORED); /* anew */
    assert_true(regex_matches(a, S("a-b")));
    regex_unref(a);
}

static void what_fails_is_not_kept(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct err e = ERR_INIT;

        assert_null(regex_compile(S("a("), 0, &e));
        assert_true(e.msg[0] != '\0');
    }
}

static void *come_and_go(void *arg)
{
    static const char *const patterns[PATTERNS] = {"x(1|2)+y", "n.?m", "[a-f]+[0-9]"};
    static const char *const subjects[PATTERNS] = {"x12y", "nam", "abc7"};
    size_t at = (size_t)(uintptr_t)arg;

    for (size_t i = 0; i < ROUNDS; i++) {
        size_t k = (i + at) % PATTERNS;
        struct err e = ERR_INIT;
        struct regex *re = regex_compile(str_of(patterns[k]), REGEX_ANCHORED, &e);

        if (re == NULL || !regex_matches(re, str_of(subjects[k])))
            return arg;
        regex_unref(re);
    }
    return NULL;
}

/* The last lets go while another finds it. */
static void threads_share_them(void **state)
{
    pthread_t t[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, come_and_go, (void *)(uintptr_t)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *failed;

        pthread_join(t[i], &failed);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_patterns_are_one),
        cmocka_unit_test(what_fails_is_not_kept),
        cmocka_unit_test(threads_share_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
