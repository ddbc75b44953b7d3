#include "digest_cache.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "mem.h"

enum { WAYS = 4 };

struct digest_entry {
    struct digest digest;
    void *value; /* NULL: free */
    uint64_t end_ns;
};

struct digest_cache {
    digest_release *release;
    uint32_t entries, used;
    struct digest_entry entry[];
};

struct digest digest_of(struct slice text)
{
    struct digest digest;

    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, text.ptr, text.len, digest.bytes) !=
        0)
        abort();
    return digest;
}

struct digest_cache *digest_cache_new(uint32_t entries, digest_release *release)
{
    struct digest_cache *cache = mem_zero(
        1, sizeof(*cache) + (size_t)entries * sizeof(struct digest_entry));

    cache->entries = entries;
    cache->release = release;
    return cache;
}

static void clear_entry(struct digest_cache *cache, struct digest_entry *entry)
{
    if (!entry->value)
        return;
    if (cache->release)
        cache->release(entry->value);
    entry->value = NULL;
    cache->used--;
}

void digest_cache_clear(struct digest_cache *cache)
{
    for (uint32_t i = 0; i < cache->entries; i++)
        clear_entry(cache, &cache->entry[i]);
}

void digest_cache_free(struct digest_cache *cache)
{
    if (!cache)
        return;
    digest_cache_clear(cache);
    free(cache);
}

uint32_t digest_cache_count(const struct digest_cache *cache)
{
    return cache->used;
}

static struct digest_entry *first_way(struct digest_cache *cache,
                                      const struct digest *digest)
{
    uint32_t hash;

    memcpy(&hash, digest->bytes, sizeof(hash));
    return &cache->entry[hash % (cache->entries / WAYS) * WAYS];
}

static bool is_same(const struct digest_entry *entry,
                    const struct digest *digest)
{
    return entry->value && digest_equal(&entry->digest, digest);
}

void *digest_cache_find(struct digest_cache *cache, const struct digest *digest,
                        uint64_t now_ns)
{
    struct digest_entry *entry = first_way(cache, digest);

    for (int i = 0; i < WAYS; i++, entry++)
        if (is_same(entry, digest))
            return entry->end_ns > now_ns ? entry->value : NULL;
    return NULL;
}

void digest_cache_put(struct digest_cache *cache, const struct digest *digest,
                      void *value, uint64_t end_ns)
{
    struct digest_entry *entry = first_way(cache, digest), *victim = entry;

    for (int i = 0; i < WAYS; i++, entry++) {
        if (is_same(entry, digest)) {
            victim = entry;
            break;
        }
        if (!entry->value || (victim->value && entry->end_ns < victim->end_ns))
            victim = entry;
    }
    clear_entry(cache, victim);
    *victim = (struct digest_entry){*digest, value, end_ns};
    cache->used++;
}
