#include "record_list.h"

#include <stdlib.h>

#include "array.h"

void record_list_release(struct record_list *list)
{
    arena_release(&list->memory);
    free(list->at);
    list->at = NULL;
    list->count = list->room = 0;
}

static const void *read_row(struct block *block, enum block_kind kind,
                            uint32_t row, struct arena *memory,
                            enum status *status)
{
    if (kind == KIND_SPANS) {
        struct span *span = arena_zero(memory, 1, sizeof(*span));

        *status = span ? block_read_span(block, row, true, span)
                       : arena_status(memory);
        return span;
    }
    struct log_record *log = arena_zero(memory, 1, sizeof(*log));

    *status = log ? block_read_log(block, row, log) : arena_status(memory);
    return log;
}

enum status record_list_add(struct record_list *list, enum block_kind kind,
                            uint64_t id, struct slice bytes)
{
    struct slice copy = arena_copy(&list->memory, bytes);
    struct block *block = NULL;
    enum status status = arena_status(&list->memory);

    if (status == OK)
        status = block_open(&block, copy, &list->memory);
    if (status != OK)
        return status;
    block_set_first_arrival(block, log_arrival(id, 0));

    uint32_t count = block_count(block);
    array_reserve(&list->at, list->count + count, &list->room);
    for (uint32_t i = 0; i < count && status == OK; i++)
        list->at[list->count + i] =
            read_row(block, kind, i, &list->memory, &status);
    if (status == OK)
        status = arena_status(&list->memory);
    if (status == OK)
        list->count += count;
    return status;
}
