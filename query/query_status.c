/*
 * GET /api/v1/status: version, health, limits and retention for everyone who
 * may ask; for those who may see the server itself also what it holds and took
 * in. The numbers are those of /metrics, of one moment.
 */
#include <math.h>

#include "clock.h"
#include "query_health.h"
#include "stats.h"

struct retention_view {
    uint64_t traces, logs, metrics, bytes;
};
static const struct reply_table retention_table =
    REPLY_TABLE(struct retention_view,
                REPLY(struct retention_view, "tracesSeconds", traces),
                REPLY(struct retention_view, "logsSeconds", logs),
                REPLY(struct retention_view, "metricsSeconds", metrics),
                REPLY(struct retention_view, "bytes", bytes));

struct limits_view {
    uint64_t memory, body, query_memory, answer, workers;
};
static const struct reply_table limits_table = REPLY_TABLE(
    struct limits_view, REPLY(struct limits_view, "memoryBytes", memory),
    REPLY(struct limits_view, "requestBytes", body),
    REPLY(struct limits_view, "queryMemoryBytes", query_memory),
    REPLY(struct limits_view, "answerBytes", answer),
    REPLY(struct limits_view, "queryWorkers", workers));

struct signal_view {
    const char *signal;
    uint64_t accepted, rejected, lag, last_ns;
};
static const struct reply_table signal_table = REPLY_TABLE(
    struct signal_view, REPLY(struct signal_view, "signal", signal),
    REPLY(struct signal_view, "accepted", accepted),
    REPLY(struct signal_view, "rejected", rejected),
    REPLY(struct signal_view, "lagSeconds", lag),
    REPLY_OPTIONAL_TIME(struct signal_view, "lastReceived", last_ns));

struct partition_view {
    const char *topic, *signal;
    uint32_t partition;
    double lag; /* NaN: not known */
};
static const struct reply_table partition_table = REPLY_TABLE(
    struct partition_view, REPLY(struct partition_view, "topic", topic),
    REPLY(struct partition_view, "partition", partition),
    REPLY(struct partition_view, "signal", signal),
    REPLY_NULLABLE(struct partition_view, "lag", lag));

struct stream_view {
    const char *stream;
    uint64_t bytes, records, blocks;
};
static const struct reply_table stream_table =
    REPLY_TABLE(struct stream_view, REPLY(struct stream_view, "stream", stream),
                REPLY(struct stream_view, "bytes", bytes),
                REPLY(struct stream_view, "records", records),
                REPLY(struct stream_view, "blocks", blocks));

struct system_view {
    uint64_t journal, journal_max, memtable, ingest_memory, database;
    uint64_t resources, unassigned, dead_letters, partitions;
    struct reply_list kafka, signals, streams;
};
static const struct reply_table system_table = REPLY_TABLE(
    struct system_view, REPLY(struct system_view, "journalBytes", journal),
    REPLY(struct system_view, "journalMaxBytes", journal_max),
    REPLY(struct system_view, "memtableBytes", memtable),
    REPLY(struct system_view, "ingestMemoryBytes", ingest_memory),
    REPLY(struct system_view, "databaseBytes", database),
    REPLY(struct system_view, "resources", resources),
    REPLY(struct system_view, "unassignedResources", unassigned),
    REPLY(struct system_view, "deadLetters", dead_letters),
    REPLY(struct system_view, "kafkaPartitions", partitions),
    REPLY_OPTIONAL_LIST(struct system_view, "kafka", kafka, &partition_table),
    REPLY_LIST(struct system_view, "signals", signals, &signal_table),
    REPLY_LIST(struct system_view, "streams", streams, &stream_table));

struct status_view {
    const char *version, *status, *error;
    struct reply_list notes;
    uint64_t started_ns, uptime;
    struct retention_view retention;
    struct limits_view limits;
    const struct system_view *system; /* NULL: may not be seen */
    int64_t took_ms;
};
static const struct reply_table status_table = REPLY_TABLE(
    struct status_view, REPLY(struct status_view, "version", version),
    REPLY(struct status_view, "status", status),
    REPLY_OPTIONAL(struct status_view, "error", error),
    REPLY_OPTIONAL_LIST(struct status_view, "notes", notes, &reply_texts),
    REPLY_TIME(struct status_view, "startTime", started_ns),
    REPLY(struct status_view, "uptimeSeconds", uptime),
    REPLY_OBJECT(struct status_view, "retention", retention, 0,
                 &retention_table),
    REPLY_OBJECT(struct status_view, "limits", limits, 0, &limits_table),
    REPLY_OBJECT(struct status_view, "system", system, REPLY_POINTER,
                 &system_table),
    REPLY(struct status_view, "tookMs", took_ms));

enum { PARTITIONS_MAX = 1000 };

struct system_lists {
    struct partition_lag *lags;
    struct partition_view partition; /* one at a time */
    struct signal_view signals[SIGNAL_COUNT];
    struct stream_view streams[STREAM_COUNT];
};

static const char *const signal_names[SIGNAL_COUNT] = {"traces", "logs",
                                                       "metrics"};

static const void *partition_at(void *arg, uint32_t i)
{
    struct system_lists *lists = arg;
    const struct partition_lag *lag = &lists->lags[i];

    lists->partition = (struct partition_view){
        .topic = lag->topic,
        .signal = signal_names[lag->signal],
        .partition = lag->partition,
        .lag = lag->messages < 0 ? NAN : (double)lag->messages,
    };
    return &lists->partition;
}

static struct reply_list read_partitions(struct query_request *request,
                                         struct system_lists *lists)
{
    const struct query_options *services = request->services;
    uint32_t count = 0;

    if (stats_get(STATS_KAFKA_PARTITIONS) > 0 && services->lags)
        lists->lags =
            arena_zero(request->arena, PARTITIONS_MAX, sizeof(*lists->lags));
    if (lists->lags)
        count = services->lags(services->receiver, lists->lags, PARTITIONS_MAX);
    return (struct reply_list){count, NULL, partition_at, lists};
}

static void read_lists(struct query_request *request,
                       struct system_lists *lists)
{
    static const char *const streams[STREAM_COUNT] = {"traces", "logs",
                                                      "metrics", "derived"};
    struct store_sizes sizes = {{0}, {0}, {0}};

    for (unsigned i = 0; i < SIGNAL_COUNT; i++)
        lists->signals[i] = (struct signal_view){
            .signal = signal_names[i],
            .accepted = stats_get(STATS_ACCEPTED_SPANS + i),
            .rejected = stats_get(STATS_REJECTED_SPANS + i),
            .lag = stats_get(STATS_LAG_SPANS + i),
            .last_ns = stats_get(STATS_LAST_SPANS + i) * NS_PER_S,
        };
    if (reader_sizes(request->reader, &sizes) != OK)
        sizes = (struct store_sizes){{0}, {0}, {0}};
    for (unsigned i = 0; i < STREAM_COUNT; i++)
        lists->streams[i] = (struct stream_view){
            streams[i], sizes.bytes[i], sizes.records[i], sizes.blocks[i]};
}

/* A store elsewhere has no file here: what it says of its streams. */
static uint64_t database_bytes(const struct system_lists *lists)
{
    uint64_t file = stats_get(STATS_STORE_DB_BYTES), sum = 0;

    for (unsigned i = 0; i < STREAM_COUNT; i++)
        sum += lists->streams[i].bytes;
    return file ? file : sum;
}

static void read_system(struct query_request *request,
                        struct system_view *system, struct system_lists *lists)
{
    read_lists(request, lists);
    *system = (struct system_view){
        .journal = stats_get(STATS_JOURNAL_BYTES),
        .journal_max = request->services->server.journal_max_bytes,
        .memtable = stats_get(STATS_MEMTABLE_BYTES),
        .ingest_memory = stats_get(STATS_BUDGET_BYTES),
        .database = database_bytes(lists),
        .resources = stats_get(STATS_RESOURCES),
        .unassigned = stats_get(STATS_RESOURCES_UNASSIGNED),
        .dead_letters = stats_get(STATS_KAFKA_DEAD_LETTERS),
        .partitions = stats_get(STATS_KAFKA_PARTITIONS),
        .kafka = read_partitions(request, lists),
        .signals = {.count = SIGNAL_COUNT, .items = lists->signals},
        .streams = {.count = STREAM_COUNT, .items = lists->streams},
    };
}

static void set_limits(struct status_view *view,
                       const struct query_options *services)
{
    const struct query_server *server = &services->server;
    const uint64_t *age = server->retention_ns;

    view->retention = (struct retention_view){
        age[SIGNAL_SPANS] / NS_PER_S, age[SIGNAL_LOGS] / NS_PER_S,
        age[SIGNAL_METRICS] / NS_PER_S, server->retention_bytes};
    view->limits = (struct limits_view){
        .memory = server->memory_bytes,
        .body = server->body_bytes,
        .query_memory = services->memory,
        .answer = services->max_reply,
        .workers = services->workers,
    };
}

static enum status get_status(struct query_request *request)
{
    const struct query_options *services = request->services;
    const char *error = query_failure(request);
    uint64_t started = services->server.started_ns;
    struct system_lists lists = {.lags = NULL};
    struct system_view system;
    struct query_notes notes;
    struct status_view view = {
        .version = services->server.version,
        .status = error ? "unhealthy" : "healthy",
        .error = error,
        .started_ns = started,
        .uptime = request->now_ns > started
                      ? (request->now_ns - started) / NS_PER_S
                      : 0,
    };

    set_limits(&view, services);
    query_notes_read(request, &notes);
    view.notes = (struct reply_list){notes.count, notes.texts, NULL, NULL};
    if (query_sees_system(request)) {
        read_system(request, &system, &lists);
        view.system = &system;
    }
    view.took_ms = query_took_ms(request);
    reply_write(&request->json, &status_table, &view);
    query_notes_release(&notes);
    return OK;
}

const struct route routes_status[] = {
    {"GET", "/api/v1/status", ACTION_ANY, SCOPE_NONE, get_status, NULL, 0, 0,
     &status_table},
    {0},
};
