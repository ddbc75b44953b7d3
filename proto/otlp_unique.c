/*
 * Duplicate keys in an attribute list. OTLP says that keys are unique, but
 * SDKs and Collector processors append without looking; which value an
 * encoder then means is the last one it was given.
 *
 * This runs for every record, and almost never finds anything: mostly a few
 * bytes of the keys tell that all differ. If they do not, there is a small
 * table of places by a hash of the key. Keys of one hash are compared one by
 * one, at most ATTR_MAX_COUNT of them.
 */
#include "otlp_parts.h"

enum { SMALL_SLOTS = 64, LARGE_SLOTS = 512 };

/* Of a key that is not empty. */
static uint32_t key_hash(const struct attr *attr)
{
    const unsigned char *key = (const unsigned char *)attr->key;
    uint32_t len = attr->key_len;

    return (len + key[len - 1] * 0x9e3779b1U + key[len / 2] * 0x85ebca6bU +
            key[len / 3] * 0xc2b2ae35U) >>
           16;
}

/* slots: 0 or 1 + a place in `at`; more of them than attributes. */
static uint32_t unique(struct attr *at, uint32_t count, uint16_t *slots,
                       uint32_t mask)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = key_hash(&at[i]) & mask;

        while (slots[slot] &&
               !slice_equal(attr_key(&at[slots[slot] - 1]), attr_key(&at[i])))
            slot = (slot + 1) & mask;
        if (slots[slot]) {
            at[slots[slot] - 1] = at[i];
            continue;
        }
        if (kept < i)
            at[kept] = at[i];
        slots[slot] = (uint16_t)++kept;
    }
    return kept;
}

/* In functions of their own: the table is cleared only when it is needed. */
static uint32_t unique_of_few(struct attr *at, uint32_t count)
{
    uint16_t slots[SMALL_SLOTS] = {0};

    return unique(at, count, slots, SMALL_SLOTS - 1);
}

static uint32_t unique_of_many(struct attr *at, uint32_t count)
{
    uint16_t slots[LARGE_SLOTS] = {0};

    return unique(at, count, slots, LARGE_SLOTS - 1);
}

/* True if no two keys can be equal. Without a branch: two bits of each key are
 * looked up among those of the keys before it. */
static bool are_distinct(const struct attr *at, uint32_t count)
{
    uint64_t seen_a = 0, seen_b = 0, again = 0;

    for (uint32_t i = 0; i < count; i++) {
        const unsigned char *key = (const unsigned char *)at[i].key;
        uint32_t len = at[i].key_len;
        uint32_t a = (key[len - 1] * 5U + len) & 63;
        uint32_t b = (key[len / 2] * 11U + key[len / 4] * 7U + len * 3) & 63;

        again |= seen_a >> a & seen_b >> b;
        seen_a |= UINT64_C(1) << a;
        seen_b |= UINT64_C(1) << b;
    }
    return !(again & 1);
}

uint32_t otlp_unique(struct attr *at, uint32_t count)
{
    if (count < 2 || are_distinct(at, count))
        return count;
    return count <= SMALL_SLOTS / 2 ? unique_of_few(at, count)
                                    : unique_of_many(at, count);
}
