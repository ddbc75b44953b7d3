/*
 * otlp_encode - spans as OTLP TracesData, in protobuf and in JSON.
 *
 *   otlp_spans_group(&arena, spans, count, resource_of, arg, &groups);
 *   otlp_spans_write(&out, 1, &groups);
 *
 * Purpose:   what was received leaves as it came: the whole resource and scope,
 *            attributes of all types, events, links, trace state, flags and
 *            dropped counts. JSON is that of protobuf's own mapping, which
 *            Tempo's clients read: ids in base64, names of enums, 64-bit
 *            numbers as texts, default values left out.
 * Ownership: groups are in the arena and borrow the spans.
 * Threads:   any.
 * Errors:    grouping is false when the arena is full; writing leaves its
 *            status in the buf.
 */
#ifndef OTLP_ENCODE_H
#define OTLP_ENCODE_H

#include "arena.h"
#include "buf.h"
#include "jsonw.h"
#include "record.h"
#include "status.h"

/* Spans of one resource and one scope, in their own order. */
struct otlp_scope_group {
    const struct span **spans;
    uint32_t count;
    const struct scope *scope; /* NULL: none */
};

struct otlp_resource_group {
    const struct resource *resource; /* NULL: not known */
    struct otlp_scope_group *scopes;
    uint32_t count;
};

struct otlp_spans {
    struct otlp_resource_group *resources;
    uint32_t count;
};

/* The resource of this id; NULL: it is not known. */
typedef const struct resource *otlp_resource_of(void *arg, uint32_t id);

/* Groups come in the order of their first span. */
MUST_CHECK bool otlp_spans_group(struct arena *arena, const struct span *spans,
                                 uint32_t count, otlp_resource_of *resource_of,
                                 void *arg, struct otlp_spans *groups);

/* A ResourceSpans for each resource, as members with this field number: 1 for
 * TracesData. */
void otlp_spans_write(struct buf *out, uint32_t field,
                      const struct otlp_spans *groups);

/* The array of ResourceSpans. */
void otlp_spans_json(struct jsonw *w, const struct otlp_spans *groups);

/* {"stringValue": "x"} */
void otlp_value_json(struct jsonw *w, const struct attr *value);

/* A message inside another, as a member: what is written between these two. */
size_t otlp_message_begin(struct buf *out, uint32_t field);
void otlp_message_end(struct buf *out, size_t begin);

#endif
