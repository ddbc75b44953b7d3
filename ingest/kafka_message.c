/*
 * The Collector writes no content type, so the first bytes tell what a message
 * is: '{' after white space is JSON, 0x0a (field 1 with a length) protobuf.
 * 0x0a is white space, too: what begins with it is tried as protobuf first.
 *
 * Other encodings of the Kafka exporter are detected where the message is no
 * OTLP, so that the dead letter says what to change:
 *
 *   jaeger_proto   0a 10 <16 bytes> 12 08 <8 bytes>: checked first, because
 *                  OTLP has only field 1 there
 *   zipkin_proto   0a <len> 0a 10 <16 bytes>, or 0a 08: only after OTLP failed
 *   zipkin_json    an array
 *   jaeger_json    an object with an operationName and no resourceSpans
 *
 * A JSON object without the list of its signal holds no records, but is seldom
 * meant so: it is a dead letter, too, unless it is "{}".
 */
#define _GNU_SOURCE /* memmem */
#include "kafka_message.h"

#include <stdio.h>
#include <stdlib.h>

#include "dead_letter.h"
#include "ingest_decode.h"
#include "mem.h"

enum { REASON = 400 };

static const char *const option_names[SIGNAL_COUNT] = {
    "traces::encoding", "logs::encoding", "metrics::encoding"};

/* The list in an export request of each signal, in both spellings. */
static const char *const lists[SIGNAL_COUNT][2] = {
    {"\"resourceSpans\"", "\"resource_spans\""},
    {"\"resourceLogs\"", "\"resource_logs\""},
    {"\"resourceMetrics\"", "\"resource_metrics\""}};

static struct slice trim(struct slice s)
{
    return slice_trim(s, " \t\r\n");
}

static bool contains(struct slice s, const char *text)
{
    return s.len > 0 && memmem(s.ptr, s.len, text, strlen(text)) != NULL;
}

static unsigned char byte_at(struct slice s, size_t at)
{
    return at < s.len ? (unsigned char)s.ptr[at] : 0;
}

/* ---- dead letters ---- */

static bool is_jaeger_proto(struct slice value)
{
    return value.len >= 28 && byte_at(value, 0) == 0x0a &&
           byte_at(value, 1) == 16 && byte_at(value, 18) == 0x12 &&
           byte_at(value, 19) == 8;
}

static bool is_zipkin_proto(struct slice value)
{
    size_t at = 1;

    if (byte_at(value, 0) != 0x0a)
        return false;
    while (at < 6 && byte_at(value, at) & 0x80)
        at++;
    return byte_at(value, at + 1) == 0x0a &&
           (byte_at(value, at + 2) == 16 || byte_at(value, at + 2) == 8);
}

/* The encoding of a message that is no OTLP; NULL: unknown. */
static const char *other_encoding(const struct kafka_message *message)
{
    struct slice value = trim(message->value);
    bool binary = byte_at(message->value, 0) == 0x0a &&
                  memchr(message->value.ptr, 0, message->value.len);

    if (message->signal != SIGNAL_SPANS)
        return NULL;
    if (is_jaeger_proto(message->value))
        return "jaeger_proto";
    if (!binary && byte_at(value, 0) == '[')
        return "zipkin_json";
    if (byte_at(value, 0) == '{' && contains(value, "\"operationName\""))
        return "jaeger_json";
    return is_zipkin_proto(message->value) ? "zipkin_proto" : NULL;
}

enum status kafka_message_dead_letter(const struct kafka_message *message,
                                      const char *reason, struct batch **batch)
{
    const char *other = other_encoding(message);
    char text[REASON];
    struct dead_letter dead_letter = {.bytes = message->value,
                                      .size = message->value.len};

    if (other)
        snprintf(text, sizeof(text),
                 "looks like %s, which is not supported; set the encoding of "
                 "the Collector's kafka exporter to otlp_proto or otlp_json "
                 "(%s)",
                 other, option_names[message->signal]);
    else
        snprintf(text, sizeof(text), "%s", reason);
    dead_letter.reason = slice_of(text);
    if (!budget_take(message->budget, dead_letter_size(&dead_letter)))
        return ERR_BUSY;
    *batch = dead_letter_new(message->signal, &dead_letter, message->budget);
    (*batch)->received_ns = message->received_ns;
    (*batch)->writer = writer_ref(message->writer);
    return OK;
}

/* ---- decoding ---- */

/* The encodings to try, in order; how many. */
static int find_encodings(const struct kafka_message *message,
                          enum batch_encoding encodings[2])
{
    int count = 0;

    if (message->encoding != KAFKA_AUTO) {
        encodings[0] =
            message->encoding == KAFKA_JSON ? BATCH_JSON : BATCH_PROTOBUF;
        return 1;
    }
    if (byte_at(message->value, 0) == 0x0a)
        encodings[count++] = BATCH_PROTOBUF;
    if (byte_at(trim(message->value), 0) == '{')
        encodings[count++] = BATCH_JSON;
    return count;
}

/* Why a message without records is a mistake; NULL: it is not. */
static const char *why_empty(const struct kafka_message *message,
                             const struct batch *batch)
{
    if (batch->count > 0 || batch->rejected > 0 ||
        batch->encoding != BATCH_JSON || trim(message->value).len <= 2)
        return NULL;
    if (contains(message->value, lists[message->signal][0]) ||
        contains(message->value, lists[message->signal][1]))
        return NULL;
    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (contains(message->value, lists[i][0]))
            return "has another signal than its topic";
    return "a JSON object, but no OTLP: it has no list of resources";
}

/* Without records the journal needs no bytes either. */
static void drop_body(struct batch *batch)
{
    budget_give(batch->budget, batch->body_len);
    free(batch->body);
    batch->body = NULL;
    batch->body_len = 0;
    batch->encoding = BATCH_PROTOBUF;
}

/* On failure `reason`, of REASON bytes, says why. */
static enum status decode(const struct kafka_message *message,
                          enum batch_encoding encoding, char *reason,
                          struct batch **out)
{
    struct batch *batch;
    struct slice detail = {NULL, 0};
    const char *empty;
    enum status status;

    if (!budget_take(message->budget, message->value.len))
        return ERR_BUSY;
    batch = batch_new(message->signal,
                      mem_copy(message->value.ptr, message->value.len),
                      message->value.len, message->budget);
    batch->encoding = encoding;
    batch->received_ns = message->received_ns;
    batch->writer = writer_ref(message->writer);
    batch->counted = message->is_signed;
    status = ingest_decode(batch, message->oldest_ns,
                           message->is_signed ? NULL : message->key, &detail);
    if (message->is_signed && batch->count > 0)
        batch->hash = message->id;
    empty = status == OK ? why_empty(message, batch) : NULL;
    if (status != OK || empty) {
        snprintf(reason, REASON, "%s%s%.*s",
                 empty ? empty : status_text(status), detail.len ? ": " : "",
                 (int)detail.len, detail.len ? detail.ptr : "");
        batch_free(batch);
        return empty ? ERR_INVALID : status;
    }
    if (batch->count == 0)
        drop_body(batch);
    *out = batch;
    return OK;
}

enum status kafka_message_batch(const struct kafka_message *message,
                                struct batch **batch)
{
    enum batch_encoding encodings[2];
    char reason[REASON] = "neither OTLP protobuf nor OTLP/JSON";
    enum status status = ERR_MALFORMED;
    int count;

    if (message->value.len == 0) {
        *batch = batch_new(message->signal, NULL, 0, message->budget);
        (*batch)->received_ns = message->received_ns;
        return OK;
    }
    if (message->value.len > message->max_bytes)
        return kafka_message_dead_letter(message, "larger than --max-body",
                                         batch);
    if (message->signal == SIGNAL_SPANS && is_jaeger_proto(message->value))
        return kafka_message_dead_letter(message, "", batch);
    count = find_encodings(message, encodings);
    for (int i = 0; i < count && status != OK && status != ERR_BUSY; i++)
        status = decode(message, encodings[i], reason, batch);
    return status == OK || status == ERR_BUSY
               ? status
               : kafka_message_dead_letter(message, reason, batch);
}
