/*
 * What a block costs: nanoseconds to write a record, bytes on disk, time to
 * find a trace and to search. The records are the shop's.
 *
 *   bench_block [spans|logs] [rounds]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "attr_hash.h"
#include "block.h"
#include "shop_batches.h"

enum { ROWS = 16384, PER_REQUEST = 500 };

static uint64_t state = 88172645463325252;

static uint64_t random64(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(2685821657736338717);
}

static uint32_t below(uint32_t bound)
{
    return (uint32_t)((random64() >> 32) * bound >> 32);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The correlator gives each resource a number. */
static uint32_t resource_id(const struct resource *resource)
{
    return 1 + (uint32_t)(attrs_hash(&resource->attrs) % 65521);
}

/* The first ROWS spans, as they came. */
static struct shop_batches make_spans(const struct span **order)
{
    struct shop_batches made =
        shop_batches_make(SIGNAL_SPANS, ROWS, PER_REQUEST, false);

    for (size_t b = 0, row = 0; row < ROWS; b++)
        for (uint32_t i = 0; i < made.at[b]->count && row < ROWS; i++) {
            struct span *span = &made.at[b]->spans[i];

            span->resource_id = resource_id(span->resource);
            order[row++] = span;
        }
    return made;
}

static struct shop_batches make_logs(const struct log_record **order)
{
    struct shop_batches made =
        shop_batches_make(SIGNAL_LOGS, ROWS, PER_REQUEST, false);

    for (size_t b = 0, row = 0; row < ROWS; b++)
        for (uint32_t i = 0; i < made.at[b]->count && row < ROWS; i++) {
            struct log_record *log = &made.at[b]->logs[i];

            log->resource_id = resource_id(log->resource);
            order[row++] = log;
        }
    return made;
}

static void report(const char *what, uint64_t ns, uint32_t rounds, uint32_t per,
                   const char *unit)
{
    printf("%-28s %10.1f %s\n", what, (double)ns / rounds / per, unit);
}

static void read_trace(struct slice bytes, const struct span *wanted)
{
    struct arena arena;
    struct block *block;
    uint32_t first, count;

    arena_init(&arena, NULL, SIZE_MAX);
    if (block_open(&block, bytes, &arena) != OK ||
        block_find_trace(block, wanted->trace_id, &first, &count) != OK)
        abort();
    for (uint32_t row = first; row < first + count; row++) {
        struct span span;

        if (block_read_span(block, row, true, &span) != OK)
            abort();
    }
    arena_release(&arena);
}

/* Writes the same records again and again; the block is of the last time. */
static void bench_write(const char *what, const void *order, bool are_spans,
                        uint32_t rounds, struct buf *block)
{
    const void **at = calloc(ROWS, sizeof(*at));
    struct block_writer *writer = block_writer_new();
    uint64_t took = UINT64_MAX, total = 0;
    struct block_meta meta;
    struct buf summary;
    char line[64];

    buf_init(block, SIZE_MAX);
    buf_init(&summary, SIZE_MAX);
    for (uint32_t i = 0; i < rounds; i++) {
        enum status status;
        uint64_t begin;

        memcpy(at, order, ROWS * sizeof(*at));
        buf_reset(block);
        buf_reset(&summary);
        begin = now_ns();
        status = are_spans
                     ? block_write_spans(writer, (const struct span **)at, ROWS,
                                         block, &summary, &meta)
                     : block_write_logs(writer, (const struct log_record **)at,
                                        ROWS, block, &summary, &meta);
        if (status != OK)
            abort();
        begin = now_ns() - begin;
        took = begin < took ? begin : took;
        total += begin;
    }
    snprintf(line, sizeof(line), "%s written, best", what);
    report(line, took, 1, ROWS, "ns");
    snprintf(line, sizeof(line), "%s written, mean", what);
    report(line, total, rounds, ROWS, "ns");
    snprintf(line, sizeof(line), "%s on disk", what);
    printf("%-28s %10.2f bytes, summary %zu bytes\n", line,
           (double)block->len / ROWS, summary.len);
    block_writer_free(writer);
    buf_release(&summary);
    free(at);
}

static void bench_spans(uint32_t rounds)
{
    const struct span **order = calloc(ROWS, sizeof(*order));
    struct shop_batches made = make_spans(order);
    struct buf block;
    uint64_t begin;

    bench_write("span", order, true, rounds, &block);
    begin = now_ns();
    for (uint32_t i = 0; i < 10 * rounds; i++)
        read_trace(buf_slice(&block), order[below(ROWS)]);
    report("trace read", now_ns() - begin, 10 * rounds, 1000, "us");
    begin = now_ns();
    for (uint32_t i = 0; i < rounds; i++) {
        struct arena reading;
        struct block *opened;
        struct block_trace *traces;
        uint32_t count;
        struct attr_match wish = {SLICE("http.response.status_code"),
                                  SLICE("404")};
        struct trace_query query = {
            .end_ns = UINT64_MAX, .attrs = &wish, .attr_count = i & 1};

        arena_init(&reading, NULL, SIZE_MAX);
        if (block_open(&opened, buf_slice(&block), &reading) != OK ||
            block_traces(opened, &query, &traces, &count) != OK)
            abort();
        arena_release(&reading);
    }
    report("traces listed", now_ns() - begin, rounds, 1000, "us");
    buf_release(&block);
    shop_batches_free(&made);
    free(order);
}

static void search(struct slice bytes, const struct log_query *query,
                   const char *what, uint32_t rounds)
{
    uint64_t begin = now_ns(), matches = 0;

    for (uint32_t i = 0; i < rounds; i++) {
        struct arena arena;
        struct block *block;
        uint64_t *rows;

        arena_init(&arena, NULL, SIZE_MAX);
        if (block_open(&block, bytes, &arena) != OK ||
            block_match_logs(block, query, &rows, &matches) != OK)
            abort();
        arena_release(&arena);
    }
    printf("%-28s %10.1f us, %llu matches\n", what,
           (double)(now_ns() - begin) / rounds / 1000,
           (unsigned long long)matches);
}

static void bench_search(struct slice bytes, uint32_t rounds)
{
    struct slice words[2] = {SLICE("search"), SLICE("results")};
    struct log_query query = {.end_ns = UINT64_MAX};

    search(bytes, &query, "all rows", rounds);
    query.words = words;
    query.word_count = 2;
    search(bytes, &query, "two words", rounds);
    query.word_count = 0;
    query.phrase = SLICE("read in");
    search(bytes, &query, "phrase in constant text", rounds);
    query.phrase = SLICE("user 7");
    search(bytes, &query, "phrase over a variable", rounds);
    query.phrase = SLICE("12345");
    search(bytes, &query, "phrase in variables", rounds);
    query.phrase = SLICE("deadlock");
    search(bytes, &query, "phrase that is not there", rounds);
    query.phrase = SLICE("");
    words[0] = SLICE("4711");
    query.word_count = 1;
    search(bytes, &query, "number as a word", rounds);
}

static void read_logs(struct slice bytes, uint32_t rounds)
{
    uint64_t begin = now_ns();

    for (uint32_t i = 0; i < rounds; i++) {
        struct arena arena;
        struct block *block;
        struct log_record log;

        arena_init(&arena, NULL, SIZE_MAX);
        if (block_open(&block, bytes, &arena) != OK)
            abort();
        for (int k = 0; k < 100; k++)
            if (block_read_log(block, below(ROWS), &log) != OK)
                abort();
        arena_release(&arena);
    }
    report("100 records read", now_ns() - begin, rounds, 1000, "us");
}

static void bench_logs(uint32_t rounds)
{
    const struct log_record **order = calloc(ROWS, sizeof(*order));
    struct shop_batches made = make_logs(order);
    struct buf block;

    bench_write("log record", order, false, rounds, &block);
    read_logs(buf_slice(&block), rounds);
    bench_search(buf_slice(&block), rounds);
    buf_release(&block);
    shop_batches_free(&made);
    free(order);
}

int main(int argc, char **argv)
{
    uint32_t rounds = argc > 2 ? (uint32_t)atoi(argv[2]) : 20;
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "logs") != 0)
        bench_spans(rounds);
    if (strcmp(what, "spans") != 0)
        bench_logs(rounds);
    return 0;
}
