/* Parameters of the routes of costs; see cost_params.h. */
#include "cost_params.h"

#include "ascii.h"
#include "clock.h"

/* A name, or else the uid that an adapter is asked with. */
static struct slice name_or_uid(const struct query_request *request,
                                const char *name, const char *uid)
{
    struct slice text = query_param(request, name);

    return text.len > 0 ? text : query_param(request, uid);
}

/* ^[1-9][0-9]*[hdw]$; 0: not that, or longer than any window. */
static uint64_t parse_granularity(struct slice text)
{
    uint64_t count = 0, unit = 0;
    char last = text.len > 1 ? text.ptr[text.len - 1] : '\0';

    for (size_t i = 0; i + 1 < text.len; i++) {
        if (!is_digit(text.ptr[i]) || (i == 0 && text.ptr[0] == '0'))
            return 0;
        if (count < 1000000)
            count = count * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    unit = last == 'h'   ? NS_PER_HOUR
           : last == 'd' ? NS_PER_DAY
           : last == 'w' ? 7 * NS_PER_DAY
                         : 0;
    return count < 100000 ? count * unit : 100000 * unit;
}

/* One step. */
static enum status check_window(struct query_request *request,
                                struct cost_report *report)
{
    uint64_t length = report->end_ns - report->start_ns;

    if (request->failed != OK)
        return request->failed;
    if (report->end_ns <= report->start_ns)
        return query_invalid(request, "endTime must be after startTime");
    if (length > COST_MAX_DAYS * NS_PER_DAY)
        return query_invalid(request,
                             "endTime must be at most %d days after startTime",
                             COST_MAX_DAYS);
    report->hours = (uint32_t)((length + NS_PER_HOUR - 1) / NS_PER_HOUR);
    report->step_ns = report->hours * NS_PER_HOUR;
    report->steps = 1;
    return OK;
}

enum status cost_params_since(struct query_request *request,
                              uint64_t default_ns, struct cost_report *report)
{
    report->end_ns = request->now_ns;
    params_query_time(request, "endTime", &report->end_ns);
    report->start_ns =
        report->end_ns > default_ns ? report->end_ns - default_ns : 1;
    params_query_time(request, "startTime", &report->start_ns);
    return check_window(request, report);
}

enum status cost_params_steps(struct query_request *request,
                              struct cost_report *report)
{
    struct slice granularity = query_param(request, "granularity");

    if (granularity.len == 0)
        return OK;
    report->step_ns = parse_granularity(granularity);
    if (report->step_ns == 0)
        return query_invalid(request, "granularity must be a number of hours, "
                                      "days or weeks such as 1h, 1d or 1w");
    report->steps =
        (uint32_t)((report->end_ns - report->start_ns + report->step_ns - 1) /
                   report->step_ns);
    return OK;
}

enum status cost_params_observer(struct query_request *request,
                                 struct cost_report *report)
{
    struct scope_filter scope = report->scope = (struct scope_filter){
        .namespace = request->parts[0],
        .environment = request->parts[1],
        .project = name_or_uid(request, "project", "projectUid"),
        .component = name_or_uid(request, "component", "componentUid")};
    enum status status;

    if (scope.component.len > 0 && scope.project.len == 0)
        query_invalid(request,
                      "project is required when component is provided");
    if (request->failed != OK)
        return request->failed;
    status = params_may_ask(request, &scope);
    params_query_need_time(request, "startTime", &report->start_ns);
    params_query_need_time(request, "endTime", &report->end_ns);
    if (status == OK)
        status = check_window(request, report);
    return status == OK ? params_select(request, &scope, &report->resources)
                        : status;
}

struct slice cost_uid(struct slice uid)
{
    bool good = uid.len == 36;

    for (size_t i = 0; i < uid.len && good; i++) {
        char c = uid.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        good = dash ? c == '-'
                    : is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
    }
    return good ? uid : SLICE("00000000-0000-0000-0000-000000000000");
}

const struct reply_table cost_names_table =
    REPLY_TABLE(struct identity, REPLY(struct identity, "component", component),
                REPLY(struct identity, "environment", environment),
                REPLY(struct identity, "project", project),
                REPLY(struct identity, "namespace", namespace));

const struct reply_table cost_window_table = REPLY_TABLE(
    struct cost_window, REPLY_TIME(struct cost_window, "startTime", start_ns),
    REPLY_TIME(struct cost_window, "endTime", end_ns));

const struct reply_table cost_prices_table = REPLY_TABLE(
    struct cost_prices, REPLY(struct cost_prices, "currency", currency),
    REPLY(struct cost_prices, "source", source),
    REPLY(struct cost_prices, "coreHour", core_hour),
    REPLY(struct cost_prices, "gibHour", gib_hour));

struct cost_prices cost_prices_view(const struct cost_report *report)
{
    /* The table is released before the answer is written. */
    return (struct cost_prices){
        arena_copy(report->request->arena, report->prices->currency),
        report->prices->source, report->prices->price.of[PRICE_CPU],
        report->prices->price.of[PRICE_MEMORY]};
}

const struct empty_reply *cost_empty(const struct cost_report *report)
{
    return report->count > 0
               ? NULL
               : empty_reply_of(
                     report->request,
                     &(struct empty_of){.scope = report->scope,
                                        .start_ns = report->start_ns,
                                        .end_ns = report->end_ns,
                                        .what = "usage or requests of CPU and "
                                                "memory",
                                        .signal = SIGNAL_METRICS});
}
