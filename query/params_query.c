/* Reads and checks the query string; see params.h. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "ascii.h"
#include "params_int.h"

struct slice query_param(const struct query_request *request, const char *name)
{
    struct slice wanted = slice_of(name);

    for (uint32_t i = 0; i < request->param_count; i++)
        if (slice_equal(request->params[i].name, wanted))
            return slice_trim(request->params[i].value, PARAMS_BLANKS);
    return (struct slice){NULL, 0};
}

enum status params_query_scope(struct query_request *request,
                               struct scope_filter *scope)
{
    *scope = (struct scope_filter){
        .namespace = query_param(request, "namespace"),
        .project = query_param(request, "project"),
        .component = query_param(request, "component"),
        .environment = query_param(request, "environment")};
    if (scope->component.len > 0 && scope->project.len == 0)
        query_invalid(request,
                      "project is required when component is provided");
    return request->failed;
}

/* ---- time ---- */

enum status params_query_need_time(struct query_request *request,
                                   const char *name, uint64_t *ns)
{
    *ns = params_parse_time(request, name, query_param(request, name));
    return request->failed;
}

enum status params_query_time(struct query_request *request, const char *name,
                              uint64_t *ns)
{
    struct slice text = query_param(request, name);

    if (text.len > 0)
        *ns = params_parse_time(request, name, text);
    return request->failed;
}

enum status params_query_range(struct query_request *request,
                               uint64_t default_ns, uint64_t *start_ns,
                               uint64_t *end_ns)
{
    *end_ns = request->now_ns;
    params_query_time(request, "endTime", end_ns);
    *start_ns = *end_ns > default_ns ? *end_ns - default_ns : 0;
    params_query_time(request, "startTime", start_ns);
    return params_check_range(request, *start_ns, *end_ns);
}

enum status params_query_step(struct query_request *request, uint64_t length_ns,
                              uint64_t *step_ns)
{
    return params_parse_step(request, query_param(request, "step"), length_ns,
                             step_ns);
}

enum status params_query_duration(struct query_request *request,
                                  const char *name, uint64_t *ns)
{
    return params_parse_duration(request, name, query_param(request, name), ns);
}

/* ---- numbers and words ---- */

enum status params_query_number(struct query_request *request, const char *name,
                                uint64_t min, uint64_t max, uint64_t *value)
{
    struct slice text = query_param(request, name);
    uint64_t number = 0;
    bool valid = text.len > 0 && text.len < 20;

    if (!text.ptr)
        return request->failed;
    for (size_t i = 0; i < text.len && valid; i++) {
        valid = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    if (!valid || number < min || number > max)
        return query_invalid(
            request, "%s must be an integer from %" PRIu64 " to %" PRIu64, name,
            min, max);
    *value = number;
    return request->failed;
}

enum status params_query_decimal(struct query_request *request,
                                 const char *name, double max, double *value)
{
    struct slice text = query_param(request, name);
    char copy[32] = "", *end = copy;
    double number = 0;

    if (!text.ptr)
        return request->failed;
    /* strtod() takes hexadecimal numbers and names, too. */
    if (text.len > 0 && text.len < sizeof(copy)) {
        slice_copy(copy, text);
        if (strspn(copy, "0123456789.eE+-") == text.len)
            number = strtod(copy, &end);
    }
    if (end == copy || *end || !(number > 0) || number > max)
        return query_invalid(
            request, "%s must be a number above 0 and at most %g", name, max);
    *value = number;
    return request->failed;
}

enum status params_query_bool(struct query_request *request, const char *name,
                              bool *value)
{
    struct slice text = query_param(request, name);

    if (slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("false")))
        *value = text.len == 4;
    else if (text.len > 0)
        query_invalid(request, "%s must be true or false", name);
    return request->failed;
}

int params_query_word(struct query_request *request, const char *name,
                      const char *const words[])
{
    return params_parse_word(request, name, query_param(request, name), words);
}

enum status params_query_id(struct query_request *request, const char *name,
                            uint8_t *id, size_t len, bool *given)
{
    struct slice text = query_param(request, name);

    *given = text.len > 0;
    return params_parse_id(request, name, text, id, len);
}

/* ---- lists ---- */

enum status params_query_list(struct query_request *request, const char *name,
                              const struct slice **items, uint32_t *count)
{
    struct slice rest = query_param(request, name);
    struct slice *list;

    *items = NULL;
    *count = 0;
    if (rest.len == 0)
        return request->failed;
    list = arena_zero(request->arena, PARAMS_MAX_LIST, sizeof(*list));
    if (!list)
        return params_fail_arena(request);
    *items = list;
    while (rest.len > 0) {
        struct slice item = slice_trim(slice_split(&rest, ','), PARAMS_BLANKS);

        if (item.len > 0 && *count == PARAMS_MAX_LIST)
            return query_invalid(
                request, "%s must be at most %d texts separated by commas",
                name, PARAMS_MAX_LIST);
        if (item.len > 0)
            list[(*count)++] = item;
    }
    return request->failed;
}

enum status params_query_attrs(struct query_request *request,
                               const struct attr_match **attrs, uint32_t *count)
{
    struct attr_match *list = NULL;

    *attrs = NULL;
    *count = 0;
    for (uint32_t i = 0; i < request->param_count; i++) {
        struct slice value = request->params[i].value;
        const char *equal;

        if (!slice_equal(request->params[i].name, SLICE("attr")))
            continue;
        equal = value.len > 0 ? memchr(value.ptr, '=', value.len) : NULL;
        if (!equal || equal == value.ptr || *count == PARAMS_MAX_LIST)
            return query_invalid(request,
                                 "attr must be KEY=VALUE, at most %d times",
                                 PARAMS_MAX_LIST);
        if (!list)
            list = arena_zero(request->arena, PARAMS_MAX_LIST, sizeof(*list));
        if (!list)
            return params_fail_arena(request);
        size_t len = (size_t)(equal - value.ptr);
        list[(*count)++] = (struct attr_match){
            {value.ptr, len}, {equal + 1, value.len - len - 1}};
    }
    *attrs = list;
    return request->failed;
}
