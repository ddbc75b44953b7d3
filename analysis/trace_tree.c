/*
 * From spans in any order to nodes in the order of a walk:
 *
 *   1  an item for each span, and for each parent id that no span has
 *   2  each item's parent; spans on a cycle of parents lose theirs
 *   3  children of each item as lists, by start
 *   4  the walk from the top
 *   5  clocks, from the top downward
 */
#include "trace_tree.h"

#include <stdlib.h>

struct item {
    const struct trace_span *span;
    uint32_t parent;      /* item */
    uint32_t first, next; /* its first child; its next sibling */
    uint32_t flags, mark;
};

struct builder {
    struct trace_tree *tree;
    struct arena *arena;
    struct item *items;
    uint32_t count; /* spans, then missing ones */
    uint32_t spans;
    struct map ids; /* span id -> first item */
    uint32_t top;   /* first at the top */
};

static bool is_zero(const uint8_t id[8])
{
    return id_is_zero(id, 8);
}

static uint32_t id_hash(const uint8_t id[8])
{
    return map_hash(hash_bytes(id, 8, 0));
}

static uint32_t find(const struct builder *b, const uint8_t id[8])
{
    map_each(&b->ids, id_hash(id), at)
        if (memcmp(b->items[at].span->span_id, id, 8) == 0)
            return at;
    return TRACE_NONE;
}

/* ---- items ---- */

/* Of a span whose id has occurred before: the server's half of a span that
 * client and server share is below the client's. */
static void add_duplicate(struct builder *b, uint32_t at, uint32_t first)
{
    struct item *item = &b->items[at];

    item->flags |= NODE_DUPLICATE;
    b->tree->duplicates++;
    if (item->span->kind == SPAN_SERVER &&
        b->items[first].span->kind == SPAN_CLIENT)
        item->parent = first;
}

static bool add_spans(struct builder *b, const struct trace_span *spans,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct trace_span *span = &spans[i];
        uint32_t same = find(b, span->span_id);

        b->items[i] = (struct item){
            .span = span, .parent = TRACE_NONE, .first = TRACE_NONE};
        if (span->resource_id == RESOURCE_NONE)
            b->items[i].flags |= NODE_HIDDEN;
        b->count = b->spans = i + 1;
        if (same != TRACE_NONE)
            add_duplicate(b, i, same);
        else if (!map_add(&b->ids, id_hash(span->span_id), i))
            return false;
    }
    return true;
}

/* A parent that was not received lasts as long as its children. */
static uint32_t add_missing(struct builder *b, const struct trace_span *child)
{
    struct trace_span *span = arena_zero(b->arena, 1, sizeof(*span));

    if (!span)
        return TRACE_NONE;
    *span = (struct trace_span){.start_ns = child->start_ns,
                                .end_ns = child->end_ns,
                                .name = SLICE("[missing span]"),
                                .resource_id = RESOURCE_NONE};
    memcpy(span->span_id, child->parent_span_id, sizeof(span->span_id));
    b->items[b->count] = (struct item){.span = span,
                                       .parent = TRACE_NONE,
                                       .first = TRACE_NONE,
                                       .flags = NODE_MISSING};
    b->tree->missing++;
    if (!map_add(&b->ids, id_hash(span->span_id), b->count))
        return TRACE_NONE;
    return b->count++;
}

static bool set_parents(struct builder *b)
{
    for (uint32_t i = 0; i < b->spans; i++) {
        struct item *item = &b->items[i];
        const struct trace_span *span = item->span;
        uint32_t parent;

        if (item->parent != TRACE_NONE || is_zero(span->parent_span_id))
            continue;
        parent = find(b, span->parent_span_id);
        if (parent == TRACE_NONE)
            parent = add_missing(b, span);
        if (parent == TRACE_NONE)
            return false;
        item->parent = parent;
        if (b->items[parent].flags & NODE_MISSING) {
            struct trace_span *missing =
                (struct trace_span *)(uintptr_t)b->items[parent].span;

            item->flags |= NODE_ORPHAN;
            if (span->start_ns < missing->start_ns)
                missing->start_ns = span->start_ns;
            if (span->end_ns > missing->end_ns)
                missing->end_ns = span->end_ns;
        }
    }
    return true;
}

/* Walks up from each item; one that is met again on the same way is on a cycle,
 * which is cut there. Each item is marked once. */
static void cut_cycles(struct builder *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        uint32_t mark = i + 1, at = i;

        while (at != TRACE_NONE && b->items[at].mark == 0) {
            b->items[at].mark = mark;
            at = b->items[at].parent;
        }
        if (at == TRACE_NONE || b->items[at].mark != mark)
            continue;
        /* The earliest of the cycle is shown at the top. */
        uint32_t first = at;
        for (uint32_t k = b->items[at].parent; k != at; k = b->items[k].parent)
            if (b->items[k].span->start_ns < b->items[first].span->start_ns ||
                (b->items[k].span->start_ns == b->items[first].span->start_ns &&
                 k < first))
                first = k;
        b->items[first].parent = TRACE_NONE;
        b->items[first].flags |= NODE_CYCLE;
        b->tree->cycles++;
    }
}

/* ---- children ---- */

struct order {
    uint64_t start_ns;
    uint32_t item;
};

static int by_start(const void *left, const void *right)
{
    const struct order *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

/* From the latest to the earliest, each before those that are listed. */
static bool list_children(struct builder *b)
{
    struct order *order = arena_alloc(b->arena, b->count * sizeof(*order));

    if (!order)
        return false;
    for (uint32_t i = 0; i < b->count; i++)
        order[i] = (struct order){b->items[i].span->start_ns, i};
    qsort(order, b->count, sizeof(*order), by_start);
    b->top = TRACE_NONE;
    for (uint32_t i = b->count; i-- > 0;) {
        struct item *item = &b->items[order[i].item];
        uint32_t *list = item->parent == TRACE_NONE
                             ? &b->top
                             : &b->items[item->parent].first;

        item->next = *list;
        *list = order[i].item;
    }
    return true;
}

/* ---- the walk ---- */

static void add_node(struct builder *b, uint32_t at, uint32_t parent)
{
    struct trace_tree *tree = b->tree;
    const struct item *item = &b->items[at];
    struct trace_node *node = &tree->nodes[tree->count];

    *node = (struct trace_node){.span = item->span,
                                .parent = parent,
                                .flags = item->flags,
                                .start_ns = item->span->start_ns,
                                .end_ns = item->span->end_ns};
    if (trace_span_failed(item->span)) {
        node->flags |= NODE_FAILED;
        tree->failed++;
    }
    if (parent == TRACE_NONE) {
        tree->roots++;
    } else {
        node->depth = tree->nodes[parent].depth + 1;
        tree->nodes[parent].children++;
    }
    tree->count++;
}

/* Down to the first child, else to the next sibling of it or of one above. The
 * mark of an item is its node. */
static void walk(struct builder *b)
{
    struct trace_tree *tree = b->tree;
    uint32_t at = b->top, parent = TRACE_NONE;

    while (at != TRACE_NONE) {
        b->items[at].mark = tree->count;
        add_node(b, at, parent);
        if (b->items[at].first != TRACE_NONE) {
            parent = b->items[at].mark;
            at = b->items[at].first;
            continue;
        }
        while (at != TRACE_NONE && b->items[at].next == TRACE_NONE) {
            at = b->items[at].parent;
            if (at != TRACE_NONE)
                parent = tree->nodes[b->items[at].mark].parent;
        }
        if (at != TRACE_NONE)
            at = b->items[at].next;
    }
    for (uint32_t i = tree->count; i-- > 0;)
        if (tree->nodes[i].parent != TRACE_NONE)
            tree->nodes[tree->nodes[i].parent].below +=
                tree->nodes[i].below + 1;
}

/* ---- clocks ---- */

static bool waits_for(const struct trace_span *parent,
                      const struct trace_span *child)
{
    return parent->kind == SPAN_CLIENT && child->kind == SPAN_SERVER;
}

/* How much the clock of the child is ahead of its parent's (behind: below 0),
 * if its times are not possible otherwise: a child starts after its parent, and
 * what a client waits for ends before. It is put into the middle, if it fits;
 * then request and response took equally long. */
static int64_t skew_of(const struct trace_node *parent,
                       const struct trace_node *child)
{
    uint64_t length = child->end_ns - child->start_ns;
    uint64_t room = parent->end_ns - parent->start_ns;
    bool early = child->start_ns < parent->start_ns;
    bool late = waits_for(parent->span, child->span) &&
                child->end_ns > parent->end_ns && length <= room;
    uint64_t place =
        parent->start_ns + (length < room ? (room - length) / 2 : 0);

    if (!early && !late)
        return 0;
    return (int64_t)(child->start_ns - place);
}

/* Spans of one sender have one clock. Parents come first. */
static void set_clocks(struct trace_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        struct trace_node *node = &tree->nodes[i];
        const struct trace_node *parent;

        if (node->parent == TRACE_NONE)
            continue;
        parent = &tree->nodes[node->parent];
        if (parent->flags & (NODE_MISSING | NODE_HIDDEN) ||
            node->flags & NODE_HIDDEN)
            continue;
        if (parent->span->resource_id == node->span->resource_id) {
            node->offset_ns = parent->offset_ns;
        } else {
            node->offset_ns = skew_of(parent, node);
            if (node->offset_ns != 0) {
                node->flags |= NODE_SKEWED;
                tree->skewed++;
            }
        }
        node->start_ns -= (uint64_t)node->offset_ns;
        node->end_ns -= (uint64_t)node->offset_ns;
    }
}

/* What its parent does not wait for: a message that is consumed, or a span that
 * begins when its parent has ended. */
static void set_async(struct trace_tree *tree)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        struct trace_node *node = &tree->nodes[i];
        const struct trace_node *parent;

        if (node->parent == TRACE_NONE)
            continue;
        parent = &tree->nodes[node->parent];
        if (node->span->kind == SPAN_CONSUMER ||
            parent->span->kind == SPAN_PRODUCER ||
            (node->start_ns >= parent->end_ns && node->end_ns > parent->end_ns))
            node->flags |= NODE_ASYNC;
    }
}

/* ---- the whole ---- */

/* The earliest at the top that has no parent at all; else the earliest. */
static void set_main(struct trace_tree *tree)
{
    bool found = false;

    tree->main = 0;
    tree->start_ns = UINT64_MAX;
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct trace_span *span = tree->nodes[i].span;

        if (span->start_ns < tree->start_ns)
            tree->start_ns = span->start_ns;
        if (span->end_ns > tree->end_ns)
            tree->end_ns = span->end_ns;
    }
    for (uint32_t i = 0; i < tree->count && !found; i = trace_after(tree, i))
        if (is_zero(tree->nodes[i].span->parent_span_id) &&
            !(tree->nodes[i].flags & NODE_MISSING)) {
            tree->main = i;
            found = true;
        }
}

enum status trace_tree_build(struct trace_tree *tree,
                             const struct trace_span *spans, uint32_t count)
{
    struct query_request *request = tree->request;
    struct arena work;
    struct builder b = {.tree = tree, .arena = request->arena};
    enum status s = OK;

    arena_begin(&work, request->arena);
    b.ids.arena = &work;
    b.items = arena_alloc(&work, 2 * (size_t)count * sizeof(*b.items));
    if (!b.items || !map_reserve(&b.ids, count) ||
        !add_spans(&b, spans, count) || !set_parents(&b))
        s = arena_status(&work) == OK ? arena_status(request->arena)
                                      : arena_status(&work);
    if (s == OK) {
        cut_cycles(&b);
        b.arena = &work;
        tree->nodes = arena_zero(request->arena, b.count, sizeof(*tree->nodes));
        if (!tree->nodes || !list_children(&b))
            s = tree->nodes ? arena_status(&work)
                            : arena_status(request->arena);
    }
    if (s == OK) {
        walk(&b);
        set_clocks(tree);
        set_async(tree);
        set_main(tree);
    }
    arena_release(&work);
    return s;
}
