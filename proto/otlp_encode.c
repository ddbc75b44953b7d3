/*
 * Spans as protobuf. A message is written behind its tag, and its length is put
 * before it when it is known: what was written moves by the few bytes of the
 * length, once for each level of messages.
 */
#include "otlp_encode.h"

#include "attr_hash.h"
#include "map.h"
#include "wire.h"

/* ---- groups ---- */

/* A scope of a resource while spans are collected: lists of places. */
struct scope_list {
    const struct scope *scope;
    uint32_t resource, next; /* the next scope of its resource + 1 */
    uint32_t first, last, count;
};

struct resource_list {
    uint32_t id, first, last, count; /* scopes, + 1; 0: none */
};

struct grouping {
    const struct span *spans;
    struct map scope_index, resource_index;
    struct scope_list *scopes;
    struct resource_list *resources;
    uint32_t *next; /* of a span: the next one of its scope */
    uint32_t scope_count, resource_count;
};

static bool scope_same(const struct scope *a, const struct scope *b)
{
    if (a == b)
        return true;
    return a && b && slice_equal(a->name, b->name) &&
           slice_equal(a->version, b->version) &&
           slice_equal(a->schema_url, b->schema_url) &&
           a->attrs.dropped == b->attrs.dropped &&
           attrs_equal(&a->attrs, &b->attrs);
}

static uint32_t find_resource(struct grouping *g, uint32_t id)
{
    uint32_t hash = map_hash_number(id);

    map_each(&g->resource_index, hash, at)
        if (g->resources[at].id == id)
            return at;
    if (!map_add(&g->resource_index, hash, g->resource_count))
        return MAP_NONE;
    g->resources[g->resource_count] = (struct resource_list){.id = id};
    return g->resource_count++;
}

static uint32_t scope_hash(uint32_t resource, const struct scope *scope)
{
    uint64_t hash = hash_mix(resource, 1);

    if (scope)
        hash = hash_bytes(
            scope->name.ptr, scope->name.len,
            hash_bytes(scope->version.ptr, scope->version.len, hash));
    return map_hash(hash);
}

static uint32_t find_scope(struct grouping *g, uint32_t resource,
                           const struct scope *scope)
{
    uint32_t hash = scope_hash(resource, scope);
    struct resource_list *of = &g->resources[resource];

    map_each(&g->scope_index, hash, at)
        if (g->scopes[at].resource == resource &&
            scope_same(g->scopes[at].scope, scope))
            return at;
    if (!map_add(&g->scope_index, hash, g->scope_count))
        return MAP_NONE;
    g->scopes[g->scope_count] =
        (struct scope_list){.scope = scope, .resource = resource};
    if (of->last > 0)
        g->scopes[of->last - 1].next = g->scope_count + 1;
    else
        of->first = g->scope_count + 1;
    of->last = g->scope_count + 1;
    of->count++;
    return g->scope_count++;
}

static bool group_span(struct grouping *g, uint32_t i)
{
    uint32_t resource = find_resource(g, g->spans[i].resource_id);
    uint32_t at = resource == MAP_NONE
                      ? MAP_NONE
                      : find_scope(g, resource, g->spans[i].scope);

    if (at == MAP_NONE)
        return false;
    struct scope_list *list = &g->scopes[at];

    if (list->count++ == 0)
        list->first = i;
    else
        g->next[list->last] = i;
    list->last = i;
    return true;
}

static bool list_scope(struct arena *arena, const struct grouping *g,
                       const struct scope_list *list,
                       struct otlp_scope_group *group)
{
    uint32_t at = list->first;

    group->scope = list->scope;
    group->count = list->count;
    group->spans = arena_zero(arena, list->count, sizeof(*group->spans));
    for (uint32_t i = 0; group->spans && i < list->count; i++) {
        group->spans[i] = &g->spans[at];
        at = g->next[at];
    }
    return group->spans;
}

static bool list_resource(struct arena *arena, const struct grouping *g,
                          const struct resource_list *list,
                          struct otlp_resource_group *group)
{
    uint32_t at = list->first;

    group->scopes = arena_zero(arena, list->count, sizeof(*group->scopes));
    for (; group->scopes && at > 0; at = g->scopes[at - 1].next)
        if (!list_scope(arena, g, &g->scopes[at - 1],
                        &group->scopes[group->count++]))
            return false;
    return group->scopes;
}

bool otlp_spans_group(struct arena *arena, const struct span *spans,
                      uint32_t count, otlp_resource_of *resource_of, void *arg,
                      struct otlp_spans *groups)
{
    struct grouping g = {.spans = spans,
                         .scope_index.arena = arena,
                         .resource_index.arena = arena};

    g.scopes = arena_zero(arena, count, sizeof(*g.scopes));
    g.resources = arena_zero(arena, count, sizeof(*g.resources));
    g.next = arena_zero(arena, count, sizeof(*g.next));
    *groups = (struct otlp_spans){0};
    if (!g.scopes || !g.resources || !g.next)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!group_span(&g, i))
            return false;
    groups->resources =
        arena_zero(arena, g.resource_count, sizeof(*groups->resources));
    for (uint32_t i = 0; groups->resources && i < g.resource_count; i++) {
        struct otlp_resource_group *group = &groups->resources[i];

        group->resource = resource_of(arg, g.resources[i].id);
        if (!list_resource(arena, &g, &g.resources[i], group))
            return false;
        groups->count++;
    }
    return groups->resources;
}

/* ---- parts of messages ---- */

size_t otlp_message_begin(struct buf *out, uint32_t field)
{
    buf_varint(out, WIRE_LEN(field));
    return out->len;
}

void otlp_message_end(struct buf *out, size_t begin)
{
    size_t len = out->len - begin, size = 1;
    char *end;

    if (out->status != OK)
        return;
    for (size_t rest = len >> 7; rest > 0; rest >>= 7)
        size++;
    end = buf_room(out, size);
    if (!end)
        return;
    memmove(out->ptr + begin + size, out->ptr + begin, len);
    for (size_t i = 0; i < size; i++)
        out->ptr[begin + i] =
            (char)((len >> (7 * i) & 0x7f) | (i + 1 < size ? 0x80u : 0));
    buf_grown(out, size);
}

static void put_bytes(struct buf *out, uint32_t field, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    buf_varint(out, WIRE_LEN(field));
    buf_sized(out, bytes);
}

static void put_id(struct buf *out, uint32_t field, const uint8_t *id,
                   size_t len)
{
    static const uint8_t none[16] = {0};

    if (memcmp(id, none, len) != 0)
        put_bytes(out, field, (struct slice){(const char *)id, len});
}

static void put_number(struct buf *out, uint32_t field, uint64_t number)
{
    if (number == 0)
        return;
    buf_varint(out, WIRE_VARINT(field));
    buf_varint(out, number);
}

static void put_fixed64(struct buf *out, uint32_t field, uint64_t number)
{
    if (number == 0)
        return;
    buf_varint(out, WIRE_I64(field));
    buf_fixed(out, number, 8);
}

static void put_fixed32(struct buf *out, uint32_t field, uint32_t number)
{
    if (number == 0)
        return;
    buf_varint(out, WIRE_I32(field));
    buf_fixed(out, number, 4);
}

/* ---- attributes: as deep as ATTR_MAX_DEPTH ---- */

static void put_value(struct buf *out, uint32_t field,
                      const struct attr *value);

/* KeyValue; the value is there even if it is empty. */
static void put_entries(struct buf *out, uint32_t field, const struct attr *at,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t begin = otlp_message_begin(out, field);

        put_bytes(out, 1, attr_key(&at[i]));
        put_value(out, 2, &at[i]);
        otlp_message_end(out, begin);
    }
}

/* ArrayValue or KeyValueList. */
static void put_items(struct buf *out, const struct attr *value)
{
    bool map = value->type == VALUE_MAP;
    size_t begin = otlp_message_begin(out, map ? 6 : 5);

    if (map)
        put_entries(out, 1, value->items, value->len);
    else
        for (uint32_t i = 0; i < value->len; i++)
            put_value(out, 1, &value->items[i]);
    otlp_message_end(out, begin);
}

/* A member of a oneof is written even if it has the default value. */
static void put_scalar(struct buf *out, const struct attr *value)
{
    uint64_t bits;

    switch (value->type) {
    case VALUE_STRING:
    case VALUE_BYTES:
        buf_varint(out, WIRE_LEN(value->type == VALUE_STRING ? 1 : 7));
        buf_sized(out, (struct slice){value->str, value->len});
        break;
    case VALUE_BOOL:
        buf_varint(out, WIRE_VARINT(2));
        buf_varint(out, value->b);
        break;
    case VALUE_INT:
        buf_varint(out, WIRE_VARINT(3));
        buf_varint(out, (uint64_t)value->i);
        break;
    case VALUE_DOUBLE:
        memcpy(&bits, &value->d, sizeof(bits));
        buf_varint(out, WIRE_I64(4));
        buf_fixed(out, bits, 8);
        break;
    default:
        break;
    }
}

static void put_value(struct buf *out, uint32_t field, const struct attr *value)
{
    size_t begin = otlp_message_begin(out, field);

    if (value->type == VALUE_ARRAY || value->type == VALUE_MAP)
        put_items(out, value);
    else
        put_scalar(out, value);
    otlp_message_end(out, begin);
}

static void put_attrs(struct buf *out, uint32_t field,
                      const struct attrs *attrs)
{
    put_entries(out, field, attrs->at, attrs->count);
    put_number(out, field + 1, attrs->dropped);
}

/* ---- spans ---- */

static void put_event(struct buf *out, const struct span_event *event)
{
    size_t begin = otlp_message_begin(out, 11);

    put_fixed64(out, 1, event->time_ns);
    put_bytes(out, 2, event->name);
    put_attrs(out, 3, &event->attrs);
    otlp_message_end(out, begin);
}

static void put_link(struct buf *out, const struct span_link *link)
{
    size_t begin = otlp_message_begin(out, 13);

    put_id(out, 1, link->trace_id, sizeof(link->trace_id));
    put_id(out, 2, link->span_id, sizeof(link->span_id));
    put_bytes(out, 3, link->trace_state);
    put_attrs(out, 4, &link->attrs);
    put_fixed32(out, 6, link->flags);
    otlp_message_end(out, begin);
}

static void put_status(struct buf *out, const struct span *span)
{
    size_t begin = otlp_message_begin(out, 15);

    put_bytes(out, 2, span->status_message);
    put_number(out, 3, span->status);
    otlp_message_end(out, begin);
}

static void put_span(struct buf *out, const struct span *span)
{
    size_t begin = otlp_message_begin(out, 2);

    put_id(out, 1, span->trace_id, sizeof(span->trace_id));
    put_id(out, 2, span->span_id, sizeof(span->span_id));
    put_bytes(out, 3, span->trace_state);
    put_id(out, 4, span->parent_span_id, sizeof(span->parent_span_id));
    put_bytes(out, 5, span->name);
    put_number(out, 6, span->kind);
    put_fixed64(out, 7, span->start_ns);
    put_fixed64(out, 8, span->end_ns);
    put_attrs(out, 9, &span->attrs);
    for (uint32_t i = 0; i < span->event_count; i++)
        put_event(out, &span->events[i]);
    put_number(out, 12, span->dropped_events);
    for (uint32_t i = 0; i < span->link_count; i++)
        put_link(out, &span->links[i]);
    put_number(out, 14, span->dropped_links);
    put_status(out, span);
    put_fixed32(out, 16, span->flags);
    otlp_message_end(out, begin);
}

static void put_scope_spans(struct buf *out,
                            const struct otlp_scope_group *group)
{
    size_t begin = otlp_message_begin(out, 2);
    const struct scope *scope = group->scope;

    if (scope) {
        size_t at = otlp_message_begin(out, 1);

        put_bytes(out, 1, scope->name);
        put_bytes(out, 2, scope->version);
        put_attrs(out, 3, &scope->attrs);
        otlp_message_end(out, at);
    }
    for (uint32_t i = 0; i < group->count; i++)
        put_span(out, group->spans[i]);
    if (scope)
        put_bytes(out, 3, scope->schema_url);
    otlp_message_end(out, begin);
}

void otlp_spans_write(struct buf *out, uint32_t field,
                      const struct otlp_spans *groups)
{
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct otlp_resource_group *group = &groups->resources[i];
        size_t begin = otlp_message_begin(out, field);
        size_t at = otlp_message_begin(out, 1);

        if (group->resource)
            put_attrs(out, 1, &group->resource->attrs);
        otlp_message_end(out, at);
        for (uint32_t k = 0; k < group->count; k++)
            put_scope_spans(out, &group->scopes[k]);
        if (group->resource)
            put_bytes(out, 3, group->resource->schema_url);
        otlp_message_end(out, begin);
    }
}
