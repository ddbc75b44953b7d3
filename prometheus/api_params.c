/*
 * Parameters of the routes under /prometheus, of the URL and of a form. In:
 * request->params. Out: values, or a 400 in the words of Prometheus.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "api.h"
#include "clock.h"
#include "store.h"

enum { NUMBER_MAX = 64, SHOWN = 100 };

/* What int64_t holds in nanoseconds, and what a list without times is about. */
static const int64_t last_ms = INT64_MAX / 1000000;

struct slice api_param(const struct query_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->param_count; i++)
        if (slice_equal(request->params[i].name, slice_of(name)))
            return request->params[i].value;
    return SLICE("");
}

enum status api_invalid(struct query_request *request, const char *name,
                        const char *format, ...)
{
    char message[ACCESS_REFUSAL_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return query_invalid(request, "invalid parameter \"%s\": %s", name,
                         message);
}

/* ---- numbers, times, durations ---- */

/* As strconv.ParseFloat() reads it: no blanks, no hexadecimal digits. */
static bool parse_number(struct slice text, double *v)
{
    char copy[NUMBER_MAX + 1], *end;

    if (text.len == 0 || text.len > NUMBER_MAX ||
        !strchr("+-.0123456789iInN", text.ptr[0]) ||
        memchr(text.ptr, 'x', text.len) || memchr(text.ptr, 'X', text.len) ||
        memchr(text.ptr, '(', text.len))
        return false;
    slice_copy(copy, text);
    copy[text.len] = '\0';
    *v = strtod(copy, &end);
    return end == copy + text.len;
}

static int64_t clamp_ms(double ms)
{
    return ms >= (double)last_ms    ? last_ms
           : ms <= -(double)last_ms ? -last_ms
                                    : (int64_t)ms;
}

/* Four hundred years are always as many days, so any year is one that clock.h
 * knows, and some days. */
static bool parse_date(struct slice text, int64_t *ms)
{
    const int64_t cycle_ms = INT64_C(146097) * 86400 * 1000;
    char copy[CLOCK_TEXT + 8];
    unsigned year = 0;
    int64_t cycles = 0;
    uint64_t ns;

    if (text.len < 20 || text.len > sizeof(copy) || text.ptr[10] != 'T')
        return false;
    slice_copy(copy, text);
    for (int i = 0; i < 4; i++) {
        if (copy[i] < '0' || copy[i] > '9')
            return false;
        year = year * 10 + (unsigned)(copy[i] - '0');
    }
    for (; year < 1971; year += 400)
        cycles--;
    for (; year > 2500; year -= 400)
        cycles++;
    for (int i = 3; i >= 0; i--, year /= 10)
        copy[i] = (char)('0' + year % 10);
    if (!clock_parse_rfc3339((struct slice){copy, text.len}, &ns))
        return false;
    *ms = (int64_t)(ns / NS_PER_MS) + cycles * cycle_ms;
    return true;
}

bool api_parse_time(struct slice text, int64_t *ms)
{
    double seconds, whole;

    if (parse_number(text, &seconds)) {
        double fraction = modf(seconds, &whole);

        if (isnan(seconds))
            return false;
        *ms = clamp_ms(whole * 1000 + round(fraction * 1000));
        return true;
    }
    /* The least and the last time of Prometheus, which clients send. */
    if (slice_equal(text, SLICE("-292273086-05-16T16:47:06Z")))
        *ms = -last_ms;
    else if (slice_equal(text, SLICE("292277025-08-18T07:12:54.999999999Z")))
        *ms = last_ms;
    else if (!parse_date(text, ms))
        return false;
    if (*ms > last_ms || *ms < -last_ms)
        *ms = *ms > 0 ? last_ms : -last_ms;
    return true;
}

const char *api_parse_duration(struct slice text, int64_t *ms)
{
    char error[160]; /* Prometheus has other words here */
    double v;

    if (parse_number(text, &v)) {
        if (!isfinite(v) || fabs(v) > (double)INT64_MAX / 1e9)
            return "to a valid duration. It overflows int64";
        *ms = (int64_t)(v * 1000);
        return NULL;
    }
    return text.len > 0 && promql_duration(text, ms, error)
               ? NULL
               : "to a valid duration";
}

/* ---- parameters ---- */

enum status api_time(struct query_request *request, const char *name,
                     int64_t *ms)
{
    struct slice text = api_param(request, name);
    struct slice shown = slice_truncate(text, SHOWN);

    if (text.len > 0 && !api_parse_time(text, ms))
        api_invalid(request, name,
                    "Invalid time value for '%s': cannot parse \"%.*s\" to a "
                    "valid timestamp",
                    name, SLICE_ARGS(shown));
    return request->failed;
}

/* Also of an empty text. */
static enum status read_duration(struct query_request *request,
                                 const char *name, struct slice text,
                                 int64_t *ms)
{
    const char *wrong = api_parse_duration(text, ms);
    struct slice shown = slice_truncate(text, SHOWN);

    if (wrong)
        api_invalid(request, name, "cannot parse \"%.*s\" %s",
                    SLICE_ARGS(shown), wrong);
    return request->failed;
}

enum status api_duration(struct query_request *request, const char *name,
                         int64_t *ms)
{
    struct slice text = api_param(request, name);

    return text.len > 0 ? read_duration(request, name, text, ms)
                        : request->failed;
}

enum status api_limit(struct query_request *request, const char *name,
                      uint32_t *limit)
{
    struct slice text = api_param(request, name);
    struct slice digits = text;
    uint64_t v = 0;
    bool minus = slice_starts(text, SLICE("-"));

    if (text.len == 0)
        return request->failed;
    if (minus || slice_starts(text, SLICE("+")))
        digits = slice_from(text, 1);
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9' || digits.len > 18)
            digits.len = 0;
        else
            v = v * 10 + (uint64_t)(digits.ptr[i] - '0');
    }
    text = slice_truncate(text, SHOWN);
    if (digits.len == 0)
        return api_invalid(request, name,
                           "strconv.Atoi: parsing \"%.*s\": invalid syntax",
                           SLICE_ARGS(text));
    if (minus && v > 0)
        return api_invalid(request, name, "limit must be non-negative");
    *limit = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
    return request->failed;
}

/* Required: empty is no time either. */
static void read_end(struct query_request *request, const char *name,
                     int64_t *ms)
{
    struct slice text = api_param(request, name);
    struct slice shown = slice_truncate(text, SHOWN);

    if (!api_parse_time(text, ms))
        api_invalid(request, name, "cannot parse \"%.*s\" to a valid timestamp",
                    SLICE_ARGS(shown));
}

enum status api_range(struct query_request *request, struct promql_time *time)
{
    read_end(request, "start", &time->start_ms);
    read_end(request, "end", &time->end_ms);
    if (request->failed != OK)
        return request->failed;
    if (time->end_ms < time->start_ms)
        return api_invalid(request, "end",
                           "end timestamp must not be before start time");
    if (read_duration(request, "step", api_param(request, "step"),
                      &time->step_ms) != OK)
        return request->failed;
    if (time->step_ms <= 0)
        return api_invalid(request, "step",
                           "zero or negative query resolution step widths are "
                           "not accepted. Try a positive integer");
    if ((time->end_ms - time->start_ms) / time->step_ms > API_MAX_STEPS)
        query_invalid(request,
                      "exceeded maximum resolution of 11,000 points per "
                      "timeseries. Try decreasing the query resolution "
                      "(?step=XX)");
    return request->failed;
}

enum status api_timeout(struct query_request *request)
{
    int64_t ms = -1;

    if (api_duration(request, "timeout", &ms) != OK ||
        api_param(request, "timeout").len == 0)
        return request->failed;
    if (ms <= 0)
        return query_fail(request, ERR_DEADLINE, NULL,
                          "query timed out in expression evaluation");
    if (request->reader)
        reader_shorten_deadline(request->reader,
                                request->started_ns + (uint64_t)ms * NS_PER_MS);
    return request->failed;
}

/* ---- PromQL ---- */

enum status api_parse(struct query_request *request, const char *name,
                      struct slice text, const struct promql_query **query)
{
    struct promql_error error = {.text = ""};
    enum status s;

    if (text.len > API_MAX_QUERY)
        return api_invalid(request, name, "longer than %d bytes",
                           API_MAX_QUERY);
    s = promql_parse(request->arena, text, query, &error);
    if (s == ERR_INVALID)
        return api_invalid(request, name, "%s", error.text);
    return s;
}

static enum status keep_selector(void *arg,
                                 const struct promql_matcher *matchers,
                                 uint32_t count)
{
    *(struct prometheus_selector *)arg =
        (struct prometheus_selector){matchers, count};
    return OK;
}

static bool excludes_empty(const struct prometheus_selector *selector)
{
    const struct promql_labels none = {NULL, 0};

    for (uint32_t i = 0; i < selector->count; i++)
        if (!promql_matches(&selector->matchers[i], 1, &none))
            return true;
    return false;
}

static enum status read_selector(struct query_request *request,
                                 struct slice text,
                                 struct prometheus_selector *selector)
{
    const struct promql_query *query;
    enum status s = api_parse(request, "match[]", text, &query);

    if (s != OK)
        return s;
    if (!promql_is_selector(query))
        return api_invalid(request, "match[]",
                           "parse error: only a selector is allowed, such as "
                           "up{job=\"x\"}");
    s = promql_selectors(query, keep_selector, selector);
    if (s == OK && !excludes_empty(selector))
        query_invalid(request,
                      "match[] must contain at least one non-empty matcher");
    return s == OK ? request->failed : s;
}

static enum status read_selectors(struct query_request *request,
                                  struct prometheus_list *list)
{
    struct prometheus_selector *selectors = arena_zero(
        request->arena, request->param_count + 1, sizeof(*selectors));
    enum status s = OK;

    if (!selectors)
        return arena_status(request->arena);
    list->selectors = selectors;
    for (uint32_t i = 0; i < request->param_count && s == OK; i++) {
        if (!slice_equal(request->params[i].name, SLICE("match[]")))
            continue;
        if (list->count == API_MAX_SELECTORS)
            return query_invalid(request, "more than %d match[]",
                                 API_MAX_SELECTORS);
        s = read_selector(request, request->params[i].value,
                          &selectors[list->count++]);
    }
    return s;
}

enum status api_list_params(struct query_request *request,
                            struct prometheus_list *list)
{
    *list = (struct prometheus_list){.start_ms = -last_ms, .end_ms = last_ms};
    api_limit(request, "limit", &list->limit);
    api_time(request, "start", &list->start_ms);
    if (api_time(request, "end", &list->end_ms) != OK)
        return request->failed;
    return read_selectors(request, list);
}
