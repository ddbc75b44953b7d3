/*
 * A text without a scheme may begin with a host or be a relative path. It is
 * taken for a host only if it shows: a user, a port, brackets, an address,
 * "localhost", or a name with dots that ends in letters and is followed by a
 * path ("shop.example/carts", but not "v1.2/carts" or "index.html").
 */
#include "url.h"

#include "ascii.h"

/* The length of "scheme://"; 0 without a scheme. */
static size_t scheme_len(struct slice text)
{
    size_t len = 0;

    if (slice_starts(text, SLICE("http://"))) /* the usual case */
        return 7;
    while (len < text.len &&
           (is_letter(text.ptr[len]) ||
            (len > 0 && (is_digit(text.ptr[len]) || text.ptr[len] == '+' ||
                         text.ptr[len] == '-' || text.ptr[len] == '.'))))
        len++;
    if (len == 0 || !slice_starts(slice_from(text, len), SLICE("://")))
        return 0;
    return len + 3;
}

/* Removes a port, or a ':' at the end. False if there is neither, as in an IPv6
 * address without brackets. */
static bool cut_port(struct slice *host)
{
    size_t len = host->len;

    while (len > 0 && is_digit(host->ptr[len - 1]))
        len--;
    if (len == 0 || host->ptr[len - 1] != ':' ||
        memchr(host->ptr, ':', len - 1))
        return false;
    host->len = len - 1;
    return true;
}

struct slice url_host(struct slice authority)
{
    struct slice host = authority;
    const char *end;

    if (authority.len == 0)
        return host;
    end = memchr(authority.ptr, '@', authority.len);
    for (size_t i = authority.len; end && i > 0; i--)
        if (authority.ptr[i - 1] == '@') {
            host = slice_from(authority, i);
            break;
        }
    if (host.len > 0 && host.ptr[0] == '[') {
        host = slice_from(host, 1);
        end = memchr(host.ptr, ']', host.len);
        if (end)
            host.len = (size_t)(end - host.ptr);
        return host;
    }
    cut_port(&host);
    return host;
}

/* True for labels with dots between them, the last one ending in a letter, and
 * for four numbers, which are an address. */
static bool is_dotted(struct slice text, bool *address)
{
    size_t dots = 0, digits = 0, last = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '.') {
            if (i == 0 || text.ptr[i - 1] == '.')
                return false;
            dots++;
            last = 0;
            continue;
        }
        if (c != '-' && c != '_' && !is_digit(c) && !is_letter(c))
            return false;
        digits += is_digit(c);
        last++;
    }
    *address = dots == 3 && digits + dots == text.len && last > 0;
    return *address ||
           (dots > 0 && last > 1 && is_letter(text.ptr[text.len - 1]));
}

/* first: the text up to '/', '?' or '#'; more: the text goes on after it. */
static bool is_authority(struct slice first, bool more)
{
    struct slice host = first;
    bool address = false;

    if (first.len == 0)
        return false;
    if (memchr(first.ptr, '@', first.len) || first.ptr[0] == '[')
        return true;
    if (cut_port(&host))
        return host.len > 0 && host.len + 1 < first.len;
    return slice_equal(first, SLICE("localhost")) ||
           (is_dotted(first, &address) && (more || address));
}

/* The text up to '?' or '#', and for an authority up to '/'. */
static inline struct slice cut(struct slice text, bool authority)
{
    size_t len = 0;

    while (len < text.len && text.ptr[len] != '?' && text.ptr[len] != '#' &&
           (!authority || text.ptr[len] != '/'))
        len++;
    return (struct slice){text.ptr, len};
}

/* Removes the authority from the front. False if nothing follows it. */
static bool take_authority(struct slice *text, struct slice *authority)
{
    size_t skip = scheme_len(*text);
    struct slice first;

    if (skip == 0 && slice_starts(*text, SLICE("//")))
        skip = 2;
    first = cut(slice_from(*text, skip), true);
    if (skip == 0 && !is_authority(first, first.len < text->len))
        return true;
    *authority = first;
    *text = slice_from(*text, skip + first.len);
    return skip > 0 || text->len > 0;
}

struct url url_split(struct slice text)
{
    struct url url = {.relative = false};

    if (text.len == 0)
        return url;
    if (text.ptr[0] != '/' || slice_starts(text, SLICE("//")))
        if (!take_authority(&text, &url.authority))
            return url;
    url.path = cut(text, false);
    if (url.path.len == 0)
        url.path = SLICE("/");
    url.relative = url.path.ptr[0] != '/' && !slice_equal(url.path, SLICE("*"));
    return url;
}

bool url_is_address(struct slice host)
{
    if (memchr(host.ptr, ':', host.len))
        return true;
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] != '.' && !is_digit(host.ptr[i]))
            return false;
    return true;
}

bool url_is_public_host(struct slice host)
{
    return host.len > 0 && memchr(host.ptr, '.', host.len) &&
           !url_is_address(host) && !slice_ends(host, SLICE(".svc")) &&
           !slice_ends(host, SLICE(".local")) &&
           !slice_ends(host, SLICE(".internal"));
}
