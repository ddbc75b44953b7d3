/*
 * mcp_shape_lines - log entries of which like ones are joined: those of one
 * template are the first of them, with a count.
 */
#ifndef MCP_SHAPE_LINES_H
#define MCP_SHAPE_LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { SHAPE_LINES_KEPT = 64, SHAPE_LINE_TEXT = 128 };

struct shape_lines {
    char texts[SHAPE_LINES_KEPT][SHAPE_LINE_TEXT]; /* templates' beginnings */
    json_t *items[SHAPE_LINES_KEPT];               /* of the copy */
    char text[SHAPE_LINE_TEXT];                    /* of the last one asked */
    size_t count;
};

/* True: an entry like it is there, and counts it. */
bool shape_lines_join(struct shape_lines *lines, const json_t *item);
/* The copy of the item that was asked last. */
void shape_lines_add(struct shape_lines *lines, json_t *copy);

#endif
