/* Floats as text: the digits are the fewest that read back, and of those the nearest, held against printf() and strtod();
 * what is read without a search is what strtod() reads. */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "codec/float.h"
#include "codec/float_shortest.h"

enum { ROUNDS = 20000, EXPONENTS = 2047 };

static uint64_t dice = 88172645463325252u;

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice * 2685821657736338717u;
}

static double of_text(struct float_decimal d)
{
    char text[48];

    snprintf(text, sizeof(text), "%llue%d", (unsigned long long)d.digits, d.exponent);
    return strtod(text, NULL);
}

static int length(uint64_t v)
{
    return v < 10 ? 1 : 1 + length(v / 10);
}

/* The nearest decimal of n digits; at a power of two its upper neighbour is nearer than any other that reads back. */
static bool any_of(double v, int n)
{
    char text[48];
    struct float_decimal d;

    snprintf(text, sizeof(text), "%.*e", n - 1, v);
    if (strtod(text, NULL) == v)
        return true;
    d.exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10) - n + 1;
    memmove(text + 1, text + 2, strlen(text + 1));
    d.digits = strtoull(n > 1 ? text : (text[1] = '\0', text), NULL, 10) + 1;
    return of_text(d) == v;
}

static void check_shortest(double v)
{
    struct float_decimal d = float_shortest(v);
    int n = length(d.digits);
    char nearest[48], got[48];

    if (of_text(d) != v || d.digits % 10 == 0 || (n > 1 && any_of(v, n - 1))) {
        printf("%a: %llue%d\n", v, (unsigned long long)d.digits, d.exponent);
        fail();
    }
    snprintf(nearest, sizeof(nearest), "%.*e", n - 1, v);
    snprintf(got, sizeof(got), "%.*e", n - 1, of_text(d));
    if (strtod(nearest, NULL) == v)
        assert_string_equal(nearest, got);
}

static void fewest_digits(void **state)
{
    (void)state;
    for (uint64_t e = 0; e < EXPONENTS; e++)
        for (uint64_t k = 0; k < 6; k++) /* powers of two, and what is beside them */
            if (e != 0 || k > 2)
                check_shortest(float_of_bits((e << 52) + k - (e != 0 ? 3 : 2)));
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t bits = roll() >> 1;

        if (bits >> 52 != EXPONENTS)
            check_shortest(float_of_bits(bits));
        check_shortest((double)(1 + roll() % 100000000) / (double)(1 + roll() % 1000));
        check_shortest(float_of_bits(1 + roll() % (UINT64_C(1) << (roll() % 52))));
    }
}

struct printed {
    double v;
    const char *plain, *g, *json, *exponent;
};

static void forms(void **state)
{
    static const struct printed all[] = {
        {0.3, "0.3", "0.3", "0.3", "3e-01"},
        {-0.0, "-0", "-0", "-0", "-0e+00"},
        {123456.75, "123456.75", "123456.75", "123456.75", "1.2345675e+05"},
        {1e6, "1000000", "1e+06", "1000000", "1e+06"},
        {0.0001, "0.0001", "0.0001", "0.0001", "1e-04"},
        {0.00001, "0.00001", "1e-05", "0.00001", "1e-05"},
        {-1.5e-7, "-0.00000015", "-1.5e-07", "-1.5e-7", "-1.5e-07"},
        {1e21, "1000000000000000000000", "1e+21", "1e+21", "1e+21"},
        {9007199254740993.0, "9007199254740992", "9.007199254740992e+15", "9007199254740992",
         "9.007199254740992e+15"},
        {1.7976931348623157e308, NULL, "1.7976931348623157e+308", "1.7976931348623157e+308", NULL},
        {5e-324, NULL, "5e-324", "5e-324", "5e-324"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        static void (*const prints[])(struct buf *, double) = {
            float_print_shortest, float_print_g, float_print_go_json, float_print_exponent};
        const char *const expected[] = {all[i].plain, all[i].g, all[i].json, all[i].exponent};

        for (size_t k = 0; k < ARRAY_LEN(prints); k++) {
            struct buf b = BUF_INIT;

            prints[k](&b, all[i].v);
            if (expected[k] != NULL)
                assert_string_equal(buf_z(&b), expected[k]);
            buf_release(&b);
        }
    }
}

static void check_reading(const char *text)
{
    double got, expected = strtod(text, NULL);

    assert_true(float_parse(str_of(text), &got, NULL));
    if (memcmp(&got, &expected, sizeof(got)) != 0) {
        printf("%s: %a, not %a\n", text, got, expected);
        fail();
    }
}

static void reads_as_strtod(void **state)
{
    static const char *const edges[] = {"0",
                                        "-0",
                                        "+.5",
                                        "5.",
                                        "9007199254740993",
                                        "9007199254740992e22",
                                        "1e23",
                                        "1e-23",
                                        "00000000000000000000.1",
                                        "18446744073709551617",
                                        "1e00005",
                                        "123456789012345e-22",
                                        "1E5"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(edges); i++)
        check_reading(edges[i]);
    for (int i = 0; i < ROUNDS; i++) {
        char text[64];

        snprintf(text, sizeof(text), "%s%.*g", i % 3 == 0 ? "-" : "", 1 + i % 19,
                 (double)(roll() >> (roll() % 64)) / (double)(1 + roll() % 100000));
        check_reading(text);
        snprintf(text, sizeof(text), "%llu.%03llue%d", (unsigned long long)(roll() % 10000000),
                 (unsigned long long)(roll() % 1000), (int)(roll() % 60) - 30);
        check_reading(text);
    }
}

static void refuses(void **state)
{
    static const char *const bad[] = {"",    "-",    "+",  ".",  "-.",  "e5",   "1e",
                                      "1e+", "1..2", "1 ", " 1", "1_0", "1e5x", "--1"};
    double v;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(float_parse(str_of(bad[i]), &v, NULL));
    assert_false(float_parse(S("1e400"), &v, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fewest_digits), cmocka_unit_test(forms),
                                       cmocka_unit_test(reads_as_strtod),
                                       cmocka_unit_test(refuses)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
