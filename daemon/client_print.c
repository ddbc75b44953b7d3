/*
 * The answer of a cause query as text: the likely cause, its impact, how it
 * propagates to users, log lines and changes; then the suspects with their
 * evidence and small charts, and what was excluded.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

enum { FEW = 3 }; /* a baseline with 3 times fewer traces is poor */
enum { MAX_EVIDENCE = 3, MAX_SUSPECTS = 3, MAX_LISTED = 5, COLUMNS = 48 };

const char *client_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

void client_put(FILE *to, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, to);
}

static void print_safe(const char *text)
{
    client_put(stdout, text);
}

static void print_line(const char *before, const char *text)
{
    fputs(before, stdout);
    print_safe(text);
    putchar('\n');
}

/* Of "2026-11-21T13:44:00.123Z" the time of day. */
static void print_clock(const char *time)
{
    printf("%.5s", strlen(time) > 16 ? time + 11 : time);
}

/* ---- charts ---- */

struct chart {
    double sums[COLUMNS];
    int counts[COLUMNS];
    double least, most;
};

static void fill(struct chart *chart, const json_t *points)
{
    size_t n = json_array_size(points);
    size_t per = (n + COLUMNS - 1) / COLUMNS;

    *chart = (struct chart){.least = INFINITY, .most = -INFINITY};
    for (size_t i = 0; i < n; i++) {
        double v =
            json_number_value(json_array_get(json_array_get(points, i), 1));

        chart->sums[i / per] += v;
        chart->counts[i / per]++;
        chart->least = fmin(chart->least, v);
        chart->most = fmax(chart->most, v);
    }
}

static void print_series(const json_t *series)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const json_t *points = json_object_get(series, "points");
    struct chart chart;

    if (json_array_size(points) < 2)
        return;
    fill(&chart, points);
    fputs("     ", stdout);
    for (int i = 0; i < COLUMNS && chart.counts[i] > 0; i++) {
        double v = chart.sums[i] / chart.counts[i],
               range = chart.most - chart.least;

        fputs(bars[range > 0 ? (int)((v - chart.least) / range * 7.99) : 0],
              stdout);
    }
    printf("  %.4g to %.4g %s, ", chart.least, chart.most,
           client_text(series, "unit"));
    print_safe(client_text(series, "title"));
    putchar('\n');
}

/* ---- the parts of the answer ---- */

static void print_path(const json_t *path)
{
    for (size_t i = 0; i < json_array_size(path) && json_array_size(path) > 1;
         i++) {
        fputs(i == 0 ? "Propagation    " : " -> ", stdout);
        print_safe(client_text(json_array_get(path, i), "component"));
    }
    if (json_array_size(path) > 1)
        putchar('\n');
}

static void print_changes(const json_t *changes)
{
    size_t n = json_array_size(changes);

    for (size_t i = n > MAX_LISTED ? n - MAX_LISTED : 0; i < n; i++) {
        const json_t *c = json_array_get(changes, i);

        fputs("Changed        ", stdout);
        print_clock(client_text(c, "timestamp"));
        fputc(' ', stdout);
        print_safe(client_text(c, "component"));
        print_line(": ", client_text(c, "text"));
    }
}

static void print_logs(const json_t *logs)
{
    for (size_t i = 0; i < json_array_size(logs); i++) {
        const json_t *l = json_array_get(logs, i);

        fputs("Log evidence   ", stdout);
        print_clock(client_text(l, "timestamp"));
        printf(" %s ", client_text(l, "level"));
        print_safe(client_text(l, "log"));
        printf("  (%.0f times, %.0f before)\n", number_of(l, "count"),
               number_of(l, "countBefore"));
    }
}

static void print_correlation(const json_t *correlation)
{
    const json_t *list = json_object_get(correlation, "attributes");

    for (size_t i = 0; i < json_array_size(list) && i < MAX_EVIDENCE; i++) {
        const json_t *a = json_array_get(list, i);

        fputs(i == 0 ? "Common to failing requests\n   - " : "   - ", stdout);
        print_safe(client_text(a, "key"));
        fputs(" = ", stdout);
        print_safe(client_text(a, "value"));
        printf(": %.0f of %.0f %s requests, %.0f of %.0f others\n",
               number_of(a, "failing"), number_of(a, "failingOf"),
               client_text(correlation, "of"), number_of(a, "others"),
               number_of(a, "othersOf"));
    }
}

static void print_suspect(const json_t *s)
{
    const json_t *list = json_object_get(s, "evidence");

    printf("\n%.0f. ", number_of(s, "rank"));
    print_safe(client_text(s, "component"));
    printf(", a %s, score %.1f", client_text(s, "kind"), number_of(s, "score"));
    if (client_text(s, "onset")[0]) {
        fputs(", since ", stdout);
        print_clock(client_text(s, "onset"));
    }
    if (client_text(s, "explainedBy")[0]) {
        fputs(", explained by ", stdout);
        print_safe(client_text(s, "explainedBy"));
    }
    putchar('\n');
    for (size_t i = 0; i < json_array_size(list) && i < MAX_EVIDENCE; i++) {
        const json_t *e = json_array_get(list, i);
        const json_t *traces = json_object_get(e, "traceIds");

        print_line("   - ", client_text(e, "text"));
        print_series(json_object_get(e, "series"));
        if (json_array_size(traces) > 0)
            print_line("     trace ",
                       json_string_value(json_array_get(traces, 0)));
    }
}

static void print_excluded(const json_t *excluded)
{
    for (size_t i = 0; i < json_array_size(excluded) && i < MAX_LISTED; i++) {
        const json_t *e = json_array_get(excluded, i);

        fputs(i == 0 ? "\nNot the cause\n   - " : "   - ", stdout);
        print_safe(client_text(e, "component"));
        print_line(": ", client_text(e, "reason"));
    }
}

/* A baseline with few traces makes the comparison weak. */
static void print_hint(const json_t *read)
{
    double before = number_of(read, "tracesBefore");
    double during = number_of(read, "tracesDuring");

    if (during == 0)
        puts("               There are no traces in the window.");
    else if (before * FEW < during)
        printf("               The baseline has only %.0f traces, the window "
               "%.0f: try a shorter --since.\n",
               before, during);
}

static void print_time(const json_t *answer)
{
    const json_t *window = json_object_get(answer, "window");
    const json_t *baseline = json_object_get(answer, "baseline");

    printf("Window         %.16s to ", client_text(window, "startTime"));
    print_clock(client_text(window, "endTime"));
    printf(" UTC, compared with %.16s to ", client_text(baseline, "startTime"));
    print_clock(client_text(baseline, "endTime"));
    putchar('\n');
}

void client_print_cause(const json_t *answer)
{
    const json_t *summary = json_object_get(answer, "summary");
    const json_t *suspects = json_object_get(answer, "suspects");
    bool found = json_is_true(json_object_get(answer, "found"));

    print_line("Cause          ", client_text(summary, "cause"));
    if (client_text(summary, "firstFailure")[0])
        print_line("First failure  ", client_text(summary, "firstFailure"));
    if (client_text(summary, "impact")[0])
        print_line("Impact         ", client_text(summary, "impact"));
    print_path(json_object_get(answer, "path"));
    print_logs(json_object_get(answer, "logs"));
    if (found)
        print_correlation(json_object_get(answer, "attributeCorrelation"));
    print_changes(json_object_get(answer, "changes"));
    print_time(answer);
    print_hint(json_object_get(answer, "read"));
    for (size_t i = 0;
         found && i < json_array_size(suspects) && i < MAX_SUSPECTS; i++)
        print_suspect(json_array_get(suspects, i));
    if (found)
        print_excluded(json_object_get(answer, "excluded"));
}
