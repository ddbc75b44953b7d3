/*
 * column - codecs of columns of numbers and of texts.
 *
 * Numbers are split into byte planes (all lowest bytes, all second bytes ...),
 * after subtracting a base or the previous value and dividing by a common
 * factor; each plane is constant, raw or zstd. Texts are a heap of distinct
 * texts and a code per row, or, if they hardly repeat, the heap alone. Formats:
 * column_write.c. Private to block/.
 */
#ifndef COLUMN_H
#define COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "byte_reader.h"
#include "hash.h"
#include "scratch.h"
#include "slice.h"

/* The most values of a column; limits what damaged bytes can allocate. */
#define COLUMN_MAX_COUNT (UINT32_C(1) << 24)

/* ---- writing ---- */

struct column_writer {
    struct buf *out; /* receives the column */
    struct scratch *scratch;
    struct ZSTD_CCtx_s *zstd; /* one for all columns */
};

enum ints_hint {
    INTS_PLAIN, /* codes: differences would not help */
    INTS_AUTO
};

/* Appends values and overwrites them. */
void column_put_ints(struct column_writer *column, uint64_t *values,
                     uint32_t count, enum ints_hint hint);

/* Appends count times the same value. */
void column_put_same(struct column_writer *column, uint64_t value,
                     uint32_t count);

/* Appends bytes with their length, compressed if that is shorter. */
void column_put_blob(struct column_writer *column, struct slice bytes);

/* Appends texts without a dictionary. */
void column_put_texts(struct column_writer *column, const struct slice *texts,
                      uint32_t count);

/* A dictionary: distinct texts, copied, in order of first use. */
struct dict {
    struct scratch *scratch;
    struct slice *texts;
    char *at; /* for the next copy */
    uint32_t left, piece;
    struct map index; /* codes, by text */
    uint32_t count, room;
    uint32_t lookups, last;
    bool unique; /* texts hardly repeat: each gets its own code */
};

void dict_init(struct dict *dict, struct scratch *scratch);
uint32_t dict_find_or_add(struct dict *dict, struct slice text);

/* The code of text. */
static inline uint32_t dict_add(struct dict *dict, struct slice text)
{
    if (dict->count > 0 && !dict->unique) {
        struct slice last = dict->texts[dict->last];

        if (slice_equal(last, text)) {
            dict->lookups++;
            return dict->last;
        }
    }
    return dict_find_or_add(dict, text);
}

/* Appends the column of the dictionary's texts with these codes; NULL: all are
 * 0. chunks: texts that hardly repeat may be stored in chunks that are read one
 * by one. */
void column_put_dict(struct column_writer *column, const struct dict *dict,
                     uint64_t *codes, uint32_t count, bool chunks);

/* ---- reading ---- */

/* A cursor over the bytes of a column; its first error sticks. */
struct column_reader {
    struct byte_reader bytes;
    struct arena *arena; /* for decompressed bytes */
    enum status *late;   /* for errors after the cursor is gone, or NULL */
};

/* Why a reader of bytes failed; OK if it did not. */
static inline enum status column_status(const struct byte_reader *bytes,
                                        const struct arena *arena)
{
    if (!bytes->bad)
        return OK;
    return arena_status(arena) != OK ? arena_status(arena) : ERR_CORRUPT;
}

/* Decompressed, in the arena, or the column's own bytes. */
struct slice column_blob(struct column_reader *column);

struct ints {
    uint32_t count;
    uint8_t plane_count;
    uint8_t shift[8];
    const uint8_t *plane[8];
    uint64_t base, factor;
    const uint64_t *all; /* decoded values, or NULL */
};

/* Reads a column that must have count values. */
void column_ints(struct column_reader *column, uint32_t count,
                 struct ints *ints);

/* Reads a column with any number of values. */
void column_ints_any(struct column_reader *column, struct ints *ints);

static inline uint64_t ints_at(const struct ints *ints, uint32_t i)
{
    uint64_t v = 0;

    if (ints->all)
        return ints->all[i];
    for (uint32_t k = 0; k < ints->plane_count; k++)
        v |= (uint64_t)ints->plane[k][i] << ints->shift[k];
    return ints->base + v * ints->factor;
}

/* Decodes all values into the arena; NULL if it is full. */
const uint64_t *ints_all(struct ints *ints, struct arena *arena);

/* True if every value is the same (count 0 too). */
static inline bool ints_same(const struct ints *ints)
{
    return !ints->all && ints->plane_count == 0;
}

enum { TEXTS_CHUNK = 1024 }; /* texts; part of the format */

struct texts_chunk {
    struct column_reader blob;
    const char *bytes; /* NULL: not read yet */
};

struct texts {
    uint32_t count; /* rows */
    uint32_t heap_count;
    const char *heap;
    const uint32_t *start; /* of text i; heap_count + 1 of them; or NULL and */
    uint32_t width;        /* all texts are this long */
    struct texts_chunk *chunks; /* instead of heap, or NULL */
    bool coded;                 /* rows have codes; else row i is text i */
    struct ints codes;
};

void column_texts(struct column_reader *column, uint32_t count,
                  struct texts *texts);

struct slice texts_chunk_entry(const struct texts *texts, uint32_t i);

/* Text i of the heap; empty if i is out of range (damaged codes). */
static inline struct slice texts_entry(const struct texts *texts, uint64_t i)
{
    if (i >= texts->heap_count)
        return (struct slice){NULL, 0};
    if (texts->chunks)
        return texts_chunk_entry(texts, (uint32_t)i);
    if (!texts->start)
        return (struct slice){texts->heap + i * texts->width, texts->width};
    return (struct slice){texts->heap + texts->start[i],
                          texts->start[i + 1] - texts->start[i]};
}

static inline uint64_t texts_code(const struct texts *texts, uint32_t row)
{
    return texts->coded ? ints_at(&texts->codes, row) : row;
}

static inline struct slice texts_at(const struct texts *texts, uint32_t row)
{
    return texts_entry(texts, texts_code(texts, row));
}

#endif
