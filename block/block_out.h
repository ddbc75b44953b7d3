/*
 * block_out - what the two writers of blocks share; for block_*.c only.
 */
#ifndef BLOCK_OUT_H
#define BLOCK_OUT_H

#include "attrs_block.h"
#include "block_file.h"
#include "summary.h"
#include "template.h"

struct block_writer {
    struct block_out out;
    struct span_rows *rows;      /* of block_write_spans(), or NULL */
    struct template_split split; /* logs */
};

/* Texts of rows on their way to a dictionary column. */
struct text_column {
    struct dict dict;
    struct numbers codes;
};

void text_column_init(struct text_column *column, struct scratch *scratch,
                      uint32_t count);

static inline void text_column_add(struct text_column *column,
                                   struct slice text)
{
    numbers_add(column->dict.scratch, &column->codes,
                dict_add(&column->dict, text));
}

void text_column_put(struct text_column *column, struct block_out *out,
                     uint32_t id);

/* Resources and scopes of the rows. */
struct origin_out {
    struct scratch *scratch;
    struct buf *value;
    struct numbers resources; /* a code per row */
    struct numbers ids;       /* resource ids in order of first use */
    uint32_t *counts;         /* of each resource, by level */
    uint32_t *id_list;        /* the same as ids */
    uint32_t *slots, mask;    /* code + 1 by id; 0: free */
    uint64_t last_id;
    uint32_t last_code;
    struct text_column scopes;
    struct scope_slot {
        const struct scope *scope;
        uint32_t code;
    } * known; /* by address */
    uint32_t known_count, known_mask;
};

void origin_init(struct origin_out *origin, struct scratch *scratch,
                 struct buf *value, uint32_t count);
/* The next row's. */
void origin_add(struct origin_out *origin, uint32_t resource_id,
                const struct scope *scope);
/* The two codes of it, for who keeps them himself until the rows are in
 * order. */
uint32_t origin_resource(struct origin_out *origin, uint32_t resource_id);
uint32_t origin_scope(struct origin_out *origin, const struct scope *scope);
void origin_put(struct origin_out *origin, struct block_out *out);

/* Counts the rows of each resource by level (0 if levels is NULL), before
 * origin_put(), which uses the codes up. */
void origin_count(struct origin_out *origin, const uint64_t *levels);
/* Writes the summary. */
void origin_summary(const struct origin_out *origin, enum block_type kind,
                    struct summary_out *summary, struct buf *out);

#endif
