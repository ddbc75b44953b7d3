/*
 * Names lie in an array in order of arrival, so memory is touched as it is
 * needed. Texts are allocated from one block. Names are never removed singly.
 *
 * A group is a name without a text: its hash comes from the identity and the
 * kind of the group. The {other} of a group is found by a hash that no text
 * has.
 */
#include "cardinality_limit.h"

#include <stdlib.h>

#include "derived.h"
#include "hash.h"
#include "mem.h"

enum { BYTES_RESERVE = CARDINALITY_RESERVE * (CARDINALITY_MAX_TEXT + 1) };

struct cardinality_limit *cardinality_new(uint32_t max_names,
                                          uint32_t max_bytes)
{
    struct cardinality_limit *limit = mem_zero(1, sizeof(*limit));

    max_names += 2 * CARDINALITY_RESERVE;
    max_bytes += 2 * BYTES_RESERVE;
    limit->max_names = max_names;
    limit->max_bytes = max_bytes;
    limit->names = mem_zero(max_names, sizeof(*limit->names));
    (void)map_reserve(&limit->index, max_names);
    limit->bytes = mem_alloc(max_bytes);
    return limit;
}

void cardinality_free(struct cardinality_limit *limit)
{
    if (!limit)
        return;
    free(limit->names);
    map_release(&limit->index);
    free(limit->bytes);
    free(limit);
}

bool cardinality_low(const struct cardinality_limit *limit)
{
    return limit->max_names - limit->count < CARDINALITY_RESERVE ||
           limit->max_bytes - limit->len < BYTES_RESERVE;
}

void cardinality_clear(struct cardinality_limit *limit)
{
    map_clear(&limit->index);
    limit->count = limit->len = 0;
    limit->refused = 0;
    limit->epoch++;
}

static struct counted_name *find_name(const struct cardinality_limit *limit,
                                      uint64_t hash, uint32_t identity)
{
    map_each(&limit->index, map_hash(hash), at) {
        struct counted_name *name = &limit->names[at];

        if (name->hash == hash && name->identity == identity)
            return name;
    }
    return NULL;
}

/* A new name with a copy of text, or NULL if the reserve is used up. */
static struct counted_name *add_name(struct cardinality_limit *limit,
                                     uint64_t hash, uint32_t identity,
                                     struct slice text)
{
    struct counted_name *name = &limit->names[limit->count];
    char *copy = limit->bytes + limit->len;

    text = slice_truncate(text, CARDINALITY_MAX_TEXT);
    if (limit->count == limit->max_names ||
        text.len > limit->max_bytes - limit->len)
        return NULL;
    slice_copy(copy, text);
    *name = (struct counted_name){
        .hash = hash, .text = {copy, text.len}, .identity = identity};
    limit->len += (uint32_t)text.len;
    (void)map_add(&limit->index, map_hash(hash), limit->count++);
    return name;
}

struct counted_name *cardinality_group(struct cardinality_limit *limit,
                                       uint32_t identity,
                                       enum cardinality_group kind)
{
    uint64_t hash = hash_mix(identity, (uint64_t)kind + 1);
    struct counted_name *name = find_name(limit, hash, identity);

    return name ? name
                : add_name(limit, hash, identity, (struct slice){NULL, 0});
}

struct counted_name *cardinality_find(struct cardinality_limit *limit,
                                      const struct counted_name *group,
                                      uint64_t text_hash)
{
    return group ? find_name(limit, hash_mix(group->hash, text_hash),
                             group->identity)
                 : NULL;
}

static struct counted_name *other_of(struct cardinality_limit *limit,
                                     const struct counted_name *group)
{
    struct counted_name *other = cardinality_find(limit, group, UINT64_MAX);

    limit->refused++;
    if (!other)
        other = add_name(limit, hash_mix(group->hash, UINT64_MAX),
                         group->identity, SLICE(DERIVED_OTHER));
    if (other)
        other->is_other = true;
    return other;
}

struct counted_name *cardinality_add(struct cardinality_limit *limit,
                                     struct counted_name *group,
                                     uint64_t text_hash, struct slice text,
                                     uint32_t max_members)
{
    struct counted_name *name;
    uint64_t hash;

    if (!group)
        return NULL;
    if (group->members >= max_members)
        return other_of(limit, group);
    hash = hash_mix(group->hash, text_hash);
    name = add_name(limit, hash, group->identity, text);
    if (name)
        group->members++;
    return name;
}

struct counted_name *cardinality_get(struct cardinality_limit *limit,
                                     struct counted_name *group,
                                     struct slice text, uint32_t max_members)
{
    uint64_t hash = hash_bytes(text.ptr, text.len, 0);
    struct counted_name *name = cardinality_find(limit, group, hash);

    return name ? name : cardinality_add(limit, group, hash, text, max_members);
}

struct slice cardinality_copy(struct counted_name *name, uint64_t batch,
                              struct arena *arena)
{
    if (name->copied != batch) {
        name->copied = batch;
        /* Forced: the batch is acknowledged, or will be, and needs its names
         * however little memory is left. */
        name->copy = name->text.len ? arena_copy_forced(arena, name->text)
                                    : (struct slice){NULL, 0};
    }
    return name->copy;
}

uint32_t cardinality_weight(struct counted_name *name, bool failed,
                            double weight)
{
    float none = 0, *rest = name ? &name->rest[failed] : &none;
    double exact = weight + (double)*rest;
    uint32_t whole = (uint32_t)(exact + 0.5);

    if (weight == 1)
        return 1;
    *rest = (float)(exact - whole);
    return whole;
}
