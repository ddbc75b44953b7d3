/*
 * otlp_json - what the JSON readers of the three signals share. Private to
 * proto/. Each reads the value the cursor stands at.
 */
#ifndef OTLP_JSON_H
#define OTLP_JSON_H

#include <stddef.h>

#include "json.h"
#include "otlp_parts.h"

/* A member of a message: how it is read, and where it goes. A table of them
 * ends with {0}. */
struct member {
    const char *name;
    void (*read)(struct otlp *d, struct json *j, void *at);
    size_t offset;
};
#define MEMBER(message, place, name, read)       \
    {                                            \
        (name), (read), offsetof(message, place) \
    }

/* Reads a message whose members have their places in `message`. */
void otlp_json_members(struct otlp *d, struct json *j,
                       const struct member *members, void *message);

/* For tables: into a uint64_t, uint32_t, double, struct slice, an id; into a
 * struct attrs, of which the second one adds to what was dropped. */
void otlp_json_uint64(struct otlp *d, struct json *j, void *at);
void otlp_json_uint32(struct otlp *d, struct json *j, void *at);
void otlp_json_double(struct otlp *d, struct json *j, void *at);
void otlp_json_text(struct otlp *d, struct json *j, void *at);
void otlp_json_trace_id(struct otlp *d, struct json *j, void *at);
void otlp_json_span_id(struct otlp *d, struct json *j, void *at);
void otlp_json_attrs(struct otlp *d, struct json *j, void *at);
void otlp_json_dropped(struct otlp *d, struct json *j, void *at);

/* AnyValue */
void otlp_json_value(struct otlp *d, struct json *j, struct attr *value,
                     size_t max_text);

/* An array, each element read into a zeroed place of this size. Of what was
 * there before nothing is left. Elements beyond max, and those that read says
 * false of, are left out and counted. */
void otlp_json_array(struct otlp *d, struct json *j, struct list *list,
                     size_t size, uint32_t max,
                     bool (*read)(struct otlp *d, struct json *j, void *at));

/* Records; they take or refuse them. */
void otlp_json_span(struct otlp *d, struct json *j);
void otlp_json_log(struct otlp *d, struct json *j);
void otlp_json_metric(struct otlp *d, struct json *j);

#endif
