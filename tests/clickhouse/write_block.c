/*
 * Writes one block of requests into ClickHouse, as an instance would: for tests
 * that read the rows with SQL.
 *
 *   write_block URL TOKEN NOW [ITEM...]
 *
 * Items are taken in their order:
 *   tables                 makes the tables first
 *   spans|logs|metrics:OFFSET:FILE   a request in protobuf, arrived at NOW (ns)
 *   letter:OFFSET:FILE     a message that cannot be decoded
 *   derived:MINUTE         derived points of two series in this minute
 *   checkpoint:OFFSET:FILE the state after the block
 *   load:OFFSET            prints the state at this offset instead of writing
 *   empty                  nothing
 *
 * Prints the status of the write, and rows. Resources have the namespace
 * "acme", and for a component the value of service.name; the key of a resource
 * is a hash of its attributes. Log records named "event" are events. Topic
 * "signals", partition 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "attr_hash.h"
#include "ch_block.h"
#include "ch_migrate.h"
#include "clock.h"
#include "curl_api.h"
#include "dead_letter.h"
#include "derived.h"
#include "mem.h"
#include "otlp.h"

enum { PARTITION = 3, MOST_BYTES = 64 << 20, ANCHOR_OF_PEER = 4711 };
static const struct slice topic = SLICE_INIT("signals");

/* ---- resources ---- */

static struct known {
    uint64_t key;
    struct slice component;
} * known;
static uint32_t known_count, known_room;

/* Resources of batches live as long as the program. */
static uint32_t number_resource(const struct resource *resource)
{
    uint64_t key = attrs_hash(&resource->attrs);

    for (uint32_t i = 0; i < known_count; i++)
        if (known[i].key == key)
            return i;
    array_append(&known, known_count, &known_room);
    known[known_count] = (struct known){
        key, attrs_text(&resource->attrs, SLICE("service.name"))};
    return known_count++;
}

static bool describe(void *arg, uint32_t resource, struct arena *arena,
                     struct resource_names *out)
{
    (void)arg;
    (void)arena;
    if (resource >= known_count)
        return false;
    *out = (struct resource_names){.key = known[resource].key};
    out->identity.namespace = SLICE("acme");
    out->identity.project = SLICE("shop");
    out->identity.component = known[resource].component;
    out->identity.environment = SLICE("test");
    return true;
}

static uint64_t identity_anchor(void *arg, uint32_t identity)
{
    (void)arg;
    return ANCHOR_OF_PEER + identity;
}

static void tag_span(struct span *span)
{
    span->resource_id = number_resource(span->resource);
    span->endpoint = SLICE("http");
    span->operation = span->name;
}

static void tag_log(struct log_record *log)
{
    log->resource_id = number_resource(log->resource);
    log->level = (uint8_t)(log->severity > 0 ? (log->severity - 1) / 4 + 1 : 0);
    log->is_event = slice_equal(log->event_name, SLICE("event"));
}

static void tag(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->signal == SIGNAL_SPANS) {
            tag_span(&batch->spans[i]);
        } else if (batch->signal == SIGNAL_LOGS) {
            tag_log(&batch->logs[i]);
        } else {
            batch->points[i].resource_id =
                number_resource(batch->points[i].metric->resource);
        }
}

/* ---- items ---- */

static char *read_file(const char *path, size_t *len)
{
    char *bytes = mem_alloc(MOST_BYTES);
    FILE *file = fopen(path, "rb");

    if (!file) {
        fprintf(stderr, "write_block: no file %s\n", path);
        exit(2);
    }
    *len = fread(bytes, 1, MOST_BYTES, file);
    fclose(file);
    return bytes;
}

static void set_source(struct batch *batch, uint64_t offset)
{
    struct source_offset source = {.topic = topic,
                                   .partition = PARTITION,
                                   .offset = offset,
                                   .time_ms = batch->received_ns / NS_PER_MS};

    batch_set_source_offset(batch, &source);
}

static void add_request(struct store_block *block, enum signal signal,
                        uint64_t offset, const char *path, uint64_t now_ns)
{
    struct slice detail = {NULL, 0};
    size_t len;
    char *body = read_file(path, &len);
    struct batch *batch = batch_new(signal, body, len, NULL);

    batch->received_ns = now_ns;
    set_source(batch, offset);
    if (otlp_decode(batch, 0, &detail) != OK || batch->rejected > 0) {
        fprintf(stderr, "write_block: %s: %.*s %s\n", path, SLICE_ARGS(detail),
                batch->reason ? batch->reason : "");
        exit(2);
    }
    tag(batch);
    ch_block_add(block, batch);
}

static void add_letter(struct store_block *block, uint64_t offset,
                       const char *path, uint64_t now_ns)
{
    size_t len;
    char *bytes = read_file(path, &len);
    struct dead_letter letter = {
        .reason = SLICE("not a request"), .bytes = {bytes, len}, .size = len};
    struct batch *batch = dead_letter_new(SIGNAL_LOGS, &letter, NULL);

    batch->received_ns = now_ns;
    set_source(batch, offset);
    ch_block_add(block, batch);
    batch_free(batch);
    free(bytes);
}

/* Durations of requests and calls of a peer, errors of these. */
static void add_derived(struct store_block *block, uint64_t minute)
{
    static const struct metric metrics[] = {
        {.name = SLICE_INIT(DERIVED_DURATION),
         .type = METRIC_EXP_HISTOGRAM,
         .temporality = DELTA},
        {.name = SLICE_INIT(DERIVED_OUT_ERRORS),
         .type = METRIC_SUM,
         .temporality = DELTA,
         .monotonic = true}};
    static const uint64_t counts[] = {2, 0, 1};
    static const struct attr failed = {
        .key = DERIVED_ERROR, .b = true, .key_len = 5, .type = VALUE_BOOL};
    struct exemplar exemplars[2] = {{.time_ns = 60, .value = 0.25},
                                    {.time_ns = 61, .value = 0.5}};
    struct histogram histogram = {
        .count = 4,
        .sum = 1.5,
        .min = 0.25,
        .max = 0.75,
        .has_sum = true,
        .has_min = true,
        .has_max = true,
        .scale = 3,
        .zero_count = 1,
        .positive = {.counts = counts, .count = 3, .offset = -9}};
    struct attr served[] = {attr_string(DERIVED_ENDPOINT, SLICE("http")),
                            attr_string(DERIVED_OPERATION, SLICE("GET /"))};
    struct attr called[] = {attr_string(DERIVED_ENDPOINT, SLICE("http")),
                            {.key = DERIVED_PEER_ID,
                             .key_len = sizeof(DERIVED_PEER_ID) - 1,
                             .i = 7,
                             .type = VALUE_INT}};
    struct point points[] = {{.metric = &metrics[0],
                              .attrs = {served, 2, 0},
                              .histogram = &histogram,
                              .exemplars = exemplars,
                              .exemplar_count = 2},
                             {.metric = &metrics[1],
                              .attrs = {called, 2, 0},
                              .i = 3,
                              .is_int = true}};
    struct batch *batch = batch_new(SIGNAL_METRICS, NULL, 0, NULL);

    exemplars[0].trace_id[15] = exemplars[0].span_id[7] = 1;
    exemplars[1].attrs = (struct attrs){&failed, 1, 0};
    for (int i = 0; i < 2; i++)
        points[i].time_ns = (minute + 1) * NS_PER_MIN;
    batch->derived = true;
    batch->points = points;
    batch->count = 2;
    ch_block_add(block, batch);
    batch_free(batch);
}

/* ---- the block ---- */

struct task {
    struct ch_block_engine engine;
    struct store_block *block;
    uint64_t now_ns;
    bool loaded;
};

static void make_tables(struct task *task)
{
    struct ch_schema_options options = {
        .database = ch_client_database(task->engine.client)};
    struct ch_error error;

    if (ch_migrate(task->engine.client, &options, &error) == OK)
        return;
    fprintf(stderr, "write_block: %s\n", error.text);
    exit(2);
}

static void load(struct task *task, uint64_t offset)
{
    struct slice state = {NULL, 0};
    struct arena arena;
    enum status status;

    arena_init(&arena, NULL, MOST_BYTES);
    status = ch_block_load_checkpoint(&task->engine, topic, PARTITION, offset,
                                      &arena, &state);
    printf("%s: ", status_text(status));
    if (state.len > 0)
        (void)fwrite(state.ptr, 1, state.len, stdout);
    arena_release(&arena);
    task->loaded = true;
}

static void take_item(struct task *task, const char *item)
{
    char kind[16], path[1024] = "";
    unsigned long long number = 0;

    if (sscanf(item, "%15[a-z]:%llu:%1023s", kind, &number, path) < 1)
        exit(2);
    if (strcmp(kind, "tables") == 0) {
        make_tables(task);
    } else if (strcmp(kind, "derived") == 0) {
        add_derived(task->block, number);
    } else if (strcmp(kind, "letter") == 0) {
        add_letter(task->block, number, path, task->now_ns);
    } else if (strcmp(kind, "load") == 0) {
        load(task, number);
    } else if (strcmp(kind, "checkpoint") == 0) {
        struct slice state;

        state.ptr = read_file(path, &state.len);
        ch_block_set_checkpoint(task->block, number, state);
    } else if (strcmp(kind, "empty") != 0) {
        add_request(task->block,
                    strcmp(kind, "spans") == 0  ? SIGNAL_SPANS
                    : strcmp(kind, "logs") == 0 ? SIGNAL_LOGS
                                                : SIGNAL_METRICS,
                    number, path, task->now_ns);
    }
}

static void print_error(void *arg, const struct ch_error *error)
{
    (void)arg;
    if (error->status != OK)
        fprintf(stderr, "write_block: %s\n", error->text);
}

int main(int argc, char **argv)
{
    static const struct store_resources resources = {
        .describe = describe, .identity_anchor = identity_anchor};
    struct ch_options options = {0};
    struct task task = {
        .engine = {.resources = &resources, .answered = print_error}};
    const char *why;

    if (argc < 5)
        return 2;
    options.url = argv[1];
    if (ch_client_open(&task.engine.client, &options, &why) != OK) {
        fprintf(stderr, "write_block: %s\n", why);
        return 2;
    }
    task.now_ns = strtoull(argv[3], NULL, 10);
    task.block = ch_block_new(&task.engine, topic, PARTITION, NULL);
    for (int i = 4; i < argc; i++)
        take_item(&task, argv[i]);
    if (!task.loaded) {
        enum status status =
            ch_block_write(task.block, slice_of(argv[2]), NULL);

        printf("%s, %llu rows\n", status_text(status),
               (unsigned long long)ch_block_rows(task.block));
    }
    ch_block_free(task.block);
    ch_client_close(task.engine.client);
    return 0;
}
