/*
 * registry_kit - a registry over a store that keeps what it is given, and short
 * ways to say what is sent: "key=value key=value".
 */
#ifndef REGISTRY_KIT_H
#define REGISTRY_KIT_H

#include "registry.h"

#include <stdio.h>

#include "clock.h"
#include "memory_store.h"
#include "test.h"

#define NOBODY      UINT32_MAX
#define NOW         (UINT64_C(1700000000) * NS_PER_S)
#define NS          "openchoreo.dev/namespace"
#define PROJECT     "openchoreo.dev/project"
#define COMPONENT   "openchoreo.dev/component"
#define ENVIRONMENT "openchoreo.dev/environment"

struct bed {
    struct store *store;
    struct registry *registry;
    struct arena arena;
};

static struct registry_options options = {.max_resources = 1000,
                                          .max_identities = 500};

static inline void start(struct bed *bed)
{
    CHECK_EQ(registry_open(&bed->registry, &options, bed->store), OK);
}

static inline void bed_init(struct bed *bed)
{
    bed->store = memory_store_new();
    arena_init(&bed->arena, NULL, SIZE_MAX);
    start(bed);
}

static inline void bed_release(struct bed *bed)
{
    registry_close(bed->registry);
    arena_release(&bed->arena);
    memory_store_free(bed->store);
}

static inline void restart(struct bed *bed)
{
    registry_close(bed->registry);
    start(bed);
}

/* "key=value key=value" */
static inline struct attrs attrs_of(struct bed *bed, const char *text)
{
    struct attr *at = arena_zero(&bed->arena, 32, sizeof(*at));
    struct slice rest = arena_copy(&bed->arena, slice_of(text));
    uint32_t count = 0;

    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, ' ', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        const char *equal = memchr(rest.ptr, '=', len);

        at[count].key = rest.ptr;
        at[count].key_len = (uint16_t)(equal - rest.ptr);
        at[count].type = VALUE_STRING;
        at[count].str = equal + 1;
        at[count++].len = (uint32_t)(rest.ptr + len - equal - 1);
        rest = slice_from(rest, end ? len + 1 : len);
    }
    return (struct attrs){at, count, 0};
}

static inline uint32_t resolve(struct bed *bed, const char *text)
{
    struct resource resource = {.attrs = attrs_of(bed, text),
                                .id = RESOURCE_NONE};

    registry_resolve(bed->registry, &resource, NOW);
    return resource.id;
}

static inline uint32_t resolve_record(struct bed *bed,
                                      const char *resource_text,
                                      const char *text)
{
    struct resource resource = {.attrs = attrs_of(bed, resource_text),
                                .id = RESOURCE_NONE};
    struct attrs attrs = attrs_of(bed, text);

    registry_resolve(bed->registry, &resource, NOW);
    return registry_resolve_record(bed->registry, &resource, &attrs, NOW);
}

/* "rule namespace/project/component/environment" */
static inline const char *who(struct bed *bed, uint32_t resource)
{
    struct identity i;
    char text[1100];

    if (!registry_resource_identity(bed->registry, resource, &bed->arena, &i))
        return "nobody";
    snprintf(text, sizeof(text), "%d %.*s/%.*s/%.*s/%.*s", i.rule,
             (int)i.namespace.len, i.namespace.ptr, (int)i.project.len,
             i.project.ptr, (int)i.component.len, i.component.ptr,
             (int)i.environment.len, i.environment.ptr);
    return arena_copy(&bed->arena, (struct slice){text, strlen(text) + 1}).ptr;
}

static inline bool is(struct bed *bed, uint32_t resource, const char *want)
{
    const char *got = who(bed, resource);
    bool same = strcmp(got, want) == 0;

    if (!same)
        printf("# got %s, want %s\n", got, want);
    return same;
}

static inline uint32_t identity_of(struct bed *bed, uint32_t resource)
{
    return registry_identity_id(bed->registry, resource);
}

#define CART NS "=acme " PROJECT "=shop " COMPONENT "=cart " ENVIRONMENT "=dev"

static inline bool resolves(struct bed *bed, const char *text, const char *want)
{
    return is(bed, resolve(bed, text), want);
}

static inline uint32_t selected(struct bed *bed, struct scope_filter filter)
{
    return registry_select(bed->registry, &filter, &viewer_all, &bed->arena)
        ->count;
}

#endif
