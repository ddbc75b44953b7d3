/*
 * trace_reply - parts of the answer about a trace; for trace_*.c only.
 */
#ifndef TRACE_REPLY_H
#define TRACE_REPLY_H

#include "trace_tree.h"

/* A span as other parts of the answer name it. */
struct span_name {
    uint8_t span_id[8];
    struct slice project, component, operation;
    const char *kind;
};
extern const struct reply_table span_name_table;

struct span_name trace_span_name(const struct trace_tree *tree, uint32_t node);
struct slice trace_pod(const struct resource_info *info);

/* ---- trace_reply_spans.c ---- */

extern const struct reply_table tree_span_table, log_line_table;

/* Items of the two lists; arg: a struct tree_list. */
struct tree_span;
struct trace_log_line;
struct tree_list {
    struct tree_answer *answer;
    uint32_t *shown; /* nodes */
    struct tree_span *span;
    struct trace_log_line *line;
    uint32_t first_log; /* of the node whose records are written */
};
const void *trace_span_item(void *arg, uint32_t i);
const void *trace_loose_log_item(void *arg, uint32_t i);

/* NULL: the arena is full. */
struct tree_list *tree_list_new(struct tree_answer *answer);

/* ---- trace_reply_found.c ---- */

struct trace_found {
    struct reply_list remarks, components, steps, errors, repeats, skews;
};
extern const struct reply_table trace_found_table;

/* False: the arena is full. */
bool trace_found_fill(struct trace_found *found, struct tree_answer *answer);

#endif
