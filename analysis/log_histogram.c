/*
 * POST /api/v1/logs/histogram: how many log records match, by time and level.
 *
 * In: the filters of logs/query, and a step. Out: steps that have records.
 */
#include "clock.h"
#include "log_reply.h"
#include "routes.h"

enum { STEPS = 120 }; /* at most, if the request has no step */

/* By level as answers name it. */
struct named_level_counts {
    uint64_t error, warn, info, debug;
};

struct histogram_request {
    struct log_query query;
    struct log_ids ids;
    struct log_counts counts;
    uint64_t (*at)[LEVEL_COUNT];
    struct named_level_counts total;
    struct histogram_bucket {
        uint64_t start_ns;
        struct named_level_counts counts;
    } bucket;         /* the one that is written */
    uint32_t *filled; /* steps with records */
    uint32_t filled_count;
};

static struct named_level_counts by_name(const uint64_t counts[LEVEL_COUNT])
{
    return (struct named_level_counts){
        .error = counts[LEVEL_ERROR] + counts[LEVEL_FATAL],
        .warn = counts[LEVEL_WARN],
        .info = counts[LEVEL_INFO] + counts[LEVEL_UNSET],
        .debug = counts[LEVEL_DEBUG] + counts[LEVEL_TRACE]};
}

/* The shortest usual step with at most STEPS of them. */
static uint64_t usual_step(uint64_t length_ns)
{
    static const uint64_t seconds[] = {1,    2,    5,     10,    15,   30,
                                       60,   120,  300,   600,   900,  1800,
                                       3600, 7200, 10800, 21600, 43200};
    const size_t count = sizeof(seconds) / sizeof(*seconds);

    for (size_t i = 0; i < count; i++)
        if (length_ns / (seconds[i] * NS_PER_S) < STEPS)
            return seconds[i] * NS_PER_S;
    return NS_PER_DAY;
}

/* A grid aligned to the step, as that of metrics. */
static enum status make_grid(struct query_request *request,
                             struct histogram_request *h, uint64_t step_ns)
{
    struct log_counts *c = &h->counts;

    c->step_ns = step_ns;
    c->start_ns = h->query.start_ns - h->query.start_ns % step_ns;
    if (h->query.end_ns > c->start_ns)
        c->steps =
            (uint32_t)((h->query.end_ns - 1 - c->start_ns) / step_ns + 1);
    c->counts = h->at =
        arena_zero(request->arena, c->steps, sizeof(*c->counts));
    h->filled = arena_alloc(request->arena, c->steps * sizeof(*h->filled));
    return arena_status(request->arena);
}

static enum status read_request(struct query_request *request,
                                struct histogram_request *h)
{
    struct scope_filter scope;
    uint64_t step_ns;

    params_scope(request, SCOPE_WORKFLOW, &scope);
    params_range(request, &h->query.start_ns, &h->query.end_ns);
    log_filters(request, &h->query, &h->ids);
    if (request->failed != OK)
        return request->failed;
    step_ns = usual_step(h->query.end_ns - h->query.start_ns);
    params_step(request, h->query.end_ns - h->query.start_ns, &step_ns);
    if (request->failed != OK || make_grid(request, h, step_ns) != OK)
        return request->failed != OK ? request->failed
                                     : arena_status(request->arena);
    return params_select(request, &scope, &h->query.resources);
}

static void find_filled(struct histogram_request *h)
{
    for (uint32_t i = 0; i < h->counts.steps; i++) {
        struct named_level_counts c = by_name(h->at[i]);

        if (c.error + c.warn + c.info + c.debug == 0)
            continue;
        h->filled[h->filled_count++] = i;
        h->total.error += c.error;
        h->total.warn += c.warn;
        h->total.info += c.info;
        h->total.debug += c.debug;
    }
}

static const struct reply_table levels_table = REPLY_TABLE(
    struct named_level_counts, REPLY(struct named_level_counts, "ERROR", error),
    REPLY(struct named_level_counts, "WARN", warn),
    REPLY(struct named_level_counts, "INFO", info),
    REPLY(struct named_level_counts, "DEBUG", debug));

static const struct reply_table bucket_table = REPLY_TABLE(
    struct histogram_bucket,
    REPLY_TIME(struct histogram_bucket, "timestamp", start_ns),
    REPLY_INLINE(struct histogram_bucket, counts, 0, &levels_table));

struct histogram_reply {
    struct reply_list buckets;
    struct named_level_counts total;
    double step_seconds;
    int64_t took_ms;
};

static const struct reply_table histogram_table = REPLY_TABLE(
    struct histogram_reply,
    REPLY_LIST(struct histogram_reply, "buckets", buckets, &bucket_table),
    REPLY_OBJECT(struct histogram_reply, "total", total, 0, &levels_table),
    REPLY(struct histogram_reply, "stepSeconds", step_seconds),
    REPLY(struct histogram_reply, "tookMs", took_ms));

static const void *bucket_item(void *arg, uint32_t i)
{
    struct histogram_request *h = arg;
    uint32_t step = h->filled[i];

    h->bucket = (struct histogram_bucket){
        h->counts.start_ns + step * h->counts.step_ns, by_name(h->at[step])};
    return &h->bucket;
}

static enum status log_histogram(struct query_request *request)
{
    struct histogram_request h = {.filled_count = 0};
    enum status s = read_request(request, &h);

    if (s != OK)
        return s;
    s = reader_count_logs(request->reader, &h.query, &h.counts);
    if (s != OK)
        return query_fail_read(request, s);
    find_filled(&h);
    const struct histogram_reply reply = {
        .buckets = {h.filled_count, NULL, bucket_item, &h},
        .total = h.total,
        .step_seconds = (double)h.counts.step_ns / (double)NS_PER_S,
        .took_ms = query_took_ms(request)};
    reply_write(&request->json, &histogram_table, &reply);
    return OK;
}

const struct route routes_log_histogram[] = {
    {"POST", "/api/v1/logs/histogram", ACTION_LOGS_VIEW, SCOPE_BODY,
     log_histogram, "L", TAKES_JSON, 0, &histogram_table},
    {0},
};
