/*
 * The answer of query and query_range. In: the result of an expression, in the
 * arena of the request. Out: pieces of JSON, each point [time,"value"].
 *
 * A matrix has millions of points: times are formatted once for all series, and
 * points are written in batches that fit into the buffer for certain.
 */
#include <math.h>

#include "api.h"
#include "clock.h"
#include "decimal.h"

enum {
    BATCH = 256,
    POINT_MAX = 32 + DECIMAL_TEXT + 4, /* a time, a value and what is between */
};

/* [1795253952.1," */
struct point_begin {
    char text[31];
    uint8_t len;
};

enum stage { HEAD, SERIES, FLOATS, HISTOGRAMS, TAIL, END };

struct answer {
    struct promql_result result;
    struct promql_time time;
    struct api_stats stats;
    struct point_begin *steps; /* of a range query */
    enum stage stage;
    uint32_t series, point; /* the next ones */
    bool any_series, any_point;
};

/* A series of any kind of result. */
struct points {
    const struct promql_labels *labels;
    uint32_t count;
    const int64_t *times; /* NULL: the steps */
    const double *values;
    const struct promql_histogram *const *histograms;
};

static bool is_range(const struct answer *answer)
{
    return answer->steps != NULL;
}

static struct points points_of(const struct answer *answer, uint32_t i)
{
    if (answer->result.samples) {
        const struct promql_series *s = &answer->result.samples[i];

        return (struct points){&s->labels, s->count, s->times, s->values,
                               s->histograms};
    }
    const struct promql_result_series *s = &answer->result.series[i];

    return (struct points){&s->labels, promql_steps(&answer->time), NULL,
                           s->values, s->histograms};
}

static bool is_histogram(const struct points *points, uint32_t i)
{
    return points->histograms && points->histograms[i];
}

static bool is_float(const struct points *points, uint32_t i)
{
    return !is_histogram(points, i) && !promql_is_absent(points->values[i]) &&
           !promql_is_stale(points->values[i]);
}

/* ---- points ---- */

static struct point_begin begin_point(int64_t ms)
{
    struct point_begin begin = {.text = "["};
    size_t len = 1 + api_format_time(begin.text + 1, ms);

    begin.text[len++] = ',';
    begin.text[len++] = '"';
    begin.len = (uint8_t)len;
    return begin;
}

static char *copy(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

static char *format_value(char *to, double v)
{
    if (isfinite(v))
        return to + decimal_format(to, v);
    return isnan(v) ? copy(to, "NaN", 3) : copy(to, v > 0 ? "+Inf" : "-Inf", 4);
}

static char *format_point(char *to, const struct point_begin *begin, double v)
{
    memcpy(to, begin->text, sizeof(begin->text)); /* more than is needed */
    to = format_value(to + begin->len, v);
    return copy(to, "\"]", 2);
}

/* The next batch of the floats of a series. True: those were all. */
static bool write_floats(struct answer *answer, const struct points *points,
                         struct buf *out)
{
    static const struct slice first = SLICE_INIT(",\"values\":[");
    uint32_t end = points->count - answer->point > BATCH ? answer->point + BATCH
                                                         : points->count;
    size_t room = (end - answer->point) * (size_t)POINT_MAX + first.len + 1;
    char *begin = buf_room(out, room), *at = begin;

    for (; begin && answer->point < end; answer->point++) {
        uint32_t i = answer->point;

        if (!is_float(points, i))
            continue;
        at = answer->any_point ? copy(at, ",", 1)
                               : copy(at, first.ptr, first.len);
        answer->any_point = true;
        if (points->times) {
            struct point_begin time = begin_point(points->times[i]);

            at = format_point(at, &time, points->values[i]);
        } else {
            at = format_point(at, &answer->steps[i], points->values[i]);
        }
    }
    if (!begin)
        return true; /* the buffer is full, which ends it all */
    if (end == points->count && answer->any_point)
        *at++ = ']';
    buf_grown(out, (size_t)(at - begin));
    return end == points->count;
}

static int64_t time_of(const struct answer *answer, const struct points *points,
                       uint32_t i)
{
    return points->times ? points->times[i]
                         : answer->time.start_ms + i * answer->time.step_ms;
}

static void write_histogram_point(struct jsonw *w, int64_t ms,
                                  const struct promql_histogram *histogram)
{
    jsonw_open(w, '[');
    api_write_time(w, ms);
    api_write_histogram(w, histogram);
    jsonw_close(w, ']');
}

/* The next histogram of a series. True: there is none. */
static bool write_histogram(struct answer *answer, const struct points *points,
                            struct buf *out)
{
    struct jsonw w;

    jsonw_init(&w, out);
    while (answer->point < points->count &&
           !is_histogram(points, answer->point))
        answer->point++;
    if (answer->point == points->count) {
        if (answer->any_point)
            buf_byte(out, ']');
        return true;
    }
    buf_add(out, answer->any_point ? SLICE(",") : SLICE(",\"histograms\":["));
    answer->any_point = true;
    write_histogram_point(&w, time_of(answer, points, answer->point),
                          points->histograms[answer->point]);
    answer->point++;
    return false;
}

/* ---- series ---- */

static bool has_points(const struct points *points)
{
    for (uint32_t i = 0; i < points->count; i++)
        if (is_histogram(points, i) || is_float(points, i))
            return true;
    return false;
}

/* Of an instant query. */
static void write_sample(struct jsonw *w, int64_t ms,
                         const struct points *points)
{
    if (is_histogram(points, 0)) {
        jsonw_name(w, "histogram");
        write_histogram_point(w, ms, points->histograms[0]);
        return;
    }
    jsonw_name(w, "value");
    jsonw_open(w, '[');
    api_write_time(w, ms);
    api_write_value(w, points->values[0]);
    jsonw_close(w, ']');
}

static void begin_series(struct answer *answer, struct buf *out)
{
    struct points points;
    struct jsonw w;

    if (answer->series == answer->result.count) {
        answer->stage = TAIL;
        return;
    }
    points = points_of(answer, answer->series);
    if (!has_points(&points)) {
        answer->series++;
        return;
    }
    jsonw_init(&w, out);
    w.comma = answer->any_series;
    answer->any_series = true;
    jsonw_open(&w, '{');
    jsonw_name(&w, "metric");
    api_write_labels(&w, points.labels);
    if (is_range(answer) || points.times) {
        answer->point = 0;
        answer->any_point = false;
        answer->stage = FLOATS;
        return;
    }
    write_sample(&w, answer->time.start_ms, &points);
    jsonw_close(&w, '}');
    answer->series++;
}

static void write_points(struct answer *answer, struct buf *out)
{
    struct points points = points_of(answer, answer->series);

    if (answer->stage == FLOATS) {
        if (!write_floats(answer, &points, out))
            return;
        answer->point = points.histograms ? 0 : points.count;
        answer->any_point = false;
        answer->stage = HISTOGRAMS;
    } else if (write_histogram(answer, &points, out)) {
        buf_byte(out, '}');
        answer->series++;
        answer->stage = SERIES;
    }
}

/* ---- the whole ---- */

static const char *result_type(const struct answer *answer)
{
    static const char *const names[] = {
        [PROMQL_SCALAR] = "scalar",
        [PROMQL_STRING] = "string",
        [PROMQL_VECTOR] = "vector",
        [PROMQL_MATRIX] = "matrix",
    };

    return names[is_range(answer) ? PROMQL_MATRIX : answer->result.type];
}

/* Prometheus writes these two as other numbers: without zeros at the end of a
 * time, and no value with an exponent. */
static void write_scalar(struct answer *answer, struct jsonw *w)
{
    const struct promql_result *result = &answer->result;
    char text[DECIMAL_PLAIN];
    double v = result->count > 0 ? result->series[0].values[0] : (double)NAN;

    jsonw_double(w, (double)answer->time.start_ms / 1000);
    if (result->type == PROMQL_STRING)
        jsonw_text(w, result->string);
    else if (isfinite(v))
        jsonw_text(w, (struct slice){text, decimal_format_plain(text, v)});
    else
        api_write_value(w, v);
}

static void write_head(struct answer *answer, struct buf *out)
{
    struct jsonw w;
    bool single = !is_range(answer) && (answer->result.type == PROMQL_SCALAR ||
                                        answer->result.type == PROMQL_STRING);

    jsonw_init(&w, out);
    buf_format(out,
               "{\"status\":\"success\",\"data\":{\"resultType\":\"%s\","
               "\"result\":[",
               result_type(answer));
    if (single)
        write_scalar(answer, &w);
    answer->stage = single ? TAIL : SERIES;
}

static void write_stats(const struct api_stats *stats, struct jsonw *w)
{
    const double s = (double)NS_PER_S;
    const struct {
        const char *name;
        double seconds;
    } timings[] = {
        {"evalTotalTime", (double)stats->evaluated_ns / s},
        {"resultSortTime", 0},
        {"queryPreparationTime", (double)stats->parsed_ns / s},
        {"innerEvalTime", (double)stats->evaluated_ns / s},
        {"execQueueTime", 0},
        {"execTotalTime", (double)(stats->parsed_ns + stats->evaluated_ns) / s},
    };

    jsonw_name(w, "stats");
    jsonw_open(w, '{');
    jsonw_name(w, "timings");
    jsonw_open(w, '{');
    for (size_t i = 0; i < sizeof(timings) / sizeof(*timings); i++) {
        jsonw_name(w, timings[i].name);
        jsonw_double(w, timings[i].seconds);
    }
    jsonw_close(w, '}');
    jsonw_name(w, "samples");
    jsonw_open(w, '{');
    jsonw_name(w, "totalQueryableSamples");
    jsonw_uint(w, stats->samples);
    jsonw_name(w, "peakSamples");
    jsonw_uint(w, stats->samples);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

static void write_notes(struct jsonw *w, const char *name,
                        const char *const *notes, uint32_t count)
{
    if (count == 0)
        return;
    jsonw_name(w, name);
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < count; i++)
        jsonw_cstr(w, notes[i]);
    jsonw_close(w, ']');
}

static void write_tail(struct answer *answer, struct buf *out)
{
    const struct promql_result *result = &answer->result;
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_close(&w, ']');
    if (answer->stats.wanted)
        write_stats(&answer->stats, &w);
    jsonw_close(&w, '}');
    write_notes(&w, "warnings", result->warnings, result->warning_count);
    write_notes(&w, "infos", result->infos, result->info_count);
    jsonw_close(&w, '}');
    answer->stage = END;
}

static bool produce(void *arg, struct buf *out)
{
    struct answer *answer = arg;
    size_t end = out->len + QUERY_PIECE;

    while (answer->stage != END && out->len < end && out->status == OK)
        switch (answer->stage) {
        case HEAD:
            write_head(answer, out);
            break;
        case SERIES:
            begin_series(answer, out);
            break;
        case FLOATS:
        case HISTOGRAMS:
            write_points(answer, out);
            break;
        case TAIL:
        case END:
            write_tail(answer, out);
            break;
        }
    return answer->stage != END;
}

enum status api_answer_result(struct query_request *request,
                              const struct promql_result *result,
                              const struct promql_time *time,
                              const struct api_stats *stats)
{
    struct answer *answer = arena_zero(request->arena, 1, sizeof(*answer));
    uint32_t steps = time->step_ms > 0 ? promql_steps(time) : 0;

    if (answer && steps > 0)
        answer->steps =
            arena_alloc(request->arena, steps * sizeof(*answer->steps));
    if (!answer || (steps > 0 && !answer->steps))
        return arena_status(request->arena);
    answer->result = *result;
    answer->time = *time;
    answer->stats = *stats;
    for (uint32_t i = 0; i < steps; i++)
        answer->steps[i] = begin_point(time->start_ms + i * time->step_ms);
    request->produce = produce;
    request->produce_arg = answer;
    return OK;
}
