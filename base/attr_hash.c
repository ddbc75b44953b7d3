/*
 * The hash of a set is the sum of the hashes of its attributes, which does not
 * depend on their order. (With exclusive or, equal hashes would cancel.)
 *
 * Repeated keys are found with a mask of 64 bits, indexed by six bits of the
 * key's hash: keys are compared only if the bit is already set.
 */
#include "attr_hash.h"

#include <math.h>

#include "hash.h"

enum { KEY_SEED = 0, LIST_SEED = 0x11, MAP_SEED = 0x12 };

static bool same_key(const struct attr *a, const struct attr *b)
{
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

/* True if the key of items[i] is repeated after it. */
static bool is_repeated(const struct attr *items, uint32_t count, uint32_t i)
{
    for (uint32_t k = i + 1; k < count; k++)
        if (same_key(&items[i], &items[k]))
            return true;
    return false;
}

/* The sum over all keys, the last attribute of each. */
static uint64_t items_hash(const struct attr *items, uint32_t count,
                           uint64_t seed)
{
    uint64_t sum = 0, seen = 0;

    for (uint32_t i = count; i-- > 0;) {
        uint64_t key = hash_bytes(items[i].key, items[i].key_len, seed);
        uint64_t bit = UINT64_C(1) << (key >> 58);

        if (seen & bit && is_repeated(items, count, i))
            continue;
        seen |= bit;
        sum += hash_mix(key, attr_value_hash(&items[i]));
    }
    return sum;
}

static uint64_t double_bits(double d)
{
    uint64_t bits;

    if (isnan(d))
        return UINT64_C(0x7ff8000000000000);
    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

uint64_t attr_value_hash(const struct attr *a)
{
    uint64_t h = a->type + UINT64_C(0x51ed);

    switch ((enum value_type)a->type) {
    case VALUE_EMPTY:
        break;
    case VALUE_STRING:
    case VALUE_BYTES:
        return hash_bytes(a->str, a->len, h);
    case VALUE_BOOL:
        return hash_mix(h, a->b);
    case VALUE_INT:
        return hash_mix(h, (uint64_t)a->i);
    case VALUE_DOUBLE:
        return hash_mix(h, double_bits(a->d));
    case VALUE_ARRAY:
        for (uint32_t i = 0; i < a->len; i++)
            h = hash_mix(h ^ LIST_SEED, attr_value_hash(&a->items[i]));
        return h;
    case VALUE_MAP:
        return hash_mix(h, items_hash(a->items, a->len, MAP_SEED));
    }
    return h;
}

uint64_t attrs_hash(const struct attrs *attrs)
{
    return items_hash(attrs->at, attrs->count, KEY_SEED);
}

/* ---- comparing ---- */

static bool same_items(const struct attr *a, uint32_t a_count,
                       const struct attr *b, uint32_t b_count);

static bool same_value(const struct attr *a, const struct attr *b)
{
    if (a->type != b->type)
        return false;
    switch ((enum value_type)a->type) {
    case VALUE_EMPTY:
        return true;
    case VALUE_STRING:
    case VALUE_BYTES:
        return slice_equal((struct slice){a->str, a->len},
                           (struct slice){b->str, b->len});
    case VALUE_BOOL:
        return a->b == b->b;
    case VALUE_INT:
        return a->i == b->i;
    case VALUE_DOUBLE:
        return double_bits(a->d) == double_bits(b->d);
    case VALUE_ARRAY:
        if (a->len != b->len)
            return false;
        for (uint32_t i = 0; i < a->len; i++)
            if (!same_value(&a->items[i], &b->items[i]))
                return false;
        return true;
    case VALUE_MAP:
        return same_items(a->items, a->len, b->items, b->len);
    }
    return false;
}

/* True if each key of a has the same value in b. */
static bool includes(const struct attr *b, uint32_t b_count,
                     const struct attr *a, uint32_t a_count)
{
    for (uint32_t i = 0; i < a_count; i++) {
        uint32_t k = b_count;

        if (is_repeated(a, a_count, i))
            continue;
        while (k > 0 && !same_key(&a[i], &b[k - 1]))
            k--;
        if (k == 0 || !same_value(&a[i], &b[k - 1]))
            return false;
    }
    return true;
}

/* True if each key of a is in b. */
static bool has_keys(const struct attr *b, uint32_t b_count,
                     const struct attr *a, uint32_t a_count)
{
    for (uint32_t i = 0; i < a_count; i++) {
        uint32_t k = b_count;

        while (k > 0 && !same_key(&a[i], &b[k - 1]))
            k--;
        if (k == 0)
            return false;
    }
    return true;
}

/* No value is compared twice: with nested maps the cost would double at each
 * level. */
static bool same_items(const struct attr *a, uint32_t a_count,
                       const struct attr *b, uint32_t b_count)
{
    uint32_t i = 0;

    if (a == b && a_count == b_count)
        return true;
    while (i < a_count && i < b_count && same_key(&a[i], &b[i]))
        i++;
    if (i != a_count || i != b_count)
        return has_keys(a, a_count, b, b_count) &&
               includes(b, b_count, a, a_count);
    for (i = 0; i < a_count; i++)
        if (!same_value(&a[i], &b[i]) && !is_repeated(a, a_count, i))
            return false;
    return true;
}

bool attrs_equal(const struct attrs *a, const struct attrs *b)
{
    return same_items(a->at, a->count, b->at, b->count);
}
