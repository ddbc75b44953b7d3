/* The answer about a trace when not all of it fits: what is left out is told.
 */
#include "fake_query.h"

#define PATH \
    "/api/v1/traces/00000000000000000000000000000051?limit=1000&logs=500"
#define T0 (UINT64_C(1787299200) * NS_PER_S)

enum { SPANS = 200, LOGS = 40, ATTRS = 5, LARGE = 8192 };

static struct bed bed;
static struct span spans[SPANS];
static struct log_record logs[LOGS];
static struct attr attrs[ATTRS];
static char body[LARGE + 1];

/* Below one root; every fifth span has a log record. */
static void put_trace(size_t body_len)
{
    uint32_t resource;

    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1;
    resource = bed_resource(&bed, "shop", "cart");
    memset(spans, 0, sizeof(spans));
    memset(logs, 0, sizeof(logs));
    memset(body, 'x', body_len);
    body[body_len] = '\0';
    for (int i = 0; i < ATTRS; i++)
        attrs[i] = bed_attr("app.attribute", "a value of some length");
    for (int i = 0; i < SPANS; i++) {
        spans[i] = (struct span){.start_ns = T0 + (uint64_t)i * 1000,
                                 .end_ns = T0 + NS_PER_MS,
                                 .name = SLICE("step"),
                                 .resource_id = resource,
                                 .attrs = {attrs, ATTRS, 0}};
        spans[i].trace_id[15] = 0x51;
        spans[i].span_id[7] = (uint8_t)(i + 1);
        spans[i].parent_span_id[7] = i > 0;
    }
    for (int i = 0; i < LOGS; i++) {
        logs[i] = (struct log_record){.time_ns = T0 + (uint64_t)i * 1000,
                                      .arrival = (uint64_t)i,
                                      .body = bed_attr("", body),
                                      .level = LEVEL_INFO,
                                      .resource_id = resource};
        logs[i].trace_id[15] = 0x51;
        logs[i].span_id[7] = (uint8_t)(5 * i + 1);
    }
    bed.store->spans = spans;
    bed.store->span_count = SPANS;
    bed.store->logs = logs;
    bed.store->log_count = LOGS;
}

static int omitted(json_t *answer, const char *what)
{
    json_t *found = json_object_get(json_object_get(answer, "omitted"), what);

    return (int)json_integer_value(found);
}

TEST(all_of_it)
{
    json_t *answer;

    put_trace(10);
    answer = bed_ask(&bed, "GET", PATH "&attributes=all", NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_EQ(json_array_size(json_object_get(answer, "spans")), SPANS);
    CHECK_EQ(omitted(answer, "spans") + omitted(answer, "logs") +
                 omitted(answer, "attributes"),
             0);
    json_decref(answer);
    bed_release(&bed);
}

/* The less room, the more is left out: attributes, then log records, then
 * spans; never all of the tree, and never is it refused. */
TEST(what_does_not_fit_is_left_out_and_told)
{
    int attributes = 0, without_logs = 0, fewer = 0;

    put_trace(300);
    for (size_t room = 240 * 1024; room >= 8 * 1024; room -= 4 * 1024) {
        json_t *answer;
        int shown, all_logs;

        bed.max_reply = room;
        answer = bed_ask(&bed, "GET", PATH "&attributes=all", NULL);
        CHECK_EQ(bed.status, 200);
        CHECK(bed.len <= room);
        shown = (int)json_array_size(json_object_get(answer, "spans"));
        all_logs = (int)json_integer_value(
            json_object_get(json_object_get(answer, "summary"), "logCount"));
        CHECK_EQ(shown + omitted(answer, "spans"), SPANS);
        CHECK(shown > 0);
        attributes += omitted(answer, "attributes") > 0;
        without_logs += omitted(answer, "logs") == all_logs;
        fewer += shown < SPANS;
        if (shown < SPANS)
            CHECK_EQ(omitted(answer, "logs"), all_logs);
        if (omitted(answer, "logs") == all_logs)
            CHECK_EQ(omitted(answer, "attributes"), shown);
        json_decref(answer);
    }
    CHECK(fewer > 0 && without_logs > fewer && attributes > without_logs);
    bed_release(&bed);
}
