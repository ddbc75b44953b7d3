/*
 * hex - hexadecimal digits, in either case, to bytes.
 *
 * Purpose:   trace and span ids in queries and JSON.
 * Ownership: the caller's memory.
 * Threads:   any.
 * Errors:    hex_bytes() returns false, and leaves the bytes unchanged, unless
 *            the text is exactly as many digits as asked for.
 */
#ifndef HEX_H
#define HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/* The value of a digit, or -1. */
int hex_digit(char c);

/* Exactly 2 * len digits. */
bool hex_bytes(struct slice text, uint8_t *bytes, size_t len);

#endif
