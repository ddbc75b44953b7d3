/*
 * inflate - a compressed body to its bytes, within a bound.
 *
 * Private to the receivers. Memory is taken from the budget before it is
 * allocated, and what a body claims about its own size is believed only as far
 * as its length makes likely, so a short one cannot claim much.
 *
 * Threads  any.
 */
#ifndef INFLATE_H
#define INFLATE_H

#include "budget.h"
#include "slice.h"
#include "status.h"

enum inflate_format { INFLATE_NONE, INFLATE_GZIP, INFLATE_ZSTD };

/*
 * *body is malloc'ed, *len bytes of it are taken from the budget; both are the
 * caller's. Members or frames back to back are one body. ERR_MALFORMED: not in
 * that format, or cut short; ERR_TOO_BIG: more than max bytes; ERR_BUSY: the
 * budget. format is not INFLATE_NONE.
 */
MUST_CHECK enum status inflate_body(enum inflate_format format,
                                    struct slice packed, size_t max,
                                    struct budget *budget, char **body,
                                    size_t *len);

#endif
