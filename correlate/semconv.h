/*
 * semconv - the attributes of a span that mean something to correlation.
 *
 * OpenTelemetry has renamed most of them once, and old and new names will live
 * side by side for years, sometimes on one span. A field is found under any of
 * its names; where several are there, the newest wins.
 *
 * Threads  semconv_init() once, then any.
 */
#ifndef SEMCONV_H
#define SEMCONV_H

#include <stdint.h>

#include "record.h"

enum semconv_field {
    SEM_HTTP_METHOD,
    SEM_HTTP_ROUTE,
    SEM_HTTP_STATUS,
    SEM_URL_PATH, /* http.target has a query behind the path */
    SEM_URL_FULL,
    SEM_URL_TEMPLATE,
    SEM_PLAIN_METHOD, /* Micrometer: the bare words mean HTTP if they fit */
    SEM_PLAIN_URI,
    SEM_PLAIN_STATUS,
    SEM_DAPR_STATUS, /* of HTTP or of gRPC */
    SEM_OUTCOME,     /* SUCCESS, CLIENT_ERROR, SERVER_ERROR ... */
    SEM_ERROR,       /* true, or a text about it */
    SEM_ERROR_TYPE,  /* empty or missing: none */
    SEM_OTEL_STATUS, /* OK, ERROR: of carriers that have no status */
    SEM_SERVER_ADDRESS,
    SEM_SERVER_PORT,
    SEM_HTTP_HOST,     /* may have a port */
    SEM_NET_HOST_NAME, /* of the one who emits */
    SEM_NET_HOST_PORT,
    SEM_NET_PEER_NAME, /* of the one on the other side */
    SEM_NET_PEER_PORT,
    SEM_PEER_ADDRESS, /* of the network */
    SEM_PEER_SERVICE,
    SEM_RPC_SYSTEM,
    SEM_RPC_SERVICE,
    SEM_RPC_METHOD,
    SEM_RPC_STATUS, /* gRPC's, number or name */
    SEM_JSONRPC_ERROR,
    SEM_DB_SYSTEM,
    SEM_DB_NAMESPACE,
    SEM_DB_OPERATION,
    SEM_DB_COLLECTION,
    SEM_DB_SUMMARY,
    SEM_DB_QUERY,      /* only that it is there counts */
    SEM_CLOUD_SERVICE, /* the SDK's name of a service: DynamoDB */
    SEM_MSG_SYSTEM,
    SEM_MSG_OPERATION, /* create, send (old: publish), receive, process */
    SEM_MSG_TEMPLATE,
    SEM_MSG_DESTINATION,
    SEM_MSG_URL, /* or ARN: its last part names the destination */
    SEM_FIELD_COUNT
};

#define SEM_BIT(field) (UINT64_C(1) << (field))

struct semconv {
    uint64_t has; /* SEM_BIT() of those that are there */
    const struct attr *at[SEM_FIELD_COUNT]; /* NULL: not there */
    uint8_t rank[SEM_FIELD_COUNT];          /* of the name it came under */
};

void semconv_init(void);

/* Walks attrs once. */
void semconv_read(struct semconv *semconv, const struct attrs *attrs);

/* The text of a field, of an array that of its first element; empty if it is
 * missing or no string. */
static inline struct slice semconv_text(const struct semconv *semconv,
                                        enum semconv_field field)
{
    const struct attr *attr = semconv->at[field];

    if (attr && attr->type == VALUE_ARRAY)
        attr = attr->len > 0 ? attr->items : NULL;
    return attr ? attr_text(attr) : (struct slice){NULL, 0};
}

/* A number, also from a decimal string; -1 if there is none. */
int64_t semconv_number(const struct semconv *semconv, enum semconv_field field);

/* The HTTP method in upper case; NULL if it is none of the usual ones. */
const char *semconv_verb(struct slice text);
/* True for what an attribute as bare as "uri" has if it is about HTTP. */
bool semconv_is_uri(struct slice text);
/* True if the span is of an HTTP request: it has an attribute of HTTP, or bare
 * ones with the values that those of HTTP have. */
bool semconv_is_http(const struct semconv *semconv);

#endif
