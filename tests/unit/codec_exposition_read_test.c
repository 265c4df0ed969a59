#include "unit.h"

#include <math.h>
#include "base/hash.h"
#include "codec/exposition_read.h"

struct case_ {
    enum expo_format format;
    const char *text, *wanted; /* wanted: the items, or the error */
};

static void print_labels(struct buf *out, struct labels ls)
{
    LABELS_EACH (l, ls)
        buf_addf(out, " %.*s=%.*s", STR(l->name), STR(l->value));
}

static void read_all(const struct case_ *c, struct buf *out)
{
    static const char *const kinds[] = {"sample", "type", "help", "unit"};
    struct expo_reader r;
    struct expo_item item;
    struct err e = ERR_INIT;
    struct labels ls;

    expo_reader_init(&r, str_of(c->text), c->format);
    while (e.code == ERR_NONE && expo_read(&r, &item, &e)) {
        buf_addf(out, "%s", kinds[item.kind]);
        if (item.kind != EXPO_SAMPLE)
            buf_addf(out, " %.*s %.*s", STR(item.name), STR(item.text));
        else if (expo_read_labels(&r, item.series, &ls, &e)) {
            print_labels(out, ls);
            buf_addf(out, " %g", item.value);
            if (item.has_time)
                buf_addf(out, " @%lld", (long long)item.t);
        }
        buf_addc(out, '\n');
    }
    if (e.code != ERR_NONE) { /* without what is quoted */
        const char *quoted = strstr(e.msg, ": \"");

        buf_addf(out, "line %d: %.*s\n", e.line,
                 quoted != NULL ? (int)(quoted - e.msg) : (int)strlen(e.msg), e.msg);
    }
    expo_reader_release(&r);
}

static void check(const struct case_ *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf out = BUF_INIT;

        read_all(&cases[i], &out);
        assert_str(buf_str(&out), cases[i].wanted);
        buf_release(&out);
    }
}

static void good(void **state)
{
    static const struct case_ cases[] = {
        {EXPO_TEXT, "", ""},
        {EXPO_TEXT, "\n# any comment\n  a 1\n", "sample __name__=a 1\n"},
        {EXPO_TEXT, "# HELP a some \\n text\n# TYPE a counter\n",
         "help a some \\n text\ntype a counter\n"},
        {EXPO_TEXT, "a{c=\"1\",b=\"x \\\"}\\\\\\n\",}\t2e3\t-5\n",
         "sample __name__=a b=x \"}\\\n c=1 2000 @-5\n"},
        {EXPO_TEXT, "a{}NaN\n", "sample __name__=a nan\n"},
        {EXPO_TEXT, "a{b=\"\"} +Inf\n", "sample __name__=a inf\n"},
        {EXPO_TEXT, "{\"a.b\",\"c d\"=\"e\"} 1\n", "sample __name__=a.b c d=e 1\n"},
        {EXPO_OPENMETRICS, "# EOF", ""},
        {EXPO_OPENMETRICS, "# UNIT a_s s\na_s 1 1.5\n# EOF\n",
         "unit a_s s\nsample __name__=a_s 1 @1500\n"},
        {EXPO_OPENMETRICS, "a{b=\"c\"} 1 2 # {t=\"x\"} 0.5\na 1 # {} 2\n# EOF\n",
         "sample __name__=a b=c 1 @2000\nsample __name__=a 1\n"},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void bad(void **state)
{
    static const struct case_ cases[] = {
        {EXPO_TEXT, "a 1", "line 1: the last line has no end\n"},
        {EXPO_TEXT, "\na x\n", "line 2: a value is not a number\n"},
        {EXPO_TEXT, "a 0x1p3\n", "line 1: a value is not a number\n"},
        {EXPO_TEXT, "a 1 1.5\n", "line 1: a timestamp is not a whole number of milliseconds\n"},
        {EXPO_TEXT, "a 1 2 3\n", "line 1: something follows the value\n"},
        {EXPO_TEXT, "a{b=\"c\n", "line 1: a name, labels and a value expected\n"},
        {EXPO_TEXT, "a{b=\"c\",b=\"d\"} 1\n", "sample\nline 1: label \"b\" stands twice\n"},
        {EXPO_TEXT, "a{b=c} 1\n", "sample\nline 1: a quoted string expected\n"},
        {EXPO_TEXT, "{b=\"c\"} 1\n", "sample\nline 1: a metric name is missing\n"},
        {EXPO_TEXT, "a{b=\"\xc5\"} 1\n", "sample\nline 1: invalid UTF-8\n"},
        {EXPO_OPENMETRICS, "a 1\n", "sample __name__=a 1\nline 2: # EOF is missing\n"},
        {EXPO_OPENMETRICS, "a  1\n# EOF\n", "line 1: a blank and a value expected\n"},
        {EXPO_OPENMETRICS, "\n# EOF\n", "line 1: an empty line\n"},
        {EXPO_OPENMETRICS, "# EOF\na 1\n", "line 1: something follows # EOF\n"},
        {EXPO_OPENMETRICS, "# words\n# EOF\n",
         "line 1: a comment must be HELP, TYPE, UNIT or EOF\n"},
    };

    (void)state;
    check(cases, ARRAY_LEN(cases));
}

static void pieces(void **state)
{
    struct expo_reader r;
    struct expo_item item;
    struct err e = ERR_INIT;

    (void)state;
    expo_reader_init(&r, STR_NONE, EXPO_OPENMETRICS);
    expo_reader_more(&r, S("a 1\n"), false);
    assert_true(expo_read(&r, &item, &e));
    assert_false(expo_read(&r, &item, &e));
    expo_reader_more(&r, S("b 2\n# EOF\n"), false);
    assert_true(expo_read(&r, &item, &e));
    assert_int_equal(r.line, 2);
    assert_false(expo_read(&r, &item, &e));
    assert_int_equal(e.code, ERR_NONE);
    expo_reader_more(&r, S("c 3\n"), true);
    assert_false(expo_read(&r, &item, &e));
    assert_string_equal(e.msg, "something follows # EOF: \"c 3\\n\"");
    assert_int_equal(e.line, 4);
    expo_reader_release(&r);
}

struct expected_case {
    const char *expected, *line, *series;
    bool is_expected;
};

static void expects_the_next_series(void **state)
{
    static const struct expected_case cases[] = {
        {"up", "up 1\n", "up", true},
        {"up", "up_total 1\n", "up_total", false},
        {"up", "up\t1\n", "up", false}, /* found the long way */
        {"up", "up {a=\"b\"} 1\n", "up {a=\"b\"}", false},
        {"up{a=\"b\"}", "up{a=\"b\"} 1\n", "up{a=\"b\"}", true},
        {"up{a=\"b\"}", "up{a=\"b\"}1\n", "up{a=\"b\"}", true},
        {"up{a=\"b\"}", "up{a=\"c\"} 1\n", "up{a=\"c\"}", false},
        {"up{a=\"b\"}", "up 1\n", "up", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        str expected = str_of(cases[i].expected);
        struct expo_reader r;
        struct expo_item x;
        struct err e = ERR_INIT;

        expo_reader_init(&r, str_of(cases[i].line), EXPO_TEXT);
        expo_reader_expect(&r, expected.n, hash_str(expected));
        assert_true(expo_read(&r, &x, &e));
        assert_true(str_is(x.series, cases[i].series));
        assert_true(x.value == 1);
        if (x.is_expected != cases[i].is_expected) {
            printf("%s\n", cases[i].line);
            fail();
        }
        expo_reader_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(expects_the_next_series),
                                       cmocka_unit_test(good), cmocka_unit_test(bad),
                                       cmocka_unit_test(pieces)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
