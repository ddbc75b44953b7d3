/*
 * Log records: resource, trace context and level that a logger or a shipper
 * left among the attributes or in the body, whether they are events, template.
 */
#include "log_fields.h"
#include "severity.h"
#include "tagger.h"

static void set_trace(struct log_record *log, const struct log_fields *fields)
{
    if (!id_is_zero(log->trace_id, sizeof(log->trace_id)))
        return;
    memcpy(log->trace_id, fields->trace_id, sizeof(log->trace_id));
    if (id_is_zero(log->trace_id, sizeof(log->trace_id)))
        memset(log->span_id, 0, sizeof(log->span_id)); /* no use alone */
    else if (id_is_zero(log->span_id, sizeof(log->span_id)))
        memcpy(log->span_id, fields->span_id, sizeof(log->span_id));
}

static bool has_event_attr(const struct log_record *log)
{
    for (uint32_t i = 0; i < log->attrs.count; i++)
        if (slice_starts(attr_key(&log->attrs.at[i]), SLICE("k8s.event.")))
            return true;
    return false;
}

void tagger_logs(struct tagger *tagger, struct batch *batch)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        struct log_record *log = &batch->logs[i];
        const struct batch_resource *from;
        struct log_fields fields;

        tagger_step(tagger);
        log->resource_id = registry_resolve_record(
            tagger->registry, log->resource, &log->attrs, batch->received_ns);
        if (log->resource_id == RESOURCE_NONE) {
            tagger_note_foreign(tagger, batch, &log->attrs);
            continue;
        }
        if (kept++ != i) {
            batch->logs[kept - 1] = *log;
            log = &batch->logs[kept - 1];
        }
        from = batch_resources_get(tagger, log->resource, log->resource_id,
                                   log->time_ns);
        log_fields_read(&fields, log);
        set_trace(log, &fields);
        log->is_event = from->is_object || has_event_attr(log);
        log->level = (uint8_t)severity_of(log, &fields);
        if (from->component && !log->is_event)
            templates_count(tagger, from->component, log);
    }
    batch->count = kept;
}
