/*
 * Chunks of points: whatever the bytes are, reading ends, stays inside them
 * and gives points that hold together. The check in the head is made right
 * first, or nothing would ever get past it. What can be read is written
 * again, and must read back as as many points.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "record_copy.h"
#include "series.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY = 16 << 20, MOST = 2000 };

struct kept {
    struct arena arena;
    const struct point *at[MOST];
    uint32_t count, seen;
};

static void keep(void *arg, const struct point *point)
{
    struct kept *kept = arg;

    kept->seen++;
    if (kept->count == MOST)
        return;
    const struct point *copy = copy_point(&kept->arena, point);
    if (copy)
        kept->at[kept->count++] = copy;
}

static void count(void *arg, const struct point *point)
{
    (void)point;
    ++*(uint32_t *)arg;
}

struct again {
    uint32_t points;
};

static enum status read_again(void *arg, const struct chunk *chunk)
{
    const struct series_query all = {.end_ns = UINT64_MAX};
    struct again *again = arg;
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    assert(series_read(chunk->bytes, chunk->resource, &all, &arena, count,
                       &again->points) == OK);
    arena_release(&arena);
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct series_query all = {.end_ns = UINT64_MAX};
    static struct kept kept;
    struct arena scratch;
    char *bytes = malloc(size + 1);

    if (size >= 6) {
        memcpy(bytes, data, size);
        uint32_t check = (uint32_t)hash_bytes(bytes + 6, size - 6, 0);
        memcpy(bytes + 2, &check, sizeof(check));
        kept.count = kept.seen = 0;
        arena_init(&scratch, NULL, MEMORY);
        arena_init(&kept.arena, NULL, MEMORY);
        enum status status = series_read((struct slice){bytes, size}, 1, &all,
                                         &scratch, keep, &kept);
        if (status == OK && kept.count == kept.seen) {
            struct series_writer *writer = series_writer_new();
            struct again again = {0};

            assert(series_write(writer, kept.at, kept.count, false, read_again,
                                &again) == OK);
            /* Points at time 0 are outside of every question. */
            assert(again.points == kept.count);
            series_writer_free(writer);
        }
        arena_release(&scratch);
        arena_release(&kept.arena);
    }
    free(bytes);
    return 0;
}
