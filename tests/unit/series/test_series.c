#include "series.h"

#include <math.h>

#include "record_copy.h"
#include "series_add.h"
#include "store_help.h"

enum { MAX_CHUNKS = 64 };

struct chunks {
    struct arena arena;
    struct chunk at[MAX_CHUNKS];
    uint32_t count;
};

static enum status keep_chunk(void *arg, const struct chunk *chunk)
{
    struct chunks *chunks = arg;

    if (!CHECK(chunks->count < MAX_CHUNKS))
        return ERR_FULL;
    chunks->at[chunks->count] = *chunk;
    chunks->at[chunks->count].bytes = arena_copy(&chunks->arena, chunk->bytes);
    chunks->at[chunks->count++].tails =
        arena_copy(&chunks->arena, chunk->tails);
    return OK;
}

static void write_points(struct chunks *chunks,
                         const struct point *const *points, uint32_t count,
                         bool add_up)
{
    struct series_writer *writer = series_writer_new();

    chunks->count = 0;
    arena_init(&chunks->arena, NULL, SIZE_MAX);
    CHECK_EQ(series_write(writer, points, count, add_up, keep_chunk, chunks),
             OK);
    series_writer_free(writer);
}

struct kept {
    struct arena arena;
    const struct point *at[4096];
    uint32_t count;
};

static void keep_point(void *arg, const struct point *point)
{
    struct kept *kept = arg;

    kept->at[kept->count++] = copy_point(&kept->arena, point);
}

static enum status read_chunks(const struct chunks *chunks, struct kept *kept,
                               const struct series_query *query)
{
    struct arena scratch;
    enum status status = OK;

    arena_init(&scratch, NULL, SIZE_MAX);
    arena_init(&kept->arena, NULL, SIZE_MAX);
    kept->count = 0;
    for (uint32_t i = 0; i < chunks->count && status == OK; i++) {
        const struct chunk_bytes bytes = {.bytes = chunks->at[i].bytes,
                                          .tails = chunks->at[i].tails};

        status = series_read(&bytes, chunks->at[i].resource, query, &scratch,
                             keep_point, kept);
    }
    arena_release(&scratch);
    return status;
}

static const struct series_query everything = {.end_ns = UINT64_MAX};

static bool same_run(const struct exp_buckets *a, const struct exp_buckets *b)
{
    return a->count == b->count && (a->count == 0 || a->offset == b->offset) &&
           (a->count == 0 ||
            memcmp(a->counts, b->counts, a->count * sizeof(*a->counts)) == 0);
}

static bool same_doubles(const double *a, const double *b, uint32_t count)
{
    return count == 0 || !a == !b || memcmp(a, b, count * sizeof(*a)) == 0;
}

static bool same_histogram(const struct histogram *a, const struct histogram *b,
                           int type)
{
    if (a->count != b->count || a->has_sum != b->has_sum ||
        a->has_min != b->has_min || a->has_max != b->has_max)
        return false;
    if ((a->has_sum && a->sum != b->sum) || (a->has_min && a->min != b->min) ||
        (a->has_max && a->max != b->max))
        return false;
    if (type == METRIC_EXP_HISTOGRAM)
        return a->scale == b->scale && a->zero_count == b->zero_count &&
               a->zero_threshold == b->zero_threshold &&
               same_run(&a->positive, &b->positive) &&
               same_run(&a->negative, &b->negative);
    if (a->bound_count != b->bound_count ||
        !same_doubles(a->bounds, b->bounds, a->bound_count))
        return false;
    if (type == METRIC_SUMMARY)
        return same_doubles(a->values, b->values, a->bound_count);
    return !a->counts == !b->counts &&
           (!a->counts || memcmp(a->counts, b->counts,
                                 (a->bound_count + 1) * sizeof(uint64_t)) == 0);
}

static bool same_point(const struct point *a, const struct point *b)
{
    if (a->time_ns != b->time_ns || a->start_ns != b->start_ns ||
        a->flags != b->flags || a->corrected != b->corrected ||
        a->resource_id != b->resource_id || a->attrs.count != b->attrs.count ||
        a->exemplar_count != b->exemplar_count ||
        !slice_equal(a->metric->name, b->metric->name) ||
        a->metric->type != b->metric->type ||
        a->metric->temporality != b->metric->temporality)
        return false;
    for (uint32_t i = 0; i < a->attrs.count; i++)
        if (!slice_equal(attr_text(&a->attrs.at[i]),
                         attr_text(&b->attrs.at[i])))
            return false;
    for (uint32_t i = 0; i < a->exemplar_count; i++)
        if (a->exemplars[i].value != b->exemplars[i].value ||
            a->exemplars[i].time_ns != b->exemplars[i].time_ns ||
            memcmp(a->exemplars[i].trace_id, b->exemplars[i].trace_id, 16) != 0)
            return false;
    if (a->metric->type > METRIC_SUM)
        return same_histogram(a->histogram, b->histogram, a->metric->type);
    return a->is_int == b->is_int && a->i == b->i;
}

/* ---- making points of every kind ---- */

static uint64_t *random_counts(struct arena *arena, uint32_t count)
{
    uint64_t *counts = arena_zero(arena, count, sizeof(*counts));

    for (uint32_t i = 0; i < count; i++)
        counts[i] = test_random(3) ? 0 : test_random(100000);
    return counts;
}

static double *random_doubles(struct arena *arena, uint32_t count)
{
    double *d = arena_zero(arena, count, sizeof(*d));

    for (uint32_t i = 0; i < count; i++)
        d[i] = test_random(1000) / 8.0;
    return d;
}

static struct exp_buckets random_run(struct arena *arena)
{
    uint32_t count = test_random(40);

    return (struct exp_buckets){random_counts(arena, count), count,
                                (int32_t)test_random(200) - 100};
}

static const struct histogram *random_histogram(struct arena *arena, int type)
{
    struct histogram *h = arena_zero(arena, 1, sizeof(*h));

    h->count = test_random(1000);
    h->has_sum = test_random(2);
    h->has_min = test_random(2);
    h->has_max = test_random(2);
    h->sum = test_random(1000) / 3.0;
    h->min = test_random(1000) / 3.0;
    h->max = test_random(1000) / 3.0;
    if (type == METRIC_EXP_HISTOGRAM) {
        h->scale = (int32_t)test_random(10) - 3;
        h->zero_count = test_random(5);
        h->zero_threshold = test_random(2) ? 0 : 1e-6;
        h->positive = random_run(arena);
        h->negative = random_run(arena);
        return h;
    }
    h->bound_count = test_random(2) ? 4 : test_random(8);
    h->bounds = random_doubles(arena, h->bound_count);
    if (type == METRIC_SUMMARY)
        h->values = random_doubles(arena, h->bound_count);
    else if (test_random(4))
        h->counts = random_counts(arena, h->bound_count + 1);
    return h;
}

static const struct metric *random_metric(struct arena *arena)
{
    static const char *const names[] = {"cpu", "memory", "requests"};
    struct metric *m = arena_zero(arena, 1, sizeof(*m));

    m->type = (uint8_t)test_random(METRIC_SUMMARY + 1);
    m->temporality = (uint8_t)test_random(CUMULATIVE + 1);
    m->name = slice_of(names[test_random(3)]);
    m->unit = SLICE("1");
    return m;
}

static const struct exemplar *random_exemplars(struct arena *arena,
                                               uint32_t count)
{
    struct exemplar *e = arena_zero(arena, count, sizeof(*e));

    for (uint32_t i = 0; i < count; i++) {
        e[i].value = test_random(100);
        e[i].time_ns = test_random(100000);
        e[i].trace_id[3] = (uint8_t)test_random(256);
    }
    return e;
}

static struct point *random_point(struct arena *arena)
{
    struct point *p = arena_zero(arena, 1, sizeof(*p));
    struct attr *attr = arena_zero(arena, 1, sizeof(*attr));

    p->metric = random_metric(arena);
    *attr = (struct attr){.key = "pod",
                          .key_len = 3,
                          .type = VALUE_STRING,
                          .str = test_random(2) ? "a" : "b",
                          .len = 1};
    p->attrs = (struct attrs){attr, test_random(2), 0};
    p->time_ns = UINT64_C(1700000000000000000) +
                 test_random(8000) * UINT64_C(1000000000);
    p->start_ns = test_random(2) ? p->time_ns - 1000 : 77;
    p->flags = test_random(8) == 0;
    p->corrected = test_random(8) == 0;
    p->resource_id = test_random(3);
    p->exemplar_count = test_random(4) ? 0 : test_random(3);
    p->exemplars = random_exemplars(arena, p->exemplar_count);
    p->is_int = p->metric->type <= METRIC_SUM && test_random(2);
    if (p->metric->type > METRIC_SUM)
        p->histogram = random_histogram(arena, p->metric->type);
    else if (p->is_int)
        p->i = (int64_t)test_random(100000) - 50000;
    else
        p->d = test_random(1000) / 7.0;
    return p;
}

/* Each point that was written is found once among those that were read. */
static bool same_set(const struct point *const *written, uint32_t count,
                     const struct kept *kept)
{
    static bool used[4096];

    memset(used, 0, sizeof(used));
    if (kept->count != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t j = 0;

        while (j < count && (used[j] || !same_point(written[i], kept->at[j])))
            j++;
        if (j == count)
            return false;
        used[j] = true;
    }
    return true;
}

TEST(what_goes_in_comes_out)
{
    static struct kept kept;
    static struct chunks chunks;

    for (int round = 0; round < 60; round++) {
        struct arena arena;
        const struct point *points[300];
        uint32_t count = 1 + test_random(300);

        arena_init(&arena, NULL, SIZE_MAX);
        for (uint32_t i = 0; i < count; i++)
            points[i] = random_point(&arena);
        write_points(&chunks, points, count, false);
        CHECK_EQ(read_chunks(&chunks, &kept, &everything), OK);
        CHECK(same_set(points, count, &kept));
        arena_release(&kept.arena);
        arena_release(&chunks.arena);
        arena_release(&arena);
    }
}

static void write_random(struct chunks *chunks, struct arena *arena)
{
    const struct point *points[300];

    for (uint32_t i = 0; i < 300; i++)
        points[i] = random_point(arena);
    write_points(chunks, points, 300, false);
}

TEST(chunks_are_of_one_resource_and_hour_and_say_how_many)
{
    static struct chunks chunks;
    struct arena arena;
    uint32_t total = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    write_random(&chunks, &arena);
    for (uint32_t i = 0; i < chunks.count; i++) {
        static struct kept kept;
        struct chunks one = {.at = {chunks.at[i]}, .count = 1};

        CHECK_EQ(read_chunks(&one, &kept, &everything), OK);
        CHECK_EQ(kept.count, chunks.at[i].count);
        for (uint32_t j = 0; j < kept.count; j++) {
            CHECK_EQ(series_hour(kept.at[j]->time_ns), chunks.at[i].hour);
            CHECK_EQ(kept.at[j]->resource_id, chunks.at[i].resource);
        }
        total += kept.count;
        arena_release(&kept.arena);
    }
    CHECK_EQ(total, 300);
    arena_release(&chunks.arena);
    arena_release(&arena);
}

TEST(reads_only_names_and_times_asked_for)
{
    static struct kept kept;
    static struct chunks chunks;
    struct arena arena;
    const struct point *points[300];
    struct slice name = SLICE("cpu");
    struct series_query query = {.start_ns = UINT64_C(1700002000000000000),
                                 .end_ns = UINT64_C(1700005000000000000),
                                 .names = &name,
                                 .name_count = 1};
    uint32_t want = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < 300; i++) {
        points[i] = random_point(&arena);
        want += points[i]->time_ns > query.start_ns &&
                points[i]->time_ns <= query.end_ns &&
                slice_equal(points[i]->metric->name, name);
    }
    write_points(&chunks, points, 300, false);
    CHECK_EQ(read_chunks(&chunks, &kept, &query), OK);
    CHECK_EQ(kept.count, want);
    CHECK(want > 0);
    arena_release(&kept.arena);
    arena_release(&chunks.arena);
    arena_release(&arena);
}

/* ---- columns of counts ---- */

enum { MINUTES = 60 };

struct column_check {
    const struct point *points; /* in order of time */
    uint32_t first, seen;
};

static void check_columns(void *arg, const struct series_counts *counts)
{
    struct column_check *check = arg;

    for (uint32_t i = 0; i < counts->count; i++) {
        const struct point *point = &check->points[check->first + i];

        CHECK_EQ(counts->times_ns[i], point->time_ns);
        CHECK_EQ(counts->starts_ns[i], point->start_ns);
        CHECK_EQ(counts->counts[i], point->histogram->count);
        CHECK_EQ(counts->flags[i], point->flags);
    }
    check->seen += counts->count;
}

static void not_visited(void *arg, const struct point *point)
{
    (void)arg;
    (void)point;
    CHECK(false);
}

/* A minute each, from one that is left out on with a gap; MINUTES: none is. */
static void check_minutes(uint32_t gap)
{
    static const struct metric metric = {.name = SLICE_INIT("d"),
                                         .type = METRIC_EXP_HISTOGRAM,
                                         .temporality = DELTA};
    const uint64_t hour = UINT64_C(1700002800000000000);
    const uint64_t minute = UINT64_C(60000000000);
    static struct point points[MINUTES];
    static struct histogram histograms[MINUTES];
    static struct chunks chunks;
    static struct kept kept;
    const struct point *at[MINUTES];
    struct column_check check = {.points = points};
    struct series_query query = {.start_ns = hour + 9 * minute,
                                 .end_ns = hour + 50 * minute,
                                 .counts_only = true,
                                 .counts = check_columns};
    struct arena scratch;
    uint32_t within = 0;

    for (uint32_t i = 0; i < MINUTES; i++) {
        uint64_t time = hour + (i + (i >= gap)) * minute;

        histograms[i].count = i * 7;
        points[i] = (struct point){.metric = &metric,
                                   .time_ns = time,
                                   .start_ns = time - minute,
                                   .histogram = &histograms[i]};
        at[i] = &points[i];
        check.first += time <= query.start_ns;
        within += time > query.start_ns && time <= query.end_ns;
    }
    write_points(&chunks, at, gap < MINUTES ? MINUTES - 1 : MINUTES, false);
    CHECK_EQ(chunks.count, 1);
    CHECK_EQ(read_chunks(&chunks, &kept, &everything), OK);
    for (uint32_t i = 0; i < kept.count; i++)
        CHECK(same_point(kept.at[i], at[i]));
    arena_release(&kept.arena);
    const struct chunk_bytes bytes = {.bytes = chunks.at[0].bytes};
    arena_init(&scratch, NULL, SIZE_MAX);
    CHECK_EQ(series_read(&bytes, 0, &query, &scratch, not_visited, &check), OK);
    CHECK_EQ(check.seen, within);
    arena_release(&scratch);
    arena_release(&chunks.arena);
}

TEST(counts_of_minutes_come_as_columns)
{
    check_minutes(MINUTES);
    check_minutes(1);
    check_minutes(2);
    check_minutes(30);
    check_minutes(MINUTES - 2);
}

TEST(counts_alone_are_the_same)
{
    static struct kept all, counts;
    static struct chunks chunks;
    const struct series_query query = {.end_ns = UINT64_MAX,
                                       .counts_only = true};
    struct arena arena;
    uint32_t histograms = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    write_random(&chunks, &arena);
    CHECK_EQ(read_chunks(&chunks, &all, &everything), OK);
    CHECK_EQ(read_chunks(&chunks, &counts, &query), OK);
    if (CHECK_EQ(all.count, counts.count))
        for (uint32_t i = 0; i < all.count; i++) {
            const struct point *a = all.at[i], *b = counts.at[i];

            CHECK_EQ(a->time_ns, b->time_ns);
            CHECK_EQ(a->flags, b->flags);
            if (a->metric->type <= METRIC_SUM)
                continue;
            histograms++;
            CHECK_EQ(a->histogram->count, b->histogram->count);
            CHECK(!b->histogram->counts && b->histogram->positive.count == 0);
        }
    CHECK(histograms > 0);
    arena_release(&all.arena);
    arena_release(&counts.arena);
    arena_release(&chunks.arena);
    arena_release(&arena);
}

static bool only_cpu(void *arg, const struct metric *metric)
{
    (void)arg;
    return slice_equal(metric->name, SLICE("cpu"));
}

static bool no_series(void *arg, const struct point *head)
{
    (void)arg;
    (void)head;
    return false;
}

TEST(what_is_not_wanted_is_left_out)
{
    static struct kept all, cpu, none, heads;
    static struct chunks chunks;
    struct series_query query = {.end_ns = UINT64_MAX,
                                 .wants_metric = only_cpu};
    struct arena arena;
    uint32_t want = 0;

    arena_init(&arena, NULL, SIZE_MAX);
    write_random(&chunks, &arena);
    CHECK_EQ(read_chunks(&chunks, &all, &everything), OK);
    for (uint32_t i = 0; i < all.count; i++)
        want += only_cpu(NULL, all.at[i]->metric);
    CHECK_EQ(read_chunks(&chunks, &cpu, &query), OK);
    CHECK(want > 0 && want < all.count);
    CHECK_EQ(cpu.count, want);
    query.wants_series = no_series;
    CHECK_EQ(read_chunks(&chunks, &none, &query), OK);
    CHECK_EQ(none.count, 0);
    query = (struct series_query){.end_ns = UINT64_MAX, .heads = true};
    CHECK_EQ(read_chunks(&chunks, &heads, &query), OK);
    CHECK(heads.count > 0 && heads.count < all.count);
    arena_release(&all.arena);
    arena_release(&cpu.arena);
    arena_release(&none.arena);
    arena_release(&heads.arena);
    arena_release(&chunks.arena);
    arena_release(&arena);
}

/* Every byte of one piece of the first chunk changed, and every shorter piece,
 * is found out. */
static void damage(const struct chunks *chunks, struct slice *piece)
{
    const struct slice good = *piece;
    char *bad = malloc(good.len + 1);
    struct kept kept;

    CHECK(good.len > 0);
    for (size_t i = 0; i < good.len; i++) {
        memcpy(bad, good.ptr, good.len);
        bad[i] ^= (char)(1 + test_random(255));
        *piece = (struct slice){bad, good.len};
        CHECK(read_chunks(chunks, &kept, &everything) != OK);
        arena_release(&kept.arena);
    }
    for (size_t i = 0; i < good.len; i++) {
        *piece = (struct slice){good.ptr, i};
        CHECK(read_chunks(chunks, &kept, &everything) != OK);
        arena_release(&kept.arena);
    }
    *piece = good;
    free(bad);
}

TEST(every_changed_byte_is_noticed)
{
    static struct kept kept;
    static struct chunks chunks;
    struct arena arena;
    const struct point *points[50];

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; i < 50; i++) {
        struct point *point = random_point(&arena);

        point->resource_id = 1;
        point->time_ns = UINT64_C(1700000000000000000) + i;
        points[i] = point;
    }
    write_points(&chunks, points, 50, false);
    CHECK_EQ(chunks.count, 1);
    damage(&chunks, &chunks.at[0].tails);
    damage(&chunks, &chunks.at[0].bytes);
    chunks.at[0].tails = (struct slice){NULL, 0};
    CHECK(read_chunks(&chunks, &kept, &everything) != OK);
    arena_release(&kept.arena);
    arena_release(&chunks.arena);
    arena_release(&arena);
}

/* ---- adding ---- */

static uint64_t total(const struct exp_buckets *run)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < run->count; i++)
        sum += run->counts[i];
    return sum;
}

TEST(sum_of_exponential_histograms_keeps_counts_and_places)
{
    for (int round = 0; round < 300; round++) {
        struct arena arena;
        struct metric metric = {.type = METRIC_EXP_HISTOGRAM,
                                .temporality = DELTA};
        struct point a = {.metric = &metric}, b = a;

        arena_init(&arena, NULL, SIZE_MAX);
        struct histogram *ha = arena_zero(&arena, 1, sizeof(*ha)), *hb;
        *ha = *random_histogram(&arena, METRIC_EXP_HISTOGRAM);
        hb = arena_zero(&arena, 1, sizeof(*hb));
        *hb = *random_histogram(&arena, METRIC_EXP_HISTOGRAM);
        hb->zero_threshold = ha->zero_threshold;
        a.histogram = ha;
        b.histogram = hb;

        const struct point *sum = point_add(&arena, &a, &b);
        if (!CHECK(sum != NULL))
            break;
        const struct histogram *h = sum->histogram;
        CHECK_EQ(h->count, ha->count + hb->count);
        CHECK_EQ(total(&h->positive),
                 total(&ha->positive) + total(&hb->positive));
        CHECK_EQ(total(&h->negative),
                 total(&ha->negative) + total(&hb->negative));
        CHECK(h->scale <= ha->scale && h->scale <= hb->scale);
        /* A bucket's upper end: 2^((i + 1) / 2^scale) on both sides. The
         * exponents are compared, as the ends themselves may be infinite. */
        for (uint32_t i = 0; i < ha->positive.count; i++) {
            double place = (ha->positive.offset + (double)i + 1) *
                           exp2(h->scale - ha->scale);
            int64_t at = (int64_t)ceil(place - 1e-9) - 1 - h->positive.offset;

            if (ha->positive.counts[i])
                CHECK(at >= 0 && at < h->positive.count &&
                      h->positive.counts[at] >= ha->positive.counts[i]);
        }
        arena_release(&arena);
    }
}

TEST(what_cannot_be_added_stays_apart)
{
    struct arena arena;
    struct metric delta = {.type = METRIC_SUM, .temporality = DELTA};
    struct metric running = {.type = METRIC_SUM, .temporality = CUMULATIVE};
    struct point a = {.metric = &delta, .is_int = true, .i = 3, .time_ns = 5};
    struct point b = a;

    arena_init(&arena, NULL, SIZE_MAX);
    b.i = 4;
    const struct point *sum = point_add(&arena, &a, &b);
    CHECK(sum && sum->i == 7);
    b.time_ns = 6;
    CHECK(point_add(&arena, &a, &b) == NULL);
    b.time_ns = 5;
    a.metric = b.metric = &running;
    CHECK(point_add(&arena, &a, &b) == NULL);
    arena_release(&arena);
}

TEST(writing_adds_points_of_one_time_on_request)
{
    static struct kept kept;
    static struct chunks chunks;
    struct batch *a =
        points_batch(1, true, "n", 1, UINT64_C(7200000000000), 10, 2);
    const struct point *points[20];

    for (int i = 0; i < 20; i++)
        points[i] = &a->points[i % 10];
    write_points(&chunks, points, 20, true);
    CHECK_EQ(read_chunks(&chunks, &kept, &everything), OK);
    CHECK_EQ(kept.count, 10);
    for (uint32_t i = 0; i < kept.count; i++)
        CHECK_EQ(kept.at[i]->i, 4);
    arena_release(&kept.arena);
    arena_release(&chunks.arena);
    batch_free(a);
}

TEST(exemplars_keep_the_slowest_of_both_kinds)
{
    struct arena arena;
    struct attr error = {
        .key = "error", .key_len = 5, .type = VALUE_BOOL, .b = true};
    struct exemplar ea[4] = {{.value = 1},
                             {.value = 9},
                             {.value = 2, .attrs = {&error, 1, 0}},
                             {.value = 3, .attrs = {&error, 1, 0}}};
    struct exemplar eb[3] = {
        {.value = 8}, {.value = 5, .attrs = {&error, 1, 0}}, {.value = 4}};
    struct metric metric = {.type = METRIC_SUM, .temporality = DELTA};
    struct point a = {.metric = &metric,
                      .is_int = true,
                      .exemplars = ea,
                      .exemplar_count = 4};
    struct point b = {.metric = &metric,
                      .is_int = true,
                      .exemplars = eb,
                      .exemplar_count = 3};

    arena_init(&arena, NULL, SIZE_MAX);
    const struct point *sum = point_add(&arena, &a, &b);
    if (CHECK(sum && sum->exemplar_count == 4)) {
        CHECK(sum->exemplars[0].value == 9);
        CHECK(sum->exemplars[1].value == 8);
        CHECK(sum->exemplars[2].value == 5);
        CHECK(sum->exemplars[3].value == 3);
    }
    arena_release(&arena);
}
