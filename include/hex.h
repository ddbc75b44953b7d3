/*
 * hex - hexadecimal digits, in either case, to bytes and back.
 *
 * Purpose:   trace and span ids in queries and answers.
 * Ownership: the caller's memory, or the arena's.
 * Threads:   any.
 * Errors:    false, and the bytes are unchanged, unless the text is exactly as
 *            many digits as asked for.
 */
#ifndef HEX_H
#define HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "slice.h"

/* The value of a digit, or -1. */
int hex_digit(char c);

/* Exactly 2 * len digits. */
bool hex_bytes(struct slice text, uint8_t *bytes, size_t len);

/* 1 to 32 digits: ids of 64 bits, and ids without their first zeros, have zeros
 * before them. */
bool hex_trace_id(struct slice text, uint8_t id[16]);

/* Writes 2 * len digits, in lower case, without NUL. */
void hex_write(char *to, const uint8_t *bytes, size_t len);

/* The same in the arena; empty if that is full. */
struct slice hex_text(struct arena *arena, const uint8_t *bytes, size_t len);

#endif
