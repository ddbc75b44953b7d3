/* GET /api/v1/compare: what differs between two windows, what matters most
 * first. */
#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "empty_reply.h"
#include "names.h"
#include "page_link.h"
#include "routes.h"

enum {
    LIMIT = 20,
    LIMIT_MAX = 200,
    CHANGES = 20,   /* that are shown */
    COMPONENTS = 50 /* whose figures are shown */
};

/* ---- differences ---- */

struct difference *difference_add(struct comparison *c, const char *kind,
                                  const char *metric,
                                  const struct identity *identity)
{
    struct difference *d =
        arena_append(c->request->arena, &c->at, c->count, &c->room);

    if (!d)
        return NULL;
    *d = (struct difference){
        .kind = kind, .metric = metric, .identity = identity, .limit = NAN};
    c->count++;
    return d;
}

struct difference *difference_of(struct comparison *c, const char *kind,
                                 const struct identity *identity)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (slice_equal(slice_of(c->at[i].kind), slice_of(kind)) &&
            c->at[i].operation.len == 0 && c->at[i].peer.len == 0 &&
            identity_compare(c->at[i].identity, identity) == 0)
            return &c->at[i];
    return NULL;
}

void difference_set(struct difference *d, double from, double to, double z)
{
    d->from = from < RED_NONE ? 0 : from;
    d->to = to < RED_NONE ? 0 : to;
    d->significance = z;
    d->direction = d->from <= 0 ? "new"
                   : d->to <= 0 ? "gone"
                   : z > 0      ? "up"
                                : "down";
}

int difference_order(const void *left, const void *right)
{
    const struct difference *a = left, *b = right;
    int order;

    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    order = identity_compare(a->identity, b->identity);
    if (order == 0)
        order = slice_compare(a->operation, b->operation);
    return order ? order : slice_compare(a->template_id, b->template_id);
}

/* ---- sentences ---- */

static struct slice amount(struct arena *arena, const struct difference *d,
                           double value)
{
    struct slice metric = slice_of(d->metric);

    if (slice_equal(slice_from(metric, metric.len > 5 ? metric.len - 5 : 0),
                    SLICE("Ratio")))
        return arena_format(arena, "%.3g %%", 100 * value);
    if (slice_starts(metric, SLICE("latency")))
        return value < 1 ? arena_format(arena, "%.3g ms", 1000 * value)
                         : arena_format(arena, "%.3g s", value);
    if (slice_equal(metric, SLICE("memoryUsage")))
        return arena_format(arena, "%.3g MiB", value / (1024 * 1024));
    if (slice_equal(metric, SLICE("cpuUsage")))
        return arena_format(arena, "%.3g cores", value);
    return arena_format(arena, "%.3g/s", value);
}

static const char *what_of(const struct difference *d)
{
    static const struct {
        const char *metric, *what;
    } words[] = {{"errorRatio", "errors"},
                 {"clientErrorRatio", "client errors"},
                 {"latencyP50", "median latency"},
                 {"latencyP90", "latency p90"},
                 {"latencyP99", "latency p99"},
                 {"requestRate", "requests"},
                 {"callRate", "calls"},
                 {"cpuUsage", "CPU"},
                 {"memoryUsage", "memory"},
                 {"recordRate", "log records"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (slice_equal(slice_of(words[i].metric), slice_of(d->metric)))
            return words[i].what;
    return d->metric;
}

/* "cart: latency p99 12 ms -> 80 ms (POST /orders)" */
static void set_title(struct comparison *c, struct difference *d)
{
    struct arena *arena = c->request->arena;
    struct slice place = d->operation.len > 0 ? d->operation : d->peer;
    struct slice line = slice_truncate(d->text, 120), of = {NULL, 0};

    if (d->limit > 0)
        of = arena_format(arena, ", %.0f %% of the limit",
                          100 * d->to / d->limit);
    d->title = arena_format(arena, "%.*s%s%.*s: %s %.*s -> %.*s%.*s%s%.*s",
                            SLICE_ARGS(d->identity->component),
                            place.len == 0    ? ""
                            : d->peer.len > 0 ? " to "
                                              : " ",
                            SLICE_ARGS(place), what_of(d),
                            SLICE_ARGS(amount(arena, d, d->from)),
                            SLICE_ARGS(amount(arena, d, d->to)), SLICE_ARGS(of),
                            line.len > 0 ? ": " : "", SLICE_ARGS(line));
}

/* ---- tables ---- */

static const struct reply_table operation_change_table =
    REPLY_TABLE(struct operation_change,
                REPLY(struct operation_change, "endpoint", endpoint),
                REPLY(struct operation_change, "operation", operation),
                REPLY_NULLABLE(struct operation_change, "from", from),
                REPLY_NULLABLE(struct operation_change, "to", to));

static const struct reply_table difference_table =
    REPLY_TABLE(struct difference, REPLY(struct difference, "kind", kind),
                REPLY(struct difference, "metric", metric),
                REPLY(struct difference, "direction", direction),
                REPLY(struct difference, "title", title),
                REPLY_INLINE(struct difference, identity, REPLY_POINTER,
                             &scope_names_table),
                REPLY_OPTIONAL(struct difference, "endpoint", endpoint),
                REPLY_OPTIONAL(struct difference, "operation", operation),
                REPLY_OPTIONAL(struct difference, "peer", peer),
                REPLY_OPTIONAL(struct difference, "level", level),
                REPLY_OPTIONAL(struct difference, "template", text),
                REPLY_OPTIONAL(struct difference, "templateId", template_id),
                REPLY_NULLABLE(struct difference, "from", from),
                REPLY_NULLABLE(struct difference, "to", to),
                REPLY_NULLABLE(struct difference, "limit", limit),
                REPLY_ROUNDED(struct difference, "score", score),
                REPLY_ROUNDED(struct difference, "significance", significance),
                REPLY(struct difference, "countBefore", counts[BEFORE]),
                REPLY(struct difference, "count", counts[NOW]),
                REPLY_OPTIONAL_LIST(struct difference, "operations", listed,
                                    &operation_change_table));

struct component_figures {
    const struct identity *identity;
    struct figures now, before;
};
static const struct reply_table component_figures_table = REPLY_TABLE(
    struct component_figures,
    REPLY_INLINE(struct component_figures, identity, REPLY_POINTER,
                 &scope_names_table),
    REPLY_INLINE(struct component_figures, now, 0, &figures_table),
    REPLY_OBJECT(struct component_figures, "base", before, 0, &figures_table));

struct compare_reply {
    const struct window *window, *base;
    bool base_is_empty, same;
    struct slice summary;
    struct reply_list differences, components, changes, withheld;
    uint32_t total, compared, few;
    bool narrowed;
    const struct empty_reply *empty;
    struct slice link;
    int64_t took_ms;
};
static const struct reply_table compare_table = REPLY_TABLE(
    struct compare_reply,
    REPLY_OBJECT(struct compare_reply, "window", window, REPLY_POINTER,
                 &window_table),
    REPLY_OBJECT(struct compare_reply, "base", base, REPLY_POINTER,
                 &window_table),
    REPLY(struct compare_reply, "baseIsEmpty", base_is_empty),
    REPLY(struct compare_reply, "same", same),
    REPLY(struct compare_reply, "summary", summary),
    REPLY_LIST(struct compare_reply, "differences", differences,
               &difference_table),
    REPLY(struct compare_reply, "total", total),
    REPLY_LIST(struct compare_reply, "components", components,
               &component_figures_table),
    REPLY(struct compare_reply, "componentCount", compared),
    REPLY_OPTIONAL(struct compare_reply, "narrowed", narrowed),
    REPLY(struct compare_reply, "tooFewToTell", few),
    REPLY_LIST(struct compare_reply, "changes", changes, &change_row_table),
    REPLY_OPTIONAL_LIST(struct compare_reply, "withheld", withheld,
                        &reply_texts),
    REPLY_OBJECT(struct compare_reply, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY_OPTIONAL(struct compare_reply, "link", link),
    REPLY(struct compare_reply, "tookMs", took_ms));

/* ---- the answer ---- */

static int busiest_first(const void *left, const void *right)
{
    const struct component_figures *a = left, *b = right;
    double x = fmax(a->now.count, a->before.count),
           y = fmax(b->now.count, b->before.count);

    return x != y ? (x > y ? -1 : 1)
                  : identity_compare(a->identity, b->identity);
}

static struct reply_list list_components(struct comparison *c)
{
    struct component_figures *at =
        arena_zero(c->request->arena, c->totals.count + 1, sizeof(*at));

    for (uint32_t i = 0; at && i < c->totals.count; i++) {
        const struct pair *p = &c->totals.at[i];

        at[i] = (struct component_figures){p->identity, p->figures[NOW],
                                           p->figures[BEFORE]};
    }
    if (at && c->totals.count > 0)
        qsort(at, c->totals.count, sizeof(*at), busiest_first);
    /* figures point into themselves */
    for (uint32_t i = 0; at && i < c->totals.count; i++) {
        at[i].now.latency = at[i].now.latency ? &at[i].now.of_latency : NULL;
        at[i].before.latency =
            at[i].before.latency ? &at[i].before.of_latency : NULL;
    }
    return (struct reply_list){
        .count = c->totals.count < COMPONENTS ? c->totals.count : COMPONENTS,
        .items = at};
}

static bool side_is_empty(const struct comparison *c, enum side side)
{
    for (uint32_t i = 0; i < c->totals.count; i++)
        if (c->totals.at[i].figures[side].count >= RED_NONE)
            return false;
    return true;
}

/* Of the base, the window, and what lies between. */
static enum status read_changes(struct comparison *c, struct change_list *list)
{
    *list = (struct change_list){.request = c->request,
                                 .scope = c->scope,
                                 .resources = c->resources,
                                 .start_ns = c->base.end_ns < c->window.start_ns
                                                 ? c->base.end_ns
                                                 : c->window.start_ns,
                                 .end_ns = c->window.end_ns,
                                 .kinds = UINT32_MAX,
                                 .metrics = {.all = true},
                                 .logs = c->logs};
    list->index.arena = c->request->arena;
    return c->events.all ? changes_gather(list) : OK;
}

static struct slice summary_of(struct comparison *c, bool base_is_empty)
{
    if (base_is_empty)
        return SLICE("the base has neither requests nor log records: there is "
                     "nothing to compare with");
    if (c->count == 0)
        return SLICE("no significant difference");
    return arena_format(c->request->arena, "%u significant difference%s; %.*s",
                        c->count, c->count == 1 ? "" : "s",
                        SLICE_ARGS(c->at[0].title));
}

/* Of requests; if there never were any, of log records. */
static const struct empty_reply *why_empty(const struct comparison *c)
{
    struct empty_of of = {.scope = c->scope,
                          .start_ns = c->window.start_ns,
                          .end_ns = c->window.end_ns,
                          .what = "requests or log records",
                          .signal = SIGNAL_SPANS};
    const struct empty_reply *empty = empty_reply_of(c->request, &of);

    of.signal = SIGNAL_LOGS;
    return empty && strcmp(empty->reason, "never") == 0
               ? empty_reply_of(c->request, &of)
               : empty;
}

static enum status reply(struct comparison *c, uint64_t limit)
{
    struct query_request *request = c->request;
    struct change_list changes;
    struct withheld withheld = {.count = 0};
    bool base_is_empty =
        side_is_empty(c, BEFORE) && c->logged_before->count == 0;
    struct compare_reply view = {.window = &c->window,
                                 .base = &c->base,
                                 .base_is_empty = base_is_empty,
                                 .same = c->count == 0 && !base_is_empty,
                                 .total = c->count,
                                 .compared = c->components > c->totals.count
                                                 ? c->components
                                                 : c->totals.count,
                                 .narrowed = c->narrowed,
                                 .few = c->few};
    enum status s = read_changes(c, &changes);

    if (s != OK)
        return s;
    for (uint32_t i = 0; i < c->count; i++) {
        struct difference *d = &c->at[i];

        d->listed = (struct reply_list){.count = d->operation_count,
                                        .items = d->operations};
        set_title(c, d);
    }
    for (uint32_t i = 0; i < changes.count; i++)
        changes.at[i].again_ns =
            changes.at[i].count > 1 ? changes.at[i].last_ns : 0;
    view.summary = summary_of(c, base_is_empty);
    view.differences = (struct reply_list){
        .count = c->count < limit ? c->count : (uint32_t)limit, .items = c->at};
    view.components = list_components(c);
    view.changes = (struct reply_list){
        .count = changes.count < CHANGES ? changes.count : CHANGES,
        .items = changes.at};
    withhold_part(&withheld, &c->logs, SLICE("logs"));
    withhold_part(&withheld, &c->events, SLICE("changes"));
    view.withheld =
        (struct reply_list){.count = withheld.count, .items = withheld.names};
    if (c->totals.count == 0 && c->count == 0 && !c->logged_now)
        view.empty = why_empty(c);
    view.link = page_link_text(
        request,
        &(struct page_link){.page = c->scope.component.len > 0 ? "component"
                                                               : "project",
                            .scope = c->scope,
                            .start_ns = c->window.start_ns,
                            .end_ns = c->window.end_ns});
    view.took_ms = query_took_ms(request);
    reply_write(&request->json, &compare_table, &view);
    return OK;
}

/* ---- the request ---- */

static void read_base(struct comparison *c)
{
    struct query_request *request = c->request;
    struct window *base = &c->base;
    uint64_t start = c->window.start_ns, length = c->window.end_ns - start;
    bool with_start = query_param(request, "baseStartTime").len > 0,
         with_end = query_param(request, "baseEndTime").len > 0;

    base->end_ns = start;
    params_query_time(request, "baseEndTime", &base->end_ns);
    base->start_ns = base->end_ns > length ? base->end_ns - length : 0;
    params_query_time(request, "baseStartTime", &base->start_ns);
    if (with_start && !with_end)
        base->end_ns = base->start_ns + length;
    if (base->end_ns < base->start_ns)
        query_invalid(request, "baseEndTime must not be before baseStartTime");
    else if (base->end_ns - base->start_ns > 30 * NS_PER_DAY + NS_PER_S)
        query_invalid(request, "baseEndTime must be at most 30 days after "
                               "baseStartTime");
}

static struct grid cells_of(const struct window *w, uint64_t now_ns)
{
    uint64_t step = (w->end_ns - w->start_ns) / COMPARE_CELLS;
    struct grid grid = {w->start_ns, step > 0 ? step : 1, now_ns,
                        COMPARE_CELLS};

    while (grid.count > 0 && grid_time(&grid, grid.count - 1) >= now_ns)
        grid.count--;
    return grid;
}

static enum status read_request(struct comparison *c, uint64_t *limit)
{
    struct query_request *request = c->request;

    params_query_scope(request, &c->scope);
    params_query_range(request, NS_PER_HOUR, &c->window.start_ns,
                       &c->window.end_ns);
    params_query_number(request, "limit", 1, LIMIT_MAX, limit);
    if (request->failed == OK)
        read_base(c);
    if (request->failed != OK)
        return request->failed;
    window_init(&c->window, request->now_ns);
    window_init(&c->base, request->now_ns);
    c->cells[NOW] = cells_of(&c->window, request->now_ns);
    c->cells[BEFORE] = cells_of(&c->base, request->now_ns);
    c->logs = part_access(request, ACTION_LOGS_VIEW, &c->scope);
    c->events = part_access(request, ACTION_EVENTS_VIEW, &c->scope);
    if (request->failed != OK) /* a decision is awaited */
        return request->failed;
    return params_select(request, &c->scope, &c->resources);
}

static enum status query_compare(struct query_request *request)
{
    struct comparison *c = arena_zero(request->arena, 1, sizeof(*c));
    uint64_t limit = LIMIT;
    enum status s;

    if (!c)
        return arena_status(request->arena);
    c->request = request;
    s = read_request(c, &limit);
    if (s == OK)
        s = compare_screen(c);
    if (s == OK)
        s = compare_read(c);
    if (s == OK && !side_is_empty(c, BEFORE))
        s = compare_requests(c);
    if (s == OK)
        s = compare_logs(c);
    if (s == OK)
        s = compare_usage(c);
    if (s != OK)
        return s;
    if (c->count > 0)
        qsort(c->at, c->count, sizeof(*c->at), difference_order);
    return reply(c, limit);
}

const struct route routes_compare[] = {
    {"GET", "/api/v1/compare", ACTION_METRICS_VIEW, SCOPE_NARROWED,
     query_compare, NULL, 0, 0, &compare_table},
    {0},
};
