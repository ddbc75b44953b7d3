/*
 * The order in which the daemon starts and stops, and the loop in between.
 *
 * Start is bottom up, so that a module only uses what exists. Stop is top down;
 * each step accepts NULL, so it also ends a start that failed half way.
 *
 *   memory budget, journal, store, registry, catalogue, correlator
 *   replay of the journal through the correlator
 *   threads: journal -> correlator
 *   ports: query, OTLP/HTTP, OTLP/gRPC; Kafka
 *
 * Instances that share a store have no journal and no such replay: see
 * serve_shared.c.
 *
 * A request: otlp_http decodes it into a batch and submits it to the journal's
 * sink; the journal syncs it and hands it to the correlator's sink; the
 * correlator appends it to the store; then the request is answered.
 */
#include "serve.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "audit.h"
#include "clickhouse.h"
#include "clock.h"
#include "grafana.h"
#include "log.h"
#include "query_request.h"
#include "saved_tokens.h"
#include "serve_int.h"
#include "stats.h"

/* Of a small memory limit, holes in the heap would be a fifth: larger pieces
 * than this are returned to the system when they are freed, which is slower. */
enum { SMALL_LIMIT_PIECE = 128 << 10 };

static enum status start_journal(struct daemon *d)
{
    enum status status = serve_replay(d);
    uint64_t replayed = journal_last_lsn(d->journal);

    if (status == OK)
        status = correlator_start(d->correlator);
    if (status == OK)
        status = journal_start(d->journal, correlator_sink(d->correlator));
    if (status == OK)
        store_replayed(d->store, replayed);
    return status;
}

static enum status start(struct daemon *d)
{
    enum status status = audit_open(d->config->audit,
                                    strcmp(d->config->audit_reads, "yes") == 0);

    if (status == OK)
        status = serve_start_tls(d);

    budget_init(&d->budget, serve_shared_bytes(d->config) / 2);
    if (serve_is_small(d->config))
        mallopt(M_MMAP_THRESHOLD, SMALL_LIMIT_PIECE);
    d->tenants = tenants_new();
    tenants_set_journal_max(d->tenants, d->config->journal_max);
    d->prices = prices_new();
    if (status == OK && (!tenants_read_limits(d->tenants, d->config->limits) ||
                         !prices_read_file(d->prices, d->config->prices)))
        status = ERR_INVALID;
    if (status == OK)
        status = serve_start_storage(d);
    if (status == OK)
        status = serve_load_kafka_key(d);
    if (status == OK)
        status = serve_start_correlator(d);
    if (status == OK && !serve_is_shared(d->config))
        status = start_journal(d);
    if (status == OK)
        status = serve_start_kafka(d);
    if (status == OK)
        status = serve_start_producer(d);
    if (status == OK)
        status = serve_watch_shared(d); /* its thread asks d->kafka */
    return status == OK ? serve_start_ports(d) : status;
}

static void stop(struct daemon *d)
{
    if (d->store)
        store_begin_shutdown(d->store); /* nothing below waits for the disk */
    kafka_stop(d->kafka);
    kafka_producer_stop(d->producer);
    otlp_grpc_stop(d->otlp_grpc); /* its peers are told first */
    otlp_http_stop(d->otlp_http);
    query_stop(d->query);
    partition_close(d->partitions); /* its jobs commit through kafka, */
    if (d->store && serve_is_shared(d->config))
        clickhouse_stop_watch(d->store); /* and this asks it who leads */
    kafka_close(d->kafka);
    kafka_producer_close(d->producer);
    budget_give(&d->budget, d->kafka_prefetch);
    tokens_save_use(d->tokens, clock_wall_ns(), true);
    journal_stop(d->journal); /* submitted batches reach the correlator */
    correlator_close(d->correlator);
    serve_loss_note_end(d->journal, d->store);
    registry_close(d->registry); /* saves to the store */
    store_close(d->store);       /* flushes, commits, truncates the journal */
    catalog_free(d->catalog);
    rca_reports_free(d->rca);
    journal_close(d->journal);
    access_close(d->access);
    tokens_free(d->tokens);
    saved_tokens_free(d->saved_tokens);
    prices_free(d->prices);
    tenants_free(d->tenants);
    serve_stop_tls(d);
    audit_close();
}

/* "https://HOST:PORT"; of all addresses, the one that this machine has. */
static void print_address(const struct daemon *d, enum config_port which,
                          const char *label, unsigned port)
{
    const char *listen = config_tls_of(d->config, which).listen;
    const char *colon = strrchr(listen, ':');
    int len = colon ? (int)(colon - listen) : 0;

    if (len == 0 || strncmp(listen, "0.0.0.0:", 8) == 0 ||
        strncmp(listen, "[::]:", 5) == 0) {
        listen = "127.0.0.1";
        len = 9;
    }
    printf("  %-10s  %s://%.*s:%u", label, d->tls[which] ? "https" : "http",
           len, listen, port);
}

static bool has_page(const struct config *config)
{
    const struct query_options options = {
        .page = strcmp(config->ui, "off") != 0,
    };

    return query_has_page(&options);
}

static void print_ready(const struct daemon *d)
{
    unsigned otlp = otlp_http_port(d->otlp_http), query = query_port(d->query);
    unsigned grpc = d->otlp_grpc ? otlp_grpc_port(d->otlp_grpc) : 0;

    printf("Callboard is up.\n");
    if (has_page(d->config)) {
        print_address(d, CONFIG_QUERY, "page", query);
        printf("/ui/\n");
    }
    print_address(d, CONFIG_OTLP_HTTP, "OTLP/HTTP", otlp);
    printf("  (/v1/traces /v1/logs /v1/metrics)\n");
    if (grpc) {
        print_address(d, CONFIG_OTLP_GRPC, "OTLP/gRPC", grpc);
        printf("\n");
    }
    print_address(d, CONFIG_QUERY, "query API", query);
    printf("/api/v1/components\n  data        %s\n", d->config->data_dir);
    if (serve_is_shared(d->config))
        printf("  store       ClickHouse %s\n", clickhouse_place(d->store));
    fflush(stdout);
    log_info(
        "daemon", "ready", log_uint("otlp_port", otlp),
        log_uint("query_port", query), log_uint("grpc_port", grpc),
        log_uint("ms", (clock_monotonic_ns() - d->started_ns) / NS_PER_MS));
}

/* After a burst, the free memory of the heap is returned to the system. */
static void trim_memory(struct daemon *d)
{
    size_t used = budget_used(&d->budget);

    stats_set(STATS_BUDGET_BYTES, used);
    if (used < d->peak_used / 2) {
        malloc_trim(0);
        d->peak_used = used;
    } else if (used > d->peak_used) {
        d->peak_used = used;
    }
}

/* If requests of either port waited or exports were refused, for whatever
 * reason, memory may be short: the memtables are flushed early, so that the
 * requests fit when they are sent again. A flush without need costs a block
 * that is smaller than usual. */
static void flush_under_pressure(struct daemon *d)
{
    uint64_t waits_and_refusals =
        stats_get(STATS_REFUSED_BUSY) + stats_get(STATS_HTTP_WAITS);

    if (waits_and_refusals != d->waits_and_refusals)
        store_flush(d->store);
    d->waits_and_refusals = waits_and_refusals;
}

/* Ticks once a second until a signal arrives that ends it. */
static void wait_for_signal(struct daemon *d, const sigset_t *signals)
{
    const struct timespec second = {.tv_sec = 1};
    int signal;

    grafana_tick(clock_wall_ns()); /* what is counted from here on */
    while ((signal = sigtimedwait(signals, NULL, &second)) < 0 ||
           signal == SIGHUP) {
        serve_reload_tls(d, signal == SIGHUP);
        audit_tick(signal == SIGHUP);
        serve_read_catalog_file(d);
        (void)tenants_read_limits(d->tenants, d->config->limits);
        (void)prices_read_file(d->prices, d->config->prices);
        (void)tokens_read_file(d->tokens, d->config->tokens);
        tokens_save_use(d->tokens, clock_wall_ns(), false);
        flush_under_pressure(d);
        grafana_tick(clock_wall_ns());
        trim_memory(d);
    }
    log_info("daemon", "stopping", log_int("signal", signal));
}

enum status serve(const struct config *config)
{
    struct daemon d = {.config = config, .started_ns = clock_monotonic_ns()};
    enum log_level level;
    sigset_t signals;

    if (log_parse_level(config->log_level, &level))
        log_set_level(level);
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(config->core, "yes") != 0)
        (void)prctl(PR_SET_DUMPABLE, 0);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    /* Blocked before the first thread starts, so only the wait receives them.
     */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    enum status status = start(&d);
    if (status == OK) {
        print_ready(&d);
        wait_for_signal(&d, &signals);
    } else {
        /* What is wrong with an option, a file or a system call is in the line
         * before. */
        log_error("daemon", "cannot start",
                  log_text("reason", status == ERR_IO || status == ERR_INVALID
                                         ? "see the previous error"
                                         : status_text(status)));
    }
    stop(&d);
    return status;
}
