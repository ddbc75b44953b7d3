/*
 * decimal - a double as the shortest text that reads back as the same double.
 *
 * Purpose:   numbers in JSON, as Prometheus writes them: with an
 *            exponent, of two digits at least, below 1e-6 and from 1e21 on.
 * Ownership: the text is the caller's.
 * Threads:   any; the first call fills in a table.
 * Errors:    none.
 */
#ifndef DECIMAL_H
#define DECIMAL_H

#include <stddef.h>

enum { DECIMAL_TEXT = 32, DECIMAL_PLAIN = 352 };

/* v is finite. Returns the length; there is no NUL. */
size_t decimal_format(char text[DECIMAL_TEXT], double v);
/* Never with an exponent. */
size_t decimal_format_plain(char text[DECIMAL_PLAIN], double v);

#endif
