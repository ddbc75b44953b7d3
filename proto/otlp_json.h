/*
 * otlp_json - reads messages of OTLP/JSON by their tables. Private to proto/.
 */
#ifndef OTLP_JSON_H
#define OTLP_JSON_H

#include "json.h"
#include "otlp_messages.h"

/* Reads the object at the cursor into the message's struct, zeroed first. */
void otlp_json_message(struct otlp_decoder *d, struct json *j,
                       const struct otlp_message *message, void *at);

void otlp_json_arena_full(const struct otlp_decoder *d, struct json *j);

#endif
