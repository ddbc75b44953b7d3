/*
 * inflate - decompresses a body within a bound.
 *
 * Memory is charged to the budget before it is allocated. A body's claim about
 * its own size is trusted only as far as its length makes it likely, so a short
 * body cannot claim much.
 *
 * Ownership: the caller frees the result and gives its bytes back to the
 *            budget.
 * Threads:   any.
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
