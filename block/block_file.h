/*
 * block_file - the container of a block: columns by id, for block_*.c only.
 */
#ifndef BLOCK_FILE_H
#define BLOCK_FILE_H

#include "block.h"
#include "column.h"

enum block_type { BLOCK_SPANS = 1, BLOCK_LOGS = 2 };

/* The most rows of a block, and of a table inside it (events, links). */
enum { BLOCK_MAX_ROWS = 1 << 20 };

/* Beside the CORRECTED_ bits of a span: it failed although its status is unset.
 */
enum { MARK_FAILED = 1 << 2 };

/*
 * Ids of columns. They are part of the format: new ones get new numbers. Those
 * below COL_SINGLE_END are one each; the others count up from their base.
 */
enum block_column {
    COL_PACK, /* the small columns */
    /* spans */
    COL_TRACE_ID,
    COL_TRACE_COUNT,
    COL_TRACE_START,
    COL_TRACE_LENGTH,
    COL_TRACE_ROOT,
    COL_SPAN_ID,
    COL_PARENT,
    COL_PARENT_ID,
    COL_START,
    COL_DURATION,
    COL_NAME,
    COL_OPERATION,
    COL_ENDPOINT,
    COL_KIND,
    COL_STATUS,
    COL_STATUS_MESSAGE,
    COL_TRACE_STATE,
    COL_DROPPED_EVENTS,
    COL_DROPPED_LINKS,
    COL_EVENT_COUNT,
    COL_EVENT_TIME,
    COL_EVENT_NAME,
    COL_LINK_COUNT,
    COL_LINK_TRACE_ID,
    COL_LINK_SPAN_ID,
    COL_LINK_TRACE_STATE,
    COL_LINK_FLAGS,
    /* both */
    COL_RESOURCE_ID,
    COL_RESOURCE,
    COL_SCOPE,
    COL_FLAGS,
    COL_CORRECTED, /* CORRECTED_...; spans: MARK_FAILED, too */
    /* logs */
    COL_TIME,
    COL_OBSERVED,
    COL_LOG_TRACE_ID,
    COL_LOG_SPAN_ID,
    COL_SEVERITY,
    COL_LEVEL,
    COL_SEVERITY_TEXT,
    COL_EVENT,
    COL_IS_EVENT,
    COL_BODY_VALUE,
    COL_TEMPLATE,
    COL_TEMPLATE_TEXT,
    COL_ARRIVAL, /* missing in blocks of earlier versions */
    COL_SINGLE_END = 64,
    COL_ATTRS = 1024,       /* of records: attrs_block.h */
    COL_EVENT_ATTRS = 8192, /* of span events */
    COL_LINK_ATTRS = 16384, /* of links */
    COL_VARIABLES = 32768,  /* of templates */
};

/* ---- writing ---- */

struct block_entry {
    uint32_t id, len, checksum;
    bool packed;
};

/* A block being built; column ids must ascend. */
struct block_builder {
    struct column_writer column; /* written between begin and end */
    struct scratch scratch;
    struct buf current, body, pack, value;
    struct block_entry *entries;
    uint32_t entry_count, entry_room, id;
};

void block_builder_init(struct block_builder *out);
void block_builder_release(struct block_builder *out);
void block_builder_reset(struct block_builder *out);

void block_builder_begin(struct block_builder *out, uint32_t id);
void block_builder_end(struct block_builder *out);

/* A whole column in one call. */
void block_builder_ints(struct block_builder *out, uint32_t id,
                        uint64_t *values, uint32_t count, enum ints_hint hint);
void block_builder_same(struct block_builder *out, uint32_t id, uint64_t value,
                        uint32_t count);
void block_builder_dict(struct block_builder *out, uint32_t id,
                        const struct dict *dict, uint64_t *codes,
                        uint32_t count);
void block_builder_blob(struct block_builder *out, uint32_t id,
                        struct slice bytes);

/* Assembles the block. */
MUST_CHECK enum status block_builder_finish(struct block_builder *out,
                                            enum block_type kind,
                                            uint32_t count, struct buf *block);

/* ---- reading ---- */

struct block_ref {
    uint32_t id, len, checksum;
    const char *at; /* in the block; of packed ones after unpacking */
    bool packed, checked;
};

struct attrs_reader;
struct body_reader;

struct block {
    struct slice bytes;
    struct arena *arena;
    enum status status; /* the first error sticks */
    enum block_type kind;
    uint32_t count;
    struct block_ref *refs; /* by id */
    uint32_t ref_count;
    bool unpacked;
    struct ints *ints[COL_SINGLE_END]; /* read so far, by id */
    struct texts *texts[COL_SINGLE_END];
    struct ints *resource_ids;
    struct attrs_reader *attrs;
    struct span_table {             /* of events or links */
        uint32_t *first;            /* of each row; one more at the end */
        struct attrs_reader *attrs; /* NULL: not opened */
    } events, links;
    struct body_reader *body;
    struct trace_index *traces;
    const uint64_t *times;  /* of rows */
    uint64_t first_arrival; /* of row 0, where there is no COL_ARRIVAL */
    struct ints no_ints;
    struct texts no_texts;
    uint32_t *external; /* rank among rows with COL_PARENT_ID, by row */
};

/* Sets the error, unless there is one; returns false. */
bool block_fail(struct block *block, enum status status);

/* Zeroed memory of the block's arena; NULL, and the block has failed, if it is
 * full. */
void *block_alloc(struct block *block, size_t count, size_t size);

bool block_has_column(const struct block *block, uint32_t id);

/* A cursor over a column; failed if there is none with this id. */
struct column_reader block_column(struct block *block, uint32_t id);

/* Makes an error of a reader the block's; false if the block has failed. */
bool block_check(struct block *block, const struct byte_reader *bytes);

/* Columns with an id below COL_SINGLE_END, read once. Never NULL: after an
 * error they are of zeros and empty texts. */
struct ints *block_ints(struct block *block, uint32_t id, uint32_t count);
struct texts *block_texts(struct block *block, uint32_t id, uint32_t count);

/* The value of one row in such a column. */
static inline uint64_t block_int(struct block *block, uint32_t id, uint32_t row)
{
    return ints_at(block_ints(block, id, block->count), row);
}

static inline struct slice block_text(struct block *block, uint32_t id,
                                      uint32_t row)
{
    return texts_at(block_texts(block, id, block->count), row);
}

/* ---- bitmaps of rows ---- */

static inline uint32_t rows_words(const struct block *block)
{
    return (block->count + 63) / 64;
}

static inline bool rows_has(const uint64_t *rows, uint32_t row)
{
    return rows[row / 64] >> (row & 63) & 1;
}

static inline void rows_clear(uint64_t *rows, uint32_t row)
{
    rows[row / 64] &= ~(UINT64_C(1) << (row & 63));
}

/* A bitmap with all rows set; NULL, and the block has failed, if the arena is
 * full. */
uint64_t *block_all_rows(struct block *block);

/* Clears the rows whose resource is not in the set (NULL: all are). */
void block_match_resources(struct block *block, const struct bitmap *resources,
                           uint64_t *rows);

/* Clears the rows whose time is not in [start_ns, end_ns). */
/* Clears the rows whose code is not a wanted one of 0 to codes - 1. */
void block_keep_codes(const struct ints *ints, const uint8_t *wanted,
                      uint32_t codes, uint32_t count, uint64_t *rows);
void block_match_times(struct block *block, const uint64_t *times,
                       uint64_t start_ns, uint64_t end_ns, uint64_t *rows);

/* Clears the rows whose text is not the wanted one. */
void block_match_texts(struct block *block, struct texts *texts,
                       struct slice wanted, uint64_t *rows);

/* The id of a row's resource. */
uint32_t block_resource(struct block *block, uint32_t row);

/* The attributes of the rows. */
struct attrs_reader *block_attrs(struct block *block);

/* The scope in these bytes; NULL if there are none. */
void block_read_scope(struct block *block, struct slice bytes,
                      const struct scope **scope);

#endif
