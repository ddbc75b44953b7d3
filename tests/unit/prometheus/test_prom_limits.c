/* A query that would read too much: 422, in Prometheus' words. */
#include "prometheus_kit.h"

#define TOO_MANY                                                         \
    "query processing would load too many samples into memory in query " \
    "execution"
#define PATH "/prometheus/api/v1/"

TEST(one_sample_more_than_a_query_may_read)
{
    static const struct promql_select all = {
        .start_ms = KIT_MS, .end_ms = KIT_MS + 600000, .function = ""};
    struct promql_select select = all;

    kit_begin();
    for (int i = 1; i <= 10; i++)
        kit_gauge("a", kit_resource(NULL), 10 * i, i);
    for (uint64_t before = PROMETHEUS_MAX_SAMPLES - 10;
         before <= PROMETHEUS_MAX_SAMPLES - 9; before++) {
        bool fits = before + 10 <= PROMETHEUS_MAX_SAMPLES;

        kit_open();
        kit_match("__name__", "=", "a");
        select.matchers = kit.matchers;
        select.matcher_count = kit.count;
        kit.source.samples = before; /* of other selectors */
        CHECK_EQ(kit.source.promql.select(kit.source.promql.arg, &select,
                                          kit_print, NULL),
                 fits ? OK : ERR_TOO_BIG);
        CHECK_TEXT(slice_of(kit.source.error), fits ? "" : TOO_MANY);
        kit_close();
    }
    bed_release(&bed);
}

/* Whatever part of a query has no room, it is the query that is too large. */
TEST(the_errors_as_prometheus_sends_them)
{
    static char names[1000][12];
    unsigned answered = 0, too_many = 0;

    kit_begin();
    for (int i = 0; i < 1000; i++) {
        snprintf(names[i], sizeof(names[i]), "%d", i);
        kit_attr(kit_gauge("a", kit_resource(NULL), 10, i), "i", names[i]);
    }
    for (int i = 0; i < 60; i++) {
        const char *path = i % 2 ? PATH "query?query=sum(a)&time=1787299220"
                                 : PATH "query_range?query=sum(a)&step=9"
                                        "&start=1787299200&end=1787299290";
        json_t *answer;

        bed.max_memory = (size_t)(i / 2 + 1) * 16 * 1024;
        answer = bed_ask(&bed, "GET", path, NULL);
        if (bed.status == 200) {
            answered++;
        } else {
            CHECK_EQ(bed.status, 422);
            CHECK_TEXT(bed_at(answer, "status"), "error");
            CHECK_TEXT(bed_at(answer, "errorType"), "execution");
            CHECK(strstr(bed.text, "memory") != NULL);
            too_many += slice_equal(bed_at(answer, "error"), SLICE(TOO_MANY));
        }
        json_decref(answer);
    }
    CHECK(answered > 0 && too_many > 0);
    bed_release(&bed);
}
