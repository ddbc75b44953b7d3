/*
 * The bodies of a block. A line is split into a template and variables
 * (template.h); each template is stored once, and each of its holes is a column
 * over the rows of the template:
 *
 *   COL_TEMPLATE       ints, per row: 0 not a text, else template + 1
 *   COL_TEMPLATE_TEXT  texts: the templates, holes as TEMPLATE_HOLE
 *   COL_BODY_VALUE     dictionary texts, values each (attr_codec.h): the rows
 *                      that are no text
 *   COL_VARIABLES + i  variable i, counted through all templates: its kind
 *                      (u8, enum variable_kind), then
 *       TEXT    bitmap of the bytes that occur, 32 bytes; dictionary texts
 *       NUMBER  ints
 *       DIGITS  width u8, ints
 *       HEX     width u8, blob of width / 2 bytes per row
 *
 * Values are in the order of the rows of their template. A template with few
 * rows gets no columns: its whole lines are values of the template that is one
 * hole. That also limits the tables that senders can cause.
 */
#include "log_body.h"

#include <string.h>

#include "match.h"

enum { WORTH_ROWS = 4, MAX_DIGITS = 18, MAX_HEX = 64 };

static const char hole = TEMPLATE_HOLE;

void body_writer_init(struct body_writer *body, struct block_builder *out,
                      struct template_split *split,
                      struct summary_writer *summary, uint32_t rows)
{
    struct scratch *scratch = &out->scratch;

    *body = (struct body_writer){
        .out = out, .split = split, .summary = summary, .rows = rows};
    dict_init(&body->templates, scratch);
    dict_add(&body->templates, (struct slice){&hole, 1}); /* 0: whole lines */
    text_column_init(&body->values, scratch, 0);
    body->lines = scratch_alloc(scratch, rows * sizeof(*body->lines));
}

/* True if no word crosses the edge of a hole: then words can be searched in
 * constant text and variables separately. */
static bool is_clean(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != TEMPLATE_HOLE)
            continue;
        if (i > 0 && (text.ptr[i - 1] == TEMPLATE_HOLE ||
                      match_fold[(uint8_t)text.ptr[i - 1]]))
            return false;
        if (i + 1 < text.len && match_fold[(uint8_t)text.ptr[i + 1]])
            return false;
    }
    return true;
}

static void add_vars(struct body_writer *body, const struct slice *vars,
                     uint32_t count)
{
    struct slice *at = scratch_append(&body->out->scratch, &body->vars,
                                      body->var_count, &body->var_room, count);

    for (uint32_t i = 0; i < count; i++)
        at[i] = vars[i];
    body->var_count += count;
}

/* The number of the template of the line just split. */
static uint32_t template_of(struct body_writer *body)
{
    struct template_split *split = body->split;
    uint32_t code =
        dict_add(&body->templates, (struct slice){split->text, split->len});

    body->templates.unique = false; /* a template must be found again */
    return code;
}

static void add_value(struct body_writer *body, const struct attr *value)
{
    struct buf *out = &body->out->value;
    uint32_t known = body->values.dict.count;

    buf_reset(out);
    attr_value_write(out, value, ATTR_FORM_BLOCK);
    text_column_add(&body->values, buf_slice(out));
    if (body->values.dict.count == known)
        return;
    buf_reset(out);
    match_show(out, value);
    summary_add_words(body->summary, buf_slice(out));
    summary_add_trigrams(body->summary, buf_slice(out));
}

void body_writer_add(struct body_writer *body, const struct attr *value)
{
    struct scratch *scratch = &body->out->scratch;
    uint32_t row = body->row_template.count;
    uint32_t code;

    numbers_add(scratch, &body->row_first, body->var_count);
    if (value->type != VALUE_STRING) {
        body->lines[row] = (struct slice){NULL, 0};
        numbers_add(scratch, &body->row_template, 0);
        add_value(body, value);
        return;
    }
    body->lines[row] = (struct slice){value->str, value->len};
    template_split(body->lines[row], body->split);
    code = template_of(body);
    add_vars(body, body->split->vars, body->split->var_count);
    numbers_add(scratch, &body->row_template, (uint64_t)code + 1);
}

/* ---- variables ---- */

/* Reads a decimal number, with leading zeros or without. */
static inline bool read_digits(struct slice text, uint64_t *v)
{
    uint64_t sum = 0;

    if (text.len == 0 || text.len > MAX_DIGITS)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned)(uint8_t)text.ptr[i] - '0';

        if (digit > 9)
            return false;
        sum = sum * 10 + digit;
    }
    *v = sum;
    return true;
}

/* NUMBER or DIGITS if all texts are, with the numbers in v; else TEXT. */
static enum variable_kind as_numbers(const struct slice *texts, uint32_t count,
                                     uint64_t *v)
{
    bool plain = true, same = true;

    for (uint32_t i = 0; i < count; i++) {
        if (!read_digits(texts[i], &v[i]))
            return VARIABLE_TEXT;
        plain &= texts[i].ptr[0] != '0' || texts[i].len == 1;
        same &= texts[i].len == texts[0].len;
        if (!plain && !same)
            return VARIABLE_TEXT;
    }
    return plain ? VARIABLE_NUMBER : VARIABLE_DIGITS;
}

static unsigned hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

/* Decodes the texts if all are hexadecimal of one even width, else NULL. */
static char *as_hex(struct scratch *scratch, const struct slice *texts,
                    uint32_t count)
{
    size_t width = texts[0].len;
    char *bytes, *to;

    if (width % 2 || width < 6 || width > MAX_HEX)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (texts[i].len != width)
            return NULL;
        for (size_t k = 0; k < width; k++)
            if (hex_digit(texts[i].ptr[k]) > 15)
                return NULL;
    }
    bytes = to = scratch_alloc(scratch, count * width / 2);
    for (uint32_t i = 0; i < count; i++)
        for (size_t k = 0; k < width; k += 2)
            *to++ = (char)(uint8_t)(hex_digit(texts[i].ptr[k]) << 4 |
                                    hex_digit(texts[i].ptr[k + 1]));
    return bytes;
}

static void put_charset(struct buf *out, const struct dict *dict)
{
    uint8_t set[32] = {0};

    for (uint32_t i = 0; i < dict->count; i++)
        for (size_t k = 0; k < dict->texts[i].len; k++) {
            uint8_t c = (uint8_t)dict->texts[i].ptr[k];

            set[c / 8] |= (uint8_t)(1U << (c & 7));
        }
    buf_add(out, (struct slice){(const char *)set, sizeof(set)});
}

/* Writes one variable's column; v has room for count numbers. */
static void put_variable(struct body_writer *body, uint32_t id,
                         const struct slice *texts, uint32_t count, uint64_t *v)
{
    struct block_builder *out = body->out;
    enum variable_kind kind = as_numbers(texts, count, v);
    struct dict dict;
    char *hex;

    block_builder_begin(out, id);
    if (kind != VARIABLE_TEXT) {
        buf_byte(&out->current, (char)kind);
        if (kind == VARIABLE_DIGITS)
            buf_byte(&out->current, (char)texts[0].len);
        column_put_ints(&out->column, v, count, INTS_AUTO);
        block_builder_end(out);
        return;
    }
    dict_init(&dict, &out->scratch);
    for (uint32_t i = 0; i < count; i++)
        v[i] = dict_add(&dict, texts[i]);
    hex = dict.count > count / 2 ? as_hex(&out->scratch, texts, count) : NULL;
    if (hex) {
        buf_byte(&out->current, VARIABLE_HEX);
        buf_byte(&out->current, (char)texts[0].len);
        column_put_blob(&out->column,
                        (struct slice){hex, count * texts[0].len / 2});
    } else {
        buf_byte(&out->current, VARIABLE_TEXT);
        put_charset(&out->current, &dict);
        column_put_dict(&out->column, &dict, v, count, false);
    }
    block_builder_end(out);
}

/* ---- finishing ---- */

struct body_plan {
    uint32_t *number;    /* from template to written template */
    uint32_t *rows;      /* per template written */
    uint32_t *order;     /* rows, by template */
    struct slice *texts; /* of templates written */
    uint32_t count;
};

/* Chooses the templates to write; the rows of others go to number 0. */
static void choose(struct body_writer *body, struct body_plan *plan)
{
    struct scratch *scratch = &body->out->scratch;
    const struct dict *all = &body->templates;
    uint32_t *rows = scratch_zero(scratch, all->count, sizeof(*rows));
    uint32_t variables = 1;

    for (uint32_t row = 0; row < body->rows; row++)
        if (body->row_template.at[row])
            rows[body->row_template.at[row] - 1]++;
    plan->number = scratch_zero(scratch, all->count, sizeof(*plan->number));
    plan->texts =
        scratch_alloc(scratch, BODY_MAX_TEMPLATES * sizeof(*plan->texts));
    plan->texts[0] = all->texts[0];
    plan->count = 1;
    for (uint32_t i = 1; i < all->count; i++) {
        uint32_t holes = 0;

        for (size_t k = 0; k < all->texts[i].len; k++)
            holes += all->texts[i].ptr[k] == TEMPLATE_HOLE;
        if (rows[i] < WORTH_ROWS || plan->count == BODY_MAX_TEMPLATES ||
            variables + holes > BODY_MAX_VARIABLES || !is_clean(all->texts[i]))
            continue;
        variables += holes;
        plan->number[i] = plan->count;
        plan->texts[plan->count++] = all->texts[i];
    }
}

static void sort_rows_by_template(struct body_writer *body,
                                  struct body_plan *plan)
{
    struct scratch *scratch = &body->out->scratch;
    uint32_t at = 0,
             *next = scratch_alloc(scratch, plan->count * sizeof(*next));

    plan->rows = scratch_zero(scratch, plan->count, sizeof(*plan->rows));
    plan->order = scratch_alloc(scratch, body->rows * sizeof(*plan->order));
    for (uint32_t row = 0; row < body->rows; row++) {
        uint64_t *number = &body->row_template.at[row];

        if (*number == 0)
            continue;
        *number = plan->number[*number - 1] + 1U;
        plan->rows[*number - 1]++;
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        next[i] = at;
        at += plan->rows[i];
    }
    for (uint32_t row = 0; row < body->rows; row++)
        if (body->row_template.at[row])
            plan->order[next[body->row_template.at[row] - 1]++] = row;
}

/* Adds words and trigrams of a variable, with its neighbours in the line. */
static void summarize(struct summary_writer *summary, struct slice line,
                      struct slice var)
{
    size_t before = (size_t)(var.ptr - line.ptr);
    size_t after = line.len - before - var.len;

    summary_add_words(summary, var);
    before = before < 2 ? before : 2;
    after = after < 2 ? after : 2;
    summary_add_trigrams(
        summary, (struct slice){var.ptr - before, before + var.len + after});
}

static void summarize_template(struct summary_writer *summary,
                               struct slice text)
{
    summary_add_words(summary, text);
    while (text.len > 0) {
        const char *end = memchr(text.ptr, TEMPLATE_HOLE, text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;

        summary_add_trigrams(summary, (struct slice){text.ptr, len});
        text = slice_from(text, end ? len + 1 : len);
    }
}

/* Writes the columns of template i, which has these rows; returns how many. */
static uint32_t put_variables(struct body_writer *body,
                              const struct body_plan *plan, uint32_t i,
                              const uint32_t *rows, uint32_t id)
{
    uint32_t count = plan->rows[i], holes = 0;
    struct scratch *scratch = &body->out->scratch;
    struct scratch_mark mark = scratch_mark(scratch);
    struct slice *texts = scratch_alloc(scratch, count * sizeof(*texts));
    uint64_t *v = scratch_alloc(scratch, count * sizeof(*v));

    for (size_t k = 0; k < plan->texts[i].len; k++) {
        if (plan->texts[i].ptr[k] != TEMPLATE_HOLE)
            continue;
        for (uint32_t row = 0; row < count; row++) {
            struct slice line = body->lines[rows[row]];

            texts[row] =
                i == 0 ? line
                       : body->vars[body->row_first.at[rows[row]] + holes];
            summarize(body->summary, line, texts[row]);
        }
        put_variable(body, id + holes++, texts, count, v);
    }
    scratch_rewind(scratch, mark);
    return holes;
}

void body_writer_put_rows(struct body_writer *body)
{
    struct block_builder *out = body->out;
    struct body_plan *plan = scratch_alloc(&out->scratch, sizeof(*plan));

    choose(body, plan);
    sort_rows_by_template(body, plan);
    text_column_put(&body->values, out, COL_BODY_VALUE);
    block_builder_ints(out, COL_TEMPLATE, body->row_template.at, body->rows,
                       INTS_PLAIN);
    block_builder_begin(out, COL_TEMPLATE_TEXT);
    column_put_texts(&out->column, plan->texts, plan->count);
    block_builder_end(out);
    body->plan = plan;
}

void body_writer_put_variables(struct body_writer *body)
{
    const struct body_plan *plan = body->plan;
    const uint32_t *rows = plan->order;
    uint32_t id = COL_VARIABLES;

    for (uint32_t i = 0; i < plan->count; i++) {
        if (i > 0)
            summarize_template(body->summary, plan->texts[i]);
        id += put_variables(body, plan, i, rows, id);
        rows += plan->rows[i];
    }
}
