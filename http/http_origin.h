/*
 * http_origin - who may ask through a browser: Host, Origin, Sec-Fetch-Site.
 *
 * A page in a developer's browser can reach a server on loopback, also under a
 * name of its own that it lets resolve to 127.0.0.1 (DNS rebinding). Host shows
 * the name, Origin the page.
 *
 * Threads  pure.
 */
#ifndef HTTP_ORIGIN_H
#define HTTP_ORIGIN_H

#include "http_head.h"

/* Whether a comma list has exactly this origin. */
bool http_origin_listed(const char *list, struct slice origin);

/* Whether Host (port ignored) is localhost, a loopback address or in the comma
 * list. */
bool http_host_allowed(const char *list, struct slice host);

enum http_origin {
    HTTP_NO_PAGE, /* no Origin, or the page is our own */
    HTTP_LISTED,
    HTTP_FOREIGN,
    HTTP_OPAQUE, /* "null" */
};
enum http_origin http_origin_of(const char *list, const struct http_head *head);

/* Whether the browser says that a page of another site asks. */
bool http_is_cross_site(const struct http_head *head);

#endif
