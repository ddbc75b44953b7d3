/*
 * log_body - the bodies of log records as columns; for block_*.c only.
 */
#ifndef LOG_BODY_H
#define LOG_BODY_H

#include "block_columns.h"
#include "template.h"

enum {
    BODY_MAX_TEMPLATES = 2048,
    BODY_MAX_VARIABLES = 8192, /* of all templates */
};

/* How the values of a variable are stored; part of the format. */
enum variable_kind {
    VARIABLE_TEXT,
    VARIABLE_NUMBER, /* decimal without leading zeros */
    VARIABLE_DIGITS, /* decimal, all of one width */
    VARIABLE_HEX,    /* lower case, all of one even width */
};

/* ---- writing ---- */

struct body_writer {
    struct block_builder *out;
    struct template_split *split;
    struct summary_writer *summary;
    struct dict templates; /* in order of arrival */
    struct numbers row_template, row_first;
    struct slice *lines, *vars;
    uint32_t var_count, var_room;
    uint32_t rows;
    struct body_plan *plan;
    struct text_column values; /* of rows whose body is not text */
};

void body_writer_init(struct body_writer *body, struct block_builder *out,
                      struct template_split *split,
                      struct summary_writer *summary, uint32_t rows);
void body_writer_add(struct body_writer *body, const struct attr *value);
/* Writes the columns of rows and templates, then those of variables; other
 * columns may be between. */
void body_writer_put_rows(struct body_writer *body);
void body_writer_put_variables(struct body_writer *body);

/* ---- reading ---- */

struct variable {
    bool opened, loaded; /* head; values */
    uint8_t kind;
    uint32_t width;
    const uint8_t *charset; /* 32 bytes, a bit per byte value that occurs */
    struct column_reader values;
    const uint8_t *hex;
    struct ints numbers;
    struct texts texts;
};

struct body_template {
    struct slice text;
    uint32_t holes, first; /* its variables */
    uint32_t rows;
};

struct body_reader {
    struct block *block;
    struct ints *row_template; /* 0: the body is not text */
    uint32_t template_count;
    struct body_template *templates; /* by number, from 1 on */
    struct variable *variables;
    uint32_t *rank; /* of a row among those of its template */
    struct texts *values;
    char *line;
    size_t line_room;
};

/* NULL, and the block has failed, if it is damaged. */
struct body_reader *body_reader_open(struct block *block);

/* Variable i with its values, or with kind, width and charset only. */
struct variable *body_variable(struct body_reader *body, uint32_t i);
struct variable *body_variable_head(struct body_reader *body, uint32_t i);

/* The text of value i of a loaded variable: its length, its bytes. */
size_t variable_len(const struct variable *variable, uint32_t i);
void variable_write(const struct variable *variable, uint32_t i, char *to,
                    size_t len);

/* The text form of the row's body; valid until the next call. */
struct slice body_line(struct body_reader *body, uint32_t row);

/* The row's body, in the block's arena. */
void body_reader_get(struct body_reader *body, uint32_t row,
                     struct attr *value);

/* Clears the rows without the phrase and words in the bitmap. */
void body_reader_match(struct body_reader *body, const struct log_query *query,
                       uint64_t *rows);

#endif
