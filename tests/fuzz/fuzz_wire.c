/*
 * The cursor over any bytes: it ends, stays inside them, and its error sticks.
 */
#include "wire.h"

#include <stdlib.h>

static void must(bool good)
{
    if (!good)
        abort();
}

/* Reads each field by the way its tag and number suggest. */
static void walk(struct wire w, unsigned depth)
{
    const uint8_t *start = w.at, *end = w.end, *before = w.at;

    while (wire_next(&w)) {
        struct slice s;

        must(w.at > before && w.at <= end && w.tag >= 8);
        before = w.at;
        must(wire_run(&w, 9) >= 1 && wire_run(&w, 9) <= 9);
        switch (w.tag & 7) {
        case 0:
            if (w.tag >> 3 & 1)
                wire_int32(&w);
            else
                wire_sint32(&w);
            break;
        case 1:
            wire_double(&w);
            break;
        case 2:
            s = wire_bytes(&w);
            must(s.len == 0 || ((const uint8_t *)s.ptr >= start &&
                                (const uint8_t *)s.ptr + s.len <= end));
            if (depth < 16)
                walk(wire_over(s), depth + 1);
            break;
        default:
            wire_skip(&w, w.tag >> 3 & 2);
        }
        must(w.at >= before);
    }
    must(w.at == end);
    must((w.status == OK) == (w.why == NULL));
    must(!wire_next(&w) && wire_varint(&w) == 0 && wire_fixed64(&w) == 0 &&
         wire_bytes(&w).len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    walk(wire_over((struct slice){(const char *)data, size}), 0);
    return 0;
}
