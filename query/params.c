/*
 * Members that many requests share, read and checked in one place.
 *
 * Every message names the member and says what is allowed. Texts are
 * borrowed from the parsed body, which lives as long as the request; lists and
 * converted values are in the request's arena. A member that is null counts as
 * absent.
 */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "hex.h"
#include "query_request.h"

enum {
    LIMIT_DEFAULT = 100,
    LIMIT_MAX = 1000,
    RANGE_MAX_DAYS = 30,
    MAX_STEPS = 11000,
};

static const uint64_t default_step_ns = 5 * NS_PER_MIN;

struct slice params_trim(struct slice text)
{
    while (text.len > 0 && strchr(" \t\r\n\v\f", text.ptr[0]) && text.ptr[0])
        text = slice_from(text, 1);
    while (text.len > 0 && strchr(" \t\r\n\v\f", text.ptr[text.len - 1]) &&
           text.ptr[text.len - 1])
        text.len--;
    return text;
}

struct slice query_param(const struct query_request *request, const char *name)
{
    struct slice wanted = slice_of(name);

    for (uint32_t i = 0; i < request->param_count; i++)
        if (slice_equal(request->params[i].name, wanted))
            return params_trim(request->params[i].value);
    return (struct slice){NULL, 0};
}

/* NULL if absent or null. */
static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static struct slice text_of(const json_t *value)
{
    return params_trim(
        (struct slice){json_string_value(value), json_string_length(value)});
}

/* A member that must be a text if it is there; prefix "" or "searchScope." */
static enum status text_member(struct query_request *request,
                               const json_t *object, const char *prefix,
                               const char *name, struct slice *text)
{
    const json_t *value = member(object, name);

    *text = (struct slice){NULL, 0};
    if (!value)
        return OK;
    if (!json_is_string(value))
        return query_invalid(request, "%s%s must be a string", prefix, name);
    *text = text_of(value);
    return OK;
}

/* ---- searchScope ---- */

static enum status scope_member(struct query_request *request,
                                const json_t *object, const char *name,
                                bool required, struct slice *text)
{
    enum status s = text_member(request, object, "searchScope.", name, text);

    if (s == OK && required && text->len == 0)
        s = query_invalid(request, "searchScope.%s is required", name);
    return s;
}

static enum status workflow_scope(struct query_request *request,
                                  const json_t *object, int flags,
                                  struct scope_filter *scope)
{
    static const char *const foreign[] = {"project", "component",
                                          "environment"};
    enum status s;

    if (!(flags & SCOPE_WORKFLOW))
        return query_invalid(request,
                             "searchScope.workflowRunName is not allowed here; "
                             "allowed: namespace, project, component, "
                             "environment");
    for (size_t i = 0; i < 3; i++)
        if (member(object, foreign[i]))
            return query_invalid(request,
                                 "searchScope.%s must not be combined with "
                                 "searchScope.workflowRunName",
                                 foreign[i]);
    s = scope_member(request, object, "workflowRunName", true,
                     &scope->workflow_run);
    if (s == OK)
        s = scope_member(request, object, "taskName", false, &scope->task);
    return s;
}

static enum status component_scope(struct query_request *request,
                                   const json_t *object, int flags,
                                   struct scope_filter *scope)
{
    enum status s =
        scope_member(request, object, "component", false, &scope->component);

    if (s == OK)
        s = scope_member(request, object, "project", false, &scope->project);
    if (s == OK && scope->component.len > 0 && scope->project.len == 0)
        s = query_invalid(request, "searchScope.project is required when "
                                   "searchScope.component is provided");
    if (s == OK && (flags & SCOPE_NEEDS_PROJECT) && scope->project.len == 0)
        s = query_invalid(request, "searchScope.project is required");
    if (s == OK)
        s = scope_member(request, object, "environment",
                         flags & SCOPE_NEEDS_ENV, &scope->environment);
    return s;
}

enum status params_scope(struct query_request *request, int flags,
                         struct scope_filter *scope)
{
    const json_t *object = member(request->body, "searchScope");
    enum status s;

    memset(scope, 0, sizeof(*scope));
    if (!object)
        return query_invalid(request, "searchScope is required");
    if (!json_is_object(object))
        return query_invalid(request, "searchScope must be an object");
    s = scope_member(request, object, "namespace", true, &scope->namespace);
    if (s != OK)
        return s;
    return json_object_get(object, "workflowRunName")
               ? workflow_scope(request, object, flags, scope)
               : component_scope(request, object, flags, scope);
}

enum status params_query_scope(struct query_request *request,
                               struct scope_filter *scope)
{
    memset(scope, 0, sizeof(*scope));
    scope->namespace = query_param(request, "namespace");
    scope->project = query_param(request, "project");
    scope->component = query_param(request, "component");
    scope->environment = query_param(request, "environment");
    if (scope->component.len > 0 && scope->project.len == 0)
        return query_invalid(request,
                             "project is required when component is provided");
    return OK;
}

enum status params_select(struct query_request *request,
                          const struct scope_filter *scope,
                          const struct bitmap **resources)
{
    *resources =
        registry_select(request->services->registry, scope, request->arena);
    return *resources ? OK : arena_status(request->arena);
}

/* ---- time ---- */

static enum status time_from(struct query_request *request, const char *name,
                             struct slice text, uint64_t *ns)
{
    if (text.len == 0)
        return query_invalid(request, "%s is required", name);
    if (!clock_parse_rfc3339(text, ns))
        return query_invalid(request,
                             "%s must be an RFC 3339 time such as "
                             "2026-08-21T08:00:00Z",
                             name);
    return OK;
}

static enum status check_range(struct query_request *request, uint64_t start_ns,
                               uint64_t end_ns)
{
    if (end_ns < start_ns)
        return query_invalid(request, "endTime must not be before startTime");
    /* Clients compute the two ends separately: a second more is allowed. */
    if (end_ns - start_ns > RANGE_MAX_DAYS * NS_PER_DAY + NS_PER_S)
        return query_invalid(request,
                             "endTime must be at most %d days after startTime",
                             RANGE_MAX_DAYS);
    return OK;
}

enum status params_range(struct query_request *request, uint64_t *start_ns,
                         uint64_t *end_ns)
{
    struct slice start, end;
    enum status s =
        text_member(request, request->body, "", "startTime", &start);

    if (s == OK)
        s = text_member(request, request->body, "", "endTime", &end);
    if (s == OK)
        s = time_from(request, "startTime", start, start_ns);
    if (s == OK)
        s = time_from(request, "endTime", end, end_ns);
    return s == OK ? check_range(request, *start_ns, *end_ns) : s;
}

enum status params_query_range(struct query_request *request,
                               uint64_t default_ns, uint64_t *start_ns,
                               uint64_t *end_ns)
{
    struct slice start = query_param(request, "startTime");
    struct slice end = query_param(request, "endTime");
    enum status s = OK;

    *end_ns = request->now_ns;
    if (end.len > 0)
        s = time_from(request, "endTime", end, end_ns);
    *start_ns = *end_ns > default_ns ? *end_ns - default_ns : 0;
    if (s == OK && start.len > 0)
        s = time_from(request, "startTime", start, start_ns);
    return s == OK ? check_range(request, *start_ns, *end_ns) : s;
}

static enum status step_from(struct query_request *request, struct slice text,
                             uint64_t start_ns, uint64_t end_ns,
                             uint64_t *step_ns)
{
    if (text.len > 0 && (!clock_parse_duration(text, step_ns) || *step_ns == 0))
        return query_invalid(
            request, "step must be a duration above zero such as 15s, 1m "
                     "or 1h");
    if ((end_ns - start_ns) / *step_ns > MAX_STEPS)
        return query_invalid(
            request,
            "step is too small for this time range: at most %d "
            "steps",
            MAX_STEPS);
    return OK;
}

enum status params_step(struct query_request *request, uint64_t start_ns,
                        uint64_t end_ns, uint64_t *step_ns)
{
    struct slice text;
    enum status s = text_member(request, request->body, "", "step", &text);

    *step_ns = default_step_ns;
    return s == OK ? step_from(request, text, start_ns, end_ns, step_ns) : s;
}

enum status params_query_step(struct query_request *request,
                              uint64_t default_ns, uint64_t start_ns,
                              uint64_t end_ns, uint64_t *step_ns)
{
    *step_ns = default_ns;
    return step_from(request, query_param(request, "step"), start_ns, end_ns,
                     step_ns);
}

/* ---- paging ---- */

enum status params_query_number(struct query_request *request, const char *name,
                                uint64_t least, uint64_t most, uint64_t *value)
{
    struct slice text = query_param(request, name);
    uint64_t number = 0;
    bool good = text.len > 0 && text.len < 20;

    if (!text.ptr)
        return OK;
    for (size_t i = 0; i < text.len && good; i++) {
        good = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    if (!good || number < least || number > most)
        return query_invalid(
            request, "%s must be an integer from %" PRIu64 " to %" PRIu64, name,
            least, most);
    *value = number;
    return OK;
}

static enum status read_page(struct query_request *request,
                             bool zero_is_default, uint32_t most,
                             uint32_t *limit, bool *ascending)
{
    const json_t *value = member(request->body, "limit");
    struct slice order;
    enum status s =
        text_member(request, request->body, "", "sortOrder", &order);

    *limit = LIMIT_DEFAULT;
    *ascending = slice_equal(order, SLICE("asc"));
    if (s != OK)
        return s;
    if (value) {
        json_int_t n = json_integer_value(value);

        if (!json_is_integer(value) || n < !zero_is_default || n > most)
            return query_invalid(
                request, "limit must be an integer from 1 to %" PRIu32, most);
        if (n > 0)
            *limit = (uint32_t)n;
    }
    if (order.len > 0 && !*ascending && !slice_equal(order, SLICE("desc")))
        return query_invalid(request, "sortOrder must be asc or desc");
    return OK;
}

enum status params_page(struct query_request *request, bool zero_is_default,
                        uint32_t *limit, bool *ascending)
{
    return read_page(request, zero_is_default, LIMIT_MAX, limit, ascending);
}

enum status params_page_of(struct query_request *request, uint32_t most,
                           uint32_t *limit, bool *ascending)
{
    return read_page(request, false, most, limit, ascending);
}

/* ---- single members ---- */

enum status params_text(struct query_request *request, const char *name,
                        struct slice *text)
{
    return text_member(request, request->body, "", name, text);
}

enum status params_bool(struct query_request *request, const char *name,
                        bool *value)
{
    const json_t *given = member(request->body, name);

    if (!given)
        return OK;
    if (!json_is_boolean(given))
        return query_invalid(request, "%s must be true or false", name);
    *value = json_is_true(given);
    return OK;
}

enum status params_duration(struct query_request *request, const char *name,
                            uint64_t *ns)
{
    struct slice text;
    enum status s = text_member(request, request->body, "", name, &text);

    if (s == OK && text.len > 0 && !clock_parse_duration(text, ns))
        s = query_invalid(
            request, "%s must be a duration such as 250ms, 15s or 1m30s", name);
    return s;
}

enum status params_id(struct query_request *request, const char *name,
                      uint8_t *id, size_t len, bool *given)
{
    struct slice text;
    enum status s = text_member(request, request->body, "", name, &text);

    *given = text.len > 0;
    if (s == OK && *given && !hex_bytes(text, id, len))
        s = query_invalid(request, "%s must be %zu hexadecimal digits", name,
                          2 * len);
    return s;
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
        return OK;
    if (!json_is_array(list) || n > PARAMS_MAX_LIST)
        return query_invalid(request,
                             "%s must be an array of at most %d strings", name,
                             PARAMS_MAX_LIST);
    texts = arena_zero(request->arena, n, sizeof(*texts));
    if (!texts)
        return arena_status(request->arena);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_is_string(item))
            return query_invalid(request, "%s must be an array of strings",
                                 name);
        texts[i] = text_of(item);
    }
    *items = texts;
    *count = (uint32_t)n;
    return OK;
}

/* A number or truth value as the store writes it. ptr NULL for other types. */
static struct slice scalar_text(struct query_request *request,
                                const json_t *value)
{
    struct attr attr = {.type = VALUE_EMPTY};

    if (json_is_string(value))
        return (struct slice){json_string_value(value),
                              json_string_length(value)};
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
        return OK;
    if (!json_is_object(object) || n > PARAMS_MAX_LIST)
        return query_invalid(request,
                             "%s must be an object of at most %d members", name,
                             PARAMS_MAX_LIST);
    match = arena_zero(request->arena, n, sizeof(*match));
    if (!match)
        return arena_status(request->arena);
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
    return OK;
}
