/*
 * partition_kit - random traces of a few components, as messages of a
 * partition, and what is derived of them as sums by text, so that two instances
 * with different numbers for resources and identities can be compared.
 */
#ifndef PARTITION_KIT_H
#define PARTITION_KIT_H

#include "array.h"
#include "correlate_kit.h"
#include "map.h"
#include "store_resources.h"

/* ---- identities by their names: keys that all instances agree on ---- */

static inline bool partition_names(struct registry *registry, uint32_t identity,
                                   char text[256])
{
    struct identity found;
    struct arena arena;
    bool known;

    arena_init(&arena, NULL, SIZE_MAX);
    known = registry_identity(registry, identity, &arena, &found);
    if (known)
        snprintf(text, 256, "%.*s/%.*s/%.*s/%.*s", SLICE_ARGS(found.namespace),
                 SLICE_ARGS(found.project), SLICE_ARGS(found.component),
                 SLICE_ARGS(found.environment));
    arena_release(&arena);
    return known;
}

static inline uint64_t partition_anchor(void *arg, uint32_t identity)
{
    char text[256];

    return partition_names(arg, identity, text)
               ? hash_bytes(text, strlen(text), 1)
               : 0;
}

static inline uint32_t partition_find_identity(void *arg, uint64_t anchor)
{
    for (uint32_t i = 0; i < 64; i++)
        if (partition_anchor(arg, i) == anchor)
            return i;
    return IDENTITY_NONE;
}

/* ---- sums ---- */

struct sums {
    struct sum {
        char text[512];
        int64_t value;
    } * at;
    struct map index;
    uint32_t count, room;
};

static inline struct sums *sums_new(void)
{
    return mem_zero(1, sizeof(struct sums));
}

static inline void sums_free(struct sums *sums)
{
    map_release(&sums->index);
    free(sums->at);
    free(sums);
}

/* Until the next one is added. */
static inline struct sum *sums_find(struct sums *sums, const char *text)
{
    uint32_t hash = map_hash_slice(slice_of(text));

    map_each(&sums->index, hash, at) {
        if (strcmp(sums->at[at].text, text) == 0)
            return &sums->at[at];
    }
    return NULL;
}

static inline void sums_add(struct sums *sums, const char *text, int64_t value)
{
    struct sum *sum = sums_find(sums, text);

    if (!sum) {
        sum = array_append(&sums->at, sums->count, &sums->room);
        snprintf(sum->text, sizeof(sum->text), "%s", text);
        sum->value = 0;
        (void)map_add(&sums->index, map_hash_slice(slice_of(text)),
                      sums->count++);
    }
    sum->value += value;
}

/* Whether b has all sums of a. */
static inline bool sums_within(struct sums *a, struct sums *b, const char *what)
{
    bool equal = true;

    for (uint32_t i = 0; i < a->count; i++) {
        const struct sum *other = sums_find(b, a->at[i].text);
        int64_t value = other ? other->value : 0;

        if (value == a->at[i].value)
            continue;
        equal = false;
        printf("# %s: %s: %lld and %lld\n", what, a->at[i].text,
               (long long)a->at[i].value, (long long)value);
    }
    return equal;
}

static inline bool sums_equal(struct sums *a, struct sums *b)
{
    bool within = sums_within(a, b, "first, second");

    return sums_within(b, a, "second, first") && within;
}

/* Adds the points of a derived batch. */
static inline void sums_add_derived(struct sums *sums,
                                    struct registry *registry,
                                    const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct point *point = &batch->points[i];
        char text[512], names[256] = "?";
        int len;

        (void)partition_names(
            registry, registry_identity_id(registry, point->resource_id),
            names);
        len = snprintf(text, sizeof(text), "%.*s %s %llu",
                       SLICE_ARGS(point->metric->name), names,
                       (unsigned long long)(point->time_ns / NS_PER_MIN));
        for (uint32_t a = 0; a < point->attrs.count; a++) {
            const struct attr *attr = &point->attrs.at[a];

            snprintf(names, sizeof(names), "%.*s", (int)attr->len,
                     attr->type == VALUE_INT ? "" : attr->str);
            if (attr->type == VALUE_INT)
                (void)partition_names(registry, (uint32_t)attr->i, names);
            len += snprintf(text + len, sizeof(text) - (size_t)len, " %.*s=%s",
                            (int)attr->key_len, attr->key, names);
        }
        sums_add(sums, text, (int64_t)kit_value(point));
    }
}

/* ---- random traces ---- */

enum { RANDOM_COMPONENTS = 6, RANDOM_WAITING = 64 };

struct random_span {
    uint32_t trace, id, parent, kind, component, start_s, producer;
    uint32_t send_s; /* when its message is sent */
};

struct random_spans {
    struct random_span *at;
    uint32_t count, room;
};

static inline uint32_t random_span_add(struct random_spans *spans,
                                       uint32_t trace, uint32_t parent,
                                       uint32_t kind, uint32_t component,
                                       uint32_t start_s)
{
    struct random_span *span =
        array_append(&spans->at, spans->count, &spans->room);

    *span = (struct random_span){
        .trace = trace,
        .id = ++spans->count,
        .parent = parent,
        .kind = kind,
        .component = component,
        .start_s = start_s,
        /* most at once, some late, some after the others' wait is over */
        .send_s = start_s + test_random(test_random(4) ? 3 : 80)};
    return span->id;
}

static inline void random_tree(struct random_spans *spans, uint32_t trace,
                               uint32_t parent, uint32_t component,
                               uint32_t start_s, int depth)
{
    uint32_t server =
        random_span_add(spans, trace, parent, SPAN_SERVER, component, start_s);

    for (uint32_t i = test_random(3); depth > 0 && i > 0; i--) {
        uint32_t above = server, callee = test_random(RANDOM_COMPONENTS);

        if (test_random(2))
            above = random_span_add(spans, trace, above, SPAN_INTERNAL,
                                    component, start_s);
        above = random_span_add(spans, trace, above, SPAN_CLIENT, component,
                                start_s);
        if (test_random(4))
            random_tree(spans, trace, above, callee, start_s, depth - 1);
    }
}

static inline int random_by_time(const void *a, const void *b)
{
    const struct random_span *x = a, *y = b;

    return x->send_s != y->send_s ? (x->send_s < y->send_s ? -1 : 1)
                                  : (x->id < y->id ? -1 : 1);
}

/* Spans of `traces` traces within `seconds`, in the order of sending. */
static inline struct random_spans random_spans_new(uint32_t traces,
                                                   uint32_t seconds)
{
    struct random_spans spans = {0};

    for (uint32_t trace = 1; trace <= traces; trace++)
        random_tree(&spans, trace, 0, test_random(RANDOM_COMPONENTS),
                    test_random(seconds), 3);
    qsort(spans.at, spans.count, sizeof(*spans.at), random_by_time);
    return spans;
}

static inline void random_span_put(struct batch *batch,
                                   const struct random_span *from)
{
    static const char *const methods[] = {"http.request.method=GET,"
                                          "http.route=/a",
                                          "http.request.method=GET,"
                                          "http.route=/b",
                                          "db.system=postgresql,"
                                          "db.namespace=stock",
                                          "server.address=peer.example"};
    char resource[128];
    struct span *span;

    snprintf(resource, sizeof(resource),
             "service.name=c%u,service.namespace=shop,k8s.pod.name=c%u-%u",
             from->component, from->component, from->trace % 2);
    span = kit_span(batch, resource, (enum span_kind)from->kind, from->trace,
                    from->id, from->parent,
                    from->kind == SPAN_SERVER   ? methods[from->id % 2]
                    : from->kind == SPAN_CLIENT ? methods[2 + from->id % 2]
                                                : "");
    span->start_ns = KIT_TIME + from->start_s * NS_PER_S;
    span->end_ns = span->start_ns + (1 + from->id % 50) * NS_PER_MS;
    span->status = from->id % 7 == 0 ? SPAN_ERROR : 0;
}

/* A message with the next spans, those of one second at most `most`, at this
 * offset; *at moves. */
static inline struct batch *random_message(const struct random_spans *spans,
                                           uint32_t *at, uint32_t most,
                                           uint64_t offset)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    uint32_t second = spans->at[*at].send_s;

    batch->lsn = offset + 1;
    batch->received_ns = KIT_TIME + second * NS_PER_S;
    batch->resources = arena_zero(&batch->arena, most, sizeof(struct resource));
    batch->spans = arena_zero(&batch->arena, most, sizeof(struct span));
    while (*at < spans->count && batch->count < most &&
           spans->at[*at].send_s == second)
        random_span_put(batch, &spans->at[(*at)++]);
    return batch;
}

#endif
