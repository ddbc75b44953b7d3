/*
 * edges - who calls whom, from spans that arrive in any order.
 *
 * A call has two spans: the caller's span (CLIENT, PRODUCER) and the callee's
 * (SERVER, CONSUMER), whose parent, or link, is the caller's. The end that
 * comes first waits for the other, for wait_ns and in a table of max_spans;
 * then:
 *
 *   caller and callee met     an edge between two components, unless they are
 *                             one
 *   CLIENT alone              an edge to what its host name means: a component
 *                             that sends no spans, or an external host
 *   SERVER, CONSUMER,         nothing
 *   PRODUCER alone
 *
 * Calls of a database or a queue and requests without a parent need no second
 * end. A call is counted under the endpoint that its caller serves; if that is
 * not known yet because the spans above the caller's have not come, it is held
 * until they do, for wait_ns too. What lies above and between the spans,
 * CLIENTs above CLIENTs and SERVERs below SERVERs, is in edges_ancestors.c.
 *
 * A CLIENT that was counted alone and whose callee comes after all is taken
 * back (DERIVED_OUT_RETRACTED_DURATION), and the edge of both is counted, for
 * ten times wait_ns and as long as there is room. Later than that it is counted
 * a second time: what is waited for has a bound.
 *
 * Restart  What waits is part of the state that is committed with every flush
 *          of derived points (correlate.c), and waits again. The spans seen
 *          (recent_spans.h) are not kept: a call that was under way may miss
 * its caller's endpoint, spans of one call may count as two.
 *
 * Threads  the correlator's.
 */
#ifndef EDGES_H
#define EDGES_H

#include "buf.h"
#include "byte_reader.h"
#include "components.h"
#include "derived_table.h"
#include "endpoint.h"
#include "record.h"
#include "registry.h"

struct edges;

struct edges_options {
    uint32_t max_spans;
    uint64_t wait_ns;
    uint32_t max_peers; /* of one component; more are {other} */
    struct cardinality_limit *limit;
    struct derived_table *derived;
    struct components *components;
    struct registry *registry;
};

struct edges *edges_new(const struct edges_options *options);
void edges_free(struct edges *edges);

/* Fetches what edges_add_span() will look at for this span: first, and
 * somewhat later, then soon, what that leads to. */
void edges_prefetch(const struct edges *edges, const struct span *span,
                    bool soon);

/* A span that arrived at now_ns; tags NULL: neither called nor calling. Before
 * the calls of a batch, the spans that serve. While derived is muted it is
 * noted only. False if its component was serving the same request already: a
 * SERVER below a SERVER. */
bool edges_add_span(struct edges *edges, struct component *component,
                    const struct span *span, const struct semconv *semconv,
                    const struct tags *tags, uint64_t now_ns);

/* Settles one end that has waited for long enough at `before_ns` (UINT64_MAX:
 * in any case). False if there is none. */
bool edges_expire(struct edges *edges, uint64_t before_ns);

/* Forgets all spans: the names it knows are about to go. No end may be
 * waiting. */
void edges_forget(struct edges *edges);

uint32_t edges_count(const struct edges *edges);

/* What waits, as bytes and back into an empty table. What cannot be read is
 * left out. */
void edges_pack(struct edges *edges, struct buf *out);
void edges_unpack(struct edges *edges, struct byte_reader *in);

/* A host name that looks like one of the internet: it has a dot, is no
 * address and none of a cluster. */
bool url_is_public_host(struct slice host);

#endif
