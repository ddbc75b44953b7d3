/* call_points - points as the correlator makes them of requests and calls, put
 * into a bed (fake_query.h): all are in the minute after CALL_T0 and take
 * 100 ms. */
#ifndef CALL_POINTS_H
#define CALL_POINTS_H

#include "clock.h"
#include "derived.h"
#include "fake_query.h"

#define CALL_T0 (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */

#ifndef CALL_POINTS
#define CALL_POINTS 16
#endif

enum { CALL_ATTRS = 6 };

static struct point call_points[CALL_POINTS];
static struct metric call_metrics[CALL_POINTS];
static struct histogram call_hists[CALL_POINTS];
static uint64_t call_counts[CALL_POINTS];
static struct attr call_attrs[CALL_POINTS][CALL_ATTRS];

static inline struct point *call_put(struct bed *bed, const char *name,
                                     uint32_t resource, uint64_t count)
{
    uint32_t i = bed->store->point_count++;

    bed->store->points = call_points;
    call_counts[i] = count;
    call_metrics[i] = (struct metric){.name = slice_of(name),
                                      .type = METRIC_EXP_HISTOGRAM,
                                      .temporality = DELTA};
    call_hists[i] = (struct histogram){.count = count,
                                       .sum = (double)count / 10,
                                       .has_sum = true,
                                       .scale = 3,
                                       .positive = {&call_counts[i], 1, -27}};
    call_points[i] = (struct point){.metric = &call_metrics[i],
                                    .start_ns = CALL_T0,
                                    .time_ns = CALL_T0 + NS_PER_MIN,
                                    .resource_id = resource,
                                    .histogram = &call_hists[i]};
    return &call_points[i];
}

/* So many requests that failed. */
static inline void call_put_errors(struct bed *bed, const char *name,
                                   uint32_t resource, int64_t count)
{
    struct point *p = call_put(bed, name, resource, 0);

    call_metrics[p - call_points].type = METRIC_SUM;
    call_metrics[p - call_points].monotonic = true;
    p->is_int = true;
    p->i = count;
}

static inline void call_add_attr(struct point *point, struct attr attr)
{
    struct attr *at = call_attrs[point - call_points];

    if (CHECK(point->attrs.count < CALL_ATTRS))
        at[point->attrs.count++] = attr;
    point->attrs.at = at;
}

static inline void call_tell(struct point *point, const char *key,
                             const char *value)
{
    call_add_attr(point, bed_attr(key, value));
}

/* The peer is the component of that resource. */
static inline void call_tell_peer(struct bed *bed, struct point *point,
                                  uint32_t resource)
{
    call_tell(point, DERIVED_PEER_KIND, "component");
    call_add_attr(point, (struct attr){.key = DERIVED_PEER_ID,
                                       .key_len = sizeof(DERIVED_PEER_ID) - 1,
                                       .type = VALUE_INT,
                                       .i = registry_identity_id(bed->registry,
                                                                 resource)});
}

#endif
