/*
 * Reading what spans and logs have in common: resources, scopes, and sets of
 * rows as bitmaps, of which each test clears the rows that do not match.
 */
#include "attrs_block.h"
#include "block_file.h"

uint64_t *block_all_rows(struct block *block)
{
    uint32_t words = rows_words(block);
    uint64_t *rows = block_alloc(block, words, sizeof(*rows));

    for (uint32_t i = 0; rows && i < words; i++)
        rows[i] = UINT64_MAX;
    if (rows && block->count & 63)
        rows[words - 1] = (UINT64_C(1) << (block->count & 63)) - 1;
    return rows;
}

static struct ints *resource_ids(struct block *block)
{
    if (!block->resource_ids) {
        struct column_reader in = block_column(block, COL_RESOURCE_ID);

        block->resource_ids = block_alloc(block, 1, sizeof(struct ints));
        if (!block->resource_ids)
            return &block->no_ints;
        column_ints_any(&in, block->resource_ids);
        block_check(block, &in.bytes);
    }
    return block->resource_ids;
}

bool block_any_resource(struct block *block, uint32_t first, uint32_t count,
                        const struct bitmap *resources)
{
    for (uint32_t i = 0; i < count && block->status == OK; i++)
        if (bitmap_has(resources, block_resource(block, first + i)))
            return block->status == OK;
    return false;
}

uint32_t block_resource(struct block *block, uint32_t row)
{
    struct ints *ids = resource_ids(block);
    uint64_t code = block_int(block, COL_RESOURCE, row);

    return code < ids->count ? (uint32_t)ints_at(ids, (uint32_t)code)
                             : RESOURCE_NONE;
}

/* The same where a code is a byte. */
static void keep_bytes(const struct ints *ints, const uint8_t *wanted,
                       uint32_t codes, uint32_t count, uint64_t *rows)
{
    const uint8_t *plane = ints->plane[0];
    uint8_t hits[256];

    for (uint32_t byte = 0; byte < 256; byte++) {
        uint64_t code = ints->base + byte * ints->factor;

        hits[byte] = code < codes && wanted[code];
    }
    for (uint32_t begin = 0; begin < count; begin += 64) {
        uint64_t bits = 0;
        uint32_t end = count - begin < 64 ? count : begin + 64;

        for (uint32_t row = begin; rows[begin / 64] && row < end; row++)
            bits |= (uint64_t)hits[plane[row]] << (row & 63);
        rows[begin / 64] &= bits;
    }
}

void block_keep_codes(const struct ints *ints, const uint8_t *wanted,
                      uint32_t codes, uint32_t count, uint64_t *rows)
{
    if (!ints->all && ints->plane_count == 1 && ints->shift[0] == 0) {
        keep_bytes(ints, wanted, codes, count, rows);
        return;
    }
    for (uint32_t begin = 0; begin < count; begin += 64) {
        uint64_t bits = 0;
        uint32_t end = count - begin < 64 ? count : begin + 64;

        if (!rows[begin / 64])
            continue;
        for (uint32_t row = begin; row < end; row++) {
            uint64_t code = ints_at(ints, row);

            bits |= (uint64_t)(code < codes && wanted[code]) << (row & 63);
        }
        rows[begin / 64] &= bits;
    }
}

void block_match_resources(struct block *block, const struct bitmap *resources,
                           uint64_t *rows)
{
    struct ints *ids = resource_ids(block);
    uint8_t *wanted;
    uint32_t some = 0;

    if (!resources)
        return;
    wanted = block_alloc(block, ids->count, 1);
    if (!wanted)
        return;
    for (uint32_t i = 0; i < ids->count; i++)
        some += wanted[i] =
            bitmap_has(resources, (uint32_t)ints_at(ids, i)) ? 1 : 0;
    if (some == ids->count)
        return;
    block_keep_codes(block_ints(block, COL_RESOURCE, block->count), wanted,
                     ids->count, block->count, rows);
}

void block_match_times(struct block *block, const uint64_t *times,
                       uint64_t start_ns, uint64_t end_ns, uint64_t *rows)
{
    for (uint32_t begin = 0; begin < block->count; begin += 64) {
        uint64_t bits = 0;
        uint32_t end = block->count - begin < 64 ? block->count : begin + 64;

        for (uint32_t row = begin; rows[begin / 64] && row < end; row++)
            bits |= (uint64_t)(times[row] >= start_ns && times[row] < end_ns)
                    << (row & 63);
        rows[begin / 64] &= bits;
    }
}

void block_match_texts(struct block *block, struct texts *texts,
                       struct slice wanted, uint64_t *rows)
{
    uint8_t *hits = block_alloc(block, texts->heap_count, 1);

    if (!hits)
        return;
    for (uint32_t i = 0; i < texts->heap_count; i++)
        hits[i] = slice_equal(texts_entry(texts, i), wanted);
    if (texts->coded) {
        block_keep_codes(&texts->codes, hits, texts->heap_count, block->count,
                         rows);
        return;
    }
    for (uint32_t row = 0; row < block->count; row++)
        if (row >= texts->heap_count || !hits[row])
            rows_clear(rows, row);
}

struct attrs_reader *block_attrs(struct block *block)
{
    if (!block->attrs && block->status == OK)
        block->attrs = attrs_reader_open(block, COL_ATTRS, block->count);
    return block->attrs;
}

void block_read_scope(struct block *block, struct slice bytes,
                      const struct scope **scope)
{
    struct byte_reader in = byte_reader_over(bytes);
    struct scope *read;

    *scope = NULL;
    if (bytes.len == 0)
        return;
    read = block_alloc(block, 1, sizeof(*read));
    if (!read)
        return;
    scope_read(&in, block->arena, ATTR_FORM_BLOCK, read);
    block_check(block, &in);
    *scope = read;
}
