/*
 * config - every option of the program, from one table.
 *
 * The table below makes the struct, the parser of flags, environment and YAML
 * file, --help, the man page's OPTIONS (--help-man) and the sample file
 * (--help-config); a test compares the last two with dist/. A flag wins over
 * the environment (CALLBOARD_ and the name in capitals, '-' as '_'), that over
 * the file, that over the default. In the file `retention-traces: 7d` and
 * `retention: {traces: 7d}` mean the same. kafka.NAME is a property of
 * librdkafka and joins kafka_options, which holds one on each line.
 *
 * Bytes take B, KiB, MiB, GiB; durations ns, us, ms, s, m, h, d and sums such
 * as 1h30m; 0 switches a bound off where the sentence says so.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "status.h"

/* clang-format off */
/*    type      member              name                 default          least        most      sentence */
#define CONFIG_TABLE(X) \
    X(TEXT,     allowed_hosts,      "allowed-hosts",     "",              0,           0,        "Host names, separated by commas, that requests may be sent to beside loopback names; others get 421. Empty: any, unless the port listens on loopback.") \
    X(TEXT,     auth,               "auth",              "",              0,           0,        "Say \"none\" to listen on an address that is not loopback: there is no authentication yet.") \
    X(TEXT,     catalog,            "catalog",           "",              0,           0,        "JSON file with the declared model; read again when it changes.") \
    X(TEXT,     config,             "config",            "",              0,           0,        "YAML file with options.") \
    X(TEXT,     cors_origins,       "cors-origins",      "",              0,           0,        "Allowed CORS origins (exact match), separated by commas, on both ports.") \
    X(TEXT,     data_dir,           "data-dir",          "./callboard-data", 0,        0,        "Directory of database and journal; made if missing.") \
    X(DURATION, edge_wait,          "edge-wait",         "1m",            1000000000,  3600000000000, "How long a call waits for the span of its other end.") \
    X(DURATION, idle_timeout,       "idle-timeout",      "2m",            1000000000,  3600000000000, "Closes idle connections after this time. Slow requests have less (docs/operations.md).") \
    X(BYTES,    journal_max,        "journal-max",       "128MiB",        8388608,     68719476736, "Most bytes of the journal; beyond it new data meets 503.") \
    X(TEXT,     kafka_assignor,     "kafka-assignor",    "range",         0,           0,        "How a group shares the partitions: range or roundrobin.") \
    X(TEXT,     kafka_brokers,      "kafka-brokers",     "",              0,           0,        "HOST:PORT,... of Kafka brokers to read from; empty: none.") \
    X(TEXT,     kafka_encoding,     "kafka-encoding",    "auto",          0,           0,        "What messages are: otlp_proto, otlp_json, or auto to look at each.") \
    X(TEXT,     kafka_group,        "kafka-group",       "callboard",     0,           0,        "Consumer group; its instances share the partitions, each with a store of its own.") \
    X(TEXT,     kafka_instance,     "kafka-instance",    "",              0,           0,        "Name of this instance in the group, lasting: a restart then moves no partition (static membership).") \
    X(TEXT,     kafka_options,      "kafka-options",     "",              0,           0,        "Properties of librdkafka for TLS, SASL and tuning, NAME=VALUE separated by semicolons. One may also be given as --kafka.NAME VALUE, or as kafka.NAME in the file. A secret is refused on the command line: give --kafka.NAME @FILE.") \
    X(TEXT,     kafka_start,        "kafka-start",       "earliest",      0,           0,        "Where a partition begins of which nothing is known: earliest or latest.") \
    X(TEXT,     kafka_topics_logs,  "kafka-topics-logs", "otlp_logs",     0,           0,        "Topics with log records, separated by commas; one that begins with ^ is a regular expression. Empty: none.") \
    X(TEXT,     kafka_topics_metrics, "kafka-topics-metrics", "otlp_metrics", 0,        0,        "The same for metrics.") \
    X(TEXT,     kafka_topics_traces, "kafka-topics-traces", "otlp_spans", 0,            0,        "The same for spans.") \
    X(TEXT,     label_component,    "label-component",   "openchoreo.dev/component",       0, 0, "Label that names the component.") \
    X(TEXT,     label_component_uid, "label-component-uid", "openchoreo.dev/component-uid", 0, 0, "Label with the component's UID.") \
    X(TEXT,     label_endpoint,     "label-endpoint",    "openchoreo.dev/endpoint-name",   0, 0, "Label that names the endpoint.") \
    X(TEXT,     label_environment,  "label-environment", "openchoreo.dev/environment",     0, 0, "Label that names the environment.") \
    X(TEXT,     label_environment_uid, "label-environment-uid", "openchoreo.dev/environment-uid", 0, 0, "Label with the environment's UID.") \
    X(TEXT,     label_namespace,    "label-namespace",   "openchoreo.dev/namespace",       0, 0, "Label that names the namespace (tenant).") \
    X(TEXT,     label_project,      "label-project",     "openchoreo.dev/project",         0, 0, "Label that names the project.") \
    X(TEXT,     label_project_uid,  "label-project-uid", "openchoreo.dev/project-uid",     0, 0, "Label with the project's UID.") \
    X(TEXT,     log_level,          "log-level",         "info",          0,           0,        "error, warn, info or debug.") \
    X(BYTES,    max_body,           "max-body",          "64MiB",         1024,        1073741824, "Largest request, also after decompression; beyond it 413. At most a third of --memory-limit; under 192MiB, of what is 24MiB less.") \
    X(COUNT,    max_connections,    "max-connections",   "16384",         8,           1000000,  "Connections the receiver holds at the same time.") \
    X(COUNT,    max_operations,     "max-operations",    "200",           1,           10000,    "Operations counted per endpoint; more are counted together as {other}.") \
    X(COUNT,    max_resources,      "max-resources",     "65536",         64,          4000000,  "Distinct resources (pods, processes) known by their attributes at the same time; each namespace has a share. At most one for each 4 KiB of --memory-limit.") \
    X(COUNT,    max_series,         "max-series",        "32768",         256,         4000000,  "Derived points counted in memory before they are written. At most one for each 8 KiB of --memory-limit.") \
    X(COUNT,    max_templates,      "max-templates",     "500",           1,           100000,   "Log templates counted per component; more are counted together as {other}.") \
    X(BYTES,    memory_limit,       "memory-limit",      "256MiB",        67108864,    1099511627776, "Ceiling for the memory of the process; what does not fit meets 503.") \
    X(TEXT,     otlp_http,          "otlp-http",         "127.0.0.1:4318", 0,          0,        "Address of OTLP/HTTP; port 0 picks one.") \
    X(TEXT,     query,              "query",             "127.0.0.1:9097", 0,          0,        "Address of the query API; port 0 picks one.") \
    X(COUNT,    query_workers,      "query-workers",     "2",             1,           64,       "Queries answered at the same time. At most one for each 32MiB of --memory-limit.") \
    X(DURATION, retention_logs,     "retention-logs",    "0",             0,           3155760000000000000, "Age at which log records and events are deleted; older ones are refused. 0: never.") \
    X(DURATION, retention_metrics,  "retention-metrics", "0",             0,           3155760000000000000, "The same for metrics and derived series.") \
    X(BYTES,    retention_size,     "retention-size",    "10GiB",         0,           0,        "Size of the database beyond which the oldest data is deleted. 0: no bound.") \
    X(DURATION, retention_traces,   "retention-traces",  "0",             0,           3155760000000000000, "The same as retention-logs, for spans.") \
    X(DURATION, seal_age,           "seal-age",          "5m",            100000000,   86400000000000, "Age at which records in memory are written to a block, however few they are.")
/* clang-format on */

#define CONFIG_TYPE_TEXT     char * /* malloc'ed, owned, never NULL */
#define CONFIG_TYPE_BYTES    uint64_t
#define CONFIG_TYPE_DURATION uint64_t /* nanoseconds */
#define CONFIG_TYPE_COUNT    uint64_t

struct config {
#define CONFIG_MEMBER(type, member, name, value, least, most, text) \
    CONFIG_TYPE_##type member;
    CONFIG_TABLE(CONFIG_MEMBER)
#undef CONFIG_MEMBER
};

/* What the command line asks for. */
enum config_action {
    CONFIG_SERVE,
    CONFIG_HELP,
    CONFIG_MAN,
    CONFIG_SAMPLE,
    CONFIG_VERSION
};

/* Everything put together and checked. ERR_INVALID: said on stderr, naming
 * the option, where it came from, and what is allowed. */
MUST_CHECK enum status config_load(struct config *config, int argc, char **argv,
                                   enum config_action *action);
void config_release(struct config *config);

/* One option from text; the message, if it is refused, into error. */
MUST_CHECK enum status config_set(struct config *config, const char *name,
                                  const char *value, char *error,
                                  size_t error_size);

/* The options of a YAML text; line and column are part of the message. */
MUST_CHECK enum status config_parse_yaml(struct config *config,
                                         const char *text, size_t len,
                                         char *error, size_t error_size);

/* Every option at its default; then config_release() frees it. */
void config_defaults(struct config *config);

void config_print_help(FILE *out);
void config_print_man(FILE *out);
void config_print_sample(FILE *out);

#endif
