/*
 * ch_rows - reads an answer in the format RowBinary, row by row, while it
 * arrives.
 *
 *   static void decode_row(void *arg, struct byte_reader *in)
 *   {
 *       struct row *row = arg;
 *
 *       row->time_ns = ch_read_time64(in);     // in the order of SELECT
 *       row->name = ch_read_string(in);
 *       for (uint64_t n = ch_read_count(in), i = 0; i < n; i++) ...
 *   }
 *
 * decode() is called with what has arrived; if that ends within the row, the
 * reader is `bad` afterwards, and decode() is called again with more. So it
 * only sets the members of a row, from the first on, and calls nobody else.
 * Then take() is called once, with whole rows only; slices of the row are good
 * until it returns. Another status than OK ends the reading with it.
 *
 * Memory: one row that has not arrived whole, charged to the budget, of at most
 * CH_ROW_MAX bytes (ERR_TOO_BIG).
 */
#ifndef CH_ROWS_H
#define CH_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "budget.h"
#include "byte_reader.h"
#include "slice.h"
#include "status.h"

enum { CH_ROW_MAX = 64 << 20 };

typedef void ch_row_decode(void *arg, struct byte_reader *in);
typedef enum status ch_row_take(void *arg);

struct ch_rows {
    ch_row_decode *decode;
    ch_row_take *take;
    void *arg;

    /* Its own: */
    struct budget *budget; /* NULL: not charged */
    char *rest;            /* the begin of a row */
    size_t len, room;
    size_t tried;   /* bytes of it that were not enough */
    uint64_t count; /* rows taken */
};

/* After the three members above were set. */
void ch_rows_begin(struct ch_rows *rows, struct budget *budget);
/* Bytes of the answer, cut anywhere. ERR_BUSY (the budget), ERR_TOO_BIG, or
 * what take() returned. */
MUST_CHECK enum status ch_rows_add(struct ch_rows *rows, struct slice bytes);
/* ERR_CORRUPT if the answer ended within a row. */
MUST_CHECK enum status ch_rows_end(struct ch_rows *rows);
/* Always, after a begin. */
void ch_rows_release(struct ch_rows *rows);

/* ---- values, in the order of their columns ---- */

static inline uint8_t ch_read_u8(struct byte_reader *in) /* also Bool */
{
    return byte_reader_u8(in);
}
static inline uint16_t ch_read_u16(struct byte_reader *in)
{
    return (uint16_t)byte_reader_fixed(in, 2);
}
static inline uint32_t ch_read_u32(struct byte_reader *in) /* also DateTime */
{
    return (uint32_t)byte_reader_fixed(in, 4);
}
static inline uint64_t ch_read_u64(struct byte_reader *in)
{
    return byte_reader_fixed(in, 8);
}
static inline int8_t ch_read_i8(struct byte_reader *in)
{
    return (int8_t)byte_reader_u8(in);
}
static inline int16_t ch_read_i16(struct byte_reader *in)
{
    return (int16_t)byte_reader_fixed(in, 2);
}
static inline int32_t ch_read_i32(struct byte_reader *in)
{
    return (int32_t)byte_reader_fixed(in, 4);
}
static inline int64_t ch_read_i64(struct byte_reader *in)
{
    return (int64_t)byte_reader_fixed(in, 8);
}
static inline double ch_read_f64(struct byte_reader *in)
{
    uint64_t bits = byte_reader_fixed(in, 8);
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}
/* A String, also of LowCardinality. */
static inline struct slice ch_read_string(struct byte_reader *in)
{
    return byte_reader_slice(in);
}
/* A FixedString(len). */
static inline struct slice ch_read_fixed(struct byte_reader *in, size_t len)
{
    return byte_reader_bytes(in, len);
}
/* A DateTime64(9) as nanoseconds since 1970; times before are 0. */
static inline uint64_t ch_read_time64(struct byte_reader *in)
{
    int64_t ns = ch_read_i64(in);

    return ns > 0 ? (uint64_t)ns : 0;
}
/* A Nullable: whether its value follows. */
static inline bool ch_read_has(struct byte_reader *in)
{
    return byte_reader_u8(in) == 0 && !in->bad;
}
/* An Array: how many elements follow; a Map: how many keys, each with its
 * value. 0 if so many bytes are not there: an element has one at least. */
static inline uint64_t ch_read_count(struct byte_reader *in)
{
    uint64_t count = byte_reader_varint(in);

    if (count > byte_reader_left(in)) {
        byte_reader_fail(in);
        return 0;
    }
    return count;
}
/* A trace or span id, in hex, as the tables have it: false (and zeros) if it is
 * not one of `size` bytes. */
bool ch_read_id(struct byte_reader *in, uint8_t *id, size_t size);
/* Passes over an Array(String) or the like; a Map(String, String). */
void ch_skip_strings(struct byte_reader *in);
void ch_skip_map(struct byte_reader *in);

#endif
