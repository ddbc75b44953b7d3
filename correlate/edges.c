/*
 * A span moves between the tables, one for each thing that may still arrive:
 *
 *              counted at once if its endpoint is known ─────────────► count
 *   caller ──► WAITING ── paired ────► HELD ── ancestors arrive ─────► count
 *   callee ──►    │                     └───── wait is over ─────────► count
 *                 │ wait is over: CLIENT alone ──────────────────────► count
 *                 └──► LATE ── other span arrives: retracted, then paired
 *
 * The key of a waiting or late span is the caller's span. A callee whose
 * ancestor is missing waits under the missing span. A CLIENT is paired with one
 * callee and both leave the table. A PRODUCER stays until its wait is over,
 * because any number of consumers may receive one message.
 *
 * A parent ends, and is exported, after its children: what is counted for a
 * caller is held until the spans above it have arrived. A waiting CLIENT also
 * waits for its parent, since it may be part of another CLIENT's call.
 */
#include "edges.h"

#include <stdlib.h>

#include "mem.h"
#include "stats.h"

enum {
    MAX_LINKS = 8,
    MAX_PER_BUCKET = 16,        /* waiting spans with one hash */
    MAX_CALLS_PER_BUCKET = 256, /* held calls of one request */
    SMALL_TABLES = 4, /* divisor: size of the tables other than WAITING */
    LATE_WAITS = 10   /* how long late spans are kept, in waits */
};

struct edges *edges_new(const struct call_context *context, uint32_t max_spans,
                        uint64_t wait_ns)
{
    struct edges *edges = mem_zero(1, sizeof(*edges));
    struct unpaired_spans *unpaired = edges->unpaired;
    uint32_t few = max_spans / SMALL_TABLES + 1;

    edges->context = *context;
    edges->wait_ns = wait_ns;
    unpaired_init(&unpaired[WAITING], max_spans, MAX_PER_BUCKET, false);
    unpaired_init(&unpaired[HELD], few, MAX_CALLS_PER_BUCKET, true);
    unpaired_init(&unpaired[LATE], few, MAX_PER_BUCKET, true);
    unpaired_init(&unpaired[AWAITING_PARENT], few, MAX_CALLS_PER_BUCKET, false);
    unpaired_init(&unpaired[LINKED], few, MAX_PER_BUCKET, false);
    edges->recent = recent_spans_new();
    return edges;
}

void edges_free(struct edges *edges)
{
    if (!edges)
        return;
    for (int i = 0; i < UNPAIRED_TABLES; i++)
        unpaired_release(&edges->unpaired[i]);
    recent_spans_free(edges->recent);
    free(edges);
}

uint32_t edges_count(const struct edges *edges)
{
    return edges->unpaired[WAITING].open + edges->unpaired[HELD].open;
}

static bool is_caller(uint8_t kind)
{
    return kind == SPAN_CLIENT || kind == SPAN_PRODUCER;
}

void edges_prefetch(const struct edges *edges, const struct span *span,
                    bool soon)
{
    const struct unpaired_spans *waiting = &edges->unpaired[WAITING];
    uint64_t own = span_hash(span->trace_id, span->span_id);
    uint64_t parent = span_hash(span->trace_id, span->parent_span_id);

    if (!soon) {
        recent_spans_prefetch(edges->recent, own);
        recent_spans_prefetch(edges->recent, parent);
        unpaired_prefetch(&edges->unpaired[LATE], own, false);
    }
    unpaired_prefetch(waiting, own, soon);
    if (span->kind == SPAN_SERVER || span->kind == SPAN_CONSUMER)
        unpaired_prefetch(waiting, parent, soon);
}

void edges_forget(struct edges *edges)
{
    unpaired_clear(&edges->unpaired[LATE]);
    recent_spans_clear(edges->recent);
}

/* ---- settling ---- */

/* Counts a call, unless an enclosing call counts the same target. */
static void count_call(struct edges *edges, const struct unpaired_span *caller,
                       const struct call_target *target)
{
    if ((target->kind == PEER_DATABASE && caller->flags & UNPAIRED_IN_QUERY) ||
        (target->kind == PEER_QUEUE && caller->flags & UNPAIRED_IN_MESSAGE))
        return;
    call_target_count(&edges->context, &caller->call, target, false);
}

/* Counts a call with a known target, or holds it until the spans above the
 * caller have arrived. */
static void complete_call(struct edges *edges, struct unpaired_span *caller,
                          const struct call_target *target)
{
    struct call_target retained;
    struct unpaired_span held;

    if (target->kind == PEER_NONE)
        return;
    edges_walk_up(edges, caller);
    if (id_is_zero(caller->ancestor, 8)) {
        count_call(edges, caller, target);
        return;
    }
    held = *caller;
    retained = *target;
    held.key = span_key(caller->key.trace_id, caller->ancestor);
    call_target_retain(&edges->context, &caller->call, &retained);
    edges_put(edges, HELD, &held, &retained);
}

/* Settles a span whose wait in the table is over. */
static void settle(struct edges *edges, enum unpaired_table table,
                   const struct unpaired_span *span,
                   const struct call_target *target)
{
    struct call_target alone = {.kind = PEER_NONE};
    struct unpaired_span late;

    if (table == HELD)
        count_call(edges, span, target);
    if (table != WAITING || span->flags & UNPAIRED_LINKED)
        return;
    late = *span;
    if (span->kind == SPAN_CLIENT) {
        edges_walk_up(edges, &late);
        if (!(late.flags & ~UNPAIRED_HOST_INHERITED))
            alone = call_target_of_host(&edges->context, &late.call);
        call_target_count(&edges->context, &late.call, &alone, false);
    }
    edges_put(edges, LATE, &late, &alone);
}

static void settle_oldest(struct edges *edges, enum unpaired_table table)
{
    struct unpaired_spans *spans = &edges->unpaired[table];
    struct unpaired_span oldest = spans->at[spans->oldest];
    struct call_target target = {.kind = PEER_NONE};

    if (spans->targets)
        target = spans->targets[spans->oldest];
    unpaired_take(spans, spans->oldest);
    settle(edges, table, &oldest, &target);
}

/* True if the wait is over, or if the arrival lies in the future: the clock was
 * set back, and without this the table would wait until that time comes again.
 */
static bool is_over(uint64_t arrived_ns, uint64_t wait_ns, uint64_t before_ns)
{
    return before_ns == UINT64_MAX || arrived_ns + wait_ns <= before_ns ||
           arrived_ns > before_ns + wait_ns;
}

bool edges_expire(struct edges *edges, uint64_t before_ns)
{
    for (enum unpaired_table table = WAITING; table < UNPAIRED_TABLES;
         table++) {
        const struct unpaired_spans *spans = &edges->unpaired[table];
        uint64_t waits = table == LATE ? LATE_WAITS : 1;

        if (spans->oldest != UNPAIRED_NONE &&
            is_over(spans->at[spans->oldest].arrived_ns, waits * edges->wait_ns,
                    before_ns)) {
            settle_oldest(edges, table);
            return true;
        }
    }
    return false;
}

void edges_put(struct edges *edges, enum unpaired_table table,
               const struct unpaired_span *span,
               const struct call_target *target)
{
    struct unpaired_spans *spans = &edges->unpaired[table];
    bool crowded = unpaired_crowded(spans, &span->key);

    if (table == WAITING && (crowded || unpaired_full(spans)))
        stats_add(STATS_UNPAIRED_SPANS_EVICTED, 1);
    if (crowded) {
        settle(edges, table, span, target);
        return;
    }
    if (unpaired_full(spans))
        settle_oldest(edges, table);
    unpaired_put(spans, span, target, false);
}

/* ---- pairing ---- */

uint32_t edges_find_side(const struct unpaired_spans *spans, uint32_t at,
                         bool caller)
{
    while (at != UNPAIRED_NONE && (is_caller(spans->at[at].kind) != caller ||
                                   spans->at[at].flags & UNPAIRED_LINKED))
        at = unpaired_next(spans, at);
    return at;
}

bool edges_add_caller(struct unpaired_span *callee, uint32_t identity)
{
    for (int i = 0; i < UNPAIRED_MAX_CALLERS; i++) {
        if (callee->callers[i] == identity + 1)
            return false;
        if (callee->callers[i] == 0) {
            callee->callers[i] = identity + 1;
            return true;
        }
    }
    return false;
}

static void pair(struct edges *edges, struct unpaired_span *caller,
                 struct unpaired_span *callee)
{
    struct call_target target = call_target_met(&caller->call, &callee->call);

    if (edges_add_caller(callee, caller->call.component->identity))
        complete_call(edges, caller, &target);
}

bool edges_pair_caller(struct edges *edges, const struct span_key *key,
                       struct unpaired_span *callee)
{
    struct unpaired_spans *spans = &edges->unpaired[WAITING];
    uint32_t at = edges_find_side(spans, unpaired_find(spans, key), true);
    struct unpaired_span *caller;

    if (at == UNPAIRED_NONE && edges->unpaired[LATE].open > 0) {
        spans = &edges->unpaired[LATE];
        at = edges_find_side(spans, unpaired_find(spans, key), true);
    }
    if (at == UNPAIRED_NONE)
        return false;
    caller = &spans->at[at];
    if (spans->targets) /* late: counted with another target */
        call_target_count(&edges->context, &caller->call, &spans->targets[at],
                          true);
    if (caller->kind == SPAN_CLIENT)
        unpaired_take(spans, at);
    pair(edges, caller, callee);
    return true;
}

static bool has_key(const struct span_key *keys, uint32_t count,
                    const struct span_key *key)
{
    for (uint32_t i = 0; i < count; i++)
        if (span_key_equal(&keys[i], key))
            return true;
    return false;
}

/* Pairs a CONSUMER with the producers of its links. If spans are missing (its
 * parent, too, if parent_missing), it waits: for one under the key of that
 * span, for several under its own key, with an entry for each link. */
static void pair_links(struct edges *edges, const struct span *span,
                       struct unpaired_span *consumer, bool parent_missing)
{
    struct span_key keys[MAX_LINKS + 1];
    uint32_t missing = 0;

    if (parent_missing)
        keys[missing++] = consumer->key;
    for (uint32_t i = 0; i < span->link_count && i < MAX_LINKS; i++) {
        const struct span_link *link = &span->links[i];

        keys[missing] = span_key(link->trace_id, link->span_id);
        if (!has_key(keys, missing, &keys[missing]) &&
            !edges_pair_caller(edges, &keys[missing], consumer))
            missing++;
    }
    consumer->key =
        missing == 1 ? keys[0] : span_key(span->trace_id, span->span_id);
    consumer->flags = missing == 1 ? 0 : UNPAIRED_LINKED;
    if (missing > 0)
        edges_put(edges, WAITING, consumer, NULL);
    for (uint32_t i = 0; missing > 1 && i < missing; i++) {
        struct unpaired_span link = {.key = keys[i],
                                     .arrived_ns = consumer->arrived_ns,
                                     .kind = consumer->kind,
                                     .consumer = consumer->key};

        edges_put(edges, LINKED, &link, NULL);
    }
}

/* Adds a callee, whose key is that of its parent. False if its component
 * already serves the request. */
static bool add_callee(struct edges *edges, const struct span *span,
                       struct unpaired_span *callee)
{
    enum caller_search search = edges_find_caller(edges, callee, &callee->key);

    if (span->kind == SPAN_CONSUMER && span->link_count > 0)
        pair_links(edges, span, callee, search == CALLER_UNKNOWN);
    else if (search == CALLER_UNKNOWN)
        edges_put(edges, WAITING, callee, NULL);
    return search != CALLER_NESTED;
}

void edges_await_parent(struct edges *edges, const struct unpaired_span *caller)
{
    struct unpaired_span entry = {
        .key = span_key(caller->key.trace_id, caller->ancestor),
        .arrived_ns = caller->arrived_ns,
        .kind = caller->kind};

    memcpy(entry.ancestor, caller->key.span_id, 8);
    edges_put(edges, AWAITING_PARENT, &entry, NULL);
}

/* Pairs a PRODUCER with the CONSUMERs that wait for it because of a link. */
static void pair_linked(struct edges *edges, struct unpaired_span *producer)
{
    struct unpaired_spans *linked = &edges->unpaired[LINKED];
    struct unpaired_spans *waiting = &edges->unpaired[WAITING];
    uint32_t at;

    while ((at = unpaired_find(linked, &producer->key)) != UNPAIRED_NONE) {
        struct span_key consumer = linked->at[at].consumer;

        unpaired_take(linked, at);
        at = unpaired_find(waiting, &consumer);
        while (at != UNPAIRED_NONE &&
               !(waiting->at[at].flags & UNPAIRED_LINKED))
            at = unpaired_next(waiting, at);
        if (at != UNPAIRED_NONE)
            pair(edges, producer, &waiting->at[at]);
    }
}

/* Adds a caller. A CLIENT is paired with one callee, a PRODUCER with all. */
static void add_caller(struct edges *edges, struct unpaired_span *caller)
{
    static const enum unpaired_table tables[] = {WAITING, LATE};

    edges_walk_up(edges, caller);
    for (int i = 0; i < 2; i++) {
        struct unpaired_spans *spans = &edges->unpaired[tables[i]];
        uint32_t at;

        while ((at = edges_find_side(spans, unpaired_find(spans, &caller->key),
                                     false)) != UNPAIRED_NONE) {
            unpaired_take(spans, at);
            pair(edges, caller, &spans->at[at]);
            if (caller->kind == SPAN_CLIENT)
                return;
        }
    }
    pair_linked(edges, caller);
    edges_put(edges, WAITING, caller, NULL);
    if (!id_is_zero(caller->ancestor, 8))
        edges_await_parent(edges, caller);
}

/* ---- a span ---- */

/* A span that serves or calls; false as edges_add_span(). */
static bool add_tagged(struct edges *edges, const struct semconv *semconv,
                       struct unpaired_span *unpaired)
{
    const struct span *span = semconv->span;
    struct call_target target;
    bool waits;

    if (is_caller(span->kind)) {
        waits = call_target_read(&edges->context, &unpaired->call, semconv,
                                 &target);
        memcpy(unpaired->ancestor, span->parent_span_id, 8);
        complete_call(edges, unpaired, &target);
        if (target.kind == PEER_QUEUE) /* a CLIENT that sends is a producer */
            unpaired->kind = SPAN_PRODUCER;
        if (waits)
            add_caller(edges, unpaired);
        return true;
    }
    if (span->kind == SPAN_SERVER && id_is_zero(span->parent_span_id, 8)) {
        call_target_count_gateway(&edges->context, &unpaired->call, semconv);
        return true;
    }
    if (span->kind == SPAN_CONSUMER)
        call_target_count_queue(&edges->context, &unpaired->call, semconv);
    return add_callee(edges, span, unpaired);
}

static enum span_role role_of(const struct span *span, const struct tags *tags)
{
    if (!tags)
        return ROLE_INTERNAL;
    switch (span->kind) {
    case SPAN_SERVER:
        return tags->endpoint ? ROLE_SERVER : ROLE_INTERNAL;
    case SPAN_CONSUMER:
        return tags->endpoint ? ROLE_CONSUMER : ROLE_INTERNAL;
    case SPAN_PRODUCER:
        return ROLE_MESSAGE;
    default:
        return tags->protocol == PROTOCOL_DB          ? ROLE_QUERY
               : tags->protocol == PROTOCOL_MESSAGING ? ROLE_MESSAGE
                                                      : ROLE_CALL;
    }
}

bool edges_add_span(struct edges *edges, struct component *component,
                    const struct semconv *semconv, const struct tags *tags,
                    uint64_t now_ns)
{
    const struct span *span = semconv->span;
    struct span_key own = span_key(span->trace_id, span->span_id);
    struct span_key parent = span_key(span->trace_id, span->parent_span_id);
    bool calls = tags && is_caller(span->kind), request = true;

    recent_spans_add(edges->recent, span, own.hash, parent.hash,
                     role_of(span, tags), tags ? tags->endpoint : NULL);
    if (edges->context.derived->muted)
        return true;
    if (tags) {
        struct unpaired_span unpaired = {
            .key = calls ? own : parent,
            .arrived_ns = now_ns,
            .kind = span->kind,
            .operation = tags->operation,
            .call = {.component = component,
                     .endpoint = tags->endpoint,
                     .protocol = (uint8_t)tags->protocol,
                     .start_ns = span->start_ns,
                     .duration_ns = span->end_ns - span->start_ns,
                     .weight = tags->weight,
                     .failed = tags->outcome == OUTCOME_FAILED,
                     .client_error = tags->outcome == OUTCOME_CLIENT_ERROR}};

        request = add_tagged(edges, semconv, &unpaired);
    }
    edges_notify(edges, &own, calls);
    return request;
}
