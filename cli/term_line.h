/*
 * term_line - lines of text for a terminal, never wider than it.
 *
 * Text of senders goes through here only: control characters, also those that
 * turn the direction of text around, become spaces, and bytes that are not
 * UTF-8 a replacement character. So no record can move the cursor, change the
 * title of a window, or look like another line.
 *
 * Widths are columns: a wide character (East Asian, emoji) takes two, a
 * combining one none.
 */
#ifndef TERM_LINE_H
#define TERM_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "buf.h"

struct term_look {
    bool ascii; /* other characters are replaced, lines drawn with + - | */
    bool color;
    uint32_t columns; /* 0: no bound */
    uint32_t rows;
};

enum term_color {
    TERM_PLAIN,
    TERM_BOLD,
    TERM_DIM,
    TERM_REVERSE,
    TERM_RED,
    TERM_GREEN,
    TERM_YELLOW,
    TERM_BLUE,
    TERM_MAGENTA,
    TERM_CYAN
};

enum term_align { TERM_LEFT, TERM_RIGHT };

/* What the locale, NO_COLOR, TERM, COLUMNS and the size of the terminal say.
 * Without a terminal: no colour, no bound. */
struct term_look term_look_of(FILE *to);

struct term_line {
    struct buf *out;
    const struct term_look *look;
    uint32_t column; /* of what comes next */
    bool painted;
};

/* All functions append to the line and stop at the width of the terminal. */
struct term_line term_begin(struct buf *out, const struct term_look *look);
/* Cut with "..." as one character where it does not fit. */
void term_put(struct term_line *line, struct slice text);
void term_puts(struct term_line *line, const char *text);
void term_printf(struct term_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Exactly `width` columns. */
void term_cell(struct term_line *line, struct slice text, uint32_t width,
               enum term_align align);
/* Drawn characters, ours, `times` times. */
void term_draw(struct term_line *line, const char *utf8, const char *ascii,
               uint32_t times);
/* Spaces up to a column. */
void term_to(struct term_line *line, uint32_t column);
/* The columns that are left; many if there is no bound. */
uint32_t term_left(const struct term_line *line);
void term_paint(struct term_line *line, enum term_color color);
void term_end(struct term_line *line);

/* Characters that would move what follows or turn it around, and those that
 * nobody sees. */
bool term_is_control(uint32_t c);

/* The columns that a text takes. */
uint32_t term_columns(struct slice text);

#endif
