/*
 * The texts of a LowCardinality column: each once, its values are numbers of
 * texts. Most columns of records repeat few texts, and so do the keys of maps:
 * as numbers a block is a third of its bytes, for us to compress and for
 * ClickHouse to read, which needs no table of its own then.
 *
 * On the wire: before all else of the column that it is a part of, the version
 * of the form (1, 8 bytes). Then, unless there are no values, as UInt64 each:
 * flags with the width of the numbers, the number of texts, and behind these
 * the number of values. Text 0 is the empty one.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "ch_native_int.h"

/* Flags of the form: the texts come with the values. */
enum { WITH_TEXTS = 0x600 };

static struct slice text_of(const struct ch_column *column, uint32_t at)
{
    const struct ch_entry *entry = &column->dictionary->entries[at];

    return (struct slice){column->parts[0]->data + entry->at, entry->len};
}

static uint32_t add(struct ch_column *column, struct slice text, uint32_t hash)
{
    struct ch_dictionary *dictionary = column->dictionary;
    struct ch_column *texts = column->parts[0];
    uint32_t at = dictionary->count;

    ch_put_string(texts, text);
    if (texts->native->status != OK)
        return 0;
    array_append(&dictionary->entries, at, &dictionary->room);
    dictionary->entries[at] =
        (struct ch_entry){texts->len - text.len, (uint32_t)text.len, at};
    (void)map_add(&dictionary->index, hash, at);
    dictionary->count++;
    return at;
}

/* In the table, or a new one. */
static uint32_t search(struct ch_column *column, struct slice text)
{
    uint32_t hash = map_hash_slice(text);

    map_each(&column->dictionary->index, hash, at)
        if (slice_equal(text_of(column, at), text))
            return at;
    return add(column, text, hash);
}

/* The texts of a column come in runs, the keys of maps in the same order again
 * and again: the last text and the one that came after it last time are tried
 * before the table. */
uint32_t ch_text_number(struct ch_column *column, struct slice text)
{
    struct ch_dictionary *dictionary = column->dictionary;
    struct slice empty = {NULL, 0};
    uint32_t last = dictionary->last, next;

    if (dictionary->count == 0)
        (void)add(column, empty, map_hash_slice(empty));
    if (dictionary->count == 0)
        return 0; /* the block has failed */
    next = dictionary->entries[last].next;
    if (!slice_equal(text_of(column, next), text)) {
        if (slice_equal(text_of(column, last), text))
            return last;
        next = search(column, text);
        dictionary->entries[last].next = next;
    }
    return dictionary->last = next;
}

void ch_dictionary_reset(struct ch_dictionary *dictionary)
{
    if (dictionary->count > 0)
        map_clear(&dictionary->index);
    dictionary->count = dictionary->last = 0;
}

void ch_dictionary_free(struct ch_dictionary *dictionary)
{
    map_release(&dictionary->index);
    free(dictionary->entries);
    free(dictionary);
}

/* ---- on the wire ---- */

static void write_number(uint64_t number,
                         void (*take)(void *arg, struct slice bytes), void *arg)
{
    char bytes[8];

    store_le(bytes, number, sizeof(bytes));
    take(arg, (struct slice){bytes, sizeof(bytes)});
}

/* The lowest bytes of each number; by memcpy(), of which gcc makes vector
 * instructions, and of load_le() here none that are good. */
static void narrow(char *to, const char *values, size_t count, size_t width)
{
    uint32_t number;

    for (size_t i = 0; width == 1 && i < count; i++) {
        memcpy(&number, values + i * sizeof(number), sizeof(number));
        to[i] = (char)le32toh(number);
    }
    for (size_t i = 0; width == 2 && i < count; i++) {
        memcpy(&number, values + i * sizeof(number), sizeof(number));
        uint16_t low = htole16((uint16_t)le32toh(number));
        memcpy(to + i * sizeof(low), &low, sizeof(low));
    }
}

static void write_values(const char *values, uint64_t count, size_t width,
                         void (*take)(void *arg, struct slice bytes), void *arg)
{
    enum { SOME = 4096 };
    char bytes[SOME * 2];

    if (width == CH_NUMBER_BYTES) {
        take(arg, (struct slice){values, count * CH_NUMBER_BYTES});
        return;
    }
    while (count > 0) {
        size_t some = count < SOME ? (size_t)count : SOME;

        narrow(bytes, values, some, width);
        take(arg, (struct slice){bytes, some * width});
        values += some * CH_NUMBER_BYTES;
        count -= some;
    }
}

void ch_dictionary_write(const struct ch_column *column,
                         void (*take)(void *arg, struct slice bytes), void *arg)
{
    const struct ch_column *texts = column->parts[0];
    unsigned width = texts->rows <= 1U << 8    ? 0
                     : texts->rows <= 1U << 16 ? 1
                                               : 2;

    if (column->rows == 0)
        return;
    write_number(WITH_TEXTS | width, take, arg);
    write_number(texts->rows, take, arg);
    take(arg, (struct slice){texts->data, texts->len});
    write_number(column->rows, take, arg);
    write_values(column->data, column->rows, (size_t)1 << width, take, arg);
}

void ch_dictionary_begin(const struct ch_column *column,
                         void (*take)(void *arg, struct slice bytes), void *arg)
{
    if (column->kind == CH_LOW)
        write_number(1, take, arg);
    else
        for (uint32_t i = 0; i < column->part_count; i++)
            ch_dictionary_begin(column->parts[i], take, arg);
}
