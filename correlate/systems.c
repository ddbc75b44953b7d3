/*
 * Protocol of a span, and databases and queues that a span names without the
 * attributes of the semantic conventions: cloud SDKs name a service, older
 * instrumentations set peer.service or only a query.
 *
 * A service is found by its name in lower case, without the vendor's prefix
 * ("AWS::", "Amazon", "AWS", "Microsoft."), spaces and a version suffix: SDKs
 * of one vendor spell one service in five ways.
 */
#include "ascii.h"
#include "semconv.h"

enum { MAX_NAME = 40 };

struct named_system {
    struct slice system;    /* value of db.system.name or messaging.system */
    enum protocol protocol; /* PROTOCOL_NONE: not known */
};

static const struct known_systems {
    const char *names;
    const char *system; /* NULL: the name itself */
    enum protocol protocol;
} known_systems[] = {
    {"bigquery bigtable cassandra clickhouse cosmosdb couchbase couchdb "
     "dynamodb elasticsearch firestore influxdb mariadb memcached mongodb "
     "mysql "
     "neo4j opensearch postgresql redis s3 spanner",
     NULL, PROTOCOL_DB},
    {"eventbridge firehose kafka kinesis rabbitmq servicebus", NULL,
     PROTOCOL_MESSAGING},
    {"dynamodbstreams", "dynamodb", PROTOCOL_DB},
    {"timestreamquery timestreamwrite", "timestream", PROTOCOL_DB},
    {"redshiftdata", "redshift", PROTOCOL_DB},
    {"rdsdata", "rds", PROTOCOL_DB},
    {"sqs", "aws_sqs", PROTOCOL_MESSAGING},
    {"sns", "aws.sns", PROTOCOL_MESSAGING},
    {"documentdb", "cosmosdb", PROTOCOL_DB}, /* Microsoft */
    {"storage", "object-storage", PROTOCOL_DB},
    {"eventhub", "eventhubs", PROTOCOL_MESSAGING},
    {"google.pubsub.v1.publisher google.pubsub.v1.subscriber pubsub",
     "gcp_pubsub", PROTOCOL_MESSAGING},
    {"google.spanner.v1.spanner", "spanner", PROTOCOL_DB},
    {"google.bigtable.v2.bigtable", "bigtable", PROTOCOL_DB},
    {"google.firestore.v1.firestore", "firestore", PROTOCOL_DB},
    {"google.datastore.v1.datastore", "datastore", PROTOCOL_DB},
    {"google.storage.v2.storage", "gcs", PROTOCOL_DB},
    {"postgres", "postgresql", PROTOCOL_DB},
};

enum { KNOWN_SYSTEMS = sizeof(known_systems) / sizeof(*known_systems) };

/* The name as the table spells it; empty if it is too long for the table. */
static struct slice normalize(struct slice name, char out[MAX_NAME])
{
    struct slice vendors = SLICE("aws:: amazon aws microsoft.");
    struct slice plain = {out, 0};

    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];

        if (c == ' ')
            continue;
        if (plain.len == MAX_NAME)
            return (struct slice){NULL, 0};
        out[plain.len++] = to_lower(c);
    }
    while (vendors.len > 0) {
        struct slice vendor = slice_split(&vendors, ' ');

        if (slice_starts(plain, vendor) && plain.len > vendor.len) {
            plain = slice_from(plain, vendor.len);
            break;
        }
    }
    if (plain.len > 2 && slice_ends(plain, SLICE("v2")))
        plain.len -= 2;
    return plain;
}

static struct named_system find_system(struct slice name)
{
    char out[MAX_NAME];

    if (name.len > 0)
        name = normalize(name, out);
    for (size_t i = 0; name.len > 0 && i < KNOWN_SYSTEMS; i++)
        for (struct slice list = slice_of(known_systems[i].names);
             list.len > 0;) {
            struct slice known = slice_split(&list, ' ');

            if (slice_equal(known, name))
                return (struct named_system){
                    known_systems[i].system ? slice_of(known_systems[i].system)
                                            : known,
                    known_systems[i].protocol};
        }
    return (struct named_system){.protocol = PROTOCOL_NONE};
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
static struct named_system find_named(const struct semconv *semconv)
{
    static const uint64_t fields = SEM_BIT(SEM_RPC_SYSTEM) |
                                   SEM_BIT(SEM_CLOUD_SERVICE) |
                                   SEM_BIT(SEM_PEER_SERVICE);
    struct named_system found = {.protocol = PROTOCOL_NONE};

    if (!(semconv->has & fields)) /* most spans */
        return found;
    if (semconv->at[SEM_RPC_SYSTEM]) {
        struct slice rpc = semconv_text(semconv, SEM_RPC_SYSTEM);
        struct slice service = rpc_service(semconv);

        if (slice_equal(rpc, SLICE("aws-api")) ||
            slice_starts(service, SLICE("google.")))
            found = find_system(service);
    }
    if (found.protocol == PROTOCOL_NONE)
        found = find_system(semconv_text(semconv, SEM_CLOUD_SERVICE));
    if (found.protocol == PROTOCOL_NONE && !semconv->at[SEM_RPC_SYSTEM])
        found = find_system(semconv_text(semconv, SEM_PEER_SERVICE));
    return found;
}

/* PROTOCOL_DB, PROTOCOL_MESSAGING, or PROTOCOL_NONE if the span names neither
 * a database nor a queue. */
static enum protocol system_protocol(const struct semconv *semconv)
{
    static const uint64_t db_fields =
        SEM_BIT(SEM_DB_QUERY) | SEM_BIT(SEM_DB_SUMMARY) |
        SEM_BIT(SEM_DB_OPERATION) | SEM_BIT(SEM_DB_COLLECTION) |
        SEM_BIT(SEM_DB_NAMESPACE);
    enum protocol named;

    if (semconv->span->kind != SPAN_CLIENT && semconv->at[SEM_MSG_SYSTEM])
        return PROTOCOL_MESSAGING;
    if (semconv->at[SEM_DB_SYSTEM])
        return PROTOCOL_DB;
    if (semconv->at[SEM_MSG_SYSTEM])
        return PROTOCOL_MESSAGING;
    named = find_named(semconv).protocol;
    if (named != PROTOCOL_NONE)
        return named;
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

    return text.len > 0 ? text : find_named(semconv).system;
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

/* True if the first or the last word of the text is in the list. */
static bool has_word(struct slice text, struct slice list)
{
    struct slice rest = text, first = slice_split(&rest, ' ');

    while (rest.len > 0) {
        text = rest;
        (void)slice_split(&rest, ' ');
    }
    while (list.len > 0) {
        struct slice word = slice_split(&list, ' ');

        if (slice_equal(word, first) || slice_equal(word, text))
            return true;
    }
    return false;
}

bool systems_sends(const struct semconv *semconv)
{
    struct slice operation = semconv_text(semconv, SEM_MSG_OPERATION);
    struct slice method = systems_method(semconv);

    if (operation.len == 0 && method.len > 0)
        return slice_starts(method, SLICE("Send")) ||
               slice_starts(method, SLICE("Publish")) ||
               slice_starts(method, SLICE("Put"));
    return has_word(operation.len > 0 ? operation : semconv->span->name,
                    SLICE("send publish produce enqueue"));
}
