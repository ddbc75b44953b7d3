/*
 * Reads and checks the scope and the members of the JSON body; see params.h. A
 * member that is null counts as absent.
 */
#include "params_int.h"

#include <inttypes.h>

enum { LIMIT_DEFAULT = 100 };

/* NULL if absent or null. */
static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static struct slice text_of(const json_t *value)
{
    return slice_trim(json_text_of(value), PARAMS_BLANKS);
}

/* A member that must be a text if it is there; prefix "" or "searchScope." */
static struct slice text_member(struct query_request *request,
                                const json_t *object, const char *prefix,
                                const char *name)
{
    const json_t *value = member(object, name);

    if (value && !json_is_string(value))
        query_invalid(request, "%s%s must be a string", prefix, name);
    return text_of(value);
}

static struct slice body_text(struct query_request *request, const char *name)
{
    return text_member(request, request->body, "", name);
}

/* ---- searchScope ---- */

static struct slice scope_member(struct query_request *request,
                                 const json_t *object, const char *name,
                                 bool required)
{
    struct slice text = text_member(request, object, "searchScope.", name);

    if (required && text.len == 0)
        query_invalid(request, "searchScope.%s is required", name);
    return text;
}

static void workflow_scope(struct query_request *request, const json_t *object,
                           int flags, struct scope_filter *scope)
{
    static const char *const others[] = {"project", "component", "environment"};

    if (!(flags & SCOPE_WORKFLOW))
        query_invalid(request,
                      "searchScope.workflowRunName is not allowed here; "
                      "allowed: namespace, project, component, environment");
    for (size_t i = 0; i < 3; i++)
        if (member(object, others[i]))
            query_invalid(request,
                          "searchScope.%s must not be combined with "
                          "searchScope.workflowRunName",
                          others[i]);
    scope->workflow_run =
        scope_member(request, object, "workflowRunName", true);
    scope->task = scope_member(request, object, "taskName", false);
}

static void component_scope(struct query_request *request, const json_t *object,
                            int flags, struct scope_filter *scope)
{
    scope->component = scope_member(request, object, "component", false);
    scope->project = scope_member(request, object, "project", false);
    if (scope->component.len > 0 && scope->project.len == 0)
        query_invalid(request, "searchScope.project is required when "
                               "searchScope.component is provided");
    if (flags & SCOPE_NEEDS_PROJECT && scope->project.len == 0)
        query_invalid(request, "searchScope.project is required");
    scope->environment =
        scope_member(request, object, "environment", flags & SCOPE_NEEDS_ENV);
}

/* The authorization service may know what the grants do not cover. OK: it
 * does. */
static enum status ask_service(struct query_request *request,
                               enum action action,
                               const union scope_names *names, const char **why)
{
    enum status status;

    if (!request->asker)
        return ERR_FORBIDDEN;
    status = access_decide(request->services->access, request->asker, action,
                           names, request->waiter, why);
    request->waits = status == ERR_BUSY;
    if (status == OK)
        query_request_subject(request, *request->asker);
    return status;
}

static union scope_names names_of(const struct scope_filter *scope)
{
    return (union scope_names){{scope->namespace, scope->project,
                                scope->component, scope->environment}};
}

enum status params_may_see(struct query_request *request, enum action action,
                           const struct scope_filter *scope)
{
    const struct viewer viewer = {request->viewer.grants, action};
    const union scope_names names = names_of(scope);
    const char *why = NULL;
    enum status status;

    query_request_about(request, &names, SLICE(""));
    if (request->failed != OK ||
        registry_may_ask(request->services->registry, scope, &viewer, false))
        return request->failed;
    status = ask_service(request, action, &names, &why);
    if (status == ERR_UNAUTHENTICATED)
        query_refuse_credential(request, why);
    else if (status != OK && status != ERR_FORBIDDEN)
        query_fail(request, status, "02", "%s", why);
    return status;
}

enum status params_may_ask(struct query_request *request,
                           const struct scope_filter *scope)
{
    const union scope_names names = names_of(scope);
    enum status status = params_may_see(request, request->viewer.action, scope);
    char text[ACCESS_REFUSAL_MAX];

    if (status != ERR_FORBIDDEN || request->failed != OK)
        return status;
    access_refusal(text, request->subject, request->viewer.action, &names);
    return query_fail(request, ERR_FORBIDDEN, NULL, "%s", text);
}

enum status params_scope(struct query_request *request, int flags,
                         struct scope_filter *scope)
{
    const json_t *object = member(request->body, "searchScope");

    *scope = (struct scope_filter){0};
    if (!object)
        return query_invalid(request, "searchScope is required");
    if (!json_is_object(object))
        return query_invalid(request, "searchScope must be an object");
    scope->namespace = scope_member(request, object, "namespace", true);
    if (json_object_get(object, "workflowRunName"))
        workflow_scope(request, object, flags, scope);
    else
        component_scope(request, object, flags, scope);
    return params_may_ask(request, scope);
}

enum status params_select(struct query_request *request,
                          const struct scope_filter *scope,
                          const struct bitmap **resources)
{
    *resources = registry_select(request->services->registry, scope,
                                 &request->viewer, request->arena);
    request->selected = *resources;
    return *resources ? request->failed : params_fail_arena(request);
}

enum status params_visible(struct query_request *request,
                           const struct bitmap **resources)
{
    static const struct scope_filter all = {.unassigned = false};

    *resources = NULL;
    return viewer_sees_all(&request->viewer)
               ? request->failed
               : params_select(request, &all, resources);
}

/* ---- time ---- */

enum status params_range(struct query_request *request, uint64_t *start_ns,
                         uint64_t *end_ns)
{
    struct slice start = body_text(request, "startTime");
    struct slice end = body_text(request, "endTime");

    *start_ns = params_parse_time(request, "startTime", start);
    *end_ns = params_parse_time(request, "endTime", end);
    return params_check_range(request, *start_ns, *end_ns);
}

enum status params_step(struct query_request *request, uint64_t length_ns,
                        uint64_t *step_ns)
{
    return params_parse_step(request, body_text(request, "step"), length_ns,
                             step_ns);
}

/* ---- numbers and order ---- */

enum status params_page(struct query_request *request, uint32_t min,
                        uint32_t max, uint32_t *limit, bool *ascending)
{
    const json_t *value = member(request->body, "limit");
    struct slice order = body_text(request, "sortOrder");
    json_int_t n = json_integer_value(value);

    *limit = value && n > 0 && n <= max ? (uint32_t)n : LIMIT_DEFAULT;
    *ascending = slice_equal(order, SLICE("asc"));
    if (value && (!json_is_integer(value) || n < min || n > max))
        query_invalid(request, "limit must be an integer from 1 to %" PRIu32,
                      max);
    if (order.len > 0 && !*ascending && !slice_equal(order, SLICE("desc")))
        query_invalid(request, "sortOrder must be asc or desc");
    return request->failed;
}

/* ---- single members ---- */

enum status params_text(struct query_request *request, const char *name,
                        struct slice *text)
{
    *text = body_text(request, name);
    return request->failed;
}

enum status params_bool(struct query_request *request, const char *name,
                        bool *value)
{
    const json_t *given = member(request->body, name);

    if (given && !json_is_boolean(given))
        query_invalid(request, "%s must be true or false", name);
    if (given)
        *value = json_is_true(given);
    return request->failed;
}

enum status params_number(struct query_request *request, const char *name,
                          uint64_t min, uint64_t max, uint64_t *value)
{
    const json_t *given = member(request->body, name);
    json_int_t n = json_integer_value(given);

    if (given &&
        (!json_is_integer(given) || n < (json_int_t)min || n > (json_int_t)max))
        query_invalid(request,
                      "%s must be an integer from %" PRIu64 " to %" PRIu64,
                      name, min, max);
    else if (given)
        *value = (uint64_t)n;
    return request->failed;
}

int params_word(struct query_request *request, const char *name,
                const char *const words[])
{
    return params_parse_word(request, name, body_text(request, name), words);
}

enum status params_duration(struct query_request *request, const char *name,
                            uint64_t *ns)
{
    return params_parse_duration(request, name, body_text(request, name), ns);
}

enum status params_id(struct query_request *request, const char *name,
                      uint8_t *id, size_t len, bool *given)
{
    struct slice text = body_text(request, name);

    *given = text.len > 0;
    return params_parse_id(request, name, text, id, len);
}

/* ---- lists ---- */

enum status params_list(struct query_request *request, const char *name,
                        const struct slice **items, uint32_t *count)
{
    const json_t *list = member(request->body, name);
    size_t n = json_array_size(list);
    struct slice *texts;

    *items = NULL;
    *count = 0;
    if (!list)
        return request->failed;
    if (!json_is_array(list) || n > PARAMS_MAX_LIST)
        return query_invalid(request,
                             "%s must be an array of at most %d strings", name,
                             PARAMS_MAX_LIST);
    texts = arena_zero(request->arena, n, sizeof(*texts));
    if (!texts)
        return params_fail_arena(request);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_is_string(item))
            return query_invalid(request, "%s must be an array of strings",
                                 name);
        texts[i] = text_of(item);
    }
    *items = texts;
    *count = (uint32_t)n;
    return request->failed;
}

/* A number or truth value as the store writes it. ptr NULL for other types. */
static struct slice scalar_text(struct query_request *request,
                                const json_t *value)
{
    struct attr attr = {.type = VALUE_EMPTY};

    if (json_is_string(value))
        return json_text_of(value);
    if (json_is_integer(value)) {
        attr.type = VALUE_INT;
        attr.i = json_integer_value(value);
    } else if (json_is_real(value)) {
        attr.type = VALUE_DOUBLE;
        attr.d = json_real_value(value);
    } else if (json_is_boolean(value)) {
        attr.type = VALUE_BOOL;
        attr.b = json_is_true(value);
    } else {
        return (struct slice){NULL, 0};
    }
    return reply_value_text(request, &attr);
}

enum status params_attrs(struct query_request *request, const char *name,
                         const struct attr_match **attrs, uint32_t *count)
{
    json_t *object = json_object_get(request->body, name);
    size_t n = json_object_size(object);
    struct attr_match *match;
    const char *key;
    json_t *value;

    *attrs = NULL;
    *count = 0;
    if (!object || json_is_null(object))
        return request->failed;
    if (!json_is_object(object) || n > PARAMS_MAX_LIST)
        return query_invalid(request,
                             "%s must be an object of at most %d members", name,
                             PARAMS_MAX_LIST);
    match = arena_zero(request->arena, n, sizeof(*match));
    if (!match)
        return params_fail_arena(request);
    *attrs = match;
    json_object_foreach(object, key, value)
    {
        match->key = slice_of(key);
        match->value = scalar_text(request, value);
        if (!match->value.ptr)
            return query_invalid(
                request, "%s.%s must be a string, a number or a boolean", name,
                key);
        match++;
    }
    *count = (uint32_t)n;
    return request->failed;
}
