/*
 * `callboard metrics EXPR`: PromQL at one time, or with --since over a time: a
 * line of bars and the figures of each series.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli_request.h"
#include "cli_table.h"
#include "clock.h"
#include "sparkline.h"

enum { MAX_TEXT = 1 << 20, BARS = 40, POINTS = 120, MAX_POINTS = 11000 };

/* clang-format off */
static const struct cli_column instant[] = {
    {"SERIES", "series", FORMAT_TEXT, COLUMN_LONG},
    {"VALUE", "value", FORMAT_NUMBER, 0},
    {.head = NULL}};

static const struct cli_column ranges[] = {
    {"SERIES", "series", FORMAT_TEXT, COLUMN_LONG},
    {"OVER TIME", "bars", FORMAT_TEXT, 0},
    {"MIN", "min", FORMAT_NUMBER, 0},
    {"MEAN", "mean", FORMAT_NUMBER, 0},
    {"MAX", "max", FORMAT_NUMBER, 0},
    {"LAST", "last", FORMAT_NUMBER, 0},
    {.head = NULL}};

static const struct cli_column samples[] = {
    {"SERIES", "series", FORMAT_TEXT, COLUMN_LONG},
    {"TIME", "timestamp", FORMAT_MOMENT, 0},
    {"VALUE", "value", FORMAT_NUMBER, 0},
    {.head = NULL}};
/* clang-format on */

/* name{label="value"}, as PromQL would select it. */
static json_t *series_text(const json_t *metric)
{
    const char *name = cli_text(metric, "__name__"), *label;
    bool first = true;
    struct buf out;
    json_t *value, *text;

    buf_init(&out, MAX_TEXT);
    buf_add(&out, slice_of(name));
    json_object_foreach((json_t *)(uintptr_t)metric, label, value)
    {
        if (strcmp(label, "__name__") == 0)
            continue;
        buf_format(&out, "%s%s=\"", first ? "{" : ", ", label);
        buf_label(
            &out,
            slice_of(json_string_value(value) ? json_string_value(value) : ""));
        buf_byte(&out, '"');
        first = false;
    }
    buf_add(&out, !first ? SLICE("}") : name[0] ? SLICE("") : SLICE("{}"));
    text = json_stringn(out.ptr ? out.ptr : "", out.len);
    buf_release(&out);
    return text;
}

/* [time, "value"]. NaN and infinity are no numbers of JSON: their texts. */
static double sample_value(const json_t *pair)
{
    const char *text = json_string_value(json_array_get(pair, 1));

    return text ? strtod(text, NULL) : NAN;
}

static json_t *number_or_text(double value)
{
    if (isfinite(value))
        return json_real(value);
    return json_string(isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
}

static json_t *time_text(const json_t *pair)
{
    char text[CLOCK_TEXT];
    size_t len =
        clock_format_seconds(text, json_number_value(json_array_get(pair, 0)));

    return len > 0 ? json_stringn(text, len) : json_null();
}

/* ---- rows ---- */

static void add_sample(json_t *rows, json_t *series, const json_t *pair)
{
    json_t *row = json_object();

    json_object_set(row, "series", series);
    json_object_set_new(row, "timestamp", time_text(pair));
    json_object_set_new(row, "value", number_or_text(sample_value(pair)));
    json_array_append_new(rows, row);
}

/* A row per point: of CSV, and of one time. */
static json_t *rows_of_samples(const json_t *result)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < json_array_size(result); i++) {
        const json_t *one = json_array_get(result, i);
        const json_t *pair = json_object_get(one, "value");
        const json_t *pairs = json_object_get(one, "values");
        json_t *series = series_text(json_object_get(one, "metric"));

        if (pair)
            add_sample(rows, series, pair);
        for (size_t k = 0; k < json_array_size(pairs); k++)
            add_sample(rows, series, json_array_get(pairs, k));
        json_decref(series);
    }
    return rows;
}

/* The values on the grid of the query; NaN where there is no point. */
struct series_grid {
    double start, step;
    double values[MAX_POINTS];
    size_t count;
};

static void fill_grid(struct series_grid *grid, const json_t *pairs)
{
    for (size_t i = 0; i < grid->count; i++)
        grid->values[i] = NAN;
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *pair = json_array_get(pairs, i);
        double at = (json_number_value(json_array_get(pair, 0)) - grid->start) /
                    grid->step;

        if (at >= -0.5 && at < (double)grid->count - 0.5)
            grid->values[(size_t)lround(at)] = sample_value(pair);
    }
}

static json_t *bars_of(const struct series_grid *grid,
                       const struct term_look *look)
{
    struct term_look plain = {.ascii = look->ascii};
    struct term_line line;
    struct buf out;
    json_t *text;
    size_t width = grid->count < BARS ? grid->count : BARS;

    buf_init(&out, MAX_TEXT);
    line = term_begin(&out, &plain);
    sparkline_put(&line, grid->values, grid->count, (uint32_t)width,
                  SPARKLINE_FROM_ZERO);
    text = json_stringn(out.ptr ? out.ptr : "", out.len);
    buf_release(&out);
    return text;
}

static void set_figures(json_t *row, const struct series_grid *grid)
{
    double least = INFINITY, most = -INFINITY, sum = 0, last = NAN;
    size_t n = 0;

    for (size_t i = 0; i < grid->count; i++) {
        double v = grid->values[i];

        if (isnan(v))
            continue;
        least = fmin(least, v);
        most = fmax(most, v);
        sum += v;
        last = v;
        n++;
    }
    if (n == 0)
        return;
    json_object_set_new(row, "min", number_or_text(least));
    json_object_set_new(row, "mean", number_or_text(sum / (double)n));
    json_object_set_new(row, "max", number_or_text(most));
    json_object_set_new(row, "last", number_or_text(last));
}

static json_t *rows_of_ranges(const struct cli_call *call, const json_t *result,
                              struct series_grid *grid)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < json_array_size(result); i++) {
        const json_t *one = json_array_get(result, i);
        json_t *row = json_object();

        fill_grid(grid, json_object_get(one, "values"));
        json_object_set_new(row, "series",
                            series_text(json_object_get(one, "metric")));
        json_object_set_new(row, "bars", bars_of(grid, &call->screen.look));
        set_figures(row, grid);
        json_array_append_new(rows, row);
    }
    return rows;
}

/* ---- the request ---- */

/* False after a message. Without --step: so that there are POINTS. */
static bool choose_step(const struct cli_call *call, uint64_t *step)
{
    const char *text = call->given.of[OPT_STEP];
    uint64_t range = call->end_ns - call->start_ns;

    *step = range / POINTS / NS_PER_S * NS_PER_S;
    if (*step == 0)
        *step = NS_PER_S;
    if (text && (!clock_parse_duration_days(slice_of(text), step) ||
                 *step < NS_PER_MS || range / *step >= MAX_POINTS)) {
        fprintf(stderr,
                "callboard metrics: --step: must be a duration with fewer "
                "than %d steps in the time, not \"%s\"\n",
                MAX_POINTS, text);
        return false;
    }
    return true;
}

static void make_path(const struct cli_call *call, bool range, uint64_t step,
                      struct buf *path)
{
    char seconds[32];

    buf_add(path, range ? SLICE("/prometheus/api/v1/query_range")
                        : SLICE("/prometheus/api/v1/query"));
    url_add_param(path, "query", slice_of(call->given.words[0]));
    if (!range) {
        url_add_time(path, "time", call->end_ns);
        return;
    }
    url_add_time(path, "start", call->start_ns);
    url_add_time(path, "end", call->end_ns);
    (void)snprintf(seconds, sizeof(seconds), "%.3f", (double)step / 1e9);
    url_add_param(path, "step", slice_of(seconds));
}

/* A scalar and a string are one sample without a series. */
static json_t *result_of(const json_t *data)
{
    const char *type = cli_text(data, "resultType");
    json_t *result = json_object_get(data, "result"), *one, *list;

    if (strcmp(type, "scalar") != 0 && strcmp(type, "string") != 0)
        return json_incref(result);
    one = json_object();
    list = json_array();
    json_object_set_new(one, "metric", json_object());
    json_object_set(one, "value", result);
    json_array_append_new(list, one);
    return list;
}

static void print_warnings(const json_t *answer)
{
    static const char *const kinds[] = {"warnings", "infos"};

    for (size_t k = 0; k < 2; k++) {
        const json_t *list = json_object_get(answer, kinds[k]);

        for (size_t i = 0; i < json_array_size(list); i++) {
            fputs("callboard: ", stderr);
            cli_put(stderr, json_string_value(json_array_get(list, i)));
            fputc('\n', stderr);
        }
    }
}

static void print(const struct cli_call *call, const json_t *result, bool range,
                  uint64_t step)
{
    static struct series_grid grid;
    bool table = call->output == OUTPUT_TABLE || call->output == OUTPUT_WIDE;
    json_t *rows;

    if (call->output == OUTPUT_JSONL) {
        cli_print_rows(call, samples, result, true);
        return;
    }
    grid.start = (double)call->start_ns / 1e9;
    grid.step = (double)step / 1e9;
    grid.count = range ? (call->end_ns - call->start_ns) / step + 1 : 0;
    rows = range && table ? rows_of_ranges(call, result, &grid)
                          : rows_of_samples(result);
    cli_print_rows(call,
                   range && table ? ranges
                   : table        ? instant
                                  : samples,
                   rows, true);
    json_decref(rows);
}

static int print_answer(const struct cli_call *call, const json_t *answer,
                        struct slice raw, bool range, uint64_t step)
{
    json_t *result = result_of(json_object_get(answer, "data"));
    bool found = json_array_size(result) > 0;

    print_warnings(answer);
    if (call->output == OUTPUT_JSON)
        cli_print_raw(&call->screen, raw);
    else if (found)
        print(call, result, range, step);
    json_decref(result);
    if (found)
        return CLI_ANSWERED;
    fputs("callboard: no series matches in this time\n", stderr);
    return CLI_NOTHING;
}

int cli_metrics(struct cli_call *call)
{
    bool range = call->given.of[OPT_SINCE] != NULL;
    struct buf path, raw;
    uint64_t step = 0;
    json_t *answer;
    int code;

    if (range && !choose_step(call, &step))
        return CLI_MISUSED;
    buf_init(&path, CLI_MAX_URL);
    buf_init(&raw, CLI_MAX_ANSWER);
    make_path(call, range, step, &path);
    answer = cli_request(call, buf_slice(&path), NULL, &raw, &code);
    if (answer)
        code = print_answer(call, answer, buf_slice(&raw), range, step);
    json_decref(answer);
    buf_release(&path);
    buf_release(&raw);
    return code;
}
