/*
 * top_table - the table of `callboard top`: titles and rows.
 */
#ifndef TOP_TABLE_H
#define TOP_TABLE_H

#include "term_line.h"
#include "top_state.h"

/* Rows first to end - 1 of those chosen; with a mark at state->cursor. */
void top_table(struct buf *out, const struct term_look *look,
               const struct top_state *state, const struct top_rows *rows,
               const uint32_t *chosen, uint32_t first, uint32_t end,
               bool with_cursor);

#endif
