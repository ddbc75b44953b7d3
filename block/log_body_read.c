/*
 * Reconstructing lines; the format is in log_body_write.c.
 */
#include <string.h>

#include "log_body.h"
#include "match.h"

/* ---- opening ---- */

static bool read_templates(struct body_reader *body)
{
    struct block *block = body->block;
    struct column_reader in = block_column(block, COL_TEMPLATE_TEXT);
    uint8_t coded = byte_reader_u8(&in.bytes);
    struct ints lens;
    struct slice heap;
    uint32_t variables = 0;

    column_ints_any(&in, &lens);
    heap = column_blob(&in);
    block_check(block, &in.bytes);
    if (block->status != OK || coded != 0 || lens.count > BODY_MAX_TEMPLATES)
        return block_fail(block, ERR_CORRUPT);
    body->template_count = lens.count;
    body->templates =
        block_alloc(block, lens.count + 1, sizeof(*body->templates));
    if (!body->templates)
        return false;
    for (uint32_t i = 1; i <= lens.count; i++) {
        struct body_template *template = &body->templates[i];
        uint64_t len = ints_at(&lens, i - 1);

        if (len > heap.len)
            return block_fail(block, ERR_CORRUPT);
        template->text = (struct slice){heap.ptr, len};
        template->first = variables;
        heap = slice_from(heap, len);
        for (size_t k = 0; k < len; k++)
            template->holes += template->text.ptr[k] == TEMPLATE_HOLE;
        variables += template->holes;
        if (variables > BODY_MAX_VARIABLES)
            return block_fail(block, ERR_CORRUPT);
    }
    body->variables = block_alloc(block, variables, sizeof(*body->variables));
    return block->status == OK;
}

struct body_reader *body_reader_open(struct block *block)
{
    struct body_reader *body = block->body;

    if (body || block->status != OK)
        return body;
    body = block_alloc(block, 1, sizeof(*body));
    if (!body)
        return NULL;
    body->block = block;
    body->row_template = block_ints(block, COL_TEMPLATE, block->count);
    body->rank = block_alloc(block, block->count, sizeof(*body->rank));
    if (!body->rank || !read_templates(body))
        return NULL;
    const uint64_t *templates = ints_all(body->row_template, block->arena);
    if (!templates) {
        block_fail(block, arena_status(block->arena));
        return NULL;
    }
    for (uint32_t row = 0; row < block->count; row++) {
        uint64_t t = templates[row];

        if (t > body->template_count) {
            block_fail(block, ERR_CORRUPT);
            return NULL;
        }
        body->rank[row] = body->templates[t].rows++;
    }
    body->values = block_texts(block, COL_BODY_VALUE, body->templates[0].rows);
    if (block->status == OK)
        block->body = body;
    return block->body;
}

/* ---- variables ---- */

/* The template of variable i. */
static const struct body_template *owner(const struct body_reader *body,
                                         uint32_t i)
{
    uint32_t low = 1, high = body->template_count + 1;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (body->templates[middle].first <= i)
            low = middle;
        else
            high = middle;
    }
    return &body->templates[low];
}

/* Bits of '0' to '9', and of 'a' to 'f' too. */
static const uint8_t decimal_set[32] = {[6] = 0xff, [7] = 0x03};
static const uint8_t hex_set[32] = {[6] = 0xff, [7] = 0x03, [12] = 0x7e};
static const uint8_t empty_set[32];

static void read_head(struct byte_reader *in, struct variable *variable)
{
    variable->kind = byte_reader_u8(in);
    if (variable->kind > VARIABLE_HEX)
        byte_reader_fail(in);
    if (variable->kind == VARIABLE_TEXT) {
        variable->charset = (const uint8_t *)byte_reader_bytes(in, 32).ptr;
        return;
    }
    variable->charset = variable->kind == VARIABLE_HEX ? hex_set : decimal_set;
    if (variable->kind == VARIABLE_NUMBER)
        return;
    variable->width = byte_reader_u8(in);
    if (variable->kind == VARIABLE_HEX ? variable->width % 2 != 0
                                       : variable->width > 20)
        byte_reader_fail(in);
}

static void read_values(struct column_reader *in, struct variable *variable,
                        uint32_t rows)
{
    struct slice bytes;

    if (variable->kind == VARIABLE_TEXT) {
        column_texts(in, rows, &variable->texts);
    } else if (variable->kind == VARIABLE_HEX) {
        bytes = column_blob(in);
        variable->hex = (const uint8_t *)bytes.ptr;
        if (bytes.len != (size_t)rows * variable->width / 2)
            byte_reader_fail(&in->bytes);
    } else {
        column_ints(in, rows, &variable->numbers);
    }
}

/* A variable that cannot be read becomes an empty text. */
static void forget(struct variable *variable)
{
    *variable =
        (struct variable){.opened = true, .loaded = true, .charset = empty_set};
}

struct variable *body_variable_head(struct body_reader *body, uint32_t i)
{
    struct variable *variable = &body->variables[i];

    if (variable->opened)
        return variable;
    variable->opened = true;
    variable->values = block_column(body->block, COL_VARIABLES + i);
    read_head(&variable->values.bytes, variable);
    block_check(body->block, &variable->values.bytes);
    if (variable->values.bytes.bad)
        forget(variable);
    return variable;
}

struct variable *body_variable(struct body_reader *body, uint32_t i)
{
    struct variable *variable = body_variable_head(body, i);

    if (variable->loaded)
        return variable;
    variable->loaded = true;
    read_values(&variable->values, variable, owner(body, i)->rows);
    block_check(body->block, &variable->values.bytes);
    if (variable->values.bytes.bad)
        forget(variable);
    return variable;
}

static uint32_t digits_of(uint64_t v)
{
    uint32_t digits = 1;

    for (; v > 9; v /= 10)
        digits++;
    return digits;
}

size_t variable_len(const struct variable *variable, uint32_t i)
{
    switch (variable->kind) {
    case VARIABLE_NUMBER:
        return digits_of(ints_at(&variable->numbers, i));
    case VARIABLE_DIGITS:
    case VARIABLE_HEX:
        return variable->width;
    default:
        return texts_at(&variable->texts, i).len;
    }
}

void variable_write(const struct variable *variable, uint32_t i, char *to,
                    size_t len)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t v;

    switch (variable->kind) {
    case VARIABLE_NUMBER:
    case VARIABLE_DIGITS:
        v = ints_at(&variable->numbers, i);
        for (size_t k = len; k-- > 0; v /= 10)
            to[k] = (char)('0' + v % 10);
        break;
    case VARIABLE_HEX:
        for (size_t k = 0; k < len; k += 2) {
            uint8_t byte = variable->hex[(i * len + k) / 2];

            to[k] = hex[byte >> 4];
            to[k + 1] = hex[byte & 15];
        }
        break;
    default:
        slice_copy(to, texts_at(&variable->texts, i));
    }
}

/* ---- lines ---- */

static size_t line_len(struct body_reader *body,
                       const struct body_template *template, uint32_t rank)
{
    size_t len = template->text.len - template->holes;

    for (uint32_t k = 0; k < template->holes; k++)
        len += variable_len(body_variable(body, template->first + k), rank);
    return len;
}

static void write_line(struct body_reader *body,
                       const struct body_template *template, uint32_t rank,
                       char *to)
{
    struct slice text = template->text;

    for (uint32_t k = 0; k < template->holes; k++) {
        const struct variable *variable = &body->variables[template->first + k];
        const char *hole = memchr(text.ptr, TEMPLATE_HOLE, text.len);
        size_t len = (size_t)(hole - text.ptr);

        slice_copy(to, (struct slice){text.ptr, len});
        to += len;
        text = slice_from(text, len + 1);
        len = variable_len(variable, rank);
        variable_write(variable, rank, to, len);
        to += len;
    }
    slice_copy(to, text);
}

/* A body that is not text. */
static void get_value(struct body_reader *body, uint32_t row,
                      struct attr *value)
{
    struct slice bytes = texts_at(body->values, body->rank[row]);
    struct byte_reader in = byte_reader_over(bytes);

    attr_value_read(&in, body->block->arena, ATTR_FORM_BLOCK, value);
    block_check(body->block, &in);
}

void body_reader_get(struct body_reader *body, uint32_t row, struct attr *value)
{
    uint64_t t = ints_at(body->row_template, row);
    size_t len;
    char *line;

    *value = (struct attr){.key = ""};
    if (t == 0) {
        get_value(body, row, value);
        return;
    }
    len = line_len(body, &body->templates[t], body->rank[row]);
    line = len <= UINT32_MAX ? arena_alloc(body->block->arena, len) : NULL;
    if (!line) {
        block_fail(body->block, ERR_TOO_BIG);
        return;
    }
    write_line(body, &body->templates[t], body->rank[row], line);
    value->type = VALUE_STRING;
    value->str = line;
    value->len = (uint32_t)len;
}

/* Memory for a line, reused by the next. */
static char *line_room(struct body_reader *body, size_t len)
{
    if (len > body->line_room) {
        size_t room = 2 * len > 512 ? 2 * len : 512;

        body->line = arena_alloc(body->block->arena, room);
        body->line_room = body->line ? room : 0;
        if (!body->line)
            block_fail(body->block, arena_status(body->block->arena));
    }
    return body->line;
}

static struct slice value_line(struct body_reader *body, uint32_t row)
{
    struct attr value = {.key = ""};
    struct slice shown;
    struct buf out;
    char *to;

    get_value(body, row, &value);
    buf_init(&out, 64 << 20);
    match_show(&out, &value);
    shown = buf_slice(&out);
    to = line_room(body, shown.len);
    if (to)
        slice_copy(to, shown);
    shown.ptr = to;
    buf_release(&out);
    return to ? shown : (struct slice){NULL, 0};
}

struct slice body_line(struct body_reader *body, uint32_t row)
{
    uint64_t t = ints_at(body->row_template, row);
    size_t len;
    char *to;

    if (t == 0)
        return value_line(body, row);
    len = line_len(body, &body->templates[t], body->rank[row]);
    to = line_room(body, len);
    if (!to)
        return (struct slice){NULL, 0};
    write_line(body, &body->templates[t], body->rank[row], to);
    return (struct slice){to, len};
}
