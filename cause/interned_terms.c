#include "interned_terms.h"

#include "array.h"

bool terms_init(struct interned_terms *terms, struct arena *arena)
{
    *terms = (struct interned_terms){.arena = arena, .index.arena = arena};
    return map_reserve(&terms->index, 256);
}

uint32_t terms_find(const struct interned_terms *terms, uint64_t hash)
{
    map_each(&terms->index, map_hash(hash), at)
        if (terms->at[at].hash == hash)
            return at;
    return NO_INDEX;
}

uint32_t terms_add(struct interned_terms *terms, uint64_t hash,
                   struct slice text, struct slice line, bool is_error)
{
    uint32_t at = terms_find(terms, hash);
    struct interned_term *term;

    if (at != NO_INDEX)
        return at;
    term = arena_append(terms->arena, &terms->at, terms->count, &terms->room);
    if (!term || !map_add(&terms->index, map_hash(hash), terms->count))
        return NO_INDEX;
    *term = (struct interned_term){hash, arena_copy(terms->arena, text),
                                   arena_copy(terms->arena, line), is_error};
    return terms->count++;
}
