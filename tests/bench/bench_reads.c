/*
 * Fills a data directory for bench.py's section "reads", without a server: so
 * ten million spans take half a minute.
 *
 *   bench_reads DIR spans N    traces of 8 spans over 12 components, in 24 h up
 *                              to now; their spans come in requests of one
 *                              component, so a trace lies in several blocks
 *   bench_reads DIR dense N    the same in 20 min
 *   bench_reads DIR trace N    one trace of N spans, 00...01, in 10 min
 *   bench_reads DIR logs N     log records; "refused" and "upstream" are in
 *                              many lines, both in one of 5000
 *
 * Without arguments (make bench) it does nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "store.h"

enum { COMPONENTS = 12, TRACE_SPANS = 8, BATCH = 512 };

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

static void fill_id(uint8_t *id, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t v = random64() | 1;

        memcpy(id + i, &v, 8);
    }
}

/* ---- who sends ---- */

static const char *const names[COMPONENTS] = {
    "web",      "cart", "search",    "checkout", "payment", "inventory",
    "shipping", "user", "recommend", "price",    "mail",    "billing"};

static void save_components(struct store *store)
{
    for (uint32_t i = 0; i < COMPONENTS; i++) {
        const struct identity identity = {.id = i,
                                          .rule = RULE_STAMPED,
                                          .namespace = SLICE("acme"),
                                          .project = SLICE("shop"),
                                          .component = slice_of(names[i]),
                                          .environment = SLICE("prod")};
        const struct attr attr = {.key = "service.name",
                                  .key_len = 12,
                                  .type = VALUE_STRING,
                                  .str = names[i],
                                  .len = (uint32_t)strlen(names[i])};
        const struct resource resource = {.attrs = {&attr, 1, 0}, .id = i};

        metadata_save_identity(store_metadata(store), &identity);
        metadata_save_resource(store_metadata(store), i, i, i, &resource);
    }
}

/* ---- requests, one of each component at a time ---- */

struct sender {
    struct store *store;
    struct batch *open[COMPONENTS];
    uint64_t lsn;
    enum signal signal;
};

static void flush(struct sender *s, uint32_t component)
{
    struct batch *batch = s->open[component];

    s->open[component] = NULL;
    if (!batch)
        return;
    batch->lsn = ++s->lsn;
    store_append(s->store, batch);
}

static struct batch *batch_of(struct sender *s, uint32_t component)
{
    struct batch *batch = s->open[component];

    if (batch && batch->count == BATCH) {
        flush(s, component);
        batch = NULL;
    }
    if (batch)
        return batch;
    batch = batch_new(s->signal, NULL, 0, NULL);
    batch->received_ns = clock_wall_ns();
    if (s->signal == SIGNAL_SPANS)
        batch->spans = arena_zero(&batch->arena, BATCH, sizeof(struct span));
    else
        batch->logs =
            arena_zero(&batch->arena, BATCH, sizeof(struct log_record));
    return s->open[component] = batch;
}

static struct slice text(struct batch *batch, const char *pattern,
                         uint32_t number)
{
    char line[128];
    int len = snprintf(line, sizeof(line), "%s %" PRIu32, pattern, number);

    return arena_copy(&batch->arena, (struct slice){line, (size_t)len});
}

/* ---- records ---- */

static struct span *add_span(struct sender *s, uint32_t component,
                             const uint8_t trace[16], uint64_t start_ns)
{
    struct batch *batch = batch_of(s, component);
    struct span *span = &batch->spans[batch->count++];
    struct attr *attr = arena_zero(&batch->arena, 1, sizeof(*attr));
    struct slice url = text(batch, "/items", below(1000));

    *attr = (struct attr){.key = "url.path",
                          .key_len = 8,
                          .type = VALUE_STRING,
                          .str = url.ptr,
                          .len = (uint32_t)url.len};
    memcpy(span->trace_id, trace, 16);
    fill_id(span->span_id, 8);
    span->start_ns = start_ns;
    span->end_ns = start_ns + (1 + below(2000)) * 10 * NS_PER_US;
    span->name = SLICE("GET /items/{id}");
    span->operation = span->name;
    span->endpoint = SLICE("http");
    span->kind = SPAN_SERVER;
    span->status = below(200) ? SPAN_UNSET : SPAN_ERROR;
    span->resource_id = component;
    span->attrs = (struct attrs){attr, 1, 0};
    return span;
}

static void add_spans(struct sender *s, uint64_t count, uint64_t end_ns,
                      uint64_t range_ns)
{
    uint64_t traces = count / TRACE_SPANS;

    for (uint64_t t = 0; t < traces; t++) {
        uint64_t start = end_ns - range_ns + range_ns / traces * t;
        uint8_t trace[16], parent[8] = {0};

        fill_id(trace, 16);
        for (uint32_t i = 0; i < TRACE_SPANS; i++) {
            struct span *span = add_span(s, i ? below(COMPONENTS) : 0, trace,
                                         start + i * NS_PER_MS);

            memcpy(span->parent_span_id, parent, 8);
            memcpy(parent, span->span_id, 8);
        }
    }
}

static void add_trace(struct sender *s, uint64_t count, uint64_t end_ns)
{
    const uint8_t trace[16] = {[15] = 1};
    uint8_t root[8] = {0};

    for (uint64_t i = 0; i < count; i++) {
        struct span *span =
            add_span(s, (uint32_t)(i % COMPONENTS), trace,
                     end_ns - 10 * NS_PER_MIN + 10 * NS_PER_MIN / count * i);

        memcpy(span->parent_span_id, root, 8);
        if (i == 0)
            memcpy(root, span->span_id, 8);
    }
}

static const char *body_of(void)
{
    static const char *const lines[] = {
        "level=info msg=\"order placed\" id=",
        "level=info msg=\"request served\" status=200 took=",
        "level=debug cache miss for product",
        "level=warn retrying upstream call, attempt",
        "level=error connection refused by peer",
        "level=info user logged in, session",
    };

    return below(5000) == 0 ? "level=error upstream refused the connection"
                            : lines[below(6)];
}

static void add_logs(struct sender *s, uint64_t count, uint64_t end_ns)
{
    for (uint64_t i = 0; i < count; i++) {
        uint32_t component = below(COMPONENTS);
        struct batch *batch = batch_of(s, component);
        struct log_record *log = &batch->logs[batch->count++];
        struct slice body = text(batch, body_of(), below(100000));

        log->time_ns = end_ns - NS_PER_DAY + NS_PER_DAY / count * i;
        log->observed_ns = log->time_ns;
        log->resource_id = component;
        log->severity = 9;
        log->level = LEVEL_INFO;
        log->body = (struct attr){.key = "",
                                  .type = VALUE_STRING,
                                  .str = body.ptr,
                                  .len = (uint32_t)body.len};
        if (below(2))
            fill_id(log->trace_id, 16);
    }
}

int main(int argc, char **argv)
{
    struct sender s = {.lsn = 0};
    struct store_options options = {.block_spans = 16384,
                                    .block_logs = 16384,
                                    .memtable_bytes = 16 << 20,
                                    .memtable_age_ns = NS_PER_HOUR,
                                    .query_bytes = 64 << 20};
    uint64_t count, now = clock_wall_ns();

    if (argc != 4)
        return 0;
    options.dir = argv[1];
    count = strtoull(argv[3], NULL, 10);
    s.signal = strcmp(argv[2], "logs") == 0 ? SIGNAL_LOGS : SIGNAL_SPANS;
    if (store_open(&s.store, &options) != OK)
        return 1;
    save_components(s.store);
    if (s.signal == SIGNAL_LOGS)
        add_logs(&s, count, now);
    else if (strcmp(argv[2], "trace") == 0)
        add_trace(&s, count, now);
    else
        add_spans(&s, count, now,
                  strcmp(argv[2], "dense") == 0 ? 20 * NS_PER_MIN : NS_PER_DAY);
    for (uint32_t i = 0; i < COMPONENTS; i++)
        flush(&s, i);
    store_close(s.store);
    return 0;
}
