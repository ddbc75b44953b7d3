/*
 * digest_cache - what was decided about the text with this SHA-256, until a
 * time. Its size is fixed: a new entry replaces one of four, the one that ends
 * first. Not locked.
 */
#ifndef DIGEST_CACHE_H
#define DIGEST_CACHE_H

#include <stdint.h>

#include "slice.h"

enum { DIGEST_SIZE = 32 };

struct digest {
    uint8_t bytes[DIGEST_SIZE];
};

struct digest digest_of(struct slice text);

static inline bool digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}

/* Releases the value of an entry that is replaced. NULL: nothing to do. */
typedef void digest_release(void *value);

struct digest_cache;

/* entries: a power of two, at least 4. */
struct digest_cache *digest_cache_new(uint32_t entries,
                                      digest_release *release);
void digest_cache_free(struct digest_cache *cache); /* NULL is fine */
void digest_cache_clear(struct digest_cache *cache);
uint32_t digest_cache_count(const struct digest_cache *cache);

/* The value, which stays the cache's; NULL: none, or it is over. */
void *digest_cache_find(struct digest_cache *cache, const struct digest *digest,
                        uint64_t now_ns);
/* The cache takes the value over. */
void digest_cache_put(struct digest_cache *cache, const struct digest *digest,
                      void *value, uint64_t end_ns);

#endif
