/*
 * Parameters: a=1&b=2, of a query string or of a form. In: the text. Out: names
 * and values, decoded. A query string has a bounded number of them, each at
 * most once unless the route says otherwise.
 */
#include <stdlib.h>

#include "http_int.h"
#include "mem.h"

uint32_t http_count_params(struct slice text)
{
    uint32_t count = text.len > 0 ? 1 : 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '&';
    return count;
}

uint32_t http_split_params(char *text, size_t len, struct http_param *to)
{
    char *end = text + len;
    uint32_t count = 0;

    while (text < end) {
        char *next = memchr(text, '&', (size_t)(end - text));
        char *stop = next ? next : end;
        char *equals = memchr(text, '=', (size_t)(stop - text));
        char *value = equals ? equals + 1 : stop;
        size_t name_len = (size_t)((equals ? equals : stop) - text);

        if (stop > text)
            to[count++] = (struct http_param){
                {text, http_unescape(text, name_len, true)},
                {value, http_unescape(value, (size_t)(stop - value), true)}};
        text = stop + 1;
    }
    return count;
}

static bool is_repeated(const struct http_request *request, uint32_t which)
{
    for (uint32_t i = 0; i < which; i++)
        if (slice_equal(request->params[i].name, request->params[which].name))
            return true;
    return false;
}

/* Of a route without HTTP_REPEATED. NULL, or what is wrong. */
static const char *check_params(const struct http_request *request)
{
    for (uint32_t i = 0; i < request->param_count; i++) {
        const struct http_param *param = &request->params[i];

        if (param->name.len > HTTP_MAX_PARAM ||
            param->value.len > HTTP_MAX_PARAM)
            return "a query parameter is longer than 4096 bytes";
        if (is_repeated(request, i))
            return "a query parameter is given more than once";
    }
    return NULL;
}

const char *http_parse_params(struct server_request *sr, char *query)
{
    struct http_request *request = &sr->request;
    const struct http_route *route = request->route;
    struct slice text = slice_of(query);
    uint32_t count = http_count_params(text);

    if (count == 0)
        return NULL;
    if (count > HTTP_MAX_PARAMS)
        return "more than 64 query parameters";
    request->params = sr->params = mem_zero(count, sizeof(struct http_param));
    request->param_count = http_split_params(query, text.len, sr->params);
    return route && route->flags & HTTP_REPEATED ? NULL : check_params(request);
}
