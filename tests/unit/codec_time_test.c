#include "unit.h"

#include "codec/base64.h"
#include "codec/duration.h"
#include "codec/timefmt.h"

static void prometheus_durations(void **state)
{
    static const struct {
        const char *in;
        dur_ns ns;
        const char *out;
    } good[] = {
        {"0", 0, "0s"},
        {"0s", 0, "0s"},
        {"5m", 5 * NS_PER_M, "5m"},
        {"90m", 90 * NS_PER_M, "1h30m"},
        {"1h30m", 90 * NS_PER_M, "1h30m"},
        {"1d12h", 36 * NS_PER_H, "1d12h"},
        {"90d", 90 * NS_PER_D, "90d"},
        {"14d", 14 * NS_PER_D, "2w"},
        {"400d", 400 * NS_PER_D, "400d"},
        {"1y", 365 * NS_PER_D, "1y"},
        {"1m1ms", NS_PER_M + NS_PER_MS, "1m1ms"},
        {"292y", 292 * 365 * NS_PER_D, "292y"},
    };
    static const char *const bad[] = {"",       "5",    "1.5h", "30m1h",
                                      "1h 30m", "-5m",  "5x",   "m",
                                      "1h1h",   "300y", "5m5",  "99999999999999999999s"};
    struct buf b = BUF_INIT;
    struct err e;
    dur_ns d;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(duration_parse(str_of(good[i].in), &d, &e));
        assert_true(d == good[i].ns);
        buf_clear(&b);
        duration_print(&b, d);
        assert_str(buf_str(&b), good[i].out);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(duration_parse(str_of(bad[i]), &d, &e));
    assert_false(duration_parse(S("5x"), &d, &e));
    assert_non_null(strstr(e.msg, "unknown unit \"x\""));
    buf_release(&b);
}

static void go_durations(void **state)
{
    static const struct {
        const char *in;
        dur_ns ns;
        const char *out;
    } good[] = {
        {"0", 0, "0s"},
        {"1m30s", 90 * NS_PER_S, "1m30s"},
        {"1.5h", 90 * NS_PER_M, "1h30m0s"},
        {"-2s", -2 * NS_PER_S, "-2s"},
        {"500ms", 500 * NS_PER_MS, "500ms"},
        {"1.5s", 1500 * NS_PER_MS, "1.5s"},
        {".5s", 500 * NS_PER_MS, "500ms"},
        {"30m1h", 90 * NS_PER_M, "1h30m0s"},
        {"100ns", 100, "100ns"},
        {"1500ns", 1500, "1.5\xc2\xb5s"},
        {"-9223372036854775808ns", INT64_MIN, "-2562047h47m16.854775808s"},
    };
    static const char *const bad[] = {
        "", "-", "3", "1d", ".s", "1h 2m", "9223372036854775808ns", "3000000h", "5ss"};
    struct buf b = BUF_INIT;
    struct err e;
    dur_ns d;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_true(go_duration_parse(str_of(good[i].in), &d, &e));
        assert_true(d == good[i].ns);
        buf_clear(&b);
        go_duration_print(&b, d);
        assert_str(buf_str(&b), good[i].out);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(go_duration_parse(str_of(bad[i]), &d, &e));
    buf_release(&b);
}

static void times(void **state)
{
    static const struct {
        const char *in, *ms, *nano;
    } rows[] = {
        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
        {"2024-02-29T12:34:56.789Z", "2024-02-29T12:34:56.789Z", "2024-02-29T12:34:56.789Z"},
        {"2024-02-29T12:34:56.123456789+02:00", "2024-02-29T10:34:56.123Z",
         "2024-02-29T10:34:56.123456789Z"},
        {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.5Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z"},
        {"9999-01-01T00:00:00Z", "2262-04-11T23:47:16.854Z", "2262-04-11T23:47:16.854775807Z"},
    };
    static const char *const bad[] = {"",
                                      "2024-02-30T00:00:00Z",
                                      "2024-01-01T24:00:00Z",
                                      "2024-01-01T00:00:00",
                                      "2024-01-01 00:00:00Z",
                                      "2024-01-01T00:00:00+0200",
                                      "2024-01-01T00:00:00.Z",
                                      "24-01-01T00:00:00Z",
                                      "2024-01-01T00:00:00Zx"};
    struct buf b = BUF_INIT;
    struct err e;
    ts_ns t, u;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(rfc3339_parse(str_of(rows[i].in), &t, &e));
        buf_clear(&b);
        rfc3339_ms(&b, t);
        assert_str(buf_str(&b), rows[i].ms);
        buf_clear(&b);
        rfc3339_nano(&b, t);
        assert_str(buf_str(&b), rows[i].nano);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(rfc3339_parse(str_of(bad[i]), &t, &e));
    assert_true(rfc3339_parse(S("0001-01-01T00:00:00Z"), &t, &e));
    assert_true(t == TS_NONE);
    assert_true(api_time_parse(S(""), &t, &e));
    assert_true(t == 0);
    assert_true(api_time_parse(S("2024-01-01T01:02:03+0100"), &t, &e));
    assert_true(api_time_parse(S("2024-01-01 00:02:03"), &u, &e));
    assert_true(t == u);
    assert_true(api_time_parse(S("2024-01-01T00:02"), &t, &e));
    assert_true(t == u - 3 * NS_PER_S);
    assert_true(api_time_parse(S("2024-01-01"), &t, &e));
    assert_true(api_time_parse(S("2024-01-01T00:00Z"), &u, &e));
    assert_true(t == u);
    assert_false(api_time_parse(S("yesterday"), &t, &e));
    buf_release(&b);
}

static void civil_days(void **state)
{
    struct civil c = civil_of(19782 * NS_PER_D + 3661 * NS_PER_S, -3600);

    (void)state;
    assert_int_equal(c.year, 2024);
    assert_int_equal(c.month, 2);
    assert_int_equal(c.day, 29);
    assert_int_equal(c.hour, 0);
    assert_int_equal(c.minute, 1);
    assert_int_equal(c.weekday, 4);
    assert_int_equal(c.yearday, 60);
    for (int64_t day = -200000; day < 106000; day += 13) {
        int64_t t;

        if (__builtin_mul_overflow(day, NS_PER_D, &t))
            continue;
        c = civil_of(t, 0);
        assert_int_equal(days_from_civil(c.year, c.month, c.day), day);
        assert_true(civil_to_ts(&c, 0) == t);
    }
}

static void base64_both_ways(void **state)
{
    static const struct {
        const char *plain, *std;
    } rows[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe", "//4="}};
    static const char *const bad[] = {
        "Zg=", "Zg", "Z", "Zm9v!", "Zh==", "====", "Zm9=", "Z===", "__4="};
    struct buf b = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&b);
        base64_encode(&b, str_of(rows[i].plain), BASE64_STD);
        assert_str(buf_str(&b), rows[i].std);
        buf_clear(&b);
        assert_true(base64_decode(&b, str_of(rows[i].std), BASE64_STD));
        assert_str(buf_str(&b), rows[i].plain);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(base64_decode(&b, str_of(bad[i]), BASE64_STD));
    buf_clear(&b);
    base64_encode_raw(&b, S("\xff\xfe"), BASE64_URL);
    assert_str(buf_str(&b), "__4");
    buf_clear(&b);
    assert_true(base64_decode(&b, S("__4"), BASE64_URL));
    assert_true(base64_decode(&b, S("__4="), BASE64_URL));
    assert_str(buf_str(&b), "\xff\xfe\xff\xfe");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prometheus_durations),
        cmocka_unit_test(go_durations),
        cmocka_unit_test(times),
        cmocka_unit_test(civil_days),
        cmocka_unit_test(base64_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
