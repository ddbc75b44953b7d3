/* Spans and log records in the answer about a trace. */
#include "log_reply.h"
#include "span_reply.h"
#include "trace_reply.h"

struct span_name trace_span_name(const struct trace_tree *tree, uint32_t at)
{
    const struct trace_node *node = &tree->nodes[at];
    struct span_name name = {.operation = node->span->name,
                             .kind = span_kind_name(node->span->kind)};

    memcpy(name.span_id, node->span->span_id, sizeof(name.span_id));
    if (node->component != TRACE_NONE) {
        const struct identity *identity =
            tree->components[node->component].identity;

        name.project = identity->project;
        name.component = identity->component;
    }
    return name;
}

const struct reply_table span_name_table =
    REPLY_TABLE(struct span_name, REPLY(struct span_name, "spanId", span_id),
                REPLY_OPTIONAL(struct span_name, "project", project),
                REPLY_OPTIONAL(struct span_name, "component", component),
                REPLY(struct span_name, "spanName", operation),
                REPLY_OPTIONAL(struct span_name, "spanKind", kind));

/* ---- spans ---- */

struct trace_log_line {
    uint64_t time_ns;
    int64_t offset_ns;
    uint8_t span_id[8];
    const char *level;
    struct slice component, text;
};

const struct reply_table log_line_table =
    REPLY_TABLE(struct trace_log_line,
                REPLY_TIME(struct trace_log_line, "timestamp", time_ns),
                REPLY(struct trace_log_line, "offsetNs", offset_ns),
                REPLY(struct trace_log_line, "level", level),
                REPLY_OPTIONAL(struct trace_log_line, "spanId", span_id),
                REPLY_OPTIONAL(struct trace_log_line, "component", component),
                REPLY(struct trace_log_line, "log", text));

struct tree_span_status {
    const char *code;
    struct slice message;
};
static const struct reply_table tree_status_table = REPLY_TABLE(
    struct tree_span_status, REPLY(struct tree_span_status, "code", code),
    REPLY_OPTIONAL(struct tree_span_status, "message", message));

static const struct reply_table tree_link_table =
    REPLY_TABLE(struct span_link, REPLY(struct span_link, "traceId", trace_id),
                REPLY(struct span_link, "spanId", span_id));

struct tree_span {
    struct span_name name;
    struct slice namespace, environment, pod, endpoint, operation;
    uint8_t parent_id[8];
    uint32_t depth, children, omitted;
    struct tree_span_status status;
    uint64_t start_ns, duration_ns, self_ns, critical_ns;
    int64_t offset_ns, skew_ns;
    bool critical, missing, orphan, cycle, duplicate, async, hidden, origin;
    const struct attrs *attrs;
    struct reply_list links, logs;
};

const struct reply_table tree_span_table = REPLY_TABLE(
    struct tree_span, REPLY_INLINE(struct tree_span, name, 0, &span_name_table),
    REPLY_OPTIONAL(struct tree_span, "parentSpanId", parent_id),
    REPLY(struct tree_span, "depth", depth),
    REPLY_OPTIONAL(struct tree_span, "namespace", namespace),
    REPLY_OPTIONAL(struct tree_span, "environment", environment),
    REPLY_OPTIONAL(struct tree_span, "podName", pod),
    REPLY_OPTIONAL(struct tree_span, "endpoint", endpoint),
    REPLY_OPTIONAL(struct tree_span, "operation", operation),
    REPLY_OBJECT(struct tree_span, "status", status, 0, &tree_status_table),
    REPLY_TIME(struct tree_span, "startTime", start_ns),
    REPLY(struct tree_span, "offsetNs", offset_ns),
    REPLY(struct tree_span, "durationNs", duration_ns),
    REPLY(struct tree_span, "selfTimeNs", self_ns),
    REPLY(struct tree_span, "criticalPathNs", critical_ns),
    REPLY_OPTIONAL(struct tree_span, "onCriticalPath", critical),
    REPLY_OPTIONAL(struct tree_span, "errorOrigin", origin),
    REPLY_OPTIONAL(struct tree_span, "asynchronous", async),
    REPLY_OPTIONAL(struct tree_span, "missing", missing),
    REPLY_OPTIONAL(struct tree_span, "orphan", orphan),
    REPLY_OPTIONAL(struct tree_span, "parentCycle", cycle),
    REPLY_OPTIONAL(struct tree_span, "duplicateId", duplicate),
    REPLY_OPTIONAL(struct tree_span, "hidden", hidden),
    REPLY_OPTIONAL(struct tree_span, "clockOffsetNs", skew_ns),
    REPLY(struct tree_span, "childCount", children),
    REPLY_OPTIONAL(struct tree_span, "omittedSpans", omitted),
    REPLY_ATTRS(struct tree_span, "attributes", attrs),
    REPLY_OPTIONAL_LIST(struct tree_span, "links", links, &tree_link_table),
    REPLY_OPTIONAL_LIST(struct tree_span, "logs", logs, &log_line_table));

/* ---- log records ---- */

static const struct trace_log_line *fill_line(const struct tree_list *list,
                                              const struct log_record *log)
{
    const struct tree_answer *answer = list->answer;
    const struct identity *identity =
        reply_resource_identity(answer->request, log->resource_id);

    *list->line = (struct trace_log_line){
        .time_ns = log->time_ns,
        .offset_ns = (int64_t)(log->time_ns - answer->tree.start_ns),
        .level = log_level_name(log->level),
        .text = reply_value_text(answer->request, &log->body)};
    memcpy(list->line->span_id, log->span_id, sizeof(list->line->span_id));
    if (identity)
        list->line->component = identity->component;
    return list->line;
}

static const void *log_item(void *arg, uint32_t i)
{
    const struct tree_list *list = arg;

    return fill_line(list, &list->answer->logs.logs[list->first_log + i]);
}

const void *trace_loose_log_item(void *arg, uint32_t i)
{
    const struct tree_list *list = arg;

    return fill_line(list, &list->answer->logs.logs[i]);
}

/* ---- spans ---- */

static const char *status_of(const struct trace_node *node)
{
    if (node->flags & NODE_FAILED)
        return "error";
    return node->span->status == SPAN_OK ? "ok" : "unset";
}

static void add_flags(struct tree_span *to, const struct trace_node *node)
{
    to->critical = node->flags & NODE_CRITICAL;
    to->origin = node->flags & NODE_ORIGIN;
    to->async = node->flags & NODE_ASYNC;
    to->missing = node->flags & NODE_MISSING;
    to->orphan = node->flags & NODE_ORPHAN;
    to->cycle = node->flags & NODE_CYCLE;
    to->duplicate = node->flags & NODE_DUPLICATE;
    to->hidden = node->flags & NODE_HIDDEN;
}

struct slice trace_pod(const struct resource_info *info)
{
    static const struct attrs none = {NULL, 0, 0};

    return reply_attr(&none, info, "k8s.pod.name");
}

/* Its namespace only if it is another one. */
static void add_sender(struct tree_span *to, const struct tree_answer *answer,
                       const struct trace_node *node)
{
    struct query_request *request = answer->request;
    const struct resource_info *info;

    if (node->flags & (NODE_MISSING | NODE_HIDDEN))
        return;
    info = reply_resource(request, node->span->resource_id);
    if (!info)
        return;
    to->environment = info->identity.environment;
    if (!slice_equal(info->identity.namespace, answer->spans.namespaces[0]))
        to->namespace = info->identity.namespace;
    to->pod = trace_pod(info);
}

const void *trace_span_item(void *arg, uint32_t i)
{
    struct tree_list *list = arg;
    const struct trace_tree *tree = &list->answer->tree;
    uint32_t at = list->shown[i];
    const struct trace_node *node = &tree->nodes[at];
    const struct trace_span *span = node->span;
    struct tree_span *to = list->span;

    *to = (struct tree_span){.name = trace_span_name(tree, at),
                             .endpoint = span->endpoint,
                             .operation = span->operation,
                             .depth = node->depth,
                             .children = node->children,
                             .omitted = node->omitted,
                             .status = {status_of(node), span->status_message},
                             .start_ns = span->start_ns,
                             .offset_ns =
                                 (int64_t)(span->start_ns - tree->start_ns),
                             .duration_ns = span->end_ns - span->start_ns,
                             .self_ns = node->self_ns,
                             .critical_ns = node->critical_ns,
                             .skew_ns = node->offset_ns};
    memcpy(to->parent_id, span->parent_span_id, sizeof(to->parent_id));
    add_flags(to, node);
    add_sender(to, list->answer, node);
    if (node->extra) {
        to->attrs = list->answer->attrs.wanted == ATTRS_NONE
                        ? NULL
                        : &node->extra->attrs;
        to->links = (struct reply_list){node->extra->link_count,
                                        node->extra->links, NULL, NULL};
    }
    list->first_log = node->first_log;
    to->logs = (struct reply_list){node->log_count, NULL, log_item, list};
    return to;
}

struct tree_list *tree_list_new(struct tree_answer *answer)
{
    struct arena *arena = answer->request->arena;
    struct tree_list *list = arena_zero(arena, 1, sizeof(*list));
    uint32_t count = 0;

    if (!list)
        return NULL;
    list->answer = answer;
    list->span = arena_zero(arena, 1, sizeof(*list->span));
    list->line = arena_zero(arena, 1, sizeof(*list->line));
    list->shown = arena_alloc(arena, answer->shown * sizeof(*list->shown));
    if (!list->span || !list->line || !list->shown)
        return NULL;
    for (uint32_t i = 0; i < answer->tree.count && count < answer->shown; i++)
        if (answer->tree.nodes[i].flags & NODE_SHOWN)
            list->shown[count++] = i;
    return list;
}
