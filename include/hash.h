/*
 * hash - a fast 64-bit hash for tables in memory and Bloom filters on disk.
 *
 * Purpose:   hash_bytes() and hash_mix() are part of the format on disk (Bloom
 *            filters of trace ids and words): they never change without a new
 *            block version. Not for secrets.
 * Ownership: none.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);

/* Eight bytes, little endian on all machines. */
static inline uint64_t hash_read8(const void *at)
{
    uint64_t v;

    memcpy(&v, at, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* Of two hashes, in this order. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(a ^ UINT64_C(0x9e3779b97f4a7c15)) *
                   (b ^ UINT64_C(0xe7037ed1a0b428db));

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of an attribute's key, for tables in memory only: of its length and the eight
 * bytes at either end, which distinguish nearly all keys. Use the high bits. */
static inline uint64_t hash_key(const char *key, size_t len)
{
    uint64_t a = 0, b = 0;
    uint32_t p, q;

    if (len >= 8) {
        memcpy(&a, key, 8);
        memcpy(&b, key + len - 8, 8);
    } else if (len >= 4) {
        memcpy(&p, key, 4);
        memcpy(&q, key + len - 4, 4);
        a = p;
        b = q;
    } else if (len > 0) {
        a = (unsigned char)key[0];
        b = (uint64_t)(unsigned char)key[len / 2] << 8 |
            (unsigned char)key[len - 1];
    }
    return ((a + len) * UINT64_C(0x9e3779b97f4a7c15) ^ b) *
           UINT64_C(0xe7037ed1a0b428db);
}

#endif
