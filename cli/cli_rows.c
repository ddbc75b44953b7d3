/* Rows as CSV and as lines of JSON, and what is printed at all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli_table.h"
#include "utf8.h"

enum { MAX_PRINTED = 1 << 30 };

void cli_print_buf(struct buf *out)
{
    if (out->status != OK)
        fputs("callboard: the answer is too large to print\n", stderr);
    else if (out->len > 0)
        (void)fwrite(out->ptr, 1, out->len, stdout);
}

/* ---- CSV ---- */

/* Spreadsheets run what begins so. */
static bool is_formula(struct slice text)
{
    return text.len > 0 && strchr("=+-@\t\r", text.ptr[0]) != NULL;
}

static void csv_text(struct buf *out, struct slice text)
{
    bool quoted = is_formula(text);

    for (size_t i = 0; i < text.len; i++)
        quoted |= strchr(",\"\r\n", text.ptr[i]) != NULL;
    buf_add(out, quoted ? SLICE("\"") : SLICE(""));
    buf_add(out, is_formula(text) ? SLICE("'") : SLICE(""));
    for (size_t i = 0; i < text.len; i++) {
        buf_byte(out, text.ptr[i]);
        if (text.ptr[i] == '"')
            buf_byte(out, '"');
    }
    buf_add(out, quoted ? SLICE("\"") : SLICE(""));
}

void cli_csv_value(struct buf *out, const json_t *value)
{
    char *text;

    if (!value || json_is_null(value))
        return;
    if (json_is_string(value)) {
        csv_text(out, (struct slice){json_string_value(value),
                                     json_string_length(value)});
        return;
    }
    text = json_dumps(value,
                      JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    if (text && json_is_number(value))
        buf_add(out, slice_of(text));
    else if (text)
        csv_text(out, slice_of(text));
    free(text);
}

static void csv_head(struct buf *out, const struct cli_column *columns)
{
    for (const struct cli_column *c = columns; c->head; c++) {
        buf_add(out, c > columns ? SLICE(",") : SLICE(""));
        buf_add(out, (struct slice){c->path, strcspn(c->path, "|")});
    }
    buf_add(out, SLICE("\r\n"));
}

static void csv_row(struct buf *out, const struct cli_column *columns,
                    const json_t *row)
{
    for (const struct cli_column *c = columns; c->head; c++) {
        buf_add(out, c > columns ? SLICE(",") : SLICE(""));
        cli_csv_value(out, cli_at(row, c->path));
    }
    buf_add(out, SLICE("\r\n"));
}

/* ---- JSON ---- */

/* In a string of JSON, where such characters only stand in valid JSON, they
 * may as well be written as \uXXXX. */
static void add_harmless(struct buf *out, struct slice json)
{
    const uint8_t *at = (const uint8_t *)json.ptr, *end = at + json.len;

    while (at < end) {
        uint32_t c = 0;
        size_t len = utf8_decode(at, end, &c);

        if (len == 0)
            len = 1;
        if (c >= 0x7f && c <= 0xffff && term_is_control(c))
            buf_format(out, "\\u%04x", (unsigned)c);
        else if (c >= 0x20 || c == '\n' || c == '\r' || c == '\t')
            buf_add(out, (struct slice){(const char *)at, len});
        at += len;
    }
}

void cli_print_raw(const struct cli_screen *screen, struct slice json)
{
    struct buf out;

    buf_init(&out, MAX_PRINTED);
    if (screen->tty)
        add_harmless(&out, json);
    else
        buf_add(&out, json);
    if (json.len > 0 && json.ptr[json.len - 1] != '\n')
        buf_byte(&out, '\n');
    cli_print_buf(&out);
    buf_release(&out);
}

static void json_row(struct buf *out, const struct cli_screen *screen,
                     const json_t *row)
{
    char *text = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(15));

    if (text && screen->tty)
        add_harmless(out, slice_of(text));
    else if (text)
        buf_add(out, slice_of(text));
    buf_byte(out, '\n');
    free(text);
}

/* ---- any of them ---- */

void cli_print_rows(const struct cli_call *call,
                    const struct cli_column *columns, const json_t *rows,
                    bool heads)
{
    static const struct term_look uncut = {.columns = 0};
    struct buf out, line;

    heads = heads && !call->given.of[OPT_NO_HEADERS];
    buf_init(&out, MAX_PRINTED);
    buf_init(&line, MAX_PRINTED);
    if (call->output == OUTPUT_TABLE || call->output == OUTPUT_WIDE)
        cli_table(&out, &call->screen, call->output == OUTPUT_WIDE, columns,
                  rows, heads);
    else if (call->output == OUTPUT_CSV && heads)
        csv_head(&out, columns);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (call->output == OUTPUT_JSONL)
            json_row(&out, &call->screen, row);
        else if (call->output == OUTPUT_CSV)
            csv_row(call->screen.tty ? &line : &out, columns, row);
        if (line.len > 0) {
            struct term_line clean = term_begin(&out, &uncut);

            term_put(&clean, (struct slice){line.ptr, line.len - 2});
            buf_add(&out, SLICE("\r\n"));
            buf_reset(&line);
        }
    }
    cli_print_buf(&out);
    buf_release(&line);
    buf_release(&out);
}
