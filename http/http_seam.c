/* Gaps between the parts of a head; see http_seam.h. */
#include "http_seam.h"

#include <stdint.h>

/* The part begins `least` to `most` bytes behind the end of the last one. Of
 * two that do not lie in one buffer, addresses are compared, not pointers. */
static void expect(struct http_seam *seam, struct slice part, uintptr_t least,
                   uintptr_t most)
{
    uintptr_t gap = (uintptr_t)part.ptr - (uintptr_t)seam->end;

    if (!part.ptr || gap < least || gap > most)
        seam->broken = true;
    seam->end = part.ptr + part.len;
}

void http_seam_line(struct http_seam *seam, struct slice method,
                    struct slice target, struct slice version)
{
    *seam = (struct http_seam){.end = method.ptr + method.len};
    expect(seam, target, 1, 1);
    expect(seam, version, 1, 1);
}

void http_seam_field(struct http_seam *seam, struct slice name,
                     struct slice value)
{
    expect(seam, name, 1, 2);
    /* The colon, and blanks. */
    expect(seam, value, 1, UINT16_MAX);
}

/* Behind the last part of an unbroken head are the end of its line and that of
 * the empty line, each of one or two bytes, all of which are NUL now. */
bool http_seam_is_broken(const struct http_seam *seam)
{
    return seam->broken || seam->end[0] != '\0' || seam->end[1] != '\0';
}
