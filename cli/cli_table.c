/* The layout of tables; see cli_table.h. */
#include "cli_table.h"

#include <stdlib.h>
#include <string.h>

#include "cli_text.h"
#include "mem.h"

enum {
    MAX_TEXT = 1 << 30,
    MAX_SHOWN = 32,  /* columns of one table */
    GAP = 2,         /* between columns */
    LEAST_LONG = 16, /* widths that shrinking stops at */
    LEAST = 5
};

struct table_cell {
    size_t at, len; /* in table->text */
    enum cli_tone tone;
};

struct table {
    const struct cli_screen *screen;
    const struct cli_column *columns[MAX_SHOWN];
    size_t widths[MAX_SHOWN];
    size_t shown, rows;
    struct table_cell *cells; /* row by row, the heads first */
    struct buf text;
};

static void choose_columns(struct table *t, const struct cli_column *columns,
                           bool wide)
{
    for (; columns->head && t->shown < MAX_SHOWN; columns++)
        if (wide || !(columns->flags & COLUMN_WIDE))
            t->columns[t->shown++] = columns;
}

static void fill_cell(struct table *t, struct table_cell *cell, size_t k,
                      const json_t *row)
{
    const struct cli_column *column = t->columns[k];
    size_t width;

    cell->at = t->text.len;
    if (row)
        cell->tone =
            cli_format(&t->text, cli_at(row, column->path), column->format);
    else
        buf_add(&t->text, slice_of(column->head));
    cell->len = t->text.len - cell->at;
    if (!row)
        cell->tone = TONE_HEAD;
    width = cli_width((struct slice){t->text.ptr + cell->at, cell->len});
    if (width > t->widths[k])
        t->widths[k] = width;
}

static void fill(struct table *t, const json_t *rows, bool heads)
{
    size_t at = 0;

    t->rows = json_array_size(rows) + heads;
    t->cells = mem_zero(t->rows * t->shown + 1, sizeof(*t->cells));
    for (size_t i = 0; i < t->rows; i++)
        for (size_t k = 0; k < t->shown; k++)
            fill_cell(t, &t->cells[at++], k,
                      heads && i == 0 ? NULL : json_array_get(rows, i - heads));
}

/* The widest column that may become narrower, long ones first; t->shown if
 * there is none. */
static size_t widest(const struct table *t, bool long_ones)
{
    size_t found = t->shown, most = long_ones ? LEAST_LONG : LEAST;

    for (size_t k = 0; k < t->shown; k++)
        if (!cli_is_number(t->columns[k]->format) &&
            (!long_ones || (t->columns[k]->flags & COLUMN_LONG)) &&
            t->widths[k] > most) {
            found = k;
            most = t->widths[k];
        }
    return found;
}

static void fit(struct table *t)
{
    size_t total = t->shown ? (t->shown - 1) * GAP : 0;

    for (size_t k = 0; k < t->shown; k++)
        total += t->widths[k];
    while (t->screen->columns && total > t->screen->columns) {
        size_t k = widest(t, true);

        if (k == t->shown)
            k = widest(t, false);
        if (k == t->shown)
            return;
        t->widths[k]--;
        total--;
    }
}

/* What does not fit into the line is left out. */
static void draw_row(const struct table *t, const struct table_cell *cells,
                     struct buf *out)
{
    size_t left = t->screen->columns ? t->screen->columns : SIZE_MAX;

    for (size_t k = 0; k < t->shown && left > 0; k++) {
        bool right = cli_is_number(t->columns[k]->format);
        struct slice text = {t->text.ptr + cells[k].at, cells[k].len};
        size_t width = t->widths[k] < left ? t->widths[k] : left;

        if (k + 1 == t->shown && !right && cli_width(text) < width)
            width = cli_width(text);
        if (cells[k].tone != TONE_PLAIN)
            cli_tone(t->screen, out, cells[k].tone);
        cli_cell(out, text, width, right);
        if (cells[k].tone != TONE_PLAIN)
            cli_tone(t->screen, out, TONE_PLAIN);
        left -= width;
        for (size_t i = 0; i < GAP && left > 0 && k + 1 < t->shown; i++, left--)
            buf_byte(out, ' ');
    }
    while (out->len > 0 && out->ptr[out->len - 1] == ' ')
        out->len--;
    buf_byte(out, '\n');
}

void cli_table(struct buf *out, const struct cli_screen *screen, bool wide,
               const struct cli_column *columns, const json_t *rows, bool heads)
{
    struct cli_screen uncut = *screen;
    struct table t = {.screen = &uncut};

    if (wide)
        uncut.columns = 0;
    buf_init(&t.text, MAX_TEXT);
    choose_columns(&t, columns, wide);
    fill(&t, rows, heads);
    fit(&t);
    for (size_t i = 0; t.text.status == OK && i < t.rows; i++)
        draw_row(&t, t.cells + i * t.shown, out);
    free(t.cells);
    buf_release(&t.text);
}
