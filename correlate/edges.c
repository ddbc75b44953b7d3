/*
 *   heads[hash]  ─► end ─► end         ends of one bucket, by `chain`
 *   oldest ⇄ end ⇄ end ⇄ newest        the same ends in order of arrival
 *   free   ─► end ─► end               the rest, by `chain`
 *
 * The key of an end is the caller's span: trace id and span id. A CLIENT meets
 * one callee and both go; a PRODUCER stays until its time is over, because any
 * number of consumers may take one message.
 *
 * `serving` answers which endpoint a caller was serving: a table of small
 * buckets in which the oldest span makes way. It is asked when the CLIENT
 * comes and again when it is settled, since a parent ends, and is exported,
 * after its children.
 */
#include "edges_int.h"

#include <stdlib.h>

#include "hash.h"
#include "mem.h"
#include "stats.h"

enum {
    SERVING_BUCKETS = 1 << 13,
    SERVING_EACH = 4, /* a cache line */
    MAX_LINKS = 8,
    MAX_CHAIN = 16 /* ends of one bucket; a sender can give them all one key */
};

struct serving {
    uint64_t span; /* hash of trace and span id */
    struct capped_name *endpoint;
};

struct edges *edges_new(const struct edges_options *options)
{
    struct edges *edges = mem_zero(1, sizeof(*edges));
    size_t heads = 2;

    edges->options = *options;
    while (heads < options->max_ends)
        heads *= 2;
    edges->mask = (uint32_t)(heads - 1);
    edges->ends = mem_alloc(options->max_ends * sizeof(*edges->ends));
    edges->heads = mem_zero(heads, sizeof(*edges->heads));
    edges->serving =
        mem_zero(SERVING_BUCKETS * SERVING_EACH, sizeof(*edges->serving));
    edges->free = edges->oldest = edges->newest = EDGES_NONE;
    return edges;
}

void edges_free(struct edges *edges)
{
    if (!edges)
        return;
    free(edges->ends);
    free(edges->heads);
    free(edges->serving);
    free(edges);
}

uint32_t edges_open(const struct edges *edges)
{
    return edges->open;
}

static uint64_t span_hash(const uint8_t trace_id[16], const uint8_t span_id[8])
{
    uint64_t a, b, c;

    memcpy(&a, trace_id, 8);
    memcpy(&b, trace_id + 8, 8);
    memcpy(&c, span_id, 8);
    return hash_mix(hash_mix(a, b), c);
}

static bool is_caller(uint8_t kind)
{
    return kind == SPAN_CLIENT || kind == SPAN_PRODUCER;
}

/* ---- who is serving ---- */

/* Its bucket, newest first. */
static struct serving *serving_bucket(const struct edges *edges, uint64_t span)
{
    return &edges->serving[(span >> 40) % SERVING_BUCKETS * SERVING_EACH];
}

static struct capped_name *serving_find(struct edges *edges, uint64_t span)
{
    const struct serving *bucket = serving_bucket(edges, span);

    for (int i = 0; i < SERVING_EACH; i++)
        if (bucket[i].span == span)
            return bucket[i].endpoint;
    return NULL;
}

static uint64_t parent_hash(const struct span *span)
{
    return id_is_zero(span->parent_span_id, 8)
               ? 0
               : span_hash(span->trace_id, span->parent_span_id);
}

void edges_serving(struct edges *edges, const struct span *span,
                   struct capped_name *endpoint)
{
    uint64_t hash = span_hash(span->trace_id, span->span_id);

    if (!endpoint)
        endpoint = serving_find(edges, parent_hash(span));
    if (!endpoint)
        return;

    struct serving *bucket = serving_bucket(edges, hash);

    memmove(bucket + 1, bucket, (SERVING_EACH - 1) * sizeof(*bucket));
    *bucket = (struct serving){hash, endpoint};
}

void edges_expect(const struct edges *edges, const struct span *span, bool soon)
{
    uint64_t own = span_hash(span->trace_id, span->span_id);
    uint64_t parent = span_hash(span->trace_id, span->parent_span_id);
    bool caller = is_caller(span->kind);
    const uint32_t *head =
        &edges->heads[((caller ? own : parent) >> 32) & edges->mask];

    if (!soon) {
        __builtin_prefetch(serving_bucket(edges, caller ? parent : own));
        __builtin_prefetch(head);
    } else if (*head) {
        __builtin_prefetch(&edges->ends[*head - 1]);
        __builtin_prefetch((const char *)&edges->ends[*head - 1] + 64);
    }
}

void edges_forget(struct edges *edges)
{
    memset(edges->serving, 0,
           SERVING_BUCKETS * SERVING_EACH * sizeof(*edges->serving));
}

/* ---- the table of ends ---- */

static uint32_t *head_of(struct edges *edges, uint64_t hash)
{
    return &edges->heads[(hash >> 32) & edges->mask]; /* number + 1 */
}

/* The first end at or after `at` in its bucket that waits for this key from
 * the one side or the other. */
static uint32_t find(const struct edges *edges, uint32_t at,
                     const uint8_t trace_id[16], const uint8_t span_id[8],
                     bool caller)
{
    for (; at != EDGES_NONE; at = edges->ends[at].chain) {
        const struct end *end = &edges->ends[at];

        if (is_caller(end->kind) == caller &&
            memcmp(end->span_id, span_id, 8) == 0 &&
            memcmp(end->trace_id, trace_id, 16) == 0)
            return at;
    }
    return EDGES_NONE;
}

static void take_out(struct edges *edges, uint32_t at)
{
    struct end *end = &edges->ends[at];
    uint32_t *head = head_of(edges, span_hash(end->trace_id, end->span_id));

    if (*head == at + 1) {
        *head = end->chain + 1; /* EDGES_NONE + 1 is 0: empty */
    } else {
        uint32_t before = *head - 1;

        while (edges->ends[before].chain != at)
            before = edges->ends[before].chain;
        edges->ends[before].chain = end->chain;
    }
    if (end->older != EDGES_NONE)
        edges->ends[end->older].newer = end->newer;
    else
        edges->oldest = end->newer;
    if (end->newer != EDGES_NONE)
        edges->ends[end->newer].older = end->older;
    else
        edges->newest = end->older;
    end->chain = edges->free;
    edges->free = at;
    edges->open--;
}

/* Settles an end that stays alone. */
static void settle(struct edges *edges, uint32_t at)
{
    struct end end = edges->ends[at];

    take_out(edges, at);
    if (end.kind != SPAN_CLIENT)
        return;
    if (!end.call.endpoint)
        end.call.endpoint = serving_find(edges, end.parent);
    peers_alone(&edges->options, &end.call);
}

bool edges_expire(struct edges *edges, uint64_t before_ns)
{
    uint32_t at = edges->oldest;

    if (at == EDGES_NONE ||
        (before_ns != UINT64_MAX &&
         edges->ends[at].arrived_ns + edges->options.wait_ns > before_ns))
        return false;
    settle(edges, at);
    return true;
}

void edges_put(struct edges *edges, const uint8_t trace_id[16],
               const uint8_t span_id[8], const struct end *model)
{
    uint32_t *head = head_of(edges, span_hash(trace_id, span_id));
    uint32_t at = *head - 1;

    for (int i = 0; at != EDGES_NONE; at = edges->ends[at].chain)
        if (++i == MAX_CHAIN) {
            stats_add(STATS_EDGES_EVICTED, 1);
            if (model->kind == SPAN_CLIENT)
                peers_alone(&edges->options, &model->call);
            return;
        }
    if (edges->free == EDGES_NONE && edges->fresh == edges->options.max_ends) {
        stats_add(STATS_EDGES_EVICTED, 1);
        settle(edges, edges->oldest);
    }
    at = edges->free;
    if (at == EDGES_NONE)
        at = edges->fresh++;
    else
        edges->free = edges->ends[at].chain;

    struct end *end = &edges->ends[at];

    *end = *model;
    memcpy(end->trace_id, trace_id, 16);
    memcpy(end->span_id, span_id, 8);
    end->chain = *head - 1;
    *head = at + 1;
    end->older = edges->newest;
    end->newer = EDGES_NONE;
    if (edges->newest != EDGES_NONE)
        edges->ends[edges->newest].newer = at;
    else
        edges->oldest = at;
    edges->newest = at;
    edges->open++;
}

/* ---- meeting ---- */

static void meet(struct edges *edges, struct end *caller,
                 const struct call *callee)
{
    if (!caller->call.endpoint)
        caller->call.endpoint = serving_find(edges, caller->parent);
    peers_met(&edges->options, &caller->call, callee);
}

/* The callee meets a waiting caller with this key, if there is one. */
static bool meet_caller(struct edges *edges, const uint8_t trace_id[16],
                        const uint8_t span_id[8], const struct call *callee,
                        uint32_t *identity)
{
    uint32_t head = *head_of(edges, span_hash(trace_id, span_id));
    uint32_t at = find(edges, head - 1, trace_id, span_id, true);

    if (at == EDGES_NONE)
        return false;
    if (edges->ends[at].call.component->identity != *identity) {
        *identity = edges->ends[at].call.component->identity;
        meet(edges, &edges->ends[at], callee);
    }
    if (edges->ends[at].kind == SPAN_CLIENT)
        take_out(edges, at);
    return true;
}

static void see_callee(struct edges *edges, const struct span *span,
                       const struct end *model)
{
    bool has_parent = !id_is_zero(span->parent_span_id, 8);
    uint32_t links = span->kind == SPAN_CONSUMER ? span->link_count : 0;
    uint32_t last = IDENTITY_NONE; /* a batch of one producer is one call */
    bool met = false;

    if (has_parent)
        met = meet_caller(edges, span->trace_id, span->parent_span_id,
                          &model->call, &last);
    for (uint32_t i = 0; !(met && has_parent) && i < links && i < MAX_LINKS;
         i++)
        met |= meet_caller(edges, span->links[i].trace_id,
                           span->links[i].span_id, &model->call, &last);
    if (met)
        return;
    if (links > 0)
        edges_put(edges, span->links[0].trace_id, span->links[0].span_id,
                  model);
    else if (has_parent)
        edges_put(edges, span->trace_id, span->parent_span_id, model);
}

static void see_caller(struct edges *edges, const struct span *span,
                       struct end *model)
{
    uint32_t head = *head_of(edges, span_hash(span->trace_id, span->span_id));
    uint32_t at;

    while ((at = find(edges, head - 1, span->trace_id, span->span_id, false)) !=
           EDGES_NONE) {
        struct call callee = edges->ends[at].call;

        take_out(edges, at);
        meet(edges, model, &callee);
        if (span->kind == SPAN_CLIENT)
            return;
        head = *head_of(edges, span_hash(span->trace_id, span->span_id));
    }
    edges_put(edges, span->trace_id, span->span_id, model);
}

void edges_see(struct edges *edges, struct component *component,
               const struct span *span, const struct semconv *semconv,
               const struct tags *tags, uint64_t now_ns)
{
    struct end end = {.arrived_ns = now_ns,
                      .parent = parent_hash(span),
                      .kind = span->kind,
                      .call = {.component = component,
                               .endpoint = tags->endpoint,
                               .protocol = (uint8_t)tags->protocol,
                               .start_ns = span->start_ns,
                               .duration_ns = span->end_ns - span->start_ns,
                               .failed = semconv_failed(semconv, span)}};

    if (is_caller(span->kind)) {
        if (end.parent)
            end.call.endpoint = serving_find(edges, end.parent);
        if (!peers_at_once(&edges->options, &end.call, span, semconv))
            return;
        see_caller(edges, span, &end);
        return;
    }
    if (span->kind == SPAN_SERVER && end.parent == 0) {
        peers_gateway(&edges->options, &end.call, semconv);
        return;
    }
    if (span->kind == SPAN_CONSUMER)
        peers_queue(&edges->options, &end.call, SERIES_IN, semconv);
    see_callee(edges, span, &end);
}
