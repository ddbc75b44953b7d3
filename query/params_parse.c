/* Values of parameters; see params_int.h. */
#include "params_int.h"

#include "clock.h"
#include "hex.h"

enum { RANGE_MAX_DAYS = 30, MAX_STEPS = 11000 };

enum status params_fail_arena(struct query_request *request)
{
    if (request->failed == OK)
        request->failed = arena_status(request->arena);
    return request->failed;
}

uint64_t params_parse_time(struct query_request *request, const char *name,
                           struct slice text)
{
    uint64_t ns = 0;

    if (text.len == 0)
        query_invalid(request, "%s is required", name);
    else if (!clock_parse_rfc3339(text, &ns))
        query_invalid(request,
                      "%s must be an RFC 3339 time such as "
                      "2026-08-21T08:00:00Z",
                      name);
    return ns;
}

enum status params_check_range(struct query_request *request, uint64_t start_ns,
                               uint64_t end_ns)
{
    if (end_ns < start_ns)
        query_invalid(request, "endTime must not be before startTime");
    /* Clients compute the two ends separately: a second more is allowed. */
    else if (end_ns - start_ns > RANGE_MAX_DAYS * NS_PER_DAY + NS_PER_S)
        query_invalid(request,
                      "endTime must be at most %d days after startTime",
                      RANGE_MAX_DAYS);
    return request->failed;
}

enum status params_parse_step(struct query_request *request, struct slice text,
                              uint64_t length_ns, uint64_t *step_ns)
{
    if (text.len > 0 && (!clock_parse_duration(text, step_ns) || *step_ns == 0))
        return query_invalid(request, "step must be a duration above zero such "
                                      "as 15s, 1m or 1h");
    if (length_ns / *step_ns > MAX_STEPS)
        query_invalid(request,
                      "step is too small for this time range: at most %d steps",
                      MAX_STEPS);
    return request->failed;
}

enum status params_parse_duration(struct query_request *request,
                                  const char *name, struct slice text,
                                  uint64_t *ns)
{
    if (text.len > 0 && !clock_parse_duration(text, ns))
        query_invalid(
            request, "%s must be a duration such as 250ms, 15s or 1m30s", name);
    return request->failed;
}

enum status params_parse_id(struct query_request *request, const char *name,
                            struct slice text, uint8_t *id, size_t len)
{
    if (text.len > 0 && !hex_bytes(text, id, len))
        query_invalid(request, "%s must be %zu hexadecimal digits", name,
                      2 * len);
    return request->failed;
}

/* "callees, callers or both" */
static struct slice words_text(struct arena *arena, const char *const words[])
{
    struct slice text = SLICE("");

    for (size_t i = 0; words[i]; i++)
        text = arena_format(arena, "%.*s%s%s", SLICE_ARGS(text),
                            i == 0         ? ""
                            : words[i + 1] ? ", "
                                           : " or ",
                            words[i]);
    return text;
}

int params_parse_word(struct query_request *request, const char *name,
                      struct slice text, const char *const words[])
{
    if (text.len == 0)
        return -1;
    for (int i = 0; words[i]; i++)
        if (slice_equal(text, slice_of(words[i])))
            return i;
    query_invalid(request, "%s must be %.*s", name,
                  SLICE_ARGS(words_text(request->arena, words)));
    return -1;
}
