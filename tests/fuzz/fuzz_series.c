/*
 * Chunks of points: whatever the bytes are, reading ends, stays inside them
 * and gives points that hold together. The check in the head is made right
 * first, or nothing would ever get past it. What can be read is written
 * again, and must read back as as many points.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "byte_reader.h"
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
    const struct chunk_bytes bytes = {.bytes = chunk->bytes,
                                      .tails = chunk->tails};

    assert(series_read(&bytes, chunk->resource, &all, &arena, count,
                       &again->points) == OK);
    arena_release(&arena);
    return OK;
}

/* Version 3: the last two bytes are the length of the tails before them. */
static struct chunk_bytes make_right(char *bytes, size_t size)
{
    struct chunk_bytes chunk = {.bytes = {bytes, size}};
    uint32_t check;

    if (bytes[0] == 3 && size > 20) {
        size_t tails = (uint8_t)bytes[size - 2] | (size_t)bytes[size - 1] << 8;
        size_t most = size - 2 - 16;

        tails = tails < most ? tails : most;
        chunk.bytes.len = size - 2 - tails;
        chunk.tails = (struct slice){bytes + chunk.bytes.len, tails};

        struct byte_reader in =
            byte_reader_over((struct slice){bytes + 6, chunk.bytes.len - 6});
        (void)byte_reader_varint(&in);
        (void)byte_reader_varint(&in);
        check = (uint32_t)hash_bytes(chunk.tails.ptr, tails, 0);
        if (byte_reader_left(&in) >= sizeof(check))
            memcpy(bytes + chunk.bytes.len - byte_reader_left(&in), &check,
                   sizeof(check));
    }
    check = (uint32_t)hash_bytes(bytes + 6, chunk.bytes.len - 6, 0);
    memcpy(bytes + 2, &check, sizeof(check));
    return chunk;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct series_query all = {.end_ns = UINT64_MAX};
    static struct kept kept;
    struct arena scratch;
    char *bytes = malloc(size + 1);
    struct chunk_bytes chunk;

    if (size >= 6) {
        memcpy(bytes, data, size);
        chunk = make_right(bytes, size);
        kept.count = kept.seen = 0;
        arena_init(&scratch, NULL, MEMORY);
        arena_init(&kept.arena, NULL, MEMORY);
        enum status status =
            series_read(&chunk, 1, &all, &scratch, keep, &kept);
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
