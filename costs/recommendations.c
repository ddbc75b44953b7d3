/*
 * GET .../environments/{}/recommendations, of the Observer API: requests and
 * limits that fit what each component of an environment uses.
 */
#include <math.h>

#include "cost_nodes.h"
#include "cost_params.h"
#include "cost_routes.h"

/* Less says nothing of how a day goes. */
enum { LEAST_HOURS = 24, LEAST_CELLS = 24 * 12 * 9 / 10 };

struct profile_view {
    struct slice cpu_request, cpu_limit, memory_request, memory_limit;
    double cpu_cost, memory_cost;
};
static const struct reply_table profile_table = REPLY_TABLE(
    struct profile_view, REPLY(struct profile_view, "cpuRequest", cpu_request),
    REPLY(struct profile_view, "cpuLimit", cpu_limit),
    REPLY(struct profile_view, "memoryRequest", memory_request),
    REPLY(struct profile_view, "memoryLimit", memory_limit),
    REPLY(struct profile_view, "cpuCost", cpu_cost),
    REPLY(struct profile_view, "memoryCost", memory_cost));

struct evidence {
    uint32_t hours;
    double replicas;
    uint64_t cpu_samples, memory_samples;
    double cpu_p50, cpu_p95, cpu_max, memory_p50, memory_p95, memory_max;
    double throttled, oom_kills, restarts;
};
static const struct reply_table evidence_table =
    REPLY_TABLE(struct evidence, REPLY(struct evidence, "hours", hours),
                REPLY_ROUNDED(struct evidence, "replicas", replicas),
                REPLY(struct evidence, "cpuSamples", cpu_samples),
                REPLY(struct evidence, "cpuP50", cpu_p50),
                REPLY(struct evidence, "cpuP95", cpu_p95),
                REPLY(struct evidence, "cpuMax", cpu_max),
                REPLY(struct evidence, "memorySamples", memory_samples),
                REPLY(struct evidence, "memoryP50", memory_p50),
                REPLY(struct evidence, "memoryP95", memory_p95),
                REPLY(struct evidence, "memoryMax", memory_max),
                REPLY_NULLABLE(struct evidence, "throttledShare", throttled),
                REPLY(struct evidence, "oomKills", oom_kills),
                REPLY(struct evidence, "restarts", restarts));

struct advice {
    struct slice component_uid, environment_uid, project_uid;
    const struct identity *identity;
    struct profile_view current, recommendation;
    double saving;
    const char *risk;
    struct reply_list reasons;
    struct evidence evidence;
};
static const struct reply_table advice_table = REPLY_TABLE(
    struct advice, REPLY(struct advice, "componentUid", component_uid),
    REPLY(struct advice, "environmentUid", environment_uid),
    REPLY(struct advice, "projectUid", project_uid),
    REPLY_INLINE(struct advice, identity, REPLY_POINTER, &cost_names_table),
    REPLY_OBJECT(struct advice, "current", current, 0, &profile_table),
    REPLY_OBJECT(struct advice, "recommendation", recommendation, 0,
                 &profile_table),
    REPLY(struct advice, "saving", saving), REPLY(struct advice, "risk", risk),
    REPLY_LIST(struct advice, "riskReasons", reasons, &reply_texts),
    REPLY_OBJECT(struct advice, "evidence", evidence, 0, &evidence_table));

/* A component of which too little is known. */
struct refusal {
    struct slice project, component;
    struct slice reason;
    uint32_t hours;
};
static const struct reply_table refusal_table =
    REPLY_TABLE(struct refusal, REPLY(struct refusal, "project", project),
                REPLY(struct refusal, "component", component),
                REPLY(struct refusal, "reason", reason),
                REPLY(struct refusal, "hours", hours));

struct advice_answer {
    struct reply_list items, refusals;
    const struct empty_reply *empty;
    struct cost_window window;
    uint64_t first_ns;
    struct cost_prices prices;
    int64_t took_ms;
};
static const struct reply_table advice_answer_table = REPLY_TABLE(
    struct advice_answer,
    REPLY_LIST(struct advice_answer, "items", items, &advice_table),
    REPLY_LIST(struct advice_answer, "notRecommended", refusals,
               &refusal_table),
    REPLY_OBJECT(struct advice_answer, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY_OBJECT(struct advice_answer, "window", window, 0, &cost_window_table),
    REPLY_OPTIONAL_TIME(struct advice_answer, "dataStartTime", first_ns),
    REPLY_OBJECT(struct advice_answer, "prices", prices, 0, &cost_prices_table),
    REPLY(struct advice_answer, "tookMs", took_ms));

/* ---- one component ---- */

struct advice_list {
    const struct cost_report *report;
    struct advice advice;
    struct refusal refusal;
    struct slice reasons[RISK_REASONS];
    char quantities[8][QUANTITY_SIZE];
};

/* NULL: enough is known. */
static const char *refuses(const struct cost_component *component,
                           const struct cost_cell *total)
{
    const struct sizing *s = component->sizing;

    if (s->usage[PRICE_CPU].count == 0 && s->usage[PRICE_MEMORY].count == 0)
        return "no usage of CPU and memory was seen";
    if (total->hours < LEAST_HOURS ||
        s->usage[PRICE_CPU].count + s->usage[PRICE_MEMORY].count < LEAST_CELLS)
        return "less than a day of usage was seen";
    return NULL;
}

static void write_profile(struct profile_view *view,
                          const struct size_profile *profile,
                          char text[4][QUANTITY_SIZE])
{
    size_quantity(text[0], PRICE_CPU, profile->request[PRICE_CPU]);
    size_quantity(text[1], PRICE_CPU, profile->limit[PRICE_CPU]);
    size_quantity(text[2], PRICE_MEMORY, profile->request[PRICE_MEMORY]);
    size_quantity(text[3], PRICE_MEMORY, profile->limit[PRICE_MEMORY]);
    view->cpu_request = slice_of(text[0]);
    view->cpu_limit = slice_of(text[1]);
    view->memory_request = slice_of(text[2]);
    view->memory_limit = slice_of(text[3]);
}

/* What was paid in the window, had the request been another. */
static double cost_with(const struct sizing *sizing,
                        const struct cost_cell *total, enum price_of kind,
                        const struct size_profile *to)
{
    const struct usage_sizes *usage = &sizing->usage[kind];
    double was = usage_sizes_paid(usage, kind, sizing->current.request[kind]);
    double is = usage_sizes_paid(usage, kind, to->request[kind]);

    return was > 0 ? total->cost[kind] * is / was : total->cost[kind];
}

static void show_evidence(struct evidence *e, const struct sizing *s,
                          const struct cost_cell *total)
{
    const struct usage_sizes *cpu = &s->usage[PRICE_CPU];
    const struct usage_sizes *memory = &s->usage[PRICE_MEMORY];

    *e = (struct evidence){
        .hours = total->hours,
        .replicas = total->hours ? total->pod_hours / total->hours : 0,
        .cpu_samples = cpu->count,
        .memory_samples = memory->count,
        .cpu_p50 = usage_sizes_quantile(cpu, PRICE_CPU, 0.5),
        .cpu_p95 = usage_sizes_quantile(cpu, PRICE_CPU, 0.95),
        .cpu_max = cpu->max,
        .memory_p50 = usage_sizes_quantile(memory, PRICE_MEMORY, 0.5),
        .memory_p95 = usage_sizes_quantile(memory, PRICE_MEMORY, 0.95),
        .memory_max = memory->max,
        .throttled = sizing_throttled(s),
        .oom_kills = round(s->oom_kills),
        .restarts = round(s->restarts)};
}

static void show_risk(struct advice_list *list, const struct sizing *sizing,
                      uint32_t hours)
{
    static const char *const words[] = {"low", "medium", "high"};
    const char *reasons[RISK_REASONS];
    uint32_t count;

    list->advice.risk = words[sizing_risk(sizing, hours, reasons, &count)];
    for (uint32_t i = 0; i < count; i++)
        list->reasons[i] = slice_of(reasons[i]);
    list->advice.reasons =
        (struct reply_list){count, list->reasons, NULL, NULL};
}

static const void *advice_item(void *arg, uint32_t i)
{
    struct advice_list *list = arg;
    const struct cost_component *component = &list->report->components[i];
    const struct sizing *sizing = component->sizing;
    struct cost_cell total = cost_total(list->report, component);
    struct size_profile to = right_size(sizing);
    struct advice *a = &list->advice;

    if (refuses(component, &total))
        return NULL;
    *a = (struct advice){
        .identity = &component->identity,
        .component_uid = cost_uid(component->identity.component_uid),
        .environment_uid = cost_uid(component->identity.environment_uid),
        .project_uid = cost_uid(component->identity.project_uid)};
    write_profile(&a->current, &sizing->current, list->quantities);
    write_profile(&a->recommendation, &to, list->quantities + 4);
    a->current.cpu_cost = total.cost[PRICE_CPU];
    a->current.memory_cost = total.cost[PRICE_MEMORY];
    a->recommendation.cpu_cost = cost_with(sizing, &total, PRICE_CPU, &to);
    a->recommendation.memory_cost =
        cost_with(sizing, &total, PRICE_MEMORY, &to);
    a->saving = a->current.cpu_cost + a->current.memory_cost -
                a->recommendation.cpu_cost - a->recommendation.memory_cost;
    show_evidence(&a->evidence, sizing, &total);
    show_risk(list, sizing, total.hours);
    return a;
}

static const void *refusal_item(void *arg, uint32_t i)
{
    struct advice_list *list = arg;
    const struct cost_component *component = &list->report->components[i];
    struct cost_cell total = cost_total(list->report, component);
    const char *reason = refuses(component, &total);

    if (!reason)
        return NULL;
    list->refusal = (struct refusal){component->identity.project,
                                     component->identity.component,
                                     slice_of(reason), total.hours};
    return &list->refusal;
}

/* ---- the answer ---- */

static enum status answer(struct cost_report *report)
{
    struct query_request *request = report->request;
    struct advice_list list = {.report = report};
    enum status status = cost_nodes_find(report);

    if (status != OK)
        return query_fail_read(request, status);
    status = cost_read(report);
    if (status == OK)
        status = cost_count_kills(report);
    if (status != OK)
        return status;
    cost_sort_components(report);
    const struct advice_answer view = {
        .items = {.count = report->count, .item = advice_item, .arg = &list},
        .refusals = {.count = report->count,
                     .item = refusal_item,
                     .arg = &list},
        .empty = cost_empty(report),
        .window = {report->start_ns, report->end_ns},
        .first_ns = report->first_ns,
        .prices = cost_prices_view(report),
        .took_ms = query_took_ms(request)};
    reply_write(&request->json, &advice_answer_table, &view);
    return OK;
}

static enum status recommendations(struct query_request *request)
{
    struct cost_report report = {.request = request, .sizes = true};
    enum status status = cost_params_observer(request, &report);

    if (status != OK)
        return status;
    report.prices = prices_get(request->services->prices);
    status = answer(&report);
    price_table_release(report.prices);
    return status;
}

const struct route routes_recommendations[] = {
    {"GET", "/api/v1alpha1/costs/namespaces/{}/environments/{}/recommendations",
     ACTION_FINOPS_VIEW, SCOPE_PATH_SPACE, recommendations, NULL, 0, 0,
     &advice_answer_table},
    {0},
};
