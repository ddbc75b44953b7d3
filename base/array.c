/*
 * Arrays double, so appending has constant cost on average. The pointer is read
 * and written with memcpy(), since its type is the caller's.
 */
#include "array.h"

#include <string.h>

#include "mem.h"

enum { ROOM_FIRST = 16 };

static void *load(const void *list)
{
    void *at;

    memcpy(&at, list, sizeof(at));
    return at;
}

static void store(void *list, void *at)
{
    memcpy(list, &at, sizeof(at));
}

static uint32_t doubled(uint32_t room, uint32_t need)
{
    uint64_t more = room > 0 ? 2 * (uint64_t)room : ROOM_FIRST;

    if (more < need)
        more = need;
    return more > UINT32_MAX ? UINT32_MAX : (uint32_t)more;
}

void array_reserve_(void *list, uint32_t count, uint32_t *room, size_t size)
{
    if (count <= *room)
        return;
    *room = doubled(*room, count);
    store(list, mem_resize(load(list), *room, size));
}

void *array_append_(void *list, uint32_t count, uint32_t *room, size_t size)
{
    array_reserve_(list, count + 1, room, size);
    return (char *)load(list) + count * size;
}

void *arena_append_(struct arena *arena, void *list, uint32_t count,
                    uint32_t *room, size_t size)
{
    uint32_t more;
    char *grown;

    if (count < *room)
        return (char *)load(list) + count * size;
    more = doubled(*room, count);
    if (more <= count) /* 2^32 elements */
        return NULL;
    grown = arena_alloc(arena, more * size);
    if (!grown)
        return NULL;
    if (count > 0)
        memcpy(grown, load(list), count * size);
    store(list, grown);
    *room = more;
    return grown + count * size;
}

void *array_at_(void *list, uint32_t *count, uint32_t index, size_t size)
{
    uint32_t room = *count;
    char *at;

    array_reserve_(list, index + 1, &room, size);
    at = load(list);
    if (room > *count)
        memset(at + *count * size, 0, (room - *count) * size);
    *count = room;
    return at + index * size;
}

void *arena_at_(struct arena *arena, void *list, uint32_t *room, uint32_t index,
                size_t size)
{
    uint32_t more;
    char *grown;

    if (index < *room)
        return (char *)load(list) + index * size;
    if (index == UINT32_MAX)
        return NULL;
    more = doubled(*room, index + 1);
    grown = arena_zero(arena, more, size);
    if (!grown)
        return NULL;
    if (*room > 0)
        memcpy(grown, load(list), *room * size);
    store(list, grown);
    *room = more;
    return grown + index * size;
}
