/*
 * Texts lie back to back in `bytes`, their ends in `ends`; both grow by
 * doubling. `index` finds a number by the text's hash.
 */
#include "intern.h"

#include <stdlib.h>

#include "array.h"

void intern_init(struct intern *table, uint32_t max_bytes, uint32_t max_text)
{
    *table = (struct intern){.max_bytes = max_bytes, .max_text = max_text};
}

void intern_release(struct intern *table)
{
    free(table->bytes);
    free(table->ends);
    map_release(&table->index);
    intern_init(table, table->max_bytes, table->max_text);
}

struct slice intern_text(const struct intern *table, uint32_t number)
{
    uint32_t start;

    if (number == 0)
        return (struct slice){NULL, 0};
    start = table->ends[number - 1];
    return (struct slice){table->bytes + start, table->ends[number] - start};
}

uint32_t intern_bytes(const struct intern *table)
{
    return table->count > 0 ? table->ends[table->count] : 0;
}

static uint32_t find_text(const struct intern *table, struct slice text,
                          uint32_t hash)
{
    map_each(&table->index, hash, number)
        if (slice_equal(intern_text(table, number), text))
            return number;
    return 0;
}

uint32_t intern_find(const struct intern *table, struct slice text)
{
    text = slice_truncate(text, table->max_text);
    return text.len > 0 ? find_text(table, text, map_hash_slice(text)) : 0;
}

uint32_t intern_add_within(struct intern *table, struct slice text,
                           uint32_t max_bytes)
{
    uint32_t hash, number, used = intern_bytes(table);

    text = slice_truncate(text, table->max_text);
    if (text.len == 0)
        return 0;
    hash = map_hash_slice(text);
    number = find_text(table, text, hash);
    if (number > 0)
        return number;
    if (used > max_bytes || text.len > max_bytes - used)
        return INTERN_FULL;
    array_reserve(&table->bytes, used + (uint32_t)text.len, &table->bytes_room);
    array_reserve(&table->ends, table->count + 2, &table->ends_room);
    number = ++table->count;
    slice_copy(table->bytes + used, text);
    table->ends[number - 1] = used;
    table->ends[number] = used + (uint32_t)text.len;
    (void)map_add(&table->index, hash, number); /* on the heap: never fails */
    return number;
}

uint32_t intern_add(struct intern *table, struct slice text)
{
    return intern_add_within(table, text, table->max_bytes);
}
