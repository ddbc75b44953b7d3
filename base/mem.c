/*
 * Sizes are bounded before, so a failed allocation means that the machine is
 * out of memory, and continuing would fail later in a worse place. Requests
 * that were not acknowledged are sent again after a restart.
 */
#include "mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static void *check(void *ptr, size_t size)
{
    if (!ptr && size > 0) {
        log_error("mem", "out of memory", log_uint("bytes", size));
        abort();
    }
    return ptr;
}

void *mem_alloc(size_t size)
{
    return check(malloc(size ? size : 1), size ? size : 1);
}

void *mem_zero(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return check(calloc(count, size), size);
}

void *mem_resize(void *ptr, size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    if (count > SIZE_MAX / size)
        return check(NULL, SIZE_MAX);
    return check(realloc(ptr, count * size), count * size);
}

char *mem_copy(const void *bytes, size_t len)
{
    char *copy = mem_alloc(len + 1);

    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}
