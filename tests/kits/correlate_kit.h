/*
 * correlate_kit - short ways to make batches for the tests of the correlator,
 * on the store in memory (memory_store.h). The registry and the catalogue are
 * the real ones.
 *
 * Attributes are written "key=value,key=#80": a value after # is a number.
 */
#ifndef CORRELATE_KIT_H
#define CORRELATE_KIT_H

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "correlate.h"
#include "derived.h"
#include "mem.h"
#include "memory_store.h"
#include "test.h"

/* ---- the store ---- */

static struct store kit_store;

static inline struct store *kit_the_store(void)
{
    return &kit_store;
}

static inline void kit_drop_batches(void)
{
    memory_store_drop_batches(&kit_store);
}

static inline void kit_reset(void)
{
    memory_store_reset(&kit_store);
}

/* ---- the correlator ---- */

struct kit {
    struct registry *registry;
    struct catalog *catalog;
    struct correlator *correlator;
    uint64_t lsn;
};

static const struct correlator_options kit_options = {.max_operations = 50,
                                                      .max_series = 1024,
                                                      .max_unpaired_spans = 512,
                                                      .edge_wait_ns =
                                                          30 * NS_PER_S,
                                                      .max_templates = 20,
                                                      .queue = 16};

static inline struct kit kit_open_with(const struct correlator_options *options)
{
    struct kit kit = {.catalog = catalog_new()};
    struct registry_options registry = {.max_resources = 1000,
                                        .max_identities = 1000};

    CHECK_EQ(registry_open(&kit.registry, &registry, kit_the_store()), OK);
    CHECK_EQ(correlator_open(&kit.correlator, options, kit_the_store(),
                             kit.registry, kit.catalog),
             OK);
    return kit;
}

/* With an empty store. */
static inline struct kit kit_open(void)
{
    kit_reset();
    return kit_open_with(&kit_options);
}

/* As kill -9 would: nothing is flushed into the store that is kept. */
static inline void kit_kill(struct kit *kit)
{
    uint32_t count = kit_store.count;

    correlator_close(kit->correlator);
    for (uint32_t i = count; i < kit_store.count; i++)
        batch_free(kit_store.batches[i]);
    kit_store.count = count;
    registry_close(kit->registry);
    catalog_free(kit->catalog);
}

/* ---- batches ---- */

enum { KIT_MAX_RECORDS = 512 };

/* 2026-01-01T00:00:00Z */
#define KIT_TIME (UINT64_C(1767225600) * NS_PER_S)

static inline struct attrs kit_attrs(struct arena *arena, const char *text)
{
    struct attr *at = arena_zero(arena, 32, sizeof(*at));
    struct attrs attrs = {.at = at};

    while (text && *text && attrs.count < 32) {
        size_t len = strcspn(text, ",");
        const char *sign = memchr(text, '=', len);
        struct attr *attr = &at[attrs.count++];
        struct slice value = {sign + 1, len - (size_t)(sign + 1 - text)};

        attr->key_len = (uint16_t)(sign - text);
        attr->key = arena_copy(arena, (struct slice){text, attr->key_len}).ptr;
        if (value.len > 0 && value.ptr[0] == '#') {
            attr->type = VALUE_INT;
            attr->i = atoll(value.ptr + 1);
        } else if (value.len > 0 && value.ptr[0] == '!') {
            attr->type = VALUE_BOOL;
            attr->b = value.ptr[1] == 't';
        } else {
            attr->type = VALUE_STRING;
            attr->len = (uint32_t)value.len;
            attr->str = arena_copy(arena, value).ptr;
        }
        text += len + (text[len] == ',');
    }
    return attrs;
}

static inline struct batch *kit_batch(struct kit *kit, enum signal signal)
{
    struct batch *batch = batch_new(signal, NULL, 0, NULL);

    batch->lsn = ++kit->lsn;
    batch->received_ns = KIT_TIME;
    batch->resources =
        arena_zero(&batch->arena, KIT_MAX_RECORDS, sizeof(struct resource));
    if (signal == SIGNAL_SPANS)
        batch->spans =
            arena_zero(&batch->arena, KIT_MAX_RECORDS, sizeof(struct span));
    else if (signal == SIGNAL_LOGS)
        batch->logs = arena_zero(&batch->arena, KIT_MAX_RECORDS,
                                 sizeof(struct log_record));
    else
        batch->points =
            arena_zero(&batch->arena, KIT_MAX_RECORDS, sizeof(struct point));
    return batch;
}

/* One resource per record: the registry makes one of equal ones. */
static inline const struct resource *kit_resource(struct batch *batch,
                                                  const char *attrs)
{
    struct resource *resource = &batch->resources[batch->resource_count++];

    resource->attrs = kit_attrs(&batch->arena, attrs);
    resource->id = RESOURCE_NONE;
    return resource;
}

static inline void kit_id(uint8_t *id, size_t len, uint32_t number)
{
    memset(id, 0, len);
    memcpy(id, &number, sizeof(number));
    if (number && len == 16)
        id[15] = 0xee;
}

/* A span of 10 ms; parent 0: a root. */
static inline struct span *kit_span(struct batch *batch, const char *resource,
                                    enum span_kind kind, uint32_t trace,
                                    uint32_t id, uint32_t parent,
                                    const char *attrs)
{
    struct span *span = &batch->spans[batch->count++];

    span->resource = kit_resource(batch, resource);
    span->kind = (uint8_t)kind;
    kit_id(span->trace_id, 16, trace);
    kit_id(span->span_id, 8, id);
    kit_id(span->parent_span_id, 8, parent);
    span->start_ns = KIT_TIME + NS_PER_S;
    span->end_ns = span->start_ns + 10 * NS_PER_MS;
    span->name = SLICE("name");
    span->attrs = kit_attrs(&batch->arena, attrs);
    return span;
}

static inline struct log_record *kit_log(struct batch *batch,
                                         const char *resource, const char *body,
                                         const char *attrs)
{
    struct log_record *log = &batch->logs[batch->count++];
    struct slice text = arena_copy(&batch->arena, slice_of(body));

    log->resource = kit_resource(batch, resource);
    log->time_ns = log->observed_ns = KIT_TIME + NS_PER_S;
    log->body = (struct attr){
        .str = text.ptr, .len = (uint32_t)text.len, .type = VALUE_STRING};
    log->attrs = kit_attrs(&batch->arena, attrs);
    return log;
}

static inline struct point *kit_point(struct batch *batch, const char *resource,
                                      const char *attrs)
{
    struct point *point = &batch->points[batch->count++];
    struct metric *metric = arena_zero(&batch->arena, 1, sizeof(*metric));

    metric->name = SLICE("m");
    metric->resource = kit_resource(batch, resource);
    point->metric = metric;
    point->time_ns = KIT_TIME + NS_PER_S;
    point->attrs = kit_attrs(&batch->arena, attrs);
    return point;
}

/* A reference to what was taken stays with the caller. */
static inline struct batch *kit_take(struct kit *kit, struct batch *batch)
{
    batch_ref(batch);
    correlator_take(kit->correlator, batch);
    return batch;
}

static inline void kit_take_all(struct kit *kit, struct batch *batch)
{
    batch_free(kit_take(kit, batch));
}

/* A batch that lets an hour go by: nothing waits any more. */
static inline struct batch *kit_hour(struct kit *kit)
{
    struct batch *batch = kit_batch(kit, SIGNAL_SPANS);

    batch->received_ns += NS_PER_HOUR;
    return batch;
}

static inline void kit_settle(struct kit *kit)
{
    kit_take_all(kit, kit_hour(kit));
}

/* Flushes; what the store got stays until the next kit_open(). */
static inline void kit_end(struct kit *kit)
{
    correlator_close(kit->correlator);
    registry_close(kit->registry);
    catalog_free(kit->catalog);
}

/* Settles and flushes. Not where the correlator's thread runs: that alone
 * takes batches then. */
static inline void kit_close(struct kit *kit)
{
    kit_settle(kit);
    kit_end(kit);
}

/* ---- what was derived ---- */

static inline bool kit_has(const struct attrs *attrs, const char *text)
{
    struct arena arena;
    bool all = true;

    arena_init(&arena, NULL, SIZE_MAX);
    struct attrs want = kit_attrs(&arena, text);
    for (uint32_t i = 0; i < want.count; i++) {
        const struct attr *have = attrs_find(attrs, attr_key(&want.at[i]));

        all &= have && have->type == want.at[i].type &&
               (have->type == VALUE_INT
                    ? have->i == want.at[i].i
                    : slice_equal(attr_text(have), attr_text(&want.at[i])));
    }
    arena_release(&arena);
    return all;
}

static inline uint64_t kit_value(const struct point *point)
{
    return point->metric->type == METRIC_EXP_HISTOGRAM ? point->histogram->count
                                                       : (uint64_t)point->i;
}

/* Of the derived points with this name and these attributes, together. */
static inline uint64_t kit_sum(const char *name, const char *attrs)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < kit_store.count; i++) {
        const struct batch *batch = kit_store.batches[i];

        for (uint32_t j = 0; batch->derived && j < batch->count; j++)
            if (slice_equal(batch->points[j].metric->name, slice_of(name)) &&
                kit_has(&batch->points[j].attrs, attrs))
                sum += kit_value(&batch->points[j]);
    }
    return sum;
}

/* The first change event or other event; NULL if there is none. */
static inline const struct log_record *kit_event(uint32_t number)
{
    for (uint32_t i = 0; i < kit_store.count; i++) {
        const struct batch *batch = kit_store.batches[i];

        for (uint32_t j = 0; batch->signal == SIGNAL_LOGS && j < batch->count;
             j++)
            if (slice_equal(batch->logs[j].event_name, SLICE(DERIVED_CHANGE)) &&
                number-- == 0)
                return &batch->logs[j];
    }
    return NULL;
}

#endif
