#include "unit.h"

#include "cli/web_url.h"

struct row {
    const char *text, *url, *path; /* path NULL: refused */
};

static void urls(void **state)
{
    static const struct row rows[] = {
        {"http://h", "http://h", ""},
        {"http://h/", "http://h", ""},
        {"HTTPS://h:9093/am", "https://h:9093/am", "/am"},
        {"http://h/am//", "http://h/am", "/am"},
        {"http://h//am", "http://h/am", "/am"},
        {"http://h/a/b/", "http://h/a/b", "/a/b"},
        {"http://h/am?x=1", "http://h/am", "/am"},
        {"http://h/am/?x=/1#/alerts", "http://h/am", "/am"},
        {"http://h?x=1", "http://h", ""},
        {"http://h#f", "http://h", ""},
        {"http://h/am#", "http://h/am", "/am"},
        {"http://h/a%20b", "http://h/a%20b", "/a b"},
        {"http://h/a b", "http://h/a%20b", "/a b"},
        {"http://h/%E5%91%8A", "http://h/%E5%91%8A", "/\xE5\x91\x8A"},
        {"http://h/a/../b/./c", "http://h/b/c", "/b/c"},
        {"http://me:pw@[::1]:80/am", "http://me:pw@[::1]:80/am", "/am"},
        {"ftp://h/am", NULL, NULL},
        {"h/am", NULL, NULL},
        {"http://", NULL, NULL},
        {"http://h:x/", NULL, NULL},
        {"http://h/a%2", NULL, NULL},
        {"http://h/a%00b", NULL, NULL},
        {"http://h/a%0d%0ab", NULL, NULL},
        {"http://h/a\nb", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct err e = ERR_INIT;
        str url, path;

        arena_init(&a, 0);
        if (web_url_parse(str_of(rows[i].text), &a, &url, &path, &e)) {
            if (rows[i].path == NULL)
                fail_msg("'%s' was taken as '%.*s'", rows[i].text, STR(url));
            assert_str(url, rows[i].url);
            assert_str(path, rows[i].path);
        } else if (rows[i].path != NULL) {
            fail_msg("%s", e.msg);
        }
        arena_release(&a);
    }
}

static void prefixes(void **state)
{
    static const struct row rows[] = {
        {"am", NULL, "/am"},
        {"/am", NULL, "/am"},
        {"am/", NULL, "/am"},
        {"//am", NULL, "/am"},
        {"/am//", NULL, "/am"},
        {"/", NULL, ""},
        {"//", NULL, ""},
        {"a/b", NULL, "/a/b"},
        {"/a%20b", NULL, "/a b"},
        {"/a b", NULL, "/a b"},
        {"/am?x#y", NULL, "/am"},
        {"/x/../am", NULL, "/am"},
        {"http://h/am/", NULL, "/am"},
        {"/a%zz", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena a;
        struct err e = ERR_INIT;
        str prefix;

        arena_init(&a, 0);
        if (web_prefix_parse(str_of(rows[i].text), &a, &prefix, &e)) {
            if (rows[i].path == NULL)
                fail_msg("'%s' was taken as '%.*s'", rows[i].text, STR(prefix));
            assert_str(prefix, rows[i].path);
        } else if (rows[i].path != NULL) {
            fail_msg("%s", e.msg);
        }
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(urls), cmocka_unit_test(prefixes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
