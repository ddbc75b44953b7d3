/*
 * waterfall_tree - the spans of an answer as they are drawn; for waterfall_*.c
 * and waterfall.c only.
 */
#ifndef WATERFALL_TREE_H
#define WATERFALL_TREE_H

#include <jansson.h>

#include "term_line.h"

struct bar_span {
    const json_t *json;
    double offset, duration; /* nanoseconds since the start of the trace */
    double shift;            /* what was sent less offset: of its clock */
    uint64_t signature;      /* equal for calls that are told as one */
    uint32_t depth, after;   /* after: the next one that is not below it */
    uint32_t next_log;
};

struct waterfall {
    struct buf *out;
    const struct term_look *look;
    struct bar_span *spans;
    uint32_t count, deepest;
    uint32_t *open;     /* by depth: the span whose children are written */
    bool *more;         /* by depth: another sibling follows */
    double length;      /* nanoseconds */
    uint32_t name, bar; /* columns */
    bool self, all;
    unsigned letters; /* that were used, as bits of their rows */
};

/* What is said of a span by a letter. */
enum { WATERFALL_NOTES = 7 };
struct waterfall_note {
    char letter;
    const char *member, *text; /* member NULL: the span failed */
};
extern const struct waterfall_note waterfall_notes[WATERFALL_NOTES];
bool waterfall_has_note(const json_t *span, size_t i);
bool waterfall_failed(const json_t *span);

/* From the list of an answer; waterfall_release() frees it. */
void waterfall_load(struct waterfall *w, const json_t *list);
void waterfall_release(struct waterfall *w);

/* The spans from i on that are told as one, and where the next line begins. */
uint32_t waterfall_equal(const struct waterfall *w, uint32_t i, uint32_t *next);

#endif
