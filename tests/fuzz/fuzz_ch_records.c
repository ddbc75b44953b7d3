/*
 * Rows of log records and spans from ClickHouse. Whatever bytes come, reading
 * stays inside of them and of the arena, and what was read has valid parts.
 * Input: what is read (bit 0: spans, bit 1: in full), where the answer is cut,
 * the answer.
 */
#include <stdlib.h>

#include "ch_log_rows.h"
#include "ch_span_rows.h"
#include "store_resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 1 << 24 };

struct records {
    union {
        struct ch_log_row log;
        struct ch_span_row span;
    } row; /* the first */
    bool spans;
    struct arena arena;
    struct ch_resource_ids ids;
    uint64_t read; /* bytes of all texts, so that they are read */
};

static uint32_t find(void *arg, uint64_t key)
{
    (void)arg;
    return (uint32_t)key;
}

static void read_text(struct records *r, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        r->read += (uint8_t)text.ptr[i];
}

static void read_attrs(struct records *r, const struct attrs *attrs)
{
    for (uint32_t i = 0; i < attrs->count; i++) {
        read_text(r, attr_key(&attrs->at[i]));
        read_text(r, attr_text(&attrs->at[i]));
        if (attrs->at[i].type == VALUE_ARRAY || attrs->at[i].type == VALUE_MAP)
            read_attrs(
                r, &(struct attrs){attrs->at[i].items, attrs->at[i].len, 0});
    }
}

static void read_span(struct records *r, const struct span *span)
{
    read_text(r, span->name);
    read_attrs(r, &span->attrs);
    if (span->kind > SPAN_CONSUMER || span->status > SPAN_ERROR ||
        span->end_ns < span->start_ns || span->event_count > SPAN_MAX_EVENTS ||
        span->link_count > SPAN_MAX_EVENTS)
        abort();
    for (uint32_t i = 0; i < span->event_count; i++) {
        read_text(r, span->events[i].name);
        read_attrs(r, &span->events[i].attrs);
    }
    for (uint32_t i = 0; i < span->link_count; i++)
        read_attrs(r, &span->links[i].attrs);
}

static enum status take(void *arg)
{
    struct records *r = arg;
    struct log_record log;
    struct span span;
    enum status status;

    arena_reset(&r->arena);
    if (r->spans) {
        status = ch_span_take(&r->row.span, &r->ids, &r->arena, &span);
        if (status == OK)
            read_span(r, &span);
        return status;
    }
    status = ch_log_take(&r->row.log, &r->ids, &r->arena, &log);
    if (status == OK) {
        if (log.level >= LEVEL_COUNT)
            abort();
        read_text(r, attr_text(&log.body));
        read_attrs(r, &log.attrs);
    }
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct store_resources resources = {.find = find};
    struct records r = {.ids = {.resources = &resources}};
    struct ch_rows rows = {.take = take, .arg = &r};
    size_t cut;

    if (size < 2)
        return 0;
    r.spans = data[0] & 1;
    rows.decode = r.spans ? ch_span_decode : ch_log_decode;
    if (r.spans)
        r.row.span.whole = data[0] >> 1 & 1;
    else
        r.row.log.brief = !(data[0] >> 1 & 1);
    arena_init(&r.arena, NULL, CAP);
    cut = data[1] < size - 2 ? data[1] : size - 2;
    ch_rows_begin(&rows, NULL);
    enum status status =
        ch_rows_add(&rows, (struct slice){(const char *)data + 2, cut});
    if (status == OK)
        status = ch_rows_add(&rows, (struct slice){(const char *)data + 2 + cut,
                                                   size - 2 - cut});
    if (status == OK)
        (void)!ch_rows_end(&rows);
    ch_rows_release(&rows);
    arena_release(&r.arena);
    return 0;
}
