/*
 * case_fold - Unicode's simple case folding, the same in every locale.
 *
 * Purpose:   search that ignores case. One character becomes one: E and e with
 *            acute are equal, so are Greek sigma and final sigma, long s and s,
 *            the Kelvin sign and k. What only full folding or a language
 *            equates stays different: sharp s and "ss", Turkish dotless i and
 *            i. Bytes that are not UTF-8 are characters of their own.
 * Ownership: the caller's memory.
 * Threads:   any.
 * Errors:    none; every input has a result.
 */
#ifndef CASE_FOLD_H
#define CASE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/* The folded character at *at, which is before end; *at moves behind it. A byte
 * that is not UTF-8 is a character above UTF8_MAX. */
uint32_t fold_next(const uint8_t **at, const uint8_t *end);

/* UTF-8 of what fold_next() returned, at most 4 bytes; how many. */
size_t fold_put(uint32_t c, uint8_t out[4]);

/* Folded UTF-8 of the text in out, which has room for FOLD_ROOM(text.len); its
 * length. Longer than the text at most by half. */
#define FOLD_ROOM(len) ((len) + (len) / 2 + 4)
size_t fold_text(struct slice text, char *out);

/* True if a byte is not ASCII. */
bool fold_is_wide(struct slice text);

#endif
