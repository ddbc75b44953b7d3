/* Filters in the query string; see log_params.h. */
#include "log_params.h"

#include "clock.h"
#include "hex.h"

enum status list_param(struct query_request *request, const char *name,
                       const struct slice **items, uint32_t *count)
{
    struct slice text = query_param(request, name);
    struct slice *list;

    *items = NULL;
    *count = 0;
    if (text.len == 0)
        return request->failed;
    list = arena_zero(request->arena, PARAMS_MAX_LIST, sizeof(*list));
    *items = list;
    while (list && text.ptr) {
        const char *comma = memchr(text.ptr, ',', text.len);
        size_t len = comma ? (size_t)(comma - text.ptr) : text.len;

        if (*count == PARAMS_MAX_LIST)
            return query_invalid(
                request, "%s must be at most %d texts separated by commas",
                name, PARAMS_MAX_LIST);
        list[*count] = slice_trim((struct slice){text.ptr, len}, PARAMS_BLANKS);
        *count += list[*count].len > 0;
        text = comma ? (struct slice){comma + 1, text.len - len - 1}
                     : (struct slice){NULL, 0};
    }
    return request->failed;
}

enum status attr_params(struct query_request *request,
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
            return arena_status(request->arena);
        size_t len = (size_t)(equal - value.ptr);
        list[(*count)++] = (struct attr_match){
            {value.ptr, len}, {equal + 1, value.len - len - 1}};
    }
    *attrs = list;
    return request->failed;
}

enum status bool_param(struct query_request *request, const char *name,
                       bool *value)
{
    struct slice text = query_param(request, name);

    if (slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("false")))
        *value = text.len == 4;
    else if (text.len > 0)
        query_invalid(request, "%s must be true or false", name);
    return request->failed;
}

enum status duration_param(struct query_request *request, const char *name,
                           uint64_t *ns)
{
    struct slice text = query_param(request, name);

    if (text.len > 0 && !clock_parse_duration(text, ns))
        query_invalid(
            request, "%s must be a duration such as 250ms, 15s or 1m30s", name);
    return request->failed;
}

static const uint8_t *read_id(struct query_request *request, const char *name,
                              uint8_t *id, size_t len)
{
    struct slice text = query_param(request, name);

    if (text.len == 0)
        return NULL;
    if (!hex_bytes(text, id, len))
        query_invalid(request, "%s must be %zu hexadecimal digits", name,
                      2 * len);
    return id;
}

/* With the blanks at its ends. */
static struct slice read_phrase(const struct query_request *request)
{
    for (uint32_t i = 0; i < request->param_count; i++)
        if (slice_equal(request->params[i].name, SLICE("searchPhrase")))
            return request->params[i].value;
    return (struct slice){NULL, 0};
}

enum status log_params(struct query_request *request, struct log_query *query,
                       struct log_ids *ids)
{
    const struct slice *levels;
    uint32_t level_count;

    list_param(request, "logLevels", &levels, &level_count);
    for (uint32_t i = 0; i < level_count; i++) {
        uint32_t filter = log_level_filter(levels[i]);

        if (filter == 0)
            query_invalid(request,
                          "logLevels must be any of DEBUG, INFO, WARN, ERROR, "
                          "separated by commas");
        query->levels |= filter;
    }
    query->phrase = read_phrase(request);
    list_param(request, "searchWords", &query->words, &query->word_count);
    attr_params(request, &query->attrs, &query->attr_count);
    query->trace_id =
        read_id(request, "traceId", ids->trace_id, sizeof(ids->trace_id));
    query->span_id =
        read_id(request, "spanId", ids->span_id, sizeof(ids->span_id));
    return request->failed;
}
