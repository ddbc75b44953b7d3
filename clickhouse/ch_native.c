/*
 * Columns of a block in the format Native; see ch_native.h.
 *
 * On the wire, without a revision of the protocol as over HTTP:
 *
 *   varint columns, varint rows, then each column:
 *     string name, string type, data
 *
 *   integers, floats     little endian, row by row
 *   String               varint length and bytes, row by row
 *   FixedString          bytes, row by row
 *   LowCardinality(T)    ch_native_dictionary.c
 *   Array(T)             UInt64 for each row: elements up to and with it;
 *                        then the elements as a column of T
 *   Map(K, V)            as Array(Tuple(K, V))
 *   Tuple(A, B ...)      one column after another
 *
 * A type is read into a tree of columns. A column of numbers, strings or counts
 * keeps its bytes as they will be written.
 */
#include "ch_native.h"

#include <assert.h>
#include <stdlib.h>

#include "buf.h"
#include "ch_native_int.h"
#include "hex.h"
#include "mem.h"

enum { FIRST_ROOM = 256 };
#define MOST_BYTES (UINT64_C(4) << 30)

/* ---- memory ---- */

bool ch_native_charge(const struct ch_native *native, size_t bytes)
{
    if (native->budget && native->forced)
        budget_force(native->budget, bytes);
    else if (native->budget)
        return budget_take(native->budget, bytes);
    return true;
}

/* Room for len more bytes, or NULL: the block has failed. */
static char *grow(struct ch_column *column, size_t len)
{
    struct ch_native *native = column->native;
    size_t need = column->len + len, room = column->room;

    if (native->status != OK)
        return NULL;
    if (room == 0)
        room = FIRST_ROOM;
    while (room < need)
        room *= 2;
    if (need > MOST_BYTES)
        native->status = ERR_TOO_BIG;
    else if (!ch_native_charge(native, room - column->room))
        native->status = ERR_BUSY;
    if (native->status != OK)
        return NULL;
    column->data = mem_resize(column->data, room, 1);
    column->room = room;
    return column->data + column->len;
}

static inline char *room_for(struct ch_column *column, size_t len)
{
    if (len <= column->room - column->len)
        return column->data + column->len;
    return grow(column, len);
}

/* ---- values ---- */

static void fill(struct ch_column *column, uint64_t count);

/* A column of the block takes one value a row, and may have none of the rows
 * before. */
static inline void begin_value(struct ch_column *column)
{
    if (column->inner)
        return;
    assert(column->rows <= column->native->rows);
    if (column->rows < column->native->rows)
        fill(column, column->native->rows - column->rows);
}

void ch_put_uint(struct ch_column *column, uint64_t value)
{
    char *at;

    assert(column->kind == CH_NUMBER);
    if (value == 0 && !column->inner)
        return;
    begin_value(column);
    at = room_for(column, sizeof(value));
    column->rows++;
    if (!at)
        return;
    store_le(at, value, sizeof(value)); /* what is too much is overwritten */
    column->len += column->width;
}

void ch_put_int(struct ch_column *column, int64_t value)
{
    ch_put_uint(column, (uint64_t)value);
}

void ch_put_float(struct ch_column *column, double value)
{
    float narrow = (float)value;
    uint64_t bits = 0;

    if (column->width == sizeof(narrow))
        memcpy(&bits, &narrow, sizeof(narrow));
    else
        memcpy(&bits, &value, sizeof(value));
    ch_put_uint(column, bits);
}

enum { LENGTH_BYTES = 10 }; /* of a varint, at most */

static size_t put_length(char *at, size_t len)
{
    size_t n = 0;

    for (; len >= 0x80; len >>= 7)
        at[n++] = (char)(len | 0x80);
    at[n++] = (char)len;
    return n;
}

/* Where `len` bytes of a string go, or NULL. */
static char *begin_string(struct ch_column *column, size_t len)
{
    size_t n = 0;
    char *at;

    assert(column->kind == CH_BYTES);
    assert(column->width == 0 || column->width == len);
    begin_value(column);
    at = room_for(column, LENGTH_BYTES + len);
    column->rows++;
    if (!at)
        return NULL;
    if (column->width == 0)
        n = put_length(at, len);
    column->len += n + len;
    return at + n;
}

static void put_number(struct ch_column *column, uint32_t number)
{
    char *at;

    begin_value(column);
    at = room_for(column, CH_NUMBER_BYTES);
    column->rows++;
    if (!at)
        return;
    store_le(at, number, CH_NUMBER_BYTES);
    column->len += CH_NUMBER_BYTES;
}

void ch_put_string(struct ch_column *column, struct slice value)
{
    char *at;

    if (value.len == 0 && column->width == 0 && !column->inner)
        return;
    if (column->kind == CH_LOW) {
        put_number(column, ch_text_number(column, value));
        return;
    }
    at = begin_string(column, value.len);
    if (at)
        slice_copy(at, value);
}

void ch_put_hex(struct ch_column *column, const uint8_t *bytes, size_t len)
{
    char *at = begin_string(column, 2 * len);

    if (at)
        hex_write(at, bytes, len);
}

/* ---- arrays, maps, tuples ---- */

struct ch_column *ch_element(struct ch_column *array)
{
    assert(array->kind == CH_ARRAY && array->part_count == 1);
    return array->parts[0];
}

struct ch_column *ch_key(struct ch_column *map)
{
    assert(map->kind == CH_ARRAY && map->part_count == 2);
    return map->parts[0];
}

struct ch_column *ch_value(struct ch_column *map)
{
    assert(map->kind == CH_ARRAY && map->part_count == 2);
    return map->parts[1];
}

struct ch_column *ch_part(struct ch_column *tuple, uint32_t index)
{
    assert(tuple->kind == CH_TUPLE && index < tuple->part_count);
    return tuple->parts[index];
}

/* Nothing of it belongs to an array that was not closed. */
static bool is_closed(const struct ch_column *column)
{
    return column->kind != CH_ARRAY || column->closed == column->parts[0]->rows;
}

void ch_end(struct ch_column *column)
{
    uint64_t rows =
        column->kind == CH_TUPLE ? column->rows + 1 : column->parts[0]->rows;
    char *at;

    assert(column->part_count > 0);
    for (uint32_t i = 0; i < column->part_count; i++) {
        assert(column->parts[i]->rows == rows); /* as many of each part */
        assert(is_closed(column->parts[i]));
    }
    if (rows == column->closed && !column->inner)
        return; /* the default */
    begin_value(column);
    at = column->kind == CH_TUPLE ? NULL : room_for(column, sizeof(rows));
    column->rows++;
    column->closed = rows;
    if (!at)
        return;
    store_le(at, rows, sizeof(rows));
    column->len += sizeof(rows);
}

/* ---- once more ---- */

/* The last values, once more. */
static void repeat(struct ch_column *column, uint64_t count)
{
    size_t width = column->kind == CH_LOW ? CH_NUMBER_BYTES : column->width;
    size_t len = (size_t)count * width;
    char *at = room_for(column, len);

    assert(width > 0 && column->rows >= count);
    column->rows += count;
    if (!at)
        return;
    memcpy(at, at - len, len);
    column->len += len;
}

/* Elements of the last value of an array. */
static uint64_t last_elements(const struct ch_column *array)
{
    const char *end = array->data + array->len;
    uint64_t before = 0;

    if (array->native->status != OK)
        return 0;
    if (array->rows > 1)
        before = load_le(end - 2 * sizeof(before), sizeof(before));
    return load_le(end - sizeof(before), sizeof(before)) - before;
}

void ch_put_again(struct ch_column *column)
{
    uint64_t count;

    assert(column->native->rows > 0);
    if (column->rows < column->native->rows)
        return; /* the default */
    assert(column->rows == column->native->rows);
    if (column->kind != CH_ARRAY) {
        repeat(column, 1);
        return;
    }
    count = last_elements(column);
    for (uint32_t i = 0; i < column->part_count; i++)
        repeat(column->parts[i], count);
    ch_end(column);
}

/* ---- rows ---- */

/* The default of so many rows: an array ends where the one before ended. */
static void fill(struct ch_column *column, uint64_t count)
{
    bool array = column->kind == CH_ARRAY;
    size_t width = array                    ? sizeof(column->closed)
                   : column->kind == CH_LOW ? CH_NUMBER_BYTES
                   : column->width > 0      ? column->width
                                            : 1; /* a length of 0 */
    size_t len = (size_t)count * width;
    char *at = room_for(column, len);

    assert(column->kind != CH_TUPLE);
    column->rows += count;
    if (column->kind == CH_LOW)
        (void)ch_text_number(column, (struct slice){NULL, 0});
    if (!at)
        return;
    if (!array)
        memset(at, 0, len);
    for (uint64_t i = 0; array && i < count; i++)
        store_le(at + i * width, column->closed, width);
    column->len += len;
}

void ch_native_row(struct ch_native *native)
{
    for (uint32_t i = 0; i < native->count; i++)
        if (native->columns[i]->kind == CH_ARRAY)
            ch_end(native->columns[i]);
    native->rows++;
}

void ch_native_fill(struct ch_native *native)
{
    uint32_t sent = 0;

    for (uint32_t i = 0; i < native->count; i++)
        if (native->columns[i]->rows > 0) {
            begin_value(native->columns[i]);
            sent++;
        }
    if (sent == 0)
        begin_value(native->columns[0]);
}

void ch_native_force(struct ch_native *native)
{
    native->forced = true;
}

uint32_t ch_native_rows(const struct ch_native *native)
{
    return native->rows;
}

enum status ch_native_status(const struct ch_native *native)
{
    return native->status;
}

struct ch_column *ch_native_column(struct ch_native *native, uint32_t index)
{
    assert(index < native->count);
    return native->columns[index];
}

/* ---- new, reset, free ---- */

struct ch_native *ch_native_new(const struct ch_column_def *columns,
                                uint32_t count, struct budget *budget)
{
    struct ch_native *native = mem_zero(1, sizeof(*native));

    native->defs = columns;
    native->count = count;
    native->budget = budget;
    native->columns = mem_zero(count, sizeof(*native->columns));
    for (uint32_t i = 0; i < count; i++)
        native->columns[i] = ch_column_new(native, columns[i].type);
    return native;
}

static void reset_column(struct ch_column *column)
{
    column->len = 0;
    column->rows = column->closed = 0;
    if (column->dictionary)
        ch_dictionary_reset(column->dictionary);
    for (uint32_t i = 0; i < column->part_count; i++)
        reset_column(column->parts[i]);
}

void ch_native_reset(struct ch_native *native)
{
    for (uint32_t i = 0; i < native->count; i++)
        reset_column(native->columns[i]);
    native->rows = 0;
    native->status = OK;
}

static void free_column(struct ch_column *column)
{
    for (uint32_t i = 0; i < column->part_count; i++)
        free_column(column->parts[i]);
    if (column->native->budget && column->room > 0)
        budget_give(column->native->budget, column->room);
    if (column->dictionary)
        ch_dictionary_free(column->dictionary);
    free(column->data);
    free(column);
}

void ch_native_free(struct ch_native *native)
{
    if (!native)
        return;
    for (uint32_t i = 0; i < native->count; i++)
        free_column(native->columns[i]);
    free(native->columns);
    free(native);
}
