/*
 * Schubfach (Raffaello Giulietti, "The Schubfach way to render doubles", 2020).
 * In: a double c * 2^q. Out: the digits and the power of ten of the shortest
 * decimal within the interval of numbers that read back as this double; of
 * several the closest.
 *
 * The interval and the double are scaled by a power of ten, to 64 bits and a
 * bit that says whether anything follows; so a comparison of whole numbers is
 * exact. The powers, 128 bits of each, are computed at the first call, from a
 * whole number that is multiplied or divided by five again and again.
 */
#include "decimal.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* ---- powers of ten ---- */

enum {
    LEAST_POWER = -292,
    MOST_POWER = 324,
    WORDS = 28, /* 896 bits: 5^324 has 753, and 2^895 / 5^292 218 */
};

/* 10^k, rounded up to 128 bits of which the first is set. */
static struct power {
    uint64_t high, low;
} powers[MOST_POWER - LEAST_POWER + 1];

/* The first 128 bits of a number, plus one if anything follows; `rest`: it
 * does, beyond the last word. */
static struct power first_bits(const uint32_t words[WORDS], bool rest)
{
    int top = WORDS - 1;
    wide bits = 0;
    unsigned shift;

    while (words[top] == 0)
        top--;
    shift = (unsigned)__builtin_clz(words[top]);
    for (int i = 0; i < 4; i++)
        bits = bits << 32 | (top >= i ? words[top - i] : 0);
    bits <<= shift;
    if (top >= 4) {
        uint64_t next = (uint64_t)words[top - 4] << shift;

        bits |= next >> 32;
        rest |= (uint32_t)next != 0;
    }
    for (int i = top - 5; i >= 0 && !rest; i--)
        rest = words[i] != 0;
    bits += rest;
    return (struct power){(uint64_t)(bits >> 64), (uint64_t)bits};
}

static void multiply_by_five(uint32_t words[WORDS])
{
    uint64_t carry = 0;

    for (int i = 0; i < WORDS; i++) {
        carry += (uint64_t)words[i] * 5;
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* What is lost does not add up: a / 25 is a / 5 / 5, all rounded down. */
static void divide_by_five(uint32_t words[WORDS])
{
    uint64_t rest = 0;

    for (int i = WORDS - 1; i >= 0; i--) {
        rest = rest << 32 | words[i];
        words[i] = (uint32_t)(rest / 5);
        rest %= 5;
    }
}

static void compute_powers(void)
{
    uint32_t up[WORDS] = {1}, down[WORDS] = {0};

    down[WORDS - 1] = UINT32_C(1) << 31;
    for (int k = 0; k <= MOST_POWER; k++) {
        powers[k - LEAST_POWER] = first_bits(up, false);
        multiply_by_five(up);
    }
    for (int k = -1; k >= LEAST_POWER; k--) {
        divide_by_five(down);
        powers[k - LEAST_POWER] = first_bits(down, true);
    }
}

/* ---- the shortest decimal ---- */

struct shortest_decimal {
    uint64_t digits;
    int power; /* of ten */
};

/* Rounded down; exact for all exponents of doubles. */
static int log10_of_pow2(int e)
{
    return (e * 1262611) >> 22;
}

static int log10_of_three_quarters_pow2(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

static int log2_of_pow10(int e)
{
    return (e * 1741647) >> 19;
}

/* g * c / 2^128, its last bit set if anything follows. */
static uint64_t scale(const struct power *g, uint64_t c)
{
    wide low = (wide)g->low * c;
    wide high = (wide)g->high * c + (uint64_t)(low >> 64);

    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* c * 2^q; `narrow`: a power of two, whose lower neighbour is closer. */
static struct shortest_decimal shortest(uint64_t c, int q, bool narrow)
{
    uint64_t odd = c & 1; /* the ends of the interval are read as neighbours */
    int k = narrow ? log10_of_three_quarters_pow2(q) : log10_of_pow2(q);
    int shift = q + log2_of_pow10(-k) + 1;
    const struct power *g = &powers[-k - LEAST_POWER];
    uint64_t low = scale(g, (4 * c - 2 + narrow) << shift) + odd;
    uint64_t value = scale(g, (4 * c) << shift);
    uint64_t high = scale(g, (4 * c + 2) << shift) - odd;
    uint64_t s = value / 4;

    if (s >= 10) { /* one digit less */
        uint64_t tens = s / 10;
        bool down = low <= 40 * tens, up = 40 * tens + 40 <= high;

        if (down != up)
            return (struct shortest_decimal){tens + up, k + 1};
    }
    bool down = low <= 4 * s, up = 4 * s + 4 <= high;
    if (down == up) { /* both or none: the closer one, of two the even one */
        uint64_t middle = 4 * s + 2;

        up = value > middle || (value == middle && (s & 1) != 0);
    }
    return (struct shortest_decimal){s + up, k};
}

static struct shortest_decimal decimal_of(double v)
{
    uint64_t bits, fraction;
    int exponent;
    const uint64_t hidden = UINT64_C(1) << 52;

    memcpy(&bits, &v, sizeof(bits));
    fraction = bits & (hidden - 1);
    exponent = (int)(bits >> 52 & 0x7ff);
    return exponent == 0 ? shortest(fraction, 1 - 1075, false)
                         : shortest(fraction | hidden, exponent - 1075,
                                    fraction == 0 && exponent > 1);
}

/* ---- text ---- */

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536"
    "37383940414243444546474849505152535455565758596061626364656667686970717273"
    "7475767778798081828384858687888990919293949596979899";

/* Ends at `end`; returns where it begins. */
static char *write_digits(char *end, uint64_t v)
{
    while (v >= 100) {
        end -= 2;
        memcpy(end, pairs + v % 100 * 2, 2);
        v /= 100;
    }
    if (v >= 10) {
        end -= 2;
        memcpy(end, pairs + v * 2, 2);
    } else {
        *--end = (char)('0' + v);
    }
    return end;
}

static size_t write_whole(char *text, uint64_t v)
{
    char room[20], *end = room + sizeof(room), *at = write_digits(end, v);
    size_t len = (size_t)(end - at);

    memcpy(text, at, len);
    return len;
}

/* point: where it is, counted from the first digit; the exponent is one less.
 * Go writes at least two digits of it. */
static size_t write_exponent(char *text, const char *digits, size_t count,
                             int point)
{
    char *at = text;
    int exponent = point - 1;
    unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);

    *at++ = digits[0];
    if (count > 1) {
        *at++ = '.';
        memcpy(at, digits + 1, count - 1);
        at += count - 1;
    }
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    if (size < 10)
        *at++ = '0';
    return (size_t)(at - text) + write_whole(at, size);
}

static size_t write_plain(char *text, const char *digits, size_t count,
                          int point)
{
    if (point <= 0) {
        size_t zeros = (size_t)-point;

        memcpy(text, "0.", 2);
        memset(text + 2, '0', zeros);
        memcpy(text + 2 + zeros, digits, count);
        return 2 + zeros + count;
    }
    size_t whole = (size_t)point;

    if (whole >= count) {
        memcpy(text, digits, count);
        memset(text + count, '0', whole - count);
        return whole;
    }
    memcpy(text, digits, whole);
    text[whole] = '.';
    memcpy(text + whole + 1, digits + whole, count - whole);
    return count + 1;
}

static uint64_t without_zeros(uint64_t v, int *power)
{
    static const struct {
        uint64_t by;
        int zeros;
    } steps[] = {{100000000, 8}, {10000, 4}, {100, 2}, {10, 1}};

    for (int i = 0; i < 4; i++)
        while (v % steps[i].by == 0) {
            v /= steps[i].by;
            *power += steps[i].zeros;
        }
    return v;
}

/* v > 0 */
static size_t format_positive(char *text, double v, bool plain)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const double exact = 9007199254740992.0; /* 2^53 */
    char room[20], *end = room + sizeof(room), *at;
    struct shortest_decimal d;
    size_t count;
    int point;

    if (v < exact && (double)(uint64_t)v == v)
        return write_whole(text, (uint64_t)v);
    pthread_once(&once, compute_powers);
    d = decimal_of(v);
    at = write_digits(end, without_zeros(d.digits, &d.power));
    count = (size_t)(end - at);
    point = (int)count + d.power;
    return !plain && (point < -5 || point > 21)
               ? write_exponent(text, at, count, point)
               : write_plain(text, at, count, point);
}

static size_t format(char *text, double v, bool plain)
{
    size_t sign = __builtin_signbit(v) ? 1 : 0;

    text[0] = '-';
    if (v == 0) {
        text[sign] = '0';
        return sign + 1;
    }
    return sign + format_positive(text + sign, sign ? -v : v, plain);
}

size_t decimal_format(char text[DECIMAL_TEXT], double v)
{
    return format(text, v, false);
}

size_t decimal_format_plain(char text[DECIMAL_PLAIN], double v)
{
    return format(text, v, true);
}
