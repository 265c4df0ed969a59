#include "unit.h"

#include "codec/url.h"

/* What Go's url.Parse makes of it and String() writes; error: its words. */
static void urls_are_read_and_written_as_by_go(void **state)
{
    static const struct {
        const char *text, *printed, *error;
    } rows[] = {
        {"http://h", "http://h", NULL},
        {"HTTP://H/x", "http://H/x", NULL},
        {"http://h/a b", "http://h/a%20b", NULL},
        {"http://h/a%20b", "http://h/a%20b", NULL},
        {"http://h/a%2Fb", "http://h/a%2Fb", NULL},
        {"http://h/a%2fb c", "http://h/a/b%20c", NULL},
        {"http://h/\xE5\x91\x8A", "http://h/%E5%91%8A", NULL},
        {"http://h/a\"<>^`{|}\\", "http://h/a%22%3C%3E%5E%60%7B%7C%7D%5C", NULL},
        {"http://h/[a]!$&'()*+,;=:@~-._", "http://h/[a]!$&'()*+,;=:@~-._", NULL},
        {"http://h?", "http://h?", NULL},
        {"http://h/x?a=b c&d=%zz", "http://h/x?a=b%20c&d=%zz", NULL},
        {"http://h/x?a?b#f?g", "http://h/x?a?b#f?g", NULL},
        {"http://h/../x/./y", "http://h/../x/./y", NULL},
        {"http://h:", "http://h:", NULL},
        {"http://$HOST:9093", "http://$HOST:9093", NULL},
        {"http://[::1]:80/x", "http://[::1]:80/x", NULL},
        {"http://[fe80::1%25en0]/", "http://[fe80::1%25en0]/", NULL},
        {"http://%E5%91%8A/", "http://%E5%91%8A/", NULL},
        {"http://u:p%40w@h/", "http://u:p%40w@h/", NULL},
        {"http://u@h", "http://u@h", NULL},
        {"http:x", "http:x", NULL},
        {"mailto:a@b", "mailto:a@b", NULL},
        {"/x", "/x", NULL},
        {"//h/x", "//h/x", NULL},
        {"a/b:c", "a/b:c", NULL},
        {"", "", NULL},
        {"http://${HOST}:9093/x", NULL, "invalid character \"{\" in host name"},
        {"http://a b/", NULL, "invalid character \" \" in host name"},
        {"http://h:port/", NULL, "invalid port after host"},
        {"http://h:80a", NULL, "invalid port after host"},
        {"http://h:{{ .P }}/", NULL, "invalid port after host"},
        {"http://[::1/x", NULL, "missing ']' in host"},
        {"http://[::1]x/", NULL, "invalid port after host"},
        {"http://h/%zz", NULL, "invalid URL escape \"%zz\""},
        {"http://h/%4", NULL, "invalid URL escape \"%4\""},
        {"http://h%20x/", NULL, "invalid URL escape \"%20\""},
        {"http://h/x#%z", NULL, "invalid URL escape \"%z\""},
        {"http://h/\n", NULL, "net/url: invalid control character in URL"},
        {"http://h/\x7f", NULL, "net/url: invalid control character in URL"},
        {"http://h/12345\x1f", NULL, "net/url: invalid control character in URL"},
        {"http://h/\x01 234567", NULL, "net/url: invalid control character in URL"},
        {"http://h/123456789012345\x7f 12", NULL, "net/url: invalid control character in URL"},
        {"http://h/\x80\xff\xa0~ !", "http://h/%80%FF%A0~%20%21", NULL},
        {"http://a b@h/", NULL, "net/url: invalid userinfo"},
        {":x", NULL, "missing protocol scheme"},
        {"1a:b", NULL, "first path segment in URL cannot contain colon"},
        {"127.0.0.1:9093", NULL, "first path segment in URL cannot contain colon"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = ERR_INIT;
        struct arena a;
        struct url u;

        arena_init(&a, 0);
        if (url_parse(str_of(rows[i].text), &a, &u, &e) != (rows[i].error == NULL))
            fail_msg("%s: %s", rows[i].text, e.msg);
        if (rows[i].error != NULL)
            assert_string_equal(e.msg, rows[i].error);
        else
            assert_str(url_print(&u, &a), rows[i].printed);
        arena_release(&a);
    }
}

static void what_configurations_take(void **state)
{
    static const char *const good[] = {"http://h", "https://h:1/x?y", "HTTP://h/x", "http://h/a b"};
    static const char *const bad[] = {"",  "h",         "h:80",   "ftp://h",       "http://",
                                      "/", "http:///x", "http:x", "http://h:port/"};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (e = (struct err)ERR_INIT, !url_check_http(str_of(good[i]), &e))
            fail_msg("%s: %s", good[i], e.msg);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (url_check_http(str_of(bad[i]), &e))
            fail_msg("'%s' was taken", bad[i]);
}

static void what_a_request_line_has(void **state)
{
    static const char *const good[] = {
        "/graph?g0.expr=up", "http://h/x", "a:b", "*", "//x", "/%20"};
    static const char *const bad[] = {"", "x", "x/y", "/%zz", "http://h:p/", "/\t"};
    struct arena a;

    (void)state;
    arena_init(&a, 0);
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        if (!url_is_request_uri(str_of(good[i]), &a))
            fail_msg("'%s' was refused", good[i]);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (url_is_request_uri(str_of(bad[i]), &a))
            fail_msg("'%s' was taken", bad[i]);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read_and_written_as_by_go),
        cmocka_unit_test(what_configurations_take),
        cmocka_unit_test(what_a_request_line_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
