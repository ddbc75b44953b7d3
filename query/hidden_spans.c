#include "hidden_spans.h"

#include "hash.h"

enum { SPANS_LOOKED_AT = 10000 };

/* ids of the visible spans, and of their parents. */
struct span_ids {
    const struct span *spans;
    struct map ids, parents;
};

static uint32_t id_hash(const uint8_t id[8])
{
    return map_hash(hash_bytes(id, 8, 0));
}

static bool is_id(const uint8_t id[8])
{
    static const uint8_t none[8] = {0};

    return memcmp(id, none, 8) != 0;
}

static bool is_parent(const struct span_ids *known, const uint8_t id[8])
{
    map_each(&known->parents, id_hash(id), at)
        if (memcmp(known->spans[at].parent_span_id, id, 8) == 0)
            return true;
    return false;
}

static bool is_visible(const struct span_ids *known, const uint8_t id[8])
{
    map_each(&known->ids, id_hash(id), at)
        if (memcmp(known->spans[at].span_id, id, 8) == 0)
            return true;
    return false;
}

static bool know(struct span_ids *known, const struct span *spans,
                 uint32_t count, struct arena *arena)
{
    *known = (struct span_ids){.spans = spans};
    known->ids.arena = known->parents.arena = arena;
    for (uint32_t i = 0; i < count; i++) {
        const struct span *span = &spans[i];

        if (!map_add(&known->ids, id_hash(span->span_id), i))
            return false;
        if (is_id(span->parent_span_id) &&
            !is_parent(known, span->parent_span_id) &&
            !map_add(&known->parents, id_hash(span->parent_span_id), i))
            return false;
    }
    return true;
}

/* The resources of the namespace that are not in `visible`. NULL: there are
 * none, or the arena is full. */
static const struct bitmap *hidden_resources(struct query_request *request,
                                             struct slice namespace,
                                             const struct bitmap *visible)
{
    const struct scope_filter scope = {.namespace = namespace};
    struct bitmap *set = registry_select(request->services->registry, &scope,
                                         &viewer_all, request->arena);

    for (uint32_t id = 0; set && id < set->limit; id++)
        if (bitmap_has(visible, id))
            bitmap_remove(set, id);
    return set && set->count > 0 ? set : NULL;
}

/* The spans of these resources in the trace, by start. */
static enum status read_all(struct query_request *request,
                            const struct span_query *page,
                            const struct bitmap *resources, struct arena *arena,
                            struct span **spans, uint32_t *count)
{
    const struct span_query query = {.trace_id = page->trace_id,
                                     .resources = page->resources,
                                     .visible = resources,
                                     .ascending = true,
                                     .limit = SPANS_LOOKED_AT};
    uint64_t total;
    enum status s = reader_query_spans(request->reader, &query, arena, spans,
                                       count, &total);

    return s == OK ? OK : query_fail_read(request, s);
}

/* What is shown of one. */
static struct span hide(const struct span *span)
{
    struct span hidden = {.start_ns = span->start_ns,
                          .end_ns = span->end_ns,
                          .name = SLICE("hidden"),
                          .resource_id = RESOURCE_NONE};

    memcpy(hidden.trace_id, span->trace_id, sizeof(hidden.trace_id));
    memcpy(hidden.span_id, span->span_id, sizeof(hidden.span_id));
    memcpy(hidden.parent_span_id, span->parent_span_id,
           sizeof(hidden.parent_span_id));
    return hidden;
}

/* Keeps those beside a visible span, at most HIDDEN_SPANS_MAX. */
static uint32_t keep(const struct span_ids *known, struct span *spans,
                     uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count && kept < HIDDEN_SPANS_MAX; i++)
        if (!is_visible(known, spans[i].span_id) &&
            (is_visible(known, spans[i].parent_span_id) ||
             is_parent(known, spans[i].span_id)))
            spans[kept++] = hide(&spans[i]);
    return kept;
}

static int compare(const struct span *a, const struct span *b)
{
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, sizeof(a->span_id));
}

/* Both are in order of the page, `more` ascending. */
static enum status merge(struct query_request *request,
                         const struct span_query *query,
                         const struct span *more, uint32_t count,
                         struct span_page *page)
{
    struct span *all =
        arena_alloc(request->arena, (page->count + count) * sizeof(*all));
    uint32_t n = 0, at = 0, next = 0;

    if (!all)
        return arena_status(request->arena);
    while (at < page->count || next < count) {
        const struct span *hidden =
            next == count ? NULL
                          : &more[query->ascending ? next : count - 1 - next];
        bool own = !hidden;

        if (hidden && at < page->count) {
            int order = compare(&page->spans[at], hidden);

            own = query->ascending ? order < 0 : order > 0;
        }
        if (!own && !list_has(&query->range, hidden->start_ns, hidden->span_id))
            page->total--;
        else
            all[n++] = own ? page->spans[at] : *hidden;
        at += own;
        next += !own;
    }
    page->total += count;
    page->spans = all;
    page->count = n < query->limit ? n : query->limit;
    return OK;
}

/* All in `work` but what is found. */
static enum status find(struct query_request *request,
                        const struct span_query *query,
                        const struct bitmap *hidden, struct arena *work,
                        struct hidden_spans *found)
{
    struct span *visible, *spans;
    uint32_t visible_count, count = 0;
    struct span_ids known;
    enum status s = read_all(request, query, query->visible, work, &visible,
                             &visible_count);

    if (s == OK && visible_count > 0)
        s = read_all(request, query, hidden, work, &spans, &count);
    if (s != OK || count == 0)
        return s;
    if (!know(&known, visible, visible_count, work))
        return query_fail_read(request, arena_status(work));
    count = keep(&known, spans, count);
    found->spans = arena_alloc(request->arena, count * sizeof(*spans));
    if (!found->spans)
        return arena_status(request->arena);
    memcpy(found->spans, spans, count * sizeof(*spans));
    found->count = count;
    return OK;
}

enum status hidden_spans_find(struct query_request *request,
                              const struct span_query *query,
                              struct slice namespace,
                              struct hidden_spans *found)
{
    const struct bitmap *hidden =
        viewer_sees_all(&request->viewer)
            ? NULL
            : hidden_resources(request, namespace, query->visible);
    struct arena work;
    enum status s;

    *found = (struct hidden_spans){NULL, 0};
    if (!hidden)
        return arena_status(request->arena);
    arena_begin(&work, request->arena);
    s = find(request, query, hidden, &work, found);
    arena_release(&work);
    return s;
}

enum status hidden_spans_add(struct query_request *request,
                             const struct span_query *query,
                             struct slice namespace, struct span_page *page)
{
    struct hidden_spans found;
    enum status s = hidden_spans_find(request, query, namespace, &found);

    return s == OK && found.count > 0
               ? merge(request, query, found.spans, found.count, page)
               : s;
}
