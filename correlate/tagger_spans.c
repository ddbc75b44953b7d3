/*
 * Two walks. First the spans that serve (SERVER, CONSUMER), so that calls of
 * the same batch know which endpoint they are made for; then the rest. Both
 * from the end to the front, since exporters send spans in the order in which
 * they ended, children before parents, and a span above has to be known before
 * those below it ask.
 */
#include "hash.h"
#include "sampling.h"
#include "stats.h"
#include "tagger.h"

enum { LINE = 64, NEAR_BYTES = 6 * LINE, NEAR = 4, FAR = 8 };

/* How the span ended, and how many it stands for. */
static void judge(struct span *span, const struct semconv *semconv,
                  struct tags *tags)
{
    tags->outcome = outcome_of(span, semconv);
    tags->weight = 1;
    span->failed =
        tags->outcome == OUTCOME_FAILED && span->status != SPAN_ERROR;
    if (span->trace_state.len > 0)
        tags->weight =
            cardinality_weight(tags->operation, tags->outcome == OUTCOME_FAILED,
                               sampling_weight(span->trace_state));
}

static void count_served(struct tagger *tagger, struct batch_resource *sender,
                         const struct span *span, const struct tags *tags)
{
    bool failed = tags->outcome == OUTCOME_FAILED;
    struct limited_name *operation = tags->operation;
    struct derived_labels labels = {
        .family = DERIVED_FAMILY_REQUESTS,
        .kind = span->kind,
        .identity = sender->component->identity,
        .resource = sender->component->resource,
        .hash = hash_mix(operation->hash,
                         DERIVED_FAMILY_REQUESTS << 8 | span->kind),
        .text = {[TEXT_ENDPOINT] = tags->endpoint->text,
                 [TEXT_NAME] = operation->text}};
    struct derived_series *series =
        derived_get(tagger->derived, &labels, span->start_ns, &operation->hint);

    if (!series)
        return;
    derived_add_duration(tagger->derived, series, span->end_ns - span->start_ns,
                         failed, tags->outcome == OUTCOME_CLIENT_ERROR,
                         tags->weight);
    derived_add_exemplar(tagger->derived, series, span, failed);
}

static void name(struct tagger *tagger, struct span *span,
                 const struct tags *tags)
{
    if (tags->endpoint)
        span->endpoint = cardinality_copy(tags->endpoint, tagger->number,
                                          &tagger->batch->arena);
    if (tags->operation) {
        span->operation = cardinality_copy(tags->operation, tagger->number,
                                           &tagger->batch->arena);
        if (tags->operation->is_other)
            stats_add(STATS_OPERATIONS_OTHER, 1);
    }
}

static struct batch_resource *sender_of(struct tagger *tagger,
                                        struct span *span)
{
    span->resource_id = span->resource->id;
    return batch_resources_get(tagger, span->resource, span->resource_id,
                               span->start_ns);
}

/* A span that is no end of a call, or of nobody known: calls are above and
 * below it. */
static void pass(struct tagger *tagger, const struct span *span)
{
    edges_add_span(tagger->edges, NULL, span, NULL, NULL,
                   tagger->batch->received_ns);
}

static void served(struct tagger *tagger, struct span *span)
{
    struct batch_resource *sender = sender_of(tagger, span);
    struct tags tags = {.operation = NULL};
    struct semconv semconv;
    struct slice stamped;

    semconv_read(&semconv, &span->attrs);
    if (!sender->component) {
        judge(span, &semconv, &tags);
        pass(tagger, span);
        return;
    }
    stamped = registry_endpoint_label(tagger->registry, &span->attrs);
    endpoint_served(tagger->limit, tagger->options.max_operations,
                    sender->component, span, &semconv,
                    stamped.len ? stamped : sender->endpoint, &tags);
    judge(span, &semconv, &tags);
    name(tagger, span, &tags);
    if (edges_add_span(tagger->edges, sender->component, span, &semconv, &tags,
                       tagger->batch->received_ns) &&
        tags.operation)
        count_served(tagger, sender, span, &tags);
}

static void called(struct tagger *tagger, struct span *span)
{
    bool calls = span->kind == SPAN_CLIENT || span->kind == SPAN_PRODUCER;
    struct batch_resource *sender = sender_of(tagger, span);
    struct tags tags = {.operation = NULL};
    struct semconv semconv;

    semconv_read(&semconv, &span->attrs);
    if (!sender->component || !calls) {
        judge(span, &semconv, &tags);
        pass(tagger, span);
        return;
    }
    endpoint_called(tagger->limit, tagger->options.max_operations,
                    sender->component, span, &semconv, &tags);
    judge(span, &semconv, &tags);
    name(tagger, span, &tags);
    edges_add_span(tagger->edges, sender->component, span, &semconv, &tags,
                   tagger->batch->received_ns);
}

static bool serves(const struct span *span)
{
    return span->kind == SPAN_SERVER || span->kind == SPAN_CONSUMER;
}

/* A span's attributes lie in the bytes received, which went out of the cache
 * while others were received and the journal wrote. */
static void fetch(const struct tagger *tagger, const struct span *span)
{
    const char *text = span->attrs.count > 0 ? span->attrs.at->key : NULL;

    for (size_t at = 0; text && at < NEAR_BYTES; at += LINE)
        __builtin_prefetch(text + at);
    edges_prefetch(tagger->edges, span, true);
}

static void fetch_soon(const struct tagger *tagger, const struct span *span)
{
    const char *attrs = (const char *)span->attrs.at;

    for (size_t at = 0; at < span->attrs.count * sizeof(struct attr);
         at += LINE)
        __builtin_prefetch(attrs + at);
    edges_prefetch(tagger->edges, span, false);
}

static void ahead(const struct tagger *tagger, const struct batch *batch,
                  uint32_t near, uint32_t far, bool serving)
{
    if (near < batch->count && serves(&batch->spans[near]) == serving)
        fetch(tagger, &batch->spans[near]);
    if (far < batch->count && serves(&batch->spans[far]) == serving)
        fetch_soon(tagger, &batch->spans[far]);
}

void tagger_spans(struct tagger *tagger, struct batch *batch)
{
    for (uint32_t i = batch->count; i-- > 0;) {
        ahead(tagger, batch, i - NEAR, i - FAR, true);
        if (serves(&batch->spans[i])) {
            tagger_step(tagger);
            served(tagger, &batch->spans[i]);
        }
    }
    for (uint32_t i = batch->count; i-- > 0;) {
        ahead(tagger, batch, i - NEAR, i - FAR, false);
        if (!serves(&batch->spans[i])) {
            tagger_step(tagger);
            called(tagger, &batch->spans[i]);
        }
    }
}
