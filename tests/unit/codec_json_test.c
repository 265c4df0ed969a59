#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include "base/rand.h"
#include "codec/float.h"
#include "codec/json.h"
#include "codec/quote.h"
#ifdef HAVE_JANSSON
#include <dlfcn.h>
#endif

static void floats_print_as_go_does(void **state)
{
    static const struct {
        double v;
        const char *plain, *g, *json;
    } rows[] = {
        {0, "0", "0", "0"},
        {-0.0, "-0", "-0", "-0"},
        {0.1, "0.1", "0.1", "0.1"},
        {1.0 / 3, "0.3333333333333333", "0.3333333333333333", "0.3333333333333333"},
        {123456789, "123456789", "1.23456789e+08", "123456789"},
        {1e20, "100000000000000000000", "1e+20", "100000000000000000000"},
        {1e21, "1000000000000000000000", "1e+21", "1e+21"},
        {1.5e-7, "0.00000015", "1.5e-07", "1.5e-7"},
        {1e-6, "0.000001", "1e-06", "0.000001"},
        {5.684341886080802e-14, "0.00000000000005684341886080802", "5.684341886080802e-14",
         "5.684341886080802e-14"},
        {-2.5, "-2.5", "-2.5", "-2.5"},
        {9007199254740993.0, "9007199254740992", "9.007199254740992e+15", "9007199254740992"},
    };
    struct buf b = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&b);
        float_print_shortest(&b, rows[i].v);
        assert_str(buf_str(&b), rows[i].plain);
        buf_clear(&b);
        float_print_g(&b, rows[i].v);
        assert_str(buf_str(&b), rows[i].g);
        buf_clear(&b);
        float_print_go_json(&b, rows[i].v);
        assert_str(buf_str(&b), rows[i].json);
    }
    buf_clear(&b);
    float_print_g(&b, 5e-324);
    float_print_g(&b, INFINITY);
    float_print_g(&b, -INFINITY);
    float_print_g(&b, NAN);
    assert_str(buf_str(&b), "5e-324+Inf-InfNaN");
    buf_release(&b);
}

static void floats_survive_print_and_parse(void **state)
{
    struct buf b = BUF_INIT;
    uint64_t x = 88172645463325252ull;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        double v, back;

        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        memcpy(&v, &x, sizeof(v));
        if (!isfinite(v))
            continue;
        if (i % 3 == 0)
            v = ldexp(1, (int)(x % 2000) - 1000);
        buf_clear(&b);
        float_print_g(&b, v);
        assert_true(float_parse(buf_str(&b), &back, NULL));
        assert_true(v == back);
    }
    buf_release(&b);
}

static void floats_parse_as_go_does(void **state)
{
    static const char *const good[] = {"1",   "+1",   "-1.5", ".5",  "5.",       "1e3",   "1E-3",
                                       "inf", "+Inf", "NaN",  "nan", "Infinity", "0x1p-2"};
    static const char *const bad[] = {"",   ".",  "+",    "1_000", " 1",    "1 ", "0x1",
                                      "1e", "e5", "+nan", "infi",  "1e999", "0x", "--1"};
    double v;
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(float_parse(str_of(good[i]), &v, &e));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(float_parse(str_of(bad[i]), &v, &e));
    assert_true(float_parse(S("0x1p-2"), &v, &e));
    assert_true(v == 0.25);
    assert_true(float_parse(S("1e-999"), &v, &e));
    assert_true(v == 0);
}

/* Quotes, braces and backslashes at each place of a word of sixteen bytes. */
static void objects_are_passed_over(void **state)
{
    static const char *const ends[] = {"\"}", "{}\"}", "\\\"}\"}",
                                       "\\\\\", \"b\": {\"c\": {}, \"}\": []}}"};
    static const char *const none[] = {"[1]",        "\"a\"", "",         "{", "{\"a\": \"b",
                                       "{\"a\": {}", "{\"\\", "{\"\\\"}", "}"};
    struct buf b = BUF_INIT;
    struct json_reader r;
    struct arena a;
    str text, raw;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < 40 * ARRAY_LEN(ends); i++) {
        buf_clear(&b);
        buf_addf(&b, " {\"a\":\"%.*s%s ,7", (int)(i / ARRAY_LEN(ends)),
                 "0123456789012345678901234567890123456789", ends[i % ARRAY_LEN(ends)]);
        json_reader_init(&r, buf_str(&b), &a, 8);
        assert_true(json_object_span(&r, &text));
        assert_true(str_eq(text, str_sub(buf_str(&b), 1, b.n - 3)));
        assert_int_equal(r.at, b.n - 3);
        json_reader_init(&r, buf_str(&b), &a, 8);
        assert_true(json_raw(&r, &raw) && str_eq(raw, text));
    }
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        json_reader_init(&r, str_of(none[i]), &a, 8);
        assert_false(json_object_span(&r, &text));
        assert_true(!r.failed && r.at == 0);
    }
    buf_release(&b);
    arena_release(&a);
}

static void reader_goes_back(void **state)
{
    struct json_reader r;
    struct json_mark at;
    struct arena a;
    str s;

    (void)state;
    arena_init(&a, 0);
    json_reader_init(&r, S("[{\"a\": [}, 1]"), &a, 8);
    assert_true(json_array_begin(&r) && json_array_next(&r));
    at = json_mark(&r);
    assert_false(json_skip(&r));
    json_go_back(&r, at);
    assert_true(json_object_begin(&r) && json_object_next(&r, &s) && str_is(s, "a"));
    assert_false(json_skip(&r));
    assert_int_equal(r.err.col, 9);
    arena_release(&a);
}

static void reader_walks_a_document(void **state)
{
    str in = S("[{\"id\": \"a\\u00e9\\ud83d\\ude00\\n\", \"n\": -12, \"skip\": [1, {\"x\": null}], "
               "\"f\": 2.5e1},\n"
               " {\"id\": \"plain\", \"b\": true}]");
    struct json_reader r;
    struct arena a;
    struct buf seen = BUF_INIT;
    str key, s;
    int64_t n;
    double f;
    bool b;

    (void)state;
    arena_init(&a, 0);
    json_reader_init(&r, in, &a, 8);
    for (json_array_begin(&r); json_array_next(&r);) {
        for (json_object_begin(&r); json_object_next(&r, &key);) {
            if (str_is(key, "id") && json_string(&r, &s))
                buf_addf(&seen, "%.*s;", STR(s));
            else if (str_is(key, "n") && json_i64(&r, &n))
                buf_addf(&seen, "%lld;", (long long)n);
            else if (str_is(key, "f") && json_double(&r, &f))
                buf_addf(&seen, "%g;", f);
            else if (str_is(key, "b") && json_bool(&r, &b))
                buf_addf(&seen, "%d;", b);
            else
                json_skip(&r);
        }
    }
    assert_true(json_end(&r));
    assert_str(buf_str(&seen), "a\xc3\xa9\xf0\x9f\x98\x80\n;-12;25;plain;1;");
    json_reader_init(&r, S(" {\"a\" : [1, 2 ] } "), &a, 8);
    assert_true(json_raw(&r, &s));
    assert_str(s, "{\"a\" : [1, 2 ] }");
    assert_true(json_end(&r));
    buf_release(&seen);
    arena_release(&a);
}

static bool accepts(str in, struct err *e)
{
    struct json_reader r;
    struct arena a;
    bool ok;

    arena_init(&a, 0);
    json_reader_init(&r, in, &a, 64);
    json_skip(&r);
    ok = json_end(&r);
    if (!ok && e != NULL)
        *e = r.err;
    arena_release(&a);
    return ok;
}

static void reader_refuses_what_is_no_json(void **state)
{
    static const char *const bad[] = {
        "",
        "[",
        "]",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "\"\\x\"",
        "\"\\ud800\\u00\"",
        "\"a\nb\"",
        "tru",
        "nulll",
        "[1 2]",
        "{\"a\" 1}",
        "1 2",
        "\"abc",
        "\"\\",
        "\"\\u12",
        "[1}",
        "\xef\xbb\xbf[]",
        "'a'",
    };
    struct err e;
    char deep[200];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (accepts(str_of(bad[i]), &e))
            print_error("accepted: %.*s\n", STR(str_of(bad[i])));
        assert_false(accepts(str_of(bad[i]), &e));
        assert_true(e.line >= 1 && e.col >= 1 && e.msg[0] != '\0');
    }
    assert_false(accepts((str){"\"a\0b\"", 5}, &e));
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    assert_false(accepts((str){deep, 130}, &e));
    assert_true(accepts((str){deep + 1, 128}, &e));
    assert_false(accepts(S("{\n  \"a\": [1,\n 2 3]}"), &e));
    assert_int_equal(e.line, 3);
    assert_int_equal(e.col, 4);
    assert_string_equal(e.msg, "',' or ']' expected, not '3'");
}

/* As Go's encoding/json reads them. */
static void strings_are_always_readable(void **state)
{
    static const struct {
        str in, want;
    } cases[] = {
        {S_INIT("\"a\\u0000b\""), S_INIT("a\0b")},
        {S_INIT("\"\\ud800\""), S_INIT("\xef\xbf\xbd")},
        {S_INIT("\"\\udc00x\""), S_INIT("\xef\xbf\xbdx")},
        {S_INIT("\"\\ud800\\u0041\""), S_INIT("\xef\xbf\xbd"
                                              "A")},
        {S_INIT("\"\\ud800\\ud83d\\ude00\""), S_INIT("\xef\xbf\xbd\xf0\x9f\x98\x80")},
        {S_INIT("\"\\ud800\\n\""), S_INIT("\xef\xbf\xbd\n")},
        {S_INIT("\"a\xff\xc3\""), S_INIT("a\xef\xbf\xbd\xef\xbf\xbd")},
        {S_INIT("\"\xff\\t\xc3\xa9\""), S_INIT("\xef\xbf\xbd\t\xc3\xa9")},
        {S_INIT("\"\xed\xa0\x80\""), S_INIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
    };
    struct json_reader r;
    struct arena a;
    str s;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_reader_init(&r, cases[i].in, &a, 8);
        if (!json_string(&r, &s) || !json_end(&r))
            fail_msg("case %zu: %s", i, r.err.msg);
        if (!str_eq(s, cases[i].want))
            fail_msg("case %zu: \"%.*s\"", i, STR(s));
    }
    json_reader_init(&r, S("[] behind"), &a, 8);
    assert_true(json_skip(&r) && json_end_of_value(&r) && !json_end(&r));
    arena_release(&a);
}

static void keys_match_in_any_case(void **state)
{
    (void)state;
    assert_true(json_key_is(S("endsAt"), "endsAt"));
    assert_true(json_key_is(S("EndsAt"), "endsAt"));
    assert_true(json_key_is(S("ENDSAT"), "endsAt"));
    assert_true(json_key_is(S("end\u017fat"), "endsAt"));
    assert_true(json_key_is(S("\u212aey"), "key"));
    assert_false(json_key_is(S("endsA"), "endsAt"));
    assert_false(json_key_is(S("endsAtt"), "endsAt"));
    assert_false(json_key_is(S("ends@t"), "endsAt"));
}

static void reader_keeps_integers_exact(void **state)
{
    struct json_reader r;
    struct arena a;
    int64_t v;

    (void)state;
    arena_init(&a, 0);
    json_reader_init(&r, S("-9223372036854775808"), &a, 8);
    assert_true(json_i64(&r, &v));
    assert_true(v == INT64_MIN);
    json_reader_init(&r, S("9223372036854775808"), &a, 8);
    assert_false(json_i64(&r, &v));
    json_reader_init(&r, S("1.0"), &a, 8);
    assert_false(json_i64(&r, &v));
    arena_release(&a);
}

static void writer_puts_the_commas(void **state)
{
    struct buf b = BUF_INIT;
    struct json_writer w;

    (void)state;
    json_writer_init(&w, &b, true);
    json_open(&w, '{');
    json_key(&w, S("a<b"));
    json_open(&w, '[');
    json_put_i64(&w, -1);
    json_put_u64(&w, UINT64_MAX);
    json_put_double(&w, 1e21);
    json_put_double(&w, NAN);
    json_open(&w, '{');
    json_close(&w, '}');
    json_close(&w, ']');
    json_key(&w, S("b"));
    json_put_bool(&w, false);
    json_key(&w, S("c"));
    json_put_raw(&w, S("[1]"));
    json_key(&w, S("d"));
    json_put_str(&w, S("x\"\xff"));
    json_close(&w, '}');
    assert_str(buf_str(&b),
               "{\"a\\u003cb\":[-1,18446744073709551615,1e+21,null,{}],\"b\":false,\"c\":[1],"
               "\"d\":\"x\\\"\\ufffd\"}");
    assert_true(accepts(buf_str(&b), NULL));
    buf_release(&b);
}

/* Bytes are looked at eight at a time, and the few that are left at once: each length, each place, each byte. */
static void quoting_finds_each_byte_at_each_place(void **state)
{
    struct buf got = BUF_INIT, want = BUF_INIT;
    char plain[25], text[25];

    (void)state;
    memset(plain, 'x', sizeof(plain));
    for (size_t n = 1; n <= sizeof(plain); n++)
        for (size_t at = 0; at < n; at++)
            for (int c = 0; c < 128; c++) {
                memcpy(text, plain, n);
                text[at] = (char)c;
                buf_clear(&want);
                buf_addf(&want, "\"%.*s", (int)at, plain);
                if (c == '"' || c == '\\')
                    buf_addf(&want, "\\%c", c);
                else if (c >= ' ' && c != '<' && c != '>' && c != '&')
                    buf_addc(&want, (char)c);
                else if (c >= '\b' && c <= '\r' && c != '\v')
                    buf_addf(&want, "\\%c", "btn?fr"[c - '\b']);
                else
                    buf_addf(&want, "\\u%04x", (unsigned)c);
                buf_addf(&want, "%.*s\"", (int)(n - at - 1), plain);
                buf_clear(&got);
                quote_json(&got, (str){text, n}, true);
                assert_true(str_eq(buf_str(&got), buf_str(&want)));
                assert_int_equal(quote_json_is_plain((str){text, n}), want.n == n + 2);
            }
    buf_release(&got);
    buf_release(&want);
}

/* Drawn texts of more than one piece: it is plain if, and only if, quoting leaves it as it is. */
static void plain_is_what_quoting_leaves(void **state)
{
    static const char *const parts[] = {"a",
                                        "0123456789abcde",
                                        "温度",
                                        "é",
                                        "\xf0\x9f\x94\xa5",
                                        "\xe2\x80\xa8",
                                        "\xe2\x80\xa7",
                                        "\xe2\x80\xa9",
                                        "\xff",
                                        "\xe6\xb8",
                                        "<",
                                        "\n",
                                        "~"};
    struct buf text = BUF_INIT, quoted = BUF_INIT;
    struct rand r = rand_of(3);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t of = rand_below(&r, 4) == 0 ? ARRAY_LEN(parts) : 5;
        bool is_same;

        buf_clear(&text);
        buf_clear(&quoted);
        for (uint64_t n = rand_below(&r, 16); n != 0; n--)
            buf_add(&text, str_of(parts[rand_below(&r, of)]));
        quote_json(&quoted, buf_str(&text), true);
        is_same = quoted.n == text.n + 2 &&
                  str_eq(str_sub(buf_str(&quoted), 1, quoted.n - 1), buf_str(&text));
        assert_int_equal(quote_json_is_plain(buf_str(&text)), is_same);
        assert_true(of == ARRAY_LEN(parts) || is_same);
    }
    buf_release(&text);
    buf_release(&quoted);
}

#ifdef HAVE_JANSSON
/* jansson's functions have names that ours have too, so it is loaded at run time and asked through
 * its own text: what it read is written by it again, and both texts must say the same. */
struct oracle_error { /* as jansson.h lays it out; the code stands in the last byte of text */
    int line, column, position;
    char source[80], text[160];
};
enum { ORACLE_REJECT_DUPLICATES = 1, ORACLE_DECODE_ANY = 4, ORACLE_INT_AS_REAL = 8 };
enum { ORACLE_ENCODE_ANY = 0x200, ORACLE_COMPACT = 0x20 };

struct oracle {
    void *(*loadb)(const char *, size_t, size_t, struct oracle_error *);
    char *(*dumps)(const void *, size_t);
    void (*destroy)(void *);
};

static bool oracle_open(struct oracle *o)
{
    void *lib = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);

    if (lib == NULL)
        return false;
    *(void **)&o->loadb = dlsym(lib, "json_loadb");
    *(void **)&o->dumps = dlsym(lib, "json_dumps");
    *(void **)&o->destroy = dlsym(lib, "json_delete");
    return true;
}

static void compare(struct json_reader *r, struct json_reader *w)
{
    str s, t;
    double f, g;
    bool b, c, more;

    assert_int_equal(json_peek(r), json_peek(w));
    switch (json_peek(r)) {
    case JSON_NULL: assert_true(json_null(r) && json_null(w)); return;
    case JSON_BOOL: assert_true(json_bool(r, &b) && json_bool(w, &c) && b == c); return;
    case JSON_NUMBER: assert_true(json_double(r, &f) && json_double(w, &g) && f == g); return;
    case JSON_STRING: assert_true(json_string(r, &s) && json_string(w, &t) && str_eq(s, t)); return;
    case JSON_ARRAY:
        for (json_array_begin(r), json_array_begin(w);;) {
            more = json_array_next(r);
            assert_int_equal(more, json_array_next(w));
            if (!more)
                return;
            compare(r, w);
        }
    case JSON_OBJECT:
        for (json_object_begin(r), json_object_begin(w);;) {
            more = json_object_next(r, &s);
            assert_int_equal(more, json_object_next(w, &t));
            if (!more)
                return;
            assert_true(str_eq(s, t));
            compare(r, w);
        }
    case JSON_FAILED: fail();
    }
}

static void compare_texts(str a, str b)
{
    struct arena arena;
    struct json_reader r, w;

    arena_init(&arena, 0);
    json_reader_init(&r, a, &arena, 64);
    json_reader_init(&w, b, &arena, 64);
    compare(&r, &w);
    assert_true(json_end(&r) && json_end(&w));
    arena_release(&arena);
}

static unsigned seed = 12345;

static unsigned pick(unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % below;
}

static void generate(struct buf *b, unsigned depth)
{
    static const char *const scalars[] = {"null",
                                          "true",
                                          "false",
                                          "0",
                                          "-1",
                                          "3.25",
                                          "1e5",
                                          "-0",
                                          "12345678901",
                                          "\"\"",
                                          "\"a\"",
                                          "\"\\u00e9\\n\"",
                                          "\"\xe6\x97\xa5\"",
                                          "\"\\ud83d\\ude00\"",
                                          "\"\\/\\b\\f\\t\\\\\"",
                                          "0.001E+2"};
    unsigned n = pick(4), kind = depth > 5 ? 0 : pick(4);

    if (kind < 2) {
        buf_add(b, str_of(scalars[pick(ARRAY_LEN(scalars))]));
        return;
    }
    buf_addc(b, kind == 2 ? '[' : '{');
    for (unsigned i = 0; i < n; i++) {
        if (i != 0)
            buf_add(b, pick(2) ? S(",") : S(" ,\n "));
        if (kind == 3)
            buf_addf(b, "\"k%u%u\" :", depth, i);
        generate(b, depth + 1);
    }
    buf_addc(b, kind == 2 ? ']' : '}');
}

static void agrees_with_jansson(void **state)
{
    static const char noise[] = "{}[],:\"\\ 0159.eE+-tfnu\x80\xc3\n";
    struct buf b = BUF_INIT;
    struct oracle o = {0};
    unsigned refused = 0;

    (void)state;
    if (!oracle_open(&o))
        skip();
    for (int i = 0; i < 20000; i++) {
        struct oracle_error why = {0};
        void *tree;
        bool ours;

        buf_clear(&b);
        generate(&b, 0);
        for (unsigned k = i % 2 == 1 ? 1 + pick(3) : 0; k > 0; k--) {
            size_t at = pick((unsigned)b.n);

            b.p[at] = noise[pick(sizeof(noise) - 1)];
        }
        tree = o.loadb(b.p, b.n, ORACLE_DECODE_ANY | ORACLE_INT_AS_REAL | ORACLE_REJECT_DUPLICATES,
                       &why);
        if (tree == NULL &&
            (strstr(why.text, "duplicate") != NULL || strstr(why.text, "overflow") != NULL ||
             strstr(why.text, "decode byte") != NULL || strstr(why.text, "Unicode") != NULL))
            continue; /* where it is stricter, or Go's reader is not strict */
        ours = accepts(buf_str(&b), NULL);
        if (ours != (tree != NULL))
            print_error("%d %s: %.*s\n", ours, why.text, STR(buf_str(&b)));
        assert_int_equal(ours, tree != NULL);
        refused += !ours;
        if (tree != NULL) {
            char *text = o.dumps(tree, ORACLE_ENCODE_ANY | ORACLE_COMPACT);

            compare_texts(buf_str(&b), str_of(text));
            free(text);
            o.destroy(
                tree); /* the only reference is ours; the shared null, true and false ignore it */
        }
    }
    assert_true(refused > 1000);
    buf_release(&b);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_print_as_go_does),
        cmocka_unit_test(floats_survive_print_and_parse),
        cmocka_unit_test(floats_parse_as_go_does),
        cmocka_unit_test(reader_walks_a_document),
        cmocka_unit_test(reader_refuses_what_is_no_json),
        cmocka_unit_test(objects_are_passed_over),
        cmocka_unit_test(reader_goes_back),
        cmocka_unit_test(strings_are_always_readable),
        cmocka_unit_test(keys_match_in_any_case),
        cmocka_unit_test(reader_keeps_integers_exact),
        cmocka_unit_test(writer_puts_the_commas),
        cmocka_unit_test(quoting_finds_each_byte_at_each_place),
        cmocka_unit_test(plain_is_what_quoting_leaves),
#ifdef HAVE_JANSSON
        cmocka_unit_test(agrees_with_jansson),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
