/* The rows of `callboard top`; see top_rows.h. */
#include "top_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "array.h"
#include "cli_int.h"
#include "mem.h"

enum { FEW_REQUESTS = 20 };

/* ---- from an answer ---- */

static bool is_slower(double now, double before, double times, double more)
{
    return now >= before * times && now >= before + more;
}

static enum top_health health_of(const json_t *component)
{
    const json_t *previous = json_object_get(component, "previous");
    double count = cli_number(component, "requestCount"),
           before = cli_number(previous, "requestCount"),
           errors = cli_number(component, "errorRatio"),
           p99 = cli_number(json_object_get(component, "latency"), "p99"),
           old = cli_number(json_object_get(previous, "latency"), "p99");

    if (count < FEW_REQUESTS)
        return before >= FEW_REQUESTS && count == 0 ? TOP_SILENT : TOP_OK;
    if (errors >= 0.05 || is_slower(p99, old, 3, 0.05))
        return TOP_BAD;
    return errors >= 0.01 || is_slower(p99, old, 2, 0.02) ? TOP_WARNING
                                                          : TOP_OK;
}

static struct top_row row_of(const json_t *c)
{
    const json_t *latency = json_object_get(c, "latency"),
                 *usage = json_object_get(c, "usage");
    double cpu = cli_number(usage, "cpuUsage"),
           memory = cli_number(usage, "memoryUsage");

    return (struct top_row){
        .namespace = cli_text(c, "namespace"),
        .project = cli_text(c, "project"),
        .component = cli_text(c, "component"),
        .environment = cli_text(c, "environment"),
        .health = health_of(c),
        .trend = json_object_get(json_object_get(c, "spark"), "requestRate"),
        .values = {[TOP_NAME] = NAN,
                   [TOP_RATE] = cli_number(c, "requestRate"),
                   [TOP_ERRORS] = cli_number(c, "errorRatio"),
                   [TOP_P50] = cli_number(latency, "p50"),
                   [TOP_P99] = cli_number(latency, "p99"),
                   [TOP_CPU] = cpu,
                   [TOP_CPU_SHARE] = cpu / cli_number(usage, "cpuLimits"),
                   [TOP_MEMORY] = memory,
                   [TOP_MEMORY_SHARE] =
                       memory / cli_number(usage, "memoryLimits"),
                   [TOP_RESTARTS] = cli_number(usage, "restarts"),
                   [TOP_TREND] = NAN}};
}

void top_rows_add(struct top_rows *rows, json_t *answer)
{
    const json_t *list = json_object_get(answer, "components");

    *(json_t **)array_append(&rows->answers, rows->answer_count,
                             &rows->answer_room) = answer;
    rows->answer_count++;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct top_row *row = array_append(&rows->at, rows->count, &rows->room);

        *row = row_of(json_array_get(list, i));
        rows->count++;
    }
}

void top_rows_release(struct top_rows *rows)
{
    for (uint32_t i = 0; i < rows->answer_count; i++)
        json_decref(rows->answers[i]);
    free(rows->answers);
    free(rows->at);
    *rows = (struct top_rows){.count = 0};
}

/* ---- which, in which order ---- */

static bool has_part(const char *text, const char *part)
{
    size_t len = strlen(part);

    for (; *text; text++)
        if (strncasecmp(text, part, len) == 0)
            return true;
    return len == 0;
}

static bool is_chosen(const struct top_row *row,
                      const struct top_choice *choice)
{
    if (choice->project[0] && strcmp(choice->project, row->project) != 0)
        return false;
    if (choice->environment[0] &&
        strcmp(choice->environment, row->environment) != 0)
        return false;
    return has_part(row->component, choice->filter) ||
           has_part(row->project, choice->filter) ||
           has_part(row->namespace, choice->filter);
}

static int by_name(const struct top_row *a, const struct top_row *b)
{
    int order = strcmp(a->component, b->component);

    if (order == 0)
        order = strcmp(a->project, b->project);
    if (order == 0)
        order = strcmp(a->namespace, b->namespace);
    return order ? order : strcmp(a->environment, b->environment);
}

/* What qsort() compares: it has no argument. */
struct ranked_row {
    const struct top_row *row;
    double value; /* NAN: last */
    int sign;     /* of the order by name */
    uint32_t index;
};

static int by_value(const void *left, const void *right)
{
    const struct ranked_row *a = left, *b = right;

    if (isnan(a->value) != isnan(b->value))
        return isnan(a->value) ? 1 : -1;
    if (a->value > b->value || a->value < b->value)
        return a->value > b->value ? -1 : 1;
    return a->sign * by_name(a->row, b->row);
}

uint32_t *top_rows_choose(const struct top_rows *rows,
                          const struct top_choice *choice, uint32_t *count)
{
    struct ranked_row *all = mem_alloc((rows->count + 1) * sizeof(*all));
    uint32_t *chosen = mem_alloc((rows->count + 1) * sizeof(*chosen));
    bool names = choice->sort == TOP_NAME;

    *count = 0;
    for (uint32_t i = 0; i < rows->count; i++)
        if (is_chosen(&rows->at[i], choice))
            all[(*count)++] =
                (struct ranked_row){&rows->at[i],
                                    names ? 0
                                          : rows->at[i].values[choice->sort] *
                                                (choice->reverse ? -1 : 1),
                                    names && choice->reverse ? -1 : 1, i};
    qsort(all, *count, sizeof(*all), by_value);
    for (uint32_t i = 0; i < *count; i++)
        chosen[i] = all[i].index;
    free(all);
    return chosen;
}

static const char *name_of(const struct top_row *row, enum top_name_kind kind)
{
    return kind == TOP_NAMESPACE ? row->namespace
           : kind == TOP_PROJECT ? row->project
                                 : row->environment;
}

const char *top_rows_next(const struct top_rows *rows, enum top_name_kind kind,
                          const char *current)
{
    const char *next = "";

    for (uint32_t i = 0; i < rows->count; i++) {
        const char *name = name_of(&rows->at[i], kind);

        if (strcmp(name, current) > 0 && (!next[0] || strcmp(name, next) < 0))
            next = name;
    }
    return next;
}

bool top_rows_many(const struct top_rows *rows, enum top_name_kind kind)
{
    for (uint32_t i = 1; i < rows->count; i++)
        if (strcmp(name_of(&rows->at[i], kind), name_of(rows->at, kind)) != 0)
            return true;
    return false;
}
