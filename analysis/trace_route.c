/*
 * GET /api/v1/traces/{traceId}: a trace as a tree, with what stands out.
 *
 * In: an id, and how much is shown. Out: trace_reply.c. Without a scope: what
 * may be seen of the trace.
 */
#include "hex.h"
#include "routes.h"
#include "trace_tree.h"

enum {
    SHOWN = 1000,
    SHOWN_MAX = 10000,
    LOGS = 100,
    LOGS_MAX = 1000,
    FEWER = 4,
};

static void read_attrs(struct query_request *request, struct trace_attrs *attrs)
{
    struct slice text = query_param(request, "attributes");

    if (text.len == 0 || slice_equal(text, SLICE("none")))
        return;
    if (slice_equal(text, SLICE("all"))) {
        attrs->wanted = ATTRS_ALL;
        return;
    }
    attrs->wanted = ATTRS_LISTED;
    params_query_list(request, "attributes", &attrs->keys, &attrs->key_count);
}

/* Of the memory a share, and no more than a part of the answer. */
static size_t attributes_room(const struct query_request *request)
{
    size_t share = query_memory_share(request), part = request->out.cap / 3;

    return share < part ? share : part;
}

/* The node of a span; TRACE_NONE: there is none. */
static uint32_t node_of(const struct trace_tree *tree, const uint8_t id[8])
{
    for (uint32_t i = 0; i < tree->count; i++)
        if (memcmp(tree->nodes[i].span->span_id, id, 8) == 0)
            return i;
    return TRACE_NONE;
}

static enum status read_top(struct query_request *request,
                            struct tree_answer *answer)
{
    uint8_t id[8];
    bool given;

    answer->top = TRACE_NONE;
    if (params_query_id(request, "spanId", id, sizeof(id), &given) != OK ||
        !given)
        return request->failed;
    answer->top = node_of(&answer->tree, id);
    return answer->top == TRACE_NONE
               ? query_fail(request, ERR_NOT_FOUND, NULL,
                            "the trace has no span with this spanId")
               : OK;
}

static enum status read_request(struct query_request *request,
                                struct tree_answer *answer)
{
    uint64_t limit = SHOWN, logs = LOGS;

    if (!hex_trace_id(request->parts[0], answer->spans.trace_id))
        query_invalid(request, "a trace id has at most 32 hexadecimal digits");
    answer->spans.asked = query_param(request, "namespace");
    params_query_number(request, "limit", 1, SHOWN_MAX, &limit);
    params_query_number(request, "logs", 0, LOGS_MAX, &logs);
    read_attrs(request, &answer->attrs);
    answer->limit = (uint32_t)limit;
    answer->log_limit = (uint32_t)logs;
    return request->failed;
}

static enum status analyse(struct query_request *request,
                           struct tree_answer *answer)
{
    struct trace_tree *tree = &answer->tree;
    enum status s =
        trace_tree_build(tree, answer->spans.spans, answer->spans.count);

    if (s == OK)
        s = trace_tree_time(tree);
    if (s == OK)
        s = trace_findings(tree, &answer->findings);
    return s == OK ? OK : query_fail_read(request, s);
}

/* ---- what does not fit is left out ---- */

static void drop_logs(struct tree_answer *answer)
{
    answer->logs.count = answer->logs.loose = 0;
    for (uint32_t i = 0; i < answer->tree.count; i++)
        answer->tree.nodes[i].log_count = 0;
}

static enum status show_fewer(struct tree_answer *answer)
{
    struct trace_tree *tree = &answer->tree;

    for (uint32_t i = 0; i < tree->count; i++) {
        tree->nodes[i].flags &= ~(uint32_t)NODE_SHOWN;
        tree->nodes[i].omitted = 0;
    }
    return trace_select(tree, answer->top, answer->shown / FEWER,
                        &answer->shown);
}

/* First attributes, then log records, then spans. False: there is nothing left
 * that could be. */
static bool leave_out(struct tree_answer *answer)
{
    if (answer->attrs.wanted != ATTRS_NONE) {
        answer->attrs.wanted = ATTRS_NONE;
        answer->attrs.left_out = answer->shown;
        return true;
    }
    if (answer->logs.count > 0) {
        drop_logs(answer);
        return true;
    }
    if (answer->shown < FEWER || show_fewer(answer) != OK)
        return false;
    if (answer->attrs.left_out > 0)
        answer->attrs.left_out = answer->shown;
    return true;
}

static void write_what_fits(struct tree_answer *answer)
{
    struct query_request *request = answer->request;

    trace_reply(answer);
    while (request->out.status == ERR_TOO_BIG && leave_out(answer)) {
        buf_reset(&request->out);
        jsonw_init(&request->json, &request->out);
        trace_reply(answer);
    }
}

static enum status get_trace(struct query_request *request)
{
    struct tree_answer *answer = arena_zero(request->arena, 1, sizeof(*answer));
    enum status s;

    if (!answer)
        return arena_status(request->arena);
    answer->request = answer->tree.request = request;
    s = read_request(request, answer);
    if (s == OK)
        s = trace_read(request, &answer->spans);
    if (s == OK)
        s = analyse(request, answer);
    if (s == OK)
        s = read_top(request, answer);
    if (s != OK)
        return s;
    s = trace_select(&answer->tree, answer->top, answer->limit, &answer->shown);
    if (s != OK)
        return query_fail_read(request, s);
    answer->attrs.room = attributes_room(request);
    s = trace_read_extras(&answer->tree, &answer->spans, &answer->attrs);
    if (s == OK)
        s = trace_read_logs(&answer->tree, &answer->spans, answer->log_limit,
                            &answer->logs);
    if (s == OK)
        write_what_fits(answer);
    return s;
}

const struct route routes_trace[] = {
    {"GET", "/api/v1/traces/{}", ACTION_TRACES_VIEW, SCOPE_OBJECT, get_trace,
     "T", 0, 0, &trace_tree_table},
    {0},
};
