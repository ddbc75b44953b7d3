/*
 * Fills a data directory with the derived series of many components, without a
 * server, and measures the source of series alone, and with the PromQL engine.
 *
 *   bench_series DIR fill COMPONENTS HOURS   5 operations each, 100 requests a
 *                                            minute, up to the last full hour
 *   bench_series DIR read NAME HOURS         all series of a name, CPU time
 *   bench_series DIR query EXPRESSION HOURS  an expression with step 1 m
 *   bench_series DIR values LABEL HOURS      the values of a label
 *
 * Without arguments (make bench) it does nothing.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../prometheus/prometheus_source.h"
#include "clock.h"
#include "derived.h"

enum { OPERATIONS = 5, BUCKETS = 32, SCALE = 3, MAX_COMPONENTS = 4000 };

static uint64_t state = 88172645463325252;

static uint32_t below(uint32_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state * UINT64_C(2685821657736338717) >> 32) * bound >>
                      32);
}

static struct attr text_attr(const char *key, struct slice text)
{
    return attr_string(key, text);
}

static struct registry *open_registry(struct store *store)
{
    struct registry_options options = {.keys = registry_default_keys,
                                       .max_resources = 2 * MAX_COMPONENTS,
                                       .max_identities = 2 * MAX_COMPONENTS};
    struct registry *registry = NULL;

    if (registry_open(&registry, &options, store) != OK)
        exit(1);
    return registry;
}

static struct store *open_store(const char *dir)
{
    struct store_options options = {.dir = dir,
                                    .block_spans = 16384,
                                    .block_logs = 32768,
                                    .memtable_bytes = 16 << 20,
                                    .memtable_age_ns = NS_PER_HOUR};
    struct store *store = NULL;

    if (store_open(&store, &options) != OK)
        exit(1);
    return store;
}

/* ---- filling ---- */

static uint32_t derived_resource(struct registry *registry, uint32_t i,
                                 uint64_t now_ns)
{
    char name[32];
    int len = snprintf(name, sizeof(name), "component-%04" PRIu32, i);
    struct slice text = {name, (size_t)len};
    const struct attr at[] = {
        text_attr("openchoreo.dev/namespace", SLICE("acme")),
        text_attr("openchoreo.dev/project", SLICE("shop")),
        text_attr("openchoreo.dev/component", text),
        text_attr("openchoreo.dev/environment", SLICE("prod")),
        text_attr("service.name", text)};
    struct resource resource = {.attrs = {at, 5, 0}, .id = RESOURCE_NONE};
    uint32_t identity;

    registry_resolve(registry, &resource, now_ns);
    identity = registry_identity_id(registry, resource.id);
    registry_touch(registry, identity, SIGNAL_SPANS, now_ns);
    return registry_derived_resource(registry, identity);
}

static void fill_histogram(struct histogram *h, struct arena *arena)
{
    uint64_t *counts = arena_zero(arena, BUCKETS, sizeof(*counts));
    uint32_t requests = 80 + below(40);

    *h = (struct histogram){.count = requests,
                            .has_sum = true,
                            .has_min = true,
                            .has_max = true,
                            .scale = SCALE,
                            .positive = {counts, BUCKETS, -5 * (1 << SCALE)}};
    for (uint32_t i = 0; i < requests; i++) {
        uint32_t at = (below(BUCKETS) + below(BUCKETS) + below(BUCKETS)) / 3;

        counts[at]++;
        h->sum += exp2((double)at / (1 << SCALE) - 5);
    }
    h->min = exp2(-5);
    h->max = h->sum / requests * 2;
}

static struct attrs attrs_of(struct arena *arena, uint32_t operation)
{
    static const char *const names[OPERATIONS] = {
        "GET /items", "GET /items/{id}", "POST /items", "DELETE /items/{id}",
        "GET /health"};
    struct attr *at = arena_zero(arena, 3, sizeof(*at));

    at[0] = text_attr(DERIVED_ENDPOINT, SLICE("http"));
    at[1] = text_attr(DERIVED_OPERATION, slice_of(names[operation]));
    at[2] = text_attr(DERIVED_KIND, SLICE("server"));
    return (struct attrs){at, 3, 0};
}

/* One hour of one component. */
static void fill_hour(struct store *store, uint64_t lsn, uint32_t resource,
                      uint64_t hour_ns)
{
    static const struct metric duration = {.name = SLICE_INIT(DERIVED_DURATION),
                                           .unit = SLICE_INIT("s"),
                                           .type = METRIC_EXP_HISTOGRAM,
                                           .temporality = DELTA};
    static const struct metric errors = {.name = SLICE_INIT(DERIVED_ERRORS),
                                         .unit = SLICE_INIT("1"),
                                         .type = METRIC_SUM,
                                         .temporality = DELTA,
                                         .monotonic = true};
    struct batch *batch = batch_new(SIGNAL_METRICS, NULL, 0, NULL);
    struct arena *arena = &batch->arena;

    batch->lsn = lsn;
    batch->derived = true;
    batch->points =
        arena_zero(arena, 2 * OPERATIONS * 60, sizeof(struct point));
    for (uint32_t o = 0; o < OPERATIONS; o++) {
        struct attrs attrs = attrs_of(arena, o);

        for (uint32_t m = 0; m < 60; m++) {
            struct histogram *h = arena_zero(arena, 1, sizeof(*h));
            struct point *point = &batch->points[batch->count++];

            fill_histogram(h, arena);
            *point = (struct point){.metric = &duration,
                                    .attrs = attrs,
                                    .start_ns =
                                        hour_ns + m * NS_PER_MIN - NS_PER_MIN,
                                    .time_ns = hour_ns + m * NS_PER_MIN,
                                    .histogram = h,
                                    .resource_id = resource};
            if (below(10) > 0)
                continue;
            batch->points[batch->count] = *point;
            batch->points[batch->count].metric = &errors;
            batch->points[batch->count].is_int = true;
            batch->points[batch->count++].i = 1 + below(5);
        }
    }
    store_append(store, batch);
}

static void fill(const char *dir, uint32_t components, uint64_t hours)
{
    static uint32_t resources[MAX_COMPONENTS];
    struct store *store = open_store(dir);
    struct registry *registry = open_registry(store);
    uint64_t now = clock_wall_ns() / NS_PER_HOUR * NS_PER_HOUR;
    uint64_t lsn = 0;

    for (uint32_t i = 0; i < components; i++)
        resources[i] = derived_resource(registry, i, now - 1);
    for (uint64_t h = hours; h > 0; h--)
        for (uint32_t i = 0; i < components; i++)
            fill_hour(store, ++lsn, resources[i], now - h * NS_PER_HOUR);
    registry_close(registry);
    store_close(store);
}

/* ---- reading ---- */

struct totals {
    uint64_t series, samples;
    double last;
};

static enum status count_series(void *arg, const struct promql_series *series)
{
    struct totals *totals = arg;

    totals->series++;
    totals->samples += series->count;
    if (series->count > 0 && !series->histograms)
        totals->last += series->values[series->count - 1];
    return OK;
}

static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* One request, as a handler sees it. */
struct bench {
    struct query_options options;
    struct reader *reader;
    struct budget budget;
    struct arena arena;
    struct query_request request;
    struct prometheus_source source;
};

static void begin(struct bench *bench)
{
    static const struct route route = {.action = ACTION_METRICS_VIEW};
    struct query_request *request = &bench->request;

    budget_init(&bench->budget, 64 << 20);
    arena_init(&bench->arena, &bench->budget, SIZE_MAX);
    query_request_init(request, &bench->options, &bench->arena, 1 << 20);
    request->route = &route;
    request->reader = bench->reader;
    request->now_ns = clock_wall_ns();
    query_request_subject(request, subject_everyone());
    prometheus_source_init(&bench->source, request);
    if (reader_begin(bench->reader) != OK)
        exit(1);
}

static void end(struct bench *bench, double since_ms)
{
    reader_end(bench->reader);
    printf("%.0f ms CPU, %zu KiB at most\n", cpu_ms() - since_ms,
           bench->budget.peak / 1024);
    buf_release(&bench->request.out);
    arena_release(&bench->arena);
}

static void read_once(struct bench *bench, const char *name, int64_t hours)
{
    const struct promql_matcher matcher = {SLICE("__name__"), slice_of(name),
                                           PROMQL_EQUAL, NULL};
    struct promql_select select = {&matcher, 1,      0,      0,
                                   60000,    300000, "rate", true};
    struct promql_source *source = &bench->source.promql;
    struct totals totals = {0};
    double since = cpu_ms();

    begin(bench);
    select.end_ms = (int64_t)(bench->request.now_ns / NS_PER_HOUR * 3600000);
    select.start_ms = select.end_ms - hours * 3600000 - 300000;
    if (source->select(source->arg, &select, count_series, &totals) != OK)
        printf("failed: %s\n", bench->source.error);
    printf("%" PRIu64 " series, %" PRIu64 " samples, ", totals.series,
           totals.samples);
    end(bench, since);
}

static void query_once(struct bench *bench, const char *text, int64_t hours)
{
    const struct promql_query *query;
    struct promql_result result = {0};
    struct promql_error error;
    struct promql_time time = {.step_ms = 60000};
    double since = cpu_ms();

    begin(bench);
    time.end_ms = (int64_t)(bench->request.now_ns / NS_PER_HOUR * 3600000);
    time.start_ms = time.end_ms - hours * 3600000;
    if (promql_parse(&bench->arena, slice_of(text), &query, &error) != OK ||
        promql_evaluate(query, &time, &bench->source.promql, &bench->arena,
                        &result, &error) != OK)
        printf("failed: %s %s\n", error.text, bench->source.error);
    printf("%" PRIu32 " series of the result, ", result.count);
    end(bench, since);
}

static void list_once(struct bench *bench, const char *label, int64_t hours)
{
    struct prometheus_list list = {0};
    const struct slice *values;
    uint32_t count = 0;
    double since = cpu_ms();

    begin(bench);
    list.end_ms = (int64_t)(bench->request.now_ns / NS_PER_HOUR * 3600000);
    list.start_ms = list.end_ms - hours * 3600000;
    if (prometheus_label_values(&bench->source, &list, slice_of(label), &values,
                                &count) != OK)
        printf("failed: %s\n", bench->source.error);
    printf("%" PRIu32 " values, ", count);
    end(bench, since);
}

typedef void measured(struct bench *bench, const char *text, int64_t hours);

static measured *mode_of(const char *mode)
{
    return strcmp(mode, "query") == 0    ? query_once
           : strcmp(mode, "values") == 0 ? list_once
                                         : read_once;
}

static void measure(const char *dir, const char *mode, const char *text,
                    int64_t hours)
{
    static struct bench bench;
    struct store *store = open_store(dir);
    struct registry *registry = open_registry(store);

    bench.options =
        (struct query_options){.store = store, .registry = registry};
    if (reader_open(&bench.reader, store) != OK)
        exit(1);
    for (int i = 0; i < 3; i++)
        mode_of(mode)(&bench, text, hours);
    reader_close(bench.reader);
    registry_close(registry);
    store_close(store);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 0;
    if (strcmp(argv[2], "fill") == 0)
        fill(argv[1], (uint32_t)strtoul(argv[3], NULL, 10),
             strtoull(argv[4], NULL, 10));
    else
        measure(argv[1], argv[2], argv[3], strtoll(argv[4], NULL, 10));
    return 0;
}
