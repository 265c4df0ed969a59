#include "unit.h"

#include <stdlib.h>
#include <time.h>
#include "base/attr.h"
#include "base/rand.h"
#include "os/zones.h"

/* glibc, which can do one zone a process at a time, is the oracle. */
static void agrees_with_the_c_library(void **state)
{
    static const char *const zones[] = {"Asia/Shanghai",
                                        "Europe/Berlin",
                                        "America/New_York",
                                        "Australia/Lord_Howe",
                                        "America/Caracas",
                                        "Africa/Casablanca",
                                        "Asia/Kathmandu",
                                        "Pacific/Apia",
                                        "America/Godthab",
                                        "Europe/Dublin",
                                        "UTC",
                                        "Asia/Tehran"};
    struct rand r = {42};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        struct err e = ERR_INIT;
        struct tz *z = zone_load(str_of(zones[i]), &e);

        if (z == NULL && e.code == ERR_NOT_FOUND)
            continue; /* a small tzdata */
        assert_non_null(z);
        setenv("TZ", zones[i], 1);
        tzset();
        for (int k = 0; k < 3000; k++) {
            time_t t = (time_t)rand_below(&r, 4000000000ull); /* 1970 to 2096 */
            const char *name;
            int64_t off = tz_offset(z, t * NS_PER_S, &name);
            struct tm tm;

            localtime_r(&t, &tm);
            if (off != tm.tm_gmtoff)
                print_error("%s at %lld: %lld, glibc %ld\n", zones[i], (long long)t, (long long)off,
                            tm.tm_gmtoff);
            assert_int_equal(off, tm.tm_gmtoff);
            assert_string_equal(name, tm.tm_zone);
        }
        tz_free(z);
    }
}

static void odd_names_and_bytes_are_refused(void **state)
{
    static const char *const bad[] = {"Mars/Base", "../../etc/passwd", "/etc/localtime",
                                      "Europe/../Asia/Tokyo", "."};
    struct rand r = {1};
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_null(zone_load(str_of(bad[i]), &e));
    assert_null(tz_parse(S("TZif2"), &e));
    for (int i = 0; i < 2000; i++) {
        char bytes[200] = "TZif2";
        struct tz *z;

        for (size_t k = 5; k < sizeof(bytes); k++)
            bytes[k] = rand_below(&r, 4) == 0 ? (char)rand_below(&r, 8) : 0;
        z = tz_parse((str){bytes, sizeof(bytes)}, &e);
        if (z != NULL)
            tz_offset(z, 0, NULL);
        tz_free(z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_the_c_library),
                                       cmocka_unit_test(odd_names_and_bytes_are_refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
