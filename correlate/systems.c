/*
 * A service is found by its name in lower case, without the vendor's prefix
 * ("AWS::", "Amazon", "AWS", "Microsoft."), spaces, and a version behind it:
 * SDKs of one vendor spell one service in five ways.
 */
#include "systems.h"

#include "cardinality_limit.h"

enum { MAX_NAME = 40 };

static const struct system {
    const char *name;   /* of the service */
    const char *system; /* as db.system or messaging.system has it */
    uint8_t protocol;
} table[] = {
    {"dynamodb", "dynamodb", PROTOCOL_DB},
    {"dynamodbstreams", "dynamodb", PROTOCOL_DB},
    {"s3", "s3", PROTOCOL_DB},
    {"timestreamquery", "timestream", PROTOCOL_DB},
    {"timestreamwrite", "timestream", PROTOCOL_DB},
    {"redshiftdata", "redshift", PROTOCOL_DB},
    {"rdsdata", "rds", PROTOCOL_DB},
    {"sqs", "aws_sqs", PROTOCOL_MESSAGING},
    {"sns", "aws.sns", PROTOCOL_MESSAGING},
    {"kinesis", "kinesis", PROTOCOL_MESSAGING},
    {"firehose", "firehose", PROTOCOL_MESSAGING},
    {"eventbridge", "eventbridge", PROTOCOL_MESSAGING},
    {"documentdb", "cosmosdb", PROTOCOL_DB}, /* of Microsoft */
    {"storage", "object-storage", PROTOCOL_DB},
    {"eventhub", "eventhubs", PROTOCOL_MESSAGING},
    {"servicebus", "servicebus", PROTOCOL_MESSAGING},
    {"google.pubsub.v1.publisher", "gcp_pubsub", PROTOCOL_MESSAGING},
    {"google.pubsub.v1.subscriber", "gcp_pubsub", PROTOCOL_MESSAGING},
    {"pubsub", "gcp_pubsub", PROTOCOL_MESSAGING},
    {"google.spanner.v1.spanner", "spanner", PROTOCOL_DB},
    {"spanner", "spanner", PROTOCOL_DB},
    {"google.bigtable.v2.bigtable", "bigtable", PROTOCOL_DB},
    {"bigtable", "bigtable", PROTOCOL_DB},
    {"google.firestore.v1.firestore", "firestore", PROTOCOL_DB},
    {"firestore", "firestore", PROTOCOL_DB},
    {"google.datastore.v1.datastore", "datastore", PROTOCOL_DB},
    {"google.storage.v2.storage", "gcs", PROTOCOL_DB},
    {"bigquery", "bigquery", PROTOCOL_DB},
    {"elasticsearch", "elasticsearch", PROTOCOL_DB},
    {"opensearch", "opensearch", PROTOCOL_DB},
    {"cosmosdb", "cosmosdb", PROTOCOL_DB},
    {"couchbase", "couchbase", PROTOCOL_DB},
    {"couchdb", "couchdb", PROTOCOL_DB},
    {"clickhouse", "clickhouse", PROTOCOL_DB},
    {"influxdb", "influxdb", PROTOCOL_DB},
    {"neo4j", "neo4j", PROTOCOL_DB},
    {"mongodb", "mongodb", PROTOCOL_DB},
    {"mysql", "mysql", PROTOCOL_DB},
    {"mariadb", "mariadb", PROTOCOL_DB},
    {"postgresql", "postgresql", PROTOCOL_DB},
    {"postgres", "postgresql", PROTOCOL_DB},
    {"cassandra", "cassandra", PROTOCOL_DB},
    {"redis", "redis", PROTOCOL_DB},
    {"memcached", "memcached", PROTOCOL_DB},
    {"kafka", "kafka", PROTOCOL_MESSAGING},
    {"rabbitmq", "rabbitmq", PROTOCOL_MESSAGING},
};

static bool drop_prefix(struct slice *name, const char *prefix)
{
    size_t len = strlen(prefix);

    if (name->len <= len || !slice_starts(*name, slice_of(prefix)))
        return false;
    *name = slice_from(*name, len);
    return true;
}

/* The name as the table has it; empty if it is too long to be in it. */
static struct slice plain_name(struct slice name, char out[MAX_NAME])
{
    static const char *const vendors[] = {"aws::", "amazon", "aws",
                                          "microsoft."};
    struct slice plain = {out, 0};

    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];

        if (c == ' ')
            continue;
        if (plain.len == MAX_NAME)
            return (struct slice){NULL, 0};
        out[plain.len++] = (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
    }
    for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++)
        if (drop_prefix(&plain, vendors[i]))
            break;
    if (plain.len > 2 && plain.ptr[plain.len - 2] == 'v' &&
        plain.ptr[plain.len - 1] == '2')
        plain.len -= 2;
    return plain;
}

static const struct system *find(struct slice name)
{
    char out[MAX_NAME];

    if (name.len == 0)
        return NULL;
    name = plain_name(name, out);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
        if (slice_equal(name, slice_of(table[i].name)))
            return &table[i];
    return NULL;
}

/* "DynamoDB" of rpc.service, else of a method "DynamoDB/PutItem". */
static struct slice rpc_service(const struct semconv *semconv)
{
    struct slice service = semconv_text(semconv, SEM_RPC_SERVICE);
    struct slice method = semconv_text(semconv, SEM_RPC_METHOD);

    if (service.len > 0)
        return service;
    for (size_t i = method.len; i-- > 0;)
        if (method.ptr[i] == '/' || method.ptr[i] == '.')
            return (struct slice){method.ptr, i};
    return service;
}

/* A service of a cloud, or a system that peer.service names. A component of
 * the user's own may have an RPC service of any name: only a cloud's SDK and
 * full names decide there. */
static const struct system *named(const struct semconv *semconv)
{
    const struct system *system = NULL;

    if (semconv->at[SEM_RPC_SYSTEM]) {
        struct slice rpc = semconv_text(semconv, SEM_RPC_SYSTEM);
        struct slice service = rpc_service(semconv);

        if (slice_equal(rpc, SLICE("aws-api")) ||
            slice_starts(service, SLICE("google.")))
            system = find(service);
    }
    if (!system && semconv->at[SEM_CLOUD_SERVICE])
        system = find(semconv_text(semconv, SEM_CLOUD_SERVICE));
    if (!system && semconv->at[SEM_PEER_SERVICE] &&
        !semconv->at[SEM_RPC_SYSTEM])
        system = find(semconv_text(semconv, SEM_PEER_SERVICE));
    return system;
}

enum protocol systems_protocol(const struct span *span,
                               const struct semconv *semconv)
{
    const struct system *system;

    if (span->kind != SPAN_CLIENT && semconv->at[SEM_MSG_SYSTEM])
        return PROTOCOL_MESSAGING;
    if (semconv->at[SEM_DB_SYSTEM])
        return PROTOCOL_DB;
    if (semconv->at[SEM_MSG_SYSTEM])
        return PROTOCOL_MESSAGING;
    system = named(semconv);
    if (system)
        return (enum protocol)system->protocol;
    if (span->kind == SPAN_CLIENT &&
        (semconv->at[SEM_DB_QUERY] || semconv->at[SEM_DB_SUMMARY] ||
         semconv->at[SEM_DB_OPERATION] || semconv->at[SEM_DB_COLLECTION] ||
         semconv->at[SEM_DB_NAMESPACE]))
        return PROTOCOL_DB;
    return semconv->at[SEM_MSG_DESTINATION] || semconv->at[SEM_MSG_URL]
               ? PROTOCOL_MESSAGING
               : PROTOCOL_NONE;
}

static struct slice system_text(const struct semconv *semconv,
                                enum semconv_field field)
{
    struct slice text = semconv_text(semconv, field);
    const struct system *system = text.len > 0 ? NULL : named(semconv);

    return system ? slice_of(system->system) : text;
}

struct slice systems_database(const struct semconv *semconv)
{
    return system_text(semconv, SEM_DB_SYSTEM);
}

struct slice systems_queue(const struct semconv *semconv)
{
    return system_text(semconv, SEM_MSG_SYSTEM);
}

struct slice systems_destination(const struct semconv *semconv)
{
    struct slice name = semconv_text(semconv, SEM_MSG_TEMPLATE);

    if (name.len == 0)
        name = semconv_text(semconv, SEM_MSG_DESTINATION);
    if (name.len > 0)
        return name;
    name = semconv_text(semconv, SEM_MSG_URL);
    for (size_t i = name.len; i-- > 0;)
        if (name.ptr[i] == '/' || name.ptr[i] == ':')
            return slice_from(name, i + 1);
    return name;
}

struct slice systems_method(const struct semconv *semconv)
{
    struct slice method = semconv_text(semconv, SEM_RPC_METHOD);

    for (size_t i = method.len; i-- > 0;)
        if (method.ptr[i] == '/' || method.ptr[i] == '.')
            return slice_from(method, i + 1);
    return method;
}

/* The word is the text, or stands first or last in it. */
static bool has_word(struct slice text, const char *word)
{
    size_t len = strlen(word);

    if (text.len < len)
        return false;
    if (slice_starts(text, slice_of(word)) &&
        (text.len == len || text.ptr[len] == ' '))
        return true;
    return slice_equal(slice_from(text, text.len - len), slice_of(word)) &&
           text.ptr[text.len - len - 1] == ' ';
}

bool systems_sends(const struct span *span, const struct semconv *semconv)
{
    static const char *const words[] = {"send", "publish", "produce",
                                        "enqueue"};
    static const char *const methods[] = {"Send", "Publish", "Put"};
    struct slice operation = semconv_text(semconv, SEM_MSG_OPERATION);
    struct slice method = systems_method(semconv);

    if (operation.len == 0 && method.len > 0) {
        for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
            if (slice_starts(method, slice_of(methods[i])))
                return true;
        return false;
    }
    if (operation.len == 0)
        operation = span->name;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (has_word(operation, words[i]))
            return true;
    return false;
}
