/* The layout of tables; see cli_table.h. */
#include "cli_table.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum {
    MAX_TEXT = 1 << 30,
    MAX_SHOWN = 32,  /* columns of one table */
    GAP = 2,         /* between columns */
    LEAST_LONG = 16, /* widths that shrinking stops at */
    LEAST = 5,
    DATE = 11 /* "2025-01-15 " */
};

struct table_cell {
    size_t at, len; /* in table->text */
    enum term_color color;
};

struct table {
    struct term_look look;
    const struct cli_column *columns[MAX_SHOWN];
    uint32_t widths[MAX_SHOWN];
    size_t shown, rows, heads;
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

static struct slice text_of(const struct table *t,
                            const struct table_cell *cell)
{
    return (struct slice){t->text.ptr + cell->at, cell->len};
}

static void fill_cell(struct table *t, struct table_cell *cell, size_t k,
                      const json_t *row)
{
    const struct cli_column *column = t->columns[k];
    uint32_t width;

    cell->at = t->text.len;
    cell->color = TERM_BOLD;
    if (row)
        cell->color = cli_format(&t->text, cli_at(row, column->path),
                                 cli_format_of(row, column->format));
    else
        buf_add(&t->text, slice_of(column->head));
    cell->len = t->text.len - cell->at;
    width = term_columns(text_of(t, cell));
    if (width > t->widths[k])
        t->widths[k] = width;
}

static void fill(struct table *t, const json_t *rows, bool heads)
{
    size_t at = 0;

    t->heads = heads;
    t->rows = json_array_size(rows) + heads;
    t->cells = mem_zero(t->rows * t->shown + 1, sizeof(*t->cells));
    for (size_t i = 0; i < t->rows; i++)
        for (size_t k = 0; k < t->shown; k++)
            fill_cell(t, &t->cells[at++], k,
                      heads && i == 0 ? NULL : json_array_get(rows, i - heads));
}

static bool may_be_cut(const struct cli_column *column)
{
    return !cli_is_number(column->format) && !cli_is_time(column->format) &&
           !(column->flags & COLUMN_ID);
}

/* The widest column that may become narrower, long ones first; t->shown if
 * there is none. */
static size_t widest(const struct table *t, bool long_ones)
{
    uint32_t most = long_ones ? LEAST_LONG : LEAST;
    size_t found = t->shown;

    for (size_t k = 0; k < t->shown; k++)
        if (may_be_cut(t->columns[k]) &&
            (!long_ones || (t->columns[k]->flags & COLUMN_LONG)) &&
            t->widths[k] > most) {
            found = k;
            most = t->widths[k];
        }
    return found;
}

static bool is_too_wide(const struct table *t)
{
    uint32_t total = 0;

    for (size_t k = 0; k < t->shown; k++)
        total += t->widths[k] ? t->widths[k] + (total > 0 ? GAP : 0) : 0;
    return total > t->look.columns;
}

static void shrink(struct table *t, bool long_ones)
{
    size_t k;

    while (is_too_wide(t) && (k = widest(t, long_ones)) < t->shown)
        t->widths[k]--;
}

static struct slice text_at(const struct table *t, size_t row, size_t k)
{
    return text_of(t, &t->cells[row * t->shown + k]);
}

static bool is_same(const struct table *t, size_t k)
{
    for (size_t i = t->heads + 1; i < t->rows; i++)
        if (!slice_equal(text_at(t, i, k), text_at(t, t->heads, k)))
            return false;
    return true;
}

static bool is_empty(const struct table *t, size_t k)
{
    for (size_t i = t->heads; i < t->rows; i++) {
        struct slice text = text_at(t, i, k);

        if (text.len > 0 && !slice_equal(text, SLICE("-")))
            return false;
    }
    return true;
}

/* From the last column on, as the first ones are names. */
static void leave_out(struct table *t, unsigned flag)
{
    for (size_t k = t->shown; k-- > 0 && is_too_wide(t);) {
        unsigned flags = t->columns[k]->flags;

        if (flag == COLUMN_SAME
                ? (flags & COLUMN_SAME) && is_same(t, k)
                : (flags & flag) ||
                      (!flag && !(flags & COLUMN_LONG) && is_empty(t, k)))
            t->widths[k] = 0;
    }
}

/* A date that all rows of a column share. */
static void leave_out_date(struct table *t, size_t k)
{
    struct slice first = text_at(t, t->heads, k);

    for (size_t i = t->heads; i < t->rows; i++) {
        struct slice text = text_at(t, i, k);

        if (text.len < 19 || memcmp(text.ptr, first.ptr, DATE) != 0)
            return;
    }
    for (size_t i = t->heads; i < t->rows; i++) {
        t->cells[i * t->shown + k].at += DATE;
        t->cells[i * t->shown + k].len -= DATE;
    }
    t->widths[k] -= DATE;
}

/* Columns that say nothing go first, then texts become shorter. */
static void fit(struct table *t)
{
    if (!t->look.columns || t->rows == t->heads)
        return;
    leave_out(t, 0);
    leave_out(t, COLUMN_SAME);
    for (size_t k = 0; k < t->shown && is_too_wide(t); k++)
        if (t->widths[k] && cli_is_time(t->columns[k]->format))
            leave_out_date(t, k);
    shrink(t, true);
    leave_out(t, COLUMN_LESS);
    shrink(t, false);
}

/* What does not fit into the line is left out. */
static void draw_row(const struct table *t, const struct table_cell *cells,
                     struct buf *out)
{
    struct term_line line = term_begin(out, &t->look);

    for (size_t k = 0; k < t->shown; k++) {
        bool right = cli_is_number(t->columns[k]->format);

        if (t->widths[k] == 0)
            continue;
        if (line.column > 0)
            term_to(&line, line.column + GAP);
        term_paint(&line, cells[k].color);
        if (k + 1 == t->shown && !right)
            term_put(&line, text_of(t, &cells[k]));
        else
            term_cell(&line, text_of(t, &cells[k]), t->widths[k],
                      right ? TERM_RIGHT : TERM_LEFT);
        term_paint(&line, TERM_PLAIN);
    }
    term_end(&line);
}

void cli_table(struct buf *out, const struct cli_screen *screen, bool wide,
               const struct cli_column *columns, const json_t *rows, bool heads)
{
    struct table t = {.look = screen->look};

    if (wide)
        t.look.columns = 0;
    buf_init(&t.text, MAX_TEXT);
    choose_columns(&t, columns, wide);
    fill(&t, rows, heads);
    fit(&t);
    for (size_t i = 0; t.text.status == OK && i < t.rows; i++)
        draw_row(&t, t.cells + i * t.shown, out);
    free(t.cells);
    buf_release(&t.text);
}
