/*
 * Reading attributes; the format is in attrs_block_write.c. Opening a table
 * computes the rank of each row among the rows of its shape, and for each place
 * in a shape where that shape's values begin in the column. A value is then
 * found by one addition, and only the columns needed are read.
 */
#include "attrs_block.h"
#include "match.h"

struct attr_place {
    uint32_t column, begin;
};

struct attr_shape {
    uint32_t length, rows;
    struct attr_place *places;
};

struct attr_column {
    struct slice key;
    uint32_t count;
    uint8_t type;
    bool loaded;
    struct ints ints;
    struct texts texts;
};

struct attrs_reader {
    struct block *block;
    uint32_t base, rows, column_count, shape_count;
    struct attr_column *columns;
    struct attr_shape *shapes; /* by number; 0: the overflow */
    struct ints dropped, row_shape;
    struct texts overflow;
    uint32_t *rank;
};

/* The blob with this id. */
static struct byte_reader blob_of(struct attrs_reader *in, uint32_t id)
{
    struct column_reader column = block_column(in->block, in->base + id);
    struct slice blob = column_blob(&column);

    block_check(in->block, &column.bytes);
    return byte_reader_over(blob);
}

/* A count of things that take a byte at least. */
static uint32_t read_count(struct byte_reader *bytes)
{
    uint64_t count = byte_reader_varint(bytes);

    if (count > byte_reader_left(bytes)) {
        byte_reader_fail(bytes);
        return 0;
    }
    return (uint32_t)count;
}

static bool read_columns(struct attrs_reader *in)
{
    struct byte_reader bytes = blob_of(in, 1);

    in->column_count = read_count(&bytes);
    in->columns =
        block_alloc(in->block, in->column_count, sizeof(*in->columns));
    for (uint32_t i = 0; in->columns && i < in->column_count; i++) {
        struct attr_column *column = &in->columns[i];

        column->type = byte_reader_u8(&bytes);
        column->key = byte_reader_slice(&bytes);
        if (column->type > VALUE_MAP || column->key.len > UINT16_MAX)
            byte_reader_fail(&bytes);
    }
    return block_check(in->block, &bytes);
}

static bool read_shape(struct attrs_reader *in, struct byte_reader *bytes,
                       struct attr_shape *shape)
{
    uint32_t length = read_count(bytes);
    struct attr_place *places = block_alloc(in->block, length, sizeof(*places));

    if (!places || length > ATTR_MAX_COUNT)
        return block_fail(in->block, ERR_CORRUPT);
    for (uint32_t k = 0; k < length; k++) {
        uint64_t column = byte_reader_varint(bytes);

        if (column >= in->column_count)
            return block_fail(in->block, ERR_CORRUPT);
        places[k].column = (uint32_t)column;
    }
    shape->length = length;
    shape->places = places;
    return true;
}

/* Computes where in its column each place of each shape begins. */
static bool place_shapes(struct attrs_reader *in)
{
    for (uint32_t s = 1; s <= in->shape_count; s++) {
        const struct attr_shape *shape = &in->shapes[s];

        for (uint32_t k = 0; k < shape->length; k++) {
            struct attr_place *place = &shape->places[k];
            struct attr_column *column = &in->columns[place->column];

            place->begin = column->count;
            if (shape->rows > COLUMN_MAX_COUNT - column->count)
                return block_fail(in->block, ERR_CORRUPT);
            column->count += shape->rows;
        }
    }
    return true;
}

static bool read_shapes(struct attrs_reader *in)
{
    struct block *block = in->block;
    struct byte_reader bytes = blob_of(in, 2);
    struct column_reader column;

    in->shape_count = read_count(&bytes);
    in->shapes = block_alloc(block, in->shape_count + 1, sizeof(*in->shapes));
    for (uint32_t i = 0; in->shapes && i < in->shape_count; i++)
        if (!read_shape(in, &bytes, &in->shapes[i + 1]))
            return false;
    block_check(block, &bytes);
    column = block_column(block, in->base + 3);
    column_ints(&column, in->rows, &in->row_shape);
    block_check(block, &column.bytes);
    in->rank = arena_alloc(block->arena, (in->rows + 1) * sizeof(*in->rank));
    if (!in->rank)
        block_fail(block, arena_status(block->arena));
    if (block->status != OK)
        return false;
    for (uint32_t row = 0; row < in->rows; row++) {
        uint64_t s = ints_at(&in->row_shape, row);

        if (s > in->shape_count)
            return block_fail(block, ERR_CORRUPT);
        in->rank[row] = in->shapes[s].rows++;
    }
    return place_shapes(in);
}

struct attrs_reader *attrs_reader_open(struct block *block, uint32_t base,
                                       uint32_t rows)
{
    struct attrs_reader *in = block_alloc(block, 1, sizeof(*in));
    struct column_reader column;

    if (!in)
        return NULL;
    in->block = block;
    in->base = base;
    in->rows = rows;
    if (!read_columns(in) || !read_shapes(in))
        return NULL;
    column = block_column(block, base);
    column_ints(&column, rows, &in->dropped);
    block_check(block, &column.bytes);
    column = block_column(block, base + 4);
    column_texts(&column, in->shapes[0].rows, &in->overflow);
    block_check(block, &column.bytes);
    return block->status == OK ? in : NULL;
}

/* Reads the column's values, once; zeros and empty texts if damaged. */
static struct attr_column *load(struct attrs_reader *in, uint32_t i)
{
    struct attr_column *column = &in->columns[i];
    struct column_reader cursor;

    if (column->loaded)
        return column;
    column->loaded = true;
    cursor = block_column(in->block, in->base + 16 + i);
    if (attr_has_texts(column->type))
        column_texts(&cursor, column->count, &column->texts);
    else
        column_ints(&cursor, column->count, &column->ints);
    block_check(in->block, &cursor.bytes);
    return column;
}

static void read_attr(struct attrs_reader *in, const struct attr_column *column,
                      uint32_t i, struct attr *attr)
{
    struct byte_reader bytes;
    struct slice text;
    uint64_t word;

    attr->key = column->key.ptr;
    attr->key_len = (uint16_t)column->key.len;
    attr->type = column->type;
    attr->len = 0;
    attr->i = 0;
    if (attr_has_texts(column->type)) {
        text = texts_at(&column->texts, i);
        attr->str = text.ptr;
        attr->len = (uint32_t)text.len;
        if (column->type == VALUE_STRING || column->type == VALUE_BYTES)
            return;
        bytes = byte_reader_over(text);
        attr_value_read(&bytes, in->block->arena, ATTR_FORM_BLOCK, attr);
        block_check(in->block, &bytes);
        return;
    }
    word = ints_at(&column->ints, i);
    if (column->type == VALUE_INT)
        attr->i = unzigzag(word);
    else if (column->type == VALUE_BOOL)
        attr->b = word != 0;
    else if (column->type == VALUE_DOUBLE)
        memcpy(&attr->d, &word, sizeof(word));
}

void attrs_reader_get(struct attrs_reader *in, uint32_t row,
                      struct attrs *attrs)
{
    const struct attr_shape *shape = &in->shapes[ints_at(&in->row_shape, row)];
    struct attr *at;

    *attrs = (struct attrs){.dropped = (uint32_t)ints_at(&in->dropped, row)};
    if (shape == in->shapes) {
        struct byte_reader overflow =
            byte_reader_over(texts_at(&in->overflow, in->rank[row]));

        attrs_read(&overflow, in->block->arena, ATTR_FORM_BLOCK, attrs);
        block_check(in->block, &overflow);
        return;
    }
    if (shape->length == 0)
        return;
    at = arena_alloc(in->block->arena, shape->length * sizeof(*at));
    if (!at) {
        block_fail(in->block, arena_status(in->block->arena));
        return;
    }
    for (uint32_t k = 0; k < shape->length; k++)
        read_attr(in, load(in, shape->places[k].column),
                  shape->places[k].begin + in->rank[row], &at[k]);
    attrs->at = at;
    attrs->count = shape->length;
}

/* ---- matching ---- */

/* Which values of the column are equal to the wanted one, a byte each: by code
 * for coded texts, by place for other values. */
static uint8_t *wanted_values(struct attrs_reader *in,
                              struct attr_column *column, struct slice wanted)
{
    uint32_t count =
        column->type == VALUE_STRING ? column->texts.heap_count : column->count;
    uint8_t *hits = block_alloc(in->block, count, 1);
    int64_t number;
    struct attr value;

    if (!hits)
        return NULL;
    if (column->type == VALUE_STRING) {
        for (uint32_t i = 0; i < count; i++)
            hits[i] = slice_equal(texts_entry(&column->texts, i), wanted);
    } else if (column->type == VALUE_INT) {
        if (!match_int(wanted, &number))
            return hits;
        for (uint32_t i = 0; i < count; i++)
            hits[i] = ints_at(&column->ints, i) == zigzag(number);
    } else {
        for (uint32_t i = 0; i < count; i++) {
            read_attr(in, column, i, &value);
            hits[i] = match_value(&value, wanted);
        }
    }
    return hits;
}

/* Sets the rows whose places in column c hold a value that hits. first: for
 * each shape, 1 + its first place in this column; 0: none. */
static void match_rows(struct attrs_reader *in, uint32_t c, const uint8_t *hits,
                       const uint16_t *first, uint64_t *found)
{
    const struct attr_column *column = &in->columns[c];
    bool coded = column->type == VALUE_STRING && column->texts.coded;

    for (uint32_t row = 0; row < in->rows; row++) {
        uint64_t s = ints_at(&in->row_shape, row);
        const struct attr_shape *shape = &in->shapes[s];

        if (!first[s])
            continue;
        for (uint32_t k = first[s] - 1U; k < shape->length; k++) {
            uint64_t i = shape->places[k].begin + in->rank[row];

            if (shape->places[k].column != c)
                continue;
            if (coded)
                i = texts_code(&column->texts, (uint32_t)i);
            if (!coded || i < column->texts.heap_count)
                found[row / 64] |= (uint64_t)hits[i] << (row & 63);
        }
    }
}

static void match_column(struct attrs_reader *in, uint32_t c,
                         struct slice wanted, uint64_t *found)
{
    struct attr_column *column = load(in, c);
    uint8_t *hits = wanted_values(in, column, wanted);
    uint16_t *first =
        block_alloc(in->block, in->shape_count + 1, sizeof(*first));

    if (!hits || !first || in->block->status != OK || column->count == 0 ||
        !memchr(hits, 1,
                column->type == VALUE_STRING ? column->texts.heap_count
                                             : column->count))
        return;
    for (uint32_t s = 1; s <= in->shape_count; s++)
        for (uint32_t k = in->shapes[s].length; k-- > 0;)
            if (in->shapes[s].places[k].column == c)
                first[s] = (uint16_t)(k + 1);
    match_rows(in, c, hits, first, found);
}

static void match_overflow(struct attrs_reader *in,
                           const struct attr_match *wanted,
                           const uint64_t *rows, uint64_t *found)
{
    struct attrs attrs;

    if (in->shapes[0].rows == 0)
        return;
    for (uint32_t row = 0; row < in->rows; row++) {
        if (!rows_has(rows, row) || ints_at(&in->row_shape, row) != 0)
            continue;
        attrs_reader_get(in, row, &attrs);
        if (match_attrs(&attrs, wanted, 1))
            found[row / 64] |= UINT64_C(1) << (row & 63);
    }
}

void attrs_reader_match(struct attrs_reader *in,
                        const struct attr_match *wanted, uint64_t *rows)
{
    uint32_t words = (in->rows + 63) / 64;
    uint64_t *found = block_alloc(in->block, words, sizeof(*found));

    if (!found)
        return;
    for (uint32_t c = 0; c < in->column_count; c++)
        if (slice_equal(in->columns[c].key, wanted->key))
            match_column(in, c, wanted->value, found);
    match_overflow(in, wanted, rows, found);
    for (uint32_t i = 0; i < words; i++)
        rows[i] &= found[i];
}
