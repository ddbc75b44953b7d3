/*
 * hash - a fast 64-bit hash for tables in memory and for filters on disk.
 *
 * Not for secrets. The function is part of the on-disk format (filters over
 * trace ids and words): it must never change without a new block version.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t len, uint64_t seed);

/* Mixes two hashes in this order. */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(a ^ UINT64_C(0x9e3779b97f4a7c15)) *
                   (b ^ UINT64_C(0xe7037ed1a0b428db));

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

#endif
