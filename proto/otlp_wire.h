/*
 * otlp_wire - reads messages of OTLP/protobuf by their tables. Private to
 * proto/.
 */
#ifndef OTLP_WIRE_H
#define OTLP_WIRE_H

#include "otlp_messages.h"

/* Reads all fields at the cursor into the message's struct. */
void otlp_wire_message(struct otlp_decoder *d, struct wire *w,
                       const struct otlp_message *message, void *at);

static inline void otlp_wire_arena_full(const struct otlp_decoder *d,
                                        struct wire *w)
{
    wire_fail(w, d->arena->status, status_text(d->arena->status));
}

#endif
