/*
 * An open-addressed index over an array; both double when half full.
 */
#include "rca_context.h"

enum { FIRST_ROOM = 256 };

static bool rehash(struct interned_terms *terms, uint32_t room)
{
    uint32_t *slots = arena_zero(terms->arena, 2 * (size_t)room, 4);
    struct interned_term *at = arena_zero(terms->arena, room, sizeof(*at));

    if (!slots || !at)
        return false;
    if (terms->count > 0)
        memcpy(at, terms->at, terms->count * sizeof(*at));
    terms->at = at;
    terms->slots = slots;
    terms->room = room;
    terms->mask = 2 * room - 1;
    for (uint32_t n = 0; n < terms->count; n++) {
        uint32_t i = (uint32_t)at[n].hash & terms->mask;

        while (slots[i])
            i = (i + 1) & terms->mask;
        slots[i] = n + 1;
    }
    return true;
}

bool terms_init(struct interned_terms *terms, struct arena *arena)
{
    *terms = (struct interned_terms){.arena = arena};
    return rehash(terms, FIRST_ROOM);
}

uint32_t terms_find(const struct interned_terms *terms, uint64_t hash)
{
    uint32_t i = (uint32_t)hash & terms->mask;

    for (; terms->slots[i]; i = (i + 1) & terms->mask)
        if (terms->at[terms->slots[i] - 1].hash == hash)
            return terms->slots[i] - 1;
    return NOBODY;
}

uint32_t terms_add(struct interned_terms *terms, uint64_t hash,
                   struct slice text, struct slice line, bool bad)
{
    uint32_t i = (uint32_t)hash & terms->mask;

    for (; terms->slots[i]; i = (i + 1) & terms->mask)
        if (terms->at[terms->slots[i] - 1].hash == hash)
            return terms->slots[i] - 1;
    if (terms->count == terms->room) {
        if (!rehash(terms, 2 * terms->room))
            return NOBODY;
        return terms_add(terms, hash, text, line, bad);
    }
    terms->at[terms->count] =
        (struct interned_term){hash, arena_copy(terms->arena, text),
                               arena_copy(terms->arena, line), bad};
    terms->slots[i] = ++terms->count;
    return terms->count - 1;
}
