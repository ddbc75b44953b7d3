/*
 * Tables of ends, one for each thing that may still come:
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
 * What is above an end is in edges_ancestors.c. A parent ends, and is exported,
 * after its children: what is counted for a caller is held until the spans
 * above it have come, and a CLIENT that waits for a callee asks for them, too,
 * since it may be part of another one's call.
 */
#include "edges_int.h"

#include <stdlib.h>

#include "hash.h"
#include "mem.h"
#include "stats.h"

enum {
    MAX_LINKS = 8,
    MAX_CHAIN = 16,       /* ends of one bucket that wait */
    MAX_HELD_CHAIN = 256, /* calls of one request */
    SMALL_TABLES = 4,     /* the other tables: a part of those that wait */
    LATE_WAITS = 10       /* how long late ones are kept, in waits */
};

struct edges *edges_new(const struct edges_options *options)
{
    struct edges *edges = mem_zero(1, sizeof(*edges));
    uint32_t few = options->max_ends / SMALL_TABLES + 1;

    edges->options = *options;
    ends_init(&edges->ends[WAITING], options->max_ends, MAX_CHAIN, false);
    ends_init(&edges->ends[HELD], few, MAX_HELD_CHAIN, true);
    ends_init(&edges->ends[LATE], few, MAX_CHAIN, true);
    ends_init(&edges->ends[ASKING], few, MAX_HELD_CHAIN, false);
    ends_init(&edges->ends[LINKED], few, MAX_CHAIN, false);
    edges->tree = span_tree_new();
    return edges;
}

void edges_free(struct edges *edges)
{
    if (!edges)
        return;
    for (int i = 0; i < ENDS_TABLES; i++)
        ends_release(&edges->ends[i]);
    span_tree_free(edges->tree);
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

void edges_expect(const struct edges *edges, const struct span *span, bool soon)
{
    const struct ends *waiting = &edges->ends[WAITING];
    uint64_t own = span_hash(span->trace_id, span->span_id);
    uint64_t parent = span_hash(span->trace_id, span->parent_span_id);

    if (!soon) {
        span_tree_expect(edges->tree, own);
        span_tree_expect(edges->tree, parent);
        ends_expect(&edges->ends[LATE], own, false);
    }
    ends_expect(waiting, own, soon);
    if (span->kind == SPAN_SERVER || span->kind == SPAN_CONSUMER)
        ends_expect(waiting, parent, soon);
}

void edges_forget(struct edges *edges)
{
    ends_clear(&edges->ends[LATE]);
    span_tree_clear(edges->tree);
}

/* ---- settling ---- */

/* Unless an outer call says the same. */
static void count_call(struct edges *edges, const struct end *caller,
                       const struct target *target)
{
    if ((target->kind == PEER_DATABASE && caller->flags & END_OF_QUERY) ||
        (target->kind == PEER_QUEUE && caller->flags & END_OF_MESSAGE))
        return;
    peers_count(&edges->options, &caller->call, target, false);
}

/* Counts a call that is complete, or lets it wait for the spans above it. */
static void complete(struct edges *edges, struct end *caller,
                     const struct target *target)
{
    struct target kept;
    struct end held;

    if (target->kind == PEER_NONE)
        return;
    edges_climb(edges, caller);
    if (id_is_zero(caller->above, 8)) {
        count_call(edges, caller, target);
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
        count_call(edges, end, target);
    if (table != WAITING || end->flags & END_READER)
        return;
    late = *end;
    if (end->kind == SPAN_CLIENT) {
        edges_climb(edges, &late);
        if (!(late.flags & ~END_HOST_TAKEN))
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
        stats_add(STATS_UNPAIRED_SPANS_EVICTED, 1);
    if (crowded) {
        over(edges, table, end, target);
        return;
    }
    if (ends_full(ends))
        expire(edges, table);
    ends_put(ends, end, target, false);
}

/* ---- meeting ---- */

uint32_t edges_side(const struct ends *ends, uint32_t at, bool caller)
{
    while (at != ENDS_NONE && (is_caller(ends->at[at].kind) != caller ||
                               ends->at[at].flags & END_READER))
        at = ends_next(ends, at);
    return at;
}

bool edges_note_caller(struct end *callee, uint32_t identity)
{
    for (int i = 0; i < END_MAX_MET; i++) {
        if (callee->met[i] == identity + 1)
            return false;
        if (callee->met[i] == 0) {
            callee->met[i] = identity + 1;
            return true;
        }
    }
    return false;
}

static void meet(struct edges *edges, struct end *caller,
                 const struct call_span *callee)
{
    struct target target = peers_met(&caller->call, callee);

    complete(edges, caller, &target);
}

bool edges_meet_caller(struct edges *edges, const struct span_key *key,
                       struct end *callee)
{
    struct ends *ends = &edges->ends[WAITING];
    uint32_t at = edges_side(ends, ends_find(ends, key), true);
    struct end *caller;

    if (at == ENDS_NONE && edges->ends[LATE].open > 0) {
        ends = &edges->ends[LATE];
        at = edges_side(ends, ends_find(ends, key), true);
    }
    if (at == ENDS_NONE)
        return false;
    caller = &ends->at[at];
    /* Counted as something else when it seemed to be alone. */
    if (ends->targets)
        peers_count(&edges->options, &caller->call, &ends->targets[at], true);
    if (caller->kind == SPAN_CLIENT)
        ends_take(ends, at); /* it stays as it is until the next put */
    if (edges_note_caller(callee, caller->call.component->identity))
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
                      struct end *model, bool parent)
{
    struct span_key keys[MAX_LINKS + 1];
    uint32_t missing = 0;

    if (parent)
        keys[missing++] = model->key;
    for (uint32_t i = 0; i < span->link_count && i < MAX_LINKS; i++) {
        const struct span_link *link = &span->links[i];

        keys[missing] = span_key(link->trace_id, link->span_id);
        if (!has_key(keys, missing, &keys[missing]) &&
            !edges_meet_caller(edges, &keys[missing], model))
            missing++;
    }
    model->key =
        missing == 1 ? keys[0] : span_key(span->trace_id, span->span_id);
    model->flags = missing == 1 ? 0 : END_READER;
    if (missing > 0)
        edges_put(edges, WAITING, model, NULL);
    for (uint32_t i = 0; missing > 1 && i < missing; i++) {
        struct end link = {.key = keys[i],
                           .arrived_ns = model->arrived_ns,
                           .kind = model->kind,
                           .reader = model->key};

        edges_put(edges, LINKED, &link, NULL);
    }
}

/* model: its key is that of the span's parent. False if the span is part of a
 * request that its component serves already. */
static bool see_callee(struct edges *edges, const struct span *span,
                       struct end *model)
{
    enum meeting meeting = edges_look_up(edges, model, &model->key);

    if (span->kind == SPAN_CONSUMER && span->link_count > 0)
        see_links(edges, span, model, meeting == MEETING_LATER);
    else if (meeting == MEETING_LATER)
        edges_put(edges, WAITING, model, NULL);
    return meeting != MEETING_NESTED;
}

void edges_ask_above(struct edges *edges, const struct end *caller)
{
    struct end ask = {.key = span_key(caller->key.trace_id, caller->above),
                      .arrived_ns = caller->arrived_ns,
                      .kind = caller->kind};

    memcpy(ask.above, caller->key.span_id, 8);
    edges_put(edges, ASKING, &ask, NULL);
}

/* The CONSUMERs that wait for the producer because of a link. */
static void meet_linked(struct edges *edges, struct end *producer)
{
    struct ends *linked = &edges->ends[LINKED];
    struct ends *waiting = &edges->ends[WAITING];
    uint32_t at;

    while (ends_may_have(linked, producer->key.hash) &&
           (at = ends_find(linked, &producer->key)) != ENDS_NONE) {
        struct span_key reader = linked->at[at].reader;

        ends_take(linked, at);
        at = ends_find(waiting, &reader);
        while (at != ENDS_NONE && !(waiting->at[at].flags & END_READER))
            at = ends_next(waiting, at);
        if (at != ENDS_NONE &&
            edges_note_caller(&waiting->at[at],
                              producer->call.component->identity))
            meet(edges, producer, &waiting->at[at].call);
    }
}

/* A CLIENT meets one callee, a PRODUCER all. */
static void see_caller(struct edges *edges, struct end *model)
{
    uint32_t identity;

    edges_climb(edges, model);
    identity = model->call.component->identity;
    for (enum ends_table table = WAITING; table <= LATE; table += LATE) {
        struct ends *ends = &edges->ends[table];
        uint32_t at;

        while (ends_may_have(ends, model->key.hash) &&
               (at = edges_side(ends, ends_find(ends, &model->key), false)) !=
                   ENDS_NONE) {
            ends_take(ends, at);
            if (edges_note_caller(&ends->at[at], identity))
                meet(edges, model, &ends->at[at].call);
            if (model->kind == SPAN_CLIENT)
                return;
        }
    }
    meet_linked(edges, model);
    edges_put(edges, WAITING, model, NULL);
    if (!id_is_zero(model->above, 8))
        edges_ask_above(edges, model);
}

static bool see_end(struct edges *edges, const struct span *span,
                    const struct semconv *semconv, struct end *end)
{
    struct target target;
    bool waits;

    if (is_caller(span->kind)) {
        waits =
            peers_at_once(&edges->options, &end->call, span, semconv, &target);
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
        peers_gateway(&edges->options, &end->call, semconv);
        return true;
    }
    if (span->kind == SPAN_CONSUMER)
        peers_from_queue(&edges->options, &end->call, semconv);
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

bool edges_see(struct edges *edges, struct component *component,
               const struct span *span, const struct semconv *semconv,
               const struct tags *tags, uint64_t now_ns)
{
    struct span_key own = span_key(span->trace_id, span->span_id);
    struct span_key parent = span_key(span->trace_id, span->parent_span_id);
    bool calls = tags && is_caller(span->kind), request = true;

    span_tree_add(edges->tree, span, own.hash, parent.hash, role_of(span, tags),
                  tags ? tags->endpoint : NULL);
    if (derive_muted(edges->options.derive))
        return true;
    if (tags) {
        struct end end = {
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
    edges_tell(edges, &own, calls);
    return request;
}
