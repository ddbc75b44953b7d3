/*
 * cli_text - text from senders on a terminal. Names, log lines and labels come
 * from anybody who may send: no control character, escape sequence or mark that
 * turns the direction of writing may reach the terminal, and columns must align
 * whatever the script.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/* Columns of one character: 0 (combining), 1 or 2 (wide). */
int cli_width_of(uint32_t c);

/* Controls above the space, marks of direction, characters without a shape. */
bool cli_is_hidden(uint32_t c);

/* Appends text made harmless: line ends and tabs are spaces; other control
 * characters, marks of direction, invisible characters and bytes that are not
 * UTF-8 are U+FFFD. */
void cli_clean(struct buf *out, struct slice text);

/* Columns of text that is clean. */
size_t cli_width(struct slice text);

/* The longest beginning of clean text within so many columns; a character is
 * not separated from its combining ones. */
struct slice cli_fit(struct slice text, size_t columns);

/* Appends clean text cut to so many columns, with an ellipsis if it was cut,
 * and filled with spaces: on the left if right is true. */
void cli_cell(struct buf *out, struct slice text, size_t columns, bool right);

#endif
