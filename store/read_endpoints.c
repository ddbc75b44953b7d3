/*
 * A log record takes the endpoint of its span. The ids wanted go into a small
 * table; spans in memory are looked up in it, then blocks of spans whose time
 * covers a record still without one and whose filter may know its trace.
 * A bounded number of blocks is looked at: a page of logs must stay quick, and
 * an endpoint that is not known is an ordinary answer.
 */
#include "hash.h"
#include "reader.h"

enum { MAX_SUMMARIES = 64, MAX_OPENED = 8 };

/* How long after its span has ended a record may still belong to it, and how
 * far clocks of one trace may differ. */
#define LATE_NS (60 * NS_PER_S)
#define SKEW_NS NS_PER_S

struct endpoint_lookup {
    struct log_record **slots; /* by span id; at least half are free */
    uint32_t mask, left;
    uint64_t min_ns, max_ns;
};

static bool wants(const struct log_record *log)
{
    return log->endpoint.len == 0 &&
           !id_is_zero(log->trace_id, sizeof(log->trace_id)) &&
           !id_is_zero(log->span_id, sizeof(log->span_id));
}

static uint32_t slot_of(const struct endpoint_lookup *w,
                        const uint8_t span_id[8])
{
    uint64_t bits;

    memcpy(&bits, span_id, sizeof(bits));
    return (uint32_t)(hash_mix(bits, 1) >> 32) & w->mask;
}

static bool prepare(struct endpoint_lookup *w, struct arena *arena,
                    struct log_record *logs, uint32_t count)
{
    w->mask = 15;
    while (w->mask < 4 * count)
        w->mask = 2 * w->mask + 1;
    w->slots = arena_zero(arena, (size_t)w->mask + 1, sizeof(*w->slots));
    if (!w->slots)
        return false;
    w->min_ns = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (!wants(&logs[i]))
            continue;
        uint32_t slot = slot_of(w, logs[i].span_id);

        while (w->slots[slot])
            slot = (slot + 1) & w->mask;
        w->slots[slot] = &logs[i];
        w->left++;
        if (logs[i].time_ns < w->min_ns)
            w->min_ns = logs[i].time_ns;
        if (logs[i].time_ns > w->max_ns)
            w->max_ns = logs[i].time_ns;
    }
    return true;
}

/* Gives all records of this span its endpoint. A filled one stays in the
 * table, since a slot in between must not become free. */
static void fill(struct endpoint_lookup *w, const struct span *span,
                 struct slice endpoint)
{
    for (uint32_t slot = slot_of(w, span->span_id); w->slots[slot];
         slot = (slot + 1) & w->mask) {
        struct log_record *log = w->slots[slot];

        if (log->endpoint.len > 0 ||
            memcmp(log->span_id, span->span_id, sizeof(span->span_id)) != 0 ||
            memcmp(log->trace_id, span->trace_id, sizeof(span->trace_id)) != 0)
            continue;
        log->endpoint = endpoint;
        w->left--;
    }
}

static void fill_from_head(struct reader *reader, struct endpoint_lookup *w)
{
    struct memtables_cursor walk = memtables_cursor(reader, STREAM_SPANS);
    const struct batch *batch;

    while (w->left > 0 && (batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++)
            if (batch->spans[i].endpoint.len > 0)
                fill(w, &batch->spans[i], batch->spans[i].endpoint);
}

static bool covers(const struct block_row *row, const struct log_record *log)
{
    return wants(log) && log->time_ns + SKEW_NS >= row->min_ns &&
           log->time_ns <= row->max_end_ns + LATE_NS;
}

static bool covers_any(const struct endpoint_lookup *w,
                       const struct block_row *row)
{
    for (uint32_t i = 0; i <= w->mask; i++)
        if (w->slots[i] && covers(row, w->slots[i]))
            return true;
    return false;
}

static bool may_know_any(const struct endpoint_lookup *w,
                         const struct block_row *row, struct slice summary)
{
    struct slice filter = summary_trace_filter(summary);

    for (uint32_t i = 0; i <= w->mask; i++)
        if (w->slots[i] && covers(row, w->slots[i]) &&
            trace_filter_may_have(filter, w->slots[i]->trace_id))
            return true;
    return false;
}

static enum status fill_from_trace(struct endpoint_lookup *w,
                                   struct block *block,
                                   const struct log_record *log,
                                   struct arena *arena)
{
    uint32_t first, count;
    enum status status = block_find_trace(block, log->trace_id, &first, &count);

    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct span span;

        status = block_read_span(block, first + i, false, &span);
        if (status == OK && span.endpoint.len > 0 &&
            memcmp(span.span_id, log->span_id, sizeof(span.span_id)) == 0) {
            fill(w, &span, arena_copy(arena, span.endpoint));
            break;
        }
    }
    return status;
}

static enum status fill_from_block(struct reader *reader,
                                   struct endpoint_lookup *w,
                                   const struct block_row *row,
                                   struct arena *arena)
{
    struct open_block open;
    enum status status = reader_open_block(reader, row->id, &open);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i <= w->mask && status == OK; i++)
        if (w->slots[i] && covers(row, w->slots[i]))
            status = fill_from_trace(w, open.block, w->slots[i], arena);
    reader_close_block(reader, &open);
    return status == OK ? arena_status(arena) : status;
}

static enum status fill_from_row(struct reader *reader,
                                 struct endpoint_lookup *w,
                                 const struct block_row *row,
                                 struct arena *arena, uint32_t *opened)
{
    struct db_stmt stmt;
    struct slice summary;
    enum status status = reader_summary(reader, row->id, &stmt, &summary);

    if (status != OK)
        return status;
    bool open = may_know_any(w, row, summary);
    summary_end(&stmt);
    *opened += open;
    return open ? fill_from_block(reader, w, row, arena) : OK;
}

static enum status fill_from_blocks(struct reader *reader,
                                    struct endpoint_lookup *w,
                                    struct arena *arena)
{
    /* By start of spans; those that began long before are found only if
     * their block holds later ones too. */
    uint64_t start = w->min_ns > NS_PER_HOUR ? w->min_ns - NS_PER_HOUR : 0;
    struct block_walk walk =
        block_walk(reader, WALK_NEWEST, KIND_SPANS, start, w->max_ns + SKEW_NS);
    uint32_t summaries = 0, opened = 0;
    struct block_row row;
    enum status status = OK;

    while (status == OK && w->left > 0 && summaries < MAX_SUMMARIES &&
           opened < MAX_OPENED && block_walk_next(&walk, &row)) {
        if (!covers_any(w, &row))
            continue;
        summaries++;
        status = fill_from_row(reader, w, &row, arena, &opened);
        if (reader_pass_over(status))
            status = OK;
    }
    enum status end = block_walk_end(&walk);
    return status != OK ? status : end;
}

enum status reader_fill_endpoints(struct reader *reader, struct arena *arena,
                                  struct log_record *logs, uint32_t count)
{
    struct endpoint_lookup w = {0};

    if (!prepare(&w, &reader->work, logs, count))
        return arena_status(&reader->work);
    if (w.left > 0)
        fill_from_head(reader, &w);
    return w.left > 0 ? fill_from_blocks(reader, &w, arena) : OK;
}
