/*
 * Three tables of ends, one for each thing that may still come:
 *
 *              counted at once if its endpoint is known ─────────────► count
 *   caller ──► WAITING ── meets ─────► HELD ── span above comes ─────► count
 *   callee ──►    │                     └───── its time is over ─────► count
 *                 │ its time is over: CLIENT alone ──────────────────► count
 *                 └──► LATE ── the other end comes: taken back, then met
 *
 * The key of an end that waits, or is late, is the caller's span. A CLIENT
 * meets one callee and both go; a PRODUCER stays until its time is over,
 * because any number of consumers may take one message.
 *
 * `serving` answers which endpoint a span is part of: a table of small buckets
 * in which the oldest span makes way. An entry of a span that does not serve
 * points up, to the span that would tell. What is counted for a caller below
 * it is held until that one comes, since a parent ends, and is exported, after
 * its children.
 */
#include "edges_int.h"

#include <stdlib.h>

#include "hash.h"
#include "mem.h"
#include "stats.h"

enum {
    SERVING_BUCKETS = 1 << 13,
    SERVING_EACH = 4, /* a cache line */
    MAX_STEPS = 8,    /* up to the span that serves */
    MAX_LINKS = 8,
    MAX_CHAIN = 16,       /* ends of one bucket that wait */
    MAX_HELD_CHAIN = 256, /* calls of one request */
    SMALL_TABLES = 4,     /* held and late ones: a part of those that wait */
    LATE_WAITS = 10       /* how long late ones are kept, in waits */
};

struct serving {
    uint64_t span; /* hash of trace and span id; the lowest bit: points up */
    union {
        struct capped_name *endpoint;
        uint8_t above[8]; /* zero: nobody serves */
    };
};

struct edges *edges_new(const struct edges_options *options)
{
    struct edges *edges = mem_zero(1, sizeof(*edges));
    uint32_t few = options->max_ends / SMALL_TABLES + 1;

    edges->options = *options;
    ends_init(&edges->ends[WAITING], options->max_ends, MAX_CHAIN, false);
    ends_init(&edges->ends[HELD], few, MAX_HELD_CHAIN, true);
    ends_init(&edges->ends[LATE], few, MAX_CHAIN, true);
    edges->serving =
        mem_zero(SERVING_BUCKETS * SERVING_EACH, sizeof(*edges->serving));
    return edges;
}

void edges_free(struct edges *edges)
{
    if (!edges)
        return;
    for (int i = 0; i < ENDS_TABLES; i++)
        ends_release(&edges->ends[i]);
    free(edges->serving);
    free(edges);
}

uint32_t edges_open(const struct edges *edges)
{
    return edges->ends[WAITING].open + edges->ends[HELD].open;
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

static const struct serving *serving_at(struct edges *edges, uint64_t span)
{
    const struct serving *bucket = serving_bucket(edges, span);

    for (int i = 0; i < SERVING_EACH; i++)
        if ((bucket[i].span | 1) == (span | 1))
            return &bucket[i];
    return NULL;
}

/* The endpoint that the span is part of. NULL: then the key is that of the span
 * that would tell; its span id is zero if there is none. */
static struct capped_name *serving_find(struct edges *edges,
                                        struct span_key *key)
{
    for (int i = 0; i < MAX_STEPS && !id_is_zero(key->span_id, 8); i++) {
        const struct serving *at = serving_at(edges, key->hash);

        if (!at)
            return NULL;
        if (!(at->span & 1))
            return at->endpoint;
        *key = span_key(key->trace_id, at->above);
    }
    memset(key->span_id, 0, 8);
    return NULL;
}

/* The endpoint of a caller, if that is known by now. */
static void find_endpoint(struct edges *edges, struct end *caller)
{
    struct span_key key;

    if (caller->call.endpoint || id_is_zero(caller->above, 8))
        return;
    key = span_key(caller->key.trace_id, caller->above);
    caller->call.endpoint = serving_find(edges, &key);
    memcpy(caller->above, key.span_id, 8);
}

/* What was held for this span is held for the one above it, or is ready: then
 * it is the oldest of all, so that edges_expire() counts it next, and nobody's
 * key. */
static void tell_held(struct edges *edges, const struct span_key *key,
                      struct capped_name *endpoint,
                      const struct span_key *above)
{
    static const uint8_t nobody[8];
    struct ends *held = &edges->ends[HELD];
    uint32_t at;

    while ((at = ends_find(held, key)) != ENDS_NONE) {
        bool ready = endpoint || id_is_zero(above->span_id, 8) ||
                     ends_crowded(held, above);
        struct target target = held->targets[at];
        struct end end = held->at[at];

        ends_take(held, at);
        end.call.endpoint = endpoint;
        end.key = *above;
        if (ready) {
            end.key = span_key(key->trace_id, nobody);
            end.arrived_ns = 0;
        }
        ends_put(held, &end, &target, ready);
    }
}

void edges_serving(struct edges *edges, const struct span *span,
                   struct capped_name *endpoint)
{
    struct span_key key = span_key(span->trace_id, span->span_id);
    struct span_key above = key;
    struct serving *bucket = serving_bucket(edges, key.hash);

    if (!endpoint) {
        above = span_key(span->trace_id, span->parent_span_id);
        endpoint = serving_find(edges, &above);
        if (memcmp(above.span_id, key.span_id, 8) == 0) /* in a circle */
            memset(above.span_id, 0, 8);
    }
    memmove(bucket + 1, bucket, (SERVING_EACH - 1) * sizeof(*bucket));
    bucket->span = endpoint ? key.hash & ~UINT64_C(1) : key.hash | 1;
    if (endpoint)
        bucket->endpoint = endpoint;
    else
        memcpy(bucket->above, above.span_id, 8);
    /* What is held was held after this span came, if that is counted. */
    if (edges->ends[HELD].open > 0 && !derive_muted(edges->options.derive))
        tell_held(edges, &key, endpoint, &above);
}

void edges_expect(const struct edges *edges, const struct span *span, bool soon)
{
    struct span_key own = span_key(span->trace_id, span->span_id);
    struct span_key parent = span_key(span->trace_id, span->parent_span_id);
    bool caller = is_caller(span->kind);

    if (!soon)
        __builtin_prefetch(
            serving_bucket(edges, caller ? parent.hash : own.hash));
    ends_expect(&edges->ends[WAITING], caller ? &own : &parent, soon);
}

void edges_forget(struct edges *edges)
{
    ends_clear(&edges->ends[LATE]);
    memset(edges->serving, 0,
           SERVING_BUCKETS * SERVING_EACH * sizeof(*edges->serving));
}

/* ---- settling ---- */

/* Counts a call that is complete, or lets it wait for its endpoint. */
static void complete(struct edges *edges, struct end *caller,
                     const struct target *target)
{
    struct target kept;
    struct end held;

    if (target->kind == PEER_NONE)
        return;
    find_endpoint(edges, caller);
    if (caller->call.endpoint || id_is_zero(caller->above, 8)) {
        peers_count(&edges->options, &caller->call, target, false);
        return;
    }
    held = *caller;
    kept = *target;
    held.key = span_key(caller->key.trace_id, caller->above);
    peers_keep(&edges->options, &caller->call, &kept);
    edges_put(edges, HELD, &held, &kept);
}

/* An end whose time in the table is over. */
static void over(struct edges *edges, enum ends_table table,
                 const struct end *end, const struct target *target)
{
    struct target alone = {.kind = PEER_NONE};
    struct end late;

    if (table == HELD)
        peers_count(&edges->options, &end->call, target, false);
    if (table != WAITING)
        return;
    late = *end;
    if (end->kind == SPAN_CLIENT) {
        find_endpoint(edges, &late);
        alone = peers_alone(&edges->options, &late.call);
        peers_count(&edges->options, &late.call, &alone, false);
    }
    edges_put(edges, LATE, &late, &alone);
}

static void expire(struct edges *edges, enum ends_table table)
{
    struct ends *ends = &edges->ends[table];
    struct end oldest = ends->at[ends->oldest];
    struct target target = {.kind = PEER_NONE};

    if (ends->targets)
        target = ends->targets[ends->oldest];
    ends_take(ends, ends->oldest);
    over(edges, table, &oldest, &target);
}

/* Its time is over, or it came from a time ahead of ours: the clock has been
 * put back, and nothing behind it would end until that time has come again. */
static bool is_over(uint64_t arrived_ns, uint64_t wait_ns, uint64_t before_ns)
{
    return before_ns == UINT64_MAX || arrived_ns + wait_ns <= before_ns ||
           arrived_ns > before_ns + wait_ns;
}

bool edges_expire(struct edges *edges, uint64_t before_ns)
{
    uint64_t wait_ns = edges->options.wait_ns;

    for (enum ends_table table = WAITING; table < ENDS_TABLES; table++) {
        const struct ends *ends = &edges->ends[table];
        uint64_t wait = table == LATE ? LATE_WAITS * wait_ns : wait_ns;

        if (ends->oldest != ENDS_NONE &&
            is_over(ends->at[ends->oldest].arrived_ns, wait, before_ns)) {
            expire(edges, table);
            return true;
        }
    }
    return false;
}

void edges_put(struct edges *edges, enum ends_table table,
               const struct end *end, const struct target *target)
{
    struct ends *ends = &edges->ends[table];
    bool crowded = ends_crowded(ends, &end->key);

    if (table == WAITING && (crowded || ends_full(ends)))
        stats_add(STATS_EDGES_EVICTED, 1);
    if (crowded) {
        over(edges, table, end, target);
        return;
    }
    if (ends_full(ends))
        expire(edges, table);
    ends_put(ends, end, target, false);
}

/* ---- meeting ---- */

/* The first end from `at` on that is a caller's, or a callee's. */
static uint32_t find_side(const struct ends *ends, uint32_t at, bool caller)
{
    while (at != ENDS_NONE && is_caller(ends->at[at].kind) != caller)
        at = ends_next(ends, at);
    return at;
}

static void meet(struct edges *edges, struct end *caller,
                 const struct call *callee)
{
    struct target target = peers_met(&caller->call, callee);

    complete(edges, caller, &target);
}

/* The callee meets a caller with this key, if there is one. */
static bool meet_caller(struct edges *edges, const struct span_key *key,
                        const struct call *callee, uint32_t *identity)
{
    struct ends *ends = &edges->ends[WAITING];
    uint32_t at = find_side(ends, ends_find(ends, key), true);
    struct end *caller;

    if (at == ENDS_NONE) {
        ends = &edges->ends[LATE];
        at = find_side(ends, ends_find(ends, key), true);
    }
    if (at == ENDS_NONE)
        return false;
    caller = &ends->at[at];
    /* Counted as something else when it seemed to be alone. */
    if (ends->targets)
        peers_count(&edges->options, &caller->call, &ends->targets[at], true);
    if (caller->kind == SPAN_CLIENT)
        ends_take(ends, at); /* it stays as it is until the next put */
    if (caller->call.component->identity != *identity) {
        *identity = caller->call.component->identity;
        meet(edges, caller, callee);
    }
    return true;
}

static void see_callee(struct edges *edges, const struct span *span,
                       struct end *model)
{
    bool has_parent = !id_is_zero(span->parent_span_id, 8);
    uint32_t links = span->kind == SPAN_CONSUMER ? span->link_count : 0;
    uint32_t last = IDENTITY_NONE; /* a batch of one producer is one call */
    struct span_key parent = span_key(span->trace_id, span->parent_span_id);
    bool met = false;

    if (has_parent)
        met = meet_caller(edges, &parent, &model->call, &last);
    for (uint32_t i = 0; !(met && has_parent) && i < links && i < MAX_LINKS;
         i++) {
        const struct span_link *link = &span->links[i];
        struct span_key key = span_key(link->trace_id, link->span_id);

        met |= meet_caller(edges, &key, &model->call, &last);
    }
    if (met || (!has_parent && links == 0))
        return;
    model->key = links > 0
                     ? span_key(span->links[0].trace_id, span->links[0].span_id)
                     : parent;
    edges_put(edges, WAITING, model, NULL);
}

/* A CLIENT meets one callee, a PRODUCER all. */
static void see_caller(struct edges *edges, struct end *model)
{
    for (enum ends_table table = WAITING; table <= LATE; table += LATE) {
        struct ends *ends = &edges->ends[table];
        uint32_t at;

        while ((at = find_side(ends, ends_find(ends, &model->key), false)) !=
               ENDS_NONE) {
            ends_take(ends, at);
            meet(edges, model, &ends->at[at].call);
            if (model->kind == SPAN_CLIENT)
                return;
        }
    }
    edges_put(edges, WAITING, model, NULL);
}

void edges_see(struct edges *edges, struct component *component,
               const struct span *span, const struct semconv *semconv,
               const struct tags *tags, uint64_t now_ns)
{
    struct end end = {
        .arrived_ns = now_ns,
        .key = span_key(span->trace_id, span->span_id),
        .kind = span->kind,
        .call = {.component = component,
                 .endpoint = tags->endpoint,
                 .protocol = (uint8_t)tags->protocol,
                 .start_ns = span->start_ns,
                 .duration_ns = span->end_ns - span->start_ns,
                 .weight = tags->weight,
                 .failed = tags->outcome == OUTCOME_FAILED,
                 .client_error = tags->outcome == OUTCOME_CLIENT_ERROR}};
    struct target target;

    if (is_caller(span->kind)) {
        bool waits =
            peers_at_once(&edges->options, &end.call, span, semconv, &target);

        memcpy(end.above, span->parent_span_id, 8);
        find_endpoint(edges, &end);
        complete(edges, &end, &target);
        if (waits)
            see_caller(edges, &end);
        return;
    }
    if (span->kind == SPAN_SERVER && id_is_zero(span->parent_span_id, 8)) {
        peers_gateway(&edges->options, &end.call, semconv);
        return;
    }
    if (span->kind == SPAN_CONSUMER)
        peers_from_queue(&edges->options, &end.call, semconv);
    see_callee(edges, span, &end);
}
