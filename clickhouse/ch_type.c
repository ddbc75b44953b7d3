/*
 * A type's text to the tree of its columns: "Map(LowCardinality(String),
 * Array(UInt64))". The texts are constants of ours, so a bad one is asserted.
 */
#include <assert.h>

#include "ch_native_int.h"
#include "mem.h"

static const struct {
    struct slice name;
    uint8_t width;
} numbers[] = {
    {SLICE_INIT("UInt8"), 1},    {SLICE_INIT("Int8"), 1},
    {SLICE_INIT("Bool"), 1},     {SLICE_INIT("UInt16"), 2},
    {SLICE_INIT("Int16"), 2},    {SLICE_INIT("UInt32"), 4},
    {SLICE_INIT("Int32"), 4},    {SLICE_INIT("Float32"), 4},
    {SLICE_INIT("DateTime"), 4}, {SLICE_INIT("UInt64"), 8},
    {SLICE_INIT("Int64"), 8},    {SLICE_INIT("Float64"), 8},
    {SLICE_INIT("Date"), 2},
};

/* The part of a list of types before the comma that is in no parentheses. */
static struct slice split_type(struct slice *list)
{
    struct slice part;
    size_t i = 0;
    int depth = 0;

    for (; i < list->len && (depth > 0 || list->ptr[i] != ','); i++)
        depth += (list->ptr[i] == '(') - (list->ptr[i] == ')');
    assert(depth == 0);
    part = (struct slice){list->ptr, i};
    *list = slice_from(*list, i < list->len ? i + 1 : i);
    return slice_trim(part, " ");
}

/* *inside: what is in the parentheses of "NAME(...)". */
static bool is_of(struct slice type, const char *name, struct slice *inside)
{
    size_t len = strlen(name);

    if (type.len < len + 2 || memcmp(type.ptr, name, len) != 0 ||
        type.ptr[len] != '(' || type.ptr[type.len - 1] != ')')
        return false;
    *inside = (struct slice){type.ptr + len + 1, type.len - len - 2};
    return true;
}

static struct ch_column *new_column(struct ch_native *native,
                                    struct slice type);

static void add_parts(struct ch_column *column, struct slice list)
{
    while (list.len > 0) {
        struct ch_column *part = new_column(column->native, split_type(&list));

        assert(column->part_count < CH_PARTS);
        part->inner = true;
        column->parts[column->part_count++] = part;
    }
}

static void set_scalar(struct ch_column *column, struct slice type)
{
    struct slice inside;

    column->type = type;
    column->kind = CH_NUMBER;
    if (is_of(type, "DateTime64", &inside)) {
        column->width = 8;
        return;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (slice_equal(type, numbers[i].name)) {
            column->width = numbers[i].width;
            return;
        }
    column->kind = CH_BYTES;
    if (is_of(type, "FixedString", &inside)) {
        for (size_t i = 0; i < inside.len; i++)
            column->width =
                (uint8_t)(column->width * 10 + (inside.ptr[i] - '0'));
        assert(column->width > 0);
        return;
    }
    assert(slice_equal(type, SLICE("String")));
}

static struct ch_column *new_column(struct ch_native *native, struct slice type)
{
    struct ch_column *column;
    struct slice inside;

    column = mem_zero(1, sizeof(*column));
    column->native = native;
    if (is_of(type, "Array", &inside) || is_of(type, "Map", &inside)) {
        column->kind = CH_ARRAY;
        add_parts(column, inside);
        assert(column->part_count == (type.ptr[0] == 'A' ? 1 : 2));
    } else if (is_of(type, "LowCardinality", &inside)) {
        column->kind = CH_LOW;
        column->dictionary = mem_zero(1, sizeof(*column->dictionary));
        add_parts(column, inside);
        assert(column->parts[0]->kind == CH_BYTES);
    } else if (is_of(type, "Tuple", &inside)) {
        column->kind = CH_TUPLE;
        add_parts(column, inside);
    } else {
        set_scalar(column, type);
    }
    return column;
}

struct ch_column *ch_column_new(struct ch_native *native, const char *type)
{
    return new_column(native, slice_of(type));
}
