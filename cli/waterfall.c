/* A trace as text; see waterfall.h. */
#include "waterfall.h"

#include <math.h>
#include <string.h>

#include "cli_int.h"
#include "human.h"
#include "log_line.h"
#include "waterfall_tree.h"

enum {
    LETTERS = 2,
    TIME = 8,
    BAR_LEAST = 10,
    BAR_MOST = 80,
    INDENT = 2, /* columns of a level */
    USUAL_COLUMNS = 120,
    SELF_FROM = 72, /* columns of a terminal that shows self times */
    STEPS_SHOWN = 4 /* of the critical path */
};

/* ---- lines ---- */

/* Deeper than a third of the column: the depth as a number instead. */
static void write_guides(struct waterfall *w, struct term_line *line,
                         uint32_t depth, bool last, bool log)
{
    uint32_t most = w->name / 3 / INDENT;

    if (depth > most) {
        char text[32];

        (void)snprintf(text, sizeof(text), "%u", depth);
        term_to(line,
                line->column + most * INDENT -
                    (uint32_t)(strlen(text) < most * INDENT ? strlen(text)
                                                            : most * INDENT));
        term_puts(line, text);
        term_draw(line, log ? " " : "└", log ? " " : "`", 1);
        return;
    }
    for (uint32_t d = 1; d < depth + log; d++)
        if (w->more[d])
            term_draw(line, "│", "|", 1), term_to(line, line->column + 1);
        else
            term_to(line, line->column + INDENT);
    if (depth > 0 && !log) {
        term_draw(line, last ? "└" : "├", last ? "`" : "|", 1);
        term_draw(line, "─", "-", 1);
    }
}

static void write_notes(struct waterfall *w, struct term_line *line,
                        const json_t *span)
{
    uint32_t end = line->column + LETTERS + 1;

    term_to(line, line->column + 1);
    for (size_t i = 0; i < WATERFALL_NOTES && line->column < end; i++) {
        char letter[] = {waterfall_notes[i].letter, '\0'};

        if (!waterfall_has_note(span, i))
            continue;
        w->letters |= 1U << i;
        term_paint(line, i == 0 ? TERM_RED : TERM_YELLOW);
        term_puts(line, letter);
        term_paint(line, TERM_PLAIN);
    }
    term_to(line, end);
}

static void write_time(struct term_line *line, double ns)
{
    char text[HUMAN_TEXT];

    term_to(line, line->column + 1);
    term_cell(line, slice_of(human_seconds(text, ns / 1e9)), TIME, TERM_RIGHT);
}

/* From a column to a column of the bar; at least one is drawn. */
static void write_bar(struct waterfall *w, struct term_line *line,
                      double offset, double duration, bool critical,
                      bool failed)
{
    double scale = w->length > 0 ? w->bar / w->length : 0;
    double from = fmin(fmax(offset * scale, 0), w->bar - 1.0);
    double to = fmin(fmax((offset + duration) * scale, from), w->bar);
    uint32_t first = (uint32_t)from, width = (uint32_t)ceil(to) - first;

    term_to(line, line->column + 1 + first);
    if (failed)
        term_paint(line, TERM_RED);
    else if (critical)
        term_paint(line, TERM_CYAN);
    term_draw(line, critical ? "█" : "░", critical ? "#" : "-",
              width ? width : 1);
    term_paint(line, TERM_PLAIN);
}

static void write_name(struct term_line *line, const struct bar_span *span,
                       uint32_t equal, uint32_t below, uint32_t end)
{
    const char *component = cli_text(span->json, "component"),
               *name = cli_text(span->json, "spanName");
    struct buf text;

    buf_init(&text, 1 << 16);
    if (equal > 1)
        buf_format(&text, "%u x ", equal);
    if (component[0])
        buf_format(&text, "%s ", component);
    buf_add(&text, slice_of(name));
    if (equal > 1 && below > 1)
        buf_format(&text, " (%u spans each)", below);
    if (waterfall_failed(span->json))
        term_paint(line, TERM_RED);
    term_cell(line, buf_slice(&text),
              end > line->column ? end - line->column : 1, TERM_LEFT);
    term_paint(line, TERM_PLAIN);
    buf_release(&text);
}

static void write_span(struct waterfall *w, uint32_t i, uint32_t equal,
                       uint32_t next)
{
    const struct bar_span *span = &w->spans[i];
    struct term_line line = term_begin(w->out, w->look);
    uint32_t sibling = equal > 1 ? next : span->after, below = span->after - i;
    bool last = sibling >= w->count || w->spans[sibling].depth != span->depth,
         critical = false;
    double duration = 0, self = 0, end = 0;

    for (uint32_t k = 0; k < equal; k++) {
        const struct bar_span *one = &w->spans[i + k * below];

        duration += one->duration;
        self += cli_number_or_0(one->json, "selfTimeNs");
        end = fmax(end, one->offset + one->duration);
        critical |= json_is_true(json_object_get(one->json, "onCriticalPath"));
    }
    w->more[span->depth] = !last;
    write_guides(w, &line, span->depth, last, false);
    write_name(&line, span, equal, below, w->name);
    write_notes(w, &line, span->json);
    write_time(&line, duration);
    if (w->self)
        write_time(&line, self);
    write_bar(w, &line, span->offset, end - span->offset, critical,
              waterfall_failed(span->json));
    term_end(&line);
}

static void write_log(struct waterfall *w, uint32_t depth, const json_t *log)
{
    struct term_line line = term_begin(w->out, w->look);
    const char *level = cli_text(log, "level"),
               *time = cli_text(log, "timestamp");

    write_guides(w, &line, depth + 1, false, true);
    term_printf(&line, "%.12s ", strlen(time) > 20 ? time + 11 : time);
    term_paint(&line, log_level_color(level));
    term_puts(&line, level);
    term_paint(&line, TERM_PLAIN);
    term_puts(&line, " ");
    term_puts(&line, cli_text(log, "log"));
    term_end(&line);
}

/* Those of a span up to a time. */
static void write_logs(struct waterfall *w, struct bar_span *span, double until)
{
    const json_t *logs = json_object_get(span->json, "logs");

    for (; span->next_log < json_array_size(logs); span->next_log++) {
        const json_t *log = json_array_get(logs, span->next_log);

        if (cli_number_or_0(log, "offsetNs") - span->shift > until)
            return;
        write_log(w, span->depth, log);
    }
}

static void write_tree(struct waterfall *w)
{
    uint32_t depth = 0, next;

    for (uint32_t i = 0; i < w->count; i = next) {
        struct bar_span *span = &w->spans[i];
        uint32_t equal = waterfall_equal(w, i, &next);

        for (uint32_t d = depth + 1; i > 0 && d-- > span->depth;)
            write_logs(w, &w->spans[w->open[d]], INFINITY);
        if (span->depth > 0)
            write_logs(w, &w->spans[w->open[span->depth - 1]], span->offset);
        write_span(w, i, equal, next);
        depth = span->depth;
        w->open[depth] = i;
    }
    for (uint32_t d = depth + 1; w->count > 0 && d-- > 0;)
        write_logs(w, &w->spans[w->open[d]], INFINITY);
}

/* ---- above and below the tree ---- */

static void write_head(struct waterfall *w, const json_t *answer)
{
    const json_t *summary = json_object_get(answer, "summary"),
                 *root = json_object_get(summary, "root");
    const char *start = cli_text(summary, "startTime");
    struct term_line line = term_begin(w->out, w->look);
    char text[HUMAN_TEXT];
    double failed = cli_number_or_0(summary, "errorCount");

    term_paint(&line, TERM_BOLD);
    term_puts(&line, cli_text(root, "component"));
    term_puts(&line, " ");
    term_puts(&line, cli_text(root, "spanName"));
    term_paint(&line, TERM_PLAIN);
    term_printf(
        &line, "  %s",
        human_seconds(text, cli_number_or_0(summary, "durationNs") / 1e9));
    term_printf(&line, "  %.0f spans, %.0f components",
                cli_number_or_0(summary, "spanCount"),
                cli_number_or_0(summary, "componentCount"));
    if (failed > 0) {
        term_paint(&line, TERM_RED);
        term_printf(&line, ", %.0f failed", failed);
        term_paint(&line, TERM_PLAIN);
    }
    term_end(&line);
    term_puts(&line, "Trace ");
    term_puts(&line, cli_text(answer, "traceId"));
    if (strlen(start) > 19)
        term_printf(&line, "  %.10s %.12s UTC", start, start + 11);
    term_end(&line);
}

/* Whole steps only: the largest come first. */
static void write_critical_path(struct waterfall *w, const json_t *answer)
{
    const json_t *steps = json_object_get(answer, "criticalPath");
    struct term_line line = term_begin(w->out, w->look);
    struct buf text;

    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < json_array_size(steps) && i < STEPS_SHOWN; i++) {
        const json_t *step = json_array_get(steps, i);
        char time[HUMAN_TEXT];

        buf_reset(&text);
        buf_format(
            &text, "%s%s %s %s (%.0f%%)", i == 0 ? "Time went to  " : ", ",
            cli_text(step, "component"), cli_text(step, "spanName"),
            human_seconds(time, cli_number_or_0(step, "durationNs") / 1e9),
            cli_number_or_0(step, "percent"));
        if (i > 0 && term_columns(buf_slice(&text)) > term_left(&line))
            break;
        term_put(&line, buf_slice(&text));
    }
    if (json_array_size(steps) > 0)
        term_end(&line);
    buf_release(&text);
}

static void write_remarks(struct waterfall *w, const json_t *answer)
{
    const json_t *remarks = json_object_get(answer, "remarks");

    for (size_t i = 0; i < json_array_size(remarks); i++) {
        const char *text = json_string_value(json_array_get(remarks, i));
        struct term_line line = term_begin(w->out, w->look);

        term_puts(&line, "Remark  ");
        term_puts(&line, text ? text : "");
        term_end(&line);
    }
}

/* Which clock is how far ahead of which. */
static void write_skews(struct waterfall *w, const json_t *answer)
{
    const json_t *skews = json_object_get(answer, "clockSkew");

    for (size_t i = 0; i < json_array_size(skews) && i < STEPS_SHOWN; i++) {
        const json_t *skew = json_array_get(skews, i);
        double offset = cli_number_or_0(skew, "offsetNs");
        struct term_line line = term_begin(w->out, w->look);
        char text[HUMAN_TEXT];

        term_puts(&line, "Clock   ");
        term_puts(&line, cli_text(skew, "component"));
        term_puts(&line, " ");
        term_puts(&line, cli_text(skew, "podName"));
        term_printf(&line, " is %s %s that of ",
                    human_seconds(text, fabs(offset) / 1e9),
                    offset < 0 ? "behind" : "ahead of");
        term_puts(&line, cli_text(skew, "parentComponent"));
        term_end(&line);
    }
}

static void write_axis(struct waterfall *w)
{
    struct term_line line = term_begin(w->out, w->look);
    char text[HUMAN_TEXT];
    uint32_t start;

    term_end(&line);
    term_paint(&line, TERM_BOLD);
    term_cell(&line, SLICE("SPAN"), w->name + LETTERS + 2, TERM_LEFT);
    term_cell(&line, SLICE("DURATION"), TIME, TERM_RIGHT);
    if (w->self) {
        term_to(&line, line.column + 1);
        term_cell(&line, SLICE("SELF"), TIME, TERM_RIGHT);
    }
    term_to(&line, line.column + 1);
    start = line.column;
    term_puts(&line, "0");
    if (w->bar >= 40) {
        human_seconds(text, w->length / 2e9);
        term_to(&line, start + w->bar / 2 - (uint32_t)strlen(text) / 2);
        term_puts(&line, text);
    }
    human_seconds(text, w->length / 1e9);
    term_to(&line, start + w->bar - (uint32_t)strlen(text));
    term_puts(&line, text);
    term_end(&line);
}

static void write_foot(struct waterfall *w, const json_t *answer)
{
    const json_t *logs = json_object_get(answer, "logs"),
                 *omitted = json_object_get(answer, "omitted");
    struct term_line line = term_begin(w->out, w->look);
    double spans = cli_number_or_0(omitted, "spans") +
                   cli_number_or_0(omitted, "unreadSpans");

    for (size_t i = 0; i < json_array_size(logs); i++)
        write_log(w, 0, json_array_get(logs, i));
    term_end(&line);
    term_draw(&line, "█", "#", 1);
    term_puts(&line, " on the critical path  ");
    term_draw(&line, "░", "-", 1);
    term_puts(&line, " beside it");
    for (size_t i = 0; i < WATERFALL_NOTES; i++)
        if (w->letters & 1U << i)
            term_printf(&line, "  %c %s", waterfall_notes[i].letter,
                        waterfall_notes[i].text);
    term_end(&line);
    if (spans > 0) {
        term_printf(&line, "%.0f spans are not shown%s", spans,
                    w->all ? "" : "; --all shows them");
        term_end(&line);
    }
}

static void lay_out(struct waterfall *w)
{
    uint32_t columns = w->look->columns ? w->look->columns : USUAL_COLUMNS;
    uint32_t fixed = LETTERS + 1 + 1 + TIME + 1;

    w->self = columns >= SELF_FROM;
    fixed += w->self ? TIME + 1 : 0;
    w->bar = columns * 35 / 100;
    w->bar = w->bar < BAR_LEAST  ? BAR_LEAST
             : w->bar > BAR_MOST ? BAR_MOST
                                 : w->bar;
    w->name = columns > fixed + w->bar + 8 ? columns - fixed - w->bar : 8;
}

void waterfall_text(struct buf *out, const struct term_look *look,
                    const json_t *answer, bool all)
{
    struct waterfall w = {
        .out = out,
        .look = look,
        .all = all,
        .length =
            cli_number_or_0(json_object_get(answer, "summary"), "durationNs")};

    lay_out(&w);
    waterfall_load(&w, json_object_get(answer, "spans"));
    write_head(&w, answer);
    write_critical_path(&w, answer);
    write_remarks(&w, answer);
    write_skews(&w, answer);
    write_axis(&w);
    write_tree(&w);
    write_foot(&w, answer);
    waterfall_release(&w);
}
