/*
 * What the store can filter of a query. Resources are tested one by one with
 * nothing known of their spans: those of which no span can match are left out,
 * whatever the condition on them is. Conditions that must hold for a span
 * (joined by &&) become filters of the store where it has them; all conditions
 * are tested on the spans of a trace again, so a filter may let more pass.
 */
#include <stdio.h>

#include "hex.h"
#include "tempo_search.h"

enum traceql_truth tempo_candidate(const struct traceql_set *set,
                                   const struct traceql_subject *subject)
{
    enum traceql_truth left, right;

    switch (set->relation) {
    case TRACEQL_FILTER:
        return traceql_test(set->filter, subject);
    case TRACEQL_BOTH:
        return tempo_candidate(set->left, subject);
    case TRACEQL_EITHER:
        left = tempo_candidate(set->left, subject);
        right = tempo_candidate(set->right, subject);
        return left == TRACEQL_NO ? right : left;
    default:
        return tempo_candidate(set->right, subject);
    }
}

/* ---- conditions ---- */

static bool is_label(struct slice name)
{
    return slice_equal(name, SLICE("operation")) ||
           slice_equal(name, SLICE("endpoint"));
}

static void want_attr(struct tempo_search *search, const struct traceql_expr *e)
{
    const struct traceql_value *value = &e->right->value;
    struct trace_query *wanted = &search->wanted;
    struct slice text = value->text;
    char number[24];

    if (e->left->field.scope != TRACEQL_SPAN || e->left->field.of_parent ||
        is_label(e->left->field.name) ||
        wanted->attr_count == sizeof(search->attrs) / sizeof(search->attrs[0]))
        return;
    if (value->type == TRACEQL_INT) {
        int len = snprintf(number, sizeof(number), "%lld", (long long)value->i);

        text = arena_copy(search->request->arena,
                          (struct slice){number, (size_t)len});
    } else if (value->type == TRACEQL_BOOL) {
        text = value->b ? SLICE("true") : SLICE("false");
    } else if (value->type != TRACEQL_STRING) {
        return;
    }
    search->attrs[wanted->attr_count++] =
        (struct attr_match){e->left->field.name, text};
    search->selective = true;
}

static void want_duration(struct trace_query *wanted, enum traceql_op op,
                          uint64_t ns)
{
    if (op == TRACEQL_EQUAL || op == TRACEQL_GREATER ||
        op == TRACEQL_GREATER_EQUAL)
        if (wanted->min_duration_ns < ns)
            wanted->min_duration_ns = ns;
    if ((op == TRACEQL_EQUAL || op == TRACEQL_LESS ||
         op == TRACEQL_LESS_EQUAL) &&
        ns > 0 &&
        (wanted->max_duration_ns == 0 || wanted->max_duration_ns > ns))
        wanted->max_duration_ns = ns;
}

static void want_intrinsic(struct tempo_search *search,
                           const struct traceql_expr *e)
{
    const struct traceql_value *value = &e->right->value;
    bool equal = e->op == TRACEQL_EQUAL;

    switch (e->left->field.intrinsic) {
    case TRACEQL_TRACE_DURATION:
        if (value->type == TRACEQL_DURATION)
            want_duration(&search->wanted, e->op, (uint64_t)value->i);
        break;
    case TRACEQL_SPAN_STATUS:
        if (equal && value->i == SPAN_ERROR)
            search->wanted.errors_only = true;
        break;
    case TRACEQL_SPAN_KIND:
        if (equal && search->kinds == 0)
            search->kinds = (uint8_t)(1u << value->i);
        break;
    case TRACEQL_TRACE_ID:
        if (equal && value->type == TRACEQL_STRING)
            search->one_trace = hex_trace_id(value->text, search->trace_id);
        break;
    default:
        break;
    }
}

/* Conditions that a span of every match must meet. */
static void want(struct tempo_search *search, const struct traceql_expr *e)
{
    if (!e || e->node != TRACEQL_BINARY)
        return;
    if (e->op == TRACEQL_AND) {
        want(search, e->left);
        want(search, e->right);
        return;
    }
    if (e->left->node != TRACEQL_FIELD || e->right->node != TRACEQL_LITERAL ||
        e->right->value.type == TRACEQL_NIL)
        return;
    if (e->left->field.scope == TRACEQL_INTRINSIC)
        want_intrinsic(search, e);
    else if (e->op == TRACEQL_EQUAL)
        want_attr(search, e);
}

/* The filter that a span of every match must pass; NULL: there is none. */
static const struct traceql_expr *must_pass(const struct traceql_set *set)
{
    while (set->relation != TRACEQL_FILTER) {
        if (set->relation == TRACEQL_EITHER)
            return NULL;
        set = set->relation == TRACEQL_BOTH ? set->left : set->right;
    }
    return set->filter;
}

/* ---- resources ---- */

static bool names_resources(const struct traceql *query)
{
    for (uint32_t i = 0; i < query->field_count; i++)
        if (query->fields[i].scope == TRACEQL_RESOURCE)
            return true;
    return false;
}

/* Memory of resources that were looked at, before it is freed: there may be far
 * more of them than a query has memory for. */
enum { LOOKED_AT = 256 * 1024 };

enum status tempo_each_resource(struct query_request *request,
                                const struct bitmap *set, uint32_t most,
                                tempo_resource_visit *visit, void *arg)
{
    struct registry *registry = request->services->registry;
    struct arena arena;
    enum status s = OK;

    arena_begin(&arena, request->arena);
    for (uint32_t id = set->limit; s == OK && id-- > 0 && most > 0;) {
        struct identity identity = {.rule = RULE_NONE};
        struct resource resource = {.id = RESOURCE_NONE};
        const struct traceql_subject subject = {.resource = &resource,
                                                .identity = &identity};

        if (!bitmap_has(set, id))
            continue;
        most--;
        (void)registry_resource_identity(registry, id, &arena, &identity);
        if (reader_resource(request->reader, id, &arena, &resource) != OK)
            resource = (struct resource){.id = RESOURCE_NONE};
        s = arena_status(&arena);
        if (s == OK)
            visit(arg, id, &subject);
        if (arena_size(&arena) > LOOKED_AT)
            arena_reset(&arena);
    }
    arena_release(&arena);
    return s;
}

/* Leaves out a resource none of whose spans can match. */
static void narrow(void *arg, uint32_t id,
                   const struct traceql_subject *subject)
{
    struct tempo_search *search = arg;
    enum traceql_truth may = tempo_candidate(search->query.first, subject);

    search->only_resources &= may != TRACEQL_MAYBE;
    if (may == TRACEQL_NO)
        bitmap_remove(search->resources, id);
}

static enum status select_resources(struct tempo_search *search)
{
    static const struct scope_filter all = {.unassigned = false};
    struct query_request *request = search->request;

    search->resources = registry_select(request->services->registry, &all,
                                        &request->viewer, request->arena);
    if (!search->resources)
        return arena_status(request->arena);
    if (names_resources(&search->query)) {
        search->only_resources = true;
        return tempo_each_resource(request, search->resources, UINT32_MAX,
                                   narrow, search);
    }
    search->only_resources =
        tempo_candidate(search->query.first,
                        &(struct traceql_subject){.span = NULL}) == TRACEQL_YES;
    return OK;
}

/* The list of traces knows their roots and times. */
static bool names_traces(const struct traceql *query)
{
    for (uint32_t i = 0; i < query->field_count; i++)
        if (traceql_is_of_trace(&query->fields[i]) &&
            query->fields[i].intrinsic != TRACEQL_SPAN_CHILD_COUNT)
            return true;
    return false;
}

static bool needs_attrs(const struct traceql *query)
{
    for (uint32_t i = 0; i < query->field_count; i++)
        if (query->fields[i].scope == TRACEQL_SPAN ||
            query->fields[i].scope == TRACEQL_ANY)
            return true;
    return false;
}

enum status tempo_plan(struct tempo_search *search)
{
    struct trace_query *wanted = &search->wanted;
    enum status s = params_visible(search->request, &search->visible);

    if (s != OK)
        return s;
    wanted->attrs = search->attrs;
    wanted->min_duration_ns = search->min_duration;
    wanted->max_duration_ns = search->max_duration;
    want(search, must_pass(search->query.first));
    search->needs_attrs = needs_attrs(&search->query);
    s = select_resources(search);
    wanted->resources = search->resources;
    wanted->visible = search->visible;
    wanted->start_ns = search->start_ns;
    wanted->end_ns = search->end_ns;
    search->selective |= search->only_resources ||
                         names_traces(&search->query) || wanted->errors_only ||
                         wanted->min_duration_ns > 0 ||
                         wanted->max_duration_ns > 0;
    return s;
}
