/* Compares where the parts of a head begin and end (http_gaps.h). */
#include "http_gaps.h"

#include <stdint.h>

/* The part begins `min` to `max` bytes after the end of the last one. They may
 * lie in two buffers, so addresses are compared, not pointers. */
static void expect(struct http_gaps *gaps, struct slice part, uintptr_t min,
                   uintptr_t max)
{
    uintptr_t gap = (uintptr_t)part.ptr - (uintptr_t)gaps->end;

    if (!part.ptr || gap < min || gap > max)
        gaps->found = true;
    gaps->end = part.ptr + part.len;
}

void http_gaps_line(struct http_gaps *gaps, struct slice method,
                    struct slice target, struct slice version)
{
    *gaps = (struct http_gaps){.end = method.ptr + method.len};
    expect(gaps, target, 1, 1);
    expect(gaps, version, 1, 1);
}

void http_gaps_field(struct http_gaps *gaps, struct slice name,
                     struct slice value)
{
    expect(gaps, name, 1, 2);
    /* The colon, and blanks. */
    expect(gaps, value, 1, UINT16_MAX);
}

/* After the last part of a valid head come the end of its line and that of the
 * empty line, each of one or two bytes, all of which are NUL now. */
bool http_gaps_found(const struct http_gaps *gaps)
{
    return gaps->found || gaps->end[0] != '\0' || gaps->end[1] != '\0';
}
