/*
 * ch_insert - the rows of one table in a block: collected, compressed,
 * inserted.
 *
 *   row by row ──► Native block ──► zstd frames ──► one INSERT of at most
 *                  (CH_FRAME_BYTES)                 CH_INSERT_ROWS rows
 *
 * The frames of an INSERT are one body: zstd frames one behind another, each
 * with a whole Native block. Where an INSERT ends depends on the number of rows
 * alone, where a frame ends on the weight of its records: so whoever writes the
 * same records makes the same INSERTs of the same Native blocks, whatever their
 * resources are called by then, and ClickHouse knows each part of them again.
 */
#ifndef CH_INSERT_H
#define CH_INSERT_H

#include "ch_client.h"
#include "ch_native.h"

enum { CH_INSERT_ROWS = 500000, CH_FRAME_BYTES = 2 << 20 };

/* Which table; `columns` are those that are sent. */
struct ch_insert_def {
    const char *table;
    const struct ch_column_def *columns;
    uint32_t count;
};

struct ch_frame {
    struct ch_body body;
    uint32_t rows, part; /* part: the INSERT that it belongs to */
};

struct ch_insert {
    const struct ch_insert_def *def;
    struct budget *budget;
    struct ch_native *native;   /* NULL: no row yet */
    struct ch_column **columns; /* of it, as in def */
    struct ch_frame *frames;
    uint32_t frame_count, frame_room;
    uint32_t part, part_rows; /* the INSERT that rows are collected for */
    uint32_t written;         /* INSERTs that are done */
    uint64_t weight;          /* of the rows that are in no frame yet */
    uint64_t rows, bytes;     /* bytes: of the frames */
};

void ch_insert_init(struct ch_insert *insert, const struct ch_insert_def *def,
                    struct budget *budget);
void ch_insert_release(struct ch_insert *insert);

/* The columns of the next row; as in the definition. */
struct ch_column **ch_insert_columns(struct ch_insert *insert);
/* Closes the row. weight: about its bytes, of what its message says alone.
 * Memory is taken even above the budget: the rows are of messages that must not
 * be lost. */
void ch_insert_row(struct ch_insert *insert, uint64_t weight);

/* About the bytes that it holds: asked after each batch, so they are not summed
 * over columns. */
uint64_t ch_insert_bytes(const struct ch_insert *insert);

/* Who writes, and under which token; the table and the number of the INSERT are
 * added to it. */
struct ch_insert_call {
    struct ch_client *client;
    struct slice token;
    const atomic_bool *cancelled;
    struct ch_error *error; /* of the last INSERT */
    /* Called after each INSERT, OK or not; NULL: not. */
    void (*answered)(void *arg, const struct ch_error *error);
    void *arg;
};

/* The INSERTs that are not done yet. No row may be added after the first call.
 * ERR_BUSY: no memory to compress the last rows; else the error's status. */
MUST_CHECK enum status ch_insert_write(struct ch_insert *insert,
                                       const struct ch_insert_call *call);

#endif
