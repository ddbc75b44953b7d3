/*
 * Attributes, links and exceptions of the spans that are shown. Few are read
 * one by one; of many the whole trace is read again, a page at a time, so that
 * no more than a page of what is not shown is in memory.
 */
#include "trace_tree.h"

enum { ONE_BY_ONE = 48, PAGE = 2000, LINKS_MAX = 10 };

/* ---- copies ---- */

static size_t value_size(const struct attr *value, int depth)
{
    size_t size = sizeof(*value) + value->key_len;

    if (value->type == VALUE_STRING || value->type == VALUE_BYTES)
        return size + value->len;
    if (value->type != VALUE_ARRAY && value->type != VALUE_MAP)
        return size;
    for (uint32_t i = 0; depth < ATTR_MAX_DEPTH && i < value->len; i++)
        size += value_size(&value->items[i], depth + 1);
    return size;
}

static struct attr copy_value(struct arena *arena, const struct attr *from,
                              int depth)
{
    struct attr to = *from;
    struct attr *items;

    if (from->key_len > 0)
        to.key = arena_copy(arena, attr_key(from)).ptr;
    if (from->type == VALUE_STRING || from->type == VALUE_BYTES) {
        to.str = arena_copy(arena, (struct slice){from->str, from->len}).ptr;
    } else if (from->type == VALUE_ARRAY || from->type == VALUE_MAP) {
        items = depth < ATTR_MAX_DEPTH
                    ? arena_alloc(arena, from->len * sizeof(*items))
                    : NULL;
        to.items = items;
        to.len = items ? from->len : 0;
        for (uint32_t i = 0; i < to.len; i++)
            items[i] = copy_value(arena, &from->items[i], depth + 1);
    }
    return to;
}

static bool is_wanted(const struct trace_attrs *attrs, struct slice key)
{
    for (uint32_t i = 0; i < attrs->key_count; i++)
        if (slice_equal(attrs->keys[i], key))
            return true;
    return attrs->wanted == ATTRS_ALL;
}

/* Takes the room of the attributes that are wanted; false: there is none. */
static bool take_room(struct trace_attrs *wanted, const struct span *span)
{
    size_t size = 0;

    for (uint32_t i = 0; i < span->attrs.count; i++)
        if (is_wanted(wanted, attr_key(&span->attrs.at[i])))
            size += value_size(&span->attrs.at[i], 0);
    if (size > wanted->room) {
        wanted->left_out++;
        return false;
    }
    wanted->room -= size;
    return true;
}

static struct attrs copy_wanted(struct arena *arena, const struct attrs *from,
                                const struct trace_attrs *wanted)
{
    struct attr *to;
    uint32_t count = 0;

    if (wanted->wanted == ATTRS_NONE || from->count == 0)
        return (struct attrs){NULL, 0, 0};
    to = arena_alloc(arena, from->count * sizeof(*to));
    for (uint32_t i = 0; to && i < from->count; i++)
        if (is_wanted(wanted, attr_key(&from->at[i])))
            to[count++] = copy_value(arena, &from->at[i], 0);
    return (struct attrs){to, count, from->dropped};
}

static void copy_links(struct arena *arena, const struct span *from,
                       struct trace_extra *extra)
{
    uint32_t count =
        from->link_count < LINKS_MAX ? from->link_count : LINKS_MAX;
    struct span_link *links;

    if (count == 0)
        return;
    links = arena_alloc(arena, count * sizeof(*links));
    for (uint32_t i = 0; links && i < count; i++) {
        links[i] = from->links[i];
        links[i].trace_state = (struct slice){NULL, 0};
        links[i].attrs = (struct attrs){NULL, 0, 0};
    }
    extra->links = links;
    extra->link_count = links ? count : 0;
}

/* The last one: what came before was dealt with. */
static void copy_exception(struct arena *arena, const struct span *from,
                           struct trace_extra *extra)
{
    for (uint32_t i = from->event_count; i-- > 0;) {
        const struct span_event *event = &from->events[i];

        if (!slice_equal(event->name, SLICE("exception")))
            continue;
        extra->exception_type = arena_copy(
            arena, attrs_text(&event->attrs, SLICE("exception.type")));
        extra->exception_message = arena_copy(
            arena, attrs_text(&event->attrs, SLICE("exception.message")));
        extra->exception_ns = event->time_ns;
        return;
    }
}

static enum status keep(struct trace_tree *tree, struct trace_node *node,
                        const struct span *whole, struct trace_attrs *attrs)
{
    struct arena *arena = tree->request->arena;
    struct trace_extra *extra = arena_zero(arena, 1, sizeof(*extra));

    if (!extra)
        return arena_status(arena);
    if (attrs->wanted != ATTRS_NONE && take_room(attrs, whole))
        extra->attrs = copy_wanted(arena, &whole->attrs, attrs);
    copy_links(arena, whole, extra);
    copy_exception(arena, whole, extra);
    node->extra = extra;
    return arena_status(arena);
}

/* ---- reading ---- */

static bool is_needed(const struct trace_node *node, bool attrs)
{
    if (!(node->flags & NODE_SHOWN) ||
        node->flags & (NODE_MISSING | NODE_HIDDEN))
        return false;
    return attrs || node->parent == TRACE_NONE || node->flags & NODE_ORIGIN ||
           node->span->kind == SPAN_CONSUMER;
}

/* By the resource of the span, so that it is the one of this namespace. */
static enum status read_one(struct trace_tree *tree,
                            const struct trace_spans *trace,
                            struct trace_node *node, struct trace_attrs *attrs)
{
    struct query_request *request = tree->request;
    uint32_t resource = node->span->resource_id;
    struct bitmap *own;
    struct arena work;
    struct span span;
    enum status s;

    arena_begin(&work, request->arena);
    own = bitmap_new(&work, resource + 1);
    s = arena_status(&work);
    if (own) {
        bitmap_add(own, resource);
        s = reader_find_span(request->reader, trace->trace_id,
                             node->span->span_id, own, &work, &span);
    }
    if (s == OK)
        s = keep(tree, node, &span, attrs);
    arena_release(&work);
    return s == ERR_NOT_FOUND ? OK : s;
}

struct extras {
    struct trace_tree *tree;
    struct trace_attrs *attrs;
    struct map ids; /* of needed spans -> node */
};

static uint32_t id_hash(const uint8_t id[8])
{
    return map_hash(hash_bytes(id, 8, 0));
}

static enum status keep_page(struct extras *e, const struct span *spans,
                             uint32_t count)
{
    enum status s = OK;

    for (uint32_t i = 0; i < count && s == OK; i++) {
        const struct span *span = &spans[i];

        map_each(&e->ids, id_hash(span->span_id), at) {
            struct trace_node *node = &e->tree->nodes[at];

            if (node->span->start_ns == span->start_ns &&
                node->span->resource_id == span->resource_id &&
                memcmp(node->span->span_id, span->span_id, 8) == 0)
                s = keep(e->tree, node, span, e->attrs);
        }
    }
    return s;
}

static enum status read_pages(struct extras *e, const struct trace_spans *trace)
{
    struct query_request *request = e->tree->request;
    struct list_position after = {.key_len = POSITION_NUMBER};
    struct span_query query = {.trace_id = trace->trace_id,
                               .visible = trace->visible,
                               .whole = true,
                               .ascending = true,
                               .limit = PAGE};
    uint32_t count = PAGE;
    enum status s = OK;

    while (s == OK && count == PAGE) {
        struct arena work;
        struct span *spans;
        uint64_t total;

        arena_begin(&work, request->arena);
        s = reader_query_spans(request->reader, &query, &work, &spans, &count,
                               &total);
        if (s == OK)
            s = keep_page(e, spans, count);
        if (s == OK && count > 0) {
            after.time_ns = spans[count - 1].start_ns;
            memcpy(after.key, spans[count - 1].span_id, POSITION_NUMBER);
            query.range.after = &after;
        }
        arena_release(&work);
    }
    return s;
}

enum status trace_read_extras(struct trace_tree *tree,
                              const struct trace_spans *trace,
                              struct trace_attrs *attrs)
{
    struct extras e = {.tree = tree, .attrs = attrs};
    bool all = attrs->wanted != ATTRS_NONE;
    uint32_t needed = 0;
    enum status s = OK;

    e.ids.arena = tree->request->arena;
    for (uint32_t i = 0; i < tree->count; i++)
        needed += is_needed(&tree->nodes[i], all);
    for (uint32_t i = 0; i < tree->count && s == OK; i++) {
        if (!is_needed(&tree->nodes[i], all))
            continue;
        if (needed <= ONE_BY_ONE)
            s = read_one(tree, trace, &tree->nodes[i], attrs);
        else if (!map_add(&e.ids, id_hash(tree->nodes[i].span->span_id), i))
            s = arena_status(tree->request->arena);
    }
    if (s == OK && needed > ONE_BY_ONE)
        s = read_pages(&e, trace);
    return s == OK ? OK : query_fail_read(tree->request, s);
}
