/*
 * Log records: the resource they stand for, trace context and level that a
 * logger or a shipper left among the attributes or in the body, whether they
 * are events, template.
 */
#include "log_fields.h"
#include "log_level.h"
#include "tagger.h"

static void take_trace(struct log_record *log, const struct log_fields *fields)
{
    if (!id_is_zero(log->trace_id, sizeof(log->trace_id)))
        return;
    memcpy(log->trace_id, fields->trace_id, sizeof(log->trace_id));
    if (id_is_zero(log->trace_id, sizeof(log->trace_id)))
        memset(log->span_id, 0,
               sizeof(log->span_id)); /* alone it says nothing */
    else if (id_is_zero(log->span_id, sizeof(log->span_id)))
        memcpy(log->span_id, fields->span_id, sizeof(log->span_id));
}

static bool is_event(const struct log_record *log)
{
    for (uint32_t i = 0; i < log->attrs.count; i++)
        if (slice_starts(attr_key(&log->attrs.at[i]), SLICE("k8s.event.")))
            return true;
    return false;
}

void tagger_logs(struct tagger *tagger, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        struct log_record *log = &batch->logs[i];
        struct log_fields fields;
        struct batch_resource *sender;

        tagger_step(tagger);
        log->resource_id = registry_resolve_record(
            tagger->registry, log->resource, &log->attrs, batch->received_ns);
        sender = batch_resources_get(tagger, log->resource, log->resource_id,
                                     log->time_ns);
        log_fields_read(&fields, log);
        take_trace(log, &fields);
        log->is_event = sender->is_object || is_event(log);
        log->level = (uint8_t)log_level_of(log, &fields);
        if (sender->component && !log->is_event)
            templates_count(&tagger->templates, tagger->limit, tagger->derived,
                            sender->component, log);
    }
}
