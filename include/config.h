/*
 * config - every option of the program, from one table.
 *
 * The table below makes the struct, the parser of flags, environment and YAML
 * file, --help, the OPTIONS of the man page (--help-man) and the sample file
 * (--help-config); a test compares the last two with dist/. A flag overrides
 * the environment (CALLBOARD_ and the name in capitals, '-' as '_'), which
 * overrides the file, which overrides the default. In the file,
 * `retention-traces: 7d` and `retention: {traces: 7d}` mean the same.
 * kafka.NAME is a property of librdkafka and is added to kafka_options, one on
 * each line.
 *
 * Sizes take B, KiB, MiB, GiB, TiB; durations ns, us, ms, s, m, h, d and sums
 * such as 1h30m; 0 disables a bound where the sentence says so.
 *
 * Purpose:   the options, checked.
 * Ownership: a config owns its texts; config_release() frees them.
 * Threads:   one; read-only once loaded.
 * Errors:    ERR_INVALID; the message names the option, its source and what is
 *            allowed, and never contains a secret.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "status.h"

#ifndef CALLBOARD_VERSION
#define CALLBOARD_VERSION "0.1.0"
#endif

/* clang-format off */
/*    type      member              name                 default          least        most      sentence */
#define CONFIG_TABLE(X) \
    X(TEXT,     allowed_hosts,      "allowed-hosts",     "",              0,           0,        "Comma-separated host names accepted in Host, in addition to loopback names; others get 421. Empty: a port on loopback accepts loopback names only, any other port accepts every name.") \
    X(TEXT,     audit,              "audit",             "",              0,           0,        "File for the audit log, a line of JSON for each change and each refusal; \"-\": standard error. Opened again on SIGHUP. Empty: none.") \
    X(TEXT,     audit_reads,        "audit-reads",       "no",            0,           0,        "\"yes\": reads are in the audit log, too.") \
    X(TEXT,     auth,               "auth",              "loopback",      0,           0,        "Who may use the ports. loopback: everyone, and all addresses must be loopback. required: whoever has a credential, that is an API token, a JWT or a client certificate (docs/access.md). none: everyone, on any address.") \
    X(TEXT,     auth_ingest,        "auth-ingest",       "",              0,           0,        "none: with --auth required, the OTLP ports take records from everyone, for whatever namespace these name.") \
    X(TEXT,     authz_cluster_environments, "authz-cluster-environments", "no", 0, 0, "yes: the authorization service is also asked about the plain name of an environment (that of a ClusterEnvironment), not only about NAMESPACE/NAME.") \
    X(DURATION, authz_stale,        "authz-stale",      "0", 0, 86400000000000, "While the authorization service does not answer, an earlier yes is used for this long.") \
    X(DURATION, authz_timeout,      "authz-timeout",    "2s", 100000000, 60000000000, "How long the authorization service may take for a decision.") \
    X(TEXT,     authz_url,          "authz-url",        "", 0, 0, "OpenChoreo's control plane, which decides what the subject of a JWT may read; it is sent the caller's token. Empty: --grants alone decides.") \
    X(TEXT,     base_url,           "base-url",         "", 0, 0, "URL of the query API as clients reach it, https or http; in the metadata at /.well-known/oauth-protected-resource, which are served if there is an issuer (--jwt-issuer), too.") \
    X(TEXT,     catalog,            "catalog",           "",              0,           0,        "JSON file with the catalogue of declared components; read again when it changes.") \
    X(TEXT,     clickhouse_ca,      "clickhouse-ca",     "", 0, 0, "Certificate authorities (CAs) of an https URL of --store; empty: those of the system.") \
    X(TEXT,     clickhouse_cluster, "clickhouse-cluster", "", 0, 0, "Cluster of ClickHouse whose servers keep replicas: tables are made ON CLUSTER with Replicated engines. Empty: one server, or ClickHouse Cloud.") \
    X(TEXT,     clickhouse_password_file, "clickhouse-password-file", "", 0, 0, "File with the password of the user in --store; others must not be able to read it.") \
    X(TEXT,     config,             "config",            "",              0,           0,        "YAML file with options (callboard --help-config prints a sample).") \
    X(TEXT,     core,               "core",              "no",            0,           0,        "\"yes\": a crash may leave a core file, and debuggers may attach; both show secrets.") \
    X(TEXT,     cors_origins,       "cors-origins",      "",              0,           0,        "Allowed CORS origins (exact match), comma-separated, on both ports.") \
    X(TEXT,     data_dir,           "data-dir",          "./callboard-data", 0,        0,        "Directory of database and journal; created if missing.") \
    X(DURATION, edge_wait,          "edge-wait",         "1m",            1000000000,  3600000000000, "How long a CLIENT, SERVER, PRODUCER or CONSUMER span waits for the span at the other end of the call.") \
    X(TEXT,     grants,             "grants",           "", 0, 0, "YAML file with the grants of JWT claims and client certificates; read again when it changes.") \
    X(DURATION, grpc_max_age,       "grpc-max-age",      "1h",            0,           0,        "Age at which gRPC connections are ended (GOAWAY), a tenth more or less, so that senders spread over instances. 0: never.") \
    X(TEXT,     grpc_tls_cert,      "grpc-tls-cert",       "",            0,           0,        "Certificate of the OTLP/gRPC port, in place of --tls-cert.") \
    X(TEXT,     grpc_tls_client_ca, "grpc-tls-client-ca",  "",            0,           0,        "Certificate authorities of clients of the OTLP/gRPC port, in place of --tls-client-ca.") \
    X(TEXT,     grpc_tls_clients,   "grpc-tls-clients",    "",            0,           0,        "Client certificates on the OTLP/gRPC port, in place of --tls-clients.") \
    X(TEXT,     grpc_tls_key,       "grpc-tls-key",        "",            0,           0,        "Key of the OTLP/gRPC port, in place of --tls-key.") \
    X(TEXT,     health,             "health",            "",              0,           0,        "By what the page judges a component, NAME=VALUE,... in place of errorRatioBad=0.05, errorRatioWarning=0.01 (failed of all requests), latencyFactorBad=3, latencyFactorWarning=2 (p99, times that of before), latencyExcessBadSeconds=0.05, latencyExcessWarningSeconds=0.02 (and so much more), minimumRequests=20.") \
    X(DURATION, idle_timeout,       "idle-timeout",      "2m",            1000000000,  3600000000000, "Idle connections are closed after this time. Slow requests have shorter limits.") \
    X(TEXT,     ingest_to,          "ingest-to",         "",              0,           0,        "Where OTLP receivers put what they accept: journal, or kafka, from where the instances of the group read it. Empty: journal, but kafka with --store.") \
    X(BYTES,    journal_max,        "journal-max",       "128MiB",        8388608,     68719476736, "Maximum size of the journal; above it, new data is rejected with 503.") \
    X(TEXT,     jwks_ca,            "jwks-ca",          "", 0, 0, "File with the certificates that --jwks-url and --authz-url are verified with; empty: those of the system.") \
    X(TEXT,     jwks_url,           "jwks-url",         "", 0, 0, "Where the keys of JWT issuers are: https, http or file URLs, comma-separated. The n-th belongs to the n-th of --jwt-issuer.") \
    X(TEXT,     jwt_audience,       "jwt-audience",     "", 0, 0, "The audience that a JWT must have, comma-separated for several issuers (one serves all); any: every token of the issuer is accepted.") \
    X(TEXT,     jwt_issuer,         "jwt-issuer",       "", 0, 0, "The issuers of JWTs that are accepted, exactly as in the claim iss, comma-separated.") \
    X(TEXT,     kafka_assignor,     "kafka-assignor",    "range",         0,           0,        "How the group assigns partitions: range or roundrobin.") \
    X(TEXT,     kafka_brokers,      "kafka-brokers",     "",              0,           0,        "Kafka brokers to read from, HOST:PORT,...; empty: none.") \
    X(TEXT,     kafka_encoding,     "kafka-encoding",    "auto",          0,           0,        "Encoding of the messages: otlp_proto, otlp_json, or auto to detect it for each message.") \
    X(TEXT,     kafka_group,        "kafka-group",       "callboard",     0,           0,        "Consumer group; its instances share the partitions, and each has its own store.") \
    X(TEXT,     kafka_instance,     "kafka-instance",    "",              0,           0,        "Permanent name of this instance in the group (static membership, group.instance.id), so that a restart moves no partition.") \
    X(TEXT,     kafka_key,          "kafka-key",         "",              0,           0,        "File with a secret of 32 bytes or more that signs what receivers hand to Kafka; the same for all instances of the group. Empty: one is made and kept in the store.") \
    X(TEXT,     kafka_namespace,    "kafka-namespace",   "",              0,           0,        "Topics that hold one namespace's records, TOPIC=NAMESPACE,...; a TOPIC that begins with ^ is a regular expression. Records that stamp another namespace are refused. The other topics are trusted.") \
    X(TEXT,     kafka_options,      "kafka-options",     "",              0,           0,        "librdkafka properties for TLS, SASL and tuning, NAME=VALUE separated by semicolons. A property may also be given as --kafka.NAME VALUE, or as kafka.NAME in the file. Secrets are refused on the command line: use --kafka.NAME @FILE.") \
    X(TEXT,     kafka_start,        "kafka-start",       "earliest",      0,           0,        "Start offset for partitions without a stored offset: earliest or latest.") \
    X(TEXT,     kafka_topics_logs,  "kafka-topics-logs", "otlp_logs",     0,           0,        "Comma-separated topics with log records; a name that begins with ^ is a regular expression. Empty: none.") \
    X(TEXT,     kafka_topics_metrics, "kafka-topics-metrics", "otlp_metrics", 0,        0,        "Comma-separated topics with metrics; syntax as in kafka-topics-logs.") \
    X(TEXT,     kafka_topics_traces, "kafka-topics-traces", "otlp_spans", 0,            0,        "Comma-separated topics with spans; syntax as in kafka-topics-logs.") \
    X(TEXT,     label_component,    "label-component",   "openchoreo.dev/component",       0, 0, "Label that names the component.") \
    X(TEXT,     label_component_uid, "label-component-uid", "openchoreo.dev/component-uid", 0, 0, "Label with the component's UID.") \
    X(TEXT,     label_endpoint,     "label-endpoint",    "openchoreo.dev/endpoint-name",   0, 0, "Label that names the endpoint.") \
    X(TEXT,     label_environment,  "label-environment", "openchoreo.dev/environment",     0, 0, "Label that names the environment.") \
    X(TEXT,     label_environment_uid, "label-environment-uid", "openchoreo.dev/environment-uid", 0, 0, "Label with the environment's UID.") \
    X(TEXT,     label_namespace,    "label-namespace",   "openchoreo.dev/namespace",       0, 0, "Label that names the namespace (tenant).") \
    X(TEXT,     label_project,      "label-project",     "openchoreo.dev/project",         0, 0, "Label that names the project.") \
    X(TEXT,     label_project_uid,  "label-project-uid", "openchoreo.dev/project-uid",     0, 0, "Label with the project's UID.") \
    X(TEXT,     limits,             "limits",            "",              0,           0,        "YAML file with limits for each namespace (docs/access.md); read again when it changes.") \
    X(TEXT,     log_level,          "log-level",         "info",          0,           0,        "Lowest level that is logged: error, warn, info or debug.") \
    X(BYTES,    max_body,           "max-body",          "64MiB",         1024,        1073741824, "Largest request body, before and after decompression; larger ones get 413. At most a third of --memory-limit (if that is under 192MiB: a third of --memory-limit less 24MiB).") \
    X(COUNT,    max_connections,    "max-connections",   "16384",         8,           1000000,  "Maximum number of open connections on each OTLP port.") \
    X(COUNT,    max_operations,     "max-operations",    "200",           1,           10000,    "Maximum number of operations per endpoint; further ones are counted as {other}.") \
    X(COUNT,    max_resources,      "max-resources",     "65536",         64,          4000000,  "Maximum number of distinct resources (pods, processes) in the table; each namespace has a share. At most one per 4KiB of --memory-limit.") \
    X(COUNT,    max_series,         "max-series",        "32768",         256,         4000000,  "Maximum number of derived points in memory; a full table is flushed. At most one per 8KiB of --memory-limit.") \
    X(COUNT,    max_templates,      "max-templates",     "500",           1,           100000,   "Maximum number of log templates per component; further ones are counted as {other}.") \
    X(BYTES,    memory_limit,       "memory-limit",      "256MiB",        67108864,    1099511627776, "Memory limit of the process; requests that do not fit are rejected with 503.") \
    X(TEXT,     otlp_grpc,          "otlp-grpc",         "127.0.0.1:4317", 0,          0,        "Address of the OTLP/gRPC port; port 0 picks a free one. Empty: no such port.") \
    X(TEXT,     otlp_http,          "otlp-http",         "127.0.0.1:4318", 0,          0,        "Address of the OTLP/HTTP port; port 0 picks a free one.") \
    X(TEXT,     otlp_tls_cert,      "otlp-tls-cert",       "",            0,           0,        "Certificate of the OTLP/HTTP port, in place of --tls-cert.") \
    X(TEXT,     otlp_tls_client_ca, "otlp-tls-client-ca",  "",            0,           0,        "Certificate authorities of clients of the OTLP/HTTP port, in place of --tls-client-ca.") \
    X(TEXT,     otlp_tls_clients,   "otlp-tls-clients",    "",            0,           0,        "Client certificates on the OTLP/HTTP port, in place of --tls-clients.") \
    X(TEXT,     otlp_tls_key,       "otlp-tls-key",        "",            0,           0,        "Key of the OTLP/HTTP port, in place of --tls-key.") \
    X(TEXT,     page_url,           "page-url",         "", 0, 0, "URL of the pages that answers for people and agents link to, such as https://host/ui. Empty: /ui of --base-url, or no links where that is empty, too.") \
    X(TEXT,     prices,             "prices",           "", 0, 0, "YAML file with prices of CPU and memory (docs/costs.md); read again when it changes. Empty: the prices that OpenCost has by default, in USD.") \
    X(TEXT,     query,              "query",             "127.0.0.1:9097", 0,          0,        "Address of the query API; port 0 picks a free one.") \
    X(TEXT,     query_tls_cert,     "query-tls-cert",      "",            0,           0,        "Certificate of the query port, in place of --tls-cert.") \
    X(TEXT,     query_tls_client_ca, "query-tls-client-ca", "",            0,           0,        "Certificate authorities of clients of the query port, in place of --tls-client-ca.") \
    X(TEXT,     query_tls_clients,  "query-tls-clients",   "",            0,           0,        "Client certificates on the query port, in place of --tls-clients.") \
    X(TEXT,     query_tls_key,      "query-tls-key",       "",            0,           0,        "Key of the query port, in place of --tls-key.") \
    X(COUNT,    query_workers,      "query-workers",     "2",             1,           64,       "Queries of one client address that run at the same time; one more worker serves other addresses. At most one per 32MiB of --memory-limit.") \
    X(DURATION, retention_logs,     "retention-logs",    "0",             0,           3155760000000000000, "Age at which log records and events are deleted; older ones are refused. 0: never.") \
    X(DURATION, retention_metrics,  "retention-metrics", "0",             0,           3155760000000000000, "Age at which metrics and derived series are deleted; older ones are refused. 0: never.") \
    X(BYTES,    retention_size,     "retention-size",    "10GiB",         0,           0,        "Maximum size of the database; above it, the oldest data is deleted. 0: no limit, the default with --store.") \
    X(DURATION, retention_traces,   "retention-traces",  "0",             0,           3155760000000000000, "Age at which spans are deleted; older ones are refused. 0: never.") \
    X(DURATION, seal_age,           "seal-age",          "5m",            100000000,   86400000000000, "Maximum age of records in memory; older ones are written to a block, however few they are. With --store the default is 2s.") \
    X(TEXT,     store,              "store",             "", 0, 0, "Where signals are kept: clickhouse=http[s]://[USER@]HOST[:PORT]/DATABASE; several instances share that, and read from Kafka. Empty: in --data-dir.") \
    X(TEXT,     tls,                "tls",                 "",            0,           0,        "\"off\" serves plain HTTP although the port is not on loopback, for example behind a proxy. Empty: TLS if there is a certificate.") \
    X(TEXT,     tls_cert,           "tls-cert",            "",            0,           0,        "PEM file with the certificate of every port and its chain; read again when it changes. Empty: plain HTTP.") \
    X(TEXT,     tls_client_ca,      "tls-client-ca",       "",            0,           0,        "PEM file with the certificate authorities (CAs) whose client certificates are trusted, and revocation lists if any. Empty: clients are not asked for a certificate.") \
    X(TEXT,     tls_clients,        "tls-clients",         "optional",    0,           0,        "\"required\": clients without a certificate are refused; \"optional\": they may use another credential.") \
    X(TEXT,     tls_key,            "tls-key",             "",            0,           0,        "PEM file with the private key of --tls-cert, without a passphrase; others must not be able to read it.") \
    X(TEXT,     tokens,             "tokens",            "",              0,           0,        "YAML file with API tokens by their SHA-256; read again when it changes. A file that group or others can write, or others can read, is refused.") \
    X(TEXT,     ui,                 "ui",                "on",            0,           0,        "\"off\": the page for people at /ui/ of the query port is not served.")
/* clang-format on */

#define CONFIG_TYPE_TEXT     char * /* malloc'ed, owned, never NULL */
#define CONFIG_TYPE_BYTES    uint64_t
#define CONFIG_TYPE_DURATION uint64_t /* nanoseconds */
#define CONFIG_TYPE_COUNT    uint64_t

#define CONFIG_ONE(type, member, name, value, least, most, text) +1
enum { CONFIG_OPTIONS = CONFIG_TABLE(CONFIG_ONE) };
#undef CONFIG_ONE

struct config {
#define CONFIG_MEMBER(type, member, name, value, least, most, text) \
    CONFIG_TYPE_##type member;
    CONFIG_TABLE(CONFIG_MEMBER)
#undef CONFIG_MEMBER
    bool given[CONFIG_OPTIONS]; /* not the default; in order of the table */
};

/* From all sources, checked. ERR_INVALID is explained on stderr. */
MUST_CHECK enum status config_load(struct config *config, int argc,
                                   char **argv);
void config_release(struct config *config);

/* Sets one option from text; error: the message if that fails. */
MUST_CHECK enum status config_set(struct config *config, const char *name,
                                  const char *value, char *error,
                                  size_t error_size);

/* Sets the options of a YAML text; the message has line and column. */
MUST_CHECK enum status config_parse_yaml(struct config *config,
                                         const char *text, size_t len,
                                         char *error, size_t error_size);

/* TLS of a port; cert "": plain. */
enum config_port {
    CONFIG_QUERY,
    CONFIG_OTLP_HTTP,
    CONFIG_OTLP_GRPC,
    CONFIG_PORTS
};
struct config_tls {
    const char *name, *listen;
    const char *cert, *key, *client_ca, *clients;
};
struct config_tls config_tls_of(const struct config *config,
                                enum config_port port);
bool config_is_required(const struct config_tls *tls);

/* Sets every option to its default. */
void config_defaults(struct config *config);
/* With --store, those that are not given and have another default there. */
void config_shared_defaults(struct config *config);

void config_print_usage(FILE *out); /* the verbs */
void config_print_help(FILE *out);  /* and all options */
void config_print_man(FILE *out);
void config_print_sample(FILE *out);

#endif
