/*
 * ch_native - a block of rows in the format Native, column by column.
 *
 *   static const struct ch_column_def columns[] = {
 *       {"Timestamp", "DateTime64(9)"}, {"SpanName", "String"},
 *       {"SpanAttributes", "Map(String, String)"},
 *       {"Events.Attributes", "Array(Map(String, String))"}};
 *   struct ch_native *block = ch_native_new(columns, 4, budget);
 *
 *   ch_put_uint(ch_native_column(block, 0), span->start_ns);
 *   ch_put_string(ch_native_column(block, 1), span->name);
 *   ch_put_string(ch_key(ch_native_column(block, 2)), key);     // one pair;
 *   ch_put_string(ch_value(ch_native_column(block, 2)), value); // repeat
 *   events = ch_native_column(block, 3);
 *   ch_put_string(ch_key(ch_element(events)), key);      // in the first
 *   ch_put_string(ch_value(ch_element(events)), value);
 *   ch_end(ch_element(events));                          // map is complete
 *   ch_native_row(block);
 *
 * ch_native_row() closes the row: a column that got no value has its default
 * (0, empty), arrays and maps of the row are complete with it. A second value
 * of one column in a row (but for one after a default), a map with a key and no
 * value, parts of a tuple that differ: each is a defect and asserted, so
 * columns cannot get out of step. Defaults take no bytes until another value
 * follows, and a column that has nothing else is left out of the block:
 * ClickHouse fills it in. Inside of an array, elements that are arrays, maps or
 * tuples are closed by ch_end(); scalars need none.
 *
 * Types: UInt8..UInt64, Int8..Int64, Float32, Float64, Bool, String,
 * FixedString(n), DateTime, DateTime64(p), Array(T), Map(K, V), Tuple(T, ...),
 * LowCardinality(String). Nested is an Array each; a Tuple is in an Array.
 *
 * Memory is charged to the budget as it grows. If it is refused the block
 * fails for good: what is put is forgotten and ch_native_status() is ERR_BUSY;
 * ERR_TOO_BIG: a column of 4 GiB.
 */
#ifndef CH_NATIVE_H
#define CH_NATIVE_H

#include <stdint.h>

#include "budget.h"
#include "ch_sql.h"
#include "slice.h"
#include "status.h"

struct ch_native;
struct ch_column;

struct ch_column_def {
    const char *name, *type;
};

/* The definitions must outlive it. */
struct ch_native *ch_native_new(const struct ch_column_def *columns,
                                uint32_t count, struct budget *budget);
void ch_native_free(struct ch_native *native); /* NULL is fine */
/* Without rows; memory is kept. */
void ch_native_reset(struct ch_native *native);

/* From now on memory is taken even above the budget: what the block holds must
 * not be lost. */
void ch_native_force(struct ch_native *native);

uint32_t ch_native_rows(const struct ch_native *native);
enum status ch_native_status(const struct ch_native *native);

struct ch_column *ch_native_column(struct ch_native *native, uint32_t index);
/* Closes the row. */
void ch_native_row(struct ch_native *native);

/* ---- one value ---- */

/* Any integer, Bool, DateTime (seconds), DateTime64 (its ticks): the lowest
 * bytes of the number. */
void ch_put_uint(struct ch_column *column, uint64_t value);
void ch_put_int(struct ch_column *column, int64_t value);
void ch_put_float(struct ch_column *column, double value);
/* String; FixedString, whose length it must have. */
void ch_put_string(struct ch_column *column, struct slice value);
void ch_put_hex(struct ch_column *column, const uint8_t *bytes, size_t len);

/* The value of the row before, of which there must be one: of numbers,
 * FixedString, LowCardinality, and arrays and maps of these. */
void ch_put_again(struct ch_column *column);

/* Where the next element of an Array, the next key and value of a Map, the next
 * part of a Tuple is put. The same for all rows: may be looked up once. */
struct ch_column *ch_element(struct ch_column *array);
struct ch_column *ch_key(struct ch_column *map);
struct ch_column *ch_value(struct ch_column *map);
struct ch_column *ch_part(struct ch_column *tuple, uint32_t index);
/* Closes an Array, Map or Tuple that is an element of another; also one without
 * elements. */
void ch_end(struct ch_column *column);

/* ---- the whole ---- */

/* The block as one zstd frame, charged to the budget; ch_body_release(). */
struct ch_body {
    char *ptr;
    size_t len;
    struct budget *budget;
};
MUST_CHECK enum status ch_native_compress(struct ch_native *native,
                                          struct ch_body *body);
void ch_body_release(struct ch_body *body);

/* Hands the block's bytes over, in pieces of any size. */
void ch_native_write(struct ch_native *native,
                     void (*take)(void *arg, struct slice bytes), void *arg);

/* "INSERT INTO table (columns) SETTINGS ... FORMAT Native": a column that is
 * left out is 0 or empty, even if the table has another DEFAULT. */
void ch_native_insert(const struct ch_native *native, const char *table,
                      struct ch_sql *sql);

#endif
