/*
 * Log records: the resource they stand for, trace context that a shipper left
 * among the attributes, whether they are events, level, template.
 */
#include "hex.h"
#include "loglevel.h"
#include "tagger.h"

/* "trace_id", "traceId", "traceid": by first letter and length. */
static bool is_id_key(struct slice key, const char *joined)
{
    size_t len = strlen(joined);

    if (key.len == len + 1 && key.ptr[len - 2] == '_')
        return memcmp(key.ptr, joined, len - 2) == 0 &&
               memcmp(key.ptr + len - 1, "id", 2) == 0;
    return key.len == len && memcmp(key.ptr, joined, len - 2) == 0 &&
           (key.ptr[len - 2] | 32) == 'i' && key.ptr[len - 1] == 'd';
}

static void find_context(struct log_record *log, const struct attr *attrs,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slice key = attr_key(&attrs[i]);

        if (key.len < 6 || key.len > 8 || attrs[i].type != VALUE_STRING)
            continue;
        if (is_id_key(key, "traceid"))
            (void)hex_bytes(attr_text(&attrs[i]), log->trace_id, 16);
        else if (is_id_key(key, "spanid"))
            (void)hex_bytes(attr_text(&attrs[i]), log->span_id, 8);
    }
}

static void find_trace(struct log_record *log)
{
    if (!id_is_zero(log->trace_id, 16))
        return;
    find_context(log, log->attrs.at, log->attrs.count);
    if (id_is_zero(log->trace_id, 16) && log->body.type == VALUE_MAP)
        find_context(log, log->body.items, log->body.len);
    if (id_is_zero(log->trace_id, 16)) /* a span id alone says nothing */
        memset(log->span_id, 0, sizeof(log->span_id));
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
        struct sender *sender;

        tagger_step(tagger);
        log->resource_id = registry_resolve_record(
            tagger->registry, log->resource, &log->attrs, batch->received_ns);
        sender =
            senders_get(tagger, log->resource, log->resource_id, log->time_ns);
        find_trace(log);
        log->is_event = sender->is_object || is_event(log);
        log->level = (uint8_t)loglevel_of(log);
        if (sender->component && !log->is_event)
            templates_count(&tagger->templates, tagger->capped, tagger->derive,
                            sender->component, log);
    }
}
