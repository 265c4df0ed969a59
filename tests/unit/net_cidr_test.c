/* Addresses that somebody named. */
#include "unit.h"

#include "net/cidr.h"

static void has(void **state)
{
    static const struct {
        const char *cidr, *peer;
        bool has;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"192.0.2.128/25", "192.0.2.129", true},
        {"192.0.2.128/25", "192.0.2.1", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "::1", false},
        {"fd00::/8", "fd12::1", true},
        {"fd00::/8", "fe80::1", false},
        {"::1", "::1", true},
        {"unix", "unix", true},
        {"unix", "127.0.0.1", false},
        {"0.0.0.0/0", "unix", false},
        {"127.0.0.1", "gone", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (cidr_has(str_of(rows[i].cidr), str_of(rows[i].peer)) != rows[i].has)
            fail_msg("%s %s", rows[i].cidr, rows[i].peer);
}

static void refuses(void **state)
{
    static const char *const bad[] = {"",          "localhost", "10.0.0.0/33", "10.0.0.1/8",
                                      "10.0.0/8",  "10.0.0.0/", "::/129",      "fd00::1/8",
                                      "1.2.3.4/x", "/8"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = ERR_INIT;

        if (cidr_check(str_of(bad[i]), &e))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
