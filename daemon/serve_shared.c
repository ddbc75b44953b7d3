/*
 * Several instances that share a store (--store clickhouse=URL): no journal and
 * no correlator's thread; Kafka's partitions have tasks instead (partition/).
 *
 *   start  ClickHouse, registry with its log, tasks, Kafka
 *   stop   Kafka (its tasks store what they have), tasks, registry, ClickHouse
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clickhouse.h"
#include "clock.h"
#include "log.h"
#include "serve_int.h"

/* What takes longer than a moment is done on so many threads: inserts wait for
 * ClickHouse, not for a processor. */
enum { WRITERS = 8 };

enum { BLOCK_ROWS = 100000, BLOCK_SHARE = 16, MIN_BLOCK_BYTES = 4 << 20 };

/* The same on every instance, whatever its memory: a partition must come to the
 * same wherever it is. */
enum { UNPAIRED_SPANS = 65536 };

#define CHECKPOINT_NS (30 * NS_PER_S)

static const char prefix[] = "clickhouse=";

bool serve_is_shared(const struct config *config)
{
    return config->store[0] != '\0';
}

static enum status refuse(const char *option, const char *reason)
{
    log_error("daemon", "option refused", log_text("option", option),
              log_text("reason", reason));
    return ERR_INVALID;
}

/* It holds the admin socket. What an embedded store left there is not read,
 * which who moves to several instances should know. */
static enum status make_data_dir(const char *dir)
{
    char path[4096];

    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        log_error("daemon", "the data folder cannot be made",
                  log_text("path", dir), log_text("reason", strerror(errno)));
        return ERR_IO;
    }
    if (snprintf(path, sizeof(path), "%s/callboard.db", dir) <
            (int)sizeof(path) &&
        access(path, F_OK) == 0)
        log_warn("daemon", "signals of the embedded store are not read",
                 log_text("file", path),
                 log_text("reason", "--store is another store"));
    return OK;
}

enum status serve_open_shared(struct daemon *d)
{
    const struct config *c = d->config;
    struct clickhouse_options options = {
        .url = c->store + sizeof(prefix) - 1,
        .password_file = c->clickhouse_password_file,
        .ca_file = c->clickhouse_ca,
        .cluster = c->clickhouse_cluster,
        .retention_ns = {c->retention_traces, c->retention_logs,
                         c->retention_metrics},
        .retention_bytes = c->retention_size,
        .query_bytes = serve_shared_bytes(c) / 6,
    };

    if (strncmp(c->store, prefix, sizeof(prefix) - 1) != 0)
        return refuse("store", "must be clickhouse=URL, or empty");
    if (c->kafka_brokers[0] == '\0')
        return refuse("store", "clickhouse needs --kafka-brokers: instances "
                               "share the partitions of its topics");
    if (strcmp(c->ingest_to, "journal") == 0)
        return refuse("ingest-to", "journal is for a store in --data-dir; with "
                                   "--store, receivers hand over to kafka");
    if (make_data_dir(c->data_dir) != OK)
        return ERR_IO;
    return clickhouse_open(&d->store, &options);
}

/* ---- tasks ---- */

static enum status commit(void *arg, const struct partition_commit *from)
{
    const struct daemon *d = arg;
    struct kafka_commit made = {.epoch = from->epoch,
                                .offset = from->offset,
                                .metadata = from->metadata,
                                .stored = from->stored};

    return kafka_commit_block(d->kafka, &made);
}

static void learn_version(void *arg, uint32_t identity,
                          const struct resource *resource, uint8_t generation,
                          uint64_t time_ns)
{
    const struct daemon *d = arg;

    correlator_changes_learn(partition_changes(d->partitions), identity,
                             resource, generation, time_ns);
}

/* On the thread of the tasks. */
static void learn(void *arg)
{
    struct daemon *d = arg;

    registry_set_learner(d->registry, (struct registry_learner){
                                          .learn = learn_version, .arg = d});
    registry_share(d->registry, clock_wall_ns());
}

enum status serve_open_partitions(struct daemon *d,
                                  const struct correlator_options *correlator)
{
    const struct config *c = d->config;
    struct partition_options options = {
        .store = d->store,
        .registry = d->registry,
        .catalog = d->catalog,
        .budget = &d->budget,
        .correlator = *correlator,
        .block_rows = BLOCK_ROWS,
        .block_bytes = d->budget.limit / BLOCK_SHARE,
        .block_age_ns = c->seal_age,
        .checkpoint_ns = CHECKPOINT_NS,
        .writers = WRITERS,
        .commit = commit,
        .commit_arg = d,
        .learn = learn,
        .learn_arg = d,
    };

    if (options.block_bytes < MIN_BLOCK_BYTES)
        options.block_bytes = MIN_BLOCK_BYTES;
    d->resources = registry_resources(d->registry);
    store_set_resources(d->store, &d->resources);
    options.correlator.resources = &d->resources;
    options.correlator.max_series = (uint32_t)c->max_series;
    options.correlator.max_unpaired_spans = UNPAIRED_SPANS;
    return partition_open(&d->partitions, &options);
}

/* ---- Kafka ---- */

static void assigned(void *arg, const struct kafka_assignment *from)
{
    const struct partition_assignment assignment = {
        .topic = from->topic,
        .partition = from->partition,
        .epoch = from->epoch,
        .committed = from->committed,
        .metadata = from->metadata};

    partition_assigned(arg, &assignment);
}

static bool start_of(void *arg, uint64_t epoch, uint64_t *offset)
{
    return partition_start(arg, epoch, offset);
}

static enum kafka_owner_state state_of(void *arg, uint64_t epoch)
{
    switch (partition_state(arg, epoch)) {
    case PARTITION_READY:
        return KAFKA_OWNER_READY;
    case PARTITION_FULL:
        return KAFKA_OWNER_FULL;
    default:
        return KAFKA_OWNER_GONE;
    }
}

static void revoked(void *arg, bool lost)
{
    partition_revoked(arg, lost);
}

void serve_own_partitions(struct daemon *d, struct kafka_options *options)
{
    options->owner = (struct kafka_owner){.assigned = assigned,
                                          .start = start_of,
                                          .state = state_of,
                                          .revoked = revoked,
                                          .arg = d->partitions};
    options->receiver.sink = partition_sink(d->partitions);
}

/* ---- what others change ---- */

static bool is_leader(void *arg)
{
    const struct daemon *d = arg;

    return d->kafka && kafka_is_leader(d->kafka);
}

static void changed(void *arg, unsigned changes)
{
    struct daemon *d = arg;

    if (changes & CLICKHOUSE_CATALOG)
        serve_reload_catalog(d);
    if (changes & CLICKHOUSE_REPORTS)
        serve_reload_reports(d);
    if (changes & CLICKHOUSE_TOKENS)
        serve_reload_tokens(d);
}

enum status serve_watch_shared(struct daemon *d)
{
    const struct clickhouse_watch watch = {
        .changed = changed, .is_leader = is_leader, .arg = d};

    return serve_is_shared(d->config) ? clickhouse_watch(d->store, &watch) : OK;
}
