/*
 * The answer of a cause query as text: the likely cause, its impact, how it
 * propagates to users, log lines and changes; then the suspects with their
 * evidence and small charts, and what was excluded.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_int.h"
#include "cli_table.h"
#include "mem.h"
#include "sparkline.h"
#include "term_line.h"

enum { FEW = 3 }; /* a baseline with 3 times fewer traces is poor */
enum { MAX_TEXT = 1 << 20 };
enum { MAX_EVIDENCE = 3, MAX_SUSPECTS = 3, MAX_LISTED = 5, COLUMNS = 48 };

void cli_put(FILE *to, const char *text)
{
    static const struct term_look uncut = {.columns = 0};
    struct term_line line;
    struct buf clean;

    buf_init(&clean, MAX_TEXT);
    line = term_begin(&clean, &uncut);
    term_puts(&line, text);
    if (clean.len > 0)
        (void)fwrite(clean.ptr, 1, clean.len, to);
    buf_release(&clean);
}

/* Of "2026-11-21T13:44:00.123Z" the time of day. */
static void print_clock(const char *time)
{
    printf("%.5s", strlen(time) > 16 ? time + 11 : time);
}

/* Prints the format with members of the object: {name} as text, {#name} as a
 * whole number, {@name} as a time of day. */
static void print_members(const json_t *object, const char *format)
{
    char name[32];

    for (; *format; format++) {
        const char *end = *format == '{' ? strchr(format, '}') : NULL;
        char kind = end ? format[1] : '\0';
        bool marked = kind == '#' || kind == '@';

        if (!end) {
            putchar(*format);
            continue;
        }
        (void)snprintf(name, sizeof(name), "%.*s",
                       (int)(end - format) - 1 - marked, format + 1 + marked);
        if (kind == '#')
            printf("%.0f", cli_number_or_0(object, name));
        else if (kind == '@')
            print_clock(cli_text(object, name));
        else
            cli_put(stdout, cli_text(object, name));
        format = end;
    }
}

/* Prints up to `most` elements, the first one after `first`. */
static void print_list(const json_t *list, size_t most, const char *first,
                       const char *format)
{
    for (size_t i = 0; i < json_array_size(list) && i < most; i++) {
        fputs(i == 0 ? first : "", stdout);
        print_members(json_array_get(list, i), format);
    }
}

static bool has(const json_t *object, const char *key)
{
    return cli_text(object, key)[0] != '\0';
}

/* ---- charts ---- */

/* Without an exponent. */
static void print_value(double value)
{
    printf(fabs(value) >= 1000 || value == 0 ? "%.0f" : "%.3g", value);
}

static void print_bars(const double *values, size_t count)
{
    struct term_look look = term_look_of(stdout);
    struct term_line line;
    struct buf out;

    look.columns = 0;
    buf_init(&out, 4096);
    line = term_begin(&out, &look);
    sparkline_put(&line, values, count,
                  count < COLUMNS ? (uint32_t)count : COLUMNS,
                  SPARKLINE_FROM_LEAST);
    cli_print_buf(&out);
    buf_release(&out);
}

/* Points are pairs: time, value. */
static void print_series(const json_t *series)
{
    const json_t *points = json_object_get(series, "points");
    size_t count = json_array_size(points);
    double least = INFINITY, most = -INFINITY, *values;

    if (count < 2)
        return;
    values = mem_alloc(count * sizeof(*values));
    for (size_t i = 0; i < count; i++) {
        values[i] =
            json_number_value(json_array_get(json_array_get(points, i), 1));
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    fputs("     ", stdout);
    print_bars(values, count);
    free(values);
    fputs("  ", stdout);
    print_value(least);
    fputs(" to ", stdout);
    print_value(most);
    putchar(' ');
    print_members(series, "{unit}, {title}\n");
}

/* ---- the parts of the answer ---- */

static void print_path(const json_t *path)
{
    if (json_array_size(path) < 2)
        return;
    print_members(json_array_get(path, 0), "Propagation    {component}");
    for (size_t i = 1; i < json_array_size(path); i++)
        print_members(json_array_get(path, i), " -> {component}");
    putchar('\n');
}

/* The latest ones. */
static void print_changes(const json_t *changes)
{
    size_t n = json_array_size(changes);

    for (size_t i = n > MAX_LISTED ? n - MAX_LISTED : 0; i < n; i++)
        print_members(json_array_get(changes, i),
                      "Changed        {@timestamp} {component}: {text}\n");
}

static void print_correlation(const json_t *correlation)
{
    const json_t *list = json_object_get(correlation, "attributes");

    for (size_t i = 0; i < json_array_size(list) && i < MAX_EVIDENCE; i++) {
        fputs(i == 0 ? "Common to failing requests\n" : "", stdout);
        print_members(json_array_get(list, i),
                      "   - {key} = {value}: {#failing} of {#failingOf} ");
        print_members(correlation, "{of} requests, ");
        print_members(json_array_get(list, i),
                      "{#others} of {#othersOf} others\n");
    }
}

static void print_evidence(const json_t *evidence)
{
    const json_t *trace =
        json_array_get(json_object_get(evidence, "traceIds"), 0);

    print_members(evidence, "   - {text}\n");
    print_series(json_object_get(evidence, "series"));
    if (trace) {
        fputs("     trace ", stdout);
        cli_put(stdout, json_string_value(trace));
        putchar('\n');
    }
}

static void print_suspect(const json_t *s)
{
    const json_t *list = json_object_get(s, "evidence");

    print_members(s, "\n{#rank}. {component} ({kind})");
    printf(", score %.1f", cli_number_or_0(s, "score"));
    print_members(s, has(s, "onset") ? ", since {@onset}" : "");
    print_members(s,
                  has(s, "explainedBy") ? ", explained by {explainedBy}" : "");
    putchar('\n');
    for (size_t i = 0; i < json_array_size(list) && i < MAX_EVIDENCE; i++)
        print_evidence(json_array_get(list, i));
}

/* A baseline with few traces makes the comparison weak. */
static void print_hint(const json_t *read)
{
    double before = cli_number_or_0(read, "tracesBefore");
    double during = cli_number_or_0(read, "tracesDuring");

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

    printf("Window         %.16s to ", cli_text(window, "startTime"));
    print_members(window, "{@endTime} UTC, ");
    printf("compared with %.16s to ", cli_text(baseline, "startTime"));
    print_members(baseline, "{@endTime}\n");
}

void cli_print_cause(const json_t *answer)
{
    const json_t *summary = json_object_get(answer, "summary");
    const json_t *suspects = json_object_get(answer, "suspects");
    bool found = json_is_true(json_object_get(answer, "found"));

    print_members(summary, "Cause          {cause}\n");
    if (has(summary, "firstFailure"))
        print_members(summary, "First failure  {firstFailure}\n");
    if (has(summary, "impact"))
        print_members(summary, "Impact         {impact}\n");
    print_path(json_object_get(answer, "path"));
    print_list(json_object_get(answer, "logs"), SIZE_MAX, "",
               "Log evidence   {@timestamp} {level} {log}  ({#count} times, "
               "{#countBefore} before)\n");
    if (found)
        print_correlation(json_object_get(answer, "attributeCorrelation"));
    print_changes(json_object_get(answer, "changes"));
    print_list(json_object_get(answer, "remarks"), SIZE_MAX, "",
               "Remark         {text}\n");
    print_time(answer);
    print_hint(json_object_get(answer, "read"));
    for (size_t i = 0;
         found && i < json_array_size(suspects) && i < MAX_SUSPECTS; i++)
        print_suspect(json_array_get(suspects, i));
    print_list(json_object_get(answer, "otherIncidents"), SIZE_MAX,
               "\nOther incidents\n",
               "   - {@startTime} to {@endTime} UTC, {component}: {text}\n");
    if (found)
        print_list(json_object_get(answer, "excluded"), MAX_LISTED,
                   "\nNot the cause\n", "   - {component}: {reason}\n");
}
