/*
 * What the spans above both spans of a call tell:
 *
 *   SERVER ◄── internal ◄── CLIENT ◄── CLIENT ◄── internal ◄── SERVER
 *   the caller's            encloses   calls                   called
 *   endpoint
 *
 * Instrumentation stands above instrumentation: an SDK's CLIENT above that of
 * its HTTP client, a sidecar's below both. The CLIENT nearest to the SERVER is
 * the call, once for each that reaches one; the CLIENTs that enclose it are not
 * calls. They show who calls: the call counts for the component of the
 * outermost one, since a proxy may have a name of its own. Calls below the call
 * of a database or a queue are part of it.
 *
 * Spans arrive in any order. A span whose parent is missing waits under the
 * parent's key and continues when it arrives (edges_notify).
 */
#include "edges.h"
#include "url.h"

enum { MAX_STEPS = 16 };

static const struct call_target no_target = {.kind = PEER_NONE};

/* ---- callers ---- */

static struct unpaired_span *find_caller(struct edges *edges,
                                         enum unpaired_table table,
                                         const struct span_key *key)
{
    struct unpaired_spans *spans = &edges->unpaired[table];
    uint32_t at = edges_find_side(spans, unpaired_find(spans, key), true);

    return at == UNPAIRED_NONE ? NULL : &spans->at[at];
}

/* A CLIENT that encloses others, if it is still in a table. One that was
 * counted alone is retracted. */
static struct unpaired_span *find_outer(struct edges *edges,
                                        const struct span_key *key)
{
    struct unpaired_spans *late = &edges->unpaired[LATE];
    struct unpaired_span *outer = find_caller(edges, WAITING, key);
    struct call_target *target;

    if (outer)
        return outer;
    outer = find_caller(edges, LATE, key);
    if (!outer)
        return NULL;
    target = &late->targets[outer - late->at];
    call_target_count(&edges->context, &outer->call, target, true);
    *target = no_target;
    return outer;
}

static uint32_t find_host(const struct edges *edges,
                          const struct component *from,
                          const struct counted_name *host)
{
    return host && !host->is_other
               ? registry_find_host(edges->context.registry, from->identity,
                                    host->text)
               : IDENTITY_NONE;
}

static struct component *own_component(const struct unpaired_span *span)
{
    return span->own ? span->own : span->call.component;
}

/* True if the outer CLIENT calls the component of the caller below it: then the
 * caller is no part of its call. */
static bool calls_component(const struct edges *edges,
                            const struct unpaired_span *outer,
                            const struct unpaired_span *caller)
{
    const struct component *from = own_component(outer);
    const struct component *to = caller->call.component;

    return from != to && !(outer->flags & UNPAIRED_HOST_INHERITED) &&
           find_host(edges, from, outer->call.host) == to->identity;
}

/* A CLIENT without a host, or with an address of no known pod, inherits the
 * host of the CLIENT above. */
static void inherit_host(const struct edges *edges,
                         struct unpaired_span *caller,
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

/* Walks past the CLIENT with this key. False if the caller is not part of its
 * call: then nothing above belongs to the caller. */
static bool pass_outer(struct edges *edges, struct unpaired_span *caller,
                       const struct span_key *key)
{
    struct unpaired_span *outer = find_caller(edges, WAITING, key);

    if (outer && calls_component(edges, outer, caller))
        return false;
    outer = find_outer(edges, key);
    if (!outer)
        return true;
    outer->flags |= UNPAIRED_ENCLOSES;
    if (!caller->own)
        caller->own = caller->call.component;
    caller->call.component = own_component(outer);
    inherit_host(edges, caller, outer);
    return true;
}

void edges_walk_up(struct edges *edges, struct unpaired_span *caller)
{
    static const uint8_t flags[] = {
        [ROLE_QUERY] = UNPAIRED_IN_QUERY, [ROLE_MESSAGE] = UNPAIRED_IN_MESSAGE};

    for (int i = 0; i < MAX_STEPS && !id_is_zero(caller->ancestor, 8); i++) {
        struct span_key key = span_key(caller->key.trace_id, caller->ancestor);
        const struct recent_span *span =
            recent_spans_find(edges->recent, key.hash);
        enum span_role role;

        if (!span)
            return;
        role = recent_span_role(span);
        if (role == ROLE_SERVER || role == ROLE_CONSUMER) {
            caller->call.endpoint = span->endpoint;
            break;
        }
        if (role == ROLE_CALL && !pass_outer(edges, caller, &key))
            break;
        if (role == ROLE_QUERY || role == ROLE_MESSAGE)
            caller->flags |= flags[role];
        memcpy(caller->ancestor, span->parent, 8);
    }
    memset(caller->ancestor, 0, 8);
}

/* ---- callees ---- */

/* The callee is below a span that serves, without a CLIENT between. In another
 * component that is a call whose caller sent no span. */
static enum caller_search below_server(struct edges *edges,
                                       const struct recent_span *server,
                                       struct unpaired_span *callee)
{
    struct call_span caller = callee->call;
    struct call_target target;

    caller.component =
        components_get(edges->context.components, server->endpoint->identity);
    caller.endpoint = server->endpoint;
    if (caller.component == callee->call.component)
        return callee->kind == SPAN_SERVER &&
                       recent_span_role(server) == ROLE_SERVER
                   ? CALLER_NESTED
                   : CALLER_NONE;
    target = call_target_met(&caller, &callee->call);
    if (edges_add_caller(callee, caller.component->identity))
        call_target_count(&edges->context, &caller, &target, false);
    return CALLER_FOUND;
}

enum caller_search edges_find_caller(struct edges *edges,
                                     struct unpaired_span *callee,
                                     struct span_key *key)
{
    for (int i = 0; i < MAX_STEPS && !id_is_zero(key->span_id, 8); i++) {
        const struct recent_span *span;

        if (edges_pair_caller(edges, key, callee))
            return CALLER_FOUND;
        span = recent_spans_find(edges->recent, key->hash);
        if (!span)
            return CALLER_UNKNOWN;
        if (recent_span_role(span) <= ROLE_CONSUMER)
            return below_server(edges, span, callee);
        if (recent_span_role(span) != ROLE_INTERNAL)
            return CALLER_UNKNOWN; /* it is paired with another callee */
        *key = span_key(key->trace_id, span->parent);
    }
    return CALLER_NONE;
}

/* ---- a span arrived ---- */

static void resume_callees(struct edges *edges, enum unpaired_table table,
                           const struct span_key *key)
{
    struct unpaired_spans *spans = &edges->unpaired[table];
    uint32_t at;

    while ((at = edges_find_side(spans, unpaired_find(spans, key), false)) !=
           UNPAIRED_NONE) {
        struct unpaired_span callee = spans->at[at];
        struct span_key ancestor = *key;
        enum caller_search search;

        unpaired_take(spans, at);
        search = edges_find_caller(edges, &callee, &ancestor);
        if (search == CALLER_UNKNOWN) {
            callee.key = ancestor;
            edges_put(edges, table, &callee, &no_target);
        } else if (search == CALLER_NESTED && callee.operation &&
                   callee.call.endpoint) { /* it was counted as a request */
            derived_add_duration(
                edges->context.derived,
                request_series(
                    edges->context.derived, DERIVED_FAMILY_REQUESTS_RETRACTED,
                    callee.call.component, SPAN_SERVER, callee.call.endpoint,
                    callee.operation, callee.call.start_ns),
                callee.call.duration_ns, callee.call.failed,
                callee.call.client_error, callee.call.weight);
        }
    }
}

/* The calls held for this span go on to wait for its parent. A call whose
 * ancestors have all arrived gets time 0 and a key that no span has: it is the
 * first in the order of time, and edges_expire() counts it next. */
static void resume_held(struct edges *edges, const struct span_key *key)
{
    static const uint8_t no_span[8];
    struct unpaired_spans *held = &edges->unpaired[HELD];
    uint32_t at;

    while ((at = unpaired_find(held, key)) != UNPAIRED_NONE) {
        struct call_target target = held->targets[at];
        struct unpaired_span span = held->at[at];
        bool complete;

        unpaired_take(held, at);
        memcpy(span.ancestor, key->span_id, 8);
        edges_walk_up(edges, &span);
        span.key = span_key(key->trace_id, span.ancestor);
        complete =
            id_is_zero(span.ancestor, 8) || unpaired_crowded(held, &span.key);
        if (complete) {
            span.key = span_key(key->trace_id, no_span);
            span.arrived_ns = 0;
        }
        unpaired_put(held, &span, &target, complete);
    }
}

static void resume_callers(struct edges *edges, const struct span_key *key)
{
    struct unpaired_spans *awaiting = &edges->unpaired[AWAITING_PARENT];
    uint32_t at;

    while ((at = unpaired_find(awaiting, key)) != UNPAIRED_NONE) {
        struct unpaired_span entry = awaiting->at[at];
        struct span_key own = span_key(key->trace_id, entry.ancestor);
        struct unpaired_span *client = find_caller(edges, WAITING, &own);

        unpaired_take(awaiting, at);
        if (!client)
            continue;
        edges_walk_up(edges, client);
        if (id_is_zero(client->ancestor, 8))
            continue;
        entry.key = span_key(key->trace_id, client->ancestor);
        if (!unpaired_crowded(awaiting, &entry.key))
            unpaired_put(awaiting, &entry, NULL, false);
    }
}

void edges_notify(struct edges *edges, const struct span_key *key, bool calls)
{
    const struct unpaired_spans *unpaired = edges->unpaired;

    if (!calls && unpaired_may_have(&unpaired[WAITING], key->hash))
        resume_callees(edges, WAITING, key);
    if (!calls && unpaired_may_have(&unpaired[LATE], key->hash))
        resume_callees(edges, LATE, key);
    if (unpaired_may_have(&unpaired[HELD], key->hash))
        resume_held(edges, key);
    if (unpaired_may_have(&unpaired[AWAITING_PARENT], key->hash))
        resume_callers(edges, key);
}
