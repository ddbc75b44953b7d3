/*
 * The options of the command line as options of each module, and its start.
 *
 * The memory limit is divided here: half for batches from arrival until they
 * are in a block, a sixth for blocks that queries read, an eighth for queries
 * and their answers, a sixteenth for answers being sent; the rest is for tables
 * of fixed size, SQLite, stacks and code.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "clickhouse.h"
#include "clock.h"
#include "serve_int.h"
#include "serve_surfaces.h"

enum { STORE_ID_SIZE = 33 };

uint64_t serve_oldest_ns(void *arg, enum signal signal, uint64_t received_ns)
{
    const struct config *c = arg;
    const uint64_t retention[SIGNAL_COUNT] = {
        c->retention_traces, c->retention_logs, c->retention_metrics};

    return retention[signal] && retention[signal] < received_ns
               ? received_ns - retention[signal]
               : 0;
}

static enum status open_embedded(struct daemon *d)
{
    const struct config *c = d->config;
    struct journal_options journal = {
        .dir = c->data_dir, .max_bytes = c->journal_max, .budget = &d->budget};
    enum status status = journal_open(&d->journal, &journal);

    if (status != OK)
        return status;
    struct store_options store = {
        .dir = c->data_dir,
        .journal = d->journal,
        .block_spans = 16384,
        .block_logs = 32768,
        .memtable_bytes = min_u64(16 << 20, serve_shared_bytes(c) / 16),
        .memtable_age_ns = c->seal_age,
        .retention_ns = {c->retention_traces, c->retention_logs,
                         c->retention_metrics},
        .retention_bytes = c->retention_size,
        .query_bytes = serve_shared_bytes(c) / 6,
        .encode_late = serve_is_small(c),
    };
    status = store_open(&d->store, &store);
    return status == OK ? serve_loss_check(&d->loss, d->journal, d->store)
                        : status;
}

enum status serve_start_storage(struct daemon *d)
{
    enum status status =
        serve_is_shared(d->config) ? serve_open_shared(d) : open_embedded(d);

    if (status == OK)
        status = serve_load_request_key(d);
    return status == OK ? serve_load_access(d) : status;
}

/* How long after its last record a resource can be forgotten: until no stored
 * record refers to it. A record may be an hour ahead of its time, and is
 * deleted with the last one of its block or hour. 0: only the store can tell,
 * since a signal is stored forever. */
static uint64_t forget_after(const struct config *c)
{
    uint64_t longest = c->retention_traces;

    if (!c->retention_traces || !c->retention_logs || !c->retention_metrics)
        return 0;
    if (c->retention_logs > longest)
        longest = c->retention_logs;
    if (c->retention_metrics > longest)
        longest = c->retention_metrics;
    return longest + NS_PER_DAY;
}

struct registry_keys serve_label_keys(const struct config *c)
{
    return (struct registry_keys){
        .namespace = slice_of(c->label_namespace),
        .project = slice_of(c->label_project),
        .component = slice_of(c->label_component),
        .environment = slice_of(c->label_environment),
        .project_uid = slice_of(c->label_project_uid),
        .component_uid = slice_of(c->label_component_uid),
        .environment_uid = slice_of(c->label_environment_uid),
        .endpoint = slice_of(c->label_endpoint)};
}

/* Tables that senders fill follow the memory limit: a resource takes up to a
 * kilobyte with its identity, twice that until it is in the store; a derived
 * series takes half a kilobyte, an unpaired span a tenth. */
enum status serve_start_correlator(struct daemon *d)
{
    const struct config *c = d->config;
    uint32_t resources =
        (uint32_t)min_u64(c->max_resources, c->memory_limit / 4096);
    struct registry_options registry = {
        .keys = serve_label_keys(c),
        .max_resources = resources,
        .max_identities = resources,
        .tenants = d->tenants,
        .forget_ns = forget_after(c),
        .log = serve_is_shared(c) ? clickhouse_resource_log(d->store) : NULL,
    };
    struct correlator_options correlator = {
        .max_operations = (uint32_t)c->max_operations,
        .max_series = (uint32_t)min_u64(c->max_series, c->memory_limit / 8192),
        .max_unpaired_spans = (uint32_t)min_u64(65536, c->memory_limit / 4096),
        .edge_wait_ns = c->edge_wait,
        .max_templates = (uint32_t)c->max_templates,
        .budget = &d->budget,
        .queue = 64,
    };
    enum status status = registry_open(&d->registry, &registry, d->store);

    if (status != OK)
        return status;
    serve_load_catalog(d);
    serve_load_reports(d);
    serve_read_catalog_file(d);
    if (serve_is_shared(c))
        return serve_open_partitions(d, &correlator);
    return correlator_open(&d->correlator, &correlator, d->store, d->registry,
                           d->catalog);
}

/* ---- Kafka ---- */

static bool next_offset(void *arg, struct slice topic, uint32_t partition,
                        uint64_t *next)
{
    return metadata_next_offset(store_metadata(arg), topic, partition, next);
}

/* Created once for a data directory, or for all instances that share a store:
 * instances recognise each other's commits by it. */
static enum status load_store_id(struct store *store, char id[STORE_ID_SIZE])
{
    uint64_t random[2];
    size_t len;
    enum status status;

    if (getentropy(random, sizeof(random)) != 0)
        return ERR_IO;
    (void)snprintf(id, STORE_ID_SIZE, "%016" PRIx64 "%016" PRIx64, random[0],
                   random[1]);
    status = serve_create_value(store, "store.id", slice_of(id), id,
                                STORE_ID_SIZE - 1, &len);
    id[len] = '\0';
    return status;
}

/* Of OTLP ports: to Kafka if it is handed over. */
static void hand_over(const struct daemon *d, struct receiver_options *options)
{
    if (!d->producer)
        return;
    options->key = &d->kafka_request_key;
    options->sink = kafka_producer_sink(d->producer);
    options->as_protobuf = true;
}

static struct receiver_options receiver_options(struct daemon *d,
                                                size_t max_body)
{
    return (struct receiver_options){
        .max_body = max_body,
        .oldest_ns = serve_oldest_ns,
        .oldest_arg = (void *)(uintptr_t)d->config,
        .key = &d->request_key,
        .budget = &d->budget,
        .tenants = d->tenants,
        /* Of several instances all have one of their own. */
        .sink = d->journal ? journal_sink(d->journal) : (struct sink){0},
    };
}

/* After the replay, when the store knows every offset. What librdkafka
 * prefetches is charged to the budget as a whole: twice the queue that it is
 * told to keep. */
enum status serve_start_kafka(struct daemon *d)
{
    const struct config *c = d->config;
    char store_id[STORE_ID_SIZE];
    struct kafka_options options = {
        .brokers = c->kafka_brokers,
        .topics = {c->kafka_topics_traces, c->kafka_topics_logs,
                   c->kafka_topics_metrics},
        .namespaces = c->kafka_namespace,
        .group = c->kafka_group,
        .instance = c->kafka_instance,
        .start = c->kafka_start,
        .assignor = c->kafka_assignor,
        .encoding = c->kafka_encoding,
        .properties = c->kafka_options,
        .store_id = store_id,
        .key = &d->kafka_key,
        .queue_bytes = c->memory_limit / 64,
        .receiver =
            receiver_options(d, min_u64(c->max_body, d->budget.limit / 2)),
        .next_offset = next_offset,
        .next_arg = d->store,
    };
    enum status status;

    if (c->kafka_brokers[0] == '\0')
        return OK;
    if (d->partitions)
        serve_own_partitions(d, &options);
    status = load_store_id(d->store, store_id);
    if (status == OK)
        status = kafka_open(&d->kafka, &options);
    if (status == OK && budget_take(&d->budget, 2 * options.queue_bytes))
        d->kafka_prefetch = 2 * options.queue_bytes;
    return status;
}

/* ---- ports ---- */

static void print_metrics(void *arg, struct buf *out)
{
    const struct daemon *d = arg;

    if (d->kafka)
        kafka_print(d->kafka, out);
    if (d->partitions)
        partition_print(d->partitions, out);
    tenants_print(d->tenants, clock_wall_ns(), out);
    registry_print_metrics(d->registry, out);
    serve_print_tls_metrics(d, out);
    access_print(d->access, out);
}

static uint32_t read_lags(void *arg, struct partition_lag *to, uint32_t room)
{
    const struct daemon *d = arg;

    return d->kafka ? kafka_lags(d->kafka, to, room) : 0;
}

static bool kafka_note(const struct daemon *d, struct buf *out)
{
    char reason[KAFKA_REASON_SIZE];

    bool noted = d->kafka && kafka_unhealthy(d->kafka, reason);

    if (noted)
        buf_format(out, "kafka: %s", reason);
    if (d->producer && kafka_producer_unhealthy(d->producer, reason)) {
        buf_format(out, "%skafka: %s", noted ? "; " : "", reason);
        noted = true;
    }
    return noted;
}

enum { NOTES = 10 };

static bool print_note(const struct daemon *d, int which, struct buf *out)
{
    switch (which) {
    case 0:
        return serve_loss_print(&d->loss, out);
    case 1:
        return tenants_note(d->tenants, out);
    case 2:
        return tokens_note(d->tokens, out);
    case 3:
        return serve_print_tls_notes(d, out);
    case 4:
        return audit_note(out);
    case 5:
        return access_note(d->access, out);
    case 6:
        return prices_note(d->prices, out);
    case 7:
        return d->partitions && partition_note(d->partitions, out);
    case 8:
        return serve_is_shared(d->config) && clickhouse_note(d->store, out);
    default:
        return kafka_note(d, out);
    }
}

static bool print_unhealthy(void *arg, struct buf *out)
{
    bool noted = false;

    for (int i = 0; i < NOTES; i++) {
        struct buf note;

        buf_init(&note, 4096);
        if (print_note(arg, i, &note)) {
            buf_format(out, "%s%.*s", noted ? "; " : "",
                       SLICE_ARGS(buf_slice(&note)));
            noted = true;
        }
        buf_release(&note);
    }
    return noted;
}

static struct query_server query_server(const struct daemon *d)
{
    const struct config *c = d->config;

    return (struct query_server){
        .version = CALLBOARD_VERSION,
        .started_ns = clock_wall_ns() - (clock_monotonic_ns() - d->started_ns),
        .retention_ns = {c->retention_traces, c->retention_logs,
                         c->retention_metrics},
        .retention_bytes = c->retention_size,
        .journal_max_bytes = d->journal ? c->journal_max : 0,
        .memory_bytes = c->memory_limit,
        .body_bytes = min_u64(c->max_body, serve_shared_bytes(c) / 3),
    };
}

static enum status delete_in_correlator(void *arg, struct slice namespace,
                                        struct registry_deletion *out)
{
    return correlator_delete(arg, namespace, out);
}

static enum status delete_in_partitions(void *arg, struct slice namespace,
                                        struct registry_deletion *out)
{
    return partition_delete(arg, namespace, out);
}

static struct query_options query_options(struct daemon *d)
{
    const struct config *c = d->config;
    uint64_t workers = min_u64(c->query_workers, c->memory_limit / (32 << 20));
    char error[HEALTH_THRESHOLDS_ERROR];
    struct health_thresholds health;

    (void)health_thresholds_read(&health, c->health, error); /* was checked */
    return (struct query_options){
        .listen = c->query,
        .surfaces = serve_surfaces,
        .admin = d->admin,
        .workers = (uint32_t)workers,
        .max_waiting = 256,
        .max_connections = 1024,
        .idle_timeout_ns = c->idle_timeout,
        .max_reply = serve_shared_bytes(c) / 16 / workers,
        .memory = serve_shared_bytes(c) / 8,
        .cors_origins = c->cors_origins,
        .allowed_hosts = c->allowed_hosts,
        .base_url = c->base_url,
        .page_url = c->page_url,
        .page = strcmp(c->ui, "off") != 0,
        .health = health,
        .server = query_server(d),
        .tls = d->tls[CONFIG_QUERY],
        .access = d->access,
        .tokens = d->tokens,
        .tenants = d->tenants,
        .store = d->store,
        .registry = d->registry,
        .catalog = d->catalog,
        .rca = d->rca,
        .prices = d->prices,
        .journal = d->journal,
        .delete_namespace =
            d->partitions ? delete_in_partitions : delete_in_correlator,
        .delete_arg =
            d->partitions ? (void *)d->partitions : (void *)d->correlator,
        .metrics = print_metrics,
        .notes = print_unhealthy,
        .lags = read_lags,
        .receiver = d,
    };
}

/* Last: with open ports the daemon is ready. */
enum status serve_start_ports(struct daemon *d)
{
    const struct config *c = d->config;
    struct query_options query = query_options(d);
    struct otlp_http_options otlp_http = {
        .listen = c->otlp_http,
        .max_connections = (uint32_t)c->max_connections,
        .idle_timeout_ns = c->idle_timeout,
        .cors_origins = c->cors_origins,
        .allowed_hosts = c->allowed_hosts,
        .tls = d->tls[CONFIG_OTLP_HTTP],
        .access = strcmp(c->auth_ingest, "none") == 0 ? NULL : d->access,
        .receiver = receiver_options(
            d, min_u64(c->max_body, serve_shared_bytes(c) / 3)),
    };
    struct otlp_grpc_options otlp_grpc = {
        .listen = c->otlp_grpc,
        .access = otlp_http.access,
        .tls = d->tls[CONFIG_OTLP_GRPC],
        .max_connections = otlp_http.max_connections,
        .idle_timeout_ns = c->idle_timeout,
        .max_age_ns = c->grpc_max_age,
        .allowed_hosts = c->allowed_hosts,
    };
    enum status status;

    budget_init(&d->bodies, receiver_bodies_limit(&otlp_http.receiver));
    otlp_http.receiver.bodies = &d->bodies;
    hand_over(d, &otlp_http.receiver);
    otlp_grpc.receiver = otlp_http.receiver;
    (void)snprintf(d->admin, sizeof(d->admin), "unix:%.4000s/admin.sock",
                   c->data_dir);
    status = query_start(&d->query, &query);

    if (status == OK)
        status = otlp_http_start(&d->otlp_http, &otlp_http);
    if (status == OK && c->otlp_grpc[0])
        status = otlp_grpc_start(&d->otlp_grpc, &otlp_grpc);
    return status == OK && d->kafka ? kafka_start(d->kafka) : status;
}
