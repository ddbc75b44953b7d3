/*
 * Increases of cumulative streams: the cases of OTLP's data model and of
 * senders that bend it, and a property: however a stream is split into cells,
 * doubled and shuffled, it grew by what its sender counted.
 */
#include "counter_increase.h"

#include <math.h>
#include <stdio.h>

#include "clock.h"
#include "metric_names.h"
#include "test.h"

#define S  NS_PER_S
#define T0 (UINT64_C(1700000000) * NS_PER_S)

static struct arena arena;
static struct counter_track track;
static uint64_t cell_ns;

static void begin(uint64_t cell_s)
{
    arena_init(&arena, NULL, SIZE_MAX);
    track = (struct counter_track){.max = 1000};
    cell_ns = cell_s * S;
}

/* Seconds from T0. */
static void add(int64_t start_s, int64_t time_s, double value)
{
    struct counter_point *slot, p = {.time_ns = T0 + (uint64_t)time_s * S,
                                     .start_ns = T0 + (uint64_t)start_s * S,
                                     .value = value};

    p.cell = (uint32_t)(p.time_ns / cell_ns);
    CHECK(counter_add(&track, &arena, &p, &slot) != COUNTER_FULL);
}

/* Without a start. */
static void add_plain(int64_t time_s, double value)
{
    add(-(int64_t)(T0 / S), time_s, value);
}

struct sum {
    double amount;
    uint64_t end_ns;
    uint32_t newest;
};

static bool sum_up(void *arg, const struct counter_increase *growth)
{
    struct sum *sum = arg;

    CHECK(growth->from_ns < growth->to_ns);
    CHECK(counter_increase_amount(growth) >= 0);
    sum->amount += counter_increase_amount(growth);
    sum->newest += growth->newest;
    return true;
}

static double total(void)
{
    const struct counter_rules rules = {T0 - 3600 * S, NS_PER_DAY};
    struct sum sum = {0};

    CHECK(counter_walk(&track, &rules, sum_up, &sum));
    return sum.amount;
}

static bool grew(double want)
{
    double got = total();

    arena_release(&arena);
    if (fabs(got - want) < 1e-6)
        return true;
    printf("# grew by %g, not %g\n", got, want);
    return false;
}

TEST(a_first_point_counts_from_its_start)
{
    begin(60);
    add(0, 30, 5);
    add(0, 60, 12);
    CHECK(grew(12));
}

/* ... unless the start is older than what was read. */
TEST(an_old_start_is_no_beginning)
{
    begin(60);
    add(-7200, 30, 5000);
    add(-7200, 60, 5012);
    CHECK(grew(12));
}

TEST(a_start_that_is_its_time_is_a_baseline)
{
    for (uint64_t cell = 10; cell < 1000; cell *= 9) { /* alone and together */
        begin(cell);
        add(0, 0, 100000);
        add(0, 60, 100030);
        add(0, 120, 100060);
        CHECK(grew(60));
    }
}

/* OTLP's true reset point: a zero at the start, which later points repeat. */
TEST(a_true_reset_point)
{
    begin(3600);
    add(-60, 60, 500);
    add(70, 70, 0);
    add(70, 120, 40);
    add(70, 180, 45);
    CHECK(grew(545));
}

TEST(a_collector_restarts)
{
    begin(60);
    add(0, 0, 1000);
    add(0, 60, 1030);
    add(120, 120, 1060); /* the baseline of the new one */
    add(120, 180, 1090);
    CHECK(grew(90));
    begin(3600);
    add(0, 0, 1000);
    add(0, 60, 1030);
    add(120, 180, 1090); /* its baseline was lost */
    CHECK(grew(90));
}

TEST(a_process_restarts)
{
    begin(3600);
    add(-60, 60, 500);
    add(70, 120, 40); /* fell */
    CHECK(grew(540));
    begin(3600);
    add(-60, 0, 30);
    add(0, 60, 30); /* did not fall, the start alone tells */
    add(60, 120, 45);
    CHECK(grew(105));
    begin(3600);
    add_plain(0, 500); /* Prometheus: the value alone tells */
    add_plain(60, 510);
    add_plain(120, 7);
    CHECK(grew(17));
}

/* The value fell and the start says only that it is not known. */
TEST(a_baseline_after_a_reset_is_no_growth)
{
    begin(3600);
    add(0, 0, 500);
    add(0, 60, 510);
    add(120, 120, 300);
    add(120, 180, 310);
    CHECK(grew(20));
}

/* Boot times that are computed from uptimes move by a second or two. */
TEST(a_start_that_jitters)
{
    begin(60);
    for (int64_t i = 0; i < 50; i++)
        add(-5000 + i % 3, i * 10, 700 + 5.0 * (double)i);
    CHECK(grew(49 * 5));
}

/* Each point has the time of the one before as its start. */
TEST(a_start_that_always_moves)
{
    begin(60);
    for (int64_t i = 0; i < 20; i++)
        add(i * 10 - 10, i * 10, 5000 + 5.0 * (double)i);
    CHECK(grew(19 * 5));
}

/* The same with few points, from which less can be told: values that are
 * nearly the same are no restarts, others are. */
TEST(few_starts_that_move)
{
    begin(60);
    add(-60, 0, 100000);
    add(0, 60, 100030);
    CHECK(grew(30));
    begin(60);
    add(-60, 0, 1000);
    add(0, 60, 1030);
    add(60, 120, 1060);
    CHECK(grew(60));
    begin(60);
    add(-120, 0, 1000); /* a window that slides */
    add(-60, 60, 1030);
    add(0, 120, 1060);
    CHECK(grew(60));
    begin(60);
    add(-60, 0, 60);
    add(0, 60, 60);
    add(60, 120, 60);
    CHECK(grew(180));
    begin(60);
    add(-60, 0, 30);
    add(0, 60, 60);
    add(60, 120, 90);
    CHECK(grew(180));
}

/* All points are their own baselines. */
TEST(a_start_that_is_always_the_time)
{
    begin(60);
    for (int64_t i = 0; i < 20; i++)
        add(i * 10, i * 10, 5000 + 5.0 * (double)i);
    CHECK(grew(19 * 5));
}

TEST(two_collectors_send_one_stream)
{
    begin(60);
    for (int64_t i = 0; i < 40; i++)
        add(i % 2 ? 10 : 0, i * 10, 800 + 3.0 * (double)i);
    CHECK(grew(39 * 3));
}

/* ... and their clocks differ a little. */
TEST(two_collectors_a_little_apart)
{
    begin(60);
    for (int64_t i = 0; i < 20; i++) {
        add(0, i * 30, 800 + 30.0 * (double)i);
        add(-7200, i * 30 + 1, 799 + 30.0 * (double)i);
    }
    CHECK(grew(19 * 30 + 1));
}

/* Workers that forgot service.instance.id. */
TEST(two_processes_with_one_identity)
{
    begin(60);
    for (int64_t i = 0; i < 40; i++) {
        add(-100, i * 10, 9000 + 3.0 * (double)i);
        add(-90, i * 10 + 4, 20 + 2.0 * (double)i);
    }
    CHECK(grew(39 * 5 + 9000 + 20)); /* both from starts that were read */
}

TEST(long_gaps_are_not_known)
{
    const struct counter_rules rules = {T0, 300 * S};
    struct sum sum = {0};

    begin(60);
    add_plain(0, 5);
    add_plain(60, 6);
    add_plain(600, 500);
    add_plain(660, 501);
    CHECK(counter_walk(&track, &rules, sum_up, &sum));
    CHECK(fabs(sum.amount - 2) < 1e-9);
    CHECK_EQ(sum.newest, 1);
    arena_release(&arena);
}

TEST(nan_and_infinite_values_are_passed_over)
{
    begin(60);
    add_plain(0, 5);
    add_plain(10, NAN);
    add_plain(20, INFINITY);
    add_plain(30, 8);
    CHECK(grew(3));
}

TEST(what_is_below_zero_has_counted_nothing)
{
    begin(60);
    add_plain(0, 5);
    add_plain(30, -7);
    add_plain(60, -3);
    CHECK(grew(4));
}

/* Memory goes by cells: a million points of a day are few. */
TEST(few_points_are_kept)
{
    begin(600);
    track.max = 100;
    for (int64_t i = 0; i < 20000; i++)
        add(0, i, (double)i);
    CHECK(track.count <= 20000 / 600 + 3);
    CHECK(grew(19999));
}

/* Two workers that report often: more points than there is room for, and all of
 * the time is known. */
TEST(two_workers_in_little_room)
{
    begin(300);
    track.max = 4 * 12 + 10;
    for (int64_t i = 0; i < 360; i++) {
        add(-100, i * 10, 9000 + 3.0 * (double)i);
        add(-90, i * 10 + 4, 20 + 2.0 * (double)i);
    }
    CHECK(track.count <= track.max);
    CHECK(grew(359 * 5 + 9000 + 20));
}

/* More resets than there is room for: no crash, and what fits is right. */
TEST(more_resets_than_room)
{
    begin(600);
    track.max = 8;
    for (int64_t i = 0; i < 1000; i++)
        add(i, i + 1, 1 + (double)(i % 2));
    CHECK(track.count <= 8);
    CHECK(total() <= 2000);
    arena_release(&arena);
}

/* ---- a sender, and what it counted ---- */

enum { MAX_POINTS = 400 };

struct sent {
    int64_t start_s, time_s;
    double value;
};

static struct sent sent[MAX_POINTS];
static uint32_t sent_count;

static void emit(int64_t start_s, int64_t time_s, double value)
{
    if (sent_count < MAX_POINTS)
        sent[sent_count++] = (struct sent){start_s, time_s, value};
}

/* An SDK: the start is the process's. Returns what was counted until the last
 * point of each process. Rates differ by less than ten times, or a reset after
 * a quiet time would look like a start that moved. */
static double from_sdk(void)
{
    double counted = 0, value = 0;
    int64_t start = 0, t = 0;

    for (uint32_t i = 0; i < 100; i++) {
        if (i > 0 && test_random(12) == 0) {
            start = t + 1 + test_random(3);
            value = 0;
            t = start;
        }
        t += 8 + test_random(12);
        double more = 5 + test_random(10);

        value += more;
        counted += more;
        emit(start, t, value);
    }
    return counted;
}

/* A scraping collector, or two: the start is when it first saw the process.
 * What is known to have been counted is what was seen to grow. */
static double from_collectors(uint32_t collectors)
{
    int64_t starts[2] = {0}, t = 0;
    double last[2] = {-1, -1}, value = 1000, seen = -1, counted = 0;

    for (uint32_t i = 0; i < 150; i++) {
        uint32_t c = i % collectors;

        t += 3 + test_random(10);
        value += 1 + test_random(10);
        if (test_random(15) == 0)
            value = 1 + test_random(5); /* the process began again */
        if (test_random(20) == 0)
            last[c] = -1; /* the collector did */
        if (last[c] < 0 || value < last[c])
            starts[c] = t;
        if (seen >= 0 && value >= seen)
            counted += value - seen;
        else if (seen >= 0 && starts[c] < t)
            counted += value; /* the other collector saw it first */
        last[c] = seen = value;
        emit(starts[c], t, value);
    }
    return counted;
}

static void shuffle(void)
{
    for (uint32_t i = sent_count - 1; i > 0; i--) {
        uint32_t k = test_random(i + 1);
        struct sent keep = sent[i];

        sent[i] = sent[k];
        sent[k] = keep;
    }
}

static void receive(bool in_order)
{
    uint32_t cell = 1 + test_random(600);

    for (uint32_t i = sent_count; i > 0 && sent_count < MAX_POINTS; i--)
        if (test_random(4) == 0)
            emit(sent[i - 1].start_s, sent[i - 1].time_s, sent[i - 1].value);
    if (!in_order)
        shuffle();
    begin(cell);
    for (uint32_t i = 0; i < sent_count; i++)
        add(sent[i].start_s, sent[i].time_s, sent[i].value);
}

TEST(any_way_of_receiving_gives_what_was_counted)
{
    for (int round = 0; round < 500; round++) {
        sent_count = 0;
        double counted = from_sdk();

        receive(false);
        if (!CHECK(grew(counted)))
            return;
        sent_count = 0;
        counted = from_collectors(1);
        receive(false);
        if (!CHECK(grew(counted)))
            return;
    }
}

/* One process behind two collectors, which never restarts. */
TEST(two_collectors_received_in_any_way)
{
    for (int round = 0; round < 500; round++) {
        double value = 1000;
        int64_t t = 0;

        sent_count = 0;
        for (uint32_t i = 0; i < 100; i++) {
            t += 3 + test_random(10);
            value += test_random(10);
            emit(i % 2 ? 20 : 0, t + 20, value);
        }
        double counted = sent[99].value - sent[0].value;

        sent[0].start_s = sent[0].time_s; /* baselines */
        sent[1].start_s = sent[1].time_s;
        for (uint32_t i = 2; i < 100; i++)
            sent[i].start_s = sent[i % 2].start_s;
        receive(false);
        if (!CHECK(grew(counted)))
            return;
    }
}

/* What kind of numbers a metric has, whatever its sender says. */
TEST(modes)
{
    static const struct {
        const char *name;
        uint8_t type, temporality;
        bool monotonic;
        enum metric_mode mode;
    } rows[] = {
        {"x", METRIC_GAUGE, 0, false, MODE_GAUGE},
        {"x", METRIC_SUM, CUMULATIVE, true, MODE_COUNTER},
        {"x", METRIC_SUM, CUMULATIVE, false, MODE_GAUGE},
        {"x", METRIC_SUM, DELTA, true, MODE_DELTA},
        {"x", METRIC_SUM, 0, true, MODE_COUNTER},
        {"x", METRIC_HISTOGRAM, CUMULATIVE, false, MODE_COUNTER},
        {"x", METRIC_EXP_HISTOGRAM, DELTA, false, MODE_DELTA},
        {"x", METRIC_SUMMARY, 0, false, MODE_COUNTER},
        {"jobs_total", METRIC_GAUGE, 0, false, MODE_COUNTER},
        {"_total", METRIC_GAUGE, 0, false, MODE_GAUGE},
        {"container_cpu_usage_seconds_total", METRIC_GAUGE, 0, false,
         MODE_COUNTER},
        {"container.cpu.time", METRIC_SUM, CUMULATIVE, false, MODE_COUNTER},
        {"container.memory.usage", METRIC_SUM, CUMULATIVE, true, MODE_GAUGE},
        {"http_requests_total", METRIC_SUM, DELTA, true, MODE_DELTA},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct metric metric = {.name = slice_of(rows[i].name),
                                .type = rows[i].type,
                                .temporality = rows[i].temporality,
                                .monotonic = rows[i].monotonic};

        if (!CHECK_EQ(metric_mode(&metric, metric_name_find(metric.name)),
                      rows[i].mode))
            printf("# %s, row %zu\n", rows[i].name, i);
    }
}
