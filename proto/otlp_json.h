/*
 * otlp_json - what the JSON readers of the three signals share. Private to
 * proto/. Each reads the value the cursor stands at.
 */
#ifndef OTLP_JSON_H
#define OTLP_JSON_H

#include "json.h"
#include "otlp_parts.h"

/* A string, within ATTR_MAX_VALUE. */
struct slice otlp_json_text(struct otlp *d, struct json *j);

/* An array of KeyValue. Of what was there before nothing is left. */
void otlp_json_attrs(struct otlp *d, struct json *j, struct list *attrs);

/* AnyValue */
void otlp_json_value(struct otlp *d, struct json *j, struct attr *value,
                     size_t max_text);

/* The next element of a list, zeroed; NULL at the bound (then the element is
 * to be passed over) or if the arena is sticky. */
void *otlp_json_slot(struct otlp *d, struct json *j, struct list *list,
                     size_t size, uint32_t max);

/* Records; they take or refuse them. */
void otlp_json_span(struct otlp *d, struct json *j);
void otlp_json_log(struct otlp *d, struct json *j);
void otlp_json_metric(struct otlp *d, struct json *j);

#endif
