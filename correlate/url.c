/*
 * A text without a scheme may begin with a host or be a relative path. It is
 * taken for a host only if it shows: a user, a port, brackets, an address,
 * "localhost", or a name with dots that ends in letters and is followed by a
 * path ("shop.example/carts", but not "v1.2/carts" or "index.html").
 */
#include "url.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static size_t count_until(struct slice text, const char *stops)
{
    size_t len = 0;

    while (len < text.len && (!text.ptr[len] || !strchr(stops, text.ptr[len])))
        len++;
    return len;
}

/* The length of "scheme://"; 0: there is none. */
static size_t scheme_len(struct slice text)
{
    size_t len = 0;

    while (len < text.len &&
           (is_letter(text.ptr[len]) ||
            (len > 0 && (is_digit(text.ptr[len]) || text.ptr[len] == '+' ||
                         text.ptr[len] == '-' || text.ptr[len] == '.'))))
        len++;
    if (len == 0 || !slice_starts(slice_from(text, len), SLICE("://")))
        return 0;
    return len + 3;
}

/* What stands behind the last ':' if that is a port, or nothing at all. */
static bool cut_port(struct slice *host)
{
    size_t len = host->len;

    while (len > 0 && is_digit(host->ptr[len - 1]))
        len--;
    if (len == 0 || host->ptr[len - 1] != ':')
        return false;
    host->len = len - 1;
    return true;
}

static struct slice host_of(struct slice authority)
{
    struct slice host = authority;

    for (size_t i = authority.len; i > 0; i--)
        if (authority.ptr[i - 1] == '@') {
            host = slice_from(authority, i);
            break;
        }
    if (host.len > 0 && host.ptr[0] == '[') {
        host = slice_from(host, 1);
        host.len = count_until(host, "]");
        return host;
    }
    cut_port(&host);
    return host;
}

/* Labels with dots between them, the last one of letters; or four numbers. */
static bool is_dotted(struct slice text, bool *address)
{
    size_t dots = 0, digits = 0, last = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '.' && (i == 0 || text.ptr[i - 1] == '.'))
            return false;
        if (c != '.' && c != '-' && c != '_' && !is_digit(c) && !is_letter(c))
            return false;
        dots += c == '.';
        digits += is_digit(c);
        last = c == '.' ? 0 : last + 1;
    }
    *address = dots == 3 && digits + dots == text.len && last > 0;
    return *address ||
           (dots > 0 && last > 1 && is_letter(text.ptr[text.len - 1]));
}

/* first: up to the first '/', '?' or '#'; more: there is something behind. */
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

static struct slice path_of(struct slice rest)
{
    rest.len = count_until(rest, "?#");
    return rest;
}

struct url url_split(struct slice text)
{
    struct url url = {.relative = false};
    size_t skip = scheme_len(text);
    struct slice rest, authority;

    if (text.len == 0)
        return url;
    if (skip == 0 && slice_starts(text, SLICE("//")))
        skip = 2;
    rest = authority = slice_from(text, skip);
    authority.len = count_until(authority, "/?#");
    if (skip > 0 || is_authority(authority, authority.len < rest.len)) {
        url.host = host_of(authority);
        rest = slice_from(rest, authority.len);
        if (rest.len == 0 && skip == 0)
            return url;
    }
    url.path = path_of(rest);
    if (url.path.len == 0)
        url.path = SLICE("/");
    url.relative = url.path.ptr[0] != '/' && !slice_equal(url.path, SLICE("*"));
    return url;
}
