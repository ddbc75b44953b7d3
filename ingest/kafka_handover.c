/*
 * A batch on its way to Kafka:
 *
 *   1. records that their sender may not write are left out, as are those that
 *      decoding rejected
 *   2. the rest is split into messages by partition (otlp_split.h)
 *   3. each message waits for a turn of its partition (kafka_turns.h), is
 *      signed and given to librdkafka
 *   4. with the last delivery report the batch is done
 *
 * All messages exist before the first is produced, so a batch that is too much
 * for the memory leaves none behind. If only some could be delivered, the
 * sender is told to send the request again; consumers know the others by their
 * ids.
 *
 * Foreign records: names that a resource or a record stamps are compared here
 * with the scopes of the sender. Whose a uid is, only the correlator knows;
 * what it refuses is counted in records_foreign_total there, and the sender is
 * not told.
 */
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "array.h"
#include "clock.h"
#include "kafka_int.h"
#include "kafka_producer_int.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

/* Beside the bytes of a message: its headers, librdkafka's and our own. Of the
 * message's largest size, framing. */
enum { MESSAGE_OVERHEAD = 1024, FRAMING = 512 };
/* Copies of resources in several messages may take so many times the request.
 */
enum { MAX_COPIES = 16, MIN_TOTAL = 1 << 20 };

/* What waited so long for a turn fails: with message.timeout.ms it would take
 * longer than senders wait. */
#define TURN_NS (4 * NS_PER_S)

struct handover {
    struct kafka_producer *producer;
    struct batch *batch;
    struct handed_message *messages;
    uint32_t count, room;
    uint64_t begin_ns;        /* monotonic */
    char why[KAFKA_WHY_SIZE]; /* of the first foreign record */
    atomic_uint waiting;      /* messages, and 1 while they are made */
    atomic_int status;        /* enum status: the first failure */
};

/* ---- the end ---- */

static void note_failure(struct handover *h, enum status status)
{
    int was = OK;

    if (status != OK)
        atomic_compare_exchange_strong(&h->status, &was, (int)status);
}

static void release(struct handover *h)
{
    struct kafka_producer *producer = h->producer;

    if (atomic_fetch_sub(&h->waiting, 1) > 1)
        return;
    batch_done(h->batch, (enum status)atomic_load(&h->status));
    batch_free(h->batch);
    free(h->messages);
    free(h);
    atomic_fetch_sub(&producer->handovers, 1); /* now it may stop */
}

static void note_waiting(size_t bytes)
{
    stats_set(STATS_KAFKA_PRODUCE_WAITING, bytes);
}

static void give_back(struct handed_message *message)
{
    struct kafka_producer *producer = message->handover->producer;
    size_t bytes = message->part.charged + MESSAGE_OVERHEAD;

    budget_give(producer->options.budget, bytes);
    note_waiting(atomic_fetch_sub(&producer->waiting, bytes) - bytes);
}

/* What the sender is told. */
static enum status status_of(rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return ERR_TOO_BIG;
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
        return ERR_STOPPING;
    default:
        return ERR_BUSY;
    }
}

/* Once a minute. */
static void log_failure(struct kafka_producer *producer,
                        rd_kafka_resp_err_t error)
{
    uint64_t now = clock_monotonic_ns();
    uint64_t last = atomic_load(&producer->logged_ns);

    if (now - last < NS_PER_MIN && last > 0)
        return;
    if (atomic_compare_exchange_strong(&producer->logged_ns, &last, now))
        log_warn("kafka", "messages could not be handed over",
                 log_text("error", rd_kafka_err2str(error)));
}

/* The last thing that is done with it. */
static void end_message(struct handed_message *message,
                        rd_kafka_resp_err_t error)
{
    struct handover *h = message->handover;

    if (error) {
        stats_add(STATS_KAFKA_NOT_PRODUCED, 1);
        log_failure(h->producer, error);
        note_failure(h, status_of(error));
    } else {
        stats_add(STATS_KAFKA_PRODUCED, 1);
        stats_add(STATS_KAFKA_PRODUCED_BYTES, message->part.len);
    }
    give_back(message);
    kafka_turns_done(&h->producer->turns, message);
    release(h);
}

void kafka_delivered(rd_kafka_t *rk, const rd_kafka_message_t *message,
                     void *opaque)
{
    (void)rk;
    (void)opaque;
    end_message(message->_private, message->err);
}

/* ---- foreign records ---- */

static bool accepts(struct handover *h, const struct attrs *attrs)
{
    const struct kafka_producer_options *o = &h->producer->options;
    char why[KAFKA_WHY_SIZE] = "";

    if (o->accepts(o->accepts_arg, h->batch->writer, attrs, why))
        return true;
    if (h->why[0] == '\0')
        snprintf(h->why, sizeof(h->why), "%s", why);
    return false;
}

static const struct resource *record_of(const struct batch *batch, uint32_t i,
                                        const struct attrs **attrs)
{
    *attrs = NULL; /* labels of spans have no effect */
    switch (batch->signal) {
    case SIGNAL_SPANS:
        return batch->spans[i].resource;
    case SIGNAL_LOGS:
        *attrs = &batch->logs[i].attrs;
        return batch->logs[i].resource;
    default:
        *attrs = &batch->points[i].attrs;
        return batch->points[i].metric->resource;
    }
}

static void skip(uint8_t *bits, uint32_t place)
{
    bits[place / 8] |= (uint8_t)(1u << place % 8);
}

/* Resources are compared once, their ids tell the outcome. */
static void skip_foreign(struct handover *h, uint8_t *bits)
{
    struct batch *batch = h->batch;
    uint32_t place = 0;

    for (uint32_t i = 0; i < batch->resource_count; i++)
        batch->resources[i].id =
            accepts(h, &batch->resources[i].attrs) ? 0 : RESOURCE_NONE;
    for (uint32_t i = 0; i < batch->count; i++, place++) {
        const struct attrs *attrs;
        const struct resource *resource = record_of(batch, i, &attrs);

        while (bits[place / 8] >> place % 8 & 1)
            place++;
        if (resource->id != RESOURCE_NONE && (!attrs || accepts(h, attrs)))
            continue;
        skip(bits, place);
        batch->foreign++;
    }
    stats_add(STATS_RECORDS_FOREIGN, batch->foreign);
}

/* The records to leave out. False: no memory; *bits NULL: there are none. */
static bool find_skipped(struct handover *h, const uint8_t **bits)
{
    struct batch *batch = h->batch;
    uint8_t *skipped;

    *bits = NULL;
    if (batch->rejected_places == 0 && !batch->writer)
        return true;
    skipped = arena_zero(&batch->arena, batch->received / 8 + 1, 1);
    if (!skipped)
        return false;
    for (uint32_t i = 0; i < batch->rejected_places; i++)
        skip(skipped, batch->rejected_at[i]);
    if (batch->writer && h->producer->options.accepts)
        skip_foreign(h, skipped);
    *bits = skipped;
    return true;
}

/* ---- messages ---- */

static void take_part(void *arg, const struct otlp_part *part)
{
    struct handover *h = arg;
    struct handed_message *message =
        array_append(&h->messages, h->count, &h->room);
    size_t bytes = part->charged + MESSAGE_OVERHEAD;

    h->count++;
    *message = (struct handed_message){.handover = h, .part = *part};
    budget_force(h->producer->options.budget, MESSAGE_OVERHEAD);
    note_waiting(atomic_fetch_add(&h->producer->waiting, bytes) + bytes);
}

static enum status split(struct handover *h, uint32_t partitions)
{
    const struct kafka_producer *producer = h->producer;
    const struct batch *batch = h->batch;
    size_t head = FRAMING + KAFKA_SIGNATURE_MAX - WRITER_MAX_BYTES +
                  writer_bytes(batch->writer).len;
    struct otlp_split split = {
        .signal = batch->signal,
        .body = {batch->body, batch->body_len},
        .partitions = partitions,
        .max_bytes = producer->max_message - head,
        .max_total = batch->body_len * MAX_COPIES + MIN_TOTAL,
        .budget = producer->options.budget,
        .emit = take_part,
        .arg = h,
    };
    enum status status;

    if (partitions == 0)
        return ERR_UNREACHABLE;
    if (!find_skipped(h, &split.skip))
        return ERR_BUSY;
    status = otlp_split(&split);
    h->batch->too_big = split.too_big;
    return status;
}

/* The messages have copies of all: what waits for the brokers is held once. */
static void drop_records(struct batch *batch)
{
    budget_give(batch->budget, batch->body_len);
    free(batch->body);
    batch->body = NULL;
    batch->body_len = 0;
    batch->count = batch->resource_count = 0;
    arena_release(&batch->arena);
}

/* Both, since two requests may have a message in common. */
static struct request_hash id_of(const struct handover *h, struct slice value)
{
    const struct kafka_producer_options *o = &h->producer->options;
    struct request_hash hash = h->batch->hash;
    char bytes[16];

    if (request_hash_none(hash))
        return hash;
    store_le(bytes, hash.a, 8);
    store_le(bytes + 8, hash.b, 8);
    return kafka_message_id(
        o->key, request_hash_of(o->request_key,
                                UINT64_C(1) << 32 | (uint64_t)h->batch->signal,
                                (struct slice){bytes, sizeof(bytes)}, value));
}

/* librdkafka frees the bytes and the headers when it has taken them. A header
 * that is given by itself, not in a list, it frees twice when it refuses a
 * message of a topic that brokers refused before (its issue 4627). */
static rd_kafka_resp_err_t produce_value(struct kafka_producer *p,
                                         const struct batch *batch,
                                         struct handed_message *message,
                                         struct slice header)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = p->topics[batch->signal].rkt},
        {.vtype = RD_KAFKA_VTYPE_PARTITION,
         .u.i32 = (int32_t)message->part.partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_FREE},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {message->part.bytes, message->part.len}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP,
         .u.i64 = (int64_t)(batch->received_ns / NS_PER_MS)},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = message},
    };
    rd_kafka_resp_err_t code = rd_kafka_header_add(
        headers, KAFKA_SIGNATURE_HEADER, -1, header.ptr, (ssize_t)header.len);
    rd_kafka_error_t *error =
        code ? NULL
             : rd_kafka_produceva(p->rk, parts,
                                  sizeof(parts) / sizeof(parts[0]));

    if (error) {
        code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
    }
    if (code)
        rd_kafka_headers_destroy(headers);
    return code;
}

static rd_kafka_resp_err_t produce(struct handed_message *message,
                                   struct buf *header)
{
    struct handover *h = message->handover;
    struct kafka_producer *p = h->producer;
    struct slice value = {message->part.bytes, message->part.len};
    struct kafka_signature signature = {.signal = h->batch->signal,
                                        .id = id_of(h, value),
                                        .writer = h->batch->writer};

    if (atomic_load(&p->dropping))
        return RD_KAFKA_RESP_ERR__PURGE_QUEUE;
    if (clock_monotonic_ns() - h->begin_ns > TURN_NS)
        return RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
    buf_reset(header);
    if (!kafka_sign(p->options.key, &signature, value, header))
        return RD_KAFKA_RESP_ERR__FAIL;
    return produce_value(p, h->batch, message, buf_slice(header));
}

void kafka_produce(struct handed_message *messages)
{
    struct handed_message *message, *next;
    struct buf header;

    buf_init(&header, KAFKA_SIGNATURE_MAX);
    for (message = messages; message; message = next) {
        rd_kafka_resp_err_t error;

        next = message->next; /* it may be delivered, and freed, at once */
        error = produce(message, &header);
        if (!error)
            continue;
        free(message->part.bytes);
        end_message(message, error);
    }
    buf_release(&header);
}

/* librdkafka owns the bytes of what is produced; delivery reports release the
 * rest. */
static void produce_all(struct handover *h)
{
    struct kafka_producer *p = h->producer;

    atomic_fetch_add(&h->waiting, h->count);
    for (uint32_t i = 0; i < h->count; i++)
        kafka_turns_add(&p->turns, h->batch->signal, &h->messages[i]);
    pthread_rwlock_rdlock(&p->lock);
    kafka_turns_serve(&p->turns);
    pthread_rwlock_unlock(&p->lock);
}

static void drop_all(struct handover *h)
{
    for (uint32_t i = 0; i < h->count; i++) {
        free(h->messages[i].part.bytes);
        give_back(&h->messages[i]);
    }
}

void kafka_producer_submit(void *arg, struct batch *batch)
{
    struct kafka_producer *producer = arg;
    struct handover *h = mem_zero(1, sizeof(*h));
    enum status status = OK;

    h->producer = producer;
    h->batch = batch;
    h->begin_ns = clock_monotonic_ns();
    atomic_init(&h->waiting, 1);
    /* Counts, then checks, as export_submit() does. */
    atomic_fetch_add(&producer->handovers, 1);
    if (atomic_load(&producer->stopping))
        status = ERR_STOPPING;
    if (status == OK)
        status = split(h, producer->topics[batch->signal].partitions);
    drop_records(batch);
    batch->foreign_why = arena_copy_forced(&batch->arena, slice_of(h->why));
    note_failure(h, status);
    if (status == OK)
        produce_all(h);
    else
        drop_all(h);
    release(h);
}
