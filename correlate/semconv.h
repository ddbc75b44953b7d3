/*
 * semconv - the attributes of a span that correlation uses, and what they mean.
 *
 * OpenTelemetry has renamed most attributes once; old and new names will be in
 * use side by side for years, sometimes on one span. A field is found under any
 * of its names; if several are present, the newest name wins.
 *
 * semconv.c           the table of names and the values of a field
 * systems.c           protocol, database or messaging system, destination
 * semconv_outcome.c   whether the span failed
 * semconv_sampling.c  how many spans it represents
 *
 * Threads: any, after semconv_init().
 */
#ifndef SEMCONV_H
#define SEMCONV_H

#include <stdint.h>

#include "record.h"

/* clang-format off */
/* Fields and their attribute names, the newest first. */
#define SEMCONV_TABLE(X) \
    X(HTTP_METHOD, "http.request.method http.method") \
    X(HTTP_ROUTE, "http.route") \
    X(HTTP_STATUS, "http.response.status_code http.status_code") \
    /* http.target may have a query after the path */ \
    X(URL_PATH, "url.path http.target http.path") \
    X(URL_FULL, "url.full http.url http.uri") \
    X(URL_TEMPLATE, "url.template") \
    /* Micrometer: "method" and the like, if they fit HTTP */ \
    X(PLAIN_METHOD, "method") \
    X(PLAIN_URI, "uri url") \
    X(PLAIN_STATUS, "status status_code") \
    X(DAPR_STATUS, "dapr.status_code") /* of HTTP or of gRPC */ \
    /* SUCCESS, CLIENT_ERROR, SERVER_ERROR ... */ \
    X(OUTCOME, "outcome event.outcome") \
    X(ERROR, "error") /* true, or an error text */ \
    X(ERROR_TYPE, "error.type") \
    /* OK, ERROR: for formats without a status */ \
    X(OTEL_STATUS, "otel.status_code") \
    X(SERVER_ADDRESS, "server.address") \
    X(SERVER_PORT, "server.port") \
    X(HTTP_HOST, "http.host http.server_name") /* may have a port */ \
    X(NET_HOST_NAME, "net.host.name") /* of the side that sends the span */ \
    X(NET_HOST_PORT, "net.host.port") \
    X(NET_PEER_NAME, "net.peer.name") /* of the other side */ \
    X(NET_PEER_PORT, "net.peer.port") \
    /* IP address */ \
    X(PEER_ADDRESS, "network.peer.address net.sock.peer.addr net.peer.ip") \
    X(PEER_SERVICE, "service.peer.name peer.service") \
    X(RPC_SYSTEM, "rpc.system.name rpc.system") \
    X(RPC_SERVICE, "rpc.service") \
    X(RPC_METHOD, "rpc.method") \
    /* gRPC status, number or name */ \
    X(RPC_STATUS, \
      "rpc.status_code rpc.response.status_code " \
      "rpc.grpc.status_code rpc.connect_rpc.error_code " \
      "grpc.status_code grpc.code") \
    X(JSONRPC_ERROR, "rpc.jsonrpc.error_code") \
    X(DB_SYSTEM, "db.system.name db.system db.type") \
    X(DB_NAMESPACE, \
      "db.namespace db.name db.redis.database_index " \
      "db.elasticsearch.cluster.name db.instance aws.s3.bucket " \
      "aws.bucket.name aws.bucket_name") \
    X(DB_OPERATION, "db.operation.name db.operation") \
    X(DB_COLLECTION, \
      "db.collection.name db.sql.table db.mongodb.collection " \
      "db.cassandra.table db.cosmosdb.container " \
      "db.elasticsearch.path_parts.index aws.dynamodb.table_names " \
      "aws.table.name aws.table_name") \
    X(DB_SUMMARY, "db.query.summary") \
    /* the value is not used */ \
    X(DB_QUERY, "db.query.text db.statement db.connection_string") \
    /* DynamoDB */ \
    X(CLOUD_SERVICE, \
      "aws.service aws.remote.service " \
      "azure.resource_provider.namespace az.namespace " \
      "gcp.client.service") \
    X(MSG_SYSTEM, "messaging.system") \
    /* create, send (old: publish), receive, process */ \
    X(MSG_OPERATION, \
      "messaging.operation.type messaging.operation " \
      "messaging.operation.name") \
    X(MSG_TEMPLATE, "messaging.destination.template") \
    X(MSG_DESTINATION, \
      "messaging.destination.name messaging.destination " \
      "message_bus.destination aws.queue.name aws.queue_name " \
      "aws.stream.name aws.stream_name aws.kinesis.stream_name") \
    /* or ARN: the last part names the destination */ \
    X(MSG_URL, \
      "aws.sqs.queue.url aws.queue.url aws.queue_url " \
      "aws.sns.topic.arn messaging.url")
/* clang-format on */

enum semconv_field {
#define SEMCONV_FIELD(field, names) SEM_##field,
    SEMCONV_TABLE(SEMCONV_FIELD)
#undef SEMCONV_FIELD
        SEM_FIELD_COUNT
};

#define SEM_BIT(field) (UINT64_C(1) << (field))

/* A span and its attributes by field. */
struct semconv {
    const struct span *span;
    uint64_t has; /* SEM_BIT() of the fields present */
    const struct attr *at[SEM_FIELD_COUNT]; /* NULL: missing */
    uint8_t rank[SEM_FIELD_COUNT];          /* of the name it was found under */
};

void semconv_init(void);

/* Finds all fields of a span in one pass. */
void semconv_read(struct semconv *semconv, const struct span *span);

/* The text of a field, for an array that of its first element; empty if the
 * field is missing or no string. */
static inline struct slice semconv_text(const struct semconv *semconv,
                                        enum semconv_field field)
{
    const struct attr *attr = semconv->at[field];

    if (attr && attr->type == VALUE_ARRAY)
        attr = attr->len > 0 ? attr->items : NULL;
    return attr ? attr_text(attr) : (struct slice){NULL, 0};
}

/* A number, also from a decimal string; -1 if the field is no number. */
int64_t semconv_number(const struct semconv *semconv, enum semconv_field field);

/* The first field of the list that has a text; empty if none has. */
struct slice semconv_first(const struct semconv *semconv,
                           const enum semconv_field *fields, size_t count);

/* The first of the two fields that is a valid port; 0 if none is. */
uint16_t semconv_port(const struct semconv *semconv, enum semconv_field field,
                      enum semconv_field old_field);

/* The HTTP method in upper case; NULL if it is not a usual one. */
const char *semconv_verb(struct slice text);
/* True for a path or an HTTP URL: the value that tells whether an attribute
 * named just "uri" belongs to HTTP. */
bool semconv_is_uri(struct slice text);
/* True if the span has an attribute of HTTP, or a plain one with a value that
 * fits HTTP. */
bool semconv_is_http(const struct semconv *semconv);

/* ---- systems.c ---- */

enum protocol {
    PROTOCOL_NONE,
    PROTOCOL_HTTP,
    PROTOCOL_GRPC,
    PROTOCOL_DB,
    PROTOCOL_MESSAGING
};

/* "", "http", "grpc", "db", "messaging". */
struct slice protocol_name(enum protocol protocol);

enum protocol span_protocol(const struct semconv *semconv);

/* The system, as the span or the table of systems names it; empty if it is not
 * known. */
struct slice systems_database(const struct semconv *semconv);
struct slice systems_queue(const struct semconv *semconv);

/* The destination: template, name, last part of a queue's URL or a topic's
 * ARN; empty if it is not known. */
struct slice systems_destination(const struct semconv *semconv);

/* The method of an RPC without its service: "PutItem" of "DynamoDB/PutItem". */
struct slice systems_method(const struct semconv *semconv);

/* True if a CLIENT span of a messaging system sends. Receiving and settling
 * are no calls: CONSUMER spans count them. */
bool systems_sends(const struct semconv *semconv);

/* ---- semconv_outcome.c ---- */

enum outcome {
    OUTCOME_NONE,         /* success, or no evidence */
    OUTCOME_CLIENT_ERROR, /* HTTP 4xx on a span that did not fail */
    OUTCOME_FAILED
};

/* The one rule behind RED, edges, hasErrors, errorsOnly, lists of spans and the
 * cause report; described in docs/correlation.md. */
enum outcome outcome_of(const struct semconv *semconv);

/* The HTTP status of a span, 100 to 599; 0 if it has none. */
uint32_t outcome_http_status(const struct semconv *semconv);

/* ---- semconv_sampling.c ---- */

enum { SAMPLING_MAX_WEIGHT = 1 << 20 };

/*
 * The number of spans that a sampled span represents: the adjusted count in
 * OpenTelemetry's member of a W3C tracestate, at least 1. It is 2^56 / (2^56 -
 * T) for the rejection threshold T of "ot=th:T", 1 to 14 lower case hex digits
 * without trailing zeros; 2^p for "ot=p:P" of older samplers. 1 if both are
 * missing or malformed; at most SAMPLING_MAX_WEIGHT.
 */
double sampling_weight(struct slice trace_state);

/* The same for a log record: the attribute sampling.threshold, which the
 * Collector's probabilistic sampler sets to T, or a tracestate attribute. */
double sampling_log_weight(const struct attrs *attrs);

#endif
