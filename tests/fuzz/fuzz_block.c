/*
 * Any bytes as a block and as a summary. The first byte picks what is done;
 * what follows is the block. Checksums would keep nearly all inputs from
 * getting anywhere, so they are recomputed first, as an attacker would.
 */
#include <stdlib.h>

#include "block.h"
#include "block_file.h"

static void put_u32(uint8_t *to, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t sum(const void *bytes, size_t len)
{
    return (uint32_t)hash_bytes(bytes, len, 1);
}

static uint64_t varint(const uint8_t **at, const uint8_t *end)
{
    uint64_t v = 0;

    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;

        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return v;
}

static void mend_columns(uint8_t *bytes, size_t len, size_t directory)
{
    const uint8_t *at = bytes + 20, *end = at + directory;
    size_t column = 20 + directory;

    while (at < end) {
        uint64_t size;

        varint(&at, end);
        size = varint(&at, end);
        if (size & 1)
            continue;
        size >>= 1;
        if (end - at < 4 || size > len - column)
            return;
        put_u32(bytes + (at - bytes), sum(bytes + column, size));
        at += 4;
        column += size;
    }
}

static void mend(uint8_t *bytes, size_t len)
{
    size_t directory;

    if (len < 20)
        return;
    directory = (size_t)bytes[12] | (size_t)bytes[13] << 8;
    if (directory > len - 20)
        directory = len - 20;
    put_u32(bytes + 12, (uint32_t)directory);
    bytes[10] &= 1; /* 130,000 rows are enough */
    bytes[11] = 0;
    mend_columns(bytes, len, directory);
    put_u32(bytes + 16, sum(bytes, 16) ^ sum(bytes + 20, directory));
}

static void use_logs(struct block *block, unsigned choice)
{
    struct attr_match attr = {SLICE("key.1"), SLICE("5")};
    struct slice words[] = {SLICE("order"), SLICE("7")};
    struct log_query query = {.end_ns = UINT64_MAX};
    struct log_record log;
    uint8_t trace_id[16];
    uint64_t *rows, matches;
    const uint64_t *times, *arrivals;

    if (choice & 16) /* else times are not looked at */
        query.start_ns = 1;

    if (choice & 1)
        query.phrase = SLICE("1 f");
    if (choice & 2) {
        query.words = words;
        query.word_count = 2;
    }
    if (choice & 4) {
        query.attrs = &attr;
        query.attr_count = 1;
    }
    if (choice & 8)
        query.levels = 8;
    if (block_match_logs(block, &query, &rows, &matches) != OK ||
        block_times(block, &times) != OK ||
        block_arrivals(block, &arrivals) != OK)
        return;
    for (uint32_t row = 0; row < block_count(block); row++)
        matches += times[row] + arrivals[row];
    for (uint32_t row = 0; row < block_count(block) && row < 500; row++)
        if (block_log_trace_id(block, row, trace_id) != OK ||
            block_read_log_brief(block, row, &log) != OK ||
            block_read_log(block, row, &log) != OK)
            return;
}

static void skip_span(void *arg, const struct span *span)
{
    (void)arg;
    (void)span;
}

static void use_spans(struct block *block, unsigned choice)
{
    struct attr_match attr = {SLICE("key.1"), SLICE("5")};
    struct trace_query query = {.end_ns = UINT64_MAX};
    uint64_t some = 0xff;
    struct bitmap resources = {.words = &some, .limit = 64};
    /* The early half of the traces, and late ones. */
    struct sample_range ranges[] = {
        {0, UINT64_C(1) << 60, SAMPLE_ALL / 2},
        {UINT64_C(1) << 61, UINT64_MAX, SAMPLE_ALL}};
    struct sample_query sample = {.ranges = ranges,
                                  .range_count = 2,
                                  .resources = &resources,
                                  .attrs = choice & 4,
                                  .kinds = choice & 8 ? 1u << SPAN_SERVER : 0};
    struct block_trace *traces;
    struct span span;
    uint32_t count;
    const uint8_t *ids;

    if (choice & 1)
        query.operation = SLICE("op1");
    if (choice & 2) {
        query.attrs = &attr;
        query.attr_count = 1;
    }
    if (block_traces(block, &query, &traces, &count) != OK ||
        block_sample_traces(block, &sample, &traces, &count) != OK ||
        block_span_ids(block, &ids) != OK)
        return;
    if (block_count(block) > 0 && memcmp(ids, "12345678", 8) == 0)
        return;
    for (uint32_t i = 0; i < count && i < 100; i++)
        if (block_visit_sample(block, &sample, &traces[i], skip_span, NULL) !=
            OK)
            return;
    for (uint32_t row = 0; row < block_count(block) && row < 500; row++)
        if (block_read_span(block, row, true, &span) != OK)
            return;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct block *block;
    uint8_t *copy;
    uint64_t counts[LEVEL_COUNT];
    struct slice bytes;

    if (size < 2)
        return 0;
    copy = malloc(size - 1); /* exactly as large, so that ASan sees its end */
    memcpy(copy, data + 1, size - 1);
    bytes = (struct slice){(const char *)copy, size - 1};
    arena_init(&arena, NULL, 64 << 20);
    if (size > 7) {
        struct slice summary = {bytes.ptr, bytes.len};

        put_u32(copy, (uint32_t)hash_bytes(copy + 4, size - 5, 0));
        summary_counts(summary, NULL, counts);
        summary_may_have_word(summary, SLICE("order"));
        summary_may_have_phrase(summary, SLICE("order 7 failed"));
        memcpy(copy, data + 1, size - 1);
    }
    if (data[0] & 16)
        mend(copy, size - 1);
    if (block_open(&block, bytes, &arena) == OK) {
        if (block->kind == BLOCK_LOGS)
            use_logs(block, data[0]);
        else
            use_spans(block, data[0]);
    }
    arena_release(&arena);
    free(copy);
    return 0;
}
