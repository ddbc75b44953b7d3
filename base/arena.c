/*
 * A list of chunks, newest first; arena_alloc() advances a pointer in the
 * newest:
 *
 *   chunk ─► [next|size| used ......... at | free ......... end ]
 *     └────► [next|size| used, full                             ] ─► ...
 *
 * A new chunk is half the size of all chunks together, between CHUNK_MIN and
 * CHUNK_MAX: a batch of a few hundred kilobytes needs fewer than ten, and less
 * than half of its memory is unused. An allocation that is larger than the next
 * chunk gets its own chunk, second in the list, so the free part of the newest
 * one stays in use.
 *
 * Under ASan, free memory is poisoned and a red zone follows each allocation,
 * so an overrun inside an arena is found.
 */
#include "arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"
#include "record.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { RED_ZONES = 1 };
#else
#define ASAN_POISON_MEMORY_REGION(ptr, len)   ((void)(ptr), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, len) ((void)(ptr), (void)(len))
enum { RED_ZONES = 0 };
#endif

enum { CHUNK_MIN = 16 * 1024, CHUNK_MAX = 1024 * 1024 };
enum { ALIGN = 8 };
enum { RED_ZONE_MIN = 16, RED_ZONE_MAX = 2048 };

static_assert(alignof(struct span) <= ALIGN && alignof(struct point) <= ALIGN &&
                  alignof(struct log_record) <= ALIGN &&
                  alignof(struct histogram) <= ALIGN,
              "records fit the arena's alignment");

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* with this head; charged to the budget */
};

void arena_init(struct arena *arena, struct budget *budget, size_t cap)
{
    *arena = (struct arena){.budget = budget, .cap = cap};
}

static void chunk_free(struct arena *arena, struct arena_chunk *chunk)
{
    if (arena->budget)
        budget_give(arena->budget, chunk->size);
    arena->size -= chunk->size;
    ASAN_UNPOISON_MEMORY_REGION(chunk, chunk->size);
    free(chunk);
}

void arena_release(struct arena *arena)
{
    while (arena->chunk) {
        struct arena_chunk *next = arena->chunk->next;

        chunk_free(arena, arena->chunk);
        arena->chunk = next;
    }
    arena_init(arena, arena->budget, arena->cap);
}

void arena_begin(struct arena *attempt, const struct arena *of)
{
    arena_init(attempt, of->budget,
               of->cap > of->size ? of->cap - of->size : 0);
}

/* The chunks become second in the list: the free part of the newest one stays
 * in use. */
void arena_adopt(struct arena *of, struct arena *attempt)
{
    struct arena_chunk *last = attempt->chunk;

    if (!last)
        return;
    while (last->next)
        last = last->next;
    if (of->chunk) {
        last->next = of->chunk->next;
        of->chunk->next = attempt->chunk;
    } else {
        of->chunk = attempt->chunk;
        of->at = of->end = NULL;
    }
    of->size += attempt->size;
    *attempt = (struct arena){.budget = attempt->budget};
}

/* As in ASan's malloc, red zones grow with the allocation: an index that is off
 * by a few elements does not reach the next one. */
static size_t red_zone(size_t size)
{
    size_t zone = size / 8 & ~(size_t)(ALIGN - 1);

    if (!RED_ZONES)
        return 0;
    if (zone < RED_ZONE_MIN)
        zone = RED_ZONE_MIN;
    return zone > RED_ZONE_MAX ? RED_ZONE_MAX : zone;
}

/* Makes all of the chunk but its head free. */
static void use_chunk(struct arena *arena, struct arena_chunk *chunk)
{
    arena->at = (char *)(chunk + 1);
    arena->end = (char *)chunk + chunk->size;
    ASAN_POISON_MEMORY_REGION(arena->at, chunk->size - sizeof(*chunk));
}

void arena_reset(struct arena *arena)
{
    arena->status = OK;
    if (!arena->chunk)
        return;
    while (arena->chunk->next) {
        struct arena_chunk *next = arena->chunk->next;

        arena->chunk->next = next->next;
        chunk_free(arena, next);
    }
    use_chunk(arena, arena->chunk);
}

/* A chunk of this size, within cap and budget; not in the list yet. */
static struct arena_chunk *chunk_new(struct arena *arena, size_t size,
                                     enum status *status)
{
    struct arena_chunk *chunk;

    if (arena->size > arena->cap || size > arena->cap - arena->size) {
        *status = ERR_TOO_BIG;
        return NULL;
    }
    if (arena->budget && !budget_take(arena->budget, size)) {
        *status = ERR_BUSY;
        return NULL;
    }
    chunk = mem_alloc(size);
    chunk->size = size;
    arena->size += size;
    return chunk;
}

/* The slow path: the newest chunk has no room for step bytes, which are size,
 * padding and red zone. */
static void *alloc_chunk(struct arena *arena, size_t size, size_t step)
{
    size_t need = step + sizeof(struct arena_chunk);
    size_t want = arena->size / 2;
    struct arena_chunk *chunk = NULL;
    enum status status = OK;

    if (want < CHUNK_MIN)
        want = CHUNK_MIN;
    if (want > CHUNK_MAX)
        want = CHUNK_MAX;
    /* A smaller one if little is left of cap or budget. */
    for (; want > need && !chunk; want /= 2)
        chunk = chunk_new(arena, want, &status);
    if (!chunk)
        chunk = chunk_new(arena, need, &status);
    if (!chunk) {
        arena->status = status;
        arena->at = arena->end = NULL;
        return NULL;
    }
    if (chunk->size == need && arena->chunk) {
        chunk->next = arena->chunk->next;
        arena->chunk->next = chunk;
        ASAN_POISON_MEMORY_REGION((char *)(chunk + 1) + size, step - size);
        return chunk + 1;
    }
    chunk->next = arena->chunk;
    arena->chunk = chunk;
    use_chunk(arena, chunk);
    arena->at += step;
    ASAN_UNPOISON_MEMORY_REGION(chunk + 1, size);
    return chunk + 1;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *piece = arena->at;
    size_t room = (size_t)(arena->end - arena->at);
    size_t step;

    if (size > PTRDIFF_MAX / 2 || arena->status != OK) {
        if (arena->status == OK)
            arena->status = ERR_TOO_BIG;
        arena->at = arena->end = NULL;
        return NULL;
    }
    step = ((size + ALIGN - 1) & ~(size_t)(ALIGN - 1)) + red_zone(size);
    if (step > room || !piece)
        return alloc_chunk(arena, size, step);
    arena->at += step;
    ASAN_UNPOISON_MEMORY_REGION(piece, size);
    return piece;
}

void *arena_zero(struct arena *arena, size_t count, size_t size)
{
    size_t bytes = size && count > SIZE_MAX / size ? SIZE_MAX : count * size;
    void *piece = arena_alloc(arena, bytes);

    if (piece)
        memset(piece, 0, bytes);
    return piece;
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
    char *copy = arena_alloc(arena, s.len);

    if (!copy)
        return (struct slice){NULL, 0};
    slice_copy(copy, s);
    return (struct slice){copy, s.len};
}

struct slice arena_copy_forced(struct arena *arena, struct slice s)
{
    struct slice copy = arena_copy(arena, s);
    size_t size = sizeof(struct arena_chunk) + s.len;

    if (copy.ptr)
        return copy;
    struct arena_chunk *chunk = mem_alloc(size);
    if (arena->budget)
        budget_force(arena->budget, size);
    arena->size += size;
    chunk->size = size;
    /* The arena has failed: nothing is allocated from the newest chunk. */
    chunk->next = arena->chunk;
    arena->chunk = chunk;
    slice_copy((char *)(chunk + 1), s);
    return (struct slice){(char *)(chunk + 1), s.len};
}

struct slice arena_format(struct arena *arena, const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        len = 0;
    return arena_copy(arena, slice_truncate((struct slice){text, (size_t)len},
                                            sizeof(text) - 1));
}

enum status arena_status(const struct arena *arena)
{
    return arena->status;
}

size_t arena_size(const struct arena *arena)
{
    return arena->size;
}
