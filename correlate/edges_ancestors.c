/*
 * What the spans above the two ends of a call say:
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
 * by its key, and continues when it arrives (edges_tell).
 */
#include <string.h>

#include "edges_int.h"
#include "stats.h"

enum { MAX_STEPS = 16 };

static const struct target no_target = {.kind = PEER_NONE};

/* ---- callers ---- */

/* A CLIENT that encloses others, if it is kept. One that was counted alone is
 * taken back. */
static struct end *find_outer(struct edges *edges, const struct span_key *key)
{
    struct ends *ends = &edges->ends[WAITING];
    uint32_t at = edges_side(ends, ends_find(ends, key), true);

    if (at != ENDS_NONE)
        return &ends->at[at];
    ends = &edges->ends[LATE];
    at = edges_side(ends, ends_find(ends, key), true);
    if (at == ENDS_NONE)
        return NULL;
    peers_count(&edges->options, &ends->at[at].call, &ends->targets[at], true);
    ends->targets[at] = no_target;
    return &ends->at[at];
}

static uint32_t find_host(const struct edges *edges,
                          const struct component *from,
                          const struct capped_name *host)
{
    return host && !host->is_other
               ? registry_find_host(edges->options.registry, from->identity,
                                    host->text)
               : IDENTITY_NONE;
}

static struct component *own_component(const struct end *end)
{
    return end->own ? end->own : end->call.component;
}

/* True if the outer CLIENT calls the component that the caller is of, or the
 * CLIENT that it passed last, which has not said that it served the call. */
static bool calls_component(const struct edges *edges, const struct end *outer,
                            const struct end *caller)
{
    const struct component *from = own_component(outer);
    const struct component *to = caller->call.component;

    return from != to && !(outer->flags & END_HOST_TAKEN) &&
           find_host(edges, from, outer->call.host) == to->identity;
}

/* If the CLIENT names no host, or an address that belongs to no known pod, the
 * host of the CLIENT above is used. */
static void take_host(const struct edges *edges, struct end *caller,
                      const struct end *outer)
{
    struct call_span *call = &caller->call;

    if (!outer->call.host ||
        (call->host && (!peers_is_address(call->host->text) ||
                        find_host(edges, own_component(caller), call->host) !=
                            IDENTITY_NONE)))
        return;
    call->host = outer->call.host;
    call->port = outer->call.port;
    caller->flags |= END_HOST_TAKEN;
}

/* Passes the CLIENT with this key. False if the caller is not part of its call:
 * then there is no caller above. */
static bool pass_outer(struct edges *edges, struct end *caller,
                       const struct span_key *key)
{
    struct ends *waiting = &edges->ends[WAITING];
    uint32_t at = edges_side(waiting, ends_find(waiting, key), true);
    struct end *outer;

    if (at != ENDS_NONE && calls_component(edges, &waiting->at[at], caller))
        return false;
    outer = find_outer(edges, key);
    if (!outer)
        return true;
    outer->flags |= END_ENCLOSES;
    if (!caller->own)
        caller->own = caller->call.component;
    caller->call.component = own_component(outer);
    take_host(edges, caller, outer);
    return true;
}

void edges_climb(struct edges *edges, struct end *caller)
{
    static const uint8_t flags[] = {
        [ROLE_QUERY] = END_OF_QUERY, [ROLE_MESSAGE] = END_OF_MESSAGE};

    for (int i = 0; i < MAX_STEPS && !id_is_zero(caller->above, 8); i++) {
        struct span_key key = span_key(caller->key.trace_id, caller->above);
        const struct span_node *node = span_tree_find(edges->tree, key.hash);
        enum span_role role;

        if (!node)
            return;
        role = span_node_role(node);
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
static enum meeting below_server(struct edges *edges,
                                 const struct span_node *node,
                                 struct end *callee)
{
    struct call_span caller = callee->call;
    struct target target;

    caller.component =
        components_get(edges->options.components, node->endpoint->identity);
    caller.endpoint = node->endpoint;
    if (caller.component == callee->call.component)
        return callee->kind == SPAN_SERVER &&
                       span_node_role(node) == ROLE_SERVER
                   ? MEETING_NESTED
                   : MEETING_NOBODY;
    target = peers_met(&caller, &callee->call);
    if (edges_note_caller(callee, caller.component->identity))
        peers_count(&edges->options, &caller, &target, false);
    return MEETING_DONE;
}

enum meeting edges_look_up(struct edges *edges, struct end *callee,
                           struct span_key *key)
{
    for (int i = 0; i < MAX_STEPS && !id_is_zero(key->span_id, 8); i++) {
        const struct span_node *node;

        if (edges_meet_caller(edges, key, callee))
            return MEETING_DONE;
        node = span_tree_find(edges->tree, key->hash);
        if (!node)
            return MEETING_LATER;
        if (span_node_role(node) <= ROLE_CONSUMER)
            return below_server(edges, node, callee);
        if (span_node_role(node) != ROLE_STEP)
            return MEETING_LATER; /* its call has met another one */
        *key = span_key(key->trace_id, node->above);
    }
    return MEETING_NOBODY;
}

/* ---- a span has come ---- */

static void tell_callees(struct edges *edges, enum ends_table table,
                         const struct span_key *key)
{
    struct ends *ends = &edges->ends[table];
    uint32_t at;

    while ((at = edges_side(ends, ends_find(ends, key), false)) != ENDS_NONE) {
        struct end callee = ends->at[at];
        struct span_key above = *key;

        ends_take(ends, at);
        switch (edges_look_up(edges, &callee, &above)) {
        case MEETING_LATER:
            callee.key = above;
            edges_put(edges, table, &callee, &no_target);
            break;
        case MEETING_NESTED:
            peers_served_back(&edges->options, &callee.call, callee.operation);
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
    struct ends *held = &edges->ends[HELD];
    uint32_t at;

    while ((at = ends_find(held, key)) != ENDS_NONE) {
        struct target target = held->targets[at];
        struct end end = held->at[at];
        bool ready;

        ends_take(held, at);
        memcpy(end.above, key->span_id, 8);
        edges_climb(edges, &end);
        end.key = span_key(key->trace_id, end.above);
        ready = id_is_zero(end.above, 8) || ends_crowded(held, &end.key);
        if (ready) {
            end.key = span_key(key->trace_id, nobody);
            end.arrived_ns = 0;
        }
        ends_put(held, &end, &target, ready);
    }
}

static void tell_asking(struct edges *edges, const struct span_key *key)
{
    struct ends *asking = &edges->ends[ASKING];
    struct ends *waiting = &edges->ends[WAITING];
    uint32_t at;

    while ((at = ends_find(asking, key)) != ENDS_NONE) {
        struct end ask = asking->at[at];
        struct span_key own = span_key(key->trace_id, ask.above);
        struct end *client;

        ends_take(asking, at);
        at = edges_side(waiting, ends_find(waiting, &own), true);
        if (at == ENDS_NONE)
            continue;
        client = &waiting->at[at];
        edges_climb(edges, client);
        if (id_is_zero(client->above, 8))
            continue;
        ask.key = span_key(key->trace_id, client->above);
        if (!ends_crowded(asking, &ask.key))
            ends_put(asking, &ask, NULL, false);
    }
}

void edges_tell(struct edges *edges, const struct span_key *key, bool calls)
{
    const struct ends *ends = edges->ends;

    if (!calls && ends_may_have(&ends[WAITING], key->hash))
        tell_callees(edges, WAITING, key);
    if (!calls && ends_may_have(&ends[LATE], key->hash))
        tell_callees(edges, LATE, key);
    if (ends_may_have(&ends[HELD], key->hash))
        tell_held(edges, key);
    if (ends_may_have(&ends[ASKING], key->hash))
        tell_asking(edges, key);
}
