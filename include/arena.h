/*
 * arena - the memory of one batch or one query: many allocations, freed at
 * once.
 *
 * Purpose:   allocates by advancing a pointer within chunks, which are charged
 *            to a budget.
 * Ownership: whatever is allocated belongs to the arena and is valid until
 *            arena_reset() or arena_release().
 * Threads:   one at a time.
 * Errors:    when the budget or the arena's own cap is exhausted, arena_alloc()
 *            returns NULL, then and from then on, and arena_status() is
 *            ERR_BUSY (budget) or ERR_TOO_BIG (cap).
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

#include "budget.h"
#include "slice.h"
#include "status.h"

struct arena {
    struct arena_chunk *chunk; /* newest first */
    char *at, *end;            /* free part of the newest */
    struct budget *budget;     /* NULL: unlimited (tests, start-up) */
    size_t size, cap;
    enum status status;
};

void arena_init(struct arena *arena, struct budget *budget, size_t cap);
void arena_release(struct arena *arena);

/*
 * For an attempt that may be abandoned: arena_begin() makes an empty arena with
 * the budget of `of` and the rest of its cap. arena_release() then frees what
 * the attempt allocated, or arena_adopt() moves it into `of`.
 */
void arena_begin(struct arena *attempt, const struct arena *of);
void arena_adopt(struct arena *of, struct arena *attempt);

/* Frees all allocations; one chunk is kept for reuse. */
void arena_reset(struct arena *arena);

/* Aligned to 8 bytes; not zeroed. NULL once the arena has failed. */
void *arena_alloc(struct arena *arena, size_t size);

/* Zeroed; count * size is checked for overflow. */
void *arena_zero(struct arena *arena, size_t count, size_t size);

/* A copy of s, without NUL; an empty slice if the arena has failed. */
struct slice arena_copy(struct arena *arena, struct slice s);

/* Never fails: exceeds cap and budget if needed, and is charged. For small
 * texts of bounded size that must not be lost. */
struct slice arena_copy_forced(struct arena *arena, struct slice s);

/* A formatted text, at most 1,023 bytes of it. */
struct slice arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

enum status arena_status(const struct arena *arena);

/* Bytes held in chunks. */
size_t arena_size(const struct arena *arena);

#endif
