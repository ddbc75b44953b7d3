/* The first byte picks the format; what comes out stays within the bound, and
 * all that was charged is given back. */
#include <stdint.h>
#include <stdlib.h>

#include "inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { MAX = 1 << 20 };
    struct budget budget;
    struct slice in;
    char *body;
    size_t len;

    if (size == 0)
        return 0;
    budget_init(&budget, MAX);
    in = (struct slice){(const char *)bytes + 1, size - 1};
    if (inflate_body(bytes[0] % 2 ? INFLATE_GZIP : INFLATE_ZSTD, in, MAX,
                     &budget, &body, &len) == OK) {
        if (len > MAX || budget_used(&budget) != len)
            abort();
        budget_give(&budget, len);
        free(body);
    }
    if (budget_used(&budget) != 0)
        abort();
    return 0;
}
