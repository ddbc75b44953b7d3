/*
 * url_write - writes addresses with a query string.
 *
 * Purpose:   the only percent encoder of the program: links to our pages, and
 *            the requests of the command line. http_unescape() is the decoder.
 * Ownership: the buffer is the caller's.
 * Threads:   any.
 * Errors:    those of the buffer.
 */
#ifndef URL_WRITE_H
#define URL_WRITE_H

#include "buf.h"

/* All but RFC 3986's unreserved characters as %XX. */
void url_add_escaped(struct buf *url, struct slice value);
/* "?name=value", or "&name=value" if there is a parameter before. An empty
 * value adds nothing. */
void url_add_param(struct buf *url, const char *name, struct slice value);
/* As RFC 3339. */
void url_add_time(struct buf *url, const char *name, uint64_t ns);

#endif
