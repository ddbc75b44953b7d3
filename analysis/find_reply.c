/* The answer of GET /api/v1/traces; see find_traces.h. */
#include "empty_reply.h"
#include "find_traces.h"
#include "page_link.h"
#include "span_reply.h"

/* ---- parts ---- */

struct failing_reply {
    struct slice project, component, name, message, exception_type;
    uint8_t span_id[8];
};

static const struct reply_table failing_table = REPLY_TABLE(
    struct failing_reply, REPLY(struct failing_reply, "spanId", span_id),
    REPLY_OPTIONAL(struct failing_reply, "project", project),
    REPLY_OPTIONAL(struct failing_reply, "component", component),
    REPLY(struct failing_reply, "spanName", name),
    REPLY_OPTIONAL(struct failing_reply, "message", message),
    REPLY_OPTIONAL(struct failing_reply, "exceptionType", exception_type));

struct root_reply {
    struct slice project, component, environment, name;
};

static const struct reply_table root_table = REPLY_TABLE(
    struct root_reply, REPLY(struct root_reply, "rootSpanName", name),
    REPLY_OPTIONAL(struct root_reply, "rootProject", project),
    REPLY_OPTIONAL(struct root_reply, "rootComponent", component),
    REPLY_OPTIONAL(struct root_reply, "rootEnvironment", environment));

struct group_reply {
    struct root_reply root;
    const char *status;
    const struct failing_reply *failing; /* NULL: left out */
    uint32_t count;
    double percent;
    uint64_t p50_ns, p99_ns, max_ns, oldest_ns, newest_ns;
    uint8_t example[16], slowest[16];
};

static const struct reply_table group_table = REPLY_TABLE(
    struct group_reply, REPLY_INLINE(struct group_reply, root, 0, &root_table),
    REPLY(struct group_reply, "status", status),
    REPLY_OBJECT(struct group_reply, "failing", failing, REPLY_POINTER,
                 &failing_table),
    REPLY(struct group_reply, "count", count),
    REPLY_ROUNDED(struct group_reply, "percent", percent),
    REPLY(struct group_reply, "p50Ns", p50_ns),
    REPLY(struct group_reply, "p99Ns", p99_ns),
    REPLY(struct group_reply, "maxNs", max_ns),
    REPLY_TIME(struct group_reply, "firstSeen", oldest_ns),
    REPLY_TIME(struct group_reply, "lastSeen", newest_ns),
    REPLY(struct group_reply, "exampleTraceId", example),
    REPLY(struct group_reply, "slowestTraceId", slowest));

struct outlier_reply {
    uint8_t trace_id[16];
    struct root_reply root;
    uint64_t start_ns, duration_ns, median_ns;
    double times;
    uint32_t of;
};

static const struct reply_table outlier_table = REPLY_TABLE(
    struct outlier_reply, REPLY(struct outlier_reply, "traceId", trace_id),
    REPLY_INLINE(struct outlier_reply, root, 0, &root_table),
    REPLY_TIME(struct outlier_reply, "startTime", start_ns),
    REPLY(struct outlier_reply, "durationNs", duration_ns),
    REPLY(struct outlier_reply, "medianNs", median_ns),
    REPLY_ROUNDED(struct outlier_reply, "timesMedian", times),
    REPLY(struct outlier_reply, "ofTraces", of));

struct listed_reply {
    uint8_t trace_id[16], root_id[8];
    struct root_reply root;
    const char *kind;
    uint64_t start_ns, duration_ns;
    uint32_t spans;
    bool failed;
    const struct failing_reply *failing;
};

static const struct reply_table listed_table = REPLY_TABLE(
    struct listed_reply, REPLY(struct listed_reply, "traceId", trace_id),
    REPLY_INLINE(struct listed_reply, root, 0, &root_table),
    REPLY(struct listed_reply, "rootSpanId", root_id),
    REPLY_OPTIONAL(struct listed_reply, "rootSpanKind", kind),
    REPLY_TIME(struct listed_reply, "startTime", start_ns),
    REPLY(struct listed_reply, "durationNs", duration_ns),
    REPLY(struct listed_reply, "spanCount", spans),
    REPLY(struct listed_reply, "hasErrors", failed),
    REPLY_OBJECT(struct listed_reply, "failing", failing, REPLY_POINTER,
                 &failing_table));

/* ---- the whole ---- */

struct find_window {
    uint64_t start_ns, end_ns;
};
static const struct reply_table window_table = REPLY_TABLE(
    struct find_window, REPLY_TIME(struct find_window, "startTime", start_ns),
    REPLY_TIME(struct find_window, "endTime", end_ns));

struct find_summary {
    uint64_t total, failed_examined;
    bool is_lower_bound;
    uint32_t examined, failed, groups;
    uint64_t examined_from_ns;
    struct reply_list list, outliers;
};

static const struct reply_table find_summary_table = REPLY_TABLE(
    struct find_summary, REPLY(struct find_summary, "total", total),
    REPLY_OPTIONAL(struct find_summary, "totalIsLowerBound", is_lower_bound),
    REPLY(struct find_summary, "examined", examined),
    REPLY_OPTIONAL_TIME(struct find_summary, "examinedFrom", examined_from_ns),
    REPLY(struct find_summary, "failed", failed),
    REPLY(struct find_summary, "failedExamined", failed_examined),
    REPLY(struct find_summary, "groupCount", groups),
    REPLY_LIST(struct find_summary, "groups", list, &group_table),
    REPLY_LIST(struct find_summary, "outliers", outliers, &outlier_table));

struct find_answer {
    struct find_window window;
    struct slice link;
    struct find_summary summary;
    const char *sorted_by;
    bool exact, more;
    struct reply_list traces;
    const struct empty_reply *empty; /* NULL: left out */
    int64_t took_ms;
};

const struct reply_table found_traces_table = REPLY_TABLE(
    struct find_answer,
    REPLY_OBJECT(struct find_answer, "window", window, 0, &window_table),
    REPLY_OPTIONAL(struct find_answer, "link", link),
    REPLY_OBJECT(struct find_answer, "summary", summary, 0,
                 &find_summary_table),
    REPLY(struct find_answer, "sortBy", sorted_by),
    REPLY(struct find_answer, "exact", exact),
    REPLY(struct find_answer, "more", more),
    REPLY_LIST(struct find_answer, "traces", traces, &listed_table),
    REPLY_OBJECT(struct find_answer, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY(struct find_answer, "tookMs", took_ms));

/* ---- items ---- */

struct find_items {
    const struct found_traces *found;
    struct group_reply group;
    struct outlier_reply outlier;
    struct listed_reply listed;
    struct failing_reply failing;
};

static struct root_reply root_of(const struct found_trace *trace)
{
    return (struct root_reply){trace->root->project, trace->root->component,
                               trace->root->environment,
                               trace->summary.root_name};
}

/* NULL: it did not fail, or was not looked into. */
static const struct failing_reply *failing_of(struct find_items *items,
                                              const struct found_trace *trace,
                                              struct slice exception)
{
    if (trace->failing_name.len == 0)
        return NULL;
    items->failing = (struct failing_reply){.name = trace->failing_name,
                                            .message = trace->failing_message,
                                            .exception_type = exception};
    if (trace->failing) {
        items->failing.project = trace->failing->project;
        items->failing.component = trace->failing->component;
    }
    memcpy(items->failing.span_id, trace->failing_id, 8);
    return &items->failing;
}

static const void *group_item(void *arg, uint32_t i)
{
    struct find_items *items = arg;
    const struct trace_group *g = &items->found->groups[i];

    items->group = (struct group_reply){
        .root = root_of(g->first),
        .status = g->first->summary.has_errors ? "error" : "ok",
        .failing = failing_of(items, g->first, g->exception_type),
        .count = g->count,
        .percent =
            100.0 * (double)g->count / (double)items->found->examined_count,
        .p50_ns = g->p50_ns,
        .p99_ns = g->p99_ns,
        .max_ns = g->slowest->duration_ns,
        .oldest_ns = g->oldest_ns,
        .newest_ns = g->newest_ns};
    memcpy(items->group.example, g->first->summary.trace_id, 16);
    memcpy(items->group.slowest, g->slowest->summary.trace_id, 16);
    return &items->group;
}

static const void *outlier_item(void *arg, uint32_t i)
{
    struct find_items *items = arg;
    const struct trace_outlier *o = &items->found->outliers[i];

    items->outlier = (struct outlier_reply){
        .root = root_of(o->trace),
        .start_ns = o->trace->summary.start_ns,
        .duration_ns = o->trace->duration_ns,
        .median_ns = o->median_ns,
        .times = (double)o->trace->duration_ns /
                 (double)(o->median_ns > 0 ? o->median_ns : 1),
        .of = o->of};
    memcpy(items->outlier.trace_id, o->trace->summary.trace_id, 16);
    return &items->outlier;
}

static const void *listed_item(void *arg, uint32_t i)
{
    struct find_items *items = arg;
    const struct found_trace *trace = &items->found->listed[i];
    const struct trace_summary *summary = &trace->summary;

    items->listed =
        (struct listed_reply){.root = root_of(trace),
                              .kind = span_kind_name(summary->root_kind),
                              .start_ns = summary->start_ns,
                              .duration_ns = trace->duration_ns,
                              .spans = summary->span_count,
                              .failed = summary->has_errors,
                              .failing = failing_of(items, trace, SLICE(""))};
    memcpy(items->listed.trace_id, summary->trace_id, 16);
    memcpy(items->listed.root_id, summary->root_span_id, 8);
    return &items->listed;
}

/* ---- writing ---- */

static struct find_summary summary_of(const struct found_traces *f,
                                      struct find_items *items)
{
    struct find_summary summary = {
        .total = f->total,
        .is_lower_bound = f->is_lower_bound,
        .examined = f->examined_count,
        .failed = f->failures,
        .failed_examined = f->failures_examined,
        .groups = f->group_total,
        .list = {f->group_count, NULL, group_item, items},
        .outliers = {f->outlier_count, NULL, outlier_item, items}};

    if (f->total > f->examined_count && f->examined_count > 0)
        summary.examined_from_ns =
            f->examined[f->examined_count - 1].summary.start_ns;
    return summary;
}

static const struct empty_reply *empty_of(const struct found_traces *f)
{
    if (f->listed_count > 0)
        return NULL;
    return empty_reply_of(f->request,
                          &(struct empty_of){.scope = f->scope,
                                             .start_ns = f->query.start_ns,
                                             .end_ns = f->query.end_ns,
                                             .what = "traces",
                                             .signal = SIGNAL_SPANS,
                                             .filtered = f->filtered});
}

void find_traces_reply(struct found_traces *f)
{
    struct find_items *items = arena_zero(f->request->arena, 1, sizeof(*items));
    const struct page_link link = {.page = "traces",
                                   .scope = f->scope,
                                   .start_ns = f->query.start_ns,
                                   .end_ns = f->query.end_ns};

    if (!items)
        return;
    items->found = f;
    const struct find_answer answer = {
        .window = {f->query.start_ns, f->query.end_ns},
        .link = page_link_text(f->request, &link),
        .summary = summary_of(f, items),
        .sorted_by = f->by_duration ? "duration" : "time",
        .exact = f->exact,
        .more = f->more,
        .traces = {f->listed_count, NULL, listed_item, items},
        .empty = empty_of(f),
        .took_ms = query_took_ms(f->request)};
    reply_write(&f->request->json, &found_traces_table, &answer);
}
