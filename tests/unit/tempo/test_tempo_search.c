/* Searches at their bounds: of time, of candidates, of the size of a trace. */
#include "byte_reader.h"
#include "fake_query.h"

#define T0 (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */
#define SEARCH                                                     \
    "/tempo/api/search?start=1787299200&end=1787302800&limit=100&" \
    "spss=1&"
#define TRACE "/traces/000000000000000000000000000000ab"

enum { MOST = 6500, LISTED = 64 };

static struct bed bed;
static struct span spans[MOST];
static struct trace_summary listed[LISTED];

static void begin(void)
{
    bed_init(&bed);
    memset(spans, 0, sizeof(spans));
    bed.store->spans = spans;
}

static struct span *put(uint32_t trace, uint64_t start_ns)
{
    uint32_t n = bed.store->span_count++;
    struct span *span = &spans[n];

    span->trace_id[0] = (uint8_t)(trace * 7); /* in no order */
    span->trace_id[14] = (uint8_t)(trace >> 8);
    span->trace_id[15] = (uint8_t)trace;
    span->span_id[6] = (uint8_t)(n >> 8);
    span->span_id[7] = (uint8_t)n;
    span->span_id[0] = 1;
    span->name = SLICE("x");
    span->start_ns = start_ns;
    span->end_ns = start_ns + NS_PER_MS;
    return span;
}

/* jobs: 2 if all was searched, 1 if not; traces; how many were looked at. */
struct answer {
    unsigned jobs, traces, looked;
};

static struct answer ask(const char *path)
{
    json_t *json = bed_ask(&bed, "GET", path, NULL);
    struct answer answer = {
        (unsigned)atoi(bed_at(json, "metrics.completedJobs").ptr),
        (unsigned)json_array_size(json_object_get(json, "traces")),
        (unsigned)atoi(bed_at(json, "metrics.inspectedTraces").ptr)};

    if (!CHECK_EQ(bed.status, 200))
        printf("# %.300s\n", bed.text);
    json_decref(json);
    return answer;
}

/* As if the search had begun later: on a slow machine it has its time, too. */
static void begin_late(void)
{
    begin();
    bed.running_ns = 0 - 600 * NS_PER_S;
}

/* ---- candidates ---- */

/* Each has a span that matches, few have the two that are asked for. Of so many
 * some are dropped, and found again when the newer ones were looked at. */
TEST(more_candidates_than_a_slice_holds)
{
    enum { PAIRS = 9, EVERY = (MOST - PAIRS) / PAIRS };
    struct answer answer;
    uint32_t resource;

    begin_late();
    resource = bed_resource(&bed, "shop", "cart");
    for (uint32_t i = 0; i < MOST - PAIRS; i++) {
        uint64_t at = T0 + 3550 * NS_PER_S + i * 1237 % 6007 * NS_PER_MS;

        put(i, at)->resource_id = resource;
        if (i % EVERY == 0 && i / EVERY < PAIRS)
            put(i, at + 10)->resource_id = resource;
    }
    CHECK_EQ(bed.store->span_count, MOST);
    answer = ask(SEARCH "q={ name = \"x\" } | count() > 1");
    CHECK_EQ(answer.traces, PAIRS);
    CHECK_EQ(answer.jobs, 2);
    CHECK_EQ(answer.looked, MOST - PAIRS);
    bed_release(&bed);
}

TEST(more_candidates_of_one_time_than_a_slice_holds)
{
    struct answer answer;
    uint32_t resource;

    begin_late();
    resource = bed_resource(&bed, "shop", "cart");
    for (uint32_t i = 0; i < MOST; i++)
        put(i, T0 + 3550 * NS_PER_S)->resource_id = resource;
    answer = ask(SEARCH "q={ name = \"x\" } | count() > 1");
    CHECK_EQ(answer.traces, 0);
    CHECK_EQ(answer.looked, MOST);
    CHECK_EQ(answer.jobs, 2);
    bed_release(&bed);
}

/* ---- time ---- */

static void pause_briefly(void)
{
    test_pause_us(120 * 1000);
}

/* Searches that the store's list answers, and such that look at spans. */
TEST(a_search_ends_with_its_time)
{
    static const char *const paths[] = {
        SEARCH "tags=name=x&minDuration=1us",
        SEARCH "q={ status = error || name = \"x\" }",
        SEARCH "q={ name = \"x\" } | count() > 0"};
    struct answer answer;

    begin();
    bed.store->traces = listed;
    for (uint32_t i = 0; i < LISTED; i++) {
        struct span *span = put(i, T0 + i * NS_PER_S);

        span->resource_id = i == 0 ? bed_resource(&bed, "shop", "cart") : 0;
        memcpy(listed[i].trace_id, span->trace_id, 16);
        listed[i].start_ns = span->start_ns;
        listed[i].end_ns = span->end_ns;
    }
    for (int i = 0; i < 3; i++) {
        bed.store->trace_count = LISTED - 1; /* the list ends */
        bed.running_ns = 7 * NS_PER_S;
        answer = ask(paths[i]);
        CHECK(answer.traces >= LISTED - 1);
        CHECK_EQ(answer.jobs, 2);
        for (uint32_t more = 0; more < 2; more++) {
            bed.store->trace_count = LISTED - 1 + more;
            bed.running_ns = 9 * NS_PER_S;
            answer = ask(paths[i]);
            CHECK_EQ(answer.traces, 0);
            CHECK_EQ(answer.looked, 0);
            CHECK_EQ(answer.jobs, 1);
        }
    }
    /* The list itself takes all that is left of it. */
    bed.store->list = pause_briefly;
    bed.running_ns = 8 * NS_PER_S - 100 * NS_PER_MS;
    answer = ask(paths[0]);
    CHECK_EQ(answer.looked, 0);
    CHECK_EQ(answer.jobs, 1);
    bed_release(&bed);
}

/* ---- the size of a trace ---- */

enum { SPANS = 3000 };

static void put_large_trace(void)
{
    begin();
    bed_resource(&bed, "shop", "cart");
    for (uint32_t i = 0; i < SPANS; i++) {
        struct span *span = put(0, T0 + i);

        memset(span->trace_id, 0, 16);
        span->trace_id[15] = 0xab;
    }
}

static uint32_t count_spans(struct slice message, int depth)
{
    struct byte_reader in = byte_reader_over(message);
    uint32_t count = 0;

    while (byte_reader_left(&in) > 0 && !in.bad) {
        uint64_t key = byte_reader_varint(&in);
        struct slice part = {NULL, 0};

        if ((key & 7) == 2)
            part = byte_reader_slice(&in);
        else
            byte_reader_varint(&in);
        if (key == (depth == 0 ? 1 << 3 | 2 : 2 << 3 | 2))
            count += depth == 2 ? 1 : count_spans(part, depth + 1);
    }
    CHECK(!in.bad);
    return count;
}

/* TraceByIDResponse: trace 1, metrics 2, status 3, message 4. */
TEST(a_trace_too_large_is_cut_and_version_2_says_so)
{
    struct byte_reader in;
    uint64_t status = 0;
    uint32_t count = 0;
    struct slice message = {NULL, 0};
    char wanted[80];

    put_large_trace();
    bed.accept = "application/protobuf";
    json_decref(bed_ask(&bed, "GET", "/tempo/api/v2" TRACE, NULL));
    CHECK_EQ(bed.status, 200);
    in = byte_reader_over((struct slice){bed.text, bed.len});
    while (byte_reader_left(&in) > 0 && !in.bad) {
        uint64_t key = byte_reader_varint(&in);

        if (key == (3 << 3)) {
            status = byte_reader_varint(&in);
            continue;
        }
        struct slice part = byte_reader_slice(&in);
        if (key == (1 << 3 | 2))
            count = count_spans(part, 0);
        else if (key == (4 << 3 | 2))
            message = part;
    }
    CHECK_EQ(status, 1); /* PARTIAL */
    CHECK(count >= 500 && count < SPANS);
    snprintf(wanted, sizeof(wanted),
             "the first %u of %u spans: the trace is too large", count, SPANS);
    CHECK_TEXT(message, wanted);

    /* Version 1 has no word for it, but the same spans. */
    json_decref(bed_ask(&bed, "GET", "/tempo/api" TRACE, NULL));
    CHECK_EQ(bed.status, 200);
    CHECK_EQ(count_spans((struct slice){bed.text, bed.len}, 0), count);
    bed_release(&bed);
}

TEST(json_of_a_trace_that_is_cut)
{
    json_t *json;

    put_large_trace();
    bed.store->span_count = 1500;
    bed.max_reply = 250 * 1000;
    json = bed_ask(&bed, "GET", "/tempo/api/v2" TRACE, NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(json, "status"), "PARTIAL");
    CHECK(strstr(bed_at(json, "message").ptr, " of 1500 spans") != NULL);
    json_decref(json);
    bed.store->span_count = 100;
    json = bed_ask(&bed, "GET", "/tempo/api/v2" TRACE, NULL);
    CHECK_EQ(bed.status, 200);
    CHECK(json && !json_object_get(json, "status"));
    CHECK(json && !json_object_get(json, "message"));
    json_decref(json);
    bed_release(&bed);
}
