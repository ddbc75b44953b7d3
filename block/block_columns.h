/*
 * block_builder - columns that blocks of spans and of logs have in common; for
 * block_*.c only.
 */
#ifndef BLOCK_COLUMNS_H
#define BLOCK_COLUMNS_H

#include "attrs_block.h"
#include "block_file.h"
#include "summary.h"
#include "template.h"

struct block_writer {
    struct block_builder out;
    struct span_rows *rows;      /* of block_write_spans(), or NULL */
    struct template_split split; /* logs */
};

/* A dictionary column being collected. */
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

void text_column_put(struct text_column *column, struct block_builder *out,
                     uint32_t id);

/* The owners of the rows, resources and scopes, being collected. */
struct owner_writer {
    struct scratch *scratch;
    struct buf *value;
    struct numbers resources; /* a code per row */
    struct numbers ids;       /* resource ids in order of first use */
    uint32_t *counts;         /* of each resource, by level */
    uint32_t *id_list;        /* the same as ids */
    struct map by_id;         /* codes, by id */
    uint64_t last_id;
    uint32_t last_code;
    struct text_column scopes;
    struct known_scope {
        const struct scope *scope;
        uint32_t code;
    } * known;
    uint32_t known_count, known_room;
    struct map by_address; /* of known */
};

void owner_writer_init(struct owner_writer *owners, struct scratch *scratch,
                       struct buf *value, uint32_t count);
/* Adds the next row. */
void owner_writer_add(struct owner_writer *owners, uint32_t resource_id,
                      const struct scope *scope);
/* The codes of a row, for a caller that stores them until the rows are in
 * order. */
uint32_t owner_resource_code(struct owner_writer *owners, uint32_t resource_id);
uint32_t owner_scope_code(struct owner_writer *owners,
                          const struct scope *scope);
void owner_writer_put(struct owner_writer *owners, struct block_builder *out);

/* Counts the rows of each resource by level (0 if levels is NULL); before
 * owner_writer_put(), which overwrites the codes. */
void owner_writer_count(struct owner_writer *owners, const uint64_t *levels);
/* Writes the summary. */
void owner_writer_summary(const struct owner_writer *owners,
                          enum block_type kind, struct summary_writer *summary,
                          struct buf *out);

#endif
