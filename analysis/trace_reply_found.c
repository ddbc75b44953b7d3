/* What stands out in a trace, as the answer shows it; see trace_reply.h. */
#include <stdlib.h>

#include "span_reply.h"
#include "trace_reply.h"

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

/* ---- components, operations of the critical path ---- */

struct component_reply {
    const struct identity *identity;
    uint32_t spans, failed;
    uint64_t self_ns, critical_ns;
    double self_percent, critical_percent;
};

static const struct reply_table names_table = REPLY_TABLE(
    struct identity, REPLY_OPTIONAL(struct identity, "project", project),
    REPLY_OPTIONAL(struct identity, "component", component),
    REPLY_OPTIONAL(struct identity, "environment", environment));

static const struct reply_table component_table = REPLY_TABLE(
    struct component_reply,
    REPLY_INLINE(struct component_reply, identity, REPLY_POINTER, &names_table),
    REPLY(struct component_reply, "spanCount", spans),
    REPLY(struct component_reply, "errorCount", failed),
    REPLY(struct component_reply, "selfTimeNs", self_ns),
    REPLY_ROUNDED(struct component_reply, "selfTimePercent", self_percent),
    REPLY(struct component_reply, "criticalPathNs", critical_ns),
    REPLY_ROUNDED(struct component_reply, "criticalPathPercent",
                  critical_percent));

struct step_reply {
    const struct identity *identity; /* NULL: hidden, or missing */
    struct slice operation;
    const char *kind;
    uint32_t spans;
    uint64_t critical_ns;
    double percent;
};

static const struct reply_table step_table = REPLY_TABLE(
    struct step_reply,
    REPLY_INLINE(struct step_reply, identity, REPLY_POINTER, &names_table),
    REPLY(struct step_reply, "spanName", operation),
    REPLY_OPTIONAL(struct step_reply, "spanKind", kind),
    REPLY(struct step_reply, "spanCount", spans),
    REPLY(struct step_reply, "durationNs", critical_ns),
    REPLY_ROUNDED(struct step_reply, "percent", percent));

/* ---- errors ---- */

struct trace_error_reply {
    struct span_name span;
    int64_t offset_ns; /* of its end */
    struct slice message, exception_type, exception_message;
    struct reply_list path;
    bool reaches_root;
};

static const struct reply_table trace_error_table = REPLY_TABLE(
    struct trace_error_reply,
    REPLY_INLINE(struct trace_error_reply, span, 0, &span_name_table),
    REPLY(struct trace_error_reply, "offsetNs", offset_ns),
    REPLY_OPTIONAL(struct trace_error_reply, "message", message),
    REPLY_OPTIONAL(struct trace_error_reply, "exceptionType", exception_type),
    REPLY_OPTIONAL(struct trace_error_reply, "exceptionMessage",
                   exception_message),
    REPLY(struct trace_error_reply, "reachesRoot", reaches_root),
    REPLY_LIST(struct trace_error_reply, "path", path, &span_name_table));

/* ---- repeated calls ---- */

struct repeat_reply {
    struct span_name first, parent;
    uint32_t count, failed;
    uint64_t total_ns, wall_ns;
    double percent;
};

static const struct reply_table repeat_table = REPLY_TABLE(
    struct repeat_reply,
    REPLY_INLINE(struct repeat_reply, first, 0, &span_name_table),
    REPLY_OBJECT(struct repeat_reply, "parent", parent, 0, &span_name_table),
    REPLY(struct repeat_reply, "count", count),
    REPLY(struct repeat_reply, "errorCount", failed),
    REPLY(struct repeat_reply, "totalNs", total_ns),
    REPLY(struct repeat_reply, "wallNs", wall_ns),
    REPLY_ROUNDED(struct repeat_reply, "percent", percent));

/* ---- clocks ---- */

struct skew_reply {
    struct span_name span;
    struct slice pod, parent_component, parent_pod;
    int64_t offset_ns;
    uint32_t spans;
};

static const struct reply_table skew_table = REPLY_TABLE(
    struct skew_reply,
    REPLY_INLINE(struct skew_reply, span, 0, &span_name_table),
    REPLY_OPTIONAL(struct skew_reply, "podName", pod),
    REPLY_OPTIONAL(struct skew_reply, "parentComponent", parent_component),
    REPLY_OPTIONAL(struct skew_reply, "parentPodName", parent_pod),
    REPLY(struct skew_reply, "offsetNs", offset_ns),
    REPLY(struct skew_reply, "spanCount", spans));

/* ---- lists of what was found ---- */

enum { SKEWS_MAX = 10, PATH_MAX_SPANS = 50, REMARKS_MAX = 8 };

struct findings_list {
    struct tree_answer *answer;
    const struct trace_component **components; /* the most self time first */
    uint64_t self_ns;                          /* of all */
    struct {
        uint32_t node, spans;
    } skews[SKEWS_MAX];
    uint32_t skew_count;
    struct slice remarks[REMARKS_MAX];
    uint32_t remark_count;
    /* Of one item. */
    struct component_reply component;
    struct step_reply step;
    struct trace_error_reply error;
    struct repeat_reply repeat;
    struct skew_reply skew;
    struct span_name path[PATH_MAX_SPANS];
};

static struct slice pod_of(struct query_request *request,
                           const struct trace_node *node)
{
    const struct resource_info *info =
        reply_resource(request, node->span->resource_id);

    return info ? trace_pod(info) : SLICE("");
}

static int most_time(const void *left, const void *right)
{
    const struct trace_component *a =
        *(const struct trace_component *const *)left;
    const struct trace_component *b =
        *(const struct trace_component *const *)right;

    if (a->self_ns != b->self_ns)
        return a->self_ns > b->self_ns ? -1 : 1;
    return identity_compare(a->identity, b->identity);
}

static void sort_components(struct findings_list *list)
{
    const struct trace_tree *tree = &list->answer->tree;

    list->components =
        arena_alloc(list->answer->request->arena,
                    tree->component_count * sizeof(*list->components));
    if (!list->components)
        return;
    for (uint32_t i = 0; i < tree->component_count; i++) {
        list->components[i] = &tree->components[i];
        list->self_ns += tree->components[i].self_ns;
    }
    qsort(list->components, tree->component_count, sizeof(*list->components),
          most_time);
}

/* One of each pair of senders; the first SKEWS_MAX of them. */
static void add_skew(struct findings_list *list, uint32_t at)
{
    const struct trace_node *nodes = list->answer->tree.nodes;
    uint32_t i = 0;

    while (i < list->skew_count) {
        const struct trace_node *known = &nodes[list->skews[i].node];

        if (known->span->resource_id == nodes[at].span->resource_id &&
            nodes[known->parent].span->resource_id ==
                nodes[nodes[at].parent].span->resource_id)
            break;
        i++;
    }
    if (i == SKEWS_MAX)
        return;
    if (i == list->skew_count) {
        list->skews[i].node = at;
        list->skews[i].spans = 0;
        list->skew_count++;
    }
    list->skews[i].spans++;
    if (llabs(nodes[at].offset_ns) >
        llabs(nodes[list->skews[i].node].offset_ns))
        list->skews[i].node = at;
}

static void remark(struct findings_list *list, uint64_t count, const char *one,
                   const char *many)
{
    struct arena *arena = list->answer->request->arena;

    if (count > 0 && list->remark_count < REMARKS_MAX)
        list->remarks[list->remark_count++] =
            arena_format(arena, "%llu %s", (unsigned long long)count,
                         count == 1 ? one : many);
}

/* What is wrong with the trace itself. */
static void add_remarks(struct findings_list *list)
{
    const struct tree_answer *a = list->answer;
    const struct trace_tree *tree = &a->tree;

    remark(list, tree->missing,
           "parent span was not received: its children are shown below "
           "[missing span]",
           "parent spans were not received: their children are shown below "
           "[missing span]");
    remark(list, tree->roots > 1 ? tree->roots : 0, "root span",
           "root spans: the critical path is that of the first one without a "
           "parent");
    remark(list, tree->cycles, "span is its own ancestor: shown as a root",
           "spans are their own ancestors: shown as roots");
    remark(list, tree->duplicates, "span has the id of another one",
           "spans have the id of another one");
    remark(list, tree->skewed,
           "span has a clock that differs from that of its parent: computed "
           "without the difference, shown as sent",
           "spans have a clock that differs from that of their parent: "
           "computed without the difference, shown as sent");
    remark(list, a->spans.total - a->spans.count,
           "span is beyond what is read of one trace: the earliest ones are "
           "shown",
           "spans are beyond what is read of one trace: the earliest ones are "
           "shown");
}

/* ---- items ---- */

static uint64_t root_ns(const struct trace_tree *tree)
{
    const struct trace_node *root = &tree->nodes[tree->main];

    return root->end_ns - root->start_ns;
}

static const void *fill_component(void *arg, uint32_t i)
{
    struct findings_list *list = arg;
    const struct trace_tree *tree = &list->answer->tree;
    const struct trace_component *component = list->components[i];

    list->component = (struct component_reply){
        .identity = component->identity,
        .spans = component->spans,
        .failed = component->failed,
        .self_ns = component->self_ns,
        .critical_ns = component->critical_ns,
        .self_percent = percent(component->self_ns, list->self_ns),
        .critical_percent = percent(component->critical_ns, root_ns(tree))};
    return &list->component;
}

static const void *fill_step(void *arg, uint32_t i)
{
    struct findings_list *list = arg;
    const struct trace_step *step = &list->answer->findings.steps[i];

    list->step = (struct step_reply){
        .identity = step->identity,
        .operation = step->span->name,
        .kind = span_kind_name(step->span->kind),
        .spans = step->spans,
        .critical_ns = step->critical_ns,
        .percent = percent(step->critical_ns, root_ns(&list->answer->tree))};
    return &list->step;
}

/* From the span upward, as far as those above failed, too. What may not be seen
 * is passed. */
static void add_path(struct findings_list *list, uint32_t at)
{
    const struct trace_tree *tree = &list->answer->tree;
    uint32_t count = 0;

    list->error.reaches_root = tree->nodes[at].parent == TRACE_NONE;
    for (at = tree->nodes[at].parent; at != TRACE_NONE;
         at = tree->nodes[at].parent) {
        const struct trace_node *node = &tree->nodes[at];

        if (!(node->flags & (NODE_FAILED | NODE_HIDDEN | NODE_MISSING)))
            break;
        if (node->flags & NODE_FAILED && count < PATH_MAX_SPANS)
            list->path[count++] = trace_span_name(tree, at);
        list->error.reaches_root =
            node->parent == TRACE_NONE && node->flags & NODE_FAILED;
    }
    list->error.path = (struct reply_list){count, list->path, NULL, NULL};
}

static const void *fill_error(void *arg, uint32_t i)
{
    struct findings_list *list = arg;
    const struct trace_tree *tree = &list->answer->tree;
    uint32_t at = list->answer->findings.origins[i];
    const struct trace_node *node = &tree->nodes[at];

    list->error = (struct trace_error_reply){
        .span = trace_span_name(tree, at),
        .offset_ns = (int64_t)(node->span->end_ns - tree->start_ns),
        .message = node->span->status_message};
    if (node->extra) {
        list->error.exception_type = node->extra->exception_type;
        list->error.exception_message = node->extra->exception_message;
    }
    add_path(list, at);
    return &list->error;
}

static const void *fill_repeat(void *arg, uint32_t i)
{
    struct findings_list *list = arg;
    const struct trace_tree *tree = &list->answer->tree;
    const struct trace_repeat *repeat = &list->answer->findings.repeats[i];

    list->repeat = (struct repeat_reply){
        .first = trace_span_name(tree, repeat->first),
        .parent = trace_span_name(tree, repeat->parent),
        .count = repeat->count,
        .failed = repeat->failed,
        .total_ns = repeat->total_ns,
        .wall_ns = repeat->wall_ns,
        .percent = percent(repeat->wall_ns, root_ns(tree))};
    return &list->repeat;
}

static const void *fill_skew(void *arg, uint32_t i)
{
    struct findings_list *list = arg;
    const struct trace_tree *tree = &list->answer->tree;
    uint32_t at = list->skews[i].node, parent = tree->nodes[at].parent;

    list->skew = (struct skew_reply){
        .span = trace_span_name(tree, at),
        .pod = pod_of(list->answer->request, &tree->nodes[at]),
        .parent_component = trace_span_name(tree, parent).component,
        .parent_pod = pod_of(list->answer->request, &tree->nodes[parent]),
        .offset_ns = tree->nodes[at].offset_ns,
        .spans = list->skews[i].spans};
    return &list->skew;
}

bool trace_found_fill(struct trace_found *found, struct tree_answer *a)
{
    struct arena *arena = a->request->arena;
    struct findings_list *list = arena_zero(arena, 1, sizeof(*list));
    const struct trace_findings *f = &a->findings;

    if (!list)
        return false;
    list->answer = a;
    sort_components(list);
    for (uint32_t i = 0; i < a->tree.count; i++)
        if (a->tree.nodes[i].flags & NODE_SKEWED)
            add_skew(list, i);
    add_remarks(list);
    *found = (struct trace_found){
        .components = {a->tree.component_count, NULL, fill_component, list},
        .steps = {f->step_count, NULL, fill_step, list},
        .errors = {f->origin_count, NULL, fill_error, list},
        .repeats = {f->repeat_count, NULL, fill_repeat, list},
        .skews = {list->skew_count, NULL, fill_skew, list},
        .remarks = {list->remark_count, list->remarks, NULL, NULL}};
    return arena_status(arena) == OK;
}

const struct reply_table trace_found_table = REPLY_TABLE(
    struct trace_found,
    REPLY_LIST(struct trace_found, "remarks", remarks, &reply_texts),
    REPLY_LIST(struct trace_found, "components", components, &component_table),
    REPLY_LIST(struct trace_found, "criticalPath", steps, &step_table),
    REPLY_LIST(struct trace_found, "errors", errors, &trace_error_table),
    REPLY_LIST(struct trace_found, "repeated", repeats, &repeat_table),
    REPLY_LIST(struct trace_found, "clockSkew", skews, &skew_table));
