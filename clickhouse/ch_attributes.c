#include "ch_attributes.h"

#include <math.h>

#include "base64.h"
#include "decimal.h"
#include "jsonw.h"
#include "utf8.h"

/* ---- texts ---- */

static struct slice not_finite(double v)
{
    return isnan(v) ? SLICE("NaN") : v > 0 ? SLICE("+Inf") : SLICE("-Inf");
}

/* As decimal_format(), with Go's exponents: 1e-7, not 1e-07. */
static size_t format_double(char text[DECIMAL_TEXT], double v)
{
    size_t len = decimal_format(text, v);

    if (len > 4 && text[len - 4] == 'e' && text[len - 3] == '-' &&
        text[len - 2] == '0') {
        text[len - 2] = text[len - 1];
        len--;
    }
    return len;
}

/* Text inside JSON: itself, or in base64 what is not UTF-8. */
static void json_bytes_or_text(struct jsonw *w, struct slice text)
{
    if (utf8_valid(text))
        jsonw_text(w, text);
    else
        jsonw_base64(w, text);
}

static void json_value(struct jsonw *w, const struct attr *value)
{
    char text[DECIMAL_TEXT];

    switch ((enum value_type)value->type) {
    case VALUE_STRING:
        json_bytes_or_text(w, attr_text(value));
        break;
    case VALUE_DOUBLE:
        if (isfinite(value->d))
            jsonw_raw(w, (struct slice){text, format_double(text, value->d)});
        else
            jsonw_text(w, not_finite(value->d));
        break;
    case VALUE_ARRAY:
        jsonw_open(w, '[');
        for (uint32_t i = 0; i < value->len; i++)
            json_value(w, &value->items[i]);
        jsonw_close(w, ']');
        break;
    case VALUE_MAP:
        jsonw_open(w, '{');
        for (uint32_t i = 0; i < value->len; i++) {
            json_bytes_or_text(w, attr_key(&value->items[i]));
            buf_byte(w->out, ':');
            w->comma = false;
            json_value(w, &value->items[i]);
        }
        jsonw_close(w, '}');
        break;
    case VALUE_EMPTY:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_BYTES:
        jsonw_value(w, value);
        break;
    }
}

static void double_text(struct buf *out, double v)
{
    char *to = buf_room(out, DECIMAL_TEXT);

    if (!isfinite(v)) {
        buf_add(out, SLICE(CH_NOT_FINITE));
        buf_add(out, not_finite(v));
    } else if (to) {
        buf_grown(out, format_double(to, v));
    }
}

static void bytes_text(struct buf *out, struct slice bytes)
{
    char *to = buf_room(out, base64_len(bytes.len));

    if (!to)
        return;
    base64_write(to, bytes);
    buf_grown(out, base64_len(bytes.len));
}

struct slice ch_value_text(const struct attr *value, struct buf *scratch)
{
    struct jsonw w;

    if (value->type == VALUE_STRING)
        return attr_text(value);
    buf_reset(scratch);
    jsonw_init(&w, scratch);
    switch ((enum value_type)value->type) {
    case VALUE_DOUBLE:
        double_text(scratch, value->d);
        break;
    case VALUE_BYTES:
        bytes_text(scratch, (struct slice){value->str, value->len});
        break;
    case VALUE_EMPTY:
    case VALUE_STRING:
        break;
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_ARRAY:
    case VALUE_MAP:
        json_value(&w, value);
        break;
    }
    return scratch->status == OK ? buf_slice(scratch) : (struct slice){NULL, 0};
}

/* ---- types ---- */

static const char letters[] = {
    [VALUE_EMPTY] = 'e', [VALUE_STRING] = 's', [VALUE_BOOL] = 'b',
    [VALUE_INT] = 'i',   [VALUE_DOUBLE] = 'd', [VALUE_BYTES] = 'y',
    [VALUE_ARRAY] = 'a', [VALUE_MAP] = 'm',
};

static void add_count(struct buf *out, uint32_t count)
{
    buf_format(out, "%u;", count);
}

static void add_type(struct buf *out, const struct attr *value, bool nested)
{
    char letter = letters[value->type];

    if (nested && letter == 's' && !utf8_valid(attr_text(value)))
        letter = 'r';
    buf_byte(out, letter);
    if (letter != 'a' && letter != 'm')
        return;
    add_count(out, value->len);
    for (uint32_t i = 0; i < value->len; i++) {
        if (letter == 'm' && !utf8_valid(attr_key(&value->items[i])))
            buf_byte(out, 'k');
        add_type(out, &value->items[i], true);
    }
}

static void trim(struct buf *out, size_t from)
{
    while (out->status == OK && out->len > from &&
           out->ptr[out->len - 1] == 's')
        out->len--;
}

void ch_value_types(struct buf *out, const struct attr *value)
{
    size_t from = out->len;

    add_type(out, value, false);
    trim(out, from);
}

void ch_attributes_types(struct buf *out, const struct attrs *attrs)
{
    uint32_t count = attrs->count;
    size_t from = out->len;

    if (attrs->dropped > 0)
        add_count(out, attrs->dropped);
    while (count > 0 && attrs->at[count - 1].type == VALUE_STRING)
        count--;
    for (uint32_t i = 0; i < count; i++)
        add_type(out, &attrs->at[i], false);
    trim(out, from);
}
