/*
 * What a request says of range, step and payload. In: its body. Out: a struct
 * grafana_query.
 */
#include "grafana_query.h"

#include <stdarg.h>
#include <stdio.h>

#include "clock.h"

/* ---- times ---- */

static bool read_digits(struct slice *text, uint64_t *number)
{
    size_t i = 0;

    for (*number = 0;
         i < text->len && i < 18 && text->ptr[i] >= '0' && text->ptr[i] <= '9';
         i++)
        *number = *number * 10 + (uint64_t)(text->ptr[i] - '0');
    *text = slice_from(*text, i);
    return i > 0;
}

/* RFC 3339, milliseconds as a number or text, or relative to now. */
static bool read_time(const json_t *value, uint64_t now_ns, uint64_t *ns)
{
    struct slice text = slice_trim(json_text_of(value), PARAMS_BLANKS), rest;
    uint64_t ms;

    if (json_is_number(value)) {
        double number = json_number_value(value);

        if (!(number >= 0 && number < 1e13))
            return false;
        *ns = (uint64_t)number * NS_PER_MS;
        return true;
    }
    rest = text;
    if (read_digits(&rest, &ms) && rest.len == 0 && ms < 10000000000000) {
        *ns = ms * NS_PER_MS;
        return true;
    }
    return clock_parse_rfc3339(text, ns) ||
           clock_parse_relative(text, now_ns, ns);
}

static enum status read_range(struct grafana_call *call, const json_t *body)
{
    struct query_request *request = call->request;
    const json_t *range = json_object_get(body, "range");
    const json_t *from, *to;

    if (!json_is_object(range))
        range = json_object_get(body, "timeRange");
    if (!json_is_object(range))
        range = json_object_get(body, "rangeRaw");
    from = json_object_get(range, "from");
    to = json_object_get(range, "to");
    call->end_ns = request->now_ns;
    if (to && !json_is_null(to) &&
        !read_time(to, request->now_ns, &call->end_ns))
        return query_invalid(request, "range.to must be a time such as "
                                      "2026-08-21T08:00:00Z");
    call->start_ns =
        call->end_ns > NS_PER_HOUR ? call->end_ns - NS_PER_HOUR : 0;
    if (from && !json_is_null(from) &&
        !read_time(from, request->now_ns, &call->start_ns))
        return query_invalid(request, "range.from must be a time such as "
                                      "2026-08-21T08:00:00Z");
    if (call->end_ns < call->start_ns)
        return query_invalid(request, "range.to must not be before range.from");
    return OK;
}

static void read_step(struct grafana_call *call, const json_t *body)
{
    const json_t *points = json_object_get(body, "maxDataPoints");
    double ms = json_number_value(json_object_get(body, "intervalMs"));
    double max = json_is_string(points) ? 0 : json_number_value(points);
    uint64_t ns;

    if (ms >= 1 && ms < 1e12)
        call->interval_ns = (uint64_t)ms * NS_PER_MS;
    else if (clock_parse_duration_days(
                 json_text_of(json_object_get(body, "interval")), &ns))
        call->interval_ns = ns;
    call->max_points = max >= 1
                           ? (max < POINTS_MAX ? (uint32_t)max : POINTS_MAX)
                           : POINTS_STANDARD;
}

enum status call_read(struct grafana_call *call, struct query_request *request)
{
    const json_t *body = request->body;

    *call = (struct grafana_call){.request = request,
                                  .filters = json_object_get(body, "filters"),
                                  .adhoc_filters =
                                      json_object_get(body, "adhocFilters"),
                                  .scoped = json_object_get(body, "scopedVars"),
                                  .targets = json_object_get(body, "targets")};
    read_step(call, body);
    return read_range(call, body);
}

void query_init(struct grafana_query *q, const struct grafana_call *call,
                json_t *payload, struct frames *frames)
{
    *q = (struct grafana_query){.request = call->request,
                                .call = call,
                                .payload = payload,
                                .start_ns = call->start_ns,
                                .end_ns = call->end_ns,
                                .interval_ns = call->interval_ns,
                                .max_points = call->max_points,
                                .frames = frames};
}

/* ---- the payload ---- */

static const json_t *member(const struct grafana_query *q, const char *name)
{
    const json_t *value = json_object_get(q->payload, name);

    if (!value && q->lost_payload)
        value = payload_scoped(q->call->scoped, slice_of(name));
    return value;
}

const struct slice *payload_texts(const struct grafana_query *q,
                                  const char *name, uint32_t *count)
{
    struct payload_values values;

    payload_values(member(q, name), q->call->scoped, q->request->arena,
                   &values);
    *count = values.all ? 0 : values.count;
    return values.texts;
}

struct slice payload_text(const struct grafana_query *q, const char *name)
{
    uint32_t count;
    const struct slice *texts = payload_texts(q, name, &count);

    return count > 0 ? texts[0] : (struct slice){NULL, 0};
}

uint32_t payload_number(const struct grafana_query *q, const char *name,
                        uint32_t standard, uint32_t most)
{
    struct slice text = payload_text(q, name);
    uint64_t number;

    if (!read_digits(&text, &number) || number == 0)
        return standard;
    return number < most ? (uint32_t)number : most;
}

bool payload_bool(const struct grafana_query *q, const char *name,
                  bool standard)
{
    struct slice text = payload_text(q, name);

    if (slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("yes")) ||
        slice_equal(text, SLICE("1")))
        return true;
    return text.len > 0 ? false : standard;
}

/* ---- the grid ---- */

/* What is counted by the minute is shown up to the last minute that is over:
 * the present one would look like a fall. */
static uint64_t counted_until(const struct grafana_query *q, uint64_t unit_ns)
{
    uint64_t now = q->request->now_ns;

    return unit_ns < NS_PER_MIN ? now : now - now % NS_PER_MIN;
}

struct grid query_grid(const struct grafana_query *q, uint64_t at_least_ns)
{
    static const uint64_t nice[] = {
        NS_PER_S,        5 * NS_PER_S,    10 * NS_PER_S,   15 * NS_PER_S,
        30 * NS_PER_S,   NS_PER_MIN,      2 * NS_PER_MIN,  5 * NS_PER_MIN,
        10 * NS_PER_MIN, 15 * NS_PER_MIN, 30 * NS_PER_MIN, NS_PER_HOUR,
        2 * NS_PER_HOUR, 3 * NS_PER_HOUR, 6 * NS_PER_HOUR, 12 * NS_PER_HOUR,
        NS_PER_DAY,      2 * NS_PER_DAY,  7 * NS_PER_DAY,  30 * NS_PER_DAY,
        365 * NS_PER_DAY};
    uint64_t length = q->end_ns - q->start_ns, step = at_least_ns;
    /* The cells at both ends are cut by the range. */
    uint64_t most = q->max_points > 1 ? q->max_points - 1 : 1;
    size_t i = 0;

    if (q->max_points == 1) /* one value of the whole range */
        return (struct grid){q->start_ns, length, q->request->now_ns,
                             length > 0 && q->start_ns < q->request->now_ns};
    if (step < q->interval_ns)
        step = q->interval_ns;
    if (step < length / most)
        step = length / most;
    while (i + 1 < sizeof(nice) / sizeof(nice[0]) &&
           (nice[i] < step || length / nice[i] > most))
        i++;
    struct grid grid = grid_make(q->start_ns, q->end_ns, nice[i],
                                 counted_until(q, at_least_ns));
    /* Nothing but the present minute: that is better than nothing. */
    return grid.count > 0
               ? grid
               : grid_make(q->start_ns, q->end_ns, nice[i], q->request->now_ns);
}

/* ---- answers ---- */

struct grafana_frame *query_frame(struct grafana_query *q, struct slice name)
{
    return frames_add(q->frames, q->ref_id, name);
}

enum status query_refuse(struct grafana_query *q, const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (q->lost_payload || json_object_size(q->payload) == 0)
        return query_invalid(q->request,
                             "%s; the payload is empty: is a multi-value "
                             "variable quoted? write $var without quotes",
                             message);
    return query_invalid(q->request, "%s", message);
}
