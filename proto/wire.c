/*
 * The rare parts of the cursor: numbers of more than one byte, errors, and
 * skipped fields.
 *
 * A failure sets `at` to `end`, so the inline readers need not check `status`:
 * nothing is left to read. Unknown groups have no length; they are skipped with
 * a short list of the open ones, not by recursion.
 */
#include "wire.h"

void wire_fail(struct wire *w, enum status status, const char *why)
{
    if (w->status == OK) {
        w->status = status;
        w->why = why;
    }
    w->at = w->end;
}

uint64_t wire_varint_long(struct wire *w)
{
    const uint8_t *at = w->at;
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (at == w->end) {
            wire_fail(w, ERR_MALFORMED, "truncated");
            return 0;
        }
        v |= (uint64_t)(*at & 0x7f) << shift;
        if (*at++ < 0x80) {
            w->at = at;
            return v;
        }
    }
    wire_fail(w, ERR_MALFORMED, "varint longer than 10 bytes");
    return 0;
}

bool wire_tag_long(struct wire *w)
{
    uint64_t tag = wire_varint(w);

    if (w->status != OK)
        return false;
    if (tag < 8 || tag > UINT32_MAX) {
        wire_fail(w, ERR_MALFORMED, "field number out of range");
        return false;
    }
    w->tag = (uint32_t)tag;
    return true;
}

struct slice wire_bytes_long(struct wire *w)
{
    uint64_t len = wire_varint(w);
    const char *ptr = (const char *)w->at;

    if (len > (uint64_t)(w->end - w->at)) {
        wire_fail(w, ERR_MALFORMED, "truncated");
        return (struct slice){NULL, 0};
    }
    w->at += len;
    return (struct slice){ptr, (size_t)len};
}

/* One value of any type but the groups. */
static void skip_value(struct wire *w)
{
    switch (w->tag & 7) {
    case 0:
        wire_varint(w);
        break;
    case 1:
        wire_fixed64(w);
        break;
    case 2:
        wire_bytes(w);
        break;
    case 5:
        wire_fixed32(w);
        break;
    default:
        wire_fail(w, ERR_MALFORMED, "unknown wire type");
    }
}

/* Skips a group whose start has been read. */
static void skip_group(struct wire *w)
{
    uint32_t open[WIRE_MAX_GROUPS];
    unsigned depth = 0;

    open[depth++] = w->tag >> 3;
    while (depth > 0) {
        if (!wire_next(w)) {
            wire_fail(w, ERR_MALFORMED, "truncated");
            return;
        }
        if ((w->tag & 7) == 3) {
            if (depth == WIRE_MAX_GROUPS) {
                wire_fail(w, ERR_MALFORMED, "groups nested too deep");
                return;
            }
            open[depth++] = w->tag >> 3;
        } else if ((w->tag & 7) == 4) {
            if (open[--depth] != w->tag >> 3) {
                wire_fail(w, ERR_MALFORMED,
                          "end of a group that was not started");
                return;
            }
        } else {
            skip_value(w);
        }
    }
}

void wire_skip(struct wire *w, uint32_t known)
{
    uint32_t field = w->tag >> 3;

    if (field < 32 && known >> field & 1)
        wire_fail(w, ERR_MALFORMED, "a field has the wrong wire type");
    else if ((w->tag & 7) == 3)
        skip_group(w);
    else
        skip_value(w);
}

uint32_t wire_run(const struct wire *w, uint32_t limit)
{
    const uint8_t *at = w->at, *end = w->end;

    /* Lengths of one and two bytes; a longer element ends the run. */
    for (uint32_t count = 1; count < limit; count++) {
        size_t len;

        if (end - at < 3)
            return count;
        len = *at++;
        if (len >= 0x80) {
            if (*at >= 0x80)
                return count;
            len = (len & 0x7f) | (size_t)*at++ << 7;
        }
        if ((size_t)(end - at) <= len || at[len] != w->tag)
            return count;
        at += len + 1;
    }
    return limit;
}
