/*
 * Two passes: first the spans that serve (SERVER, CONSUMER), so that calls of
 * the same batch know the endpoint they are made for; then the others. Both go
 * from the end to the front: exporters send spans in the order in which they
 * ended, children before parents, and a parent has to be known before its
 * children look for it.
 */
#include "stats.h"
#include "tagger.h"

enum { CACHE_LINE = 64, PREFETCH_BYTES = 6 * CACHE_LINE };
enum { NEAR = 4, FAR = 8 }; /* spans ahead */

static bool serves(const struct span *span)
{
    return span->kind == SPAN_SERVER || span->kind == SPAN_CONSUMER;
}

static void set_outcome(struct span *span, const struct semconv *semconv,
                        struct tags *tags)
{
    tags->outcome = outcome_of(semconv);
    tags->weight = 1;
    span->failed =
        tags->outcome == OUTCOME_FAILED && span->status != SPAN_ERROR;
    if (span->trace_state.len > 0)
        tags->weight =
            cardinality_weight(tags->operation, tags->outcome == OUTCOME_FAILED,
                               sampling_weight(span->trace_state));
}

/* Copies endpoint and operation to the span. */
static void set_names(struct tagger *tagger, struct span *span,
                      const struct tags *tags)
{
    struct arena *arena = &tagger->batch->arena;

    if (tags->endpoint)
        span->endpoint =
            cardinality_copy(tags->endpoint, tagger->number, arena);
    if (tags->operation) {
        span->operation =
            cardinality_copy(tags->operation, tagger->number, arena);
        if (tags->operation->is_other)
            stats_add(STATS_OPERATIONS_OTHER, 1);
    }
}

static void count_request(struct tagger *tagger,
                          const struct component *component,
                          const struct span *span, const struct tags *tags)
{
    bool failed = tags->outcome == OUTCOME_FAILED;
    struct derived_series *series =
        request_series(tagger->derived, DERIVED_FAMILY_REQUESTS, component,
                       (enum span_kind)span->kind, tags->endpoint,
                       tags->operation, span->start_ns);

    derived_add_duration(tagger->derived, series, span->end_ns - span->start_ns,
                         failed, tags->outcome == OUTCOME_CLIENT_ERROR,
                         tags->weight);
    derived_add_exemplar(tagger->derived, series, span, failed);
}

static void tag_span(struct tagger *tagger, struct span *span)
{
    uint64_t now_ns = tagger->batch->received_ns;
    const struct batch_resource *from;
    struct tags tags = {.operation = NULL};
    struct slice stamped = {NULL, 0};
    struct semconv semconv;

    span->resource_id = span->resource->id;
    from = batch_resources_get(tagger, span->resource, span->resource_id,
                               span->start_ns);
    semconv_read(&semconv, span);
    if (!from->component || (!serves(span) && span->kind != SPAN_CLIENT &&
                             span->kind != SPAN_PRODUCER)) {
        set_outcome(span, &semconv, &tags);
        edges_add_span(tagger->edges, NULL, &semconv, NULL, now_ns);
        return;
    }
    if (serves(span)) {
        stamped = registry_endpoint_label(tagger->registry, &span->attrs);
        if (stamped.len == 0)
            stamped = from->endpoint;
    }
    endpoint_find(tagger->limit, tagger->options.max_operations,
                  from->component, &semconv, stamped, &tags);
    set_outcome(span, &semconv, &tags);
    set_names(tagger, span, &tags);
    if (edges_add_span(tagger->edges, from->component, &semconv, &tags,
                       now_ns) &&
        serves(span) && tags.operation)
        count_request(tagger, from->component, span, &tags);
}

/* A span's attributes lie in the bytes received, which left the cache while
 * others were received and the journal wrote. */
static void prefetch_near(const struct tagger *tagger, const struct span *span)
{
    const char *text = span->attrs.count > 0 ? span->attrs.at->key : NULL;

    for (size_t at = 0; text && at < PREFETCH_BYTES; at += CACHE_LINE)
        __builtin_prefetch(text + at);
    edges_prefetch(tagger->edges, span, true);
}

static void prefetch_far(const struct tagger *tagger, const struct span *span)
{
    const char *attrs = (const char *)span->attrs.at;

    for (size_t at = 0; at < span->attrs.count * sizeof(struct attr);
         at += CACHE_LINE)
        __builtin_prefetch(attrs + at);
    edges_prefetch(tagger->edges, span, false);
}

/* Tags the spans that serve, or the others. */
static void tag_pass(struct tagger *tagger, struct batch *batch, bool serving)
{
    for (uint32_t i = batch->count; i-- > 0;) {
        struct span *span = &batch->spans[i];

        if (i >= NEAR && serves(span - NEAR) == serving)
            prefetch_near(tagger, span - NEAR);
        if (i >= FAR && serves(span - FAR) == serving)
            prefetch_far(tagger, span - FAR);
        if (serves(span) == serving) {
            tagger_step(tagger);
            tag_span(tagger, span);
        }
    }
}

void tagger_spans(struct tagger *tagger, struct batch *batch)
{
    tag_pass(tagger, batch, true);
    tag_pass(tagger, batch, false);
}
