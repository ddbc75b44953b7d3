/*
 * log_fields - level and trace context among the attributes of a log record
 * and in a structured body: a map, or a text that is a JSON object.
 *
 * Loggers and shippers name these fields in many ways: trace_id, traceId,
 * TraceId, otelTraceID, trace.id, dd.trace_id, @tr ... Names are compared
 * without case and without '.', '_' and '-'.
 *
 * Threads  any.
 */
#ifndef LOG_FIELDS_H
#define LOG_FIELDS_H

#include "record.h"

struct log_fields {
    uint8_t trace_id[16], span_id[8]; /* all zero: not found */
    enum level level;                 /* LEVEL_UNSET: not found */
    struct slice message; /* of a structured body; empty: not found */
    bool structured;      /* the body is a map or a JSON object */

    /* While reading. */
    bool want_trace, want_level, gelf;
    int8_t small; /* a level from 0 to 7, which only GELF makes certain */
};

/* Looks for what the record does not say itself: nothing, for most. */
void log_fields_read(struct log_fields *fields, const struct log_record *log);

#endif
