/* Comma lists, and the header fields of browsers; see http_origin.h. */
#include "http_origin.h"

#include "http_server.h"

bool http_origin_listed(const char *list, struct slice origin)
{
    struct slice rest = slice_of(list ? list : ""), one;

    while (http_list_next(&rest, &one))
        if (one.len > 0 && slice_equal(one, origin))
            return true;
    return false;
}

/* Without port, brackets and the dot at the end of a full name. */
static struct slice bare_host(struct slice host)
{
    struct slice rest;

    if (host.len > 0 && host.ptr[0] == '[') {
        const char *end = memchr(host.ptr, ']', host.len);

        return end ? (struct slice){host.ptr + 1, (size_t)(end - host.ptr) - 1}
                   : host;
    }
    rest = host;
    host = slice_split(&rest, ':');
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    return host;
}

/* 127.a.b.c, each at most three digits. */
static bool is_loopback_v4(struct slice host)
{
    unsigned dots = 0, digits = 0;

    if (!slice_starts(host, SLICE("127.")))
        return false;
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] == '.' && digits > 0) {
            dots++;
            digits = 0;
        } else if (host.ptr[i] >= '0' && host.ptr[i] <= '9' && digits < 3) {
            digits++;
        } else {
            return false;
        }
    }
    return dots == 3 && digits > 0;
}

bool http_host_allowed(const char *list, struct slice host)
{
    struct slice rest = slice_of(list ? list : ""), one;

    host = bare_host(host);
    if (http_equal_fold(host, SLICE("localhost")) ||
        slice_equal(host, SLICE("::1")) || is_loopback_v4(host))
        return true;
    while (http_list_next(&rest, &one))
        if (one.len > 0 && http_equal_fold(bare_host(one), host))
            return true;
    return false;
}

/* The browser says that the page which asks came from this address, which a
 * proxy may have changed in Host. No script can set the field. */
static bool is_same_origin(const struct http_head *head)
{
    return head->fetch_site.ptr &&
           http_equal_fold(head->fetch_site, SLICE("same-origin"));
}

enum http_origin http_origin_of(const char *list, const struct http_head *head)
{
    struct slice origin = head->origin, own = head->origin;

    if (!origin.ptr || is_same_origin(head))
        return HTTP_ORIGIN_NONE;
    if (http_equal_fold(origin, SLICE("null")) || origin.len == 0)
        return HTTP_ORIGIN_OPAQUE;
    if (slice_starts(own, SLICE("http://")))
        own = slice_from(own, 7);
    else if (slice_starts(own, SLICE("https://")))
        own = slice_from(own, 8);
    if (own.len < origin.len && head->host.ptr &&
        http_equal_fold(own, head->host))
        return HTTP_ORIGIN_NONE;
    return http_origin_listed(list, origin) ? HTTP_ORIGIN_LISTED
                                            : HTTP_ORIGIN_OTHER;
}

bool http_is_cross_site(const struct http_head *head)
{
    return head->fetch_site.ptr && !is_same_origin(head) &&
           !http_equal_fold(head->fetch_site, SLICE("none"));
}
