/*
 * interned_terms - texts that are compared as numbers, by their hash.
 */
#ifndef INTERNED_TERMS_H
#define INTERNED_TERMS_H

#include "map.h"
#include "rca_times.h"

struct interned_term {
    uint64_t hash;
    struct slice text, line; /* line: of a log record, as it was written */
    bool is_error;           /* the name of an error */
};

struct interned_terms {
    struct arena *arena;
    struct interned_term *at;
    uint32_t count, room;
    struct map index; /* by hash */
};

bool terms_init(struct interned_terms *terms, struct arena *arena);

/* The number of a term; text and line are copied if it is new. NO_INDEX: the
 * arena is full. */
uint32_t terms_add(struct interned_terms *terms, uint64_t hash,
                   struct slice text, struct slice line, bool is_error);
static inline uint32_t terms_add_text(struct interned_terms *terms,
                                      uint64_t hash, struct slice text)
{
    return terms_add(terms, hash, text, (struct slice){NULL, 0}, false);
}
static inline uint32_t terms_add_key(struct interned_terms *terms,
                                     uint64_t hash)
{
    return terms_add_text(terms, hash, (struct slice){NULL, 0});
}

/* NO_INDEX if it is not there. */
uint32_t terms_find(const struct interned_terms *terms, uint64_t hash);

#endif
