#include "request_hash.h"

#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "test.h"

/* ---- SipHash-2-4-128 by the byte, after the paper ---- */

static uint64_t turn(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void rounds(uint64_t v[4], int count)
{
    for (int i = 0; i < count; i++) {
        v[0] += v[1];
        v[1] = turn(v[1], 13) ^ v[0];
        v[0] = turn(v[0], 32);
        v[2] += v[3];
        v[3] = turn(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = turn(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = turn(v[1], 17) ^ v[2];
        v[2] = turn(v[2], 32);
    }
}

static void siphash(const uint64_t key[2], const uint8_t *bytes, size_t len,
                    uint64_t out[2])
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                     key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};

    v[1] ^= 0xee;
    for (size_t at = 0; at <= len; at += 8) {
        uint64_t word = 0;

        for (size_t i = 0; i < 8 && at + i < len; i++)
            word |= (uint64_t)bytes[at + i] << (8 * i);
        if (at + 8 > len)
            word |= (uint64_t)len << 56;
        v[3] ^= word;
        rounds(v, 2);
        v[0] ^= word;
    }
    v[2] ^= 0xee;
    rounds(v, 4);
    out[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    rounds(v, 4);
    out[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* From its authors' table of vectors. */
TEST(the_second_opinion_is_siphash)
{
    static const uint8_t want[3][16] = {
        {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14,
         0xc7, 0x55, 0x02, 0x93},
        {0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61, 0x0f, 0x83, 0xe2, 0x64,
         0xf3, 0x14, 0x97, 0xb4},
        {0x6e, 0xe2, 0xa4, 0xca, 0x67, 0xb0, 0x54, 0xbb, 0xfd, 0x33, 0x15, 0xbf,
         0x85, 0x23, 0x05, 0x77}};
    const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t bytes[16];
    uint64_t out[2];

    for (uint8_t i = 0; i < 16; i++)
        bytes[i] = i;
    for (size_t i = 0; i < 3; i++) {
        siphash(key, bytes, 8 * i, out);
        CHECK(memcmp(out, want[i], 16) == 0);
    }
}

/* ---- the hash by its definition ---- */

enum { WORDS = REQUEST_BLOCK / 8 };

static void add_word(uint8_t *to, size_t *len, uint64_t word)
{
    memcpy(to + *len, &word, 8);
    *len += 8;
}

static void add_blocks(uint8_t *to, size_t *to_len, const uint64_t *key,
                       const uint8_t *bytes, size_t len)
{
    __extension__ typedef unsigned __int128 wide;

    add_word(to, to_len, len);
    for (size_t at = 0; at < len; at += REQUEST_BLOCK) {
        uint64_t m[WORDS] = {0};
        wide sum = 0;

        memcpy(m, bytes + at,
               len - at < REQUEST_BLOCK ? len - at : REQUEST_BLOCK);
        for (size_t i = 0; i < WORDS; i += 2)
            sum += (wide)(m[i] + key[i]) * (m[i + 1] + key[i + 1]);
        add_word(to, to_len, (uint64_t)sum);
        add_word(to, to_len, (uint64_t)(sum >> 64));
    }
}

static void by_definition(const uint8_t secret[16], uint64_t kind,
                          struct slice tenant, struct slice body,
                          uint64_t out[2])
{
    uint8_t *text = malloc(1024 + (tenant.len + body.len) / 16);
    uint64_t from[2], sip[2], key[WORDS];
    size_t len = 0;

    memcpy(from, secret, 16);
    for (uint64_t i = 0; i <= WORDS / 2; i++)
        siphash(from, (const uint8_t *)&i, 8, i ? key + 2 * i - 2 : sip);
    add_word(text, &len, kind);
    add_blocks(text, &len, key, (const uint8_t *)tenant.ptr, tenant.len);
    add_blocks(text, &len, key, (const uint8_t *)body.ptr, body.len);
    siphash(sip, text, len, out);
    free(text);
}

static const uint8_t secret[16] = "a random secret";

static struct slice random_bytes(size_t len)
{
    char *bytes = malloc(len + 1);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)test_random(256);
    return (struct slice){bytes, len};
}

TEST(agrees_with_its_definition_at_every_length)
{
    struct request_key key;
    struct slice bytes = random_bytes(70000);

    request_key_make(&key, secret);
    for (size_t len = 0; len <= bytes.len; len += len < 2100 ? 1 : 7919) {
        struct slice body = {bytes.ptr + len % 3, len ? len - len % 3 : 0};
        struct slice tenant = {bytes.ptr, len % 40};
        struct request_hash hash = request_hash_of(&key, len, tenant, body);
        uint64_t want[2];

        by_definition(secret, len, tenant, body, want);
        if (!CHECK(hash.a == want[0] && hash.b == want[1]))
            return;
    }
    free((char *)(uintptr_t)bytes.ptr);
}

static bool same(struct request_hash a, struct request_hash b)
{
    return a.a == b.a && a.b == b.b;
}

TEST(everything_counts)
{
    struct request_key key, other;
    struct slice none = {NULL, 0}, bytes = random_bytes(3000);
    char *at = (char *)(uintptr_t)bytes.ptr;
    uint8_t changed[16];

    request_key_make(&key, secret);
    struct request_hash hash = request_hash_of(&key, 1, none, bytes);
    CHECK(same(hash, request_hash_of(&key, 1, none, bytes)));
    CHECK(!request_hash_none(hash));
    CHECK(!same(hash, request_hash_of(&key, 2, none, bytes)));
    CHECK(!same(hash, request_hash_of(&key, 1, SLICE("acme"), bytes)));
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        at[bit / 8] ^= (char)(1 << bit % 8);
        if (!CHECK(!same(hash, request_hash_of(&key, 1, none, bytes))))
            return;
        at[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (int bit = 0; bit < 128; bit++) {
        memcpy(changed, secret, 16);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        request_key_make(&other, changed);
        CHECK(!same(hash, request_hash_of(&other, 1, none, bytes)));
    }
    memset(at, 0, bytes.len); /* zeros look like padding, but for the length */
    hash = request_hash_of(&key, 1, none, bytes);
    for (size_t len = 0; len < bytes.len; len++)
        CHECK(!same(hash,
                    request_hash_of(&key, 1, none, (struct slice){at, len})));
    /* What is moved from the tenant to the body is another request. */
    CHECK(!same(request_hash_of(&key, 1, SLICE("ab"), SLICE("c")),
                request_hash_of(&key, 1, SLICE("a"), SLICE("bc"))));
    free(at);
}

/* ---- which batches have one ---- */

enum { ARRIVAL = 1000 };

static struct batch *logs_at(const uint64_t *times, uint32_t count)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, calloc(1, 100), 100, NULL);

    batch->count = count;
    batch->logs = arena_zero(&batch->arena, count + 1, sizeof(*batch->logs));
    batch->received_ns = ARRIVAL;
    for (uint32_t i = 0; i < count; i++) {
        batch->logs[i].time_ns = times[i] ? times[i] : ARRIVAL;
        batch->logs[i].corrected = times[i] ? 0 : CORRECTED_TIME;
    }
    return batch;
}

TEST(a_record_with_the_time_of_arrival_leaves_the_request_without)
{
    static const uint64_t times[3] = {1, 1, 0};
    struct request_key key;

    request_key_make(&key, secret);
    for (uint32_t count = 0; count <= 3; count++) {
        struct batch *batch = logs_at(times, count);

        request_hash_batch(&key, batch);
        CHECK_EQ(request_hash_none(batch->hash), count == 0 || count == 3);
        batch_free(batch);
    }
}

/* A log record with only an observed time, a point with a corrected start:
 * equal in each copy of the request. */
TEST(a_record_with_a_corrected_time_has_a_hash)
{
    static const uint64_t times[2] = {1, 2};
    struct batch *batch = logs_at(times, 2);
    struct request_key key;

    request_key_make(&key, secret);
    batch->logs[1].corrected = CORRECTED_TIME;
    request_hash_batch(&key, batch);
    CHECK(!request_hash_none(batch->hash));
    batch_free(batch);
}
