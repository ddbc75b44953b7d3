#include "decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static const char *format(double v)
{
    static char text[DECIMAL_TEXT + 1];
    size_t len = decimal_format(text, v);

    CHECK(len <= DECIMAL_TEXT);
    text[len] = '\0';
    return text;
}

#define CHECK_FORMAT(v, want) CHECK_TEXT(slice_of(format(v)), want)

/* As Prometheus' answers have them. */
TEST(what_prometheus_writes)
{
    CHECK_FORMAT(0, "0");
    CHECK_FORMAT(-0.0, "-0");
    CHECK_FORMAT(1, "1");
    CHECK_FORMAT(-17, "-17");
    CHECK_FORMAT(0.1, "0.1");
    CHECK_FORMAT(0.1 + 0.2, "0.30000000000000004");
    CHECK_FORMAT(1.0 / 3, "0.3333333333333333");
    CHECK_FORMAT(100.25, "100.25");
    CHECK_FORMAT(-123456789.123456, "-123456789.123456");
    CHECK_FORMAT(0.000001, "0.000001");
    CHECK_FORMAT(0.0000012345678901234567, "0.0000012345678901234567");
    CHECK_FORMAT(0.000000999999999999999, "9.99999999999999e-07");
    CHECK_FORMAT(1e-7, "1e-07");
    CHECK_FORMAT(1.5e-10, "1.5e-10");
    CHECK_FORMAT(9007199254740991.0, "9007199254740991");
    CHECK_FORMAT(9007199254740992.0, "9007199254740992");
    CHECK_FORMAT(9007199254740994.0, "9007199254740994");
    CHECK_FORMAT(1e17, "100000000000000000");
    CHECK_FORMAT(1e20, "100000000000000000000");
    CHECK_FORMAT(999999999999999900000.0, "999999999999999900000");
    CHECK_FORMAT(1e21, "1e+21");
    CHECK_FORMAT(1e22, "1e+22");
    CHECK_FORMAT(1e23, "1e+23");
    CHECK_FORMAT(1e300, "1e+300");
    CHECK_FORMAT(5e-324, "5e-324");
    CHECK_FORMAT(2.2250738585072014e-308, "2.2250738585072014e-308");
    CHECK_FORMAT(1.7976931348623157e308, "1.7976931348623157e+308");
    CHECK_FORMAT(-1.7976931348623157e308, "-1.7976931348623157e+308");
}

TEST(without_an_exponent)
{
    static const double values[] = {
        1e300,   -1e-300, 5e-324, 1e21, 0.5, -0.0, 1.7976931348623157e308,
        -3e-320, 1e-7};

    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        char text[DECIMAL_PLAIN + 1];
        size_t len = decimal_format_plain(text, values[i]);

        CHECK(len <= DECIMAL_PLAIN);
        text[len] = '\0';
        CHECK(!strchr(text, 'e'));
        CHECK(strtod(text, NULL) == values[i]);
    }
}

/* The digits alone, without zeros at either end. */
static size_t digits_of(const char *text, char *digits)
{
    size_t count = 0;

    for (; *text && *text != 'e'; text++)
        if (*text >= '1' || (*text == '0' && count > 0))
            digits[count++] = *text;
    while (count > 0 && digits[count - 1] == '0')
        count--;
    digits[count] = '\0';
    return count;
}

/* It reads back; printf() needs as many digits, and those are the same. At a
 * power of two, whose neighbours are not equally far, printf() may need more.
 */
static bool is_shortest(double v)
{
    char want[64], ours[64], theirs[64];
    const char *got = format(v);
    size_t count;
    int exponent;
    bool power_of_two = fabs(frexp(v, &exponent)) == 0.5;

    if (strtod(got, NULL) != v)
        return false;
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(want, sizeof(want), "%.*e", precision - 1, v);
        if (strtod(want, NULL) == v)
            break;
    }
    count = digits_of(got, ours);
    if (power_of_two)
        return count <= digits_of(want, theirs);
    return count == digits_of(want, theirs) && strcmp(ours, theirs) == 0;
}

#define CHECK_SHORTEST(v)                            \
    do {                                             \
        if (!CHECK(is_shortest(v))) {                \
            printf("# %.17g: %s\n", (v), format(v)); \
            return;                                  \
        }                                            \
    } while (0)

TEST(any_bits)
{
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = test_random64();
        double v;

        memcpy(&v, &bits, sizeof(v));
        if (isfinite(v))
            CHECK_SHORTEST(v);
    }
}

/* Every exponent, with the least and the largest fractions. */
TEST(all_exponents_and_their_neighbours)
{
    for (uint64_t exponent = 0; exponent < 0x7ff; exponent++)
        for (int64_t step = -3; step <= 3; step++) {
            uint64_t bits = (exponent << 52) + (uint64_t)step;
            double v;

            if (exponent == 0 && step <= 0)
                continue;
            memcpy(&v, &bits, sizeof(v));
            if (isfinite(v))
                CHECK_SHORTEST(v);
        }
}

/* Powers of ten and their neighbours, where the number of digits changes. */
TEST(powers_of_ten)
{
    for (int k = -323; k <= 308; k++) {
        char text[16];
        double v;

        snprintf(text, sizeof(text), "1e%d", k);
        v = strtod(text, NULL);
        CHECK_SHORTEST(v);
        CHECK_SHORTEST(nextafter(v, INFINITY));
        if (nextafter(v, 0) > 0)
            CHECK_SHORTEST(nextafter(v, 0));
        for (int m = 2; m < 10 && isfinite(v * m); m++)
            CHECK_SHORTEST(v * m);
    }
}

/* What metrics are made of: counts, counts a second, money, percentages. */
TEST(usual_numbers)
{
    for (uint32_t i = 0; i < 30000; i++) {
        CHECK_SHORTEST(i / 100.0);
        CHECK_SHORTEST(i / 300.0);
        CHECK_SHORTEST(test_random(1u << 30) / 1e6);
        CHECK_SHORTEST((double)test_random64());
    }
}

/* The smallest doubles, which have few bits. */
TEST(subnormal_numbers)
{
    for (uint64_t bits = 1; bits < 20000; bits++) {
        double v;

        memcpy(&v, &bits, sizeof(v));
        CHECK_SHORTEST(v);
    }
}
