/* A peer's clock by the Date of its answer: what lies between the request and its arrival is no difference. */
#include "unit.h"

#include "net/peer_clock.h"

#define AT 1767243600 /* 2026-01-01T05:00:00Z */

static void dates_and_what_they_say(void **state)
{
    static const struct {
        const char *date, *age;
        int took_s; /* of the request */
        bool tells;
        int skew_s;
    } v[] = {
        {"Thu, 01 Jan 2026 05:00:00 GMT", "", 0, true, 0},
        {"Thu, 01 Jan 2026 04:59:59 GMT", "", 0, true, 0}, /* whole seconds */
        {"Thu, 01 Jan 2026 04:59:50 GMT", "", 10, true, 0},
        {"Thu, 01 Jan 2026 04:59:20 GMT", "", 10, true, -29},
        {"Thu, 01 Jan 2026 05:01:00 GMT", "", 10, true, 60},
        {"Wed, 01 Jan 2025 05:00:00 GMT", "", 0, true, -365 * 86400 + 1},
        {"Thu, 01 Jan 2026 05:01:00 GMT", "3", 0, false, 0}, /* from a cache */
        {"", "", 0, false, 0},
        {"Thu, 01 Jan 2026 05:00:00 UTC", "", 0, false, 0},
        {"Thu, 01 Foo 2026 05:00:00 GMT", "", 0, false, 0},
        {"Thu, 00 Jan 2026 05:00:00 GMT", "", 0, false, 0},
        {"Thu, 01 Jan 2026 25:00:00 GMT", "", 0, false, 0},
        {"Thu, 01 Jan 2026 0x:00:00 GMT", "", 0, false, 0},
        {"Thursday, 01-Jan-26 05:00:00 GMT", "", 0, false, 0},
        {"2026-01-01T05:00:00Z", "", 0, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct http_header headers[] = {{S("Date"), str_of(v[i].date)},
                                        {S("Age"), str_of(v[i].age)}};
        struct transport_answer a = {.took = v[i].took_s * NS_PER_S};
        dur_ns skew = 0;

        a.http.headers = (struct http_headers){headers, v[i].age[0] != '\0' ? 2 : 1};
        if (peer_clock_skew(&a, AT * NS_PER_S, &skew) != v[i].tells ||
            skew != v[i].skew_s * NS_PER_S)
            fail_msg("\"%s\": %lld s", v[i].date, (long long)(skew / NS_PER_S));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_and_what_they_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
