#include "hex.h"

#include <stdio.h>
#include <string.h>

#include "test.h"

TEST(every_byte_both_ways)
{
    for (int i = 0; i < 256; i++) {
        char small[3], large[3];
        uint8_t byte = 0;

        snprintf(small, sizeof(small), "%02x", (unsigned)i);
        snprintf(large, sizeof(large), "%02X", (unsigned)i);
        CHECK(hex_bytes((struct slice){small, 2}, &byte, 1));
        CHECK_EQ(byte, i);
        byte = 0;
        CHECK(hex_bytes((struct slice){large, 2}, &byte, 1));
        CHECK_EQ(byte, i);
    }
}

TEST(only_digits_are_digits)
{
    static const char digits[] = "0123456789abcdefABCDEF";

    for (int c = 0; c < 256; c++)
        CHECK_EQ(hex_digit((char)c) >= 0,
                 c != 0 && memchr(digits, c, sizeof(digits)) != NULL);
}

TEST(what_is_refused_leaves_nothing)
{
    static const char *const bad[] = {
        "", "0", "010", "01020", "010203", "010g", "g102", "01 2",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        uint8_t bytes[2] = {7, 7};

        CHECK(!hex_bytes(slice_of(bad[i]), bytes, 2));
        CHECK(bytes[0] == 7 && bytes[1] == 7);
    }
    CHECK(hex_bytes((struct slice){NULL, 0}, NULL, 0));
}
