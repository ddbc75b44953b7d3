/*
 * cost_kit - pods that send requests and usage, and the routes of costs, over
 * the store in memory (fake_query.h).
 */
#ifndef COST_KIT_H
#define COST_KIT_H

#include <math.h>

#include "fake_query.h"

#define T0        (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */
#define HOUR      NS_PER_HOUR
#define GIB       1073741824.0
#define CORE_HOUR 0.031611
#define GIB_HOUR  0.004237
#define ENV_UID   "aaaaaaaa-1111-2222-3333-444455556666"
#define COSTS     "/api/v1alpha1/costs/namespaces/acme/environments/prod"
#define FROM_TO   "?startTime=2026-08-21T08:00:00Z&endTime=2026-08-21T"

static struct bed bed;
static uint32_t point_room;
static uint64_t cost_seed = 11;

static inline uint64_t draw(uint64_t below)
{
    cost_seed = cost_seed * UINT64_C(6364136223846793005) +
                UINT64_C(1442695040888963407);
    return (cost_seed >> 33) % below;
}

static inline void cost_begin(void)
{
    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1;
    point_room = 0;
    bed.store->points = NULL;
}

static inline void cost_end(void)
{
    free(bed.store->points);
    bed.store->points = NULL;
    bed_release(&bed);
}

/* NULL at the end. */
static inline uint32_t resource_with(const char *const *pairs)
{
    struct attr *at = arena_zero(&bed.arena, 16, sizeof(*at));
    struct resource resource = {.attrs = {at, 0, 0}, .id = RESOURCE_NONE};

    for (; *pairs; pairs += 2)
        at[resource.attrs.count++] = bed_attr(pairs[0], pairs[1]);
    registry_resolve(bed.registry, &resource, T0);
    return resource.id;
}

/* A container of a pod of a component in acme, project shop, prod. */
static inline uint32_t container(const char *component, const char *pod,
                                 const char *node, const char *name)
{
    const char *const pairs[] = {"openchoreo.dev/namespace",
                                 "acme",
                                 "openchoreo.dev/project",
                                 "shop",
                                 "openchoreo.dev/component",
                                 component,
                                 "openchoreo.dev/environment",
                                 "prod",
                                 "openchoreo.dev/environment-uid",
                                 ENV_UID,
                                 "k8s.namespace.name",
                                 "dp-acme",
                                 "k8s.pod.name",
                                 pod,
                                 "k8s.node.name",
                                 node,
                                 name ? "k8s.container.name" : NULL,
                                 name,
                                 NULL};

    return resource_with(pairs);
}

static inline struct point *put(uint32_t resource, const char *name,
                                uint64_t time_ns, double value)
{
    struct metric *metric = arena_zero(&bed.arena, 1, sizeof(*metric));
    struct store *store = bed.store;

    *metric = (struct metric){.name = slice_of(name), .type = METRIC_GAUGE};
    array_reserve(&store->points, store->point_count + 1, &point_room);
    store->points[store->point_count] = (struct point){.metric = metric,
                                                       .time_ns = time_ns,
                                                       .resource_id = resource,
                                                       .d = value};
    return &store->points[store->point_count++];
}

/* Once a minute, from an hour after T0 to another (fractions are fine). */
static inline void put_run(uint32_t resource, const char *name, double from,
                           double to, double value)
{
    for (double m = from * 60; m < to * 60 - 1e-9; m++)
        put(resource, name, T0 + (uint64_t)(m * (double)NS_PER_MIN), value);
}

static inline void put_label(struct point *point, const char *key,
                             const char *value)
{
    struct attr *at = arena_zero(&bed.arena, 8, sizeof(*at));

    for (uint32_t i = 0; i < point->attrs.count; i++)
        at[i] = point->attrs.at[i];
    at[point->attrs.count] = bed_attr(key, value);
    point->attrs.at = at;
    point->attrs.count++;
}

static inline json_t *get(const char *path)
{
    return bed_ask(&bed, "GET", path, NULL);
}

static inline double number_at(const json_t *answer, const char *path)
{
    struct slice text = bed_at(answer, path);

    return text.len ? strtod(text.ptr, NULL) : (double)NAN;
}

static inline bool near(const json_t *answer, const char *path, double want)
{
    double got = number_at(answer, path);
    bool good = fabs(got - want) <= 1e-3 * fabs(want) + 1e-12;

    if (!good)
        printf("# %s: %.9g, not %.9g\n", path, got, want);
    return good;
}

#endif
