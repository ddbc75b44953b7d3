/*
 * What a block costs: nanoseconds to write a record, bytes on disk, time to
 * find a trace and to search. The records are those of a dozen HTTP services:
 * server, client and database spans, log lines of thirty kinds, half of them
 * with a trace. bench_block [spans|logs] [rounds]
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arena.h"
#include "block.h"

enum { ROWS = 16384, SERVICES = 12, BATCH = 512 };

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

static struct slice format(struct arena *arena, const char *pattern, ...)
    __attribute__((format(printf, 2, 3)));

/* In the arena, next to what came before, as in a request. */
static struct slice format(struct arena *arena, const char *pattern, ...)
{
    char text[256];
    va_list args;
    int len;

    va_start(args, pattern);
    len = vsnprintf(text, sizeof(text), pattern, args);
    va_end(args);
    return arena_copy(arena, (struct slice){text, (size_t)len});
}

static void fill_id(uint8_t *id, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t v = random64();

        memcpy(id + i, &v, 8);
    }
}

static void set_text(struct arena *arena, struct attr *attr, const char *key,
                     struct slice text)
{
    struct slice copy = arena_copy(arena, slice_of(key));
    *attr = (struct attr){.key = copy.ptr,
                          .key_len = (uint16_t)copy.len,
                          .str = text.ptr,
                          .len = (uint32_t)text.len,
                          .type = VALUE_STRING};
}

static void set_int(struct arena *arena, struct attr *attr, const char *key,
                    int64_t v)
{
    struct slice copy = arena_copy(arena, slice_of(key));

    *attr = (struct attr){.key = copy.ptr,
                          .key_len = (uint16_t)copy.len,
                          .i = v,
                          .type = VALUE_INT};
}

static const char *const methods[] = {"GET", "GET", "GET", "POST", "PUT"};
static const char *const things[] = {"orders", "users", "carts", "items"};
static const char *const agents[] = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15",
    "okhttp/4.12.0", "Go-http-client/1.1", "python-requests/2.31.0"};

static uint64_t duration(void)
{
    return (uint64_t)200000 << below(9) | random64() % 100000;
}

static uint32_t status_code(void)
{
    return below(50) ? 200 : below(2) ? 500 : 404;
}

static void server_span(struct arena *arena, struct span *span,
                        uint32_t service)
{
    uint32_t method = below(5), thing = below(4);
    struct attr *at = arena_zero(arena, 10, sizeof(*at));
    uint32_t code = status_code();

    span->kind = SPAN_SERVER;
    span->name =
        format(arena, "%s /api/%s/{id}", methods[method], things[thing]);
    span->operation = span->name;
    span->endpoint = arena_copy(arena, SLICE("http"));
    set_text(arena, &at[0], "http.request.method",
             format(arena, "%s", methods[method]));
    set_text(arena, &at[1], "http.route",
             format(arena, "/api/%s/{id}", things[thing]));
    set_text(arena, &at[2], "url.path",
             format(arena, "/api/%s/%u", things[thing], below(100000)));
    set_text(arena, &at[3], "url.scheme", format(arena, "http"));
    set_int(arena, &at[4], "http.response.status_code", code);
    set_text(arena, &at[5], "server.address",
             format(arena, "service-%u", service));
    set_int(arena, &at[6], "server.port", 8080);
    set_text(arena, &at[7], "user_agent.original",
             format(arena, "%s", agents[below(5)]));
    set_text(arena, &at[8], "network.protocol.version", format(arena, "1.1"));
    set_text(arena, &at[9], "client.address",
             format(arena, "10.1.%u.%u", below(4), below(250)));
    span->attrs = (struct attrs){at, 10, 0};
    span->status = code == 500 ? SPAN_ERROR : SPAN_UNSET;
}

static void client_span(struct arena *arena, struct span *span,
                        uint32_t service)
{
    uint32_t method = below(5), thing = below(4);
    struct attr *at = arena_zero(arena, 6, sizeof(*at));

    (void)service;
    span->kind = SPAN_CLIENT;
    span->name = arena_copy(arena, slice_of(methods[method]));
    set_text(arena, &at[0], "http.request.method",
             format(arena, "%s", methods[method]));
    set_text(arena, &at[1], "url.full",
             format(arena, "http://service-%u.shop.svc:8080/api/%s/%u",
                    below(SERVICES), things[thing], below(100000)));
    set_int(arena, &at[2], "http.response.status_code", status_code());
    set_text(arena, &at[3], "server.address",
             format(arena, "service-%u.shop.svc", below(SERVICES)));
    set_int(arena, &at[4], "server.port", 8080);
    set_text(arena, &at[5], "peer.service",
             format(arena, "service-%u", below(SERVICES)));
    span->attrs = (struct attrs){at, 6, 0};
}

static void db_span(struct arena *arena, struct span *span, uint32_t service)
{
    uint32_t thing = below(4);
    struct attr *at = arena_zero(arena, 7, sizeof(*at));

    (void)service;
    span->kind = SPAN_CLIENT;
    span->name = format(arena, "SELECT shop.%s", things[thing]);
    set_text(arena, &at[0], "db.system.name", format(arena, "postgresql"));
    set_text(arena, &at[1], "db.namespace", format(arena, "shop"));
    set_text(arena, &at[2], "db.query.text",
             format(arena,
                    "SELECT id, name, price FROM %s WHERE id = $1 AND "
                    "deleted_at IS NULL LIMIT %u",
                    things[thing], 10 * below(5)));
    set_text(arena, &at[3], "db.collection.name",
             format(arena, "%s", things[thing]));
    set_text(arena, &at[4], "server.address",
             format(arena, "postgres.shop.svc"));
    set_int(arena, &at[5], "server.port", 5432);
    set_int(arena, &at[6], "db.response.returned_rows", below(20));
    span->attrs = (struct attrs){at, 7, 0};
}

/* Traces of 14 spans; each service exports its own batches, so the spans of a
 * trace come apart. */
static void make_spans(struct arena *arena, struct span *spans,
                       const struct span **order)
{
    uint64_t time = 1700000000000000000;
    static const struct scope scopes[3] = {
        {.name = {"otel.http.server", 16}, .version = {"0.49.1", 6}},
        {.name = {"otel.http.client", 16}, .version = {"0.49.1", 6}},
        {.name = {"otel.pg", 7}, .version = {"0.40.0", 6}}};

    for (uint32_t i = 0; i < ROWS; i++) {
        struct span *span = &spans[i], *first = &spans[i - i % 14];
        uint32_t service = below(SERVICES);

        fill_id(span->span_id, 8);
        if (i % 14 == 0) {
            fill_id(span->trace_id, 16);
            time += 1000000 + below(20000000);
            span->start_ns = time;
        } else {
            struct span *parent = first + below(i % 14);

            memcpy(span->trace_id, first->trace_id, 16);
            memcpy(span->parent_span_id, parent->span_id, 8);
            span->start_ns = spans[i - 1].start_ns + below(3000000);
        }
        span->end_ns = span->start_ns + duration();
        span->resource_id = service * 3 + below(3);
        span->flags = 0x101;
        switch (i % 14 == 0 ? 0 : below(3)) {
        case 0:
            server_span(arena, span, service);
            break;
        case 1:
            client_span(arena, span, service);
            break;
        default:
            db_span(arena, span, service);
        }
        span->scope = &scopes[span->kind == SPAN_SERVER ? 0
                              : span->attrs.count == 7  ? 2
                                                        : 1];
    }
    for (uint32_t i = 0; i < ROWS; i++)
        order[i] = &spans[i];
    for (uint32_t i = 0; i + 1 < ROWS; i++) { /* apart, by some batches */
        uint32_t to = i + below(ROWS - i < 2000 ? ROWS - i : 2000);
        const struct span *swap = order[i];

        order[i] = order[to];
        order[to] = swap;
    }
}

static struct slice line(struct arena *arena, uint32_t kind)
{
    uint32_t id = below(1000000), ms = below(500), n = below(20);
    uint64_t hex = random64();

    switch (kind % 10) {
    case 0:
        return format(arena,
                      "%s /api/%s/%u completed with status %u in %u ms "
                      "(user %u, kind %c)",
                      methods[below(5)], things[below(4)], id, status_code(),
                      ms, below(5000), 'a' + (char)(kind / 10));
    case 1:
        return format(arena,
                      "payment authorised for order %u amount %u.%02u EUR "
                      "reference %016llx via gateway stage %c",
                      id, n, below(100), (unsigned long long)hex,
                      'a' + (char)(kind / 10));
    case 2:
        return format(arena,
                      "cache lookup key=product:%u hit=%s latency_us=%u "
                      "shard=%u region %c",
                      id, below(2) ? "true" : "false", ms, n,
                      'a' + (char)(kind / 10));
    case 3:
        return format(arena,
                      "connection to postgres.shop.svc:5432 took %u ms, pool "
                      "%u/20 in use, waiting %u, group %c",
                      ms, n, below(3), 'a' + (char)(kind / 10));
    case 4:
        return format(arena,
                      "timeout while calling service-%u after %u ms, attempt "
                      "%u of 3, will retry with backoff %c",
                      below(SERVICES), 1000 + ms, 1 + below(3),
                      'a' + (char)(kind / 10));
    case 5:
        return format(arena,
                      "published message %08x to topic orders partition %u "
                      "offset %u batch %c",
                      (unsigned)hex, n, id, 'a' + (char)(kind / 10));
    case 6:
        return format(arena,
                      "user %u logged in from 10.%u.%u.%u using password, "
                      "session %c",
                      below(5000), below(4), below(200), below(250),
                      'a' + (char)(kind / 10));
    case 7:
        return format(arena,
                      "inventory of item %u is now %u after reservation by "
                      "order %u in warehouse %c",
                      id % 2000, n, id, 'a' + (char)(kind / 10));
    case 8:
        return format(arena, "health check passed, all dependencies up %c",
                      'a' + (char)(kind / 10));
    default:
        return format(arena,
                      "garbage collection finished in %u.%u ms, heap %u MiB, "
                      "promoted %u objects, generation %c",
                      n, below(10), 100 + ms, id % 9000,
                      'a' + (char)(kind / 10));
    }
}

static void make_logs(struct arena *arena, struct log_record *logs,
                      const struct log_record **order)
{
    uint64_t time = 1700000000000000000;
    uint8_t trace[64][24];
    static const struct scope scope = {.name = {"app.logger", 10}};

    for (int i = 0; i < 64; i++)
        fill_id(trace[i], 24);
    for (uint32_t i = 0; i < ROWS; i++) {
        struct log_record *log = &logs[i];
        struct slice text = line(arena, below(30));
        struct attr *at = arena_zero(arena, 2, sizeof(*at));
        uint32_t level = below(20);

        time += 100000 + below(400000);
        log->time_ns = time;
        log->observed_ns = time + 1000 * below(300);
        if (below(2)) { /* three lines of a span or so */
            uint32_t k = below(64);

            memcpy(log->trace_id, trace[k], 16);
            memcpy(log->span_id, trace[k] + 16, 8);
            if (below(3) == 0)
                fill_id(trace[k] + 16, 8);
            if (below(12) == 0)
                fill_id(trace[k], 24);
            log->flags = 1;
        }
        log->body = (struct attr){.key = "",
                                  .str = text.ptr,
                                  .len = (uint32_t)text.len,
                                  .type = VALUE_STRING};
        log->severity = level == 0 ? 17 : level < 3 ? 13 : 9;
        log->level = (uint8_t)((log->severity - 1) / 4 + 1);
        log->severity_text = level == 0  ? SLICE("ERROR")
                             : level < 3 ? SLICE("WARN")
                                         : SLICE("INFO");
        set_text(arena, &at[0], "logger.name",
                 format(arena, "shop.module%u", below(9)));
        set_text(arena, &at[1], "thread.name",
                 format(arena, "worker-%u", below(16)));
        log->attrs = (struct attrs){at, 2, 0};
        log->resource_id = below(SERVICES * 3);
        log->scope = &scope;
        order[i] = log;
    }
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
    struct arena arena;
    struct span *spans = calloc(ROWS, sizeof(*spans));
    const struct span **order = calloc(ROWS, sizeof(*order));
    struct buf block;
    uint64_t begin;

    arena_init(&arena, NULL, SIZE_MAX);
    make_spans(&arena, spans, order);
    bench_write("span", order, true, rounds, &block);
    begin = now_ns();
    for (uint32_t i = 0; i < 10 * rounds; i++)
        read_trace(buf_slice(&block), &spans[below(ROWS)]);
    report("trace of 14 read", now_ns() - begin, 10 * rounds, 1000, "us");
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
    arena_release(&arena);
    free(spans);
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
    struct slice words[2] = {SLICE("timeout"), SLICE("retry")};
    struct log_query query = {.end_ns = UINT64_MAX};

    search(bytes, &query, "all rows", rounds);
    query.words = words;
    query.word_count = 2;
    search(bytes, &query, "two words", rounds);
    query.word_count = 0;
    query.phrase = SLICE("calling service");
    search(bytes, &query, "phrase in constant text", rounds);
    query.phrase = SLICE("service-7 after");
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
    struct arena arena;
    struct log_record *logs = calloc(ROWS, sizeof(*logs));
    const struct log_record **order = calloc(ROWS, sizeof(*order));
    struct buf block;

    arena_init(&arena, NULL, SIZE_MAX);
    make_logs(&arena, logs, order);
    bench_write("log record", order, false, rounds, &block);
    read_logs(buf_slice(&block), rounds);
    bench_search(buf_slice(&block), rounds);
    buf_release(&block);
    arena_release(&arena);
    free(logs);
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
