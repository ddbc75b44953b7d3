/*
 * mcp_shape_notes - what a copy of an answer leaves out, as texts in it.
 *
 * Lists of one path are counted together: "suspects[].evidence: 9 of 31".
 */
#ifndef MCP_SHAPE_NOTES_H
#define MCP_SHAPE_NOTES_H

#include "mcp_shape.h"

enum { SHAPE_PATH = 96, SHAPE_NOTES = 20 };

struct shape_notes {
    struct shape_note {
        char path[SHAPE_PATH];
        uint64_t kept, total; /* total 0: a member that was left out */
    } at[SHAPE_NOTES];
    uint32_t count, others; /* others: paths without room */
    uint32_t texts;         /* that were shortened */
};

void shape_notes_init(struct shape_notes *notes);
/* Nothing is noted if all are kept. */
void shape_note_list(struct shape_notes *notes, const char *path, size_t kept,
                     size_t total);
void shape_note_member(struct shape_notes *notes, const char *path);

/* Sets truncated, leftOut and, of the main list (plan NULL: none), returned
 * and, unless the route has one, total in the copy. */
void shape_notes_write(const struct shape_notes *notes, json_t *copy,
                       const json_t *answer, const struct shape_plan *plan,
                       struct shape_made *made);

#endif
