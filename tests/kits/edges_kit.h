/*
 * Spans of a few components, and the calls that the correlator counts of them.
 */
#ifndef EDGES_KIT_H
#define EDGES_KIT_H

#include "correlate_kit.h"

#define CART  "service.name=cart,service.namespace=shop"
#define FRONT "service.name=front,service.namespace=shop"
#define STOCK "service.name=stock,service.namespace=shop"
#define GET   "http.request.method=GET,http.route=/cart"

static inline void one(struct kit *kit, const char *resource,
                       enum span_kind kind, uint32_t trace, uint32_t id,
                       uint32_t parent, const char *attrs)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);

    kit_span(batch, resource, kind, trace, id, parent, attrs);
    kit_take_all(kit, batch);
}

static inline int64_t net(const char *name, const char *back, const char *attrs)
{
    return (int64_t)kit_sum(name, attrs) - (int64_t)kit_sum(back, attrs);
}

static inline int64_t net_out(const char *attrs)
{
    return net(DERIVED_OUT_DURATION, DERIVED_OUT_RETRACTED_DURATION, attrs);
}

static inline int64_t net_in(const char *attrs)
{
    return net(DERIVED_IN_DURATION, DERIVED_IN_RETRACTED_DURATION, attrs);
}

static inline void call(struct kit *kit, enum span_kind kind, const char *attrs)
{
    static uint32_t id = 1000;

    one(kit, CART, kind, 1, ++id, 0, attrs);
}

static inline uint64_t out(const char *attrs)
{
    return kit_sum(DERIVED_OUT_DURATION, attrs);
}

static inline void link_to(struct batch *batch, struct span *span,
                           uint32_t trace, const uint32_t *ids, uint32_t count)
{
    struct span_link *links = arena_zero(&batch->arena, count, sizeof(*links));

    for (uint32_t i = 0; i < count; i++) {
        kit_id(links[i].trace_id, 16, trace);
        kit_id(links[i].span_id, 8, ids[i]);
    }
    span->links = links;
    span->link_count = count;
}

#endif
