/*
 * The sample of a busy project: slices of a period, whole traces, each once.
 */
#include "trace_sample.h"

#include "cause_world.h"

enum { MINUTES = 40, MAX_READ = 1200, SLICES_SEEN = 6, TRACE_SPANS = 7 };

/* The correlator counts records by the minute; a trace here has 7 spans and 8
 * log records. */
static void count_records(struct world *w)
{
    static const struct metric records = {
        .name = {DERIVED_RECORDS, sizeof(DERIVED_RECORDS) - 1},
        .type = METRIC_SUM};

    for (int minute = 0; minute < MINUTES; minute++) {
        struct point *p = &w->bed.store->points[w->bed.store->point_count++];
        struct attr *at = arena_zero(&w->bed.arena, 1, sizeof(*at));

        at[0] = bed_attr(DERIVED_SIGNAL, "traces");
        *p = (struct point){.metric = &records,
                            .attrs = {at, 1, 0},
                            .is_int = true,
                            .i = (TRACE_SPANS + 8) * w->per_minute,
                            .resource_id = w->resources[WEB],
                            .start_ns = (w->start_s + (uint64_t)minute * 60) *
                                        NS_PER_S};
        p->time_ns = p->start_ns + NS_PER_MIN;
    }
}

static int minute_of(const struct world *w, uint64_t time_ns)
{
    return (int)((time_ns / NS_PER_S - w->start_s) / 60);
}

static void check_period(const struct world *w, const struct trace_sample *s)
{
    bool seen[MINUTES] = {false};
    uint32_t minutes = 0;

    CHECK(s->span_count > MAX_READ / 8);
    CHECK(s->span_count <= MAX_READ);
    for (uint32_t i = 0; i < s->trace_count; i++) {
        const struct rca_trace *t = &s->traces[i];
        const struct rca_span *first = &s->spans[t->first];
        int minute = minute_of(w, t->start_ns);

        CHECK_EQ(t->count, TRACE_SPANS);
        if (i > 0)
            CHECK(memcmp(first->trace_id, (first - 1)->trace_id, 16) != 0);
        if (CHECK(minute >= 0 && minute < MINUTES)) {
            minutes += !seen[minute];
            seen[minute] = true;
        }
    }
    CHECK(minutes >= SLICES_SEEN);
}

TEST(a_sample_has_whole_traces_of_all_parts_of_a_period)
{
    struct world *w = world_new(plain);
    struct scope_filter scope = {.project = SLICE("shop")};
    struct candidates candidates;
    struct trace_samples samples = {0};
    struct rca_times times = {0};
    struct reader reader = {.store = w->bed.store};
    uint64_t start = w->start_s * NS_PER_S;

    w->minutes = MINUTES;
    w->per_minute = 90;
    generate(w, true, false);
    count_records(w);
    times.period[BASELINE] =
        (struct cause_window){start, start + 25 * NS_PER_MIN};
    times.period[WINDOW] =
        (struct cause_window){start + 25 * NS_PER_MIN, start + 40 * NS_PER_MIN};
    CHECK(candidates_find(&candidates, w->bed.registry, &scope, &viewer_all,
                          &w->bed.arena));
    CHECK_EQ(candidates.component_count, COMPONENTS);
    CHECK_EQ(trace_samples_read(&samples, &reader, &candidates, &times,
                                MAX_READ, &w->bed.arena),
             OK);
    check_period(w, &samples.period[BASELINE]);
    check_period(w, &samples.period[WINDOW]);
    world_free(w);
}
