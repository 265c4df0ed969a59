#include "unit.h"

#include <pthread.h>
#include <time.h>
#include "base/mem.h"
#include "base/rand.h"
#include "regex/regex.h"
#include "regex/regex_test.h"

struct yes_no {
    const char *pattern, *subject;
    bool matches;
};

/* As Alertmanager's matchers: ^(?:pattern)$, the dot without newline. */
static const struct yes_no anchored[] = {
    {"", "", true},
    {"", "a", false},
    {"foo", "foo", true},
    {"foo", "foox", false},
    {"a.c|abd?", "abc", true},
    {"a.c|abd?", "abd", true},
    {"a.c|abd?", "ab", true},
    {"a.c|abd?", "a\nc", false},
    {"a.c|abd?", "abcd", false},
    {"(?i)node-1.x|node-2.x", "NoDe-2:X", true},
    {"(?i)node-1.x|node-2.x", "node-3:x", false},
    {"(a.|b)(c.|d)", "a1d", true},
    {"(a.|b)(c.|d)", "bc", false},
    {"(.|a){2,3}b", "aab", true},
    {"(.|a){2,3}b", "ab", false},
    {"^a.c$|^b.d$", "bxd", true},
    {"^a.c$|^b.d$", "bxdx", false},
    {"(^a.c|b$.d)", "bxd", false},
    {"x(^a.c|b.d)", "xbxd", true},
    {"\\pL.[^a]", "\xc3\xa9.\xe2\x82\xac", true},
    {"foo|bar", "bar", true},
    {"foo|bar", "foobar", false},
    {"a|b|c|d|e|f|g", "g", true},
    {"a|b|c|d|e|f|g", "h", false},
    {"a|b|c|d|e|f|g|", "", true},
    {"(foo|ba[rz])(x)?", "bazx", true},
    {"(foo|ba[rz])(x)?", "bax", false},
    {"foo.*", "foo", true},
    {"foo.*", "foobar", true},
    {"foo.*", "foo\nbar", false},
    {"(?s)foo.*", "foo\nbar", true},
    {"foo.+", "foo", false},
    {"foo.+", "foo1", true},
    {".*foo", "xfoo", true},
    {".*foo", "foox", false},
    {".*foo.*", "a foo b", true},
    {".*foo.*", "a\nfoo b", false},
    {".*foo.*", "a fo b", false},
    {".*", "", true},
    {".*", "a\n", false},
    {".+", "", false},
    {".+", "\xc3\xa9", true},
    {"(?s).+", "\n", true},
    {"a.*b", "ab", true},
    {"a.*a", "a", false},
    {"a.+a", "aa", false},
    {".", "\xe2\x82\xac", true},
    {"..", "\xe2\x82\xac", false},
    {"foo$", "foo", true},
    {"foo$", "foo\n", false},
    {"^foo", "foo", true},
    {"(?m)a$\nb", "a\nb", true},
    {"(?m)a\n^", "a\n", true},
    {"\\s", "\v", false},
    {"\\s", "\f", true},
    {"[[:space:]]", "\v", true},
    {"\\d+", "123", true},
    {"\\d+", "\xd9\xa3", false},
    {"\\w+", "az_09", true},
    {"\\w", "\xc3\xa9", false},
    {"\\W", "\xc3\xa9", true},
    {"\\D", "\xe2\x82\xac", true},
    {"\\pL+", "\xc3\xa9\xd0\xb6", true},
    {"\\p{Greek}", "\xce\xb1", true},
    {"\\p{Greek}", "a", false},
    {"\\P{Greek}", "a", true},
    {"\\p{^Greek}", "a", true},
    {"[\\pL\\d]+", "a1\xc3\xa9", true},
    {"\\p{Any}", "\n", true},
    {"[[:alpha:]_]+", "aZ_", true},
    {"[[:^alpha:]]", "1", true},
    {"[^a]", "\n", true},
    {"[]a]+", "]a", true},
    {"[a-]+", "a-", true},
    {"[-a]+", "a-", true},
    {"[^]a]", "b", true},
    {"[a\\]b]", "]", true},
    {"[\\x{61}-\\x63]", "b", true},
    {"[[:word]", "w", true},
    {"\\Qa.b\\E", "a.b", true},
    {"\\Qa.b\\E", "axb", false},
    {"\\Qab\\E+", "abb", true},
    {"\\Qab", "ab", true},
    {"\\x{20ac}", "\xe2\x82\xac", true},
    {"\\x41\\101\\060", "AA0", true},
    {"\\0", "", false},
    {"\\a\\f\\n\\r\\t\\v", "\a\f\n\r\t\v", true},
    {"(?i)foo", "FoO", true},
    {"(?i)k", "\xe2\x84\xaa", true}, /* the Kelvin sign */
    {"(?i)s", "\xc5\xbf", true},     /* the long s */
    {"(?i)\xc3\xa9", "\xc3\x89", true},
    {"(?i)[a-c]x", "BX", true},
    {"(?i)[^a]", "A", false},
    {"(?i)\xcf\x83", "\xcf\x82", true}, /* sigma, final sigma */
    {"(?i:a)b", "AB", false},
    {"(?i:a)b", "Ab", true},
    {"a(?i)b|c", "aB", true},
    {"a(?i)b|c", "C", true},
    {"(a(?i)b)c", "aBC", false},
    {"(?i)a(?-i)b", "AB", false},
    {"(?U)a+", "aaa", true},
    {"a{2}", "aa", true},
    {"a{2,}", "aaaa", true},
    {"a{2,3}", "aaaa", false},
    {"a{,2}", "a{,2}", true},
    {"a{", "a{", true},
    {"a{0}", "", true},
    {"(a{0,2}b){2}", "aabb", true},
    {"\\bfoo\\b", "foo", true},
    {"\\B", "", true},
    {"\\b", "", false},
    {"foo\\b.bar", "foo-bar", true},
    {"foo\\B.bar", "foo-bar", false},
    {"(?P<x>a)(?<y>b)", "ab", true},
    {"(|a)*b", "aab", true},
    {"(a*)+", "", true},
    {"(a*)+", "b", false},
    {"(?:^)*a", "a", true},
    {"\\x{d800}", "a", false},
    {"[^\\x{0}-\\x{10ffff}]", "a", false},
    {"|", "", true},
    {"||a", "a", true},
    {"()", "", true},
    {"node-[0-9]+\\.eu\\.example\\.org:9100", "node-12.eu.example.org:9100", true},
    {"(api|web)-(prod|staging)-.*", "web-staging-7", true},
    {"(api|web)-(prod|staging)-.*", "web-dev-7", false},
    {"5..", "503", true},
    {"[45]..", "203", false},
};

static struct regex *must(const char *pattern, enum regex_flags flags)
{
    struct err e = ERR_INIT;
    struct regex *re = regex_compile(str_of(pattern), flags, &e);

    if (re == NULL)
        fail_msg("%s: %s", pattern, e.msg);
    return re;
}

static void anchored_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(anchored); i++) {
        const struct yes_no *t = &anchored[i];
        struct regex *re = must(t->pattern, REGEX_ANCHORED);
        size_t g[2];

        if (regex_matches(re, str_of(t->subject)) != t->matches ||
            regex_pike_captures(re, str_of(t->subject), 0, NULL, 0) != t->matches ||
            regex_captures(re, str_of(t->subject), 0, g, 1) != t->matches)
            fail_msg("row %zu: /%s/ on \"%s\" is not %d", i, t->pattern, t->subject, t->matches);
        regex_unref(re);
    }
}

static void dotall_is_a_flag(void **state)
{
    struct regex *re = must("a.*", REGEX_ANCHORED | REGEX_DOTALL);

    (void)state;
    assert_true(regex_matches(re, S("a\nb")));
    assert_str(regex_pattern(re), "a.*");
    regex_unref(re);
    re = must("(?-s)a.*", REGEX_ANCHORED | REGEX_DOTALL);
    assert_false(regex_matches(re, S("a\nb")));
    regex_unref(re);
}

static const struct {
    const char *pattern, *message;
} refused[] = {
    {"a(b", "missing closing ): `a(b`"},
    {"a)b", "unexpected ): `a)b`"},
    {"[a", "missing closing ]: `[a`"},
    {"[b-a]", "invalid character class range: `b-a`"},
    {"[[:foo:]]", "invalid character class range: `[:foo:]`"},
    {"\\p{Foo}", "invalid character class range: `\\p{Foo}`"},
    {"a\\", "trailing backslash at end of expression: ``"},
    {"*a", "missing argument to repetition operator: `*`"},
    {"a|*", "missing argument to repetition operator: `*`"},
    {"a**", "invalid nested repetition operator: `**`"},
    {"a*+", "invalid nested repetition operator: `*+`"},
    {"a{2}{3}", "invalid nested repetition operator: `{2}{3}`"},
    {"a{1001}", "invalid repeat count: `{1001}`"},
    {"a{3,2}", "invalid repeat count: `{3,2}`"},
    {"(a{100}){11}", "invalid repeat count: `{11}`"},
    {"(?=a)", "invalid or unsupported Perl syntax: `(?=`"},
    {"(?!a)", "invalid or unsupported Perl syntax: `(?!`"},
    {"(?<=a)b", "invalid named capture: `(?<=a)b`"},
    {"(?>a)", "invalid or unsupported Perl syntax: `(?>`"},
    {"(?#c)", "invalid or unsupported Perl syntax: `(?#`"},
    {"(?x)a", "invalid or unsupported Perl syntax: `(?x`"},
    {"(?R)", "invalid or unsupported Perl syntax: `(?R`"},
    {"(?(1)a)", "invalid or unsupported Perl syntax: `(?(`"},
    {"(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`"},
    {"(*FAIL)", "missing argument to repetition operator: `*`"},
    {"(?P<>a)", "invalid named capture: `(?P<>`"},
    {"(?P<n>a)(?P<n>b)", "invalid named capture: `n`"},
    {"(?P=n)", "invalid or unsupported Perl syntax: `(?P`"},
    {"(a)\\1", "invalid escape sequence: `\\1`"},
    {"\\8", "invalid escape sequence: `\\8`"},
    {"\\C", "invalid escape sequence: `\\C`"},
    {"\\K", "invalid escape sequence: `\\K`"},
    {"\\R", "invalid escape sequence: `\\R`"},
    {"\\h", "invalid escape sequence: `\\h`"},
    {"\\Z", "invalid escape sequence: `\\Z`"},
    {"\\G", "invalid escape sequence: `\\G`"},
    {"\\X", "invalid escape sequence: `\\X`"},
    {"\\E", "invalid escape sequence: `\\E`"},
    {"\\x{110000}", "invalid escape sequence: `\\x{110000`"},
    {"[\\b]", "invalid escape sequence: `\\b`"},
    {"\xff", "invalid UTF-8: `\xff`"},
};

static void refuses_what_re2_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct err e = ERR_INIT;
        struct regex *re = regex_compile(str_of(refused[i].pattern), 0, &e);

        if (re != NULL)
            fail_msg("/%s/ was accepted", refused[i].pattern);
        assert_int_equal(e.code, ERR_INVALID);
        assert_str(str_sub(str_of(e.msg), strlen("error parsing regexp: "), SIZE_MAX),
                   refused[i].message);
    }
}

static void nesting_and_size_have_limits(void **state)
{
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    (void)state;
    buf_pad(&b, '(', 1001);
    buf_pad(&b, ')', 1001);
    assert_null(regex_compile(buf_str(&b), 0, &e));
    assert_non_null(strstr(e.msg, "nests too deeply"));
    buf_clear(&b);
    for (int i = 0; i < 300; i++)
        buf_adds(&b, "(\\pL{1000})");
    assert_null(regex_compile(buf_str(&b), 0, &e));
    assert_non_null(strstr(e.msg, "too large"));
    buf_clear(&b);
    buf_pad(&b, 'a', 70000);
    assert_null(regex_compile(buf_str(&b), 0, &e));
    buf_release(&b);
}

/* What PCRE2 will not compile (nesting over 250) runs in the Pike VM alone. */
static void deep_groups_still_match(void **state)
{
    struct buf b = BUF_INIT;
    struct regex *re;

    (void)state;
    buf_pad(&b, '(', 600);
    buf_adds(&b, "a+");
    buf_pad(&b, ')', 600);
    re = regex_compile(buf_str(&b), REGEX_ANCHORED, NULL);
    assert_non_null(re);
    assert_true(regex_matches(re, S("aaa")));
    assert_false(regex_matches(re, S("aab")));
    regex_unref(re);
    buf_release(&b);
}

static void literals_are_listed(void **state)
{
    struct regex *re = must("a|(?:b|c)d?|a", REGEX_ANCHORED);
    const str *v;

    (void)state;
    assert_int_equal(regex_literals(re, &v), 5);
    assert_str(v[0], "a");
    regex_unref(re);
    re = must("a.*", REGEX_ANCHORED);
    assert_int_equal(regex_literals(re, &v), 0);
    regex_unref(re);
    re = must("a|b", 0);
    assert_int_equal(regex_literals(re, &v), 0);
    regex_unref(re);
}

static void large_sets_are_hashed(void **state)
{
    struct buf b = BUF_INIT;
    struct regex *re;

    (void)state;
    for (int i = 0; i < 3000; i++)
        buf_addf(&b, "%sinstance-%d", i != 0 ? "|" : "", i);
    re = regex_compile(buf_str(&b), REGEX_ANCHORED, NULL);
    assert_non_null(re);
    assert_true(regex_matches(re, S("instance-2999")));
    assert_false(regex_matches(re, S("instance-3000")));
    regex_unref(re);
    buf_release(&b);
}

static const struct {
    const char *pattern, *subject, *tmpl, *want;
} replacements[] = {
    {"a", "banana", "x", "bxnxnx"},
    {"a*", "baaac", "x", "xbxcx"},
    {"", "abc", "-", "-a-b-c-"},
    {"", "\xc3\xa9", "-", "-\xc3\xa9-"},
    {"(a)(b)?", "ab a", "[$1$2]", "[ab] [a]"},
    {"(\\w+)@(\\w+)", "me@host", "$2.$1", "host.me"},
    {"(\\w+)@(\\w+)", "me@host", "${2}.${1}", "host.me"},
    {"(\\w+)", "abc", "$1x", ""},
    {"(\\w+)", "abc", "${1}x", "abcx"},
    {"(?P<user>\\w+)", "abc", "<$user>", "<abc>"},
    {"(?P<user>\\w+)", "abc", "<${user}>$$", "<abc>$"},
    {"(\\w+)", "abc", "$", "$"},
    {"(\\w+)", "abc", "$-${", "$-${"},
    {"(\\w+)", "abc", "${1", "${1"},
    {"(\\w+)", "abc", "$9$01", ""},
    {"a+?", "aaa", "x", "xxx"},
    {"(a|ab)(c|bcd)", "abcd", "$1,$2", "a,bcd"},
    {"^a", "aaa", "x", "xaa"},
    {"(?m)^", "a\nb\n", "> ", "> a\n> b\n> "},
    {"\\b", "ab cd", "|", "|ab| |cd|"},
};

static struct regex *list_of(const char *one, int n, enum regex_flags flags, struct err *e)
{
    struct buf b = BUF_INIT;
    struct regex *re;

    for (int i = 0; i < n; i++) {
        buf_add(&b, i != 0 ? S("|") : STR_NONE);
        for (const char *p = one; *p != '\0'; p++)
            if (*p == '#')
                buf_addf(&b, "%d", i);
            else
                buf_addc(&b, *p);
    }
    re = regex_compile(buf_str(&b), flags, e);
    buf_release(&b);
    return re;
}

/* CPU time of n looks for a name that is not in the list, of the cheapest of three rounds. */
static double looks_take(const struct regex *re, int n)
{
    double best = 1e9;

    for (int round = 0; round < 3; round++) {
        struct timespec from, to;
        double took;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        for (int i = 0; i < n; i++)
            assert_false(regex_matches(re, S("gpu-9999999.fra.example.com:9400")));
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        took = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
        best = took < best ? took : best;
    }
    return best;
}

/* Names with dots that nobody escaped, letters of any case, digits as classes: a look walks down once, however many
 * names there are. */
static void lists_of_names_cost_one_walk(void **state)
{
    static const char *const names[] = {
        "gpu-#.fra.example.com:9400",
        "(?i)gpu-#.fra.example.com:9400",
        "gpu-#[a-z]?.fra.example.com:\\d{4}",
        "^gpu-#.fra.example.com:9400$",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct err e = ERR_INIT;
        struct regex *few = list_of(names[i], 50, REGEX_ANCHORED, &e);
        struct regex *many = list_of(names[i], 2000, REGEX_ANCHORED, &e);

        if (many == NULL)
            fail_msg("%s: %s", names[i], e.msg);
        assert_true(regex_matches(many, S("gpu-1999.fra.example.com:9400")));
        assert_true(regex_matches(many, S("gpu-0.fra.exampleXcom:9400")));
        assert_false(regex_matches(many, S("gpu-0.fra.example.com:940")));
        assert_true(looks_take(many, 500) < 10 * looks_take(few, 500) + 1e-3);
        regex_unref(few);
        regex_unref(many);
    }
}

/* A list may have 1 MiB; what an engine would have to run, 64 KiB and 10,000 instructions, and the words say so. */
static void what_would_be_slow_is_refused(void **state)
{
    static const struct {
        const char *one;
        int n;
        bool anchored, taken;
    } t[] = {
        {"node-#.example.com", 40000, true, true}, {"node-#", 80000, true, true},
        {"node-#", 120000, true, false},           {"node-#.*", 20000, true, false},
        {"node-#.*", 1200, true, false},           {"node-#.*", 600, true, true},
        {"node-#.example.com", 600, false, false}, {"node-#.example.com", 400, false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct err e = ERR_INIT;
        struct regex *re =
            list_of(t[i].one, t[i].n, t[i].anchored ? REGEX_ANCHORED : (enum regex_flags)0, &e);

        if ((re != NULL) != t[i].taken)
            fail_msg("%d times %s: %.100s", t[i].n, t[i].one, e.msg);
        if (re == NULL)
            assert_non_null(strstr(e.msg, "expression too large"));
        regex_unref(re);
    }
}

/* Patterns made to make many nodes of few bytes end as patterns for an engine, soon. */
static void products_stay_small(void **state)
{
    static const char *const t[] = {"(.|a|b|c){12}", "((.|a)?(.|b)?){1,20}x", "(.{0,9}.{0,9}){9}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct regex *re = must(t[i], REGEX_ANCHORED);

        assert_false(regex_matches(re, S("\n")));
        regex_unref(re);
    }
}

static void replaces_by_the_rules_of_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replacements); i++) {
        struct regex *re = must(replacements[i].pattern, 0);
        struct buf b = BUF_INIT;

        assert_true(regex_replace_all(re, &b, str_of(replacements[i].subject),
                                      str_of(replacements[i].tmpl), NULL));
        if (!str_is(buf_str(&b), replacements[i].want))
            fail_msg("row %zu: got \"%.*s\", want \"%s\"", i, STR(buf_str(&b)),
                     replacements[i].want);
        buf_release(&b);
        regex_unref(re);
    }
}

static void captures_are_leftmost_first(void **state)
{
    struct regex *re = must("(a*)(ab)?(b*)", 0);
    size_t g[8];

    (void)state;
    assert_int_equal(regex_group_count(re), 4);
    assert_true(regex_captures(re, S("xaabb"), 1, g, 4));
    assert_int_equal(g[0], 1);
    assert_int_equal(g[1], 5);
    assert_int_equal(g[2], 1);
    assert_int_equal(g[3], 3);
    assert_true(g[4] == SIZE_MAX && g[5] == SIZE_MAX);
    assert_int_equal(g[6], 3);
    assert_false(regex_captures(re, S("x"), 2, g, 4));
    regex_unref(re);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void bombs_end_fast_and_exact(void **state)
{
    static const char *const bombs[] = {"(a+)+",   "(?:a|aa)+", "(a*)*",
                                        "(a|a?)+", "(.*a){20}", "([a-z]+)*"};
    struct buf s = BUF_INIT;
    double start = seconds();

    (void)state;
    buf_pad(&s, 'a', 3000);
    for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
        struct regex *re = must(bombs[i], REGEX_ANCHORED);

        assert_true(regex_matches(re, buf_str(&s)));
        buf_addc(&s, '!');
        assert_false(regex_matches(re, buf_str(&s)));
        s.n--;
        regex_unref(re);
    }
    assert_true(seconds() - start <
                20); /* a second without sanitizers; backtracking would take years */
    buf_release(&s);
}

static void bad_bytes_do_no_harm(void **state)
{
    struct regex *re = must("a.b|[^x]+\\d", REGEX_ANCHORED);

    (void)state;
    assert_true(regex_matches(re, S("a\xff"
                                    "b")));
    assert_true(regex_matches(re, S("\xc3"
                                    "1")));
    regex_unref(re);
}

static void *match_often(void *arg)
{
    const struct regex *re = arg;
    struct regex *mine = regex_ref(arg);
    uintptr_t wrong = 0;

    for (int i = 0; i < 2000; i++) {
        size_t g[4];

        wrong += !regex_matches(re, S("node-17.eu"));
        wrong += regex_matches(re, S("node-x.eu"));
        wrong += !regex_captures(re, S("node-17.us"), 0, g, 2) || g[2] != 5 || g[3] != 7;
        wrong += !regex_pike_captures(re, S("node-17.us"), 0, g, 2) ||
                 g[2] != 5; /* made by whoever is first */
    }
    regex_unref(mine);
    return (void *)wrong;
}

static void threads_may_share_a_regex(void **state)
{
    struct regex *re = must("node-(\\d+)\\.(?:eu|us)", REGEX_ANCHORED);
    pthread_t t[4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, match_often, re), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        void *wrong;

        pthread_join(t[i], &wrong);
        assert_null(wrong);
    }
    regex_unref(re);
}

/* -- PCRE2 against the Pike VM on random patterns -- */

static void random_pattern(struct rand *r, struct buf *b, unsigned depth)
{
    static const char *const atoms[] = {"a",         "b",
                                        "ab",        "c",
                                        "[ab]",      "[^a]",
                                        ".",         "\\d",
                                        "\\w",       "\\b",
                                        "\\B",       "^",
                                        "$",         "\n",
                                        "\\s",       "(?i)",
                                        "(?s)",      "(?m)",
                                        "\\pL",      "(?i:k)",
                                        "\xc3\xa9",  "[[:upper:]\xc3\xa9]",
                                        "\\x{212a}", "\\W",
                                        "(?U)"};
    static const char *const ops[] = {"",   "",   "",   "*",   "+",     "?",
                                      "*?", "+?", "??", "{2}", "{0,2}", "{1,}"};
    size_t n = 1 + rand_below(r, 3);

    for (size_t i = 0; i < n; i++) {
        if (depth != 0 && rand_below(r, 3) == 0) {
            const char *const open[] = {"(", "(?:", "(?i:", "(?s:"};

            buf_add(b, str_of(open[rand_below(r, 4)]));
            random_pattern(r, b, depth - 1);
            buf_addc(b, ')');
        } else {
            buf_add(b, str_of(atoms[rand_below(r, ARRAY_LEN(atoms))]));
        }
        buf_add(b, str_of(ops[rand_below(r, ARRAY_LEN(ops))]));
        if (rand_below(r, 5) == 0)
            buf_addc(b, '|');
    }
}

static void random_subject(struct rand *r, struct buf *b)
{
    static const char *const parts[] = {
        "a", "b", "c", "A", "k", "1", "\n", " ", "\xc3\xa9", "\xc3\x89", "\xe2\x84\xaa", "_"};
    size_t n = rand_below(r, 9);

    for (size_t i = 0; i < n; i++)
        buf_add(b, str_of(parts[rand_below(r, ARRAY_LEN(parts))]));
}

static void compare(const struct regex *re, str s)
{
    size_t n = regex_group_count(re);
    size_t *x = mem_array(4 * n, sizeof(*x)), *y = x + 2 * n;
    bool p = regex_captures(re, s, 0, x, n), q = regex_pike_captures(re, s, 0, y, n);

    if (p != q || p != regex_matches(re, s) || (p && memcmp(x, y, 2 * n * sizeof(*x)) != 0))
        fail_msg("/%.*s/ on \"%.*s\": %d and %d, [%zu,%zu) and [%zu,%zu)", STR(regex_pattern(re)),
                 STR(s), p, q, x[0], x[1], y[0], y[1]);
    mem_free(x);
}

static void both_engines_agree(void **state)
{
    struct rand r = {20260915};
    struct buf pattern = BUF_INIT, subject = BUF_INIT;
    unsigned compiled = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct regex *re;

        buf_clear(&pattern);
        random_pattern(&r, &pattern, 2);
        re = regex_compile(buf_str(&pattern), i % 2 == 0 ? REGEX_ANCHORED : 0, NULL);
        if (re == NULL)
            continue;
        compiled++;
        for (int k = 0; k < 6; k++) {
            buf_clear(&subject);
            random_subject(&r, &subject);
            compare(re, buf_str(&subject));
        }
        regex_unref(re);
    }
    assert_true(compiled > 4000);
    buf_release(&pattern);
    buf_release(&subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anchored_matches),
        cmocka_unit_test(dotall_is_a_flag),
        cmocka_unit_test(refuses_what_re2_refuses),
        cmocka_unit_test(nesting_and_size_have_limits),
        cmocka_unit_test(deep_groups_still_match),
        cmocka_unit_test(literals_are_listed),
        cmocka_unit_test(large_sets_are_hashed),
        cmocka_unit_test(lists_of_names_cost_one_walk),
        cmocka_unit_test(what_would_be_slow_is_refused),
        cmocka_unit_test(products_stay_small),
        cmocka_unit_test(replaces_by_the_rules_of_go),
        cmocka_unit_test(captures_are_leftmost_first),
        cmocka_unit_test(bombs_end_fast_and_exact),
        cmocka_unit_test(bad_bytes_do_no_harm),
        cmocka_unit_test(threads_may_share_a_regex),
        cmocka_unit_test(both_engines_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
