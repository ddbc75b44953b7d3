/*
 * OTLP/JSON: log records.
 */
#include "otlp_json.h"

static void severity_json(struct otlp *d, struct json *j, void *at)
{
    static const char *const severities[] = {
        "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",
        "DEBUG2",      "DEBUG3", "DEBUG4", "INFO",   "INFO2",  "INFO3",
        "INFO4",       "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
        "ERROR2",      "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3",
        "FATAL4",      NULL};

    (void)d;
    *(uint8_t *)at = otlp_enum(json_enum(j, severities), 24);
}

static void body_json(struct otlp *d, struct json *j, void *at)
{
    otlp_json_value(d, j, at, LOG_MAX_BODY);
}

static const struct member log_members[] = {
    MEMBER(struct log_record, time_ns, "timeUnixNano", otlp_json_uint64),
    MEMBER(struct log_record, observed_ns, "observedTimeUnixNano",
           otlp_json_uint64),
    MEMBER(struct log_record, severity, "severityNumber", severity_json),
    MEMBER(struct log_record, severity_text, "severityText", otlp_json_text),
    MEMBER(struct log_record, body, "body", body_json),
    MEMBER(struct log_record, attrs, "attributes", otlp_json_attrs),
    MEMBER(struct log_record, attrs, "droppedAttributesCount",
           otlp_json_dropped),
    MEMBER(struct log_record, flags, "flags", otlp_json_uint32),
    MEMBER(struct log_record, trace_id, "traceId", otlp_json_trace_id),
    MEMBER(struct log_record, span_id, "spanId", otlp_json_span_id),
    MEMBER(struct log_record, event_name, "eventName", otlp_json_text),
    {0},
};

void otlp_json_log(struct otlp *d, struct json *j)
{
    struct log_record *log = otlp_new_log(d);

    if (!log) {
        json_fail(j, ERR_INTERNAL, "more records than were counted");
        return;
    }
    otlp_json_members(d, j, log_members, log);
    if (j->status == OK)
        otlp_take_log(d, log);
}
