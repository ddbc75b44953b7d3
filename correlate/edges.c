/*
 * Tables of spans, one for each thing that may still come:
 *
 *              counted at once if its endpoint is known ─────────────► count
 *   caller ──► WAITING ── meets ─────► HELD ── spans above come ─────► count
 *   callee ──►    │                     └───── its time is over ─────► count
 *                 │ its time is over: CLIENT alone ──────────────────► count
 *                 └──► LATE ── the other end comes: taken back, then met
 *
 * The key of an end that waits, or is late, is the caller's span; of a callee
 * below a span that has not come, that one. A CLIENT meets one callee and both
 * go; a PRODUCER stays until its time is over, because any number of consumers
 * may take one message.
 *
 * What is above an end is in edges_ancestors.c. A parent spans, and is
 * exported, after its children: what is counted for a caller is held until the
 * spans above it have come, and a CLIENT that waits for a callee asks for them,
 * too, since it may be part of another one's call.
 */
#include "edges_int.h"

#include <stdlib.h>

#include "hash.h"
#include "mem.h"
#include "stats.h"

enum {
    MAX_LINKS = 8,
    MAX_CHAIN = 16,       /* spans of one bucket that wait */
    MAX_HELD_CHAIN = 256, /* calls of one request */
    SMALL_TABLES = 4,     /* the other tables: a part of those that wait */
    LATE_WAITS = 10       /* how long late ones are kept, in waits */
};

struct edges *edges_new(const struct edges_options *options)
{
    struct edges *edges = mem_zero(1, sizeof(*edges));
    uint32_t few = options->max_spans / SMALL_TABLES + 1;

    edges->options = *options;
    unpaired_init(&edges->spans[WAITING], options->max_spans, MAX_CHAIN, false);
    unpaired_init(&edges->spans[HELD], few, MAX_HELD_CHAIN, true);
    unpaired_init(&edges->spans[LATE], few, MAX_CHAIN, true);
    unpaired_init(&edges->spans[AWAITING_PARENT], few, MAX_HELD_CHAIN, false);
    unpaired_init(&edges->spans[LINKED], few, MAX_CHAIN, false);
    edges->recent = recent_spans_new();
    return edges;
}

void edges_free(struct edges *edges)
{
    if (!edges)
        return;
    for (int i = 0; i < UNPAIRED_TABLES; i++)
        unpaired_release(&edges->spans[i]);
    recent_spans_free(edges->recent);
    free(edges);
}

uint32_t edges_count(const struct edges *edges)
{
    return edges->spans[WAITING].open + edges->spans[HELD].open;
}

static bool is_caller(uint8_t kind)
{
    return kind == SPAN_CLIENT || kind == SPAN_PRODUCER;
}

void edges_prefetch(const struct edges *edges, const struct span *span,
                    bool soon)
{
    const struct unpaired_spans *waiting = &edges->spans[WAITING];
    uint64_t own = span_hash(span->trace_id, span->span_id);
    uint64_t parent = span_hash(span->trace_id, span->parent_span_id);

    if (!soon) {
        recent_spans_prefetch(edges->recent, own);
        recent_spans_prefetch(edges->recent, parent);
        unpaired_prefetch(&edges->spans[LATE], own, false);
    }
    unpaired_prefetch(waiting, own, soon);
    if (span->kind == SPAN_SERVER || span->kind == SPAN_CONSUMER)
        unpaired_prefetch(waiting, parent, soon);
}

void edges_forget(struct edges *edges)
{
    unpaired_clear(&edges->spans[LATE]);
    recent_spans_clear(edges->recent);
}

/* ---- settling ---- */

/* Unless an outer call says the same. */
static void count_call(struct edges *edges, const struct unpaired_span *caller,
                       const struct call_target *target)
{
    if ((target->kind == PEER_DATABASE && caller->flags & UNPAIRED_IN_QUERY) ||
        (target->kind == PEER_QUEUE && caller->flags & UNPAIRED_IN_MESSAGE))
        return;
    call_target_count(&edges->options, &caller->call, target, false);
}

/* Counts a call that is complete, or lets it wait for the spans above it. */
static void complete(struct edges *edges, struct unpaired_span *caller,
                     const struct call_target *target)
{
    struct call_target kept;
    struct unpaired_span held;

    if (target->kind == PEER_NONE)
        return;
    edges_walk_up(edges, caller);
    if (id_is_zero(caller->above, 8)) {
        count_call(edges, caller, target);
        return;
    }
    held = *caller;
    kept = *target;
    held.key = span_key(caller->key.trace_id, caller->above);
    call_target_retain(&edges->options, &caller->call, &kept);
    edges_put(edges, HELD, &held, &kept);
}

/* An end whose time in the table is over. */
static void over(struct edges *edges, enum unpaired_table table,
                 const struct unpaired_span *end,
                 const struct call_target *target)
{
    struct call_target alone = {.kind = PEER_NONE};
    struct unpaired_span late;

    if (table == HELD)
        count_call(edges, end, target);
    if (table != WAITING || end->flags & UNPAIRED_LINKED)
        return;
    late = *end;
    if (end->kind == SPAN_CLIENT) {
        edges_walk_up(edges, &late);
        if (!(late.flags & ~UNPAIRED_HOST_INHERITED))
            alone = call_target_of_host(&edges->options, &late.call);
        call_target_count(&edges->options, &late.call, &alone, false);
    }
    edges_put(edges, LATE, &late, &alone);
}

static void expire(struct edges *edges, enum unpaired_table table)
{
    struct unpaired_spans *spans = &edges->spans[table];
    struct unpaired_span oldest = spans->at[spans->oldest];
    struct call_target target = {.kind = PEER_NONE};

    if (spans->targets)
        target = spans->targets[spans->oldest];
    unpaired_take(spans, spans->oldest);
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

    for (enum unpaired_table table = WAITING; table < UNPAIRED_TABLES;
         table++) {
        const struct unpaired_spans *spans = &edges->spans[table];
        uint64_t wait = table == LATE ? LATE_WAITS * wait_ns : wait_ns;

        if (spans->oldest != UNPAIRED_NONE &&
            is_over(spans->at[spans->oldest].arrived_ns, wait, before_ns)) {
            expire(edges, table);
            return true;
        }
    }
    return false;
}

void edges_put(struct edges *edges, enum unpaired_table table,
               const struct unpaired_span *end,
               const struct call_target *target)
{
    struct unpaired_spans *spans = &edges->spans[table];
    bool crowded = unpaired_crowded(spans, &end->key);

    if (table == WAITING && (crowded || unpaired_full(spans)))
        stats_add(STATS_UNPAIRED_SPANS_EVICTED, 1);
    if (crowded) {
        over(edges, table, end, target);
        return;
    }
    if (unpaired_full(spans))
        expire(edges, table);
    unpaired_put(spans, end, target, false);
}

/* ---- meeting ---- */

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
        if (callee->met[i] == identity + 1)
            return false;
        if (callee->met[i] == 0) {
            callee->met[i] = identity + 1;
            return true;
        }
    }
    return false;
}

static void meet(struct edges *edges, struct unpaired_span *caller,
                 const struct call_span *callee)
{
    struct call_target target = call_target_met(&caller->call, callee);

    complete(edges, caller, &target);
}

bool edges_pair_caller(struct edges *edges, const struct span_key *key,
                       struct unpaired_span *callee)
{
    struct unpaired_spans *spans = &edges->spans[WAITING];
    uint32_t at = edges_find_side(spans, unpaired_find(spans, key), true);
    struct unpaired_span *caller;

    if (at == UNPAIRED_NONE && edges->spans[LATE].open > 0) {
        spans = &edges->spans[LATE];
        at = edges_find_side(spans, unpaired_find(spans, key), true);
    }
    if (at == UNPAIRED_NONE)
        return false;
    caller = &spans->at[at];
    /* Counted as something else when it seemed to be alone. */
    if (spans->targets)
        call_target_count(&edges->options, &caller->call, &spans->targets[at],
                          true);
    if (caller->kind == SPAN_CLIENT)
        unpaired_take(spans, at); /* it stays as it is until the next put */
    if (edges_add_caller(callee, caller->call.component->identity))
        meet(edges, caller, &callee->call);
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

/* Meets the producers that the links name. For those that have not come, and
 * the parent if it has not, the CONSUMER waits: for one in its place, for more
 * under its own key, with an end for each link. */
static void see_links(struct edges *edges, const struct span *span,
                      struct unpaired_span *model, bool parent)
{
    struct span_key keys[MAX_LINKS + 1];
    uint32_t missing = 0;

    if (parent)
        keys[missing++] = model->key;
    for (uint32_t i = 0; i < span->link_count && i < MAX_LINKS; i++) {
        const struct span_link *link = &span->links[i];

        keys[missing] = span_key(link->trace_id, link->span_id);
        if (!has_key(keys, missing, &keys[missing]) &&
            !edges_pair_caller(edges, &keys[missing], model))
            missing++;
    }
    model->key =
        missing == 1 ? keys[0] : span_key(span->trace_id, span->span_id);
    model->flags = missing == 1 ? 0 : UNPAIRED_LINKED;
    if (missing > 0)
        edges_put(edges, WAITING, model, NULL);
    for (uint32_t i = 0; missing > 1 && i < missing; i++) {
        struct unpaired_span link = {.key = keys[i],
                                     .arrived_ns = model->arrived_ns,
                                     .kind = model->kind,
                                     .reader = model->key};

        edges_put(edges, LINKED, &link, NULL);
    }
}

/* model: its key is that of the span's parent. False if the span is part of a
 * request that its component serves already. */
static bool see_callee(struct edges *edges, const struct span *span,
                       struct unpaired_span *model)
{
    enum caller_search meeting = edges_find_caller(edges, model, &model->key);

    if (span->kind == SPAN_CONSUMER && span->link_count > 0)
        see_links(edges, span, model, meeting == CALLER_UNKNOWN);
    else if (meeting == CALLER_UNKNOWN)
        edges_put(edges, WAITING, model, NULL);
    return meeting != CALLER_NESTED;
}

void edges_await_parent(struct edges *edges, const struct unpaired_span *caller)
{
    struct unpaired_span ask = {
        .key = span_key(caller->key.trace_id, caller->above),
        .arrived_ns = caller->arrived_ns,
        .kind = caller->kind};

    memcpy(ask.above, caller->key.span_id, 8);
    edges_put(edges, AWAITING_PARENT, &ask, NULL);
}

/* The CONSUMERs that wait for the producer because of a link. */
static void meet_linked(struct edges *edges, struct unpaired_span *producer)
{
    struct unpaired_spans *linked = &edges->spans[LINKED];
    struct unpaired_spans *waiting = &edges->spans[WAITING];
    uint32_t at;

    while (unpaired_may_have(linked, producer->key.hash) &&
           (at = unpaired_find(linked, &producer->key)) != UNPAIRED_NONE) {
        struct span_key reader = linked->at[at].reader;

        unpaired_take(linked, at);
        at = unpaired_find(waiting, &reader);
        while (at != UNPAIRED_NONE &&
               !(waiting->at[at].flags & UNPAIRED_LINKED))
            at = unpaired_next(waiting, at);
        if (at != UNPAIRED_NONE &&
            edges_add_caller(&waiting->at[at],
                             producer->call.component->identity))
            meet(edges, producer, &waiting->at[at].call);
    }
}

/* A CLIENT meets one callee, a PRODUCER all. */
static void see_caller(struct edges *edges, struct unpaired_span *model)
{
    uint32_t identity;

    edges_walk_up(edges, model);
    identity = model->call.component->identity;
    for (enum unpaired_table table = WAITING; table <= LATE; table += LATE) {
        struct unpaired_spans *spans = &edges->spans[table];
        uint32_t at;

        while (unpaired_may_have(spans, model->key.hash) &&
               (at = edges_find_side(spans, unpaired_find(spans, &model->key),
                                     false)) != UNPAIRED_NONE) {
            unpaired_take(spans, at);
            if (edges_add_caller(&spans->at[at], identity))
                meet(edges, model, &spans->at[at].call);
            if (model->kind == SPAN_CLIENT)
                return;
        }
    }
    meet_linked(edges, model);
    edges_put(edges, WAITING, model, NULL);
    if (!id_is_zero(model->above, 8))
        edges_await_parent(edges, model);
}

static bool see_end(struct edges *edges, const struct span *span,
                    const struct semconv *semconv, struct unpaired_span *end)
{
    struct call_target target;
    bool waits;

    if (is_caller(span->kind)) {
        waits = call_target_read(&edges->options, &end->call, span, semconv,
                                 &target);
        memcpy(end->above, span->parent_span_id, 8);
        complete(edges, end, &target);
        /* A CLIENT that sends is a producer by another name. */
        if (target.kind == PEER_QUEUE)
            end->kind = SPAN_PRODUCER;
        if (waits)
            see_caller(edges, end);
        return true;
    }
    if (span->kind == SPAN_SERVER && id_is_zero(span->parent_span_id, 8)) {
        call_target_count_gateway(&edges->options, &end->call, semconv);
        return true;
    }
    if (span->kind == SPAN_CONSUMER)
        call_target_count_queue(&edges->options, &end->call, semconv);
    return see_callee(edges, span, end);
}

static enum span_role role_of(const struct span *span, const struct tags *tags)
{
    if (!tags)
        return ROLE_STEP;
    switch (span->kind) {
    case SPAN_SERVER:
        return tags->endpoint ? ROLE_SERVER : ROLE_STEP;
    case SPAN_CONSUMER:
        return tags->endpoint ? ROLE_CONSUMER : ROLE_STEP;
    case SPAN_PRODUCER:
        return ROLE_MESSAGE;
    default:
        return tags->protocol == PROTOCOL_DB          ? ROLE_QUERY
               : tags->protocol == PROTOCOL_MESSAGING ? ROLE_MESSAGE
                                                      : ROLE_CALL;
    }
}

bool edges_add_span(struct edges *edges, struct component *component,
                    const struct span *span, const struct semconv *semconv,
                    const struct tags *tags, uint64_t now_ns)
{
    struct span_key own = span_key(span->trace_id, span->span_id);
    struct span_key parent = span_key(span->trace_id, span->parent_span_id);
    bool calls = tags && is_caller(span->kind), request = true;

    recent_spans_add(edges->recent, span, own.hash, parent.hash,
                     role_of(span, tags), tags ? tags->endpoint : NULL);
    if (derived_muted(edges->options.derived))
        return true;
    if (tags) {
        struct unpaired_span end = {
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

        request = see_end(edges, span, semconv, &end);
    }
    edges_notify(edges, &own, calls);
    return request;
}
