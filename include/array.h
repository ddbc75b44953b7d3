/*
 * array - room for one more element at the end of an array that grows.
 *
 *     struct span *span = arena_append(arena, &list->at, list->count,
 *                                      &list->room);
 *     if (!span)
 *         return;
 *     *span = ...;
 *     list->count++;
 *
 * Purpose:   one helper for all growing arrays. It stores the new array through
 *            the address of the caller's pointer, so pointer and room cannot
 *            differ, and returns the free element. The element is part of the
 *            array when the caller counts it.
 * Ownership: array_append(): the array is from malloc, the caller frees it.
 *            arena_...(): it and its predecessors belong to the arena.
 * Threads:   one at a time.
 * Errors:    array_append() never fails; what an outsider can size meets a
 *            bound before. arena_append() and arena_at() return NULL when the
 *            arena is full, and leave array and room unchanged.
 */
#ifndef ARRAY_H
#define ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"

/* list: the address of the pointer to the first element; room: elements that
 * fit. A room of 0 with a NULL pointer is an empty array. */
#define array_append(list, count, room) \
    array_append_((list), (count), (room), sizeof(**(list)))
#define arena_append(arena, list, count, room) \
    arena_append_((arena), (list), (count), (room), sizeof(**(list)))

/* Room for `count` elements altogether; what is new is not zeroed. */
#define array_reserve(list, count, room) \
    array_reserve_((list), (count), (room), sizeof(**(list)))

/* The element at `index` of an array on the heap that has *count elements; it
 * grows as needed, and what is new is zero. */
#define array_at(list, count, index) \
    array_at_((list), (count), (index), sizeof(**(list)))
/* The same in an arena; it has *room elements. NULL: the arena is full. */
#define arena_at(arena, list, room, index) \
    arena_at_((arena), (list), (room), (index), sizeof(**(list)))

void *array_append_(void *list, uint32_t count, uint32_t *room, size_t size);
void *arena_append_(struct arena *arena, void *list, uint32_t count,
                    uint32_t *room, size_t size);
void *array_at_(void *list, uint32_t *count, uint32_t index, size_t size);
void *arena_at_(struct arena *arena, void *list, uint32_t *room, uint32_t index,
                size_t size);
void array_reserve_(void *list, uint32_t count, uint32_t *room, size_t size);

#endif
