/* Texts, numbers and times of a copy; see mcp_shape.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mcp_shape.h"
#include "mcp_tool.h"
#include "slice.h"

enum { REMARK = 32, DIGITS = 4 };

static size_t characters(struct slice text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return n;
}

json_t *shape_text(const char *text, size_t len, size_t max, bool *shortened)
{
    struct slice whole = {text, len}, head;
    char remark[REMARK], *copy;
    json_t *made;
    int n;

    /* What the remark would replace may as well stay. */
    if (len <= max + REMARK)
        return json_stringn_nocheck(text, len);
    head = slice_truncate(whole, max);
    n = snprintf(remark, sizeof(remark), "…+%zu chars",
                 characters(slice_from(whole, head.len)));
    copy = malloc(head.len + (size_t)n);
    if (!copy)
        return NULL;
    slice_copy(copy, head);
    memcpy(copy + head.len, remark, (size_t)n);
    made = json_stringn_nocheck(copy, head.len + (size_t)n);
    free(copy);
    *shortened = true;
    return made;
}

json_t *shape_number(double value)
{
    char text[40];
    double rounded;

    if (!isfinite(value))
        return json_null();
    (void)snprintf(text, sizeof(text), "%.*g", DIGITS, value);
    rounded = strtod(text, NULL);
    if (fabs(rounded) < 1e15 && rounded == floor(rounded))
        return json_integer((json_int_t)rounded);
    return json_real(rounded);
}

json_t *shape_time(const char *text, size_t len, uint64_t *ns)
{
    char made[CLOCK_TEXT];

    if (len < sizeof("2026-11-30T12:00:00Z") - 1 || text[len - 1] != 'Z' ||
        !clock_parse_rfc3339((struct slice){text, len}, ns))
        return NULL;
    len = clock_format_rfc3339(made, *ns - *ns % NS_PER_MS);
    return json_stringn_nocheck(made, len);
}

struct measured {
    size_t len, escapes;
};

static int measure(const char *text, size_t len, void *arg)
{
    struct measured *m = arg;

    m->len += len;
    for (size_t i = 0; i < len; i++)
        m->escapes += text[i] == '"' || text[i] == '\\';
    return 0;
}

void shape_measure(const json_t *value, size_t *len, size_t *quoted_len)
{
    struct measured m = {0, 0};

    (void)json_dump_callback(value, measure, &m, MCP_DUMP);
    *len = m.len;
    *quoted_len = m.len + m.escapes + 2;
}
