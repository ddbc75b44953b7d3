/*
 * The container of a block. Numbers are little endian.
 *
 *   OFFSET SIZE MEANING
 *        0    4 "CBLK"
 *        4    1 version, 1
 *        5    1 kind: 1 spans, 2 logs
 *        6    2 zero
 *        8    4 rows
 *       12    4 size of the directory, d
 *       16    4 checksum of bytes 0 to 15 and of the directory
 *       20    d directory, one entry per column, ids ascending; varints:
 *                 id less the id before it
 *                 length * 2 + packed
 *                 checksum, 4 bytes, if not packed
 *     20+d      the columns that are not packed, in the directory's order
 *
 * The packed columns, each too small to be compressed alone, are together in
 * one blob (column.h), which is column 0. A checksum is the low half of
 * hash_bytes(); it is verified when a column is first used, so a query reads
 * and checks only what it needs.
 *
 *   43 42 4c 4b 01 02 00 00  10 00 00 00 0c 00 00 00  c c c c
 *   C  B  L  K  v1 logs      16 rows     12 bytes of directory, checksum
 *
 * A reader rejects a version above its own and any inconsistency; it never
 * reads outside of the bytes it was given.
 */
#include "block.h"

#include <zstd.h>

#include <assert.h>
#include <stdlib.h>

#include "array.h"
#include "block_file.h"

enum { HEADER = 20, VERSION = 1, PACK_BELOW = 192, KEEP_BYTES = 4 << 20 };

static const char magic[4] = {'C', 'B', 'L', 'K'};

static uint32_t checksum(const void *bytes, size_t len)
{
    return (uint32_t)hash_bytes(bytes, len, VERSION);
}

/* ---- writing ---- */

void block_builder_init(struct block_builder *out)
{
    *out = (struct block_builder){0};
    scratch_init(&out->scratch);
    buf_init(&out->current, INT32_MAX);
    buf_init(&out->body, INT32_MAX);
    buf_init(&out->pack, INT32_MAX);
    buf_init(&out->value, INT32_MAX);
    out->column.scratch = &out->scratch;
    out->column.out = &out->current;
    out->column.zstd = ZSTD_createCCtx();
    if (!out->column.zstd)
        abort(); /* at start: no memory for one context */
}

void block_builder_release(struct block_builder *out)
{
    ZSTD_freeCCtx(out->column.zstd);
    scratch_release(&out->scratch);
    buf_release(&out->current);
    buf_release(&out->body);
    buf_release(&out->pack);
    buf_release(&out->value);
    free(out->entries);
}

/* Keeps the memory unless an enormous block made it large. */
static void reset_buf(struct buf *buf)
{
    if (buf->room > KEEP_BYTES)
        buf_release(buf);
    buf_reset(buf);
}

void block_builder_reset(struct block_builder *out)
{
    scratch_reset(&out->scratch);
    reset_buf(&out->current);
    reset_buf(&out->body);
    reset_buf(&out->pack);
    reset_buf(&out->value);
    out->entry_count = 0;
}

void block_builder_begin(struct block_builder *out, uint32_t id)
{
    buf_reset(&out->current);
    out->id = id;
}

void block_builder_end(struct block_builder *out)
{
    struct buf *current = &out->current;

    assert(out->entry_count == 0 || out->id == COL_PACK ||
           out->entries[out->entry_count - 1].id < out->id);
    bool packed = current->len < PACK_BELOW && out->id != COL_PACK;

    struct block_entry *entry =
        array_append(&out->entries, out->entry_count, &out->entry_room);
    out->entry_count++;
    *entry = (struct block_entry){
        .id = out->id,
        .len = (uint32_t)current->len,
        .checksum = packed ? 0 : checksum(current->ptr, current->len),
        .packed = packed,
    };
    if (current->status != OK)
        out->body.status = current->status;
    buf_add(packed ? &out->pack : &out->body, buf_slice(current));
}

void block_builder_ints(struct block_builder *out, uint32_t id,
                        uint64_t *values, uint32_t count, enum ints_hint hint)
{
    block_builder_begin(out, id);
    column_put_ints(&out->column, values, count, hint);
    block_builder_end(out);
}

void block_builder_same(struct block_builder *out, uint32_t id, uint64_t value,
                        uint32_t count)
{
    block_builder_begin(out, id);
    column_put_same(&out->column, value, count);
    block_builder_end(out);
}

void block_builder_dict(struct block_builder *out, uint32_t id,
                        const struct dict *dict, uint64_t *codes,
                        uint32_t count)
{
    block_builder_begin(out, id);
    column_put_dict(&out->column, dict, codes, count, true);
    block_builder_end(out);
}

void block_builder_blob(struct block_builder *out, uint32_t id,
                        struct slice bytes)
{
    block_builder_begin(out, id);
    column_put_blob(&out->column, bytes);
    block_builder_end(out);
}

static void put_entry(struct buf *out, const struct block_entry *entry,
                      uint32_t *last)
{
    buf_varint(out, entry->id - *last);
    buf_varint(out, (uint64_t)entry->len << 1 | entry->packed);
    if (!entry->packed)
        buf_fixed(out, entry->checksum, 4);
    *last = entry->id;
}

enum status block_builder_finish(struct block_builder *out,
                                 enum block_type kind, uint32_t count,
                                 struct buf *block)
{
    size_t body = out->body.len, begin = block->len, size;
    uint32_t last = 0, columns = out->entry_count;

    block_builder_begin(out, COL_PACK); /* written last, stored first */
    column_put_blob(&out->column, buf_slice(&out->pack));
    block_builder_end(out);

    buf_add(block, (struct slice){magic, sizeof(magic)});
    buf_byte(block, VERSION);
    buf_byte(block, (char)kind);
    buf_add(block, (struct slice){"\0\0", 2});
    buf_fixed(block, count, 4);
    buf_fixed(block, 0, 4);
    buf_fixed(block, 0, 4);
    put_entry(block, &out->entries[columns], &last);
    for (uint32_t i = 0; i < columns; i++)
        put_entry(block, &out->entries[i], &last);
    size = block->len - begin - HEADER;
    buf_add(block, (struct slice){out->body.ptr + body, out->body.len - body});
    buf_add(block, (struct slice){out->body.ptr, body});
    if (out->pack.status != OK || out->body.status != OK)
        return ERR_TOO_BIG;
    if (block->status == OK) {
        char *head = block->ptr + begin;

        store_le(head + 12, size, 4);
        store_le(head + 16, checksum(head, 16) ^ checksum(head + HEADER, size),
                 4);
    }
    return block->status;
}

/* ---- reading ---- */

bool block_fail(struct block *block, enum status status)
{
    if (block->status == OK)
        block->status = status;
    return false;
}

void *block_alloc(struct block *block, size_t count, size_t size)
{
    void *piece = arena_zero(block->arena, count ? count : 1, size);

    if (!piece)
        block_fail(block, arena_status(block->arena));
    return piece;
}

/* Reads an entry of the directory; *at is where its column begins. */
static void read_entry(struct block *block, struct byte_reader *directory,
                       const char **at, uint32_t *last)
{
    struct block_ref *ref = &block->refs[block->ref_count];
    uint64_t step = byte_reader_varint(directory);
    uint64_t len = byte_reader_varint(directory);
    size_t left = (size_t)(block->bytes.ptr + block->bytes.len - *at);

    *ref = (struct block_ref){.packed = len & 1, .len = (uint32_t)(len >> 1)};
    if (block->ref_count == 0 ? step != COL_PACK || ref->packed
                              : step == 0 || step > UINT16_MAX)
        byte_reader_fail(directory);
    ref->id = *last += (uint32_t)step;
    len >>= 1;
    if (len > UINT32_MAX)
        byte_reader_fail(directory);
    if (!ref->packed) {
        ref->checksum = (uint32_t)byte_reader_fixed(directory, 4);
        if (len > left)
            byte_reader_fail(directory);
        if (directory->bad)
            return;
        ref->at = *at;
        *at += len;
    }
    block->ref_count++;
}

static enum status read_directory(struct block *block, size_t size)
{
    const char *at = block->bytes.ptr + HEADER + size;
    struct byte_reader directory =
        byte_reader_over((struct slice){block->bytes.ptr + HEADER, size});
    uint32_t last = 0;

    /* An entry takes two bytes at least. */
    block->refs = block_alloc(block, size / 2 + 1, sizeof(*block->refs));
    if (!block->refs)
        return block->status;
    while (byte_reader_left(&directory) > 0)
        read_entry(block, &directory, &at, &last);
    return directory.bad || block->ref_count == 0 ? ERR_CORRUPT : OK;
}

enum status block_open(struct block **result, struct slice bytes,
                       struct arena *arena)
{
    const char *head = bytes.ptr;
    struct block *block;
    uint8_t version, kind;
    size_t size;

    if (bytes.len < HEADER || memcmp(head, magic, sizeof(magic)) != 0)
        return ERR_CORRUPT;
    version = (uint8_t)head[4];
    kind = (uint8_t)head[5];
    if (version > VERSION)
        return ERR_UNSUPPORTED;
    size = load_le(head + 12, 4);
    if (version == 0 || size > bytes.len - HEADER ||
        load_le(head + 16, 4) !=
            (checksum(head, 16) ^ checksum(head + HEADER, size)) ||
        (kind != BLOCK_SPANS && kind != BLOCK_LOGS) ||
        load_le(head + 8, 4) > BLOCK_MAX_ROWS)
        return ERR_CORRUPT;
    block = arena_zero(arena, 1, sizeof(*block));
    if (!block)
        return arena_status(arena);
    block->bytes = bytes;
    block->arena = arena;
    block->kind = kind;
    block->count = (uint32_t)load_le(head + 8, 4);
    block->status = read_directory(block, size);
    if (block->status == OK)
        *result = block;
    return block->status;
}

uint32_t block_count(const struct block *block)
{
    return block->count;
}

static struct column_reader column_of(struct block *block,
                                      struct block_ref *ref)
{
    struct column_reader column = {.arena = block->arena,
                                   .late = &block->status};

    if (block->status == OK && !ref->packed && !ref->checked) {
        if (checksum(ref->at, ref->len) != ref->checksum)
            block_fail(block, ERR_CORRUPT);
        ref->checked = true;
    }
    if (block->status == OK)
        column.bytes = byte_reader_over((struct slice){ref->at, ref->len});
    else
        byte_reader_fail(&column.bytes);
    return column;
}

/* Decompresses the packed columns and sets where each begins. */
static void unpack(struct block *block)
{
    struct column_reader column = column_of(block, &block->refs[0]);
    struct slice pack = column_blob(&column);

    block->unpacked = true;
    block_check(block, &column.bytes);
    for (uint32_t i = 1; i < block->ref_count && block->status == OK; i++) {
        struct block_ref *ref = &block->refs[i];

        if (!ref->packed)
            continue;
        if (ref->len > pack.len) {
            block_fail(block, ERR_CORRUPT);
            return;
        }
        ref->at = pack.ptr;
        pack = slice_from(pack, ref->len);
    }
}

/* The index of the first column with this id or a greater one. */
static uint32_t find_column(const struct block *block, uint32_t id)
{
    uint32_t low = 0, high = block->ref_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (block->refs[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool block_has_column(const struct block *block, uint32_t id)
{
    uint32_t at = find_column(block, id);

    return at < block->ref_count && block->refs[at].id == id;
}

struct column_reader block_column(struct block *block, uint32_t id)
{
    uint32_t at = find_column(block, id);

    if (at == block->ref_count || block->refs[at].id != id) {
        block_fail(block, ERR_CORRUPT);
        at = 0; /* any: the block has failed */
    }
    if (block->refs[at].packed && !block->unpacked)
        unpack(block);
    return column_of(block, &block->refs[at]);
}

bool block_check(struct block *block, const struct byte_reader *bytes)
{
    if (bytes->bad)
        block_fail(block, column_status(bytes, block->arena));
    return block->status == OK;
}

struct ints *block_ints(struct block *block, uint32_t id, uint32_t count)
{
    struct ints *ints = block->ints[id];

    if (!ints) {
        ints = block_alloc(block, 1, sizeof(*ints));
        if (!ints)
            return &block->no_ints;
        struct column_reader in = block_column(block, id);

        column_ints(&in, count, ints);
        block_check(block, &in.bytes);
        block->ints[id] = ints;
    }
    return ints;
}

struct texts *block_texts(struct block *block, uint32_t id, uint32_t count)
{
    struct texts *texts = block->texts[id];

    if (!texts) {
        texts = block_alloc(block, 1, sizeof(*texts));
        if (!texts)
            return &block->no_texts;
        struct column_reader in = block_column(block, id);

        column_texts(&in, count, texts);
        block_check(block, &in.bytes);
        block->texts[id] = texts;
    }
    return texts;
}
