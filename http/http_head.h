/*
 * http_head - a request head as the library handed it over.
 *
 * Purpose: finds what is dangerous in a head by RFC 9112, and keeps the header
 *   fields that are used. libmicrohttpd 0.9.75 is lenient, so the checks are
 *   ours; http_gaps.h finds what it cuts off. What it drops before it calls us
 *   cannot be checked: bare LF as the end of a line, errors in chunk
 *   extensions and trailers (docs/operations.md).
 * Ownership: values are borrowed from the library's buffer.
 * Threads: pure.
 * Errors: the first one found, as a text.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

struct http_head {
    /* Header fields by their first value; ptr NULL: absent. */
    struct slice host, origin, content_type, content_encoding, authorization,
        content_length, transfer_encoding, expect, accept_encoding,
        if_none_match, fetch_site, request_method, request_headers,
        request_private, user_agent, request_id, accept, mcp_version,
        mcp_method, mcp_name;
    uint64_t length;   /* of the body, from Content-Length */
    uint32_t seen;     /* bit per row of the table in http_head.c */
    bool is_http10;    /* HTTP/1.0 */
    const char *error; /* the first; NULL: none */
};

/* target: the raw one of the request line. */
void http_head_init(struct http_head *head, struct slice method,
                    struct slice target, struct slice version);
void http_head_add(struct http_head *head, struct slice name,
                   struct slice value);
/* The first error of a head is kept. */
void http_head_error(struct http_head *head, const char *what);
/* After the last field: NULL, or what is wrong. */
const char *http_head_check(struct http_head *head);

/* Takes the next element from a comma list, without blanks around it; false:
 * the list is at its end. */
bool http_list_next(struct slice *list, struct slice *element);

#define HTTP_BLANKS " \t" /* around values */

bool http_equal_fold(struct slice a, struct slice b); /* ASCII case ignored */

/* Whether an Accept-Encoding accepts gzip (q-values count). */
bool http_accepts_gzip(struct slice accept);

#endif
