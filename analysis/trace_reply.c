/*
 * The answer about a trace: what stands out first, then the spans. Lists are
 * written one item at a time.
 */
#include "trace_reply.h"
#include "hex.h"
#include "page_link.h"
#include "span_reply.h"

/* ---- the summary ---- */

struct trace_summary_reply {
    struct span_name root;
    struct slice root_endpoint;
    uint64_t start_ns, end_ns, duration_ns, root_ns;
    uint32_t spans, components, failed, depth;
    uint64_t logs;
    bool logs_lower_bound;
    const char *status;
};

static const struct reply_table summary_table = REPLY_TABLE(
    struct trace_summary_reply,
    REPLY_OBJECT(struct trace_summary_reply, "root", root, 0, &span_name_table),
    REPLY_OPTIONAL(struct trace_summary_reply, "rootEndpoint", root_endpoint),
    REPLY_TIME(struct trace_summary_reply, "startTime", start_ns),
    REPLY_TIME(struct trace_summary_reply, "endTime", end_ns),
    REPLY(struct trace_summary_reply, "durationNs", duration_ns),
    REPLY(struct trace_summary_reply, "rootDurationNs", root_ns),
    REPLY(struct trace_summary_reply, "status", status),
    REPLY(struct trace_summary_reply, "spanCount", spans),
    REPLY(struct trace_summary_reply, "errorCount", failed),
    REPLY(struct trace_summary_reply, "componentCount", components),
    REPLY(struct trace_summary_reply, "depth", depth),
    REPLY(struct trace_summary_reply, "logCount", logs),
    REPLY_OPTIONAL(struct trace_summary_reply, "logCountIsLowerBound",
                   logs_lower_bound));

static struct trace_summary_reply summary_of(const struct tree_answer *a)
{
    const struct trace_tree *tree = &a->tree;
    const struct trace_node *root = &tree->nodes[tree->main];
    struct trace_summary_reply summary = {
        .root = trace_span_name(tree, tree->main),
        .root_endpoint = root->span->endpoint,
        .start_ns = tree->start_ns,
        .end_ns = tree->end_ns,
        .duration_ns = tree->end_ns - tree->start_ns,
        .root_ns = root->end_ns - root->start_ns,
        .spans = a->spans.count,
        .components = tree->component_count,
        .failed = tree->failed,
        .logs = a->logs.total,
        .logs_lower_bound = a->logs.is_lower_bound,
        .status = root->flags & NODE_FAILED ? "error" : "ok"};

    for (uint32_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].depth + 1 > summary.depth)
            summary.depth = tree->nodes[i].depth + 1;
    return summary;
}

/* ---- the whole ---- */

struct omitted_reply {
    uint64_t spans, unread, logs, attributes;
};
static const struct reply_table omitted_table = REPLY_TABLE(
    struct omitted_reply, REPLY(struct omitted_reply, "spans", spans),
    REPLY(struct omitted_reply, "unreadSpans", unread),
    REPLY(struct omitted_reply, "logs", logs),
    REPLY_OPTIONAL(struct omitted_reply, "attributes", attributes));

struct trace_reply {
    uint8_t trace_id[16];
    struct slice namespace, link;
    struct reply_list others, withheld;
    struct trace_summary_reply summary;
    struct trace_found found;
    struct reply_list spans, logs;
    struct omitted_reply omitted;
    int64_t took_ms;
};

const struct reply_table trace_tree_table = REPLY_TABLE(
    struct trace_reply, REPLY(struct trace_reply, "traceId", trace_id),
    REPLY(struct trace_reply, "namespace", namespace),
    REPLY_OPTIONAL_LIST(struct trace_reply, "otherNamespaces", others,
                        &reply_texts),
    REPLY_OPTIONAL(struct trace_reply, "link", link),
    REPLY_OPTIONAL_LIST(struct trace_reply, "withheld", withheld, &reply_texts),
    REPLY_OBJECT(struct trace_reply, "summary", summary, 0, &summary_table),
    REPLY_INLINE(struct trace_reply, found, 0, &trace_found_table),
    REPLY_LIST(struct trace_reply, "spans", spans, &tree_span_table),
    REPLY_LIST(struct trace_reply, "logs", logs, &log_line_table),
    REPLY_OBJECT(struct trace_reply, "omitted", omitted, 0, &omitted_table),
    REPLY(struct trace_reply, "tookMs", took_ms));

static struct slice link_of(const struct tree_answer *a)
{
    struct arena *arena = a->request->arena;
    const struct page_link link = {
        .page = "trace",
        .scope = {.namespace = a->spans.namespaces[0]},
        .id = hex_text(arena, a->spans.trace_id, sizeof(a->spans.trace_id))};

    return page_link_text(a->request, &link);
}

static uint64_t logs_left_out(const struct trace_logs *logs)
{
    return logs->total > logs->count ? logs->total - logs->count : 0;
}

void trace_reply(struct tree_answer *a)
{
    static const struct slice logs[] = {SLICE_INIT("logs")};
    struct tree_list *list = tree_list_new(a);
    struct trace_reply reply = {
        .namespace = a->spans.namespaces[0],
        .link = link_of(a),
        .others = {a->spans.other_count, a->spans.others, NULL, NULL},
        .withheld = {a->logs.withheld, logs, NULL, NULL},
        .summary = summary_of(a),
        .spans = {a->shown, NULL, trace_span_item, list},
        .logs = {a->logs.loose, NULL, trace_loose_log_item, list},
        .omitted = {a->tree.count - a->shown, a->spans.total - a->spans.count,
                    logs_left_out(&a->logs), a->attrs.left_out},
        .took_ms = query_took_ms(a->request)};

    memcpy(reply.trace_id, a->spans.trace_id, sizeof(reply.trace_id));
    if (list && trace_found_fill(&reply.found, a))
        reply_write(&a->request->json, &trace_tree_table, &reply);
}
