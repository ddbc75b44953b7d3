/*
 * Names lie in an array in the order they came, so memory is touched as it is
 * needed; `slots` is an open-addressed index over it, twice as large. Texts
 * are bumped from one piece of memory. Nothing is taken out singly.
 *
 * The head of a group is a name without a text: its hash comes from the
 * identity and the kind of the group. A group's {other} is found through
 * `other` alone and stands in no slot.
 */
#include "cardinality_limit.h"

#include <stdlib.h>

#include "derived.h"
#include "hash.h"
#include "mem.h"

enum { BYTES_RESERVE = CAPPED_RESERVE * (CAPPED_MAX_TEXT + 1) };

struct capped {
    struct capped_name *names;
    uint32_t *slots; /* number + 1; 0: free */
    char *bytes;
    uint32_t count, max_names, mask, len, max_bytes, round;
    uint64_t refused;
};

struct capped *capped_new(uint32_t max_names, uint32_t max_bytes)
{
    struct capped *capped = mem_zero(1, sizeof(*capped));
    size_t slots = 2;

    max_names += 2 * CAPPED_RESERVE;
    max_bytes += 2 * BYTES_RESERVE;
    while (slots < 2 * (size_t)max_names)
        slots *= 2;
    capped->max_names = max_names;
    capped->max_bytes = max_bytes;
    capped->mask = (uint32_t)(slots - 1);
    capped->names = mem_zero(max_names, sizeof(*capped->names));
    capped->slots = mem_zero(slots, sizeof(*capped->slots));
    capped->bytes = mem_alloc(max_bytes);
    return capped;
}

void capped_free(struct capped *capped)
{
    if (!capped)
        return;
    free(capped->names);
    free(capped->slots);
    free(capped->bytes);
    free(capped);
}

bool capped_low(const struct capped *capped)
{
    return capped->max_names - capped->count < CAPPED_RESERVE ||
           capped->max_bytes - capped->len < BYTES_RESERVE;
}

void capped_clear(struct capped *capped)
{
    memset(capped->slots, 0,
           ((size_t)capped->mask + 1) * sizeof(*capped->slots));
    capped->count = capped->len = 0;
    capped->refused = 0;
    capped->round++;
}

uint32_t capped_round(const struct capped *capped)
{
    return capped->round;
}

uint64_t capped_refused(const struct capped *capped)
{
    return capped->refused;
}

/* The slot of the name with this hash, or the free one where it would go. */
static uint32_t *find_slot(const struct capped *capped, uint64_t hash,
                           uint32_t identity)
{
    uint32_t i = (uint32_t)(hash >> 32) & capped->mask;

    for (; capped->slots[i]; i = (i + 1) & capped->mask) {
        const struct capped_name *name = &capped->names[capped->slots[i] - 1];

        if (name->hash == hash && name->identity == identity)
            break;
    }
    return &capped->slots[i];
}

/* A new name with a copy of text, or NULL if the reserve is used up. */
static struct capped_name *make(struct capped *capped, uint64_t hash,
                                uint32_t identity, struct slice text)
{
    struct capped_name *name = &capped->names[capped->count];
    char *copy = capped->bytes + capped->len;

    text = capped_cut(text, CAPPED_MAX_TEXT);
    if (capped->count == capped->max_names ||
        text.len > capped->max_bytes - capped->len)
        return NULL;
    slice_copy(copy, text);
    *name = (struct capped_name){
        .hash = hash, .text = {copy, text.len}, .identity = identity};
    capped->len += (uint32_t)text.len;
    capped->count++;
    return name;
}

struct capped_name *capped_group(struct capped *capped, uint32_t identity,
                                 enum capped_kind kind)
{
    uint64_t hash = hash_mix(identity, (uint64_t)kind + 1);
    uint32_t *slot = find_slot(capped, hash, identity);

    if (!*slot) {
        if (!make(capped, hash, identity, (struct slice){NULL, 0}))
            return NULL;
        *slot = capped->count;
    }
    return &capped->names[*slot - 1];
}

struct capped_name *capped_find(struct capped *capped,
                                const struct capped_name *group,
                                uint64_t text_hash)
{
    uint32_t slot =
        *find_slot(capped, hash_mix(group->hash, text_hash), group->identity);

    return slot ? &capped->names[slot - 1] : NULL;
}

static struct capped_name *other_of(struct capped *capped,
                                    struct capped_name *group)
{
    capped->refused++;
    if (!group->other) {
        struct slice text = SLICE(DERIVED_OTHER);
        struct capped_name *other = make(
            capped, hash_mix(group->hash, UINT64_MAX), group->identity, text);

        if (!other)
            return NULL;
        other->is_other = true;
        group->other = capped->count;
    }
    return &capped->names[group->other - 1];
}

struct capped_name *capped_add(struct capped *capped, struct capped_name *group,
                               uint64_t text_hash, struct slice text,
                               uint32_t cap)
{
    uint64_t hash = hash_mix(group->hash, text_hash);
    struct capped_name *name;

    if (group->members >= cap)
        return other_of(capped, group);
    name = make(capped, hash, group->identity, text);
    if (name) {
        *find_slot(capped, hash, group->identity) = capped->count;
        group->members++;
    }
    return name;
}

struct capped_name *capped_name(struct capped *capped,
                                struct capped_name *group, struct slice text,
                                uint32_t cap)
{
    uint64_t hash = hash_bytes(text.ptr, text.len, 0);
    struct capped_name *name = capped_find(capped, group, hash);

    return name ? name : capped_add(capped, group, hash, text, cap);
}

struct slice capped_copy(struct capped_name *name, uint64_t batch,
                         struct arena *arena)
{
    if (name->copied != batch) {
        name->copied = batch;
        /* The batch is acknowledged by now, or will be: it gets its names,
         * however little memory there is. */
        name->copy = name->text.len ? arena_copy_forced(arena, name->text)
                                    : (struct slice){NULL, 0};
    }
    return name->copy;
}

struct slice capped_cut(struct slice text, size_t max)
{
    if (text.len <= max)
        return text;
    text.len = max;
    while (text.len > 0 && ((unsigned char)text.ptr[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

uint32_t capped_weight(struct capped_name *name, bool failed, double weight)
{
    float none = 0, *carry = name ? &name->carry[failed] : &none;
    double exact = weight + (double)*carry;
    uint32_t whole = (uint32_t)(exact + 0.5);

    if (weight == 1)
        return 1;
    *carry = (float)(exact - whole);
    return whole;
}
