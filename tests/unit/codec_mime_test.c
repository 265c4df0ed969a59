#include "unit.h"

#include "base/attr.h"
#include "tocsin/mime.h"

static void header_is(const char *name, const char *value, const char *want)
{
    struct buf b = BUF_INIT;

    mime_header(&b, str_of(name), str_of(value));
    assert_str(buf_str(&b), want);
    buf_release(&b);
}

static void headers(void **state)
{
    (void)state;
    header_is("Subject", "[FIRING:1] Slow", "Subject: [FIRING:1] Slow\r\n");
    header_is("Subject", "a\r\nBcc: evil@x\r\n\r\nbody", "Subject: a  Bcc: evil@x    body\r\n");
    header_is("Subject", "告警: gpu", "Subject: =?utf-8?q?=E5=91=8A=E8=AD=A6:_gpu?=\r\n");
    header_is("Subject",
              "=?utf-8?q?fake?=", "Subject: =?utf-8?q?=3D=3Futf-8=3Fq=3Ffake=3F=3D?=\r\n");
    header_is("X", "", "X: \r\n");
    /* words of 75 characters at most, never a rune cut in two */
    header_is("S", "告警告警告警告警告警",
              "S: =?utf-8?q?=E5=91=8A=E8=AD=A6=E5=91=8A=E8=AD=A6=E5=91=8A=E8=AD=A6=E5=91=8A?=\r\n"
              " =?utf-8?q?=E8=AD=A6=E5=91=8A=E8=AD=A6?=\r\n");
    header_is("X",
              "aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccc ddd",
              "X: aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n cccccccccccccccccccc "
              "ddd\r\n");
}

static void bodies(void **state)
{
    struct buf b = BUF_INIT;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    mime_quoted_printable(&b, S("a=b \nÜ\r\n.\n"));
    assert_str(buf_str(&b), "a=3Db=20\r\n=C3=9C\r\n.\r\n");
    buf_clear(&b);
    for (int i = 0; i < 100; i++)
        buf_addc(&b, 'x');
    {
        struct buf out = BUF_INIT;

        mime_quoted_printable(&out, buf_str(&b));
        assert_int_equal(str_find_str(buf_str(&out), S("=\r\n")), 75);
        buf_release(&out);
    }
    assert_str(mime_canonical_name(&a, S("message-ID")), "Message-Id");
    buf_release(&b);
    arena_release(&a);
}

static void addresses(void **state)
{
    static const char *const bad[] = {"",           "a",      "@x",          "a@",     "a b@x",
                                      "x <a@b",     "a@b, c", ".a@b",        "a..b@c", "a.@b",
                                      "a@b c@d",    "g: a@b", "g: h: a@b;;", "a@b (c", "\"\"@b",
                                      "\"a@b",      "a@b;",   "g:;",         "a@[x",   "<a@b> c",
                                      "x <a@b, c>", "a\\b@c", "\"a\nb\"@c"};
    static const struct {
        const char *text, *v, *header;
    } good[] = {
        {"a@x (Anna)", "a@x", "\"Anna\" <a@x>"},
        {"a@x (Anna (of \\( night)), b@y", "a@x|b@y", NULL},
        {"(x) , a@x", NULL, NULL},
        {"Anna (night) Smith <a@x> (late)", "a@x", "\"Anna Smith\" <a@x>"},
        {"team: a@x, Bert <b@y>;, c@z", "a@x|b@y|c@z", NULL},
        {"none: (nobody) ;, c@z", "c@z", NULL},
        {"\"a b\"@x, \"c\"@x, \"d,\\\"e\"@x", "\"a b\"@x|c@x|\"d,\\\"e\"@x", NULL},
        {"\"Last, First\" <\"x@y\"@z>", "\"x@y\"@z", "\"Last, First\" <\"x@y\"@z>"},
        {"a@[127.0.0.1]", "a@[127.0.0.1]", NULL},
        {",, a@x ,\n , b+c@y,", "a@x|b+c@y", NULL},
        {"Joe. Q. Public <a@x>", "a@x", NULL},
    };
    struct mime_addresses m;
    struct err e = ERR_INIT;
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    assert_true(mime_addresses_parse(S("a@x, \"Last, First\" <b@y>,Jürgen <c@z>,"), &a, &m, &e));
    assert_int_equal(m.n, 3);
    assert_str(m.v[1], "b@y");
    assert_str(m.header, "a@x,\r\n \"Last, First\" <b@y>,\r\n =?utf-8?q?J=C3=BCrgen?= <c@z>");
    assert_true(
        mime_addresses_parse(S("a\r\nBcc x <c@d>"), &a, &m, &e)); /* a name cannot end the line */
    assert_str(m.header, "\"a Bcc x\" <c@d>");
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct buf b = BUF_INIT;
        bool ok = mime_addresses_parse(str_of(good[i].text), &a, &m, &e);

        if (ok != (good[i].v != NULL))
            fail_msg("'%s': %s", good[i].text, ok ? "accepted" : e.msg);
        for (size_t k = 0; ok && k < m.n; k++)
            buf_addf(&b, "%s%.*s", k != 0 ? "|" : "", STR(m.v[k]));
        if (ok)
            assert_str(buf_str(&b), good[i].v);
        if (ok && good[i].header != NULL)
            assert_str(m.header, good[i].header);
        buf_release(&b);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (mime_addresses_parse(str_of(bad[i]), &a, &m, &e))
            fail_msg("accepted '%s'", bad[i]);
    arena_release(&a);
}

static void dates(void **state)
{
    struct buf b = BUF_INIT;

    (void)state;
    mime_date(&b, 1795411800ll * NS_PER_S);
    assert_str(buf_str(&b), "Mon, 23 Nov 2026 05:30:00 +0000");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(headers), cmocka_unit_test(bodies),
                                       cmocka_unit_test(addresses), cmocka_unit_test(dates)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
