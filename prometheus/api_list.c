/*
 * Answers that are lists: {"status":"success","data":[...],"warnings":[...]}.
 * In: items in the arena of the request. Out: pieces of JSON. And what all
 * answers have: labels, values, times.
 */
#include <math.h>

#include "api.h"
#include "decimal.h"

void api_write_labels(struct jsonw *w, const struct promql_labels *labels)
{
    jsonw_open(w, '{');
    for (uint32_t i = 0; i < labels->count; i++) {
        jsonw_text(w, labels->at[i].name);
        buf_byte(w->out, ':');
        w->comma = false;
        jsonw_text(w, labels->at[i].value);
    }
    jsonw_close(w, '}');
}

void api_write_value(struct jsonw *w, double v)
{
    char text[DECIMAL_TEXT];

    if (isnan(v))
        jsonw_text(w, SLICE("NaN"));
    else if (isinf(v))
        jsonw_text(w, v > 0 ? SLICE("+Inf") : SLICE("-Inf"));
    else
        jsonw_text(w, (struct slice){text, decimal_format(text, v)});
}

size_t api_format_time(char text[API_TIME], int64_t ms)
{
    uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    unsigned rest = (unsigned)(size % 1000);
    char digits[20], *at = text;
    size_t first = sizeof(digits);

    for (size /= 1000; size > 0 || first == sizeof(digits); size /= 10)
        digits[--first] = (char)('0' + size % 10);
    if (ms < 0)
        *at++ = '-';
    memcpy(at, digits + first, sizeof(digits) - first);
    at += sizeof(digits) - first;
    if (rest > 0) {
        *at++ = '.';
        *at++ = (char)('0' + rest / 100);
        *at++ = (char)('0' + rest / 10 % 10);
        *at++ = (char)('0' + rest % 10);
    }
    return (size_t)(at - text);
}

void api_write_time(struct jsonw *w, int64_t ms)
{
    char text[API_TIME];
    size_t len = api_format_time(text, ms);

    if (w->comma)
        buf_byte(w->out, ',');
    buf_add(w->out, (struct slice){text, len});
    w->comma = true;
}

static bool produce(void *arg, struct buf *out)
{
    struct api_list *list = arg;
    size_t end = out->len + QUERY_PIECE;
    struct jsonw w;

    jsonw_init(&w, out);
    if (!list->begun) {
        buf_add(out, SLICE("{\"status\":\"success\",\"data\":"));
        buf_byte(out, list->open);
        list->begun = true;
    }
    while (list->next < list->count && out->len < end && out->status == OK) {
        w.comma = list->next > 0;
        list->write(&w, list->items, list->next++);
    }
    if (list->next < list->count)
        return true;
    buf_byte(out, list->open == '[' ? ']' : '}');
    if (list->warning)
        buf_format(out, ",\"warnings\":[\"%s\"]", list->warning);
    buf_byte(out, '}');
    return false;
}

enum status api_answer_list(struct query_request *request,
                            const struct api_list *list)
{
    struct api_list *copy = arena_alloc(request->arena, sizeof(*copy));

    if (!copy)
        return arena_status(request->arena);
    *copy = *list;
    request->produce = produce;
    request->produce_arg = copy;
    return OK;
}
