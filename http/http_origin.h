/*
 * http_origin - which web pages may send requests: Host, Origin,
 * Sec-Fetch-Site.
 *
 * Purpose: a page in a developer's browser can reach a server on loopback, also
 *   by a host name of its own that resolves to 127.0.0.1 (DNS rebinding). Host
 *   has that name, Origin the page.
 * Ownership: nothing is kept.
 * Threads: pure.
 * Errors: none.
 */
#ifndef HTTP_ORIGIN_H
#define HTTP_ORIGIN_H

#include "http_head.h"

/* Whether a comma list has exactly this origin. */
bool http_origin_listed(const char *list, struct slice origin);

enum http_origin {
    HTTP_ORIGIN_NONE, /* no Origin, or that of this server: by its host, or by
                         Sec-Fetch-Site */
    HTTP_ORIGIN_LISTED,
    HTTP_ORIGIN_OTHER,
    HTTP_ORIGIN_OPAQUE, /* "null" */
};
enum http_origin http_origin_of(const char *list, const struct http_head *head);

/* Whether the browser says that a page of another site sent it. */
bool http_is_cross_site(const struct http_head *head);

#endif
