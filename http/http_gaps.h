/*
 * http_gaps - bytes that libmicrohttpd 0.9.75 cut out of a request head.
 *
 * Purpose: the library parses a head in the buffer that received it: it ends
 *   each part by NUL, in place of the blank, the colon or the end of the line,
 *   and hands out pointers. So in a valid head each part begins right after the
 *   one before. A larger gap holds bytes that were sent and not looked at:
 *     NUL          a part ends at the first one: "X: a" NUL "b" is "X: a"
 *     folded line  the library adds it to the name instead of the value
 *                  ("Content-" with "Length" on a second line is
 *                  Content-Length), in a copy elsewhere; RFC 9112 allows to
 *                  refuse them
 *   Other versions may lay out a head in another way (newer ones refuse NUL
 *   themselves): with them the result is not used.
 * Ownership: parts are borrowed from the library's buffer.
 * Threads: pure.
 * Errors: none.
 */
#ifndef HTTP_GAPS_H
#define HTTP_GAPS_H

#include <stdbool.h>

#include "slice.h"

#define HTTP_GAPS_VERSION "0.9.75"

struct http_gaps {
    const char *end; /* of the last part */
    bool found;
};

/* Parts of the request line, in the library's buffer. */
void http_gaps_line(struct http_gaps *seam, struct slice method,
                    struct slice target, struct slice version);
/* In the order of the head. */
void http_gaps_field(struct http_gaps *seam, struct slice name,
                     struct slice value);
/* After the last field. */
bool http_gaps_found(const struct http_gaps *seam);

#endif
