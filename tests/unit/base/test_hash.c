#include "hash.h"

#include <string.h>

#include "test.h"

/* On disk: these never change. */
TEST(the_function_stays_the_same)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "0123456789abcdefghijklmnopqrstuvwxyz";
    static const struct {
        size_t len;
        uint64_t hash;
    } known[] = {
        {0, UINT64_C(0x48876abed5558160)},  {1, UINT64_C(0x2b60f8c885ea9559)},
        {3, UINT64_C(0x2f16f126105a336e)},  {4, UINT64_C(0x897b195c01d387a4)},
        {8, UINT64_C(0xf4af8436698e6050)},  {15, UINT64_C(0x8ab995ee08d6040d)},
        {16, UINT64_C(0xef68f3b224f48a8c)}, {17, UINT64_C(0xfdcacb9e0be0ed99)},
        {32, UINT64_C(0x5437be6cc77d677e)}, {33, UINT64_C(0xcccfeacc977c8bbb)},
        {40, UINT64_C(0x46dab36b7f8616b9)}, {64, UINT64_C(0x9bb428ac430129d0)},
        {65, UINT64_C(0x04d6f1de13c1d606)}, {100, UINT64_C(0x37be54cf10826155)},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        CHECK_EQ(hash_bytes(text, known[i].len, 7), known[i].hash);
    CHECK_EQ(hash_mix(1, 2), UINT64_C(0xede26bbdec1829b5));
}

TEST(only_the_bytes_given_count)
{
    unsigned char a[200], b[200];

    for (size_t len = 0; len < 150; len++)
        for (size_t offset = 0; offset < 8; offset++) {
            memset(a, 1, sizeof(a));
            memset(b, 2, sizeof(b));
            for (size_t i = 0; i < len; i++)
                a[i] = b[offset + i] = (unsigned char)test_random(256);
            CHECK(hash_bytes(a, len, 3) == hash_bytes(b + offset, len, 3));
        }
    CHECK(hash_bytes(NULL, 0, 1) == hash_bytes("", 0, 1));
}

/* Each bit of the input turns each bit of the output about every other time. */
TEST(every_bit_counts)
{
    static const size_t lens[] = {1,  3,  4,  7,  8,  12, 16, 17, 24,
                                  32, 33, 40, 48, 49, 64, 65, 100};

    for (size_t k = 0; k < sizeof(lens) / sizeof(*lens); k++) {
        enum { ROUNDS = 200 };
        int turned[64] = {0};
        size_t bits = lens[k] * 8;
        unsigned char key[100];
        int rounds = 0;

        for (int round = 0; round < ROUNDS; round++)
            for (size_t bit = 0; bit < bits; bit += 1 + test_random(8)) {
                uint64_t before, change;

                for (size_t i = 0; i < lens[k]; i++)
                    key[i] = (unsigned char)test_random(256);
                before = hash_bytes(key, lens[k], 0);
                key[bit / 8] ^= (unsigned char)(1u << (bit % 8));
                change = before ^ hash_bytes(key, lens[k], 0);
                CHECK(change != 0);
                for (int out = 0; out < 64; out++)
                    turned[out] += (int)(change >> out & 1);
                rounds++;
            }
        for (int out = 0; out < 64; out++)
            CHECK(turned[out] > rounds * 3 / 10 &&
                  turned[out] < rounds * 7 / 10);
    }
}

/* Counting keys fill the slots of a table as evenly as chance would. */
TEST(low_and_high_bits_spread)
{
    enum { SLOTS = 1024, KEYS = SLOTS * 64 };
    static int low[SLOTS], high[SLOTS];

    for (uint64_t i = 0; i < KEYS; i++) {
        uint64_t hash = hash_bytes(&i, sizeof(i), 0);

        low[hash % SLOTS]++;
        high[hash >> 54]++;
    }
    for (int i = 0; i < SLOTS; i++) {
        CHECK(low[i] > 20 && low[i] < 120);
        CHECK(high[i] > 20 && high[i] < 120);
    }
}

TEST(seed_and_order_matter)
{
    CHECK(hash_bytes("abc", 3, 1) != hash_bytes("abc", 3, 2));
    CHECK(hash_bytes("\0", 1, 0) != hash_bytes("\0\0", 2, 0));
    CHECK(hash_mix(1, 2) != hash_mix(2, 1));
}
