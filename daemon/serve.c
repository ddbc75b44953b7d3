/*
 * Start is bottom up: whatever a module is handed exists already. Stop is top
 * down, and each step takes NULL, so it is also the way out of a start that
 * failed half way.
 *
 *   budget  journal  store  registry  catalogue  correlator
 *           replay of the journal through the correlator
 *           journal thread -> correlator thread
 *   query, ingest: ports open last
 *
 * The memory limit is shared out once, here: half of it for batches from
 * arrival until they are in a block, a sixth for what readers unpack, an eighth
 * for answers and what they are made of (and a sixteenth for those being
 * written), the rest for tables of fixed size, SQLite, stacks and code.
 */
#include "serve.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "budget.h"
#include "catalog.h"
#include "clock.h"
#include "correlate.h"
#include "ingest.h"
#include "journal.h"
#include "log.h"
#include "mem.h"
#include "otlp.h"
#include "query.h"
#include "registry.h"
#include "serve_kafka.h"
#include "serve_loss.h"
#include "stats.h"
#include "store.h"

enum { REPLAY_PATIENCE_MS = 2000 };

/* With a smaller limit there is no room beside the batches for their spans in
 * coded form, and what the process takes beside what is shared out counts:
 * code, tables of fixed size, SQLite, the encoder's working memory. */
enum {
    SMALL_LIMIT = 192 << 20,
    FIXED_BYTES = 24 << 20,
    SMALL_BLOCK = 128 << 10
};

struct daemon {
    const struct config *config;
    struct budget budget;
    struct request_key key; /* of the hashes by which requests are known */
    struct journal *journal;
    struct store *store;
    struct registry *registry;
    struct catalog *catalog;
    struct rca_store *rca;
    struct correlator *correlator;
    struct query *query;
    struct ingest *ingest;
    struct serve_kafka kafka;
    struct serve_loss loss;
    struct timespec catalog_time; /* of the file, when it was read */
    uint64_t started_ns;
    size_t most_used;  /* of the budget, since the last trim */
    uint64_t refusals; /* for want of memory, at the last look */
};

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool is_small(const struct config *c)
{
    return c->memory_limit < SMALL_LIMIT;
}

/* What is shared out: to ingest and to questions. */
static uint64_t shared_bytes(const struct config *c)
{
    return is_small(c) ? c->memory_limit - FIXED_BYTES : c->memory_limit;
}

/* The oldest time that was still kept when a batch came; 0: all are. */
static uint64_t oldest_ns(void *arg, enum signal signal, uint64_t received_ns)
{
    const struct config *c = arg;
    const uint64_t keep[SIGNAL_COUNT] = {c->retention_traces, c->retention_logs,
                                         c->retention_metrics};

    return keep[signal] && keep[signal] < received_ns
               ? received_ns - keep[signal]
               : 0;
}

/* ---- catalogue ---- */

static void put_catalog(struct daemon *d, struct slice json, const char *from)
{
    struct arena arena;
    struct slice detail = {NULL, 0};

    arena_init(&arena, NULL, CATALOG_MAX_BYTES * 4);
    enum status status = catalog_put(d->catalog, json, &arena, &detail);
    if (status == OK)
        log_info("catalog", "read", log_text("from", from));
    else
        log_error("catalog", "refused, or not kept", log_text("from", from),
                  log_slice("reason", detail));
    arena_release(&arena);
}

static enum status save_catalog(void *arg, struct slice text)
{
    struct daemon *d = arg;

    store_save_text(d->store, "catalog", text);
    return store_sync(d->store);
}

static void load_catalog(struct daemon *d)
{
    struct arena arena;
    struct slice text = {NULL, 0};

    arena_init(&arena, NULL, CATALOG_MAX_BYTES * 2);
    if (store_load_text(d->store, "catalog", &arena, &text) == OK &&
        text.len > 0)
        put_catalog(d, text, "store");
    arena_release(&arena);
}

/* ---- root-cause reports ---- */

static void save_report(void *arg, const char *name, struct slice text)
{
    struct daemon *d = arg;

    store_save_text(d->store, name, text);
}

static void load_report(void *arg, struct slice name, struct slice text)
{
    rca_store_load(arg, name, text);
}

static void load_reports(struct daemon *d)
{
    d->rca = rca_store_new(save_report, d);
    if (store_load_texts(d->store, RCA_NAMES, load_report, d->rca) != OK)
        log_error("rca", "kept reports cannot be read", LOG_NONE);
}

/* The file, if it has changed since it was read last. */
static void read_catalog_file(struct daemon *d)
{
    const char *path = d->config->catalog;
    struct stat st;

    if (!path[0] || stat(path, &st) != 0 ||
        (st.st_mtim.tv_sec == d->catalog_time.tv_sec &&
         st.st_mtim.tv_nsec == d->catalog_time.tv_nsec))
        return;
    d->catalog_time = st.st_mtim;
    FILE *file = fopen(path, "rb");
    if (!file) {
        log_error("catalog", "cannot be opened", log_text("from", path));
        return;
    }
    char *text = mem_alloc(CATALOG_MAX_BYTES + 1);
    size_t len = fread(text, 1, CATALOG_MAX_BYTES + 1, file);
    fclose(file);
    put_catalog(d, (struct slice){text, len}, path);
    free(text);
}

/* ---- start ---- */

static enum status start_storage(struct daemon *d)
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
        .memtable_bytes = min_u64(16 << 20, shared_bytes(c) / 16),
        .memtable_age_ns = c->seal_age,
        .retention_ns = {c->retention_traces, c->retention_logs,
                         c->retention_metrics},
        .retention_bytes = c->retention_size,
        .query_bytes = shared_bytes(c) / 6,
        .code_late = is_small(c),
    };
    status = store_open(&d->store, &store);
    return status == OK ? serve_loss_check(&d->loss, d->journal, d->store)
                        : status;
}

/* Made once for a data folder: hashes of requests are kept. */
static enum status load_request_key(struct daemon *d)
{
    uint8_t secret[REQUEST_SECRET];
    struct arena arena;
    struct slice text = {NULL, 0};
    enum status status;

    arena_init(&arena, NULL, 1024 * 1024);
    status = store_load_text(d->store, "request.secret", &arena, &text);
    if (status == OK && text.len == sizeof(secret)) {
        memcpy(secret, text.ptr, sizeof(secret));
    } else if (status == OK && getentropy(secret, sizeof(secret)) != 0) {
        status = ERR_IO;
    } else if (status == OK) { /* committed before the first hash */
        store_save_text(d->store, "request.secret",
                        (struct slice){(const char *)secret, sizeof(secret)});
    }
    arena_release(&arena);
    if (status == OK)
        request_key_make(&d->key, secret);
    explicit_bzero(secret, sizeof(secret));
    return status;
}

/* A resource may be forgotten when no record of it can be left; 0: only the
 * store can say when that is. A
 * record may be from an hour ahead, and goes with the last one of its block or
 * hour. */
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

static enum status start_correlator(struct daemon *d)
{
    const struct config *c = d->config;
    /* Tables that senders fill follow the limit: a resource takes up to a
     * kilobyte with its identity, and twice that until it is in the store; a
     * series half of one; an end of a call a tenth. */
    uint64_t resources = min_u64(c->max_resources, c->memory_limit / 4096);
    uint64_t series = min_u64(c->max_series, c->memory_limit / 8192);
    uint64_t ends = min_u64(65536, c->memory_limit / 4096);
    struct registry_options registry = {
        .keys = {.namespace = slice_of(c->label_namespace),
                 .project = slice_of(c->label_project),
                 .component = slice_of(c->label_component),
                 .environment = slice_of(c->label_environment),
                 .project_uid = slice_of(c->label_project_uid),
                 .component_uid = slice_of(c->label_component_uid),
                 .environment_uid = slice_of(c->label_environment_uid),
                 .endpoint = slice_of(c->label_endpoint)},
        .max_resources = (uint32_t)resources,
        .max_identities = (uint32_t)resources,
        .forget_ns = forget_after(c),
    };
    struct correlator_options correlator = {
        .max_operations = (uint32_t)c->max_operations,
        .max_series = (uint32_t)series,
        .max_unpaired_spans = (uint32_t)ends,
        .edge_wait_ns = c->edge_wait,
        .max_templates = (uint32_t)c->max_templates,
        .budget = &d->budget,
        .queue = 64,
    };
    enum status status = registry_open(&d->registry, &registry, d->store);

    if (status != OK)
        return status;
    d->catalog = catalog_new();
    load_catalog(d);
    catalog_set_persist(d->catalog, save_catalog, d);
    load_reports(d);
    read_catalog_file(d);
    return correlator_open(&d->correlator, &correlator, d->store, d->registry,
                           d->catalog);
}

/* It fitted when it came; now it may have to wait until what was read before
 * it is in a block, or memory be less than it was: then it comes in beyond the
 * budget, one entry at a time. */
static enum status decode_acknowledged(struct daemon *d, struct batch *batch)
{
    uint64_t oldest = oldest_ns((void *)(uintptr_t)d->config, batch->signal,
                                batch->received_ns);
    enum status status = otlp_decode(batch, oldest, NULL);

    for (int i = 0; status == ERR_BUSY && i < REPLAY_PATIENCE_MS; i++) {
        store_flush(d->store);
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
        arena_release(&batch->arena);
        status = otlp_decode(batch, oldest, NULL);
    }
    if (status == ERR_BUSY || status == ERR_TOO_BIG) {
        arena_release(&batch->arena);
        arena_init(&batch->arena, NULL, SIZE_MAX);
        status = otlp_decode(batch, oldest, NULL);
    }
    return status;
}

/* A journal entry, from before the last stop. What was refused in it for its
 * age is refused again, for the age it had when it came. */
static enum status replay_entry(void *arg, struct batch *batch)
{
    struct daemon *d = arg;

    if (d->config->kafka_brokers[0] &&
        serve_loss_reads_again(&d->loss, d->store, batch)) {
        d->loss.read_again++;
        batch_free(batch);
        return OK;
    }
    enum status status = batch->encoding == BATCH_DEAD_LETTER
                             ? OK
                             : decode_acknowledged(d, batch);

    if (status == OK) {
        request_hash_batch(&d->key, batch);
        correlator_take(d->correlator, batch);
        return OK;
    }
    /* It was decoded before it was written: only a defect or a damaged disk
     * gets here. The rest of the journal must still come back. */
    log_error("journal", "an entry cannot be decoded, passed over",
              log_uint("lsn", batch->lsn),
              log_text("reason", status_text(status)));
    batch_free(batch);
    return OK;
}

/* Entries no block holds yet, and then new numbers beyond all that the store
 * has seen, even if the journal was lost. */
static enum status replay(struct daemon *d)
{
    uint64_t from = UINT64_MAX, highest = 0;
    uint64_t begin = clock_monotonic_ns();

    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        uint64_t mark = store_watermark(d->store, (enum stream)stream);

        from = min_u64(from, mark);
        highest = mark > highest ? mark : highest;
    }
    enum status status = journal_replay(d->journal, from, replay_entry, d);
    uint64_t took = clock_monotonic_ns() - begin;
    if (status == OK && journal_last_lsn(d->journal) > from)
        log_info("journal", "replayed", log_uint("after", from),
                 log_uint("last", journal_last_lsn(d->journal)),
                 log_uint("ms", took / NS_PER_MS));
    if (d->loss.read_again > 0)
        log_warn(
            "journal",
            "Kafka messages after the damage will be read from Kafka again",
            log_uint("messages", d->loss.read_again));
    journal_skip_lsns(d->journal, highest);
    return status;
}

/* ---- for the query port ---- */

static void print_metrics(void *arg, struct buf *out)
{
    serve_kafka_print(&((struct daemon *)arg)->kafka, out);
}

static bool print_trouble(void *arg, struct buf *out)
{
    struct daemon *d = arg;
    struct buf kafka;
    bool lost = serve_loss_print(&d->loss, out), trouble;

    buf_init(&kafka, 1024);
    trouble = serve_kafka_unhealthy(&d->kafka, &kafka);
    if (trouble && lost)
        buf_add(out, SLICE("; "));
    buf_add(out, buf_slice(&kafka));
    buf_release(&kafka);
    return trouble || lost;
}

static enum status start_ports(struct daemon *d)
{
    const struct config *c = d->config;
    uint64_t workers = min_u64(c->query_workers, c->memory_limit / (32 << 20));
    struct query_options query = {
        .listen = c->query,
        .workers = (uint32_t)workers,
        .max_waiting = 256,
        .max_connections = 1024,
        .idle_timeout_ns = c->idle_timeout,
        .max_reply = shared_bytes(c) / 16 / workers,
        .memory = shared_bytes(c) / 8,
        .cors_origins = c->cors_origins,
        .allowed_hosts = c->allowed_hosts,
        .store = d->store,
        .registry = d->registry,
        .catalog = d->catalog,
        .rca = d->rca,
        .journal = d->journal,
        .metrics = print_metrics,
        .trouble = print_trouble,
        .receiver = d,
    };
    struct ingest_options ingest = {
        .otlp_http = c->otlp_http,
        .max_body = min_u64(c->max_body, shared_bytes(c) / 3),
        .max_connections = (uint32_t)c->max_connections,
        .idle_timeout_ns = c->idle_timeout,
        .cors_origins = c->cors_origins,
        .allowed_hosts = c->allowed_hosts,
        .oldest_ns = oldest_ns,
        .oldest_arg = (void *)(uintptr_t)c,
        .key = &d->key,
        .budget = &d->budget,
        .sink = journal_sink(d->journal),
    };
    enum status status = query_start(&d->query, &query);

    if (status == OK)
        status = ingest_start(&d->ingest, &ingest);
    if (status == OK)
        status = serve_kafka_start(&d->kafka);
    return status;
}

static enum status start(struct daemon *d)
{
    budget_init(&d->budget, shared_bytes(d->config) / 2);
    /* What is freed goes back at once, which is slower: in the heap a fifth of
     * a small limit is holes. */
    if (is_small(d->config))
        mallopt(M_MMAP_THRESHOLD, SMALL_BLOCK);
    enum status status = start_storage(d);

    if (status == OK)
        status = load_request_key(d);
    if (status == OK)
        status = start_correlator(d);
    if (status == OK)
        status = replay(d);
    if (status == OK)
        status = correlator_start(d->correlator);
    if (status == OK)
        status = journal_start(d->journal, correlator_sink(d->correlator));
    if (status == OK)
        status = serve_kafka_open(&d->kafka, d->config, d->store, d->journal,
                                  &d->budget, &d->key, oldest_ns,
                                  (void *)(uintptr_t)d->config);
    if (status == OK)
        status = start_ports(d);
    return status;
}

/* ---- stop ---- */

static void stop(struct daemon *d)
{
    store_begin_shutdown(d->store); /* nothing below waits for the disk */
    serve_kafka_stop(&d->kafka);
    ingest_stop(d->ingest);
    query_stop(d->query);
    serve_kafka_close(&d->kafka);
    journal_stop(d->journal); /* what was submitted reaches the correlator */
    correlator_close(d->correlator);
    serve_loss_note_end(d->journal, d->store);
    registry_close(d->registry); /* has a last word for the store */
    store_close(d->store);       /* seals, commits, cuts the journal */
    catalog_free(d->catalog);
    rca_store_free(d->rca);
    journal_close(d->journal);
}

/* ---- running ---- */

static void say_ready(const struct daemon *d)
{
    const char *host = "127.0.0.1";

    printf("Callboard is up.\n"
           "  send OTLP/HTTP to   http://%s:%u  (/v1/traces /v1/logs "
           "/v1/metrics)\n"
           "  ask the query API   http://%s:%u/api/v1/components\n"
           "  data is kept in     %s\n",
           host, ingest_port(d->ingest), host, query_port(d->query),
           d->config->data_dir);
    fflush(stdout);
    log_info(
        "daemon", "ready", log_uint("otlp_port", ingest_port(d->ingest)),
        log_uint("query_port", query_port(d->query)),
        log_uint("ms", (clock_monotonic_ns() - d->started_ns) / NS_PER_MS));
}

/* After a flood the heap is full of holes that glibc keeps; what is free goes
 * back to the system once the flood is over. */
static void trim_memory(struct daemon *d)
{
    size_t used = budget_used(&d->budget);

    stats_set(STATS_BUDGET_BYTES, used);
    if (used < d->most_used / 2) {
        malloc_trim(0);
        d->most_used = used;
    } else if (used > d->most_used) {
        d->most_used = used;
    }
}

/* A large request may not fit beside what waits in memory to fill a block:
 * then that is written early, so that the request is taken when it comes
 * again. */
static void relieve_memory(struct daemon *d)
{
    uint64_t refusals =
        stats_get(STATS_REFUSED_BUSY) + stats_get(STATS_HTTP_WAITS);

    if (refusals != d->refusals)
        store_flush(d->store);
    d->refusals = refusals;
}

/* Until a signal comes; once a second the catalogue's file is looked at. */
static void wait_for_signal(struct daemon *d, const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = 1};
    int signal;

    while ((signal = sigtimedwait(signals, NULL, &second)) < 0) {
        read_catalog_file(d);
        relieve_memory(d);
        trim_memory(d);
    }
    log_info("daemon", "stopping", log_int("signal", signal));
}

static enum log_level level_of(const char *name)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};

    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum log_level)i;
    return LOG_INFO;
}

enum status serve(const struct config *config)
{
    struct daemon d = {.config = config, .started_ns = clock_monotonic_ns()};
    sigset_t signals;

    log_set_level(level_of(config->log_level));
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    /* Blocked before the first thread, so that only the wait sees them. */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    enum status status = start(&d);
    if (status == OK) {
        say_ready(&d);
        wait_for_signal(&d, &signals);
    } else {
        /* What a system call said is in the line before; the text of ERR_IO is
         * for senders. */
        log_error("daemon", "cannot start",
                  log_text("reason", status == ERR_IO ? "see the error before"
                                                      : status_text(status)));
    }
    stop(&d);
    return status;
}
