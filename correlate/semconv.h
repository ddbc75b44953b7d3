/*
 * semconv - the attributes of a span that correlation uses, and what they mean.
 *
 * OpenTelemetry has renamed most attributes once; old and new names will be in
 * use side by side for years, sometimes on one span. A field is found under any
 * of its names; if several are present, the newest name wins.
 *
 * semconv.c   the table of names and the values of a field
 * systems.c   protocol, database or messaging system, destination
 * outcome.c   whether the span failed
 *
 * Threads: any, after semconv_init().
 */
#ifndef SEMCONV_H
#define SEMCONV_H

#include <stdint.h>

#include "record.h"

enum semconv_field {
    SEM_HTTP_METHOD,
    SEM_HTTP_ROUTE,
    SEM_HTTP_STATUS,
    SEM_URL_PATH, /* http.target may have a query after the path */
    SEM_URL_FULL,
    SEM_URL_TEMPLATE,
    SEM_PLAIN_METHOD, /* Micrometer: "method" and the like, if they fit HTTP */
    SEM_PLAIN_URI,
    SEM_PLAIN_STATUS,
    SEM_DAPR_STATUS, /* of HTTP or of gRPC */
    SEM_OUTCOME,     /* SUCCESS, CLIENT_ERROR, SERVER_ERROR ... */
    SEM_ERROR,       /* true, or an error text */
    SEM_ERROR_TYPE,
    SEM_OTEL_STATUS, /* OK, ERROR: for formats without a status */
    SEM_SERVER_ADDRESS,
    SEM_SERVER_PORT,
    SEM_HTTP_HOST,     /* may have a port */
    SEM_NET_HOST_NAME, /* of the side that sends the span */
    SEM_NET_HOST_PORT,
    SEM_NET_PEER_NAME, /* of the other side */
    SEM_NET_PEER_PORT,
    SEM_PEER_ADDRESS, /* IP address */
    SEM_PEER_SERVICE,
    SEM_RPC_SYSTEM,
    SEM_RPC_SERVICE,
    SEM_RPC_METHOD,
    SEM_RPC_STATUS, /* gRPC status, number or name */
    SEM_JSONRPC_ERROR,
    SEM_DB_SYSTEM,
    SEM_DB_NAMESPACE,
    SEM_DB_OPERATION,
    SEM_DB_COLLECTION,
    SEM_DB_SUMMARY,
    SEM_DB_QUERY,      /* the value is not used */
    SEM_CLOUD_SERVICE, /* DynamoDB */
    SEM_MSG_SYSTEM,
    SEM_MSG_OPERATION, /* create, send (old: publish), receive, process */
    SEM_MSG_TEMPLATE,
    SEM_MSG_DESTINATION,
    SEM_MSG_URL, /* or ARN: the last part names the destination */
    SEM_FIELD_COUNT
};

#define SEM_BIT(field) (UINT64_C(1) << (field))

struct semconv {
    uint64_t has; /* SEM_BIT() of the fields present */
    const struct attr *at[SEM_FIELD_COUNT]; /* NULL: missing */
    uint8_t rank[SEM_FIELD_COUNT];          /* of the name it was found under */
};

void semconv_init(void);

/* Finds all fields in one pass. */
void semconv_read(struct semconv *semconv, const struct attrs *attrs);

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

enum protocol span_protocol(const struct span *span,
                            const struct semconv *semconv);

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
bool systems_sends(const struct span *span, const struct semconv *semconv);

/* ---- outcome.c ---- */

enum outcome {
    OUTCOME_NONE,         /* success, or no evidence */
    OUTCOME_CLIENT_ERROR, /* HTTP 4xx on a span that did not fail */
    OUTCOME_FAILED
};

/* The one rule behind RED, edges, hasErrors, errorsOnly, lists of spans and the
 * cause report; described in docs/correlation.md. */
enum outcome outcome_of(const struct span *span, const struct semconv *semconv);

/* The HTTP status of a span, 100 to 599; 0 if it has none. */
uint32_t outcome_http_status(const struct semconv *semconv);

#endif
