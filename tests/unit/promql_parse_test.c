#include "unit.h"

#include <math.h>
#include "promql/promql.h"

/* Parses, prints, releases; an error is printed as Prometheus shows it. */
static str result(struct arena *a, const char *text, const struct promql_options *o)
{
    struct err e = ERR_INIT;
    struct buf b = BUF_INIT;
    struct promql_expr *x = promql_parse(str_of(text), o, a, NULL, &e);
    str s;

    if (x != NULL)
        promql_print(&b, x);
    else
        promql_error_text(&b, &e);
    promql_release(x);
    s = arena_str(a, buf_str(&b));
    buf_release(&b);
    return s;
}

struct pair {
    const char *in, *want;
};

static void check_pairs(const struct pair *v, size_t n, const struct promql_options *o)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < n; i++) {
        struct arena a;
        str got;

        arena_init(&a, 0);
        got = result(&a, v[i].in, o);
        if (!str_is(got, v[i].want)) {
            print_error("%s\ngot  %.*s\nwant %s\n", v[i].in, STR(got), v[i].want);
            wrong++;
        }
        arena_release(&a);
    }
    assert_int_equal(wrong, 0);
}

/* -- precedence: every binary operation in parentheses -- */

static void print_tree(struct buf *b, struct promql_expr *x)
{
    switch (x->kind) {
    case PROMQL_BINARY:
        buf_addc(b, '(');
        print_tree(b, x->binary.lhs);
        buf_addf(b, " %s ", promql_op_info(x->binary.op)->text);
        print_tree(b, x->binary.rhs);
        buf_addc(b, ')');
        break;
    case PROMQL_UNARY:
        buf_add(b, x->unary.is_minus ? S("-<") : S("+<"));
        print_tree(b, x->unary.expr);
        buf_addc(b, '>');
        break;
    case PROMQL_PAREN: print_tree(b, x->inner); break;
    default: promql_print(b, x); break;
    }
}

static void precedence(void **state)
{
    static const struct pair cases[] = {
        {"a or b and c unless d", "(a or ((b and c) unless d))"},
        {"a and b or c", "((a and b) or c)"},
        {"a + b * c ^ d", "(a + (b * (c ^ d)))"},
        {"a ^ b ^ c", "(a ^ (b ^ c))"},
        {"a - b - c", "((a - b) - c)"},
        {"a / b % c * d atan2 e", "((((a / b) % c) * d) atan2 e)"},
        {"a > b == c", "((a > b) == c)"},
        {"a + b > c - d", "((a + b) > (c - d))"},
        {"a </ 1 >/ 2", "((a </ 1) >/ 2)"},
        {"a == b and c != d", "((a == b) and (c != d))"},
        {"-a ^ b", "-<(a ^ b)>"},
        {"-a * b", "(-<a> * b)"},
        {"-1 ^ 2", "-<(1 ^ 2)>"},
        {"-1 * 2", "(-1 * 2)"},
        {"2 ^ -a", "(2 ^ -<a>)"},
        {"+a - -b", "(+<a> - -<b>)"},
        {"- - 1", "1"},
        {"a + b offset 5m", "(a + b offset 5m)"},
        {"-a[5m:] + b", NULL},
        {"foo offset -2 ^ 2", "(foo offset -2s ^ 2)"},
        {"a * on (x) group_left (y) b / c", "((a * b) / c)"},
        {"sum by (a) (b) + sum (c) by (d)", "(sum by (a) (b) + sum by (d) (c))"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a;
        struct err e = ERR_INIT;
        struct buf b = BUF_INIT;
        struct promql_expr *x;

        arena_init(&a, 0);
        x = promql_parse(str_of(cases[i].in), &promql_everything, &a, NULL, &e);
        assert_int_equal(x == NULL, cases[i].want == NULL);
        if (x != NULL) {
            print_tree(&b, x);
            assert_str(buf_str(&b), cases[i].want);
        }
        promql_release(x);
        buf_release(&b);
        arena_release(&a);
    }
}

/* -- the canonical form -- */

static void printing(void **state)
{
    static const struct pair cases[] = {
        {"sum  by(a,b)( rate( x{a!=''} [300s] ) )", "sum by (a, b) (rate(x{a!=\"\"}[5m]))"},
        {"sum without()(x)", "sum without () (x)"},
        {"sum by()(x)", "sum(x)"},
        {"SUM(x) BY (job,)", "sum by (job) (x)"},
        {"topk by (a)(5,x)", "topk by (a) (5, x)"},
        {"count_values('v',x)", "count_values(\"v\", x)"},
        {"sum by (\"utf 8\", by, on, bool, offset)(x)",
         "sum by (\"utf 8\", by, on, bool, offset) (x)"},
        {"a+on()b", "a + on () b"},
        {"a * ignoring(x) b", "a * ignoring (x) b"},
        {"a * ignoring() b", "a * b"},
        {"a*on(x)group_left b", "a * on (x) group_left () b"},
        {"a / ignoring (x) group_right (y,z) b", "a / ignoring (x) group_right (y, z) b"},
        {"a > bool on(x) b", "a > bool on (x) b"},
        {"a AND b Or c uNLESS d", "a and b or c unless d"},
        {"a + fill(0) b", "a + fill (0) b"},
        {"a + on (x) fill_right(-2) fill_left(5m) b",
         "a + on (x) fill_left (300) fill_right (-2) b"},
        {"{a='b',}", "{a=\"b\"}"},
        {"x{}", "x"},
        {"{\"x y\",a=~\"b.*\",c!~`d\\d`}", "{__name__=\"x y\",a=~\"b.*\",c!~\"d\\\\d\"}"},
        {"{\"l 1\"=\"v\"}", "{\"l 1\"=\"v\"}"},
        {"x{sum='1',by='2',NaN='3'}", "x{sum=\"1\",by=\"2\",NaN=\"3\"}"},
        {"a:b:c", "a:b:c"},
        {"sum + by + without{a='b'} + offset + start + anchored",
         "sum + by + without{a=\"b\"} + offset + start + anchored"},
        {"and and or or unless", "and and or or unless"},
        {"fill + fill_left", "fill + fill_left"},
        {"x[1h30m] offset 1w @ 12.5", "x[1h30m] @ 12.500 offset 1w"},
        {"x offset -1d", "x offset -1d"},
        {"x @ start() offset 5", "x @ start() offset 5s"},
        {"x @ -1m", "x @ -60.000"},
        {"x @ end()", "x @ end()"},
        {"x[90]", "x[1m30s]"},
        {"x[0.5]", "x[500ms]"},
        {"rate(x[5m])[1h:]", "rate(x[5m])[1h:]"},
        {"rate(x[5m])[1h:30] offset 1m @ 3", "rate(x[5m])[1h:30s] @ 3.000 offset 1m"},
        {"x[1m+step()*2]", "x[1m + step() * 2]"},
        {"x[min_of(step(),5m):max_of(1,range())]", "x[min_of(step(), 5m):max_of(1, range())]"},
        {"x offset (5m-1)", "x offset (5m - 1)"},
        {"x offset -(5m)", "x offset -(5m)"},
        {"x offset -step()", "x offset -step()"},
        {"rate(x[5m] smoothed)", "rate(x[5m] smoothed)"},
        {"rate(x[5m] offset 1m anchored)", "rate(x[5m] anchored offset 1m)"},
        {"1_000 + 0x1F + 017 + 1e6 + .5 + 5.", "1000 + 31 + 15 + 1e+06 + 0.5 + 5"},
        {"inf - -Inf + nan", "+Inf - -Inf + NaN"},
        {"Inf ^ 2", "Inf ^ 2"},
        {"5m * 2", "5m * 2"},
        {"'a\\'b' ", "\"a'b\""},
        {"\"\\x41\\u00e9\\101\"", "\"A\xc3\xa9"
                                  "A\""},
        {"`a\nb`", "\"a\\nb\""},
        {"( (x) )", "((x))"},
        {"time() # comment\n + 1", "time() + 1"},
        {"start() + end() + step() + range()", "start() + end() + step() + range()"},
        {"info(up, {a=''})", "info(up, {a=\"\"})"},
        {"round(x) + round(x, 5) + hour()", "round(x) + round(x, 5) + hour()"},
    };

    (void)state;
    check_pairs(cases, ARRAY_LEN(cases), &promql_everything);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) { /* and reads back as itself */
        struct pair again = {cases[i].want, cases[i].want};

        check_pairs(&again, 1, &promql_everything);
    }
}

/* -- errors -- */

static void lexer_errors(void **state)
{
    static const struct pair cases[] = {
        {"", "1:1: parse error: no expression found in input"},
        {" # nothing", "1:1: parse error: no expression found in input"},
        {"foo =~ bar", "1:5: parse error: unexpected character after '=': '~'"},
        {"foo ! bar", "1:5: parse error: unexpected character after '!': ' '"},
        {"foo ; bar", "1:5: parse error: unexpected character: ';'"},
        {"(foo", "1:5: parse error: unclosed left parenthesis"},
        {"foo)", "1:5: parse error: unexpected right parenthesis ')'"},
        {"foo[5m", "1:7: parse error: unclosed left bracket"},
        {"foo]", "1:4: parse error: unexpected right bracket ']'"},
        {"foo{a='b'", "1:10: parse error: unexpected end of input inside braces"},
        {"foo}", "1:4: parse error: unexpected character: '}'"},
        {"foo{{", "1:5: parse error: unexpected left brace '{'"},
        {"foo{a!b}", "1:6: parse error: unexpected character after '!' inside braces: 'b'"},
        {"foo{a;}", "1:6: parse error: unexpected character inside braces: ';'"},
        {"foo[[", "1:5: parse error: unexpected left bracket '['"},
        {"foo[:5m]", "1:5: parse error: unexpected colon before duration in duration expression"},
        {"foo[5m:1:2]", "1:9: parse error: unexpected repeated colon in duration expression"},
        {"'abc", "1:1: parse error: unterminated quoted string"},
        {"`abc", "1:1: parse error: unterminated raw string"},
        {"\"a\\q\"", "1:1: parse error: unknown escape sequence U+0071 'q'"},
        {"1__0", "1:1: parse error: bad number or duration syntax: \"1__0\""},
        {"1 + 5x", "1:5: parse error: bad number or duration syntax: \"5x\""},
        {"5m5h", "1:1: parse error: not a valid duration string: \"5m5h\""},
        {"foo\n  + 'x", "2:5: parse error: unterminated quoted string"},
    };

    (void)state;
    check_pairs(cases, ARRAY_LEN(cases), &promql_everything);
}

static void syntax_errors(void **state)
{
    static const struct pair cases[] = {
        {"test +", "1:7: parse error: unexpected end of input"},
        {"*a", "1:1: parse error: unexpected <op:*>"},
        {"a b", "1:3: parse error: unexpected identifier \"b\""},
        {"a 5", "1:3: parse error: unexpected number \"5\""},
        {"a 5m", "1:3: parse error: unexpected duration \"5m\""},
        {"a 'a very long string'", "1:3: parse error: unexpected string \"'a very lo\"..."},
        {"a sum", "1:3: parse error: unexpected <aggr:sum>"},
        {"a by (b)", "1:3: parse error: unexpected <by>"},
        {"a,", "1:2: parse error: unexpected \",\""},
        {"a + bool b", "1:3: parse error: bool modifier can only be used on comparison operators"},
        {"bool", "1:1: parse error: unexpected <bool>"},
        {"sum by a (b)",
         "1:8: parse error: unexpected identifier \"a\" in grouping opts, expected \"(\""},
        {"sum by (5) (b)",
         "1:9: parse error: unexpected number \"5\" in grouping opts, expected label"},
        {"sum by (a:b) (b)",
         "1:9: parse error: unexpected metric identifier \"a:b\" in grouping opts, expected label"},
        {"sum by (a b) (b)", "1:11: parse error: unexpected identifier \"b\" in grouping opts, "
                             "expected \",\" or \")\""},
        {"sum by ('') (b)", "1:9: parse error: invalid label name for grouping: \"\""},
        {"sum by (a)", "1:11: parse error: unexpected end of input in aggregation"},
        {"sum()", "1:1: parse error: no arguments for aggregate expression provided"},
        {"1 + topk(a)", "1:5: parse error: wrong number of arguments for aggregate expression "
                        "provided, expected 2, got 1"},
        {"sum(a, b)", "1:1: parse error: wrong number of arguments for aggregate expression "
                      "provided, expected 1, got 2"},
        {"rate(a[5m],)", "1:11: parse error: trailing commas not allowed in function call args"},
        {"rate(a[5m],*)", "1:11: parse error: trailing commas not allowed in function call args"},
        {"sum(rate(a b))", "1:12: parse error: unexpected identifier \"b\" in aggregation"},
        {"sum(a) + b c", "1:12: parse error: unexpected identifier \"c\""},
        {"a start", "1:3: parse error: unexpected \"start\""},
        {"a = b", "1:3: parse error: unexpected \"=\""},
        {"1 + nope(a)", "1:5: parse error: unknown function with name \"nope\""},
        {"foo{5}", "1:5: parse error: unexpected character inside braces: '5'"},
        {"foo{,}",
         "1:5: parse error: unexpected \",\" in label matching, expected identifier or \"}\""},
        {"foo{a}",
         "1:6: parse error: unexpected \"}\" in label matching, expected label matching operator"},
        {"foo{a=b}",
         "1:7: parse error: unexpected identifier \"b\" in label matching, expected string"},
        {"foo{a='b' c='d'}", "1:11: parse error: unexpected identifier \"c\" in label matching, "
                             "expected \",\" or \"}\""},
        {"foo{a=~'('}", "1:5: parse error: error parsing regexp: missing closing ): `(`"},
        {"foo offset", "1:11: parse error: unexpected end of input in offset, expected number, "
                       "duration, step(), or range()"},
        {"foo offset a", "1:12: parse error: unexpected identifier \"a\" in offset, expected "
                         "number, duration, step(), or range()"},
        {"foo @ a", "1:7: parse error: unexpected identifier \"a\" in @, expected timestamp"},
        {"foo @ inf", "1:7: parse error: timestamp out of bounds for @ modifier: +Inf"},
        {"foo @ -inf", "1:8: parse error: timestamp out of bounds for @ modifier: -Inf"},
        {"foo @ nan", "1:7: parse error: timestamp out of bounds for @ modifier: NaN"},
        {"foo[]", "1:5: parse error: unexpected \"]\" in subquery or range selector, expected "
                  "number, duration, step(), or range()"},
        {"foo[5m 5m]", "1:8: parse error: unexpected duration \"5m\" in subquery or range, "
                       "expected \":\" or \"]\""},
        {"foo[5m:1m 5m]",
         "1:11: parse error: unexpected duration \"5m\" in subquery selector, expected \"]\""},
        {"foo[0]", "1:5: parse error: duration must be greater than 0"},
        {"foo[-5m]", "1:5: parse error: duration must be greater than 0"},
        {"foo[5m:0]", "1:8: parse error: duration must be greater than 0"},
        {"foo[300y]", "1:5: parse error: duration out of range"},
        {"foo[5m/0]", "1:7: parse error: division by zero"},
        {"foo[5m%0]", "1:7: parse error: modulo by zero"},
        {"(foo)[5m]", "1:6: parse error: ranges only allowed for vector selectors"},
        {"foo offset 1m[5m]", "1:14: parse error: no offset modifiers allowed before range"},
        {"foo @ 1 [5m]", "1:9: parse error: no @ modifiers allowed before range"},
        {"foo offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"},
        {"foo @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"},
        {"1 + (foo) offset 1m", "1:5: parse error: offset modifier must be preceded by an instant "
                                "vector selector or range vector selector or a subquery"},
        {"rate(a[5m]) @ 1", "1:1: parse error: @ modifier must be preceded by an instant vector "
                            "selector or range vector selector or a subquery"},
        {"foo[5m] anchored smoothed",
         "1:18: parse error: anchored and smoothed modifiers cannot be used together"},
        {"foo[5m:] anchored",
         "1:10: parse error: anchored modifier is not supported for subqueries"},
    };

    (void)state;
    check_pairs(cases, ARRAY_LEN(cases), &promql_everything);
}

static void type_errors(void **state)
{
    static const struct pair cases[] = {
        {"sum(1)",
         "1:5: parse error: expected type instant vector in aggregation expression, got scalar"},
        {"topk(a, b)",
         "1:6: parse error: expected type scalar in aggregation parameter, got instant vector"},
        {"count_values(1, b)",
         "1:14: parse error: expected type string in aggregation parameter, got scalar"},
        {"rate(hi)", "1:6: parse error: expected type range vector in call to function \"rate\", "
                     "got instant vector"},
        {"abs(1, 2)", "1:1: parse error: expected 1 argument(s) in call to \"abs\", got 2"},
        {"label_join(a, 'b')",
         "1:1: parse error: expected at least 3 argument(s) in call to \"label_join\", got 2"},
        {"round(a, 1, 2)",
         "1:1: parse error: expected at most 2 argument(s) in call to \"round\", got 3"},
        {"1 == 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"},
        {"1 + 'a'",
         "1:5: parse error: binary expression must contain only scalar and instant vector types"},
        {"a[5m] + 1",
         "1:1: parse error: binary expression must contain only scalar and instant vector types"},
        {"1 and a",
         "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"},
        {"1 + on (x) a", "1:1: parse error: vector matching only allowed between instant vectors"},
        {"a + on (x) group_left (x) b",
         "1:3: parse error: label \"x\" must not occur in ON and GROUP clause at once"},
        {"a or on (x) group_left b", "1:1: parse error: no grouping allowed for \"or\" operation"},
        {"1 + fill(1) a",
         "1:1: parse error: filling in missing series only allowed between instant vectors"},
        {"a and fill(1) b",
         "1:1: parse error: filling in missing series not allowed for set operators"},
        {"-a[5m]", "1:1: parse error: unary expression only allowed on expressions of type scalar "
                   "or instant vector, got \"range vector\""},
        {"1[5m:]",
         "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"},
        {"a[5m][5m:]",
         "1:1: parse error: subquery is only allowed on instant vector, got matrix instead"},
        {"{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"},
        {"{a=~'.*'}",
         "1:1: parse error: vector selector must contain at least one non-empty matcher"},
        {"x{__name__='y'}", "1:1: parse error: metric name must not be set twice: \"x\" or \"y\""},
        {"{'x','y'}", "1:1: parse error: metric name must not be set twice: \"x\" or \"y\""},
        {"info(a, b)",
         "1:9: parse error: expected label selectors only, got vector selector instead"},
        {"info(a, (b))", "1:9: parse error: expected label selectors only"},
    };

    (void)state;
    check_pairs(cases, ARRAY_LEN(cases), &promql_everything);
}

static void switches(void **state)
{
    static const struct pair cases[] = {
        {"limitk(1, a)", "1:1: parse error: limitk() is experimental and must be enabled with "
                         "--enable-feature=promql-experimental-functions"},
        {"sort_by_label(a, 'b')", "1:1: parse error: function \"sort_by_label\" is not enabled"},
        {"a[5m] anchored", "1:7: parse error: anchored modifier is experimental and not enabled"},
        {"a smoothed", "1:3: parse error: smoothed modifier is experimental and not enabled"},
        {"a + fill(1) b",
         "1:5: parse error: binop fill modifiers are experimental and not enabled"},
        {"a[5m + 1m]", "a[5m + 1m]"},
    };

    (void)state;
    check_pairs(cases, ARRAY_LEN(cases), &promql_defaults);
}

/* -- limits and places -- */

static struct promql_expr *repeat(struct arena *a, const char *head, const char *part, int n,
                                  const char *tail, struct err *e)
{
    struct buf b = BUF_INIT;
    struct promql_expr *x;

    buf_add(&b, str_of(head));
    for (int i = 0; i < n; i++)
        buf_add(&b, str_of(part));
    buf_add(&b, str_of(tail));
    x = promql_parse(buf_str(&b), &promql_everything, a, NULL, e);
    buf_release(&b);
    return x;
}

static void limits(void **state)
{
    static const char *const parts[][3] = {{"", "(", "1"},     {"1", "+1", ""},  {"", "-", "a"},
                                           {"a", "[1m:]", ""}, {"a[", "(", "1"}, {"", "sum(", ""}};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct err e = ERR_INIT;
        bool is_type = i == 3; /* matrix of matrix: refused for that, or for its depth */

        assert_null(repeat(&a, parts[i][0], parts[i][1], 20000, parts[i][2], &e));
        if (!is_type)
            assert_int_equal(e.code, ERR_LIMIT);
    }
    assert_null(repeat(&a, "a", " ", 300 << 10, "", &(struct err)ERR_INIT));
    arena_release(&a);
}

static void places(void **state)
{
    struct arena a;
    struct err e = ERR_INIT;
    struct promql_place place;
    struct promql_expr *x;

    (void)state;
    arena_init(&a, 0);
    assert_null(promql_parse(S("up\n  + rate(hi)"), &promql_defaults, &a, &place, &e));
    assert_int_equal(e.line, 2);
    assert_int_equal(e.col, 10);
    assert_int_equal(place.at, 12);
    assert_int_equal(place.len, 2);
    x = promql_parse(S("sum(a{b='c'}) by (d) + rate(x[5m] offset 1m)"), &promql_defaults, &a, NULL,
                     &e);
    assert_non_null(x);
    assert_int_equal(x->binary.lhs->at, 0);
    assert_int_equal(x->binary.lhs->end, 20);
    assert_int_equal(x->binary.op_at, 21);
    assert_int_equal(x->binary.rhs->at, 23);
    assert_int_equal(x->binary.rhs->end, 44);
    assert_int_equal(x->binary.rhs->call.args[0]->end, 43);
    promql_release(x);
    arena_release(&a);
}

static void tables(void **state)
{
    size_t n;
    const struct promql_function *f = promql_functions(&n);

    (void)state;
    assert_int_equal(n, 90);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(promql_function_find(str_of(f[i].name)), &f[i]);
        assert_true(f[i].doc[0] != '\0' && f[i].n_args <= PROMQL_ARGS_MAX);
    }
    assert_null(promql_function_find(S("Rate")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(precedence),   cmocka_unit_test(printing),
        cmocka_unit_test(lexer_errors), cmocka_unit_test(syntax_errors),
        cmocka_unit_test(type_errors),  cmocka_unit_test(switches),
        cmocka_unit_test(limits),       cmocka_unit_test(places),
        cmocka_unit_test(tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
