/*
 * Multiply and fold: 64 x 64 -> 128 bits, the two halves xored. One
 * multiplication takes sixteen bytes. The last sixteen are read from the end
 * and may overlap those before, so there is no loop over single bytes. Shorter
 * keys are read as two overlapping halves; the length is mixed in last. Reads
 * are little endian on all machines, since hashes are on disk.
 */
#include "hash.h"

#include <string.h>

#define K0 UINT64_C(0xa0761d6478bd642f)
#define K1 UINT64_C(0x8ebc6af09c88c6e3)
#define K2 UINT64_C(0x589965cc75374cc3)

static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t read4(const unsigned char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t a = 0, b = 0;

    seed ^= K0;
    if (len > 16) {
        const unsigned char *last = p + len - 16;
        uint64_t lane = seed;

        for (; last - p > 16; p += 32) { /* two lanes, to overlap in time */
            seed = fold(hash_read8(p) ^ K1, hash_read8(p + 8) ^ seed);
            lane = fold(hash_read8(p + 16) ^ K2, hash_read8(p + 24) ^ lane);
        }
        if (last > p)
            seed = fold(hash_read8(p) ^ K1, hash_read8(p + 8) ^ seed);
        seed ^= lane;
        a = hash_read8(last);
        b = hash_read8(last + 8);
    } else if (len >= 8) {
        a = hash_read8(p);
        b = hash_read8(p + len - 8);
    } else if (len >= 4) {
        a = read4(p);
        b = read4(p + len - 4);
    } else if (len > 0) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[len / 2] << 8 | p[len - 1];
    }
    return fold(K2 ^ len, fold(a ^ K1, b ^ seed) ^ seed);
}
