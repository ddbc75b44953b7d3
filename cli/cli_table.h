/*
 * cli_table - rows of an answer as a table, as CSV, or as a line of JSON each.
 * A verb describes its columns once.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli_format.h"
#include "cli_verbs.h"

struct cli_column {
    const char *head; /* NULL: after the last column */
    const char *path; /* of cli_at(); the head in CSV */
    enum cli_format format;
    unsigned flags;
};

enum {
    COLUMN_WIDE = 1, /* only with -o wide, and in CSV */
    COLUMN_LONG = 2, /* of any length: cut before others if it must fit */
    COLUMN_SAME = 4, /* left out if it must fit and all rows have one value */
    COLUMN_LESS = 8, /* left out before others become very short */
    COLUMN_ID = 16   /* never cut: it is copied */
};

/* Rows as call->output says; heads: before the first rows. What is printed as
 * JSON is not printed here. */
void cli_print_rows(const struct cli_call *call,
                    const struct cli_column *columns, const json_t *rows,
                    bool heads);

/* One table into memory, whatever the output. */
void cli_table(struct buf *out, const struct cli_screen *screen, bool wide,
               const struct cli_column *columns, const json_t *rows,
               bool heads);
/* One value of CSV: RFC 4180. A text that a spreadsheet would take for a
 * formula gets an apostrophe in front. */
void cli_csv_value(struct buf *out, const json_t *value);

/* The answer's bytes to standard output; on a terminal without characters that
 * it would obey. */
void cli_print_raw(const struct cli_screen *screen, struct slice json);
/* Bytes that cli_table() and others have made. */
void cli_print_buf(struct buf *out);

#endif
