/*
 * OTLP/JSON: log records.
 */
#include "otlp_json.h"

enum field {
    TIME,
    OBSERVED,
    SEVERITY,
    SEVERITY_TEXT,
    BODY,
    ATTRS,
    DROPPED,
    FLAGS,
    TRACE_ID,
    SPAN_ID,
    EVENT_NAME,
};

static const char *const log_names[] = {
    [TIME] = "timeUnixNano",
    [OBSERVED] = "observedTimeUnixNano",
    [SEVERITY] = "severityNumber",
    [SEVERITY_TEXT] = "severityText",
    [BODY] = "body",
    [ATTRS] = "attributes",
    [DROPPED] = "droppedAttributesCount",
    [FLAGS] = "flags",
    [TRACE_ID] = "traceId",
    [SPAN_ID] = "spanId",
    [EVENT_NAME] = "eventName",
    NULL,
};

static const char *const severities[] = {
    "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2",
    "DEBUG3",      "DEBUG4", "INFO",   "INFO2",  "INFO3",  "INFO4",  "WARN",
    "WARN2",       "WARN3",  "WARN4",  "ERROR",  "ERROR2", "ERROR3", "ERROR4",
    "FATAL",       "FATAL2", "FATAL3", "FATAL4", NULL};

static void log_field(struct otlp *d, struct json *j, enum field field,
                      struct log_record *log, struct list *attrs)
{
    switch (field) {
    case TIME:
        log->time_ns = json_uint64(j);
        break;
    case OBSERVED:
        log->observed_ns = json_uint64(j);
        break;
    case SEVERITY:
        log->severity = otlp_enum(json_enum(j, severities), 24);
        break;
    case SEVERITY_TEXT:
        log->severity_text = otlp_json_text(d, j);
        break;
    case BODY:
        otlp_json_value(d, j, &log->body, LOG_MAX_BODY);
        break;
    case ATTRS:
        otlp_json_attrs(d, j, attrs);
        break;
    case DROPPED:
        log->attrs.dropped = json_uint32(j);
        break;
    case FLAGS:
        log->flags = json_uint32(j);
        break;
    case TRACE_ID:
        json_id(j, log->trace_id, 16);
        break;
    case SPAN_ID:
        json_id(j, log->span_id, 8);
        break;
    case EVENT_NAME:
        log->event_name = otlp_json_text(d, j);
        break;
    }
}

void otlp_json_log(struct otlp *d, struct json *j)
{
    struct log_record *log = otlp_new_log(d);
    struct list attrs = {0};
    int field;

    if (!log) {
        json_fail(j, ERR_INTERNAL, "more records than were counted");
        return;
    }
    json_object(j);
    while ((field = json_field(j, log_names)) >= 0)
        log_field(d, j, (enum field)field, log, &attrs);
    log->attrs = otlp_attrs(&attrs, log->attrs.dropped);
    if (j->status == OK)
        otlp_take_log(d, log);
}
