/* The page of a component as text; see component_text.h. */
#include "component_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli_int.h"
#include "clock.h"
#include "human.h"
#include "mem.h"
#include "sparkline.h"

enum {
    LABEL = 10,
    FIGURE = 9,
    SPARK_MOST = 60,
    LISTED = 10,
    RANGE = 22,
    POINTS_MAX = 4096,
    NARROW = 48, /* columns without figures beside names */
    WHOLE = 72   /* columns of the whole summary */
};

/* ---- members ---- */

/* ---- figures and charts ---- */

struct chart_row {
    const char *label, *member, *limit; /* of series; of its limit, or NULL */
    const char *(*human)(char text[HUMAN_TEXT], double value);
    enum sparkline_scale scale;
};

static const struct chart_row charts[] = {
    {"Requests", "requestRate", NULL, human_number, SPARKLINE_FROM_ZERO},
    {"Errors", "errorRate", NULL, human_number, SPARKLINE_FROM_ZERO},
    {"p50", "latencyP50", NULL, human_seconds, SPARKLINE_FROM_ZERO},
    {"p99", "latencyP99", NULL, human_seconds, SPARKLINE_FROM_ZERO},
    {"CPU", "cpuUsage", "cpuLimits", human_cores, SPARKLINE_FROM_ZERO},
    {"Memory", "memoryUsage", "memoryLimits", human_bytes,
     SPARKLINE_FROM_LEAST}};

static uint64_t time_of(const json_t *point)
{
    uint64_t ns = 0;

    (void)clock_parse_rfc3339(slice_of(cli_text(point, "timestamp")), &ns);
    return ns;
}

/* Points have times: a step without a point is a gap. */
static size_t read_points(const json_t *points, double step, double **values)
{
    size_t n = json_array_size(points), count = 0;
    double *out = mem_alloc(POINTS_MAX * sizeof(*out));
    uint64_t first = n ? time_of(json_array_get(points, 0)) : 0;

    for (size_t i = 0; i < n; i++) {
        const json_t *point = json_array_get(points, i);
        double after = (double)(time_of(point) - first) / (double)NS_PER_S;
        double at = step > 0 ? after / step + 0.5 : (double)i;

        while (count < POINTS_MAX && (double)count + 1 <= at)
            out[count++] = NAN;
        if (count < POINTS_MAX)
            out[count++] = cli_number(point, "value");
    }
    *values = out;
    return count;
}

static double last_of(const json_t *points)
{
    size_t n = json_array_size(points);

    return n ? cli_number(json_array_get(points, n - 1), "value") : NAN;
}

static void write_range(struct term_line *line, const struct chart_row *row,
                        const double *values, size_t count, double limit)
{
    char least_text[HUMAN_TEXT], most_text[HUMAN_TEXT];
    double least = INFINITY, most = -INFINITY;

    for (size_t i = 0; i < count; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    term_printf(line, "  %s to %s", row->human(least_text, least),
                row->human(most_text, most));
    if (isfinite(limit))
        term_printf(line, " of %s", row->human(most_text, limit));
}

static void write_chart(struct buf *out, const struct term_look *look,
                        const json_t *answer, const struct chart_row *row)
{
    const json_t *series = json_object_get(answer, "series");
    const json_t *points = json_object_get(series, row->member);
    double limit =
        row->limit ? last_of(json_object_get(series, row->limit)) : NAN;
    struct term_line line = term_begin(out, look);
    double *values;
    size_t count = read_points(
        points, cli_number(json_object_get(answer, "window"), "stepSeconds"),
        &values);
    char text[HUMAN_TEXT];

    if (count > 0) {
        uint32_t room = term_left(&line), used = LABEL + FIGURE + RANGE + 8;
        uint32_t width = room > used + 8 ? room - used : 8;

        term_cell(&line, slice_of(row->label), LABEL, TERM_LEFT);
        term_cell(&line, slice_of(row->human(text, values[count - 1])), FIGURE,
                  TERM_RIGHT);
        term_puts(&line, "  ");
        if (width > SPARK_MOST)
            width = SPARK_MOST;
        if (count < width)
            width = (uint32_t)count;
        sparkline_put(&line, values, count, width, row->scale);
        write_range(&line, row, values, count, limit);
        term_end(&line);
    }
    free(values);
}

static void write_head(struct buf *out, const struct term_look *look,
                       const json_t *answer)
{
    const json_t *c = json_object_get(answer, "component"),
                 *window = json_object_get(answer, "window");
    struct term_line line = term_begin(out, look);

    term_paint(&line, TERM_BOLD);
    term_puts(&line, cli_text(c, "namespace"));
    term_puts(&line, "/");
    term_puts(&line, cli_text(c, "project"));
    term_puts(&line, "/");
    term_puts(&line, cli_text(c, "component"));
    term_paint(&line, TERM_PLAIN);
    if (cli_text(c, "environment")[0])
        term_printf(&line, "  %.60s", cli_text(c, "environment"));
    term_printf(&line, "  %.16s to %.5s UTC", cli_text(window, "startTime"),
                strlen(cli_text(window, "endTime")) > 16
                    ? cli_text(window, "endTime") + 11
                    : "");
    term_end(&line);
}

static void write_summary(struct buf *out, const struct term_look *look,
                          const json_t *summary, const char *label,
                          enum term_color color)
{
    const json_t *latency = json_object_get(summary, "latency");
    double errors = cli_number(summary, "errorRatio");
    struct term_line line = term_begin(out, look);
    char a[HUMAN_TEXT];

    term_paint(&line, color);
    term_cell(&line, slice_of(label), LABEL, TERM_LEFT);
    term_printf(&line, "%8s/s",
                human_number(a, cli_number(summary, "requestRate")));
    if (errors >= 0.01)
        term_paint(&line, errors >= 0.05 ? TERM_RED : TERM_YELLOW);
    term_printf(&line, "  %6s errors", human_share(a, errors));
    term_paint(&line, TERM_PLAIN);
    term_paint(&line, color);
    if (term_left(&line) + line.column >= WHOLE)
        term_printf(&line, "  %5s 4xx",
                    human_share(a, cli_number(summary, "clientErrorRatio")));
    term_printf(&line, "  p50 %6s",
                human_seconds(a, cli_number(latency, "p50")));
    term_printf(&line, "  p99 %6s",
                human_seconds(a, cli_number(latency, "p99")));
    term_end(&line);
}

/* ---- lists ---- */

static void write_title(struct buf *out, const struct term_look *look,
                        const char *title, bool figures)
{
    struct term_line line = term_begin(out, look);
    uint32_t width = term_left(&line);

    term_end(&line);
    term_paint(&line, TERM_BOLD);
    term_puts(&line, title);
    if (figures && width > NARROW) {
        term_to(&line, (width > 120 ? 120 : width) - 4 * FIGURE);
        term_printf(&line, "%9s%9s%9s%9s", "RATE/S", "ERRORS", "P50", "P99");
    }
    term_end(&line);
}

static void write_figures(struct term_line *line, const json_t *of)
{
    const json_t *latency = json_object_get(of, "latency");
    double errors = cli_number(of, "errorRatio");
    char a[HUMAN_TEXT], b[HUMAN_TEXT];

    term_printf(line, "%9s", human_number(a, cli_number(of, "requestRate")));
    if (errors >= 0.01)
        term_paint(line, errors >= 0.05 ? TERM_RED : TERM_YELLOW);
    term_printf(line, "%9s", human_share(a, errors));
    term_paint(line, TERM_PLAIN);
    term_printf(line, "%9s%9s", human_seconds(a, cli_number(latency, "p50")),
                human_seconds(b, cli_number(latency, "p99")));
}

/* A name, and its figures at the right of the line. */
static void write_row(struct buf *out, const struct term_look *look,
                      const char *indent, struct slice name, const json_t *of)
{
    struct term_line line = term_begin(out, look);
    uint32_t width = term_left(&line);

    if (width > 120)
        width = 120;
    term_puts(&line, indent);
    if (width > NARROW) {
        term_cell(&line, name, width - 4 * FIGURE - line.column, TERM_LEFT);
        write_figures(&line, of);
    } else {
        term_put(&line, name);
    }
    term_end(&line);
}

static void write_endpoints(struct buf *out, const struct term_look *look,
                            const json_t *answer)
{
    const json_t *list = json_object_get(answer, "endpoints");

    if (json_array_size(list) > 0)
        write_title(out, look, "ENDPOINTS", true);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *endpoint = json_array_get(list, i),
                     *operations = json_object_get(endpoint, "operations");

        write_row(out, look, "", slice_of(cli_text(endpoint, "endpoint")),
                  endpoint);
        for (size_t k = 0; k < json_array_size(operations) && k < LISTED; k++) {
            const json_t *operation = json_array_get(operations, k);

            write_row(out, look, "  ",
                      slice_of(cli_text(operation, "operation")), operation);
        }
    }
}

static void write_peers(struct buf *out, const struct term_look *look,
                        const json_t *answer, const char *member,
                        const char *title)
{
    const json_t *list = json_object_get(answer, member);
    struct buf name;

    if (json_array_size(list) > 0)
        write_title(out, look, title, true);
    buf_init(&name, 4096);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *peer = json_array_get(list, i);
        const char *kind = cli_text(peer, "kind"),
                   *component = cli_text(peer, "component");

        buf_reset(&name);
        buf_add(&name,
                slice_of(component[0] ? component : cli_text(peer, "name")));
        if (strcmp(kind, "component") != 0) {
            buf_add(&name, SLICE(" ("));
            buf_add(&name, slice_of(cli_text(peer, "system")[0]
                                        ? cli_text(peer, "system")
                                        : kind));
            buf_add(&name, SLICE(")"));
        }
        if (cli_text(peer, "via")[0])
            buf_add(&name, SLICE(" via queue"));
        write_row(out, look, "", buf_slice(&name), peer);
    }
    buf_release(&name);
}

static bool is_error(const json_t *template)
{
    const char *level = cli_text(template, "level");

    return strcmp(level, "ERROR") == 0 || strcmp(level, "FATAL") == 0;
}

static void write_errors(struct buf *out, const struct term_look *look,
                         const json_t *answer)
{
    const json_t *list = json_object_get(answer, "logTemplates");
    size_t shown = 0;
    char count[HUMAN_TEXT];

    for (size_t i = 0; i < json_array_size(list) && shown < LISTED; i++) {
        const json_t *template = json_array_get(list, i);
        struct term_line line = term_begin(out, look);

        if (!is_error(template))
            continue;
        if (shown++ == 0)
            write_title(out, look, "ERRORS IN LOGS", false);
        term_printf(&line, "%5s x  ",
                    human_count(count, cli_number(template, "count")));
        term_paint(&line, TERM_RED);
        term_puts(&line, cli_text(template, "level"));
        term_paint(&line, TERM_PLAIN);
        term_puts(&line, json_is_true(json_object_get(template, "new"))
                             ? "  new  "
                             : "  ");
        term_puts(&line, cli_text(template, "template"));
        term_end(&line);
    }
}

static void write_changes(struct buf *out, const struct term_look *look,
                          const json_t *answer)
{
    const json_t *list = json_object_get(answer, "changes");

    if (json_array_size(list) > 0)
        write_title(out, look, "CHANGES", false);
    for (size_t i = 0; i < json_array_size(list) && i < LISTED; i++) {
        const json_t *change = json_array_get(list, i);
        const char *time = cli_text(change, "timestamp");
        struct term_line line = term_begin(out, look);

        term_printf(&line, "%.19s  ", time);
        if (strcmp(cli_text(change, "type"), "Warning") == 0)
            term_paint(&line, TERM_YELLOW);
        term_cell(&line, slice_of(cli_text(change, "kind")), 13, TERM_LEFT);
        term_paint(&line, TERM_PLAIN);
        if (cli_text(change, "to")[0]) {
            term_puts(&line, cli_text(change, "from"));
            term_puts(&line, " -> ");
            term_puts(&line, cli_text(change, "to"));
        } else {
            term_puts(&line, cli_text(change, "reason"));
            term_puts(&line, "  ");
            term_puts(&line, cli_text(change, "message"));
        }
        term_end(&line);
    }
}

static void write_pods(struct buf *out, const struct term_look *look,
                       const json_t *answer)
{
    const json_t *list = json_object_get(answer, "pods");
    char cpu[HUMAN_TEXT], memory[HUMAN_TEXT];

    if (json_array_size(list) > 0)
        write_title(out, look, "PODS", false);
    for (size_t i = 0; i < json_array_size(list) && i < LISTED; i++) {
        const json_t *pod = json_array_get(list, i);
        struct term_line line = term_begin(out, look);

        term_cell(&line, slice_of(cli_text(pod, "name")), 44, TERM_LEFT);
        term_printf(&line, "  CPU %6s  memory %6s",
                    human_cores(cpu, cli_number(pod, "cpuUsage")),
                    human_bytes(memory, cli_number(pod, "memoryUsage")));
        if (cli_text(pod, "version")[0]) {
            term_puts(&line, "  version ");
            term_puts(&line, cli_text(pod, "version"));
        }
        term_end(&line);
    }
}

void component_text(struct buf *out, const struct term_look *look,
                    const json_t *answer)
{
    const json_t *summary = json_object_get(answer, "summary");

    write_head(out, look, answer);
    write_summary(out, look, summary, "Now", TERM_PLAIN);
    write_summary(out, look, json_object_get(summary, "previous"), "Before",
                  TERM_DIM);
    for (size_t i = 0; i < sizeof(charts) / sizeof(*charts); i++)
        write_chart(out, look, answer, &charts[i]);
    write_endpoints(out, look, answer);
    write_peers(out, look, answer, "callers", "CALLERS");
    write_peers(out, look, answer, "callees", "CALLEES");
    write_errors(out, look, answer);
    write_changes(out, look, answer);
    write_pods(out, look, answer);
}
