/*
 * Collecting: shapes are paths in a tree that is walked attribute by
 * attribute. The children of a node are ordered by last use, so for similar
 * records a step is one comparison of keys; only new nodes are hashed. Values
 * go to one flat array, row after row: codes for texts, else the number itself.
 *
 *            ┌ http.method ─ http.route ─ status ●1
 *     root ──┤
 *            └ db.system ─ db.statement ●2              ● ends a shape
 *
 * Columns, ids from the table's base (numbers are varints):
 *   0   dropped: ints, one per row
 *   1   columns: blob of: count; per column type u8, key length, key
 *   2   shapes: blob of: count; per shape its length and its columns
 *   3   ints: the shape of each row, from 1 on; 0: the row is in the overflow
 *   4   texts: the overflow, attributes each (attr_codec.h), in order of rows
 *   16+ the values of column i. STRING, BYTES, ARRAY, MAP: texts; other types:
 *       ints (zigzag of an INT, the bits of a DOUBLE). They are ordered by
 *       shape, then place in the shape, then row, so the place of a row's value
 *       follows from its rank among the rows of its shape.
 *
 * Rows beyond the limits of shapes and keys go to the overflow, so that senders
 * cannot make the tables large.
 */
#include <string.h>

#include "attrs_block.h"

enum {
    MAX_NODES = 8192,
    MAX_COLUMNS = 2048,
    MAX_SHAPE_SUM = 65536, /* lengths of all shapes */
    MAX_SIBLINGS = 24,     /* compared in one step */
};

struct attr_node {
    const char *key;
    struct attr_node *child, *next, *parent;
    uint32_t column, depth;
    uint32_t shape, rows; /* 0: no row ended here yet */
    uint16_t key_len;
    uint8_t type;
};

struct attr_column_writer {
    struct slice key;
    uint64_t *values;
    uint32_t count, filled;
    uint8_t type;
    struct dict dict;
};

void attrs_writer_init(struct attrs_writer *out, struct scratch *scratch,
                       struct buf *value)
{
    *out = (struct attrs_writer){.scratch = scratch, .value = value};
    out->root = scratch_zero(scratch, 1, sizeof(*out->root));
    dict_init(&out->keys, scratch);
}

/* The column of this key and type, UINT32_MAX if there are too many. */
static uint32_t column_of(struct attrs_writer *out, const struct attr *attr)
{
    struct slice name;
    uint32_t code;

    buf_reset(out->value);
    buf_byte(out->value, (char)attr->type);
    buf_add(out->value, attr_key(attr));
    code = dict_add(&out->keys, buf_slice(out->value));
    if (code < out->column_count)
        return code;
    if (code >= MAX_COLUMNS || out->keys.unique)
        return UINT32_MAX;
    scratch_append(out->scratch, &out->columns, out->column_count,
                   &out->column_room, 1);
    name = out->keys.texts[code];
    out->columns[code] = (struct attr_column_writer){
        .key = {name.ptr + 1, name.len - 1}, .type = attr->type};
    dict_init(&out->columns[code].dict, out->scratch);
    out->column_count++;
    return code;
}

static struct attr_node *new_child(struct attrs_writer *out,
                                   struct attr_node *parent,
                                   const struct attr *attr)
{
    struct attr_node *node;
    uint32_t column;

    if (out->node_count == MAX_NODES || parent->depth == ATTR_MAX_COUNT)
        return NULL;
    column = column_of(out, attr);
    if (column == UINT32_MAX)
        return NULL;
    node = scratch_zero(out->scratch, 1, sizeof(*node));
    node->key = out->columns[column].key.ptr;
    node->key_len = attr->key_len;
    node->type = attr->type;
    node->column = column;
    node->parent = parent;
    node->depth = parent->depth + 1;
    node->next = parent->child;
    parent->child = node;
    out->node_count++;
    return node;
}

/* The child of node for the attribute; NULL if the tree may not grow. */
static inline struct attr_node *step(struct attrs_writer *out,
                                     struct attr_node *node,
                                     const struct attr *attr)
{
    struct attr_node **link = &node->child, *child;

    for (int i = 0; i < MAX_SIBLINGS && (child = *link); i++) {
        if (child->key_len == attr->key_len && child->type == attr->type &&
            bytes_equal(child->key, attr->key, attr->key_len)) {
            if (i > 0) {
                *link = child->next;
                child->next = node->child;
                node->child = child;
            }
            return child;
        }
        link = &child->next;
    }
    return new_child(out, node, attr);
}

static inline uint64_t encode(struct attrs_writer *out, struct dict *dict,
                              const struct attr *attr)
{
    uint64_t word;

    switch (attr->type) {
    case VALUE_STRING:
    case VALUE_BYTES:
        return dict_add(dict, (struct slice){attr->str, attr->len});
    case VALUE_INT:
        return zigzag(attr->i);
    case VALUE_BOOL:
        return attr->b;
    case VALUE_DOUBLE:
        memcpy(&word, &attr->d, sizeof(word));
        return word;
    case VALUE_ARRAY:
    case VALUE_MAP:
        buf_reset(out->value);
        attr_value_write(out->value, attr, ATTR_FORM_BLOCK);
        return dict_add(dict, buf_slice(out->value));
    default:
        return 0;
    }
}

/* Returns its place in the overflow. */
static uint32_t add_overflow(struct attrs_writer *out,
                             const struct attrs *attrs)
{
    struct slice bytes;
    char *copy;

    buf_reset(out->value);
    attrs_write(out->value, attrs, ATTR_FORM_BLOCK);
    bytes = buf_slice(out->value);
    copy = scratch_alloc(out->scratch, bytes.len);
    slice_copy(copy, bytes);
    scratch_append(out->scratch, &out->overflow, out->overflow_count,
                   &out->overflow_room, 1);
    out->overflow[out->overflow_count] = (struct slice){copy, bytes.len};
    return out->overflow_count++;
}

/* Numbers the shape that ends at node; 0 if there are too many. */
static uint32_t new_shape(struct attrs_writer *out, struct attr_node *node)
{
    if (out->shape_sum + node->depth > MAX_SHAPE_SUM)
        return 0;
    out->shape_sum += node->depth;
    scratch_append(out->scratch, &out->shapes, out->shape_count,
                   &out->shape_room, 1);
    out->shapes[out->shape_count++] = node;
    return node->shape = out->shape_count;
}

void attrs_writer_add(struct attrs_writer *out, const struct attrs *attrs)
{
    struct attr_node *node = out->root;
    uint32_t first = out->values.count, shape;
    struct attr_row *row;

    scratch_append(out->scratch, &out->values.at, first, &out->values.room,
                   attrs->count);
    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct attr *attr = &attrs->at[i];

        node = step(out, node, attr);
        if (!node)
            break;
        out->values.at[first + i] =
            encode(out, &out->columns[node->column].dict, attr);
    }
    shape = node ? node->shape : 0;
    if (shape == 0 && node)
        shape = new_shape(out, node);
    if (shape > 0) {
        node->rows++;
        out->values.count = first + attrs->count;
    } else {
        first = add_overflow(out, attrs);
    }
    row = scratch_append(out->scratch, &out->rows, out->row_count,
                         &out->row_room, 1);
    *row = (struct attr_row){first, shape, attrs->dropped};
    out->row_count++;
}

/* ---- finishing ---- */

static void put_columns(struct attrs_writer *out, struct block_builder *block,
                        uint32_t id)
{
    struct buf *text = out->value;

    buf_reset(text);
    buf_varint(text, out->column_count);
    for (uint32_t i = 0; i < out->column_count; i++) {
        buf_byte(text, (char)out->columns[i].type);
        buf_varint(text, out->columns[i].key.len);
        buf_add(text, out->columns[i].key);
    }
    block_builder_blob(block, id, buf_slice(text));
}

/* The columns of a shape, in order. */
static void path_of(const struct attr_node *node, uint32_t *columns)
{
    for (; node->parent; node = node->parent)
        columns[node->depth - 1] = node->column;
}

static void put_shapes(struct attrs_writer *out, struct block_builder *block,
                       uint32_t id)
{
    uint32_t path[ATTR_MAX_COUNT];
    struct buf *text = out->value;

    buf_reset(text);
    buf_varint(text, out->shape_count);
    for (uint32_t i = 0; i < out->shape_count; i++) {
        path_of(out->shapes[i], path);
        buf_varint(text, out->shapes[i]->depth);
        for (uint32_t k = 0; k < out->shapes[i]->depth; k++)
            buf_varint(text, path[k]);
    }
    block_builder_blob(block, id, buf_slice(text));
}

/* Where the values of each row begin, by shape, rows of a shape in order;
 * without the overflow. */
static uint32_t *firsts_by_shape(const struct attrs_writer *out,
                                 struct scratch *scratch, const uint32_t *order)
{
    uint32_t at = 0;
    uint32_t *firsts = scratch_alloc(scratch, out->row_count * sizeof(*firsts));
    uint32_t *next =
        scratch_alloc(scratch, (out->shape_count + 1) * sizeof(*next));

    for (uint32_t s = 0; s < out->shape_count; s++) {
        next[s + 1] = at;
        at += out->shapes[s]->rows;
    }
    for (uint32_t i = 0; i < out->row_count; i++) {
        const struct attr_row *row = &out->rows[order ? order[i] : i];

        if (row->shape)
            firsts[next[row->shape]++] = row->first;
    }
    return firsts;
}

/* Distributes the flat array to the columns. */
static void fill_columns(struct attrs_writer *out, struct scratch *scratch,
                         const uint32_t *order)
{
    const uint32_t *first = firsts_by_shape(out, scratch, order);
    uint32_t path[ATTR_MAX_COUNT];

    for (uint32_t s = 0; s < out->shape_count; s++) {
        path_of(out->shapes[s], path);
        for (uint32_t k = 0; k < out->shapes[s]->depth; k++)
            out->columns[path[k]].count += out->shapes[s]->rows;
    }
    for (uint32_t i = 0; i < out->column_count; i++)
        out->columns[i].values =
            scratch_alloc(scratch, out->columns[i].count * sizeof(uint64_t));
    for (uint32_t s = 0; s < out->shape_count; s++) {
        const struct attr_node *shape = out->shapes[s];

        path_of(shape, path);
        for (uint32_t k = 0; k < shape->depth; k++) {
            struct attr_column_writer *column = &out->columns[path[k]];
            uint64_t *to = column->values + column->filled;

            for (uint32_t i = 0; i < shape->rows; i++)
                to[i] = out->values.at[first[i] + k];
            column->filled += shape->rows;
        }
        first += shape->rows;
    }
}

/* Writes each row's shape, or its number of dropped attributes. */
static void put_rows(const struct attrs_writer *out,
                     struct block_builder *block, uint32_t id, bool shapes,
                     const uint32_t *order)
{
    struct scratch_mark mark = scratch_mark(&block->scratch);
    uint64_t *v = scratch_alloc(&block->scratch, out->row_count * sizeof(*v));

    for (uint32_t i = 0; i < out->row_count; i++) {
        const struct attr_row *row = &out->rows[order ? order[i] : i];

        v[i] = shapes ? row->shape : row->dropped;
    }
    block_builder_ints(block, id, v, out->row_count, INTS_PLAIN);
    scratch_rewind(&block->scratch, mark);
}

static void put_overflow(const struct attrs_writer *out,
                         struct block_builder *block, uint32_t id,
                         const uint32_t *order)
{
    struct slice *overflow =
        scratch_alloc(&block->scratch, out->overflow_count * sizeof(*overflow));
    uint32_t count = 0;

    for (uint32_t i = 0; i < out->row_count && out->overflow_count > 0; i++) {
        const struct attr_row *row = &out->rows[order ? order[i] : i];

        if (row->shape == 0)
            overflow[count++] = out->overflow[row->first];
    }
    block_builder_begin(block, id);
    column_put_texts(&block->column, overflow, count);
    block_builder_end(block);
}

void attrs_writer_finish(struct attrs_writer *out, struct block_builder *block,
                         uint32_t base, const uint32_t *order)
{
    fill_columns(out, &block->scratch, order);
    put_rows(out, block, base, false, order);
    put_columns(out, block, base + 1);
    put_shapes(out, block, base + 2);
    put_rows(out, block, base + 3, true, order);
    put_overflow(out, block, base + 4, order);
    for (uint32_t i = 0; i < out->column_count; i++) {
        struct attr_column_writer *column = &out->columns[i];

        if (attr_has_texts(column->type))
            block_builder_dict(block, base + 16 + i, &column->dict,
                               column->values, column->count);
        else
            block_builder_ints(
                block, base + 16 + i, column->values, column->count,
                column->type == VALUE_INT ? INTS_AUTO : INTS_PLAIN);
    }
}
