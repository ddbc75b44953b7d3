/*
 * Columns go when the terminal is too narrow for them; names are cut last.
 */
#include "top_table.h"

#include <math.h>
#include <stdlib.h>

#include "human.h"
#include "sparkline.h"

enum {
    MARK = 2, /* columns before the name */
    NAME_MOST = 60,
    NAME_LEAST = 16,
    TREND_LEAST = 8,
    TREND_MOST = 30,
    STEPS_MOST = 120
};

/* ---- the columns ---- */

static const struct top_column_kind {
    const char *title;
    uint8_t width;
    uint8_t drop; /* order in which columns go on narrow terminals; 0: never */
    const char *(*human)(char text[HUMAN_TEXT], double value);
} kinds[TOP_COLUMNS] = {
    [TOP_NAME] = {"COMPONENT", 0, 0, NULL},
    [TOP_RATE] = {"RATE/S", 6, 0, human_number},
    [TOP_ERRORS] = {"ERR%", 5, 0, human_share},
    [TOP_P50] = {"P50", 6, 1, human_seconds},
    [TOP_P99] = {"P99", 6, 0, human_seconds},
    [TOP_CPU] = {"CPU", 6, 5, human_cores},
    [TOP_CPU_SHARE] = {"%LIM", 5, 2, human_share},
    [TOP_MEMORY] = {"MEMORY", 6, 6, human_bytes},
    [TOP_MEMORY_SHARE] = {"%LIM", 5, 4, human_share},
    [TOP_RESTARTS] = {"RST", 3, 3, human_count},
    [TOP_TREND] = {"TREND", 0, 7, NULL},
};

struct top_layout {
    uint32_t widths[TOP_COLUMNS];   /* 0: not shown */
    bool with[TOP_ENVIRONMENT + 1]; /* names besides the component's */
};

static uint32_t sum_of(const struct top_layout *layout)
{
    uint32_t sum = MARK;

    for (int c = TOP_RATE; c < TOP_COLUMNS; c++)
        sum += layout->widths[c] ? layout->widths[c] + 1 : 0;
    return sum;
}

/* Names that are cut say nothing: figures go first. */
static void lay_out(struct top_layout *layout, uint32_t columns,
                    uint32_t longest)
{
    uint32_t wanted = longest < NAME_LEAST ? longest : NAME_LEAST;

    columns = columns ? columns : 160;
    longest = longest > NAME_MOST ? NAME_MOST : longest;
    for (int c = 0; c < TOP_COLUMNS; c++)
        layout->widths[c] = kinds[c].width;
    layout->widths[TOP_TREND] = TREND_LEAST;
    for (int drop = 1; drop <= 7 && sum_of(layout) + wanted > columns; drop++)
        for (int c = 0; c < TOP_COLUMNS; c++)
            if (kinds[c].drop == drop)
                layout->widths[c] = 0;
    layout->widths[TOP_NAME] =
        columns > sum_of(layout) ? columns - sum_of(layout) : 1;
    if (layout->widths[TOP_NAME] > longest) {
        uint32_t more = layout->widths[TOP_NAME] - longest;

        layout->widths[TOP_NAME] = longest;
        if (layout->widths[TOP_TREND])
            layout->widths[TOP_TREND] += more < TREND_MOST - TREND_LEAST
                                             ? more
                                             : TREND_MOST - TREND_LEAST;
    }
}

/* ---- rows ---- */

/* What is needed to tell rows apart: "web", "shop/web", "shop/web prod". */
static struct slice name_of(struct buf *text, const struct top_layout *layout,
                            const struct top_row *row)
{
    buf_reset(text);
    if (layout->with[TOP_NAMESPACE]) {
        buf_add(text, slice_of(row->namespace));
        buf_byte(text, '/');
    }
    if (layout->with[TOP_NAMESPACE] || layout->with[TOP_PROJECT]) {
        buf_add(text, slice_of(row->project));
        buf_byte(text, '/');
    }
    buf_add(text, slice_of(row->component));
    if (layout->with[TOP_ENVIRONMENT]) {
        buf_byte(text, ' ');
        buf_add(text, slice_of(row->environment));
    }
    return buf_slice(text);
}

static enum term_color color_of(const struct top_row *row, int column)
{
    double value = row->values[column];

    if (column == TOP_ERRORS && value >= 0.01)
        return value >= 0.05 ? TERM_RED : TERM_YELLOW;
    if ((column == TOP_CPU_SHARE || column == TOP_MEMORY_SHARE) && value >= 0.8)
        return value >= 0.95 ? TERM_RED : TERM_YELLOW;
    return column == TOP_RESTARTS && value >= 1 ? TERM_YELLOW : TERM_PLAIN;
}

static void write_trend(struct term_line *line, const json_t *trend,
                        uint32_t width)
{
    double values[STEPS_MOST];
    size_t count = json_array_size(trend);

    count = count < STEPS_MOST ? count : STEPS_MOST;
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(trend, i);

        values[i] = json_is_number(value) ? json_number_value(value) : NAN;
    }
    sparkline_put(line, values, count, width, SPARKLINE_FROM_ZERO);
}

static void write_row(struct term_line *line, const struct top_layout *layout,
                      const struct top_row *row, struct slice name,
                      bool is_cursor)
{
    static const char marks[] = {[TOP_OK] = ' ',
                                 [TOP_SILENT] = '.',
                                 [TOP_WARNING] = '~',
                                 [TOP_BAD] = '!'};
    char text[HUMAN_TEXT], mark[] = {marks[row->health], '\0'};

    if (is_cursor)
        term_paint(line, TERM_REVERSE);
    else if (row->health == TOP_BAD)
        term_paint(line, TERM_RED);
    else if (row->health == TOP_WARNING)
        term_paint(line, TERM_YELLOW);
    term_puts(line, mark);
    term_puts(line, is_cursor ? ">" : " ");
    term_cell(line, name, layout->widths[TOP_NAME], TERM_LEFT);
    for (int c = TOP_RATE; c < TOP_TREND; c++) {
        if (!layout->widths[c])
            continue;
        if (!is_cursor) {
            term_paint(line, TERM_PLAIN);
            term_paint(line, color_of(row, c));
        }
        term_puts(line, " ");
        term_cell(line, slice_of(kinds[c].human(text, row->values[c])),
                  layout->widths[c], TERM_RIGHT);
    }
    term_paint(line, TERM_PLAIN);
    if (layout->widths[TOP_TREND]) {
        term_puts(line, " ");
        term_paint(line, TERM_CYAN);
        write_trend(line, row->trend, layout->widths[TOP_TREND]);
    }
    term_end(line);
}

static void write_titles(struct term_line *line,
                         const struct top_layout *layout, enum top_column sort)
{
    for (int c = 0; c < TOP_COLUMNS; c++) {
        if (!layout->widths[c])
            continue;
        if (c > 0)
            term_puts(line, " ");
        else
            term_to(line, MARK);
        term_paint(line, TERM_BOLD);
        if ((int)sort == c)
            term_paint(line, TERM_REVERSE);
        term_cell(line, slice_of(kinds[c].title), layout->widths[c],
                  c == TOP_NAME || c == TOP_TREND ? TERM_LEFT : TERM_RIGHT);
        term_paint(line, TERM_PLAIN);
    }
    term_end(line);
}

static void find_layout(struct top_layout *layout, const struct term_look *look,
                        const struct top_state *state,
                        const struct top_rows *rows, const uint32_t *chosen,
                        uint32_t count, struct buf *name)
{
    uint32_t longest = sizeof("COMPONENT") - 1;

    layout->with[TOP_NAMESPACE] = top_rows_many(rows, TOP_NAMESPACE);
    layout->with[TOP_PROJECT] =
        !state->choice.project[0] && top_rows_many(rows, TOP_PROJECT);
    layout->with[TOP_ENVIRONMENT] =
        !state->choice.environment[0] && top_rows_many(rows, TOP_ENVIRONMENT);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t width =
            term_columns(name_of(name, layout, &rows->at[chosen[i]]));

        longest = width > longest ? width : longest;
    }
    lay_out(layout, look->columns, longest);
}

void top_table(struct buf *out, const struct term_look *look,
               const struct top_state *state, const struct top_rows *rows,
               const uint32_t *chosen, uint32_t first, uint32_t end,
               bool with_cursor)
{
    struct term_line line = term_begin(out, look);
    struct top_layout layout;
    struct buf name;

    buf_init(&name, 4096);
    find_layout(&layout, look, state, rows, chosen + first, end - first, &name);
    write_titles(&line, &layout, state->choice.sort);
    for (uint32_t i = first; i < end; i++) {
        const struct top_row *row = &rows->at[chosen[i]];

        write_row(&line, &layout, row, name_of(&name, &layout, row),
                  with_cursor && i == state->cursor);
    }
    buf_release(&name);
}
