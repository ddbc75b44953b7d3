/*
 * Files of tests/golden/blocks/vN stay readable for ever:
 *
 *   NAME.blk   a block, or NAME.chunk, a chunk of metric points, with its tails
 *              in NAME.tails
 *   NAME.sum   the summary of a block
 *   NAME.txt   what is in it, a line per record
 *
 * Every folder there is gets read; only the one of the version that is written
 * today is made anew, by `make golden` (GOLDEN=write in the environment, and a
 * fixed SEED), and review reads the difference. A change of the format that
 * makes an old file unreadable, or readable as something else, fails here.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "block.h"
#include "random_records.h"
#include "series.h"
#include "test.h"

#define GOLDEN  "tests/golden/blocks"
#define CURRENT GOLDEN "/v4"

enum { RECORDS = 200, RESOURCE = 7, PATH_SIZE = 300 };

/* ---- records as text ---- */

static void show_text(struct buf *out, struct slice text)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];

        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            buf_format(out, "\\x%02x", c);
        else
            buf_byte(out, (char)c);
    }
    buf_byte(out, '"');
}

static void show_id(struct buf *out, const uint8_t *id, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_format(out, "%02x", id[i]);
}

static void show_items(struct buf *out, const struct attr *items,
                       uint32_t count);

/* Doubles by their bits: text would lose NaNs and zeros' signs. */
static void show_double(struct buf *out, double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    buf_format(out, "d%016" PRIx64, bits);
}

static void show_value(struct buf *out, const struct attr *value)
{
    switch (value->type) {
    case VALUE_STRING:
        show_text(out, (struct slice){value->str, value->len});
        break;
    case VALUE_BYTES:
        buf_byte(out, 'b');
        show_text(out, (struct slice){value->str, value->len});
        break;
    case VALUE_BOOL:
        buf_format(out, "%s", value->b ? "true" : "false");
        break;
    case VALUE_INT:
        buf_format(out, "%" PRId64, value->i);
        break;
    case VALUE_DOUBLE:
        show_double(out, value->d);
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        buf_byte(out, value->type == VALUE_MAP ? 'm' : 'a');
        show_items(out, value->items, value->len);
        break;
    default:
        buf_byte(out, '-');
    }
}

static void show_items(struct buf *out, const struct attr *items,
                       uint32_t count)
{
    buf_byte(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        show_text(out, attr_key(&items[i]));
        buf_byte(out, '=');
        show_value(out, &items[i]);
        buf_byte(out, i + 1 < count ? ' ' : '}');
    }
    if (count == 0)
        buf_byte(out, '}');
}

static void show_attrs(struct buf *out, const struct attrs *attrs)
{
    show_items(out, attrs->at, attrs->count);
    buf_format(out, "-%" PRIu32, attrs->dropped);
}

static void show_scope(struct buf *out, const struct scope *scope)
{
    if (!scope) {
        buf_add(out, SLICE(" no scope"));
        return;
    }
    buf_add(out, SLICE(" scope "));
    show_text(out, scope->name);
    show_text(out, scope->version);
    show_text(out, scope->schema_url);
    show_attrs(out, &scope->attrs);
}

static void show_span(struct buf *out, const struct span *span)
{
    const struct slice texts[] = {span->name, span->operation, span->endpoint,
                                  span->status_message, span->trace_state};

    show_id(out, span->trace_id, 16);
    buf_byte(out, ' ');
    show_id(out, span->span_id, 8);
    buf_byte(out, ' ');
    show_id(out, span->parent_span_id, 8);
    buf_format(out, " %" PRIu64 "..%" PRIu64 " %u %u %u %u %u %u %u",
               span->start_ns, span->end_ns, span->kind, span->status,
               span->corrected, span->flags, span->resource_id,
               span->dropped_events, span->dropped_links);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        show_text(out, texts[i]);
    show_attrs(out, &span->attrs);
    show_scope(out, span->scope);
    for (uint32_t i = 0; i < span->event_count; i++) {
        buf_format(out, " event %" PRIu64, span->events[i].time_ns);
        show_text(out, span->events[i].name);
        show_attrs(out, &span->events[i].attrs);
    }
    for (uint32_t i = 0; i < span->link_count; i++) {
        buf_format(out, " link %" PRIu32 " ", span->links[i].flags);
        show_id(out, span->links[i].trace_id, 16);
        show_id(out, span->links[i].span_id, 8);
        show_text(out, span->links[i].trace_state);
        show_attrs(out, &span->links[i].attrs);
    }
    buf_byte(out, '\n');
}

static void show_log(struct buf *out, const struct log_record *log)
{
    buf_format(out, "%" PRIu64 " %" PRIu64 " %u %u %u %u %u %d ", log->time_ns,
               log->observed_ns, log->severity, log->level, log->corrected,
               log->flags, log->resource_id, log->is_event);
    show_id(out, log->trace_id, 16);
    buf_byte(out, ' ');
    show_id(out, log->span_id, 8);
    show_text(out, log->severity_text);
    show_text(out, log->event_name);
    show_attrs(out, &log->attrs);
    show_scope(out, log->scope);
    buf_byte(out, ' ');
    show_value(out, &log->body);
    buf_byte(out, '\n');
}

static void show_doubles(struct buf *out, const double *at, uint32_t count)
{
    for (uint32_t i = 0; at && i < count; i++) {
        buf_byte(out, ' ');
        show_double(out, at[i]);
    }
}

static void show_counts(struct buf *out, const uint64_t *at, uint32_t count)
{
    for (uint32_t i = 0; at && i < count; i++)
        buf_format(out, " %" PRIu64, at[i]);
}

static void show_histogram(struct buf *out, const struct histogram *h, int type)
{
    const double has[] = {h->has_sum ? h->sum : 0, h->has_min ? h->min : 0,
                          h->has_max ? h->max : 0};

    buf_format(out, "%" PRIu64 " %d%d%d", h->count, h->has_sum, h->has_min,
               h->has_max);
    show_doubles(out, has, 3);
    if (type == METRIC_EXP_HISTOGRAM) {
        buf_format(out, " scale %" PRId32 " zero %" PRIu64 " %" PRId32 ":",
                   h->scale, h->zero_count, h->positive.offset);
        show_counts(out, h->positive.counts, h->positive.count);
        buf_format(out, " %" PRId32 ":", h->negative.offset);
        show_counts(out, h->negative.counts, h->negative.count);
        return;
    }
    show_doubles(out, h->bounds, h->bound_count);
    if (type == METRIC_SUMMARY)
        show_doubles(out, h->values, h->bound_count);
    else
        show_counts(out, h->counts, h->bound_count + 1);
}

static void show_point(void *arg, const struct point *point)
{
    const struct metric *metric = point->metric;
    struct buf *out = arg;

    show_text(out, metric->name);
    show_text(out, metric->unit);
    show_text(out, metric->description);
    buf_format(out, " %u %u %d %u", metric->type, metric->temporality,
               metric->monotonic, point->resource_id);
    show_scope(out, metric->scope);
    show_attrs(out, &point->attrs);
    buf_format(out, " %" PRIu64 "..%" PRIu64 " %u %u ", point->start_ns,
               point->time_ns, point->flags, point->corrected);
    if (metric->type != METRIC_GAUGE && metric->type != METRIC_SUM)
        show_histogram(out, point->histogram, metric->type);
    else if (point->is_int)
        buf_format(out, "%" PRId64, point->i);
    else
        show_double(out, point->d);
    for (uint32_t i = 0; i < point->exemplar_count; i++) {
        const struct exemplar *e = &point->exemplars[i];

        buf_format(out, " exemplar %" PRIu64 " ", e->time_ns);
        show_id(out, e->trace_id, 16);
        show_id(out, e->span_id, 8);
        show_double(out, e->value);
        show_attrs(out, &e->attrs);
    }
    buf_byte(out, '\n');
}

/* ---- files ---- */

static bool writing(void)
{
    const char *golden = getenv("GOLDEN");

    return golden && strcmp(golden, "write") == 0;
}

static bool read_file(const char *path, struct buf *bytes)
{
    FILE *file = fopen(path, "rb");
    char part[4096];
    size_t len;

    if (!file)
        return false;
    while ((len = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(bytes, (struct slice){part, len});
    fclose(file);
    return true;
}

static void write_file(const char *name, struct slice bytes)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "%s/%s", CURRENT, name);
    FILE *file = fopen(path, "wb");
    if (!CHECK(file))
        return;
    CHECK_EQ(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    fclose(file);
}

static void compare(const char *path, struct slice got, struct slice want)
{
    size_t at = 0, line = 1;

    while (at < got.len && at < want.len && got.ptr[at] == want.ptr[at])
        line += got.ptr[at++] == '\n';
    if (!CHECK(slice_equal(got, want)))
        printf("# %s: line %zu differs\n", path, line);
}

/* ---- reading ---- */

static void check_span_summary(struct block *block, struct slice summary)
{
    uint64_t counts[LEVEL_COUNT];

    CHECK(summary_counts(summary, NULL, counts));
    CHECK_EQ(counts[0], block_count(block));
    for (uint32_t row = 0; row < block_count(block); row++) {
        struct span span;

        CHECK_EQ(block_read_span(block, row, false, &span), OK);
        CHECK(summary_may_have_trace(summary, span.trace_id));
    }
}

static void check_log_summary(struct block *block, struct slice summary)
{
    uint64_t counts[LEVEL_COUNT], all = 0;

    CHECK(summary_counts(summary, NULL, counts));
    for (int level = 0; level < LEVEL_COUNT; level++)
        all += counts[level];
    CHECK_EQ(all, block_count(block));
    for (uint32_t row = 0; row < block_count(block); row++) {
        struct log_record log;

        CHECK_EQ(block_read_log(block, row, &log), OK);
        if (!id_is_zero(log.trace_id, 16))
            CHECK(summary_may_have_trace(summary, log.trace_id));
        if (log.body.type == VALUE_STRING)
            CHECK(summary_may_have_phrase(summary, attr_text(&log.body)));
    }
}

static void show_block(struct slice bytes, struct slice summary, bool spans,
                       struct buf *out)
{
    struct arena arena;
    struct block *block = NULL;

    arena_init(&arena, NULL, SIZE_MAX);
    if (CHECK_EQ(block_open(&block, bytes, &arena), OK)) {
        if (spans)
            check_span_summary(block, summary);
        else
            check_log_summary(block, summary);
        for (uint32_t row = 0; row < block_count(block); row++) {
            struct span span;
            struct log_record log;

            if (spans && CHECK_EQ(block_read_span(block, row, true, &span), OK))
                show_span(out, &span);
            else if (!spans && CHECK_EQ(block_read_log(block, row, &log), OK))
                show_log(out, &log);
        }
    }
    arena_release(&arena);
}

static void show_chunk(const struct chunk_bytes *chunk, struct buf *out)
{
    const struct series_query all = {.end_ns = UINT64_MAX};
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_EQ(series_read(chunk, RESOURCE, &all, &arena, show_point, out), OK);
    arena_release(&arena);
}

/* One file of a folder against the text beside it. */
static void check_file(const char *folder, const char *name)
{
    char stem[2 * PATH_SIZE], path[2 * PATH_SIZE + 8];
    struct buf bytes, summary, want, got;

    buf_init(&bytes, SIZE_MAX);
    buf_init(&summary, SIZE_MAX);
    buf_init(&want, SIZE_MAX);
    buf_init(&got, SIZE_MAX);
    snprintf(stem, sizeof(stem), "%s/%.*s", folder, (int)strcspn(name, "."),
             name);
    snprintf(path, sizeof(path), "%s.txt", stem);
    CHECK(read_file(path, &want));
    snprintf(path, sizeof(path), "%s%s", stem, strchr(name, '.'));
    CHECK(read_file(path, &bytes));
    if (strcmp(strchr(name, '.'), ".chunk") == 0) {
        snprintf(path, sizeof(path), "%s.tails", stem);
        (void)read_file(path, &summary); /* only since version 3 of chunks */
        show_chunk(&(struct chunk_bytes){.bytes = buf_slice(&bytes),
                                         .tails = buf_slice(&summary)},
                   &got);
    } else {
        snprintf(path, sizeof(path), "%s.sum", stem);
        CHECK(read_file(path, &summary));
        show_block(buf_slice(&bytes), buf_slice(&summary),
                   strncmp(name, "spans", 5) == 0, &got);
    }
    CHECK_EQ(got.status, OK);
    CHECK(got.len > 0);
    compare(stem, buf_slice(&got), buf_slice(&want));
    buf_release(&bytes);
    buf_release(&summary);
    buf_release(&want);
    buf_release(&got);
}

/* ---- writing ---- */

static void write_block(bool spans)
{
    struct block_writer *writer = block_writer_new();
    struct block_meta meta;
    struct arena arena;
    struct buf bytes, summary, text;
    static struct span span[RECORDS];
    static struct log_record log[RECORDS];
    const struct span *span_at[RECORDS];
    const struct log_record *log_at[RECORDS];

    arena_init(&arena, NULL, SIZE_MAX);
    buf_init(&bytes, SIZE_MAX);
    buf_init(&summary, SIZE_MAX);
    buf_init(&text, SIZE_MAX);
    for (uint32_t i = 0; i < RECORDS; i++) {
        random_span(&arena, &span[i], 30);
        random_log(&arena, &log[i]);
        span_at[i] = &span[i];
        log_at[i] = &log[i];
    }
    CHECK_EQ(spans ? block_write_spans(writer, span_at, RECORDS, &bytes,
                                       &summary, &meta)
                   : block_write_logs(writer, log_at, RECORDS, &bytes, &summary,
                                      &meta),
             OK);
    for (uint32_t i = 0; i < RECORDS; i++) {
        if (spans)
            show_span(&text, span_at[i]);
        else
            show_log(&text, log_at[i]);
    }
    write_file(spans ? "spans.blk" : "logs.blk", buf_slice(&bytes));
    write_file(spans ? "spans.sum" : "logs.sum", buf_slice(&summary));
    write_file(spans ? "spans.txt" : "logs.txt", buf_slice(&text));
    buf_release(&bytes);
    buf_release(&summary);
    buf_release(&text);
    arena_release(&arena);
    block_writer_free(writer);
}

static const struct histogram *random_histogram(struct arena *arena, int type)
{
    static const double bounds[] = {0.005, 0.1, 2.5}, values[] = {1, 2, 3e9};
    struct histogram *h = arena_zero(arena, 1, sizeof(*h));
    uint64_t *counts = arena_zero(arena, 8, sizeof(*counts));

    for (uint32_t i = 0; i < 8; i++) {
        counts[i] = test_random(3) ? test_random(50) : 0;
        h->count += counts[i];
    }
    h->has_sum = h->has_max = true;
    h->has_min = test_random(2);
    h->sum = test_random(1000) / 8.0;
    h->min = h->has_min ? 0.25 : 0;
    h->max = 12.5;
    if (type == METRIC_EXP_HISTOGRAM) {
        h->scale = 3;
        h->zero_count = test_random(3);
        h->positive = (struct exp_buckets){counts, 8, -20};
        h->negative = (struct exp_buckets){counts, test_random(2) * 3, 4};
        if (h->negative.count == 0)
            h->negative = (struct exp_buckets){0};
        return h;
    }
    h->bounds = bounds;
    h->bound_count = 3;
    if (type == METRIC_SUMMARY)
        h->values = values;
    else if (test_random(5))
        h->counts = counts;
    return h;
}

static void random_exemplar(struct arena *arena, struct point *point)
{
    struct exemplar *e = arena_zero(arena, 1, sizeof(*e));

    e->time_ns = point->time_ns - test_random(1000);
    random_id(e->trace_id, 16, 50);
    random_id(e->span_id, 8, 50);
    e->value = 0.125;
    e->attrs = random_attrs(arena, 2);
    point->exemplars = e;
    point->exemplar_count = 1;
}

/* Forty points each of five metrics, all of one resource and hour. */
static void make_points(struct arena *arena, struct point *points)
{
    const uint64_t hour = UINT64_C(472222) * 3600 * 1000000000;
    static const char *const names[] = {"memory", "requests", "duration",
                                        "latency", "quantiles"};
    struct metric *metrics = arena_zero(arena, 5, sizeof(*metrics));

    for (uint8_t type = 0; type < 5; type++)
        metrics[type] =
            (struct metric){.name = slice_of(names[type]),
                            .unit = SLICE("s"),
                            .description = type ? SLICE("") : SLICE("A gauge."),
                            .type = type,
                            .temporality = type == METRIC_SUM ? CUMULATIVE
                                           : type >= METRIC_HISTOGRAM ? DELTA
                                                                      : 0,
                            .monotonic = type == METRIC_SUM,
                            .scope = type == 1 ? random_scope(arena) : NULL};
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct point *point = &points[i];
        const struct metric *metric = &metrics[i % 5];
        uint64_t at = hour + i * UINT64_C(15000000000);

        *point = (struct point){.metric = metric,
                                .resource_id = RESOURCE,
                                .time_ns = at + (test_random(9) ? 0 : 1),
                                .start_ns = i % 5 == 1 ? hour - 77 : at - 60,
                                .corrected = test_random(9) == 0,
                                .flags = test_random(9) ? 0 : POINT_NO_VALUE};
        if (metric->type >= METRIC_HISTOGRAM) {
            point->histogram = random_histogram(arena, metric->type);
        } else if (i % 5 == 1 || test_random(3)) {
            point->is_int = true;
            point->i = (int64_t)i * 1000 - 7;
        } else {
            point->d = i / 4.0;
        }
        if (test_random(5) == 0)
            random_exemplar(arena, point);
    }
}

static enum status write_chunk(void *arg, const struct chunk *chunk)
{
    struct buf *text = arg;

    CHECK_EQ(chunk->count, RECORDS);
    CHECK_EQ(chunk->resource, RESOURCE);
    write_file("metrics.chunk", chunk->bytes);
    write_file("metrics.tails", chunk->tails);
    show_chunk(
        &(struct chunk_bytes){.bytes = chunk->bytes, .tails = chunk->tails},
        text);
    return OK;
}

static int compare_lines(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;

    return slice_compare(*x, *y);
}

/* The lines of a text, sorted: a chunk has an order of its own. */
static uint32_t sort_lines(struct slice text, struct slice lines[RECORDS])
{
    uint32_t count = 0;

    while (text.len > 0 && count < RECORDS) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) + 1 : text.len;

        lines[count++] = (struct slice){text.ptr, len};
        text = slice_from(text, len);
    }
    qsort(lines, count, sizeof(*lines), compare_lines);
    return count;
}

static void write_points(void)
{
    struct series_writer *writer = series_writer_new();
    static struct point points[RECORDS];
    const struct point *at[RECORDS];
    struct slice sent[RECORDS], stored[RECORDS];
    struct arena arena;
    struct buf text, direct;

    arena_init(&arena, NULL, SIZE_MAX);
    buf_init(&text, SIZE_MAX);
    buf_init(&direct, SIZE_MAX);
    make_points(&arena, points);
    for (uint32_t i = 0; i < RECORDS; i++) {
        at[i] = &points[i];
        show_point(&direct, at[i]);
    }
    CHECK_EQ(series_write(writer, at, RECORDS, false, write_chunk, &text), OK);
    CHECK_EQ(sort_lines(buf_slice(&direct), sent), RECORDS);
    CHECK_EQ(sort_lines(buf_slice(&text), stored), RECORDS);
    for (uint32_t i = 0; i < RECORDS; i++)
        if (!CHECK(slice_equal(sent[i], stored[i])))
            break;
    write_file("metrics.txt", buf_slice(&text));
    buf_release(&text);
    buf_release(&direct);
    arena_release(&arena);
    series_writer_free(writer);
}

/* ---- tests; writing, where it is asked for, comes before reading ---- */

TEST(golden_files_are_made)
{
    if (!writing())
        return;
    mkdir("tests/golden", 0777);
    mkdir(GOLDEN, 0777);
    mkdir(CURRENT, 0777);
    write_block(true);
    write_block(false);
    write_points();
}

static uint32_t check_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *file;
    uint32_t count = 0;

    while (dir && (file = readdir(dir)) != NULL) {
        const char *end = strchr(file->d_name, '.');

        if (file->d_name[0] == '.' || !end ||
            (strcmp(end, ".blk") != 0 && strcmp(end, ".chunk") != 0))
            continue;
        check_file(folder, file->d_name);
        count++;
    }
    if (dir)
        closedir(dir);
    return count;
}

TEST(golden_files_of_every_version_are_read)
{
    DIR *dir = opendir(GOLDEN);
    struct dirent *version;
    uint32_t folders = 0;

    if (!CHECK(dir)) {
        printf("# to be run in the top folder\n");
        return;
    }
    while ((version = readdir(dir)) != NULL) {
        char folder[PATH_SIZE];

        if (version->d_name[0] != 'v')
            continue;
        snprintf(folder, sizeof(folder), "%s/%.100s", GOLDEN, version->d_name);
        CHECK(check_folder(folder) >= 3);
        folders++;
    }
    closedir(dir);
    CHECK(folders >= 1);
}

/* What is written today has the version of the newest folder, so that nobody
 * changes the format without seeing this test. */
TEST(golden_version_is_the_one_written)
{
    struct block_writer *writer = block_writer_new();
    struct block_meta meta;
    struct buf bytes, summary;

    buf_init(&bytes, SIZE_MAX);
    buf_init(&summary, SIZE_MAX);
    CHECK_EQ(block_write_spans(writer, NULL, 0, &bytes, &summary, &meta), OK);
    CHECK(bytes.len > 5 && bytes.ptr[4] == 1);
    CHECK(summary.len > 5 && summary.ptr[4] == 2);
    buf_release(&bytes);
    buf_release(&summary);
    block_writer_free(writer);
}
