/*
 * A list of chunks in order of use. A reset goes back to the first one and
 * frees the chunks after KEEP_BYTES, so that one enormous block does not keep
 * its memory for ever.
 */
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { CHUNK_BYTES = 1 << 20, KEEP_BYTES = 12 << 20 };

struct scratch_chunk {
    struct scratch_chunk *next;
    size_t size; /* of what follows this head */
};

void scratch_init(struct scratch *scratch)
{
    *scratch = (struct scratch){0};
}

static void use(struct scratch *scratch, struct scratch_chunk *chunk)
{
    scratch->current = chunk;
    scratch->at = (char *)(chunk + 1);
    scratch->end = scratch->at + chunk->size;
}

static void free_from(struct scratch_chunk *chunk)
{
    while (chunk) {
        struct scratch_chunk *next = chunk->next;

        free(chunk);
        chunk = next;
    }
}

void scratch_release(struct scratch *scratch)
{
    free_from(scratch->first);
    scratch_init(scratch);
}

void scratch_reset(struct scratch *scratch)
{
    struct scratch_chunk *chunk = scratch->first;
    size_t kept = 0;

    if (!chunk)
        return;
    use(scratch, chunk);
    for (kept = chunk->size; chunk->next; chunk = chunk->next) {
        kept += chunk->next->size;
        if (kept > KEEP_BYTES) {
            free_from(chunk->next);
            chunk->next = NULL;
            return;
        }
    }
}

void *scratch_more(struct scratch *scratch, size_t size)
{
    struct scratch_chunk *chunk = scratch->current;
    void *piece;

    if (chunk && chunk->next && chunk->next->size >= size) {
        use(scratch, chunk->next);
    } else {
        size_t want = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        struct scratch_chunk *fresh = mem_alloc(sizeof(*fresh) + want);

        fresh->size = want;
        fresh->next = chunk ? chunk->next : NULL;
        if (chunk)
            chunk->next = fresh;
        else
            scratch->first = fresh;
        use(scratch, fresh);
    }
    piece = scratch->at;
    scratch->at += size;
    return piece;
}

void *scratch_zero(struct scratch *scratch, size_t count, size_t size)
{
    return memset(scratch_alloc(scratch, count * size), 0, count * size);
}

struct scratch_mark scratch_mark(const struct scratch *scratch)
{
    return (struct scratch_mark){scratch->current, scratch->at};
}

void scratch_rewind(struct scratch *scratch, struct scratch_mark mark)
{
    if (!mark.chunk) {
        scratch_reset(scratch);
        return;
    }
    use(scratch, mark.chunk);
    scratch->at = mark.at;
}

void scratch_grow_(struct scratch *scratch, void *list, uint32_t count,
                   uint32_t *room, uint32_t more, size_t size)
{
    uint32_t wanted = *room ? 2 * *room : 32;
    char *at, *grown;

    while (wanted - count < more)
        wanted *= 2;
    memcpy(&at, list, sizeof(at));
    grown = scratch_alloc(scratch, wanted * size);
    if (count > 0)
        memcpy(grown, at, count * size);
    memcpy(list, &grown, sizeof(grown));
    *room = wanted;
}

void scratch_map_add(struct scratch *scratch, struct map *map, uint32_t hash,
                     uint32_t entry)
{
    if (2 * map->count >= map->mask) {
        size_t size = map_size(map->count + 1);

        map_move(map, scratch_zero(scratch, 1, size), size);
    }
    map_add(map, hash, entry);
}
