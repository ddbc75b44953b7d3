#include "red.h"

#include <math.h>

#include "clock.h"
#include "derived.h"
#include "hash.h"
#include "metric_names.h"
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
    return red->hists && grid_row_init(&red->requests, grid, arena) &&
           grid_row_init(&red->errors, grid, arena) &&
           grid_row_init(&red->client_errors, grid, arena);
}

static bool add_duration(struct red *red, struct arena *arena,
                         const struct point *point, int sign)
{
    struct grid_part part =
        grid_parts(&red->grid, point->start_ns, point->time_ns);

    red->any = true;
    while (grid_next(&red->grid, &part)) {
        grid_row_add(&red->requests, part.cell,
                     sign * (double)point->histogram->count * part.share);
        if (!hist_add(&red->hists[part.cell], arena,
                      (enum metric_type)point->metric->type, point->histogram,
                      1, sign * part.share))
            return false;
    }
    return true;
}

static void add_count(struct red *red, struct grid_row *row,
                      const struct point *point, int sign)
{
    grid_row_spread(row, &red->grid, point->start_ns, point->time_ns,
                    sign * (point->is_int ? (double)point->i : point->d));
}

bool red_add(struct red *red, struct arena *arena, const struct point *point)
{
    struct slice name = point->metric->name;
    int sign = derived_sign(name);

    if (point->metric->type == METRIC_EXP_HISTOGRAM)
        return add_duration(red, arena, point, sign);
    if (slice_equal(name, SLICE(DERIVED_ERRORS)) ||
        slice_equal(name, SLICE(DERIVED_RETRACTED_ERRORS)))
        add_count(red, &red->errors, point, sign);
    else if (slice_equal(name, SLICE(DERIVED_CLIENT_ERRORS)) ||
             slice_equal(name, SLICE(DERIVED_RETRACTED_CLIENT_ERRORS)))
        add_count(red, &red->client_errors, point, sign);
    return true;
}

/* ---- from the derived series ---- */

struct red_visit {
    struct query_request *request;
    struct red *red;
    struct series_set *set;
    const struct metric_name *known; /* of the point before */
    struct series_point series;      /* the same; if any */
    bool any;
    bool failed; /* the arena is full: the rest is passed over */
};

static void visit_derived(void *arg, const struct point *point)
{
    struct red_visit *visit = arg;
    const struct attr *kind = attrs_find(&point->attrs, SLICE(DERIVED_KIND));

    if (visit->failed || !kind ||
        !slice_equal(attr_text(kind), SLICE("server")))
        return;
    visit->failed = !red_add(visit->red, visit->request->arena, point);
}

static enum status query_derived(struct query_request *request,
                                 const struct bitmap *resources,
                                 struct red *red)
{
    struct red_visit visit = {.request = request, .red = red};
    /* A minute is found by its end, which may be after the last cell. */
    struct series_query query = {
        .start_ns = red->grid.start_ns,
        .end_ns = grid_end(&red->grid) + DERIVED_MINUTE_S * NS_PER_S,
        .resources = resources,
        .names = derived_names,
        .name_count = DERIVED_SERVED_NAMES,
    };
    enum status s =
        reader_query_series(request->reader, &query, visit_derived, &visit);

    if (s != OK)
        return query_fail_read(request, s);
    return visit.failed ? arena_status(request->arena) : OK;
}

/* ---- from metrics that SDKs or Hubble send ---- */

enum {
    TAG_REQUESTS = 1,
    TAG_FAILED = 2,
    TAG_CLIENT_ERRORS = 4,
    TAG_LATENCY = 8,      /* histograms and summaries */
    TAG_LATENCY_SUM = 16, /* the parts of a histogram that is not sent as one */
    TAG_LATENCY_COUNT = 32,
    TAG_BUCKETS = 64
};

/* Which sums a point goes into; 0: none. */
static uint32_t tags_of(const struct metric_name *known,
                        const struct point *point)
{
    bool histogram = point->metric->type >= METRIC_HISTOGRAM;
    uint32_t kind = known->kind, tags = 0;
    enum metric_outcome outcome = metric_outcome(&point->attrs);

    /* A histogram's name with a number: the requests alone are counted. */
    if (kind == KIND_HISTOGRAM && !histogram)
        kind = KIND_COUNT;
    if (histogram != (kind == KIND_HISTOGRAM))
        return 0;
    if (kind == KIND_SUM)
        return TAG_LATENCY_SUM;
    if (kind == KIND_BUCKET)
        return TAG_BUCKETS;
    if (known->tells & HAS_LATENCY)
        tags = kind == KIND_HISTOGRAM ? TAG_LATENCY : TAG_LATENCY_COUNT;
    if (!(known->tells & HAS_COUNT))
        return tags;
    if (outcome == OUTCOME_FAILED)
        tags |= TAG_FAILED;
    if (outcome == OUTCOME_CLIENT_ERROR)
        tags |= TAG_CLIENT_ERRORS;
    return tags | TAG_REQUESTS;
}

/* What series the point is of; tags 0: of none that is summed. */
static struct series_point series_of(const struct red_visit *visit,
                                     const struct point *point, uint64_t key)
{
    const struct metric *metric = point->metric;
    struct series_point p = {.key = key, .known = visit->known};

    if (!p.known || !metric_fits(p.known, &point->attrs))
        return p;
    p.tags = tags_of(p.known, point);
    p.group = registry_identity_id(visit->request->services->registry,
                                   point->resource_id);
    p.family = p.known->meaning;
    p.last_resort = p.family == METRIC_PROXY_SERVER;
    p.rank = p.known->rank;
    /* A count has no unit, whatever its name says. */
    p.factor = p.tags & TAG_REQUESTS && metric->type < METRIC_HISTOGRAM
                   ? 1
                   : metric_factor(p.known, metric);
    p.bound = p.tags & TAG_BUCKETS ? metric_bucket_bound(&point->attrs) : 0;
    return p;
}

static void visit_http(void *arg, const struct point *point)
{
    struct red_visit *visit = arg;
    struct slice name = point->metric->name;
    uint64_t key = hash_mix(series_key(point), point->metric->type);

    if (visit->failed)
        return;
    if (!visit->known || !slice_equal(visit->known->name, name))
        visit->known = metric_name_find(name);
    /* Points of a series come in a row. */
    if (!visit->any || visit->series.key != key)
        visit->series = series_of(visit, point, key);
    visit->any = true;
    visit->series.point = point;
    if (visit->series.tags)
        visit->failed = !series_set_add(visit->set, &visit->series);
}

/* What count, sum and buckets say that are series of their own. */
static bool add_parts(struct red_visit *visit)
{
    struct red *red = visit->red;
    struct grid_row counts, sums;

    if (!grid_row_init(&counts, &red->grid, visit->request->arena) ||
        !grid_row_init(&sums, &red->grid, visit->request->arena) ||
        !series_set_hists(visit->set, TAG_LATENCY_COUNT, NULL, &counts) ||
        !series_set_hists(visit->set, TAG_LATENCY_SUM, NULL, &sums) ||
        !series_set_buckets(visit->set, TAG_BUCKETS, red->hists))
        return false;
    for (uint32_t i = 0; i < red->grid.count; i++) {
        struct hist *hist = &red->hists[i];

        hist->count += counts.values[i];
        if (!sums.known[i] || !counts.known[i])
            continue;
        hist->sum += sums.values[i];
        hist->sum_count += counts.values[i];
    }
    return true;
}

static enum status query_http(struct query_request *request,
                              const struct bitmap *resources, struct red *red)
{
    struct red_visit visit = {.request = request, .red = red};
    struct series_query query = {.resources = resources};
    struct grid_row latency_counts;
    enum status s;

    visit.set = series_set_new(request->arena, &red->grid);
    query.names = metric_names_of(METRIC_HTTP_SERVER, METRIC_PROXY_SERVER,
                                  request->arena, &query.name_count);
    if (!visit.set || !query.names ||
        !grid_row_init(&latency_counts, &red->grid, request->arena))
        return arena_status(request->arena);
    query.start_ns = series_set_from(visit.set);
    query.end_ns = series_set_until(visit.set);
    s = reader_query_series(request->reader, &query, visit_http, &visit);
    if (s != OK)
        return query_fail_read(request, s);
    red->any = series_set_has(visit.set, TAG_REQUESTS);
    if (visit.failed ||
        !series_set_hists(visit.set, TAG_REQUESTS, NULL, &red->requests) ||
        !series_set_hists(visit.set, TAG_FAILED, NULL, &red->errors) ||
        !series_set_hists(visit.set, TAG_CLIENT_ERRORS, NULL,
                          &red->client_errors) ||
        !series_set_hists(visit.set, TAG_LATENCY, red->hists,
                          &latency_counts) ||
        !add_parts(&visit))
        return arena_status(request->arena);
    return OK;
}

enum status red_query(struct query_request *request,
                      const struct bitmap *resources, const struct grid *grid,
                      struct red *red)
{
    enum status s;

    if (!red_init(red, grid, request->arena))
        return arena_status(request->arena);
    if (grid->count == 0)
        return OK;
    s = query_derived(request, resources, red);
    return s == OK && !red->any ? query_http(request, resources, red) : s;
}

/* ---- what charts show ---- */

static void set_cell(struct grid_row *row, uint32_t cell, double value)
{
    row->values[cell] = value;
    row->known[cell] = isfinite(value);
}

bool red_rows(struct red *red, struct arena *arena,
              struct grid_row rows[RED_ROWS])
{
    const struct grid *grid = &red->grid;

    for (int i = 0; i < RED_ROWS; i++)
        if (!grid_row_init(&rows[i], grid, arena))
            return false;
    grid_row_fill_gaps(&red->requests, grid);
    for (uint32_t i = 0; i < grid->count; i++) {
        double requests = red->requests.values[i];
        double bad = red->errors.values[i] + red->client_errors.values[i];

        if (!red->requests.known[i])
            continue;
        grid_row_add(&rows[RED_REQUESTS], i, requests);
        grid_row_add(&rows[RED_SUCCESSFUL], i, fmax(requests - bad, 0));
        grid_row_add(&rows[RED_UNSUCCESSFUL], i, bad);
        set_cell(&rows[RED_MEAN], i, hist_mean(&red->hists[i]));
        set_cell(&rows[RED_P50], i, hist_quantile(&red->hists[i], 0.5));
        set_cell(&rows[RED_P90], i, hist_quantile(&red->hists[i], 0.9));
        set_cell(&rows[RED_P99], i, hist_quantile(&red->hists[i], 0.99));
    }
    for (int i = RED_REQUESTS; i <= RED_UNSUCCESSFUL; i++)
        grid_row_per_second(&rows[i], grid);
    return true;
}
