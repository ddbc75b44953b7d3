/*
 * trace_tree - a trace as a tree, and where its time went; for trace_*.c only.
 *
 *   trace_tree_build   parents, missing parents, cycles, order, clock skew
 *   trace_tree_time    self time, critical path
 *   trace_findings     components, operations of the critical path, origins of
 *                      errors, repeated calls
 *
 * Nodes stand in the order of a walk from the top, children by start: a node is
 * followed by all that is below it. Nothing recurses, since a sender decides
 * how deep a trace is.
 *
 * A clock that is wrong moves spans out of their parents. start_ns and end_ns
 * of a node are without the offset that was found, for all that is computed;
 * answers show what was sent, and say which offset was found.
 */
#ifndef TRACE_TREE_H
#define TRACE_TREE_H

#include "query_request.h"

#define TRACE_NONE UINT32_MAX

enum { TRACE_SPANS_MAX = 50000 };

/* What is read of all spans of a trace, which is kept small. */
struct trace_span {
    uint8_t span_id[8], parent_span_id[8];
    uint64_t start_ns, end_ns;
    struct slice name, status_message, endpoint, operation;
    uint32_t resource_id; /* RESOURCE_NONE: hidden, or not received */
    uint8_t kind, status;
    bool failed;
};

static inline bool trace_span_failed(const struct trace_span *span)
{
    return span->status == SPAN_ERROR || span->failed;
}

enum trace_node_flag {
    NODE_MISSING = 1,    /* a parent that was not received; only its id */
    NODE_ORPHAN = 2,     /* its parent is one of these */
    NODE_CYCLE = 4,      /* its parent is below it; shown at the top */
    NODE_DUPLICATE = 8,  /* its id occurred before */
    NODE_FAILED = 16,    /* span_failed() */
    NODE_ASYNC = 32,     /* its parent did not wait for it */
    NODE_HIDDEN = 64,    /* the viewer may not see more than its times */
    NODE_ORIGIN = 128,   /* failed, and none of those below did */
    NODE_CRITICAL = 256, /* on the critical path of the root */
    NODE_SKEWED = 512,   /* its clock differs from that of its parent */
    NODE_SHOWN = 1024,   /* part of the answer */
    NODE_REPEATED = 2048 /* one of several equal calls, not the first */
};

struct trace_node {
    const struct trace_span
        *span;       /* of a missing one, made up from its children */
    uint32_t parent; /* node; TRACE_NONE: at the top */
    uint32_t below;  /* nodes below it, which follow it */
    uint32_t depth, children;
    uint32_t omitted;          /* of those below it, not shown */
    uint32_t component;        /* in trace_tree.components */
    uint32_t flags;            /* enum trace_node_flag */
    uint64_t start_ns, end_ns; /* by the clock of the node at the top */
    int64_t offset_ns;         /* of its clock: sent time less start_ns */
    uint64_t self_ns, critical_ns;
    const struct trace_extra *extra; /* NULL: not read */
    uint32_t first_log, log_count;   /* in trace_logs.logs */
};

/* By project, component and environment. */
struct trace_component {
    const struct identity *identity;
    uint32_t spans, failed;
    uint64_t self_ns, critical_ns;
};

struct trace_tree {
    struct query_request *request;
    struct trace_node *nodes;
    uint32_t count;
    uint32_t roots; /* nodes at the top */
    uint32_t main;  /* the root whose critical path is computed */
    uint32_t missing, cycles, duplicates, skewed, failed, hidden;
    uint64_t start_ns, end_ns; /* of all, as sent */
    struct trace_component *components;
    uint32_t component_count, component_room;
};

/* All of the arena of the request; the spans are by start and must stay.
 * ERR_BUSY, ERR_TOO_BIG. */
MUST_CHECK enum status trace_tree_build(struct trace_tree *tree,
                                        const struct trace_span *spans,
                                        uint32_t count);
MUST_CHECK enum status trace_tree_time(struct trace_tree *tree);

/* The next node that is not below this one. */
static inline uint32_t trace_after(const struct trace_tree *tree, uint32_t node)
{
    return node + 1 + tree->nodes[node].below;
}

/* A loop over the children of a node, by start. */
#define trace_children(tree, node, child)             \
    for (uint32_t child = (node) + 1;                 \
         child <= (node) + (tree)->nodes[node].below; \
         child = trace_after(tree, child))

/* ---- trace_findings.c ---- */

/* One kind of operation on the critical path. */
struct trace_step {
    const struct identity *identity;
    const struct trace_span *span; /* an example */
    uint32_t spans;
    uint64_t critical_ns;
};

/* Calls of one operation by one span. */
struct trace_repeat {
    uint32_t parent, first; /* nodes */
    uint32_t count, failed;
    uint64_t total_ns, wall_ns; /* sum; time in which at least one ran */
};

struct trace_findings {
    struct trace_step *steps; /* the largest first */
    uint32_t step_count;
    uint32_t *origins; /* nodes; the earliest first */
    uint32_t origin_count;
    struct trace_repeat *repeats; /* the most time first */
    uint32_t repeat_count;
};

MUST_CHECK enum status trace_findings(struct trace_tree *tree,
                                      struct trace_findings *findings);

/* ---- trace_select.c ---- */

/* Marks at most `limit` nodes as NODE_SHOWN: all, or all from `top` downward if
 * that is not TRACE_NONE. If there are more: roots, origins of errors, the
 * critical path, failed ones, then the longest; and with each those above it.
 * *shown: how many. */
MUST_CHECK enum status trace_select(struct trace_tree *tree, uint32_t top,
                                    uint32_t limit, uint32_t *shown);

/* ---- trace_read.c ---- */

/* A trace as it is stored, with what the viewer may see. */
enum { TRACE_NAMESPACES = 10 };
struct trace_spans {
    uint8_t trace_id[16];
    struct slice asked; /* the namespace; empty: that of the first span */
    struct slice
        namespaces[TRACE_NAMESPACES];      /* of the spans; that one first */
    struct slice others[TRACE_NAMESPACES]; /* have other spans of this id */
    uint32_t namespace_count, other_count;
    const struct bitmap *visible; /* NULL: all */
    struct trace_span *spans;     /* by start */
    uint32_t count;
    uint64_t total; /* more than count: the first ones are there */
};

/* ERR_NOT_FOUND is answered, as are all others. */
MUST_CHECK enum status trace_read(struct query_request *request,
                                  struct trace_spans *trace);

/* ---- trace_extra.c ---- */

/* Which attributes are shown. */
struct trace_attrs {
    enum trace_attrs_wanted { ATTRS_NONE, ATTRS_ALL, ATTRS_LISTED } wanted;
    const struct slice *keys;
    uint32_t key_count;
    size_t room;       /* bytes of all that are read */
    uint32_t left_out; /* spans without theirs, as there was no more room */
};

/* What is read of spans that are shown only. */
struct trace_extra {
    struct attrs attrs;
    const struct span_link *links;
    uint32_t link_count;
    struct slice exception_type, exception_message;
    uint64_t exception_ns; /* 0: there is none */
};

/* Of the nodes that are shown, as far as there is room; without attributes,
 * only of those at the top, of consumers and of origins of errors. */
MUST_CHECK enum status trace_read_extras(struct trace_tree *tree,
                                         const struct trace_spans *trace,
                                         struct trace_attrs *attrs);

/* ---- trace_logs.c ---- */

/* Log records of the trace, those of a shown node together and by time; first
 * those of no shown node. */
struct trace_logs {
    struct log_record *logs;
    uint32_t count, loose; /* loose: of no shown node */
    uint64_t total;
    bool is_lower_bound, withheld; /* the viewer may not see logs */
};

MUST_CHECK enum status trace_read_logs(struct trace_tree *tree,
                                       const struct trace_spans *trace,
                                       uint32_t limit, struct trace_logs *logs);

/* ---- trace_reply.c ---- */

struct tree_answer {
    struct query_request *request;
    struct trace_spans spans;
    struct trace_tree tree;
    struct trace_findings findings;
    struct trace_attrs attrs;
    struct trace_logs logs;
    uint32_t top, limit, log_limit; /* asked for */
    uint32_t shown;
};
extern const struct reply_table trace_tree_table;

void trace_reply(struct tree_answer *answer);

#endif
