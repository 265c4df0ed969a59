#include "unit.h"

#include "base/attr.h"
#include "model/matcher.h"

/* What each parser makes of an input, printed back; NULL = refused. */
static const struct {
    const char *in, *classic, *utf8;
} lists[] = {
    {"", "{}", "{}"},
    {"{}", "{}", "{}"},
    {"{,}", NULL, NULL},
    {",", NULL, NULL},
    {"{", "{}", NULL},
    {"}", "{}", NULL},
    {"foo=bar", "{foo=\"bar\"}", "{foo=\"bar\"}"},
    {"{foo=\"bar\"}", "{foo=\"bar\"}", "{foo=\"bar\"}"},
    {" foo = bar ", "{foo=\"bar\"}", "{foo=\"bar\"}"},
    {"{foo=\"bar\",}", "{foo=\"bar\"}", "{foo=\"bar\"}"},
    {"{foo=\"bar\", baz!=\"q\"}", "{foo=\"bar\",baz!=\"q\"}", "{foo=\"bar\",baz!=\"q\"}"},
    {"{foo=~\"b.*\",baz!~\"q+\"}", "{foo=~\"b.*\",baz!~\"q+\"}", "{foo=~\"b.*\",baz!~\"q+\"}"},
    {"{foo=\"a,b\"}", "{foo=\"a,b\"}", "{foo=\"a,b\"}"},
    {"{foo=\"a\\\"b\"}", "{foo=\"a\\\"b\"}", "{foo=\"a\\\"b\"}"},
    {"{foo=\"a\\\\\"}", "{foo=\"a\\\\\"}", "{foo=\"a\\\\\"}"},
    {"{foo=\"a\\nb\"}", "{foo=\"a\\nb\"}", "{foo=\"a\\nb\"}"},
    {"{foo=\"a\nb\"}", "{foo=\"a\\nb\"}", NULL},
    {"{foo=\\n}", "{foo=\"\\n\"}", NULL},
    {"foo='", "{foo=\"'\"}", NULL},
    {"job=", "{job=\"\"}", NULL},
    {"job=\"\"", "{job=\"\"}", "{job=\"\"}"},
    {"tricky=~~~", "{tricky=~\"~~\"}", NULL},
    {"{foo=bar}}", "{foo=\"bar}\"}", NULL},
    {"{foo=bar", "{foo=\"bar\"}", NULL},
    {"foo=bar}", "{foo=\"bar\"}", NULL},
    {"{name-with-dashes=\"bar\"}", NULL, "{name-with-dashes=\"bar\"}"},
    {"\"foo\xf0\x9f\x99\x82\"=\"bar\"", NULL, "{foo\xf0\x9f\x99\x82=\"bar\"}"},
    {"foo\xf0\x9f\x99\x82=bar", NULL, "{foo\xf0\x9f\x99\x82=\"bar\"}"},
    {"\"foo bar\"=\"a\\\"b\"", NULL, "{\"foo bar\"=\"a\\\"b\"}"},
    {"foo=\"\\t\"", "{foo=\"\\\\t\"}", "{foo=\"\t\"}"},
    {"foo=\"\\u00e9\"", "{foo=\"\\\\u00e9\"}", "{foo=\"\xc3\xa9\"}"},
    {"foo=\"\\d\"", "{foo=\"\\\\d\"}", NULL},
    {"foo=a\\", "{foo=\"a\\\\\"}", NULL},
    {"foo=\"a\"b", NULL, NULL},
    {"foo=\"a", NULL, NULL},
    {"foo=a\"", NULL, NULL},
    {"foo=a b", "{foo=\"a b\"}", NULL},
    {"foo:bar=a", "{foo:bar=\"a\"}", "{foo:bar=\"a\"}"},
    {"1foo=a", NULL, "{1foo=\"a\"}"},
    {"foo=1", "{foo=\"1\"}", "{foo=\"1\"}"},
    {"foo", NULL, NULL},
    {"foo bar=a", NULL, NULL},
    {"=a", NULL, NULL},
    {"foo!bar", NULL, NULL},
    {"foo==a", "{foo=\"=a\"}", NULL},
    {"foo=a,,bar=b", NULL, NULL},
    {"foo=a,bar=b,", "{foo=\"a\",bar=\"b\"}", "{foo=\"a\",bar=\"b\"}"},
    {"{foo=a}{bar=b}", "{foo=\"a}{bar=b\"}", NULL},
    {"foo=~\"(\"", NULL, NULL},
    {"foo=a,bar=~\"(\"", NULL, NULL},
    {"foo=\"\xff\"", NULL, NULL},
    {"{foo=a},", "{foo=\"a}\"}", NULL},
    {"foo=`a`", "{foo=\"`a`\"}", NULL},
};

static bool reads_as(const char *in, enum matcher_mode mode, const char *want, str *warning)
{
    struct arena a;
    struct matchers ms;
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT;
    static char text[512];
    bool ok;

    arena_init(&a, 0);
    ok = matchers_parse(str_of(in), mode, &a, &ms, warning, &e);
    if (ok) {
        matchers_print(&b, &ms);
        matchers_release(&ms);
    }
    if (warning != NULL && warning->n != 0) {
        snprintf(text, sizeof(text), "%.*s", STR(*warning));
        *warning = str_of(text);
    }
    if (ok != (want != NULL) || (ok && !str_is(buf_str(&b), want)))
        print_error("mode %d of %s: %s %.*s\n", mode, in, e.msg, STR(buf_str(&b)));
    else
        want = in; /* as expected */
    ok = want == in;
    buf_release(&b);
    arena_release(&a);
    return ok;
}

static void each_parser_reads_its_grammar(void **state)
{
    bool ok = true;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        ok &= reads_as(lists[i].in, MATCHER_CLASSIC, lists[i].classic, NULL);
        ok &= reads_as(lists[i].in, MATCHER_UTF8, lists[i].utf8, NULL);
    }
    assert_true(ok);
}

static void fallback_takes_the_classic_reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const char *c = lists[i].classic, *u = lists[i].utf8;
        str warning = STR_NONE;

        assert_true(reads_as(lists[i].in, MATCHER_FALLBACK, c != NULL ? c : u, &warning));
        if (c == NULL || (u != NULL && strcmp(c, u) == 0))
            assert_int_equal(warning.n, 0);
        else
            assert_true(str_find_str(warning, u != NULL ? S("disagreement")
                                                        : S("classic parser only")) >= 0);
    }
}

static void single_refuses_braces(void **state)
{
    struct arena a;
    struct matcher m;
    str warning;
    struct err e = ERR_INIT;

    (void)state;
    arena_init(&a, 0);
    assert_false(matcher_parse(S("{foo=bar}"), MATCHER_FALLBACK, &a, &m, &warning, &e));
    assert_string_equal(e.msg, "unexpected open or close brace: {foo=bar}");
    assert_false(matcher_parse(S("foo=bar}"), MATCHER_UTF8, &a, &m, &warning, &e));
    assert_true(matcher_parse(S("foo=bar}"), MATCHER_CLASSIC, &a, &m, &warning, &e));
    assert_str(m.value, "bar}");
    assert_true(matcher_parse(S("foo=bar"), MATCHER_UTF8, &a, &m, &warning, &e));
    assert_false(matcher_parse(S("foo=bar,b=c"), MATCHER_UTF8, &a, &m, &warning, &e));
    assert_string_equal(e.msg, "expected 1 matcher, found 2");
    assert_true(matcher_parse(S("foo=bar,b=c"), MATCHER_FALLBACK, &a, &m, &warning, &e));
    assert_str(m.value, "bar,b=c");
    assert_false(matcher_parse(S(""), MATCHER_UTF8, &a, &m, &warning, &e));
    assert_false(matcher_parse(S(""), MATCHER_FALLBACK, &a, &m, &warning, &e));
    assert_string_equal(e.msg, "bad matcher format: ");
    arena_release(&a);
}

static void errors_have_rune_columns(void **state)
{
    static const struct {
        const char *in, *message;
    } v[] = {
        {"\xc3\xa9 x", "2:3: unexpected x: expected an operator such as '=', '!=', '=~' or '!~'"},
        {"foo=", "4:4: unexpected end of input: expected label value"},
        {"{foo=a", "6:6: unexpected end of input: expected comma or close brace"},
        {"{foo=a} b", "8:9: unexpected b: expected end of input"},
        {"foo=\"a", "4:6: missing end \": \"a"},
        {"foo!a", "3:4: expected one of '=~': !"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct arena a;
        struct matchers ms;
        struct err e = ERR_INIT;

        arena_init(&a, 0);
        assert_false(matchers_parse(str_of(v[i].in), MATCHER_UTF8, &a, &ms, NULL, &e));
        assert_string_equal(e.msg, v[i].message);
        arena_release(&a);
    }
}

static void matching(void **state)
{
    const struct label v[] = {{S_INIT("a"), S_INIT("1")}, {S_INIT("b"), S_INIT("two\n")}};
    struct labels ls = {v, 2};
    static const struct {
        const char *in;
        bool yes;
    } rows[] = {
        {"a=1", true},         {"a=2", false},         {"a!=2", true},
        {"c=\"\"", true},      {"c!=\"\"", false},     {"c=~\".*\"", true},
        {"c=~\".+\"", false},  {"a=~\"1|2\"", true},   {"a!~\"1|2\"", false},
        {"b=~\"two\"", false}, {"b=~\"two.\"", false}, {"b=~\"(?s)two.\"", true},
        {"{}", true},          {"a=1,b!=x", true},     {"a=1,b=x", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct matchers ms;

        arena_init(&a, 0);
        assert_true(matchers_parse(str_of(rows[i].in), MATCHER_FALLBACK, &a, &ms, NULL, NULL));
        if (matchers_match(&ms, ls) != rows[i].yes)
            fail_msg("%s", rows[i].in);
        matchers_release(&ms);
        arena_release(&a);
    }
}

static void sorting_and_names(void **state)
{
    struct arena a;
    struct matchers ms;
    struct buf b = BUF_INIT;

    (void)state;
    arena_init(&a, 0);
    assert_true(matchers_parse(S("b=1,a!=2,a=2,a=1"), MATCHER_UTF8, &a, &ms, NULL, NULL));
    matchers_sort(&ms);
    matchers_print(&b, &ms);
    assert_str(buf_str(&b), "{a=\"1\",a=\"2\",a!=\"2\",b=\"1\"}");
    assert_true(matcher_is_negative(&ms.v[2]));
    assert_true(matcher_matches_empty(&ms.v[2]));
    assert_false(label_name_is_valid(S("a-b"), MATCHER_CLASSIC));
    assert_true(label_name_is_valid(S("a-b"), MATCHER_FALLBACK));
    assert_false(label_name_is_valid(S(""), MATCHER_UTF8));
    matchers_release(&ms);
    buf_release(&b);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_parser_reads_its_grammar),
        cmocka_unit_test(fallback_takes_the_classic_reading),
        cmocka_unit_test(single_refuses_braces),
        cmocka_unit_test(errors_have_rune_columns),
        cmocka_unit_test(matching),
        cmocka_unit_test(sorting_and_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
