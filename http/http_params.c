/*
 * The query string. In: the text after "?". Out: decoded parameters in
 * request->params: a bounded number, each at most once.
 */
#include <stdlib.h>

#include "http_int.h"
#include "mem.h"

static uint32_t count_params(const char *query)
{
    uint32_t count = *query ? 1 : 0;

    for (; *query; query++)
        count += *query == '&';
    return count;
}

static bool is_repeated(const struct http_request *request, struct slice name)
{
    for (uint32_t i = 0; i < request->param_count; i++)
        if (slice_equal(request->params[i].name, name))
            return true;
    return false;
}

const char *http_parse_params(struct server_request *sr, char *query)
{
    struct http_request *request = &sr->request;
    uint32_t count = count_params(query);
    char *next;

    if (count == 0)
        return NULL;
    if (count > HTTP_MAX_PARAMS)
        return "more than 64 query parameters";
    request->params = sr->params = mem_zero(count, sizeof(struct http_param));
    for (char *at = query; at; at = next) {
        struct http_param param;
        size_t len = strcspn(at, "&"), equals = strcspn(at, "=&");

        next = at[len] ? at + len + 1 : NULL;
        if (len == 0)
            continue;
        param.name = (struct slice){at, http_unescape(at, equals, true)};
        at += equals < len ? equals + 1 : len;
        len -= equals < len ? equals + 1 : len;
        param.value = (struct slice){at, http_unescape(at, len, true)};
        if (param.name.len > HTTP_MAX_PARAM || param.value.len > HTTP_MAX_PARAM)
            return "a query parameter is longer than 4096 bytes";
        if (is_repeated(request, param.name))
            return "a query parameter is given more than once";
        sr->params[request->param_count++] = param;
    }
    return NULL;
}
