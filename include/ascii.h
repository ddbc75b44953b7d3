/*
 * ascii - classes and case of ASCII characters, the same in every locale.
 *
 * Purpose:   the character classes of libc, for any char and in no locale.
 * Ownership: none.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef ASCII_H
#define ASCII_H

#include <stdbool.h>

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static inline char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#endif
