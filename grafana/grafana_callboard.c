/*
 * Callboard's own health: the counters of stats.h over the last hours. In: a
 * query. Out: a wide frame, a field for each row.
 *
 * A sample is taken twice a minute, of counters how much they grew; the oldest
 * are overwritten. Nothing is stored: after a restart the history begins anew.
 */
#include <pthread.h>

#include "clock.h"
#include "grafana.h"
#include "grafana_handlers.h"
#include "grafana_query.h"
#include "stats.h"

enum { SAMPLES = 480 }; /* four hours: 250 KiB, touched as they fill */
#define SAMPLE_NS (30 * NS_PER_S)

enum { ROW_COUNTER, ROW_GAUGE };

static const struct stats_row {
    const char *name, *label;
    int type;
} stats_rows[] = {
#define COUNTER                                ROW_COUNTER
#define GAUGE                                  ROW_GAUGE
#define STATS_ROW(id, type, name, label, help) {name, label, type},
    STATS_TABLE(STATS_ROW)
#undef STATS_ROW
#undef COUNTER
#undef GAUGE
};

static struct {
    pthread_mutex_t lock;
    uint64_t time_ns[SAMPLES]; /* the end of each */
    float value[SAMPLES][STATS_COUNT];
    uint64_t last[STATS_COUNT];
    uint64_t count; /* taken so far */
} history = {.lock = PTHREAD_MUTEX_INITIALIZER};

void grafana_tick(uint64_t now_ns)
{
    uint64_t count = history.count; /* written by this thread alone */
    uint32_t at = (uint32_t)(count % SAMPLES);

    if (count > 0 &&
        now_ns < history.time_ns[(count - 1) % SAMPLES] + SAMPLE_NS)
        return;
    pthread_mutex_lock(&history.lock);
    for (uint32_t i = 0; i < STATS_COUNT; i++) {
        uint64_t value = stats_get((enum stats_id)i);
        uint64_t grown = value - history.last[i];

        history.value[at][i] =
            (float)(stats_rows[i].type == ROW_GAUGE ? value : grown);
        history.last[i] = value;
    }
    history.time_ns[at] = now_ns;
    history.count++;
    pthread_mutex_unlock(&history.lock);
}

/* ---- which rows ---- */

/* "" : the rows that tell most. */
static const char *const standard[] = {
    "records_accepted_total", "records_rejected_total",
    "requests_refused_total", "ingest_lag_seconds",
    "ingest_memory_bytes",    "journal_bytes",
    "memtable_bytes",         "store_bytes",
    "queries_total",          NULL};

static bool is_asked(const struct stats_row *row, const struct slice *asked,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct slice name = asked[i];

        if (slice_starts(name, SLICE("callboard_")))
            name = slice_from(name, 10);
        if (slice_equal(name, slice_of(row->name)) ||
            slice_equal(name, SLICE("all")))
            return true;
    }
    for (int i = 0; count == 0 && standard[i]; i++)
        if (strcmp(standard[i], row->name) == 0)
            return true;
    return false;
}

static const char *unit_of(const struct stats_row *row)
{
    struct slice name = slice_of(row->name);
    bool counter = row->type == ROW_COUNTER;

    if (slice_ends(name, SLICE("bytes")))
        return "bytes";
    if (slice_ends(name, SLICE("bytes_total")))
        return "Bps";
    if (slice_ends(name, SLICE("seconds")))
        return "s";
    return counter ? "cps" : "short";
}

/* ---- the frame ---- */

struct own_samples {
    uint64_t first, count; /* in the range */
    uint32_t stride;       /* samples of one point */
};

static struct own_samples find_samples(const struct grafana_query *q)
{
    struct own_samples s = {
        .first = history.count > SAMPLES ? history.count - SAMPLES : 0};
    uint64_t last = history.count;

    while (s.first < last && history.time_ns[s.first % SAMPLES] < q->start_ns)
        s.first++;
    while (last > s.first && history.time_ns[(last - 1) % SAMPLES] > q->end_ns)
        last--;
    s.count = last - s.first;
    s.stride = (uint32_t)(s.count / q->max_points + 1);
    return s;
}

/* Of the samples of one point: a counter's growth per second, the last value of
 * a gauge. The first sample of all has what was counted before. */
static double point_of(uint32_t row, uint64_t from, uint64_t to)
{
    double grown = 0, seconds = 0;

    if (stats_rows[row].type == ROW_GAUGE)
        return history.value[(to - 1) % SAMPLES][row];
    for (uint64_t i = from; i < to; i++)
        if (i > 0 &&
            history.time_ns[(i - 1) % SAMPLES] < history.time_ns[i % SAMPLES]) {
            grown += history.value[i % SAMPLES][row];
            seconds += (double)(history.time_ns[i % SAMPLES] -
                                history.time_ns[(i - 1) % SAMPLES]) /
                       (double)NS_PER_S;
        }
    return seconds > 0 ? grown / seconds : (double)0;
}

/* "requests refused" of requests_refused_total. */
static struct slice words_of(struct arena *arena, const char *name)
{
    struct slice words = slice_of(name);
    char *to;

    if (slice_ends(words, SLICE("_total")))
        words.len -= 6;
    to = arena_alloc(arena, words.len);
    for (size_t i = 0; to && i < words.len; i++)
        to[i] = (char)(words.ptr[i] == '_' ? ' ' : words.ptr[i]);
    return (struct slice){to, to ? words.len : 0};
}

/* People read the values of labels, after the name if there are several. */
static void add_labels(struct arena *arena, struct grafana_field *field,
                       const char *labels, bool one_name)
{
    struct slice name = words_of(arena, field->name);
    struct slice rest = slice_of(labels), title = {NULL, 0};

    while (rest.len > 0) { /* signal="traces",transport="http" */
        struct slice value = slice_split(&rest, ',');
        struct slice key = slice_split(&value, '=');

        value = slice_trim(value, "\"");
        field_label(field, grafana_cstr(arena, key), value);
        title = arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(title),
                             title.len ? " " : "", SLICE_ARGS(value));
    }
    if (title.len == 0)
        field->display_name = name;
    else if (one_name)
        field->display_name = title;
    else
        field->display_name = arena_format(arena, "%.*s: %.*s",
                                           SLICE_ARGS(name), SLICE_ARGS(title));
}

static void add_row(struct grafana_query *q, struct grafana_frame *frame,
                    const struct own_samples *s, uint32_t row,
                    const char *labels, bool one_name)
{
    struct grafana_field *field =
        frame_field(frame, stats_rows[row].name, FIELD_NUMBER);
    uint32_t at = 0;

    if (!field)
        return;
    field->unit = unit_of(&stats_rows[row]);
    add_labels(q->request->arena, field, labels, one_name);
    for (uint64_t i = 0; i < s->count; i += s->stride, at++) {
        uint64_t to = i + s->stride < s->count ? i + s->stride : s->count;

        field_number_at(field, at, point_of(row, s->first + i, s->first + to));
    }
}

/* A counter that has not counted yet. */
static bool is_idle(uint32_t id)
{
    return stats_rows[id].type == ROW_COUNTER &&
           stats_get((enum stats_id)id) == 0;
}

/* The rows of a counter follow each other. */
static bool same_name(uint32_t a, uint32_t b)
{
    return strcmp(stats_rows[a].name, stats_rows[b].name) == 0;
}

/* Of a counter with labels the rows that have counted; if none has, the first
 * one without its label, so that one sees a 0. Returns how many. */
static uint32_t add_counter(struct grafana_query *q,
                            struct grafana_frame *frame,
                            const struct own_samples *s, uint32_t first,
                            bool one_name)
{
    uint32_t added = 0;

    for (uint32_t i = first; i < STATS_COUNT && same_name(i, first); i++)
        if (!is_idle(i)) {
            add_row(q, frame, s, i, stats_rows[i].label, one_name);
            added++;
        }
    if (added == 0)
        add_row(q, frame, s, first, "", one_name);
    return added ? added : 1;
}

static void fill(struct grafana_query *q, struct grafana_frame *frame)
{
    struct grafana_field *time = frame_field(frame, "time", FIELD_TIME);
    struct own_samples s = find_samples(q);
    uint32_t count, rows = 0, at = 0;
    const struct slice *asked = payload_texts(q, "counter", &count);

    frame_rows(frame, (uint32_t)((s.count + s.stride - 1) / s.stride));
    for (uint64_t i = 0; i < s.count; i += s.stride, at++) {
        uint64_t to = i + s.stride < s.count ? i + s.stride : s.count;

        field_time_at(time, at, history.time_ns[(s.first + to - 1) % SAMPLES]);
    }
    for (uint32_t i = 0; i < STATS_COUNT; i++)
        if (is_asked(&stats_rows[i], asked, count) &&
            (i == 0 || !same_name(i, i - 1)))
            rows += add_counter(q, frame, &s, i, count == 1);
    if (rows == 0)
        frame_notice(frame, NOTICE_WARNING,
                     "there is no such counter; GET /metrics lists them");
    else if (s.count == 0)
        frame_notice(frame, NOTICE_INFO,
                     "there are samples of the last four hours only, since the "
                     "server started");
}

enum status grafana_callboard(struct grafana_query *q)
{
    struct grafana_frame *frame = query_frame(q, SLICE("callboard"));

    if (!frame)
        return OK; /* the arena is full */
    frame->type = "timeseries-wide";
    frame->visual = "graph";
    pthread_mutex_lock(&history.lock);
    fill(q, frame);
    pthread_mutex_unlock(&history.lock);
    return OK;
}
