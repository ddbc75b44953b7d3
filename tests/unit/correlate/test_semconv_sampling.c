#include "semconv.h"

#include <math.h>
#include <stdio.h>

#include "test.h"

static bool near(const char *state, double want)
{
    return fabs(sampling_weight(slice_of(state)) - want) < 1e-9 * want;
}

TEST(thresholds)
{
    CHECK(near("ot=th:c", 4));
    CHECK(near("ot=th:0", 1));
    CHECK(near("ot=th:8", 2));
    CHECK(near("ot=th:4", 4.0 / 3));
    CHECK(near("ot=th:c0000000000000", 4));
    CHECK(near("ot=th:e6666666666668", 10));
    CHECK(near("ot=th:fd70a3d70a3d71", 100));
    CHECK(near("ot=th:fff", 4096));
    /* as small as 2^-56 is well-formed; the bound holds */
    CHECK(near("ot=th:ffffffffffffff", SAMPLING_MAX_WEIGHT));
}

TEST(what_stands_around_it)
{
    CHECK(near("ot=th:c;rv:6e6d1a75832a2f", 4));
    CHECK(near("ot=rv:6e6d1a75832a2f;th:c", 4));
    CHECK(near("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7,ot=th:c", 4));
    CHECK(near("dd=s:1;o:rum , \tot=th:c\t , foo@bar=th:8", 4));
    CHECK(near(",,ot=th:c,", 4));
    CHECK(near("tenant@ot=th:c", 1));
    CHECK(near("not=th:c", 1));
    CHECK(near("dd=th:c", 1));
    CHECK(near("ot=xth:c", 1));
    CHECK(near("ot=x:th:c", 1));
    CHECK(near("ot=th:8,ot=th:c", 2)); /* a key is there once; the first */
}

TEST(the_exponent_of_older_samplers)
{
    CHECK(near("ot=p:0;r:3", 1));
    CHECK(near("ot=r:5;p:3", 8));
    CHECK(near("ot=p:63", 1)); /* it says that the count is not known */
    CHECK(near("ot=p:62", SAMPLING_MAX_WEIGHT));
    CHECK(near("ot=p:3;th:c", 4));
}

TEST(malformed_counts_as_one)
{
    static const char *const texts[] = {"",
                                        "ot",
                                        "ot=",
                                        "ot=th",
                                        "ot=th:",
                                        "ot=th:C",
                                        "ot=th:0xc",
                                        "ot=th:c ;",
                                        "ot=th:-c",
                                        "ot=th:g",
                                        "ot=th: c",
                                        "ot=p:",
                                        "ot=p:-1",
                                        "ot=p:a",
                                        "ot=p:100",
                                        "ot=th:;p:3",
                                        "ot th:c",
                                        "OT=th:c",
                                        "ot=TH:c",
                                        "ot= th:zz",
                                        "ot=th:000000000000000",
                                        "ot=th:c00000000000000",
                                        "=,=;:"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (!CHECK(sampling_weight(slice_of(texts[i])) == 1))
            CHECK_TEXT(slice_of(texts[i]), "");
}

/* Any threshold is read back from its digits, zeros at the end or not. */
TEST(any_threshold)
{
    for (int i = 0; i < 100000; i++) {
        uint64_t t = test_random64() >> 8 & ~UINT64_C(0) << 4 * test_random(14);
        double want = 0x1p56 / (0x1p56 - (double)t);
        char text[40];
        int len = snprintf(text, sizeof(text), "ot=th:%014llx",
                           (unsigned long long)t);

        while (test_random(2) && len > 7 && text[len - 1] == '0')
            len--;
        if (want > SAMPLING_MAX_WEIGHT)
            want = SAMPLING_MAX_WEIGHT;
        struct slice state = {text, (size_t)len};

        if (!CHECK(fabs(sampling_weight(state) - want) < 1e-6 * want))
            return;
    }
}

TEST(random_bytes_are_a_number)
{
    static const char some[] = "ot=th:c;p,0f \t";

    for (int i = 0; i < 100000; i++) {
        char text[24];
        size_t len = test_random(sizeof(text));

        for (size_t k = 0; k < len; k++)
            text[k] = some[test_random(sizeof(some) - 1)];
        double weight = sampling_weight((struct slice){text, len});

        if (!CHECK(weight >= 1 && weight <= SAMPLING_MAX_WEIGHT))
            return;
    }
}
