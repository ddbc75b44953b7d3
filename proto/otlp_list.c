/*
 * Lists in the arena, and texts within their limits.
 */
#include "otlp_decoder.h"

bool otlp_list_more(struct otlp_decoder *d, struct otlp_list *list, size_t size,
                    uint32_t max, uint32_t expect)
{
    uint64_t room = (uint64_t)list->count + expect;
    void *at;

    if (list->count >= max) {
        list->truncated++;
        d->batch->truncated++;
        return false;
    }
    if (list->count > 0 && room < 2 * (uint64_t)list->count)
        room = 2 * (uint64_t)list->count;
    if (room > max)
        room = max;
    at = arena_alloc(d->arena, (size_t)room * size);
    if (!at)
        return false;
    if (list->count > 0)
        memcpy(at, list->at, list->count * size);
    list->at = at;
    list->room = (uint32_t)room;
    return true;
}

void otlp_list_from(struct otlp_decoder *d, struct otlp_list *list,
                    const void *at, uint32_t count, size_t size)
{
    void *copy = count > 0 ? arena_alloc(d->arena, count * size) : NULL;

    *list = (struct otlp_list){0};
    if (!copy)
        return;
    memcpy(copy, at, count * size);
    *list = (struct otlp_list){.at = copy, .count = count, .room = count};
}

void otlp_list_drop(struct otlp_decoder *d, struct otlp_list *list)
{
    list->count--;
    list->truncated++;
    d->batch->truncated++;
}

uint32_t otlp_sum(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

struct attrs otlp_attrs(const struct otlp_list *list, uint32_t dropped)
{
    return (struct attrs){list->count > 0 ? list->at : NULL,
                          otlp_unique(list->at, list->count),
                          otlp_sum(list->truncated, dropped)};
}

struct slice otlp_text_long(struct otlp_decoder *d, struct slice text,
                            size_t max)
{
    size_t len = max;

    /* Back to the start of a character; what is not UTF-8 is truncated
     * anywhere. */
    while (len > max - 4 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    if (((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len = max;
    d->batch->truncated++;
    return (struct slice){text.ptr, len};
}

struct slice otlp_bytes(struct otlp_decoder *d, struct slice bytes)
{
    if (bytes.len > ATTR_MAX_VALUE) {
        bytes.len = ATTR_MAX_VALUE;
        d->batch->truncated++;
    }
    return bytes;
}
