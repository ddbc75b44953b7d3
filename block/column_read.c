/*
 * Reading columns. The bytes are not trusted: every length is checked against
 * the bytes left, every count against the expected one or COLUMN_MAX_COUNT, and
 * memory comes from an arena with a cap.
 */
#include <zstd.h>

#include "column.h"
#include "compress.h"

static void *alloc(struct column_reader *column, size_t size)
{
    void *piece = arena_alloc(column->arena, size);

    if (!piece)
        byte_reader_fail(&column->bytes);
    return piece;
}

/* Reads what put_packed() wrote. */
static struct slice packed(struct column_reader *column, size_t len)
{
    struct byte_reader *in = &column->bytes;
    uint8_t how = byte_reader_u8(in);
    struct slice stored;
    char *to;

    if (how == 0)
        return byte_reader_bytes(in, len);
    stored = byte_reader_slice(in);
    /* The frame's own head must state the same size before memory is
     * allocated for it. */
    if (how != 1 || in->bad ||
        ZSTD_getFrameContentSize(stored.ptr, stored.len) != len)
        byte_reader_fail(in);
    if (in->bad || !(to = alloc(column, len)))
        return (struct slice){NULL, 0};
    if (zstd_decompress(to, len, stored.ptr, stored.len) != len) {
        byte_reader_fail(in);
        return (struct slice){NULL, 0};
    }
    return (struct slice){to, len};
}

struct slice column_blob(struct column_reader *column)
{
    uint64_t len = byte_reader_varint(&column->bytes);

    return len ? packed(column, len) : (struct slice){"", 0};
}

/* ---- numbers ---- */

/* Values without base and factor, as ints_at() has them, plane by plane: loops
 * that compilers make parallel. */
static void join_planes(const struct ints *ints, uint32_t first, uint32_t count,
                        uint64_t *to)
{
    for (uint32_t i = 0; i < count; i++)
        to[i] = 0;
    for (uint32_t k = 0; k < ints->plane_count; k++) {
        const uint8_t *plane = ints->plane[k] + first;
        uint8_t shift = ints->shift[k];

        for (uint32_t i = 0; i < count; i++)
            to[i] |= (uint64_t)plane[i] << shift;
    }
}

/* So many stay in the first cache. */
enum { JOINED = 512 };

static uint32_t joined_at(const struct ints *ints, uint32_t first)
{
    return ints->count - first < JOINED ? ints->count - first : JOINED;
}

static void decode_deltas(struct column_reader *column, struct ints *ints,
                          uint8_t mode)
{
    uint64_t *all = alloc(column, ints->count * sizeof(*all));
    uint64_t v = ints->base, factor = ints->factor;

    if (!all)
        return;
    for (uint32_t first = 0; first < ints->count; first += JOINED) {
        uint32_t count = joined_at(ints, first);
        uint64_t *to = all + first;

        join_planes(ints, first, count, to);
        if (first == 0)
            to[0] = 0; /* the base is the first value */
        if (mode == 2)
            for (uint32_t i = 0; i < count; i++)
                to[i] = (uint64_t)unzigzag(to[i]);
        for (uint32_t i = 0; i < count; i++)
            to[i] = v += factor * to[i];
    }
    ints->all = all;
}

void column_ints_any(struct column_reader *column, struct ints *ints)
{
    uint64_t count = byte_reader_varint(&column->bytes);
    uint8_t mode, planes;

    *ints = (struct ints){0};
    if (count > COLUMN_MAX_COUNT)
        byte_reader_fail(&column->bytes);
    if (column->bytes.bad || count == 0)
        return;
    ints->count = (uint32_t)count;
    mode = byte_reader_u8(&column->bytes);
    ints->base = byte_reader_varint(&column->bytes);
    ints->factor = byte_reader_varint(&column->bytes);
    planes = byte_reader_u8(&column->bytes);
    for (uint8_t k = 0; k < 8; k++) {
        if (!(planes >> k & 1))
            continue;
        ints->shift[ints->plane_count] = (uint8_t)(8 * k);
        ints->plane[ints->plane_count++] =
            (const uint8_t *)packed(column, count).ptr;
    }
    if (mode > 2)
        byte_reader_fail(&column->bytes);
    if (!column->bytes.bad && mode > 0)
        decode_deltas(column, ints, mode);
    if (column->bytes.bad)
        *ints = (struct ints){0};
}

void column_ints(struct column_reader *column, uint32_t count,
                 struct ints *ints)
{
    column_ints_any(column, ints);
    if (ints->count != count) {
        byte_reader_fail(&column->bytes);
        *ints = (struct ints){0};
    }
}

const uint64_t *ints_all(struct ints *ints, struct arena *arena)
{
    uint64_t *all;

    if (ints->all)
        return ints->all;
    all = arena_alloc(arena, (ints->count + 1) * sizeof(*all));
    if (!all)
        return NULL;
    for (uint32_t first = 0; first < ints->count; first += JOINED) {
        uint32_t count = joined_at(ints, first);

        join_planes(ints, first, count, all + first);
        for (uint32_t i = first; i < first + count; i++)
            all[i] = ints->base + all[i] * ints->factor;
    }
    return ints->all = all;
}

/* ---- texts ---- */

/* The offset of text i in the heap. */
static uint64_t text_start(const struct texts *texts, uint32_t i)
{
    return texts->start ? texts->start[i] : (uint64_t)i * texts->width;
}

/* Computes where each text begins from the lengths. */
static void place_texts(struct column_reader *column, struct texts *texts,
                        const struct ints *lens)
{
    uint32_t *start;
    uint64_t at = 0;

    texts->heap_count = lens->count;
    if (ints_same(lens)) {
        texts->width = (uint32_t)lens->base;
        if (lens->base > UINT32_MAX || lens->base * lens->count > UINT32_MAX)
            byte_reader_fail(&column->bytes);
        return;
    }
    start = alloc(column, (lens->count + 1) * sizeof(*start));
    if (!start)
        return;
    for (uint32_t i = 0; i < lens->count; i++) {
        uint64_t len = ints_at(lens, i);

        start[i] = (uint32_t)at;
        if (len > UINT32_MAX - at) {
            byte_reader_fail(&column->bytes);
            return;
        }
        at += len;
    }
    start[lens->count] = (uint32_t)at;
    texts->start = start;
}

static void skip_blob(struct column_reader *column)
{
    uint64_t len = byte_reader_varint(&column->bytes);

    if (len > 0 && byte_reader_u8(&column->bytes) == 1)
        len = byte_reader_varint(&column->bytes);
    byte_reader_bytes(&column->bytes, len);
}

/* Finds the chunks; each is read when one of its texts is. */
static void place_chunks(struct column_reader *column, struct texts *texts)
{
    uint32_t count = texts->heap_count / TEXTS_CHUNK + 1;

    texts->chunks = alloc(column, count * sizeof(*texts->chunks));
    if (!texts->chunks)
        return;
    for (uint32_t i = 0; i * TEXTS_CHUNK < texts->heap_count; i++) {
        texts->chunks[i] = (struct texts_chunk){.blob = *column};
        skip_blob(column);
    }
}

struct slice texts_chunk_entry(const struct texts *texts, uint32_t i)
{
    struct texts_chunk *piece = &texts->chunks[i / TEXTS_CHUNK];
    uint32_t first = i - i % TEXTS_CHUNK;
    uint32_t end = texts->heap_count - first < TEXTS_CHUNK
                       ? texts->heap_count
                       : first + TEXTS_CHUNK;
    uint64_t base = text_start(texts, first), at = text_start(texts, i);

    if (!piece->bytes && !piece->blob.bytes.bad) {
        struct slice bytes = column_blob(&piece->blob);

        if (bytes.len != text_start(texts, end) - base)
            byte_reader_fail(&piece->blob.bytes);
        if (!piece->blob.bytes.bad)
            piece->bytes = bytes.ptr;
        else if (piece->blob.late && *piece->blob.late == OK)
            *piece->blob.late =
                column_status(&piece->blob.bytes, piece->blob.arena);
    }
    if (!piece->bytes)
        return (struct slice){NULL, 0};
    return (struct slice){piece->bytes + (at - base),
                          text_start(texts, i + 1) - at};
}

void column_texts(struct column_reader *column, uint32_t count,
                  struct texts *texts)
{
    uint8_t how = byte_reader_u8(&column->bytes);
    struct slice heap;
    struct ints lens;

    *texts = (struct texts){.count = count, .coded = how == 1};
    column_ints_any(column, &lens);
    if (how > 2 || (how != 1 && lens.count != count))
        byte_reader_fail(&column->bytes);
    place_texts(column, texts, &lens);
    if (!column->bytes.bad && how == 2) {
        place_chunks(column, texts);
    } else if (!column->bytes.bad) {
        heap = column_blob(column);
        texts->heap = heap.ptr;
        if (heap.len != text_start(texts, texts->heap_count))
            byte_reader_fail(&column->bytes);
    }
    if (how == 1)
        column_ints(column, count, &texts->codes);
    if (column->bytes.bad)
        *texts = (struct texts){0};
}
