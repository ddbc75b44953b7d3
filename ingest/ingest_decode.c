/*
 * What every receiver does with a request: decode it, count what decoding had
 * to change, and, when it is done, count its records.
 */
#include "ingest_decode.h"

#include "audit.h"
#include "otlp.h"
#include "stats.h"

static uint8_t corrections_of(const struct batch *batch, uint32_t i)
{
    switch (batch->signal) {
    case SIGNAL_SPANS:
        return batch->spans[i].corrected;
    case SIGNAL_LOGS:
        return batch->logs[i].corrected;
    default:
        return batch->points[i].corrected;
    }
}

enum status ingest_decode(struct batch *batch, uint64_t oldest_ns,
                          const struct request_key *key, struct slice *detail)
{
    enum status status = otlp_decode(batch, oldest_ns, detail);
    uint32_t times = 0, ends = 0;

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint8_t corrected = corrections_of(batch, i);

        times += (corrected & CORRECTED_TIME) != 0;
        ends += (corrected & CORRECTED_END) != 0;
    }
    stats_add(STATS_ATTRIBUTES_TRUNCATED, batch->truncated);
    stats_add(STATS_CORRECTED_TIMES, times);
    stats_add(STATS_CORRECTED_ENDS, ends);
    stats_add(STATS_REJECTED_OLD, batch->rejected_old);
    if (key)
        request_hash_batch(key, batch);
    return OK;
}

void ingest_count_records(enum signal signal, uint32_t accepted,
                          uint32_t rejected)
{
    static const enum stats_id accepted_ids[SIGNAL_COUNT] = {
        STATS_ACCEPTED_SPANS, STATS_ACCEPTED_LOGS, STATS_ACCEPTED_METRICS};
    static const enum stats_id rejected_ids[SIGNAL_COUNT] = {
        STATS_REJECTED_SPANS, STATS_REJECTED_LOGS, STATS_REJECTED_METRICS};

    stats_add(accepted_ids[signal], accepted);
    stats_add(rejected_ids[signal], rejected);
}

void ingest_audit_foreign(const struct batch *batch,
                          const struct subject *subject, const uint8_t *address)
{
    const struct source_offset *kafka = batch->source;
    const struct audit_event event = {
        .action = action_text(ACTION_WRITE),
        .category = AUDIT_AUTHORIZATION,
        .result = AUDIT_DENIED,
        .subject = subject,
        .address = address,
        .scope = {.namespace = writer_tenant(batch->writer)},
        .name = kafka ? kafka->topic : (struct slice){NULL, 0},
        .reason = kafka ? "records of a Kafka topic stamp what it may not write"
                        : "records stamp what their sender may not write",
    };

    if (batch->foreign > 0 && audit_is_on())
        audit_write(&event);
}
