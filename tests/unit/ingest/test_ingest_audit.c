/*
 * Records that their sender may not write, in the audit: of a request, and of
 * messages of Kafka, where a batch is done by kafka_partitions.c.
 */
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "audit.h"
#include "ingest_decode.h"
#include "kafka_partitions.h"
#include "test.h"

enum { LINES = 8 };

static char path[] = "/tmp/test_ingest_audit_XXXXXX";

static void begin(void)
{
    int fd = mkstemp(path);

    CHECK(fd >= 0);
    close(fd);
    CHECK_EQ(audit_open(path, false), OK);
}

/* Closes the audit, so that sums are written, too. */
static int end(json_t *lines[LINES])
{
    FILE *file;
    char text[4096];
    int count = 0;

    audit_close();
    file = fopen(path, "r");
    CHECK(file != NULL);
    while (file && count < LINES && fgets(text, sizeof(text), file))
        CHECK((lines[count++] = json_loads(text, 0, NULL)) != NULL);
    if (file)
        fclose(file);
    unlink(path);
    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    return count;
}

/* A member of an object of the line; "": there is none. */
static struct slice member(json_t *line, const char *object, const char *name)
{
    json_t *from = object[0] ? json_object_get(line, object) : line;
    const char *text = json_string_value(json_object_get(from, name));

    return slice_of(text ? text : "");
}

/* The batch is with the sink; it is done with so many records refused. */
static void one_message(struct kafka_partitions *partitions,
                        struct kafka_partition *partition,
                        struct writer *writer, uint32_t foreign)
{
    struct batch *batch = batch_new(SIGNAL_LOGS, NULL, 0, NULL);
    const struct source_offset source = {.topic = slice_of(partition->topic)};

    batch_set_source_offset(batch, &source);
    batch->writer = writer_ref(writer);
    batch->received_ns = 1;
    partition_track(partitions, partition, batch);
    batch->foreign = foreign;
    batch_done(batch, OK);
    batch_free(batch);
}

TEST(of_kafka)
{
    const struct writer_scope scope = {.name = {SLICE("acme")}};
    struct writer *writer = writer_new(SLICE("acme"), false, &scope, 1);
    struct kafka_partitions partitions;
    struct kafka_partition *partition;
    json_t *lines[LINES] = {NULL};

    begin();
    partitions_init(&partitions);
    partition = partitions_add(&partitions, "acme_logs", 0, SIGNAL_LOGS);
    one_message(&partitions, partition, writer, 0);
    for (int i = 0; i < 3; i++)
        one_message(&partitions, partition, writer, 2);
    partitions_release(&partitions);
    writer_free(writer);
    CHECK_EQ(end(lines), 2);
    CHECK_TEXT(member(lines[0], "", "action"), "telemetry:write");
    CHECK_TEXT(member(lines[0], "", "result"), "denied");
    CHECK_TEXT(member(lines[0], "resource", "namespace"), "acme");
    CHECK_TEXT(member(lines[0], "resource", "name"), "acme_logs");
    CHECK_TEXT(member(lines[0], "metadata", "reason"),
               "records of a Kafka topic stamp what it may not write");
    CHECK_TEXT(member(lines[1], "metadata", "reason"),
               "records of a Kafka topic stamp what it may not write");
    for (int i = 0; i < 2; i++)
        CHECK(!json_object_get(lines[i], "source_ip"));
    CHECK_EQ(json_integer_value(json_object_get(
                 json_object_get(lines[1], "metadata"), "count")),
             2);
    for (int i = 0; i < 2; i++)
        json_decref(lines[i]);
}

TEST(of_requests_by_address)
{
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1};
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    json_t *lines[LINES] = {NULL};

    batch->foreign = 1;
    begin();
    for (int i = 0; i < 4; i++) {
        ingest_audit_foreign(batch, NULL, address);
        address[15] ^= 3; /* 1, 2 and again */
    }
    CHECK_EQ(end(lines), 4);
    CHECK_TEXT(member(lines[0], "", "source_ip"), "10.0.0.1");
    CHECK_TEXT(member(lines[1], "", "source_ip"), "10.0.0.2");
    CHECK_TEXT(member(lines[2], "", "source_ip"), "10.0.0.1");
    CHECK_TEXT(member(lines[3], "", "source_ip"), "10.0.0.2");
    for (int i = 0; i < 4; i++)
        json_decref(lines[i]);
    batch_free(batch);
}
