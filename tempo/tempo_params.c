#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "tempo_int.h"

/* Times and ranges as Tempo's clients send them: from 1970 on, within what
 * nanoseconds in 64 bits can hold. */
#define LAST_SECOND 9000000000.0

enum status tempo_number(struct query_request *request, const char *name,
                         uint64_t most, uint64_t *value)
{
    if (query_param(request, name).len == 0) /* "limit=" is none */
        return request->failed;
    return params_query_number(request, name, 0, most, value);
}

enum status tempo_duration(struct query_request *request, const char *name,
                           uint64_t *ns)
{
    struct slice text = query_param(request, name);

    if (text.len > 0 && !clock_parse_duration(text, ns))
        query_invalid(request, "%s must be a duration such as 100ms or 1.5s",
                      name);
    return request->failed;
}

/* Seconds since 1970, perhaps with a fraction; milli-, micro- and nanoseconds
 * are told by their size. */
static bool read_time(struct slice text, uint64_t *ns)
{
    char copy[40], *end;
    double seconds;

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    slice_copy(copy, text);
    copy[text.len] = '\0';
    seconds = strtod(copy, &end);
    if (*end || !(seconds >= 0) || isinf(seconds))
        return clock_parse_rfc3339(text, ns);
    while (seconds > LAST_SECOND * 10)
        seconds /= 1000;
    if (seconds > LAST_SECOND)
        return false;
    *ns = (uint64_t)(seconds * 1e6) * 1000;
    return true;
}

static enum status time_param(struct query_request *request, const char *name,
                              uint64_t *ns)
{
    struct slice text = query_param(request, name);

    if (text.len > 0 && !read_time(text, ns))
        query_invalid(request, "%s must be a time in seconds since 1970", name);
    return request->failed;
}

enum status tempo_range(struct query_request *request, uint64_t *start_ns,
                        uint64_t *end_ns)
{
    uint64_t start = 0, end = 0;

    time_param(request, "start", &start);
    time_param(request, "end", &end);
    if (request->failed != OK)
        return request->failed;
    if (end == 0)
        end = start > 0 && query_param(request, "end").len > 0
                  ? start
                  : request->now_ns + NS_PER_S;
    if (start == 0 && query_param(request, "start").len == 0)
        start = end > NS_PER_HOUR ? end - NS_PER_HOUR : 0;
    if (start > end)
        return query_invalid(request, "start must not be after end");
    *start_ns = start;
    /* The second of the end is part of the range. */
    *end_ns = end % NS_PER_S == 0 ? end + NS_PER_S : end + 1;
    return OK;
}
