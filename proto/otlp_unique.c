/*
 * Duplicate keys in an attribute list. OTLP says that keys are unique, but
 * SDKs and Collector processors append without looking; which value an
 * encoder then means is the last one it was given.
 *
 * This runs for every record, and almost never finds anything: mostly 15 bits
 * of each key's hash tell that all differ. If they do not, there is a small
 * table of places by the hash. Keys of one hash are compared one by one, at
 * most ATTR_MAX_COUNT of them.
 */
#include "hash.h"
#include "otlp_decoder.h"

enum { FEW = 16, SOME = 32, SMALL_SLOTS = 64, LARGE_SLOTS = 512 };

static uint32_t key_hash(const struct attr *attr)
{
    return (uint32_t)(hash_key(attr->key, attr->key_len) >> 40);
}

static uint16_t mark_of(const struct attr *attr)
{
    return (uint16_t)(key_hash(attr) | 1);
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

/* Places for marks, twice in a row. Each is another even number; marks of keys
 * are odd. */
#define PLACES8(x) x, x + 2, x + 4, x + 6, x + 8, x + 10, x + 12, x + 14
static const uint16_t no_keys[SOME] = {PLACES8(2), PLACES8(18), PLACES8(34),
                                       PLACES8(50)};

typedef uint16_t lanes __attribute__((vector_size(16)));

static inline lanes lanes_at(const uint16_t *at)
{
    lanes v;

    memcpy(&v, at, sizeof(v));
    return v;
}

/* True if no two keys can be equal. All marks are compared with those 1, 2 ...
 * places further, until each has met each: without a branch, eight at once. */
static inline bool are_distinct(const struct attr *at, uint32_t count,
                                uint32_t room)
{
    uint16_t marks[2 * SOME];
    lanes equal = {0};
    uint64_t halves[2];

    memcpy(marks, no_keys, room * sizeof(*marks));
    for (uint32_t i = 0; i < count; i++)
        marks[i] = mark_of(&at[i]);
    memcpy(marks + room, marks, room * sizeof(*marks));
    for (uint32_t by = 1; by <= room / 2; by++)
        for (uint32_t i = 0; i < room; i += 8)
            equal |= (lanes)(lanes_at(marks + i) == lanes_at(marks + i + by));
    memcpy(halves, &equal, sizeof(halves));
    return (halves[0] | halves[1]) == 0;
}

/* Of two to four keys, which is what most log records and points have. */
static bool four_are_distinct(const struct attr *at, uint32_t count)
{
    uint16_t a = mark_of(&at[0]), b = mark_of(&at[1]);
    uint16_t c = count > 2 ? mark_of(&at[2]) : 2;
    uint16_t d = count > 3 ? mark_of(&at[3]) : 4;

    return !((a == b) | (a == c) | (a == d) | (b == c) | (b == d) | (c == d));
}

static bool few_are_distinct(const struct attr *at, uint32_t count)
{
    if (count <= 4)
        return four_are_distinct(at, count);
    return count <= FEW / 2 ? are_distinct(at, count, FEW / 2)
                            : are_distinct(at, count, FEW);
}

uint32_t otlp_unique(struct attr *at, uint32_t count)
{
    if (count < 2 || (count <= FEW && few_are_distinct(at, count)) ||
        (count > FEW && count <= SOME && are_distinct(at, count, SOME)))
        return count;
    return count <= SOME ? unique_of_few(at, count) : unique_of_many(at, count);
}
