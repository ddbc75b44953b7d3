/*
 * What the spans above the two spans of a call say:
 *
 *   SERVER ◄── step ◄── CLIENT ◄── CLIENT ◄── step ◄── SERVER
 *   the caller's        encloses   calls              called
 *   endpoint
 *
 * Instrumentation stands above instrumentation (an SDK's CLIENT above that of
 * the HTTP client it uses, a sidecar's below both): the CLIENT nearest to the
 * SERVER is the call, once for each that reaches one, and those that enclose it
 * are none. They say for whom it is made: it counts for the component of the
 * outermost, since a proxy may go by a name of its own. What a CLIENT does that
 * calls a database or a queue is part of that call.
 *
 * Spans arrive in any order. A span whose parent is not known yet waits for it,
 * by its key, and continues when it arrives (edges_notify).
 */
#include <string.h>

#include "edges_int.h"
#include "stats.h"

enum { MAX_STEPS = 16 };

static const struct call_target no_target = {.kind = PEER_NONE};

/* ---- callers ---- */

/* A CLIENT that encloses others, if it is kept. One that was counted alone is
 * taken back. */
static struct unpaired_span *find_outer(struct edges *edges,
                                        const struct span_key *key)
{
    struct unpaired_spans *spans = &edges->spans[WAITING];
    uint32_t at = edges_find_side(spans, unpaired_find(spans, key), true);

    if (at != UNPAIRED_NONE)
        return &spans->at[at];
    spans = &edges->spans[LATE];
    at = edges_find_side(spans, unpaired_find(spans, key), true);
    if (at == UNPAIRED_NONE)
        return NULL;
    call_target_count(&edges->options, &spans->at[at].call, &spans->targets[at],
                      true);
    spans->targets[at] = no_target;
    return &spans->at[at];
}

static uint32_t find_host(const struct edges *edges,
                          const struct component *from,
                          const struct limited_name *host)
{
    return host && !host->is_other
               ? registry_find_host(edges->options.registry, from->identity,
                                    host->text)
               : IDENTITY_NONE;
}

static struct component *own_component(const struct unpaired_span *end)
{
    return end->own ? end->own : end->call.component;
}

/* True if the outer CLIENT calls the component that the caller is of, or the
 * CLIENT that it passed last, which has not said that it served the call. */
static bool calls_component(const struct edges *edges,
                            const struct unpaired_span *outer,
                            const struct unpaired_span *caller)
{
    const struct component *from = own_component(outer);
    const struct component *to = caller->call.component;

    return from != to && !(outer->flags & UNPAIRED_HOST_INHERITED) &&
           find_host(edges, from, outer->call.host) == to->identity;
}

/* If the CLIENT names no host, or an address that belongs to no known pod, the
 * host of the CLIENT above is used. */
static void take_host(const struct edges *edges, struct unpaired_span *caller,
                      const struct unpaired_span *outer)
{
    struct call_span *call = &caller->call;

    if (!outer->call.host ||
        (call->host && (!url_is_address(call->host->text) ||
                        find_host(edges, own_component(caller), call->host) !=
                            IDENTITY_NONE)))
        return;
    call->host = outer->call.host;
    call->port = outer->call.port;
    caller->flags |= UNPAIRED_HOST_INHERITED;
}

/* Passes the CLIENT with this key. False if the caller is not part of its call:
 * then there is no caller above. */
static bool pass_outer(struct edges *edges, struct unpaired_span *caller,
                       const struct span_key *key)
{
    struct unpaired_spans *waiting = &edges->spans[WAITING];
    uint32_t at = edges_find_side(waiting, unpaired_find(waiting, key), true);
    struct unpaired_span *outer;

    if (at != UNPAIRED_NONE && calls_component(edges, &waiting->at[at], caller))
        return false;
    outer = find_outer(edges, key);
    if (!outer)
        return true;
    outer->flags |= UNPAIRED_ENCLOSES;
    if (!caller->own)
        caller->own = caller->call.component;
    caller->call.component = own_component(outer);
    take_host(edges, caller, outer);
    return true;
}

void edges_walk_up(struct edges *edges, struct unpaired_span *caller)
{
    static const uint8_t flags[] = {
        [ROLE_QUERY] = UNPAIRED_IN_QUERY, [ROLE_MESSAGE] = UNPAIRED_IN_MESSAGE};

    for (int i = 0; i < MAX_STEPS && !id_is_zero(caller->above, 8); i++) {
        struct span_key key = span_key(caller->key.trace_id, caller->above);
        const struct recent_span *node =
            recent_spans_find(edges->recent, key.hash);
        enum span_role role;

        if (!node)
            return;
        role = recent_span_role(node);
        if (role == ROLE_SERVER || role == ROLE_CONSUMER) {
            caller->call.endpoint = node->endpoint;
            break;
        }
        if (role == ROLE_CALL && !pass_outer(edges, caller, &key))
            break;
        if (role == ROLE_QUERY || role == ROLE_MESSAGE)
            caller->flags |= flags[role];
        memcpy(caller->above, node->above, 8);
    }
    memset(caller->above, 0, 8);
}

/* ---- callees ---- */

/* Below a span that serves, without a CLIENT between: in another component it
 * is a call, whose caller says nothing of its own. */
static enum caller_search below_server(struct edges *edges,
                                       const struct recent_span *node,
                                       struct unpaired_span *callee)
{
    struct call_span caller = callee->call;
    struct call_target target;

    caller.component =
        components_get(edges->options.components, node->endpoint->identity);
    caller.endpoint = node->endpoint;
    if (caller.component == callee->call.component)
        return callee->kind == SPAN_SERVER &&
                       recent_span_role(node) == ROLE_SERVER
                   ? CALLER_NESTED
                   : CALLER_NONE;
    target = call_target_met(&caller, &callee->call);
    if (edges_add_caller(callee, caller.component->identity))
        call_target_count(&edges->options, &caller, &target, false);
    return CALLER_FOUND;
}

enum caller_search edges_find_caller(struct edges *edges,
                                     struct unpaired_span *callee,
                                     struct span_key *key)
{
    for (int i = 0; i < MAX_STEPS && !id_is_zero(key->span_id, 8); i++) {
        const struct recent_span *node;

        if (edges_pair_caller(edges, key, callee))
            return CALLER_FOUND;
        node = recent_spans_find(edges->recent, key->hash);
        if (!node)
            return CALLER_UNKNOWN;
        if (recent_span_role(node) <= ROLE_CONSUMER)
            return below_server(edges, node, callee);
        if (recent_span_role(node) != ROLE_STEP)
            return CALLER_UNKNOWN; /* its call has met another one */
        *key = span_key(key->trace_id, node->above);
    }
    return CALLER_NONE;
}

/* ---- a span has come ---- */

static void tell_callees(struct edges *edges, enum unpaired_table table,
                         const struct span_key *key)
{
    struct unpaired_spans *spans = &edges->spans[table];
    uint32_t at;

    while ((at = edges_find_side(spans, unpaired_find(spans, key), false)) !=
           UNPAIRED_NONE) {
        struct unpaired_span callee = spans->at[at];
        struct span_key above = *key;

        unpaired_take(spans, at);
        switch (edges_find_caller(edges, &callee, &above)) {
        case CALLER_UNKNOWN:
            callee.key = above;
            edges_put(edges, table, &callee, &no_target);
            break;
        case CALLER_NESTED:
            call_target_retract_request(&edges->options, &callee.call,
                                        callee.operation);
            break;
        default:
            break;
        }
    }
}

/* A ready call becomes the oldest of all, so that edges_expire() counts it
 * next, and gets a key that no span has. */
static void tell_held(struct edges *edges, const struct span_key *key)
{
    static const uint8_t nobody[8];
    struct unpaired_spans *held = &edges->spans[HELD];
    uint32_t at;

    while ((at = unpaired_find(held, key)) != UNPAIRED_NONE) {
        struct call_target target = held->targets[at];
        struct unpaired_span end = held->at[at];
        bool ready;

        unpaired_take(held, at);
        memcpy(end.above, key->span_id, 8);
        edges_walk_up(edges, &end);
        end.key = span_key(key->trace_id, end.above);
        ready = id_is_zero(end.above, 8) || unpaired_crowded(held, &end.key);
        if (ready) {
            end.key = span_key(key->trace_id, nobody);
            end.arrived_ns = 0;
        }
        unpaired_put(held, &end, &target, ready);
    }
}

static void tell_asking(struct edges *edges, const struct span_key *key)
{
    struct unpaired_spans *asking = &edges->spans[AWAITING_PARENT];
    struct unpaired_spans *waiting = &edges->spans[WAITING];
    uint32_t at;

    while ((at = unpaired_find(asking, key)) != UNPAIRED_NONE) {
        struct unpaired_span ask = asking->at[at];
        struct span_key own = span_key(key->trace_id, ask.above);
        struct unpaired_span *client;

        unpaired_take(asking, at);
        at = edges_find_side(waiting, unpaired_find(waiting, &own), true);
        if (at == UNPAIRED_NONE)
            continue;
        client = &waiting->at[at];
        edges_walk_up(edges, client);
        if (id_is_zero(client->above, 8))
            continue;
        ask.key = span_key(key->trace_id, client->above);
        if (!unpaired_crowded(asking, &ask.key))
            unpaired_put(asking, &ask, NULL, false);
    }
}

void edges_notify(struct edges *edges, const struct span_key *key, bool calls)
{
    const struct unpaired_spans *spans = edges->spans;

    if (!calls && unpaired_may_have(&spans[WAITING], key->hash))
        tell_callees(edges, WAITING, key);
    if (!calls && unpaired_may_have(&spans[LATE], key->hash))
        tell_callees(edges, LATE, key);
    if (unpaired_may_have(&spans[HELD], key->hash))
        tell_held(edges, key);
    if (unpaired_may_have(&spans[AWAITING_PARENT], key->hash))
        tell_asking(edges, key);
}
