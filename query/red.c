#include "red.h"

#include <math.h>

#include "clock.h"
#include "derived.h"
#include "series_set.h"
#include "tally.h"

const char *const red_names[RED_ROWS] = {
    "requestCount",
    "successfulRequestCount",
    "unsuccessfulRequestCount",
    "meanLatency",
    "latencyP50",
    "latencyP90",
    "latencyP99",
};

bool red_init(struct red *red, const struct grid *grid, struct arena *arena)
{
    *red = (struct red){.grid = *grid};
    red->hists = arena_zero(arena, grid->count + 1, sizeof(*red->hists));
    return red->hists && row_init(&red->requests, grid, arena) &&
           row_init(&red->errors, grid, arena) &&
           row_init(&red->client_errors, grid, arena);
}

static bool add_duration(struct red *red, struct arena *arena,
                         const struct point *point)
{
    struct grid_part part =
        grid_parts(&red->grid, point->start_ns, point->time_ns);

    red->any = true;
    while (grid_next(&red->grid, &part)) {
        row_add(&red->requests, part.cell,
                (double)point->histogram->count * part.share);
        if (!hist_add(&red->hists[part.cell], arena,
                      (enum metric_type)point->metric->type, point->histogram,
                      1, part.share))
            return false;
    }
    return true;
}

static void add_count(struct red *red, struct row *row,
                      const struct point *point)
{
    row_spread(row, &red->grid, point->start_ns, point->time_ns,
               point->is_int ? (double)point->i : point->d);
}

bool red_add(struct red *red, struct arena *arena, const struct point *point)
{
    struct slice name = point->metric->name;

    if (point->metric->type == METRIC_EXP_HISTOGRAM)
        return add_duration(red, arena, point);
    if (slice_equal(name, SLICE(DERIVED_ERRORS)))
        add_count(red, &red->errors, point);
    else if (slice_equal(name, SLICE(DERIVED_CLIENT_ERRORS)))
        add_count(red, &red->client_errors, point);
    return true;
}

/* ---- from the derived series ---- */

struct red_visit {
    struct call *call;
    struct red *red;
    struct series_set *set;
    bool failed; /* the arena is full: the rest is passed over */
};

static void visit_derived(void *arg, const struct point *point)
{
    struct red_visit *visit = arg;
    const struct attr *kind = attrs_find(&point->attrs, SLICE(DERIVED_KIND));

    if (visit->failed || !kind ||
        !slice_equal(attr_text(kind), SLICE("server")))
        return;
    visit->failed = !red_add(visit->red, visit->call->arena, point);
}

static enum status query_derived(struct call *call,
                                 const struct idset *resources, struct red *red)
{
    struct red_visit visit = {.call = call, .red = red};
    /* A minute is found by its end, which may be after the last cell. */
    struct series_query query = {
        .start_ns = red->grid.start_ns,
        .end_ns = grid_end(&red->grid) + DERIVED_MINUTE_S * NS_PER_S,
        .resources = resources,
        .names = derived_names,
        .name_count = DERIVED_SERVED_NAMES,
    };
    enum status s =
        reader_query_series(call->reader, &query, visit_derived, &visit);

    if (s != OK)
        return call_fail_read(call, s);
    return visit.failed ? arena_status(call->arena) : OK;
}

/* ---- from metrics that SDKs or Hubble send ---- */

enum { TAG_REQUESTS = 1, TAG_BAD = 2, TAG_LATENCY = 4 };

struct http_metric {
    struct slice name;
    uint32_t rank, tags;
};

static const struct http_metric http_metrics[] = {
    {{"http.server.request.duration", 28}, 0, TAG_REQUESTS | TAG_LATENCY},
    {{"http.server.duration", 20}, 1, TAG_REQUESTS | TAG_LATENCY},
    {{"hubble_http_requests_total", 26}, 2, TAG_REQUESTS},
    {{"hubble_http_request_duration_seconds", 36}, 2, TAG_LATENCY},
};
enum { HTTP_METRICS = sizeof(http_metrics) / sizeof(http_metrics[0]) };

static const struct http_metric *find_http_metric(struct slice name)
{
    for (size_t i = 0; i < HTTP_METRICS; i++)
        if (slice_equal(http_metrics[i].name, name))
            return &http_metrics[i];
    return NULL;
}

/* 4xx and 5xx, in whichever attribute and type the sender puts the code. */
static bool is_bad(const struct attrs *attrs)
{
    static const struct slice keys[] = {
        {"http.response.status_code", 25},
        {"http.status_code", 16},
        {"status", 6},
    };

    for (size_t i = 0; i < 3; i++) {
        const struct attr *code = attrs_find(attrs, keys[i]);

        if (code && code->type == VALUE_INT)
            return code->i >= 400;
        if (code && code->type == VALUE_STRING && code->len > 0)
            return code->str[0] == '4' || code->str[0] == '5';
    }
    return false;
}

/* Hubble counts a request at both ends. */
static bool is_counted_elsewhere(const struct attrs *attrs)
{
    const struct attr *reporter = attrs_find(attrs, SLICE("reporter"));

    return reporter && !slice_equal(attr_text(reporter), SLICE("server"));
}

static void visit_http(void *arg, const struct point *point)
{
    struct red_visit *visit = arg;
    const struct http_metric *metric = find_http_metric(point->metric->name);
    struct series_point p = {.point = point, .factor = 1};

    if (visit->failed || !metric || is_counted_elsewhere(&point->attrs))
        return;
    p.key = series_key(point);
    p.group = registry_identity_id(visit->call->services->registry,
                                   point->resource_id);
    p.rank = metric->rank;
    p.tags = metric->tags;
    if (p.tags & TAG_REQUESTS && is_bad(&point->attrs))
        p.tags |= TAG_BAD;
    if (slice_equal(point->metric->unit, SLICE("ms")))
        p.factor = 0.001; /* the unit decides, not the name */
    visit->failed = !series_set_add(visit->set, &p);
}

static enum status query_http(struct call *call, const struct idset *resources,
                              struct red *red)
{
    struct slice names[HTTP_METRICS];
    struct red_visit visit = {.call = call, .red = red};
    struct series_query query = {
        .resources = resources, .names = names, .name_count = HTTP_METRICS};
    struct row latency_counts;
    enum status s;

    visit.set = series_set_new(call->arena, &red->grid);
    if (!visit.set || !row_init(&latency_counts, &red->grid, call->arena))
        return arena_status(call->arena);
    for (size_t i = 0; i < HTTP_METRICS; i++)
        names[i] = http_metrics[i].name;
    query.start_ns = series_set_from(visit.set);
    query.end_ns = series_set_until(visit.set);
    s = reader_query_series(call->reader, &query, visit_http, &visit);
    if (s != OK)
        return call_fail_read(call, s);
    red->any = series_set_has(visit.set, TAG_REQUESTS);
    if (visit.failed ||
        !series_set_hists(visit.set, TAG_REQUESTS, NULL, &red->requests) ||
        !series_set_hists(visit.set, TAG_BAD, NULL, &red->errors) ||
        !series_set_hists(visit.set, TAG_LATENCY, red->hists, &latency_counts))
        return arena_status(call->arena);
    return OK;
}

enum status red_query(struct call *call, const struct idset *resources,
                      const struct grid *grid, struct red *red)
{
    enum status s;

    if (!red_init(red, grid, call->arena))
        return arena_status(call->arena);
    if (grid->count == 0)
        return OK;
    s = query_derived(call, resources, red);
    return s == OK && !red->any ? query_http(call, resources, red) : s;
}

/* ---- what charts show ---- */

static void set_cell(struct row *row, uint32_t cell, double value)
{
    row->values[cell] = value;
    row->known[cell] = isfinite(value);
}

bool red_rows(struct red *red, struct arena *arena, struct row rows[RED_ROWS])
{
    const struct grid *grid = &red->grid;

    for (int i = 0; i < RED_ROWS; i++)
        if (!row_init(&rows[i], grid, arena))
            return false;
    row_fill_holes(&red->requests, grid);
    for (uint32_t i = 0; i < grid->count; i++) {
        double requests = red->requests.values[i];
        double bad = red->errors.values[i] + red->client_errors.values[i];

        if (!red->requests.known[i])
            continue;
        row_add(&rows[RED_REQUESTS], i, requests);
        row_add(&rows[RED_SUCCESSFUL], i, fmax(requests - bad, 0));
        row_add(&rows[RED_UNSUCCESSFUL], i, bad);
        set_cell(&rows[RED_MEAN], i, hist_mean(&red->hists[i]));
        set_cell(&rows[RED_P50], i, hist_quantile(&red->hists[i], 0.5));
        set_cell(&rows[RED_P90], i, hist_quantile(&red->hists[i], 0.9));
        set_cell(&rows[RED_P99], i, hist_quantile(&red->hists[i], 0.99));
    }
    for (int i = RED_REQUESTS; i <= RED_UNSUCCESSFUL; i++)
        row_per_second(&rows[i], grid);
    return true;
}
