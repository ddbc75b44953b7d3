/*
 * A table of all names, hashed once at start into several times as many slots
 * as it has rows. A slot holds a part of the hash: an unknown key is rejected
 * after one lookup, a known key is compared once.
 *
 * A new attribute name is a row of this table; a new field is a member of enum
 * semconv_field (semconv.h) with its rows.
 */
#include "semconv.h"

#include <pthread.h>
#include <strings.h>

#include "hash.h"

enum { SLOTS = 512 };

/* By rank: a newer name of a field stands before an older one. */
static const struct semconv_name {
    const char *key;
    enum semconv_field field;
} rows[] = {
    {"http.request.method", SEM_HTTP_METHOD},
    {"http.method", SEM_HTTP_METHOD},
    {"http.route", SEM_HTTP_ROUTE},
    {"http.response.status_code", SEM_HTTP_STATUS},
    {"http.status_code", SEM_HTTP_STATUS},
    {"url.path", SEM_URL_PATH},
    {"http.target", SEM_URL_PATH},
    {"http.path", SEM_URL_PATH}, /* Brave, Zipkin */
    {"url.full", SEM_URL_FULL},
    {"http.url", SEM_URL_FULL},
    {"http.uri", SEM_URL_FULL},
    {"url.template", SEM_URL_TEMPLATE},
    {"method", SEM_PLAIN_METHOD},
    {"uri", SEM_PLAIN_URI},
    {"url", SEM_PLAIN_URI},
    {"status", SEM_PLAIN_STATUS},
    {"status_code", SEM_PLAIN_STATUS},
    {"dapr.status_code", SEM_DAPR_STATUS},
    {"outcome", SEM_OUTCOME},
    {"event.outcome", SEM_OUTCOME},
    {"error", SEM_ERROR},
    {"error.type", SEM_ERROR_TYPE},
    {"otel.status_code", SEM_OTEL_STATUS},
    {"server.address", SEM_SERVER_ADDRESS},
    {"server.port", SEM_SERVER_PORT},
    {"http.host", SEM_HTTP_HOST},
    {"http.server_name", SEM_HTTP_HOST},
    {"net.host.name", SEM_NET_HOST_NAME},
    {"net.host.port", SEM_NET_HOST_PORT},
    {"net.peer.name", SEM_NET_PEER_NAME},
    {"net.peer.port", SEM_NET_PEER_PORT},
    {"network.peer.address", SEM_PEER_ADDRESS},
    {"net.sock.peer.addr", SEM_PEER_ADDRESS},
    {"net.peer.ip", SEM_PEER_ADDRESS},
    {"service.peer.name", SEM_PEER_SERVICE},
    {"peer.service", SEM_PEER_SERVICE},
    {"rpc.system.name", SEM_RPC_SYSTEM},
    {"rpc.system", SEM_RPC_SYSTEM},
    {"rpc.service", SEM_RPC_SERVICE},
    {"rpc.method", SEM_RPC_METHOD},
    {"rpc.status_code", SEM_RPC_STATUS},
    {"rpc.response.status_code", SEM_RPC_STATUS},
    {"rpc.grpc.status_code", SEM_RPC_STATUS},
    {"rpc.connect_rpc.error_code", SEM_RPC_STATUS},
    {"grpc.status_code", SEM_RPC_STATUS}, /* Envoy, Micrometer */
    {"grpc.code", SEM_RPC_STATUS},
    {"rpc.jsonrpc.error_code", SEM_JSONRPC_ERROR},
    {"db.system.name", SEM_DB_SYSTEM},
    {"db.system", SEM_DB_SYSTEM},
    {"db.type", SEM_DB_SYSTEM},
    {"db.namespace", SEM_DB_NAMESPACE},
    {"db.name", SEM_DB_NAMESPACE},
    {"db.redis.database_index", SEM_DB_NAMESPACE},
    {"db.elasticsearch.cluster.name", SEM_DB_NAMESPACE},
    {"db.instance", SEM_DB_NAMESPACE},
    {"aws.s3.bucket", SEM_DB_NAMESPACE},
    {"aws.bucket.name", SEM_DB_NAMESPACE},
    {"aws.bucket_name", SEM_DB_NAMESPACE},
    {"db.operation.name", SEM_DB_OPERATION},
    {"db.operation", SEM_DB_OPERATION},
    {"db.collection.name", SEM_DB_COLLECTION},
    {"db.sql.table", SEM_DB_COLLECTION},
    {"db.mongodb.collection", SEM_DB_COLLECTION},
    {"db.cassandra.table", SEM_DB_COLLECTION},
    {"db.cosmosdb.container", SEM_DB_COLLECTION},
    {"db.elasticsearch.path_parts.index", SEM_DB_COLLECTION},
    {"aws.dynamodb.table_names", SEM_DB_COLLECTION},
    {"aws.table.name", SEM_DB_COLLECTION},
    {"aws.table_name", SEM_DB_COLLECTION},
    {"db.query.summary", SEM_DB_SUMMARY},
    {"db.query.text", SEM_DB_QUERY},
    {"db.statement", SEM_DB_QUERY},
    {"db.connection_string", SEM_DB_QUERY},
    {"aws.service", SEM_CLOUD_SERVICE},
    {"aws.remote.service", SEM_CLOUD_SERVICE},
    {"azure.resource_provider.namespace", SEM_CLOUD_SERVICE},
    {"az.namespace", SEM_CLOUD_SERVICE},
    {"gcp.client.service", SEM_CLOUD_SERVICE},
    {"messaging.system", SEM_MSG_SYSTEM},
    {"messaging.operation.type", SEM_MSG_OPERATION},
    {"messaging.operation", SEM_MSG_OPERATION},
    {"messaging.operation.name", SEM_MSG_OPERATION},
    {"messaging.destination.template", SEM_MSG_TEMPLATE},
    {"messaging.destination.name", SEM_MSG_DESTINATION},
    {"messaging.destination", SEM_MSG_DESTINATION},
    {"message_bus.destination", SEM_MSG_DESTINATION},
    {"aws.queue.name", SEM_MSG_DESTINATION},
    {"aws.queue_name", SEM_MSG_DESTINATION},
    {"aws.stream.name", SEM_MSG_DESTINATION},
    {"aws.stream_name", SEM_MSG_DESTINATION},
    {"aws.kinesis.stream_name", SEM_MSG_DESTINATION},
    {"aws.sqs.queue.url", SEM_MSG_URL},
    {"aws.queue.url", SEM_MSG_URL},
    {"aws.queue_url", SEM_MSG_URL},
    {"aws.sns.topic.arn", SEM_MSG_URL},
    {"messaging.url", SEM_MSG_URL},
};

enum { ROW_COUNT = sizeof(rows) / sizeof(*rows) };

_Static_assert(ROW_COUNT < UINT8_MAX, "rows are numbered in a byte");

static struct semconv_slot {
    uint16_t mark; /* bits of the hash; 0: free */
    uint8_t row, len;
} slots[SLOTS];

static uint32_t slot_of(uint64_t hash)
{
    return (uint32_t)(hash >> 40) % SLOTS;
}

static uint16_t mark_of(uint64_t hash)
{
    return (uint16_t)(hash >> 48 | 1);
}

static void fill_slots(void)
{
    for (uint32_t row = 0; row < ROW_COUNT; row++) {
        uint32_t len = (uint32_t)strlen(rows[row].key);
        uint64_t hash = hash_key(rows[row].key, len);
        uint32_t slot = slot_of(hash);

        while (slots[slot].mark)
            slot = (slot + 1) % SLOTS;
        slots[slot] =
            (struct semconv_slot){mark_of(hash), (uint8_t)row, (uint8_t)len};
    }
}

void semconv_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fill_slots);
}

/* The row of the key; ROW_COUNT if it has none. */
static inline uint32_t row_of(const struct attr *attr)
{
    uint64_t hash = hash_key(attr->key, attr->key_len);
    uint16_t mark = mark_of(hash);

    for (uint32_t at = slot_of(hash); slots[at].mark; at = (at + 1) % SLOTS)
        if (slots[at].mark == mark && slots[at].len == attr->key_len &&
            bytes_equal(rows[slots[at].row].key, attr->key, attr->key_len))
            return slots[at].row;
    return ROW_COUNT;
}

void semconv_read(struct semconv *semconv, const struct attrs *attrs)
{
    memset(semconv->at, 0, sizeof(semconv->at));
    semconv->has = 0;
    for (const struct attr *attr = attrs->at, *end = attr + attrs->count;
         attr < end; attr++) {
        uint32_t row = row_of(attr);
        enum semconv_field field;

        if (row == ROW_COUNT)
            continue;
        field = rows[row].field;
        if (!semconv->at[field] || row < semconv->rank[field]) {
            semconv->at[field] = attr;
            semconv->rank[field] = (uint8_t)row;
            semconv->has |= SEM_BIT(field);
        }
    }
}

int64_t semconv_number(const struct semconv *semconv, enum semconv_field field)
{
    const struct attr *attr = semconv->at[field];
    int64_t number = 0;

    if (!attr)
        return -1;
    if (attr->type == VALUE_INT)
        return attr->i;
    if (attr->type == VALUE_DOUBLE) /* JSON through Lua or JavaScript */
        return attr->d >= 0 && attr->d < 1e9 ? (int64_t)attr->d : -1;
    if (attr->type != VALUE_STRING || attr->len == 0 || attr->len > 9)
        return -1;
    for (uint32_t i = 0; i < attr->len; i++) {
        if (attr->str[i] < '0' || attr->str[i] > '9')
            return -1;
        number = number * 10 + (attr->str[i] - '0');
    }
    return number;
}

struct slice semconv_first(const struct semconv *semconv,
                           const enum semconv_field *fields, size_t count)
{
    struct slice text = {NULL, 0};

    for (size_t i = 0; i < count && text.len == 0; i++)
        text = semconv_text(semconv, fields[i]);
    return text;
}

uint16_t semconv_port(const struct semconv *semconv, enum semconv_field field,
                      enum semconv_field old_field)
{
    int64_t port = semconv_number(semconv, field);

    if (port <= 0)
        port = semconv_number(semconv, old_field);
    return port > 0 && port < 65536 ? (uint16_t)port : 0;
}

const char *semconv_verb(struct slice text)
{
    static const struct {
        uint8_t len;
        char name[8];
    } verbs[] = {{3, "GET"},   {4, "POST"},   {3, "PUT"},     {6, "DELETE"},
                 {4, "HEAD"},  {5, "PATCH"},  {7, "OPTIONS"}, {5, "QUERY"},
                 {5, "TRACE"}, {7, "CONNECT"}};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (text.len == verbs[i].len &&
            (bytes_equal(text.ptr, verbs[i].name, text.len) ||
             strncasecmp(text.ptr, verbs[i].name, text.len) == 0))
            return verbs[i].name;
    return NULL;
}

bool semconv_is_uri(struct slice text)
{
    return slice_starts(text, SLICE("/")) ||
           slice_starts(text, SLICE("http://")) ||
           slice_starts(text, SLICE("https://"));
}

bool semconv_is_http(const struct semconv *semconv)
{
    return semconv->at[SEM_HTTP_METHOD] || semconv->at[SEM_HTTP_ROUTE] ||
           semconv->at[SEM_HTTP_STATUS] || semconv->at[SEM_URL_PATH] ||
           semconv->at[SEM_URL_FULL] ||
           semconv_verb(semconv_text(semconv, SEM_PLAIN_METHOD)) ||
           semconv_is_uri(semconv_text(semconv, SEM_PLAIN_URI));
}
