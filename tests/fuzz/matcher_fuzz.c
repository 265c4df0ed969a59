/* matcher_fuzz.c - a list of matchers in each mode. What is printed must read back as itself. */
#include "tests_fuzz.h"

#include "model/matcher.h"

static void once(str in, enum matcher_mode mode)
{
    struct arena a;
    struct matchers ms, again;
    struct matcher one;
    struct buf b = BUF_INIT, c = BUF_INIT;
    str warning;
    bool nameless = false;

    arena_init(&a, 0);
    if (matcher_parse(in, mode, &a, &one, &warning, NULL))
        matchers_release(&(struct matchers){&one, 1});
    if (matchers_parse(in, mode, &a, &ms, &warning, NULL)) {
        matchers_print(&b, &ms);
        for (size_t i = 0; i < ms.n; i++)
            nameless |= ms.v[i].name.n == 0; /* printed as Alertmanager does, without quotes */
        matchers_release(&ms);
        if (mode == MATCHER_UTF8 && !nameless) {
            if (!matchers_parse(buf_str(&b), mode, &a, &again, &warning, NULL))
                __builtin_trap();
            matchers_print(&c, &again);
            matchers_release(&again);
            if (!str_eq(buf_str(&b), buf_str(&c)))
                __builtin_trap();
        }
    }
    buf_release(&b);
    buf_release(&c);
    arena_release(&a);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    str in = {(const char *)data, size};

    if (size > 2000)
        return 0;
    once(in, MATCHER_FALLBACK);
    once(in, MATCHER_CLASSIC);
    once(in, MATCHER_UTF8);
    return 0;
}
