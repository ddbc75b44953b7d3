/*
 * attrs_block - the attributes of the rows of one table, as columns.
 *
 * There is a column for each (key, type). The ordered list of columns of a row
 * is its shape; a row stores only the number of its shape and its values. So
 * order, duplicates and types are preserved.
 *
 * For block_*.c only.
 */
#ifndef ATTRS_BLOCK_H
#define ATTRS_BLOCK_H

#include "attr_codec.h"
#include "block_file.h"
#include "record.h"
#include "store_query.h"

/* Whether values of the type are texts; the others are numbers. */
static inline bool attr_has_texts(uint8_t type)
{
    return type == VALUE_STRING || type == VALUE_BYTES || type == VALUE_ARRAY ||
           type == VALUE_MAP;
}

struct attr_node;
struct attr_column_writer;

struct attr_row {
    uint32_t first; /* in values, or in overflow */
    uint32_t shape; /* 0: in overflow */
    uint32_t dropped;
};

/* One table's attributes being collected. */
struct attrs_writer {
    struct scratch *scratch;
    struct buf *value; /* for encoding; borrowed */
    struct attr_node *root;
    uint32_t node_count, shape_count, shape_room, shape_sum;
    struct attr_node **shapes; /* in order of first use */
    struct attr_column_writer *columns;
    uint32_t column_count, column_room;
    struct dict keys;      /* key and type */
    struct numbers values; /* of all rows, back to back */
    struct attr_row *rows;
    uint32_t row_count, row_room;
    struct slice *overflow;
    uint32_t overflow_count, overflow_room;
};

void attrs_writer_init(struct attrs_writer *out, struct scratch *scratch,
                       struct buf *value);
/* Adds the next row; texts are copied. */
void attrs_writer_add(struct attrs_writer *out, const struct attrs *attrs);
/* Writes the columns, with ids from base on. order: the rows in the order to
 * write them; NULL: as added. */
void attrs_writer_finish(struct attrs_writer *out, struct block_builder *block,
                         uint32_t base, const uint32_t *order);

/* Opens the table of `rows` rows whose columns begin at base; NULL, and the
 * block has failed, if it is damaged. */
struct attrs_reader *attrs_reader_open(struct block *block, uint32_t base,
                                       uint32_t rows);
void attrs_reader_get(struct attrs_reader *in, uint32_t row,
                      struct attrs *attrs);

/* Clears the rows without such an attribute in the bitmap. */
void attrs_reader_match(struct attrs_reader *in,
                        const struct attr_match *wanted, uint64_t *rows);

#endif
