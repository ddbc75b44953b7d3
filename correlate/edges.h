/*
 * edges - calls between components, from spans that arrive in any order.
 *
 * A call has two spans: the caller's (CLIENT, PRODUCER) and the callee's
 * (SERVER, CONSUMER), whose parent or link is the caller's. The span that
 * arrives first waits for the other, for wait_ns and in a table of max_spans:
 *
 *   both arrived              an edge between two components, unless both spans
 *                             are of one component
 *   CLIENT alone              an edge to what its host name resolves to: a
 *                             component that sends no spans, or an external
 *                             host
 *   SERVER, CONSUMER,         nothing
 *   PRODUCER alone
 *
 * Calls of databases and queues and requests without a parent need no second
 * span. A call is counted under the endpoint that its caller serves. Until the
 * spans above the caller have arrived it is held, also for wait_ns.
 *
 * If the callee of a CLIENT that was counted alone arrives later, the first
 * count is retracted and the edge is counted, for ten times wait_ns and while
 * there is room. After that the call is counted a second time.
 *
 * edges.c            the tables of waiting spans, pairing
 * edges_ancestors.c  the spans above both spans of a call
 * edges_state.c      the tables as bytes
 *
 * Restart: the waiting spans are part of the state that is committed with every
 * flush (correlate.c). The recent spans (recent_spans.h) are not: a call in
 * progress may lose its endpoint, several spans of one call may count twice. In
 * the state of a Kafka partition they are, since its next owner must count the
 * same.
 *
 * Threads: the correlator's.
 */
#ifndef EDGES_H
#define EDGES_H

#include "buf.h"
#include "byte_reader.h"
#include "recent_spans.h"
#include "store_resources.h"
#include "unpaired_spans.h"

/* The tables, by what a span waits for. */
enum unpaired_table {
    WAITING, /* for the other span; key: the caller's span, or the span up to
                which a callee's ancestors are known */
    HELD,    /* paired, for the spans above the caller; key: the next of them */
    LATE,    /* settled alone, for the other span; key: the caller's span */
    AWAITING_PARENT, /* a waiting caller, for the span above it, which is the
                        key; `ancestor` is the caller */
    LINKED,          /* links of a waiting CONSUMER; key: the producer's span */
    UNPAIRED_TABLES
};

struct edges {
    struct call_context context;
    uint64_t wait_ns;
    struct unpaired_spans unpaired[UNPAIRED_TABLES];
    struct recent_spans *recent;
    const struct store_resources *resources; /* NULL: identities are saved as
                                                numbers of this store */
    uint32_t packs;                          /* times edges_pack() was called */
};

struct edges *edges_new(const struct call_context *context, uint32_t max_spans,
                        uint64_t wait_ns);
void edges_free(struct edges *edges);

/* Prefetches what edges_add_span() reads for this span; later and with `soon`,
 * what that refers to. */
void edges_prefetch(const struct edges *edges, const struct span *span,
                    bool soon);

/* Adds a span that arrived at now_ns; tags NULL: it neither serves nor calls.
 * The SERVER and CONSUMER spans of a batch come before the others. While the
 * derived table is muted the span is only remembered. False if its component
 * already serves the same request: a SERVER below a SERVER. */
bool edges_add_span(struct edges *edges, struct component *component,
                    const struct semconv *semconv, const struct tags *tags,
                    uint64_t now_ns);

/* Settles one span whose wait is over at before_ns; UINT64_MAX: in any case.
 * False if there is none. */
bool edges_expire(struct edges *edges, uint64_t before_ns);

/* Forgets all spans before the table of names is cleared. No span may be
 * waiting. */
void edges_forget(struct edges *edges);

/* Spans that wait and calls that are held. */
uint32_t edges_count(const struct edges *edges);

/* The waiting spans as bytes, and back into empty tables; with `resources` the
 * recent ones, too. Spans of unknown components are dropped, and everything
 * after malformed bytes. */
void edges_pack(struct edges *edges, struct buf *out);
void edges_unpack(struct edges *edges, struct byte_reader *in, bool version_5);

/* ---- between the files of edges ---- */

/* Walks up from a caller as far as the spans above it are known: to one that
 * serves, or to the top. `ancestor` becomes the missing span. */
void edges_walk_up(struct edges *edges, struct unpaired_span *caller);

/* Result of the search for the caller of a callee. */
enum caller_search {
    CALLER_FOUND,  /* an edge was counted, or none is needed */
    CALLER_NESTED, /* the component serves this request already */
    CALLER_NONE,   /* no span above calls */
    CALLER_UNKNOWN /* the span with this key is missing, or calls something
                      else; also after a restart */
};
enum caller_search edges_find_caller(struct edges *edges,
                                     struct unpaired_span *callee,
                                     struct span_key *key);

/* A span arrived: resumes the callees below it, calls that are held for it and
 * callers that wait for their parent. */
void edges_notify(struct edges *edges, const struct span_key *key, bool calls);

/* The first caller, or callee, among the spans with the key of `at`. */
uint32_t edges_find_side(const struct unpaired_spans *spans, uint32_t at,
                         bool caller);

/* Pairs the callee with a caller with this key. False if there is none. */
bool edges_pair_caller(struct edges *edges, const struct span_key *key,
                       struct unpaired_span *callee);

/* False if a caller of this identity was counted already: a batch of messages
 * of one producer is one call. */
bool edges_add_caller(struct unpaired_span *callee, uint32_t identity);

/* A waiting caller may be part of the call of the span above it. */
void edges_await_parent(struct edges *edges,
                        const struct unpaired_span *caller);

/* Adds a span to a table. Without room the oldest span is settled; if the
 * bucket is full, the span itself. target: for HELD the one to be counted, for
 * LATE the one counted, or PEER_NONE. */
void edges_put(struct edges *edges, enum unpaired_table table,
               const struct unpaired_span *span,
               const struct call_target *target);

#endif
