/*
 * Trees of spans that make no sense. The input is records of six bytes: id,
 * parent, start, duration, kind and status, resource. Whatever comes, each span
 * is in the tree once, self times are within durations, the critical path is as
 * long as its root, and what is shown is a tree.
 */
#include <assert.h>
#include <stdlib.h>

#include "trace_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORD = 6, MOST = 4000 };

static int by_start(const void *left, const void *right)
{
    const struct trace_span *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, 8);
}

static struct trace_span span_of(const uint8_t *at)
{
    struct trace_span span = {.start_ns = UINT64_C(1000) + at[2],
                              .end_ns = UINT64_C(1000) + at[2] + at[3],
                              .kind = at[4] & 7,
                              .status = at[4] >> 7 ? SPAN_ERROR : SPAN_UNSET,
                              .name = SLICE("n"),
                              .resource_id = at[5] & 3};

    span.span_id[0] = at[0];
    span.parent_span_id[0] = at[1];
    return span;
}

static void check(const struct trace_tree *tree, uint32_t spans)
{
    const struct trace_node *root = &tree->nodes[tree->main];
    uint64_t critical = 0;
    uint32_t missing = 0;

    for (uint32_t i = 0; i < tree->count; i++) {
        const struct trace_node *n = &tree->nodes[i];

        missing += (n->flags & NODE_MISSING) != 0;
        critical += n->critical_ns;
        assert(n->self_ns <= n->end_ns - n->start_ns);
        assert(n->parent == TRACE_NONE || n->parent < i);
        assert(i + n->below < tree->count);
    }
    assert(tree->count == spans + missing && missing == tree->missing);
    assert(critical == root->end_ns - root->start_ns);
}

static void check_shown(struct trace_tree *tree, uint32_t top, uint32_t limit)
{
    uint32_t shown, seen = 0;
    enum status s = trace_select(tree, top, limit, &shown);

    assert(s == OK && shown <= limit);
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct trace_node *n = &tree->nodes[i];

        if (!(n->flags & NODE_SHOWN))
            continue;
        seen++;
        assert(i == top || n->parent == TRACE_NONE ||
               tree->nodes[n->parent].flags & NODE_SHOWN);
    }
    assert(seen == shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t count = (uint32_t)(size / RECORD);
    struct query_request request = {.http_status = 200};
    struct trace_tree tree = {.request = &request};
    struct arena arena;
    struct trace_span *spans;
    enum status s;

    if (count == 0 || count > MOST)
        return 0;
    arena_init(&arena, NULL, SIZE_MAX);
    request.arena = &arena;
    spans = arena_alloc(&arena, count * sizeof(*spans));
    for (uint32_t i = 0; i < count; i++)
        spans[i] = span_of(data + i * RECORD);
    qsort(spans, count, sizeof(*spans), by_start);
    s = trace_tree_build(&tree, spans, count);
    assert(s == OK);
    s = trace_tree_time(&tree);
    assert(s == OK);
    check(&tree, count);
    check_shown(&tree, data[0] & 1 ? data[1] % tree.count : TRACE_NONE,
                1 + data[2] % 50);
    arena_release(&arena);
    return 0;
}
