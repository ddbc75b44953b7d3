/*
 * Protocol of a span, and databases and queues that a span names without the
 * attributes of the semantic conventions: cloud SDKs name a service, older
 * instrumentations set peer.service or only a query.
 *
 * A service is found by its name in lower case, without the vendor's prefix
 * ("AWS::", "Amazon", "AWS", "Microsoft."), spaces and a version suffix: SDKs
 * of one vendor spell one service in five ways.
 */
#include "semconv.h"

enum { MAX_NAME = 40 };

static const struct known_system {
    const char *name;
    const char *system; /* value of db.system.name or messaging.system */
    uint8_t protocol;
} known_systems[] = {
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
    {"documentdb", "cosmosdb", PROTOCOL_DB}, /* Microsoft */
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

/* The name as the table spells it; empty if it is too long for the table. */
static struct slice normalize(struct slice name, char out[MAX_NAME])
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

static const struct known_system *find_system(struct slice name)
{
    char out[MAX_NAME];

    if (name.len == 0)
        return NULL;
    name = normalize(name, out);
    for (size_t i = 0; i < sizeof(known_systems) / sizeof(*known_systems); i++)
        if (slice_equal(name, slice_of(known_systems[i].name)))
            return &known_systems[i];
    return NULL;
}

/* The position after the last '/' or other separator; 0 without one. */
static size_t last_part(struct slice text, char separator)
{
    size_t at = text.len;

    while (at > 0 && text.ptr[at - 1] != '/' && text.ptr[at - 1] != separator)
        at--;
    return at;
}

/* rpc.service, else the service of a method "DynamoDB/PutItem". */
static struct slice rpc_service(const struct semconv *semconv)
{
    struct slice service = semconv_text(semconv, SEM_RPC_SERVICE);
    struct slice method = semconv_text(semconv, SEM_RPC_METHOD);
    size_t at = last_part(method, '.');

    if (service.len == 0 && at > 0)
        return (struct slice){method.ptr, at - 1};
    return service;
}

/* A service of a cloud, or a system that peer.service names. An RPC service
 * counts only if the SDK or its full name shows that it is a cloud's: users may
 * give theirs any name. */
static const struct known_system *named_system(const struct semconv *semconv)
{
    const struct known_system *system = NULL;

    if (semconv->at[SEM_RPC_SYSTEM]) {
        struct slice rpc = semconv_text(semconv, SEM_RPC_SYSTEM);
        struct slice service = rpc_service(semconv);

        if (slice_equal(rpc, SLICE("aws-api")) ||
            slice_starts(service, SLICE("google.")))
            system = find_system(service);
    }
    if (!system)
        system = find_system(semconv_text(semconv, SEM_CLOUD_SERVICE));
    if (!system && !semconv->at[SEM_RPC_SYSTEM])
        system = find_system(semconv_text(semconv, SEM_PEER_SERVICE));
    return system;
}

/* PROTOCOL_DB, PROTOCOL_MESSAGING, or PROTOCOL_NONE if the span names neither
 * a database nor a queue. */
static enum protocol system_protocol(const struct semconv *semconv)
{
    static const uint64_t db_fields =
        SEM_BIT(SEM_DB_QUERY) | SEM_BIT(SEM_DB_SUMMARY) |
        SEM_BIT(SEM_DB_OPERATION) | SEM_BIT(SEM_DB_COLLECTION) |
        SEM_BIT(SEM_DB_NAMESPACE);
    const struct known_system *system;

    if (semconv->span->kind != SPAN_CLIENT && semconv->at[SEM_MSG_SYSTEM])
        return PROTOCOL_MESSAGING;
    if (semconv->at[SEM_DB_SYSTEM])
        return PROTOCOL_DB;
    if (semconv->at[SEM_MSG_SYSTEM])
        return PROTOCOL_MESSAGING;
    system = named_system(semconv);
    if (system)
        return (enum protocol)system->protocol;
    if (semconv->span->kind == SPAN_CLIENT && semconv->has & db_fields)
        return PROTOCOL_DB;
    return semconv->at[SEM_MSG_DESTINATION] || semconv->at[SEM_MSG_URL]
               ? PROTOCOL_MESSAGING
               : PROTOCOL_NONE;
}

enum protocol span_protocol(const struct semconv *semconv)
{
    /* HTTP and RPC only transport the call of a database or a queue; a SERVER
     * span serves HTTP or RPC itself. */
    if (semconv->span->kind != SPAN_SERVER) {
        enum protocol protocol = system_protocol(semconv);

        if (protocol != PROTOCOL_NONE)
            return protocol;
    }
    if (semconv->at[SEM_HTTP_METHOD] || semconv->at[SEM_HTTP_ROUTE] ||
        semconv->at[SEM_HTTP_STATUS])
        return semconv->at[SEM_RPC_SYSTEM] || semconv->at[SEM_RPC_STATUS]
                   ? PROTOCOL_GRPC
                   : PROTOCOL_HTTP;
    if (semconv->at[SEM_RPC_SYSTEM] || semconv->at[SEM_RPC_SERVICE])
        return PROTOCOL_GRPC;
    if (semconv->at[SEM_DB_SYSTEM])
        return PROTOCOL_DB;
    if (semconv->at[SEM_MSG_SYSTEM] || semconv->span->kind == SPAN_PRODUCER ||
        semconv->span->kind == SPAN_CONSUMER)
        return PROTOCOL_MESSAGING;
    return semconv_is_http(semconv) ? PROTOCOL_HTTP : PROTOCOL_NONE;
}

struct slice protocol_name(enum protocol protocol)
{
    static const char *const names[] = {"", "http", "grpc", "db", "messaging"};

    return slice_of(names[protocol]);
}

static struct slice system_text(const struct semconv *semconv,
                                enum semconv_field field)
{
    struct slice text = semconv_text(semconv, field);
    const struct known_system *system =
        text.len > 0 ? NULL : named_system(semconv);

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
    static const enum semconv_field names[] = {SEM_MSG_TEMPLATE,
                                               SEM_MSG_DESTINATION};
    struct slice name = semconv_first(semconv, names, 2);

    if (name.len > 0)
        return name;
    name = semconv_text(semconv, SEM_MSG_URL);
    return slice_from(name, last_part(name, ':'));
}

struct slice systems_method(const struct semconv *semconv)
{
    struct slice method = semconv_text(semconv, SEM_RPC_METHOD);

    return slice_from(method, last_part(method, '.'));
}

/* True if the word is the first or the last one of the text. */
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

bool systems_sends(const struct semconv *semconv)
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
        operation = semconv->span->name;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (has_word(operation, words[i]))
            return true;
    return false;
}
