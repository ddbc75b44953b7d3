/*
 * same_kit - the same records in both engines, to ask both the same questions.
 *
 *   struct same *same = same_open();
 *   same_add(same, batch);
 *   same_write(same);            now ClickHouse has them, too
 *   same_begin(same);
 *   reader_query_...(same->reader, ...)
 *   ch_query_...(&same->ch, ...)
 *   same_end(same);
 *   same_close(same);
 *
 * ClickHouse is at CLICKHOUSE_URL; each same_open() has a database of its own.
 * Resources are numbers below SAME_RESOURCES; each has attributes and an
 * identity, which it shares with two others. Numbers from SAME_DERIVED on are
 * derived resources, of identity SAME_DERIVED + n. Some resources had another
 * identity before (`former`), and ClickHouse has their first rows under it.
 */
#ifndef SAME_KIT_H
#define SAME_KIT_H

#include <math.h>
#include <stdatomic.h>

#include "ch_block.h"
#include "ch_migrate.h"
#include "ch_read.h"
#include "clock.h"
#include "jsonw.h"
#include "random_records.h"
#include "same_attrs.h"
#include "store_help.h"
#include "store_resources.h"

enum {
    SAME_RESOURCES = 96,
    SAME_SHARED = 3, /* resources of one identity */
    SAME_IDENTITIES = SAME_RESOURCES / SAME_SHARED,
    SAME_DERIVED = 1000
};

struct same {
    char dir[64];
    struct store *store;
    struct reader *reader;

    struct ch_client *client;
    struct ch_reader ch;
    struct budget budget;
    struct store_resources resources;
    struct block_ops no_ops;
    struct ch_block_engine engine;
    struct store_block *block;
    uint64_t blocks, lsn;

    struct arena arena; /* of the resources */
    struct resource resource[SAME_RESOURCES];
    bool moved; /* resources have their present identity */
};

/* ---- resources ---- */

static inline uint64_t same_key(uint32_t resource)
{
    return hash_mix(resource + 1, 4711);
}

/* Of some resources it changes with same->moved. */
static inline uint32_t same_identity(const struct same *same, uint32_t resource)
{
    uint32_t identity = resource / SAME_SHARED;

    return resource % 14 == 0 && !same->moved ? (identity + 1) % SAME_IDENTITIES
                                              : identity;
}

static inline void same_identity_names(uint32_t identity, struct arena *arena,
                                       struct identity *out)
{
    *out = (struct identity){.id = identity, .rule = RULE_STAMPED};
    out->namespace = arena_format(arena, "ns%u", identity % 2);
    out->project = arena_format(arena, "project-%u", identity % 5);
    out->component = arena_format(arena, "it's \\%u", identity);
    out->environment = identity % 3 ? SLICE("prod") : SLICE("");
}

static inline bool same_describe(void *arg, uint32_t resource,
                                 struct arena *arena,
                                 struct resource_names *out)
{
    const struct same *same = arg;

    if (resource >= SAME_DERIVED) {
        resource -= SAME_DERIVED;
        if (resource >= SAME_IDENTITIES)
            return false;
        out->key = same_key(resource * SAME_SHARED);
        same_identity_names(resource, arena, &out->identity);
        return true;
    }
    if (resource >= SAME_RESOURCES)
        return false;
    out->key = same_key(resource);
    same_identity_names(same_identity(same, resource), arena, &out->identity);
    return true;
}

static inline uint32_t same_find(void *arg, uint64_t key)
{
    (void)arg;
    for (uint32_t i = 0; i < SAME_RESOURCES; i++)
        if (same_key(i) == key)
            return i;
    return RESOURCE_NONE;
}

static inline uint32_t same_find_identity(void *arg, uint64_t anchor)
{
    uint32_t resource = same_find(arg, anchor);

    return resource == RESOURCE_NONE ? IDENTITY_NONE
                                     : same_identity(arg, resource);
}

static inline uint32_t same_find_derived(void *arg, uint64_t anchor)
{
    uint32_t identity = same_find_identity(arg, anchor);

    return identity == IDENTITY_NONE ? RESOURCE_NONE : SAME_DERIVED + identity;
}

static inline uint64_t same_identity_anchor(void *arg, uint32_t identity)
{
    (void)arg;
    return identity < SAME_IDENTITIES ? same_key(identity * SAME_SHARED) : 0;
}

static inline int same_order(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

static inline void same_add_name(struct arena *arena, struct identity *names,
                                 bool *named, uint32_t *count,
                                 uint32_t identity)
{
    if (named[identity])
        return;
    named[identity] = true;
    same_identity_names(identity, arena, &names[(*count)++]);
}

static inline const struct resource_selection *same_select(
    void *arg, const struct bitmap *resources, bool derived,
    struct arena *arena)
{
    struct resource_selection *out = arena_zero(arena, 1, sizeof(*out));
    uint64_t *keys = arena_zero(arena, SAME_RESOURCES, sizeof(*keys));
    struct identity *names = arena_zero(arena, SAME_IDENTITIES, sizeof(*names));
    bool named[SAME_IDENTITIES] = {false};
    uint32_t key_count = 0, name_count = 0;

    (void)arg;
    if (!out || !keys || !names)
        return NULL;
    for (uint32_t i = 0; i < SAME_RESOURCES && !derived; i++)
        if (bitmap_has(resources, i)) {
            keys[key_count++] = same_key(i);
            same_add_name(arena, names, named, &name_count, i / SAME_SHARED);
            if (i % 14 == 0) /* and the one before */
                same_add_name(arena, names, named, &name_count,
                              (i / SAME_SHARED + 1) % SAME_IDENTITIES);
        }
    for (uint32_t i = 0; i < SAME_IDENTITIES && derived; i++)
        if (bitmap_has(resources, SAME_DERIVED + i)) {
            keys[key_count++] = same_key(i * SAME_SHARED);
            same_add_name(arena, names, named, &name_count, i);
        }
    qsort(keys, key_count, sizeof(*keys), same_order);
    *out = (struct resource_selection){keys, key_count, names, name_count};
    return arena_status(arena) == OK ? out : NULL;
}

/* ---- the engines ---- */

static inline bool same_open_clickhouse(struct same *same)
{
    static uint32_t databases;
    const char *server = getenv("CLICKHOUSE_URL");
    char url[128];
    const struct ch_options options = {.url = url};
    struct ch_schema_options schema = {.database = NULL};
    struct ch_error error;
    const char *why = "";

    if (!CHECK(server != NULL))
        return false;
    snprintf(url, sizeof(url), "%s/same_%d_%u", server, (int)getpid(),
             databases++);
    if (!CHECK_EQ(ch_client_open(&same->client, &options, &why), OK)) {
        printf("# CLICKHOUSE_URL: %s\n", why);
        return false;
    }
    schema.database = ch_client_database(same->client);
    if (!CHECK_EQ(ch_migrate(same->client, &schema, &error), OK)) {
        printf("# %s\n", error.text);
        return false;
    }
    budget_init(&same->budget, (size_t)1 << 30);
    same->resources =
        (struct store_resources){.arg = same,
                                 .describe = same_describe,
                                 .find = same_find,
                                 .find_derived = same_find_derived,
                                 .find_sender = same_find_derived,
                                 .identity_anchor = same_identity_anchor,
                                 .find_identity = same_find_identity,
                                 .select = same_select};
    same->ch = (struct ch_reader){.client = same->client,
                                  .resources = &same->resources,
                                  .budget = &same->budget};
    same->engine = (struct ch_block_engine){.ops = &same->no_ops,
                                            .client = same->client,
                                            .resources = &same->resources};
    return true;
}

/* NULL: a check has failed. Small memtables: most is read from blocks. */
static inline struct same *same_open(void)
{
    struct same *same = calloc(1, sizeof(*same));
    struct store_options options;

    if (!CHECK(same != NULL))
        return NULL;
    temp_make(same->dir);
    options = options_in(same->dir);
    options.query_bytes = 256 << 20;
    if (!CHECK_EQ(store_open(&same->store, &options), OK) ||
        !CHECK_EQ(reader_open(&same->reader, same->store), OK) ||
        !same_open_clickhouse(same))
        return NULL;
    arena_init(&same->arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < SAME_RESOURCES; i++)
        same->resource[i] =
            (struct resource){.attrs = random_attrs(&same->arena, 4), .id = i};
    same->block = ch_block_new(&same->engine, SLICE("same"), 0, &same->budget);
    return same;
}

static inline void same_close(struct same *same)
{
    if (!same)
        return;
    reader_close(same->reader);
    store_close(same->store);
    ch_block_free(same->block);
    ch_resource_cache_free(same->ch.resource_cache);
    ch_client_close(same->client);
    arena_release(&same->arena);
    temp_remove(same->dir);
    free(same);
}

/* ---- records ---- */

/* A text has no bits of a NaN: all are the one that is read back. */
static inline void same_plain_nans(const struct attr *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct attr *item = (struct attr *)(uintptr_t)&items[i];

        if (item->type == VALUE_DOUBLE && isnan(item->d))
            item->d = (double)NAN;
        else if (item->type == VALUE_ARRAY || item->type == VALUE_MAP)
            same_plain_nans(item->items, item->len);
    }
}

static inline void same_plain_scope(const struct scope *scope)
{
    if (scope)
        same_plain_nans(scope->attrs.at, scope->attrs.count);
}

static inline void same_plain_log(struct log_record *log)
{
    same_plain_nans(&log->body, 1);
    same_plain_nans(log->attrs.at, log->attrs.count);
    same_plain_scope(log->scope);
}

static inline void same_plain_span(struct span *span)
{
    same_plain_nans(span->attrs.at, span->attrs.count);
    same_plain_scope(span->scope);
    for (uint32_t i = 0; i < span->event_count; i++)
        same_plain_nans(span->events[i].attrs.at, span->events[i].attrs.count);
    for (uint32_t i = 0; i < span->link_count; i++)
        same_plain_nans(span->links[i].attrs.at, span->links[i].attrs.count);
}

static inline const struct resource *same_resource(const struct same *same,
                                                   uint32_t id)
{
    return id < SAME_RESOURCES ? &same->resource[id] : NULL;
}

static inline void same_prepare(const struct same *same, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->signal == SIGNAL_SPANS) {
            struct span *span = &batch->spans[i];

            span->resource = same_resource(same, span->resource_id);
            same_plain_span(span);
        } else if (batch->signal == SIGNAL_LOGS) {
            struct log_record *log = &batch->logs[i];

            log->resource = same_resource(same, log->resource_id);
            same_plain_log(log);
        }
}

/* Takes over a batch, as store_append() does. */
static inline void same_add(struct same *same, struct batch *batch)
{
    const struct source_offset source = {.topic = SLICE("same"),
                                         .offset = ++same->lsn};

    batch->lsn = same->lsn;
    batch_set_source_offset(batch, &source);
    same_prepare(same, batch);
    ch_block_add(same->block, batch);
    store_append(same->store, batch);
}

static inline void same_write(struct same *same)
{
    char token[64];
    int len = snprintf(token, sizeof(token), "same/0/%llu",
                       (unsigned long long)same->blocks++);

    CHECK_EQ(
        ch_block_write(same->block, (struct slice){token, (size_t)len}, NULL),
        OK);
    ch_block_free(same->block);
    same->block = ch_block_new(&same->engine, SLICE("same"), 0, &same->budget);
}

static inline void same_begin(struct same *same)
{
    CHECK_EQ(reader_begin(same->reader), OK);
    same->ch.tail_ns = 0;
}

static inline void same_end(struct same *same)
{
    reader_end(same->reader);
}

/* ---- comparing ---- */

static inline void show_attrs(const struct attrs *attrs)
{
    struct jsonw w;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    jsonw_init(&w, &text);
    jsonw_attrs(&w, attrs);
    printf("#   %u, dropped %u: %.*s\n", attrs->count, attrs->dropped,
           SLICE_ARGS(buf_slice(&text)));
    buf_release(&text);
}

/* What differs; NULL: nothing. */
static inline const char *log_difference(const struct log_record *a,
                                         const struct log_record *b, bool brief)
{
    const struct {
        const char *what;
        bool same, brief;
    } parts[] = {
        {"time", a->time_ns == b->time_ns, true},
        {"level", a->level == b->level, true},
        {"resource", a->resource_id == b->resource_id, true},
        {"trace id", memcmp(a->trace_id, b->trace_id, 16) == 0, true},
        {"span id", memcmp(a->span_id, b->span_id, 8) == 0, true},
        {"body", same_value(&a->body, &b->body), true},
        {"observed time", a->observed_ns == b->observed_ns, false},
        {"severity", a->severity == b->severity, false},
        {"flags", a->flags == b->flags, false},
        {"corrected", a->corrected == b->corrected, false},
        {"event", a->is_event == b->is_event, false},
        {"severity text", slice_equal(a->severity_text, b->severity_text),
         false},
        {"event name", slice_equal(a->event_name, b->event_name), false},
        {"endpoint", slice_equal(a->endpoint, b->endpoint), false},
        {"attributes", same_attrs(&a->attrs, &b->attrs), false},
        {"scope", same_scope(a->scope, b->scope), false},
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (!parts[i].same && (parts[i].brief || !brief))
            return parts[i].what;
    return NULL;
}

static inline bool same_log(const struct log_record *a,
                            const struct log_record *b, bool brief)
{
    const char *what = log_difference(a, b, brief);

    if (what)
        printf("# another %s\n", what);
    if (what && strcmp(what, "attributes") == 0) {
        show_attrs(&a->attrs);
        show_attrs(&b->attrs);
    }
    return !what;
}

static inline bool same_events(const struct span *a, const struct span *b)
{
    bool same =
        a->event_count == b->event_count && a->link_count == b->link_count;

    for (uint32_t i = 0; same && i < a->event_count; i++)
        same = a->events[i].time_ns == b->events[i].time_ns &&
               slice_equal(a->events[i].name, b->events[i].name) &&
               same_attrs(&a->events[i].attrs, &b->events[i].attrs);
    for (uint32_t i = 0; same && i < a->link_count; i++)
        same = memcmp(a->links[i].trace_id, b->links[i].trace_id, 16) == 0 &&
               memcmp(a->links[i].span_id, b->links[i].span_id, 8) == 0 &&
               a->links[i].flags == b->links[i].flags &&
               slice_equal(a->links[i].trace_state, b->links[i].trace_state) &&
               same_attrs(&a->links[i].attrs, &b->links[i].attrs);
    return same;
}

static inline bool same_span(const struct span *a, const struct span *b,
                             bool whole)
{
    return memcmp(a->trace_id, b->trace_id, sizeof(a->trace_id)) == 0 &&
           memcmp(a->span_id, b->span_id, sizeof(a->span_id)) == 0 &&
           memcmp(a->parent_span_id, b->parent_span_id,
                  sizeof(a->parent_span_id)) == 0 &&
           a->start_ns == b->start_ns && a->end_ns == b->end_ns &&
           a->resource_id == b->resource_id && a->kind == b->kind &&
           a->status == b->status && a->failed == b->failed &&
           slice_equal(a->name, b->name) &&
           slice_equal(a->status_message, b->status_message) &&
           slice_equal(a->endpoint, b->endpoint) &&
           slice_equal(a->operation, b->operation) &&
           (!whole || (a->flags == b->flags && a->corrected == b->corrected &&
                       a->dropped_events == b->dropped_events &&
                       a->dropped_links == b->dropped_links &&
                       slice_equal(a->trace_state, b->trace_state) &&
                       same_attrs(&a->attrs, &b->attrs) &&
                       same_scope(a->scope, b->scope) && same_events(a, b)));
}

#endif
