/*
 * otlp_messages - the messages of OTLP as tables: field number, JSON name, type
 * and place of every field. Both encodings are read by these tables, so a new
 * field is one row. Private to proto/.
 *
 * A message is read into a struct of its own, which starts out zeroed. An
 * element of a list, and a record, are then turned into their final form by
 * finish().
 */
#ifndef OTLP_MESSAGES_H
#define OTLP_MESSAGES_H

#include <stddef.h>

#include "otlp_decoder.h"

/* Types of fields, without gaps: the readers branch on them. */
enum otlp_type {
    OTLP_NONE,      /* a gap in the field numbers */
    OTLP_TEXT,      /* struct slice */
    OTLP_TRACE_ID,  /* uint8_t[16] */
    OTLP_SPAN_ID,   /* uint8_t[8] */
    OTLP_PARENT_ID, /* struct otlp_parent_id */
    OTLP_ATTRS,     /* struct otlp_list of struct attr */
    OTLP_BODY,      /* struct attr */
    OTLP_MESSAGE,   /* its struct */
    OTLP_ELEMENTS,  /* struct otlp_list of what finish() makes */
    OTLP_FIXED64S,  /* struct otlp_list of uint64_t; also unpacked */
    OTLP_DOUBLES,   /* struct otlp_list of double; also unpacked */
    OTLP_VARINTS,   /* struct otlp_list of uint64_t; also unpacked */
    OTLP_FIXED64,   /* uint64_t */
    OTLP_DOUBLE,    /* double */
    OTLP_AS_DOUBLE, /* struct otlp_number */
    OTLP_AS_INT,    /* struct otlp_number */
    OTLP_UINT32,    /* uint32_t */
    OTLP_SINT32,    /* int32_t */
    OTLP_ENUM,      /* uint8_t */
    OTLP_FIXED32,   /* uint32_t */
};

struct otlp_parent_id {
    uint8_t id[8];
    size_t len; /* as sent */
};

/* A value of either type, or an optional double. */
struct otlp_number {
    union {
        double d;
        int64_t i;
    };
    bool is_int, present;
};

struct otlp_field {
    const char *name; /* of the JSON member */
    uint16_t offset;
    uint8_t type;                       /* enum otlp_type */
    uint8_t max;                        /* OTLP_ENUM: the largest value */
    const struct otlp_message *message; /* OTLP_MESSAGE, OTLP_ELEMENTS */
    const char *const *names;           /* OTLP_ENUM, ends with NULL */
};

struct otlp_message {
    const struct otlp_field *fields; /* by field number */
    uint32_t count;                  /* of fields */
    uint32_t size;                   /* of the struct it is read into */
    uint32_t attrs;     /* field number of its attributes; 0: none */
    uint32_t max;       /* elements of a list */
    uint32_t slot_size; /* of an element's final form */
    /* Makes the final form in the zeroed slot. False: it is left out. */
    bool (*finish)(struct otlp_decoder *d, const void *message, void *slot);
};

/* Rows of a table, and a message with this table. */
#define OTLP_FIELD(message, member, json, kind)                             \
    {                                                                       \
        .name = (json), .type = (kind), .offset = offsetof(message, member) \
    }
#define OTLP_ENUM_FIELD(message, member, json, values, largest) \
    {                                                           \
        .name = (json), .type = OTLP_ENUM,                      \
        .offset = offsetof(message, member), .names = (values), \
        .max = (largest)                                        \
    }
#define OTLP_SUB_FIELD(parent, member, json, kind, sub)                     \
    {                                                                       \
        .name = (json), .type = (kind), .offset = offsetof(parent, member), \
        .message = &(sub)                                                   \
    }
#define OTLP_STRUCT(rows, type)                                \
    .fields = (rows), .count = sizeof(rows) / sizeof(*(rows)), \
    .size = sizeof(type)

enum { OTLP_MAX_MESSAGE = 640 }; /* bytes of any message's struct */

extern const struct otlp_message otlp_span, otlp_log;
extern const struct otlp_message otlp_points[METRIC_SUMMARY + 1]; /* by type */

struct otlp_owner { /* of records: resource or scope */
    struct slice name, version;
    struct otlp_list attrs;
    uint32_t dropped;
};
extern const struct otlp_message otlp_resource, otlp_scope;

/* All of the scope but its schema URL. */
void otlp_set_scope(struct scope *scope, const struct otlp_owner *owner);

/* The message of the records, or points, being read. */
static inline const struct otlp_message *otlp_record_message(
    const struct otlp_decoder *d)
{
    switch (d->batch->signal) {
    case SIGNAL_SPANS:
        return &otlp_span;
    case SIGNAL_LOGS:
        return &otlp_log;
    default:
        return &otlp_points[d->metric->type];
    }
}

#endif
