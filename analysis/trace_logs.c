/*
 * Log records of a trace. Warnings and errors are taken first, then the
 * earliest of the others; the answer has them at the spans that wrote them.
 */
#include "clock.h"
#include "trace_tree.h"

#include <stdlib.h>

/* Records are written while a trace runs, or soon before or after it. */
#define AROUND_NS (10 * NS_PER_MIN)

enum { COUNTED = 10000, FEWER = 4 };

/* The grants may cover traces and not logs: of each resource. Those of all
 * namespaces that have spans. */
static struct bitmap *visible_logs(struct query_request *request,
                                   const struct trace_spans *trace)
{
    const struct viewer viewer = {request->viewer.grants, ACTION_LOGS_VIEW};
    struct bitmap *all = NULL;

    for (uint32_t i = 0; i < trace->namespace_count; i++) {
        const struct scope_filter scope = {.namespace = trace->namespaces[i]};
        struct bitmap *set = registry_select(request->services->registry,
                                             &scope, &viewer, request->arena);

        if (!set)
            return NULL;
        for (uint32_t id = 0; all && id < all->limit; id++)
            if (bitmap_has(all, id) && !bitmap_has(set, id))
                bitmap_add(set, id);
        all = set;
    }
    return all;
}

struct loaded_logs {
    struct log_record *at;
    uint32_t count;
};

static enum status load(struct query_request *request, struct log_query *query,
                        uint32_t levels, uint32_t limit, struct arena *arena,
                        struct loaded_logs *out, uint64_t *total)
{
    query->levels = levels;
    query->limit = limit;
    return reader_query_logs(request->reader, query, arena, &out->at,
                             &out->count, total);
}

static enum status read_both(struct trace_tree *tree, struct log_query *query,
                             uint32_t limit, struct arena *arena,
                             struct trace_logs *logs)
{
    const uint32_t severe =
        1u << LEVEL_WARN | 1u << LEVEL_ERROR | 1u << LEVEL_FATAL;
    struct query_request *request = tree->request;
    struct loaded_logs first, rest = {NULL, 0};
    uint64_t total = 0;
    enum status s =
        load(request, query, severe, limit, arena, &first, &logs->total);

    if (s == OK)
        s = load(request, query, ~severe, limit - first.count, arena, &rest,
                 &total);
    if (s != OK)
        return s;
    logs->total += total;
    logs->logs =
        arena_alloc(arena, (first.count + rest.count) * sizeof(*logs->logs));
    if (!logs->logs)
        return arena_status(arena);
    if (first.count > 0)
        memcpy(logs->logs, first.at, first.count * sizeof(*first.at));
    if (rest.count > 0)
        memcpy(logs->logs + first.count, rest.at,
               rest.count * sizeof(*rest.at));
    logs->count = first.count + rest.count;
    return OK;
}

/* Fewer, where so many do not fit into `most` bytes: large records take no more
 * memory than that. */
static enum status read_within(struct trace_tree *tree, struct log_query *query,
                               uint32_t limit, size_t most,
                               struct trace_logs *logs)
{
    const struct count_limit counting = *query->counting;
    struct arena attempt;
    enum status s;

    for (bool fits = false; !fits; limit /= FEWER) {
        *query->counting = counting;
        arena_begin(&attempt, tree->request->arena);
        if (attempt.cap > most)
            attempt.cap = most;
        s = read_both(tree, query, limit, &attempt, logs);
        fits = limit == 0 || arena_status(&attempt) != ERR_TOO_BIG;
        if (s == OK && fits)
            arena_adopt(tree->request->arena, &attempt);
        else
            arena_release(&attempt);
    }
    return s;
}

/* ---- at their spans ---- */

struct placed_log {
    struct log_record log;
    uint32_t node; /* + 1; 0: of no shown node */
};

static int by_place(const void *left, const void *right)
{
    const struct placed_log *a = left, *b = right;

    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    if (a->log.time_ns != b->log.time_ns)
        return a->log.time_ns < b->log.time_ns ? -1 : 1;
    return (a->log.arrival > b->log.arrival) -
           (a->log.arrival < b->log.arrival);
}

static uint32_t id_hash(const uint8_t id[8])
{
    return map_hash(hash_bytes(id, 8, 0));
}

static uint32_t place_of(const struct trace_tree *tree, const struct map *ids,
                         const uint8_t id[8])
{
    map_each(ids, id_hash(id), at)
        if (memcmp(tree->nodes[at].span->span_id, id, 8) == 0)
            return at + 1;
    return 0;
}

static enum status place(struct trace_tree *tree, struct arena *work,
                         struct trace_logs *logs)
{
    struct map ids = {.arena = work};
    struct placed_log *placed =
        arena_alloc(work, logs->count * sizeof(*placed));

    if (!placed)
        return arena_status(work);
    for (uint32_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].flags & NODE_SHOWN &&
            !map_add(&ids, id_hash(tree->nodes[i].span->span_id), i))
            return arena_status(work);
    for (uint32_t i = 0; i < logs->count; i++)
        placed[i] = (struct placed_log){
            logs->logs[i], place_of(tree, &ids, logs->logs[i].span_id)};
    qsort(placed, logs->count, sizeof(*placed), by_place);
    for (uint32_t i = 0; i < logs->count; i++) {
        struct trace_node *node;

        logs->logs[i] = placed[i].log;
        logs->loose += placed[i].node == 0;
        if (placed[i].node == 0)
            continue;
        node = &tree->nodes[placed[i].node - 1];
        if (node->log_count++ == 0)
            node->first_log = i;
    }
    return OK;
}

enum status trace_read_logs(struct trace_tree *tree,
                            const struct trace_spans *trace, uint32_t limit,
                            struct trace_logs *logs)
{
    struct query_request *request = tree->request;
    struct count_limit counting = {.most = COUNTED};
    struct log_query query = {
        .start_ns = tree->start_ns > AROUND_NS ? tree->start_ns - AROUND_NS : 0,
        .end_ns = tree->end_ns < UINT64_MAX - AROUND_NS
                      ? tree->end_ns + AROUND_NS
                      : UINT64_MAX,
        .trace_id = trace->trace_id,
        .ascending = true,
        .counting = &counting};
    const struct bitmap *visible = visible_logs(request, trace);
    struct arena work;
    enum status s;

    *logs = (struct trace_logs){.logs = NULL};
    if (!visible)
        return arena_status(request->arena);
    logs->withheld = visible->count == 0;
    if (logs->withheld || limit == 0)
        return OK;
    query.resources = visible;
    s = read_within(tree, &query, limit, query_memory_share(request), logs);
    logs->is_lower_bound = counting.stopped;
    if (s == OK && logs->count > 0) {
        arena_begin(&work, request->arena);
        s = place(tree, &work, logs);
        arena_release(&work);
    }
    return s == OK ? OK : query_fail_read(request, s);
}
