/* regex_fuzz.c - input: a flag byte, the pattern, a newline byte 0xFF, the subject. PCRE2 and the
 * Pike VM must agree. */
#include "tests_fuzz.h"

#include "base/mem.h"
#include "regex/regex.h"
#include "regex/regex_test.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    uint64_t work = 100000;
    struct regex_budget budget = {.work = 100000, .output = 1000};
    str in = {(const char *)data, size}, pattern;
    struct regex *re;
    struct buf out = BUF_INIT;
    size_t n, *g;

    if (size == 0 || size > 2000)
        return 0;
    in = str_sub(in, 1, in.n);
    pattern = str_cut(&in, (char)0xFF);
    re = regex_compile(pattern, data[0] & 3, NULL);
    if (re == NULL)
        return 0;
    n = regex_group_count(re);
    g = mem_array(4 * n, sizeof(*g));
    if (regex_captures(re, in, 0, g, n) != regex_pike_captures(re, in, 0, g + 2 * n, n) ||
        memcmp(g, g + 2 * n, 2 * n * sizeof(*g)) != 0 ||
        regex_matches(re, in) != (g[0] != SIZE_MAX))
        __builtin_trap();
    if (regex_matches_within(re, in, &work) != (g[0] != SIZE_MAX) && work != 0)
        __builtin_trap();
    (void)regex_replace_all(re, &out, in, S("<$0${1}$name>"), &budget);
    if (out.n > 1000)
        __builtin_trap();
    buf_clear(&out);
    if (in.n < 100)
        (void)regex_replace_all(re, &out, in, S("<$0${1}$name>"), NULL);
    mem_free(g);
    buf_release(&out);
    regex_unref(re);
    return 0;
}
