/*
 * http_seam - what libmicrohttpd 0.9.75 cut out of a request head.
 *
 * The library parses a head where it received it: it ends each part by NUL in
 * the place of the blank, the colon or the end of the line behind it, and hands
 * out pointers. So in a good head each part begins right behind the one before.
 * A larger gap holds bytes that were sent and that nobody looked at:
 *
 *   NUL          a part ends at the first one, "X: a" NUL "b" is "X: a"
 *   folded line  the library adds it to the name instead of the value
 * ("Content-" with "Length" on a second line is Content-Length), in a copy that
 * lies elsewhere; RFC 9112 allows to refuse them
 *
 * Another version may lay out a head in another way (newer ones refuse NUL
 * themselves): then this is not asked.
 *
 * Threads  pure.
 */
#ifndef HTTP_SEAM_H
#define HTTP_SEAM_H

#include <stdbool.h>

#include "slice.h"

#define HTTP_SEAM_VERSION "0.9.75"

struct http_seam {
    const char *end; /* of the last part */
    bool broken;
};

/* Parts of the request line, in the library's buffer. */
void http_seam_line(struct http_seam *seam, struct slice method,
                    struct slice target, struct slice version);
/* In the order in which they came. */
void http_seam_field(struct http_seam *seam, struct slice name,
                     struct slice value);
/* After the last field. */
bool http_seam_is_broken(const struct http_seam *seam);

#endif
