/*
 * Questions about root cause over data that makes no sense. The input is
 *
 *   letter of the path, body of the request, a zero byte, records of 16 bytes
 *
 * An empty body asks about the last third of the hour that records lie in.
 * Whatever comes, the answer is well-formed, never an internal error, and the
 * same the second time.
 */
#include <assert.h>
#include <stdlib.h>

#include "derived.h"
#include "fake_query.h"
#include "rca_reports.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bed is made for tests; here what it checks must hold. */
bool test_check(bool good, const char *what, const char *file, int line)
{
    (void)what;
    (void)file;
    (void)line;
    assert(good);
    return good;
}

bool test_check_eq(intmax_t got, intmax_t want, const char *what,
                   const char *file, int line)
{
    return test_check(got == want, what, file, line);
}

bool test_check_text(struct slice got, const char *want, const char *what,
                     const char *file, int line)
{
    return test_check(slice_equal(got, slice_of(want)), what, file, line);
}

enum { RESOURCES = 8, RECORD = 16, MAX_RECORDS = 2000, TEXTS = 8 };

static struct bed bed;
static uint32_t resources[RESOURCES];

static const char *const texts[TEXTS] = {
    "GET /x", "query",     "a line of \"text\"",    "java.lang.Error x#12",
    "",       "exception", "key=\"value\" msg=\"m", "{other}"};

static const struct metric metrics[] = {
    {.name = {"k8s.pod.cpu_limit_utilization", 29}, .type = METRIC_GAUGE},
    {.name = {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
     .type = METRIC_EXP_HISTOGRAM},
    {.name = {DERIVED_ERRORS, sizeof(DERIVED_ERRORS) - 1}, .type = METRIC_SUM},
    {.name = {DERIVED_OUT_DURATION, sizeof(DERIVED_OUT_DURATION) - 1},
     .type = METRIC_EXP_HISTOGRAM},
    {.name = {DERIVED_OUT_ERRORS, sizeof(DERIVED_OUT_ERRORS) - 1},
     .type = METRIC_SUM},
    /* Somebody else's, of the same name. */
    {.name = {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
     .type = METRIC_GAUGE},
};
enum { METRICS = sizeof(metrics) / sizeof(metrics[0]) };

static const uint64_t begin_s = 1700000040;

static uint64_t time_of(const uint8_t *r)
{
    unsigned second = (unsigned)(r[2] << 8 | r[3]) % 3600;

    return (begin_s + second) * NS_PER_S + r[15];
}

static void take_span(const uint8_t *r)
{
    struct span *s = &bed.store->spans[bed.store->span_count++];

    memset(s, 0, sizeof(*s));
    s->trace_id[0] = r[5];
    s->trace_id[15] = 1;
    s->span_id[0] = r[6];
    s->parent_span_id[0] = r[7];
    s->start_ns = time_of(r);
    s->end_ns = s->start_ns + ((uint64_t)r[4] << (r[10] % 32));
    s->kind = r[8] % 6;
    s->status = r[8] / 6 % 3;
    s->name = s->operation = slice_of(texts[r[9] % TEXTS]);
    s->resource_id = resources[r[1] % RESOURCES];
}

static void take_log(struct arena *arena, const uint8_t *r)
{
    struct log_record *l = &bed.store->logs[bed.store->log_count++];
    struct attr *at = arena_zero(arena, 1, sizeof(*at));

    memset(l, 0, sizeof(*l));
    *at = bed_attr(DERIVED_CHANGE_KIND, "version");
    l->trace_id[0] = r[5];
    l->trace_id[15] = r[10] & 1;
    l->span_id[0] = r[6];
    l->time_ns = time_of(r);
    l->level = r[8] % LEVEL_COUNT;
    l->body = bed_attr("", texts[r[9] % TEXTS]);
    l->resource_id = resources[r[1] % RESOURCES];
    l->attrs = (struct attrs){at, 1, 0};
    if (r[10] & 2)
        l->event_name = SLICE(DERIVED_CHANGE);
}

static void take_point(struct arena *arena, const uint8_t *r)
{
    static const char *const kinds[] = {"database", "queue", "external",
                                        "component"};
    struct point *p = &bed.store->points[bed.store->point_count++];
    struct attr *at = arena_zero(arena, 4, sizeof(*at));
    struct histogram *h = arena_zero(arena, 1, sizeof(*h));
    uint64_t *counts = arena_zero(arena, 2, sizeof(*counts));

    at[0] = bed_attr(DERIVED_OPERATION, texts[r[9] % TEXTS]);
    at[1] = bed_attr(DERIVED_PEER_KIND, kinds[r[8] % 4]);
    at[2] = bed_attr(DERIVED_PEER_NAME, texts[r[6] % TEXTS]);
    at[3] = bed_attr(DERIVED_PEER_ID, "");
    at[3].type = VALUE_INT;
    at[3].i = r[7];
    counts[0] = r[10];
    counts[1] = r[11];
    *h = (struct histogram){.count = (uint64_t)r[10] + r[11],
                            .sum = r[12],
                            .scale = r[13] % 20 - 8};
    h->positive.counts = counts;
    h->positive.count = 2;
    h->positive.offset = r[14] - 128;
    *p = (struct point){.metric = &metrics[r[5] % METRICS],
                        .attrs = {at, 4, 0},
                        .start_ns = time_of(r) / NS_PER_MIN * NS_PER_MIN,
                        .resource_id = resources[r[1] % RESOURCES]};
    p->time_ns = p->start_ns + (r[4] & 1 ? NS_PER_MIN : 0);
    if (p->metric->type == METRIC_EXP_HISTOGRAM) {
        p->histogram = h;
    } else if (r[4] & 2) {
        p->is_int = true;
        p->i = r[10] - 10;
    } else {
        p->d = r[10] / 100.0;
    }
}

static void take_records(struct arena *arena, const uint8_t *data, size_t size)
{
    bed.store->span_count = bed.store->log_count = bed.store->point_count = 0;
    for (size_t i = 0; i + RECORD <= size && i < MAX_RECORDS * RECORD;
         i += RECORD) {
        const uint8_t *r = data + i;

        if (r[0] % 4 == 0)
            take_log(arena, r);
        else if (r[0] % 4 == 1)
            take_point(arena, r);
        else
            take_span(r);
    }
}

static void start(void)
{
    static const char *const names[RESOURCES] = {"web", "api", "store", "users",
                                                 "a",   "b",   "c",     "d"};

    bed_init(&bed);
    bed.store->strict = true;
    for (int i = 0; i < RESOURCES; i++)
        resources[i] = bed_resource(&bed, "shop", names[i]);
    bed.store->spans = calloc(MAX_RECORDS, sizeof(*bed.store->spans));
    bed.store->logs = calloc(MAX_RECORDS, sizeof(*bed.store->logs));
    bed.store->points = calloc(MAX_RECORDS, sizeof(*bed.store->points));
    assert(bed.store->spans && bed.store->logs && bed.store->points);
}

static void ask(const char *path, const char *body)
{
    char *first;

    json_decref(bed_ask(&bed, "POST", path, body));
    assert(bed.status != 500);
    first = strdup(bed.text);
    json_t *answer = bed_ask(&bed, "POST", path, body);
    assert(first && strcmp(first, bed.text) == 0);
    assert(json_is_object(answer) || bed.status == 200); /* or NDJSON */
    json_decref(answer);
    free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char usual[] =
        "{\"startTime\":\"2023-11-14T22:54:00Z\",\"endTime\":"
        "\"2023-11-14T23:14:00Z\",\"searchScope\":{\"namespace\":\"acme\","
        "\"project\":\"shop\"}}";
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    struct arena arena;
    char *body;

    if (!end)
        return 0;
    if (!bed.store)
        start();
    arena_init(&arena, NULL, SIZE_MAX);
    take_records(&arena, end + 1, size - (size_t)(end + 1 - data));
    body = end > data + 1 ? strdup((const char *)data + 1) : strdup(usual);
    bed.options.rca = rca_reports_new(NULL, NULL);
    if (data[0] == 'a') {
        ask("/api/v1alpha1/rca-agent/analyze", body);
        json_decref(bed_ask(&bed, "GET",
                            "/api/v1/rca-agent/reports/x_1700003640", NULL));
        assert(bed.status == 200 || bed.status == 404);
    } else {
        ask("/api/v1/cause", body);
    }
    rca_reports_free(bed.options.rca);
    free(body);
    arena_release(&arena);
    return 0;
}
