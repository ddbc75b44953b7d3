/*
 * The route of a path. A path is split at its slashes and compared segment by
 * segment; segments are unescaped one by one after that, so a name may hold an
 * escaped slash. There are about fifty routes: a linear search costs less than
 * receiving the request line.
 */
#include <stdio.h>

#include "hex.h"
#include "http_server.h"

/* Takes the segment after the slash that the path begins with. */
static struct slice next_segment(struct slice *path)
{
    struct slice rest = slice_from(*path, 1);
    const char *slash = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
    size_t len = slash ? (size_t)(slash - rest.ptr) : rest.len;

    *path = slice_from(rest, len);
    return (struct slice){rest.ptr, len};
}

static bool path_matches(const char *pattern, struct slice path,
                         struct slice parts[HTTP_MAX_PARTS])
{
    struct slice want = slice_of(pattern);
    uint32_t count = 0;

    while (want.len > 0 && path.len > 0 && path.ptr[0] == '/') {
        struct slice expected = next_segment(&want);
        struct slice segment = next_segment(&path);

        if (slice_equal(expected, SLICE("{}"))) {
            if (segment.len == 0)
                return false;
            parts[count++] = segment;
        } else if (!slice_equal(expected, segment)) {
            return false;
        }
    }
    return want.len == 0 && path.len == 0;
}

static void add_allowed(struct http_match *match, const char *method)
{
    size_t len = strlen(match->allow);

    if (!strstr(match->allow, method))
        snprintf(match->allow + len, sizeof(match->allow) - len, "%s%s",
                 len ? ", " : "", method);
}

bool http_route_find(const struct http_route *routes, size_t count,
                     struct slice method, struct slice path,
                     struct http_match *match)
{
    *match = (struct http_match){0};
    if (slice_equal(method, SLICE("HEAD")))
        method = SLICE("GET");
    for (size_t i = 0; i < count; i++) {
        const struct http_route *route = &routes[i];
        struct slice parts[HTTP_MAX_PARTS] = {{NULL, 0}};

        if (!path_matches(route->path, path, parts))
            continue;
        if (slice_equal(slice_of(route->method), method)) {
            match->route = route;
            memcpy(match->parts, parts, sizeof(parts));
            return true;
        }
        add_allowed(match, route->method);
    }
    return false;
}

size_t http_unescape(char *text, size_t len, bool plus)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        int high = -1, low = -1;

        if (text[i] == '%' && len - i > 2) {
            high = hex_digit(text[i + 1]);
            low = hex_digit(text[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            text[out++] = (char)(high * 16 + low);
            i += 2;
        } else {
            text[out++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}
