#include "cors.h"

#include "route.h"

bool cors_allows(const char *origins, struct slice origin)
{
    struct slice rest = slice_of(origins);

    while (rest.len > 0) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;
        struct slice one = params_trim((struct slice){rest.ptr, len});

        if (one.len > 0 && slice_equal(one, origin))
            return true;
        rest = slice_from(rest, comma ? len + 1 : len);
    }
    return false;
}
