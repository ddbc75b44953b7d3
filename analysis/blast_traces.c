/*
 * Spans of a sample of traces are read whole in up to eight slices of the
 * window. From each span of the target its ancestors are marked; what waits for
 * it is marked otherwise than what is before a queue.
 */
#include "blast_traces.h"

#include <math.h>

#include "array.h"
#include "clock.h"

enum {
    SPANS_WANTED = 20000,
    SPANS_MOST = 8 * SPANS_WANTED, /* a guess may be wrong */
    SLICES = 8,
    MARGIN_S = 10, /* that a request may take after the end of a slice */
    LEAST_S = 5,   /* of a slice */
    LEAST_REQUESTS = 100
};

enum { PASSES = 1, PASSES_QUEUE = 2 };

struct passing_span {
    uint64_t key, parent_key; /* of trace and span; 0: no parent */
    uint32_t node;
    struct slice endpoint;
    uint8_t kind, marks;
    bool counted; /* it starts in a slice, not in the margin */
};

struct resource_node {
    uint32_t resource, node;
};

struct passing_reader {
    struct blast_sample *sample;
    struct sample_range ranges[SLICES];
    uint64_t ends_ns[SLICES]; /* of the slices, without the margin */
    uint32_t range_count;
    struct passing_span *spans;
    uint32_t count, room;
    struct map index;
    struct resource_node *resources;
    uint32_t resource_count, resource_room;
    struct map resource_index;
};

/* ---- which spans ---- */

static double expected_spans(const struct topology *t)
{
    double sum = 0;

    for (uint32_t i = 0; i < t->requests.count; i++)
        sum += metric_first(&t->requests, t->requests.groups[i],
                            t->served.requests);
    for (uint32_t i = 0; i < t->out_calls.count; i++)
        sum += metric_first(&t->out_calls, t->out_calls.groups[i],
                            t->out.requests);
    return sum;
}

static void choose_ranges(struct passing_reader *r)
{
    const struct dependency_graph *g = r->sample->graph;
    double all = expected_spans(&g->topology);
    double part = all > SPANS_WANTED ? SPANS_WANTED / all : 1;
    uint32_t count = part < 1 ? SLICES : 1;
    uint64_t distance = (g->end_ns - g->start_ns) / count;
    double length = fmax((double)distance * part,
                         fmin((double)distance, LEAST_S * (double)NS_PER_S));
    double keep = (double)distance * part / length;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t start =
            g->start_ns + i * distance + (distance - (uint64_t)length) / 2;
        uint64_t end = start + (uint64_t)length,
                 next = g->start_ns + (i + 1) * distance;
        uint64_t margin = end + MARGIN_S * NS_PER_S;

        r->ends_ns[i] = end;
        r->ranges[i] = (struct sample_range){
            start, i + 1 < count && margin > next ? next : margin,
            keep < 1 ? (uint32_t)(keep * SAMPLE_ALL) + 1 : SAMPLE_ALL};
    }
    r->range_count = count;
}

static bool is_counted(const struct passing_reader *r, uint64_t start_ns)
{
    for (uint32_t i = 0; i < r->range_count; i++)
        if (start_ns >= r->ranges[i].start_ns && start_ns < r->ends_ns[i])
            return true;
    return false;
}

/* The node of a component; GRAPH_NONE: it is not in the graph. */
static uint32_t find_node(const struct passing_reader *r, uint32_t resource)
{
    const struct dependency_graph *g = r->sample->graph;
    const struct identity *id = reply_resource_identity(g->request, resource);

    for (uint32_t i = 0; id && i < g->node_count; i++)
        if (g->nodes[i].node->kind == NODE_COMPONENT &&
            identity_compare(&g->nodes[i].node->identity, id) == 0)
            return i;
    return GRAPH_NONE;
}

static uint32_t node_of(struct passing_reader *r, uint32_t resource)
{
    uint32_t hash = map_hash_number(resource);
    struct resource_node *added;

    map_each(&r->resource_index, hash, at)
        if (r->resources[at].resource == resource)
            return r->resources[at].node;
    added = arena_append(r->sample->graph->request->arena, &r->resources,
                         r->resource_count, &r->resource_room);
    if (!added || !map_add(&r->resource_index, hash, r->resource_count))
        return GRAPH_NONE;
    *added = (struct resource_node){resource, find_node(r, resource)};
    return r->resources[r->resource_count++].node;
}

static uint64_t span_key(const uint8_t trace_id[16], const uint8_t span_id[8])
{
    return hash_mix(hash_bytes(trace_id, 16, 1), hash_read8(span_id)) | 1;
}

static uint32_t span_at(const struct passing_reader *r, uint64_t key)
{
    map_each(&r->index, map_hash(key), at)
        if (r->spans[at].key == key)
            return at;
    return GRAPH_NONE;
}

static void take_span(void *arg, const struct span *span)
{
    struct passing_reader *r = arg;
    struct arena *arena = r->sample->graph->request->arena;
    uint64_t key = span_key(span->trace_id, span->span_id);
    struct passing_span *to;

    if (r->count == SPANS_MOST || span_at(r, key) != GRAPH_NONE)
        return;
    to = arena_append(arena, &r->spans, r->count, &r->room);
    if (!to || !map_add(&r->index, map_hash(key), r->count))
        return;
    *to = (struct passing_span){.key = key,
                                .node = node_of(r, span->resource_id),
                                .kind = span->kind,
                                .endpoint = arena_copy(arena, span->endpoint),
                                .counted = is_counted(r, span->start_ns)};
    if (hash_read8(span->parent_span_id) != 0)
        to->parent_key = span_key(span->trace_id, span->parent_span_id);
    r->count++;
}

/* ---- marks ---- */

static bool serves(const struct passing_span *span)
{
    return span->node != GRAPH_NONE &&
           (span->kind == SPAN_SERVER || span->kind == SPAN_CONSUMER);
}

static bool is_target(const struct passing_reader *r,
                      const struct passing_span *span)
{
    const struct blast_sample *s = r->sample;

    return serves(span) &&
           graph_is_root(s->graph, &s->graph->nodes[span->node]) &&
           (s->endpoint.len == 0 || slice_equal(s->endpoint, span->endpoint));
}

/* The ancestors of a span of the target, and itself. Ends at one that has the
 * mark already, so that circles end, too. */
static void mark(struct passing_reader *r, uint32_t at)
{
    uint8_t marks = PASSES | PASSES_QUEUE;

    while (at != GRAPH_NONE && (r->spans[at].marks & marks) != marks) {
        struct passing_span *span = &r->spans[at];

        span->marks |= marks;
        if (span->kind == SPAN_CONSUMER)
            marks = PASSES_QUEUE; /* who sent it does not wait */
        at = span->parent_key ? span_at(r, span->parent_key) : GRAPH_NONE;
    }
}

/* ---- counts ---- */

static void count(struct sampled_requests *to, const struct passing_span *span)
{
    to->all++;
    to->direct += (span->marks & PASSES) != 0;
    to->queued += (span->marks & PASSES_QUEUE) != 0;
}

static struct sampled_entry *entry_at(struct blast_sample *s, uint32_t node,
                                      struct slice endpoint)
{
    struct sampled_entry *entry;

    for (uint32_t i = 0; i < s->entry_count; i++)
        if (s->entries[i].node == node &&
            slice_equal(s->entries[i].endpoint, endpoint))
            return &s->entries[i];
    entry = arena_append(s->graph->request->arena, &s->entries, s->entry_count,
                         &s->entry_room);
    if (!entry)
        return NULL;
    *entry = (struct sampled_entry){.node = node, .endpoint = endpoint};
    s->entry_count++;
    return entry;
}

static void count_span(struct passing_reader *r,
                       const struct passing_span *span)
{
    struct sampled_entry *entry;

    if (!span->counted || !serves(span))
        return;
    count(&r->sample->nodes[span->node], span);
    if (span->kind != SPAN_SERVER ||
        (span->parent_key && span_at(r, span->parent_key) != GRAPH_NONE))
        return;
    count(&r->sample->all, span);
    entry = entry_at(r->sample, span->node, span->endpoint);
    if (entry)
        count(&entry->requests, span);
}

enum status blast_sample_read(struct blast_sample *s)
{
    const struct dependency_graph *g = s->graph;
    struct query_request *request = g->request;
    struct passing_reader r = {.sample = s,
                               .index = {.arena = request->arena},
                               .resource_index = {.arena = request->arena}};
    struct sample_query query = {.ranges = r.ranges,
                                 .resources = g->topology.resources};
    enum status status;

    s->nodes = arena_zero(request->arena, g->node_count + 1, sizeof(*s->nodes));
    if (!s->nodes)
        return arena_status(request->arena);
    choose_ranges(&r);
    query.range_count = r.range_count;
    status = reader_sample_spans(request->reader, &query, take_span, &r);
    if (status != OK)
        return query_fail_read(request, status);
    for (uint32_t i = 0; i < r.count; i++)
        if (is_target(&r, &r.spans[i]))
            mark(&r, i);
    for (uint32_t i = 0; i < r.count; i++)
        count_span(&r, &r.spans[i]);
    return arena_status(request->arena);
}

bool blast_is_sampled(const struct sampled_requests *requests, double estimate)
{
    /* The second: too rare for the sample. */
    return requests->all >= LEAST_REQUESTS &&
           (requests->queued > 0 || !(estimate > 0));
}

double blast_sampled_share(const struct sampled_requests *requests, bool queued,
                           double estimate)
{
    return blast_is_sampled(requests, estimate)
               ? (queued ? requests->queued : requests->direct) / requests->all
               : estimate;
}

const struct sampled_requests *blast_sampled_entry(const struct blast_sample *s,
                                                   uint32_t node,
                                                   struct slice endpoint)
{
    static const struct sampled_requests none;

    for (uint32_t i = 0; i < s->entry_count; i++)
        if (s->entries[i].node == node &&
            slice_equal(s->entries[i].endpoint, endpoint))
            return &s->entries[i].requests;
    return &none;
}
