/*
 * template - splits a log line into constant text and variables.
 *
 * A line is split into words at white space and at  = : , ; " ' ( ) [ ] { } < >
 * | and '/'. A word with a decimal digit is a variable (numbers, ids,
 * addresses, times, hex, UUIDs); the rest is constant. The template is the line
 * with each variable replaced by TEMPLATE_HOLE, so the line can be rebuilt from
 * both, byte for byte.
 *
 * Purpose:   blocks store lines as template and variables; the correlator
 *            counts records by template.
 * Ownership: variables are slices of the line.
 * Threads:   any; no state.
 * Errors:    none; a line beyond the bounds is one variable.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"

#define TEMPLATE_HOLE '\x11'

enum {
    TEMPLATE_MAX_VARS = 64,
    TEMPLATE_MAX_LINE = 4096, /* a longer line, or one with more variables, or
                                 with a TEMPLATE_HOLE in it, is one variable */
};

struct template_split {
    char text[TEMPLATE_MAX_LINE]; /* the template */
    uint32_t len;
    uint32_t var_count;
    struct slice vars[TEMPLATE_MAX_VARS]; /* point into the line */
};

void template_split(struct slice line, struct template_split *split);

/* A hexadecimal id without a digit ("beef") is a constant word. Masks all words
 * of at least four letters from a to f, if there are any: the template that
 * lines with other ids have. */
bool template_mask_hex(struct template_split *split);

/* For display: <*> for each run of holes and single separators. */
void template_show(struct buf *out, struct slice text);

#endif
