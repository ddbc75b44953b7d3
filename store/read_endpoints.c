/*
 * A log record takes the endpoint of its span. The span ids of records without
 * one go into a small table; spans in memory are looked up in it, then blocks
 * of spans whose time covers a record still without one and whose filter may
 * have its trace. A bounded number of blocks is read: a page of logs must stay
 * quick, and an endpoint that is not known is an ordinary answer.
 */
#include "block_cursor.h"
#include "clock.h"
#include "map.h"

enum { MAX_SUMMARIES = 64, MAX_OPENED = 8 };

/* How long after its span has ended a record may still belong to it, and how
 * far clocks of one trace may differ. */
#define LATE_NS (60 * NS_PER_S)
#define SKEW_NS NS_PER_S

struct endpoint_lookup {
    struct reader *reader;
    struct arena *arena; /* of the caller */
    struct map by_span;  /* numbers of `logs` */
    struct log_record *logs;
    uint32_t count, left; /* left: without an endpoint */
    uint64_t min_ns, max_ns;
    uint32_t summaries, opened;
};

static bool wants_endpoint(const struct log_record *log)
{
    return log->endpoint.len == 0 &&
           !id_is_zero(log->trace_id, sizeof(log->trace_id)) &&
           !id_is_zero(log->span_id, sizeof(log->span_id));
}

static uint32_t span_hash(const uint8_t span_id[8])
{
    return map_hash_slice((struct slice){(const char *)span_id, 8});
}

static bool collect(struct endpoint_lookup *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        const struct log_record *log = &l->logs[i];

        if (!wants_endpoint(log))
            continue;
        if (!map_add(&l->by_span, span_hash(log->span_id), i))
            return false;
        l->left++;
        if (log->time_ns < l->min_ns)
            l->min_ns = log->time_ns;
        if (log->time_ns > l->max_ns)
            l->max_ns = log->time_ns;
    }
    return true;
}

/* Gives all records of this span its endpoint. */
static void fill(struct endpoint_lookup *l, const struct span *span,
                 struct slice endpoint)
{
    map_each(&l->by_span, span_hash(span->span_id), at) {
        struct log_record *log = &l->logs[at];

        if (log->endpoint.len > 0 ||
            memcmp(log->span_id, span->span_id, sizeof(span->span_id)) != 0 ||
            memcmp(log->trace_id, span->trace_id, sizeof(span->trace_id)) != 0)
            continue;
        log->endpoint = endpoint;
        l->left--;
    }
}

static void fill_from_memory(struct endpoint_lookup *l)
{
    struct memtables_cursor cursor = memtables_cursor(l->reader, STREAM_SPANS);
    const struct span *span;

    while (l->left > 0 && (span = memtables_next_span(&cursor)))
        if (span->endpoint.len > 0)
            fill(l, span, span->endpoint);
}

/* ---- blocks ---- */

static bool covers(const struct block_row *row, const struct log_record *log)
{
    return wants_endpoint(log) && log->time_ns + SKEW_NS >= row->min_ns &&
           log->time_ns <= row->max_end_ns + LATE_NS;
}

/* Is there a record without an endpoint that the block covers, and whose trace
 * the filter may have? No filter: whatever its trace. */
static bool may_have_any(const struct endpoint_lookup *l,
                         const struct block_row *row,
                         const struct slice *filter)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (covers(row, &l->logs[i]) &&
            (!filter || trace_filter_may_have(*filter, l->logs[i].trace_id)))
            return true;
    return false;
}

/* Ids are compared before a span is read: a trace may have many. */
static enum status fill_from_trace(struct endpoint_lookup *l,
                                   struct block *block,
                                   const struct log_record *log)
{
    const uint8_t *ids = NULL;
    uint32_t first, count;
    enum status status = block_find_trace(block, log->trace_id, &first, &count);

    if (status == OK && count > 0)
        status = block_span_ids(block, &ids);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct span span;

        if (memcmp(ids + ((size_t)first + i) * 8, log->span_id, 8) != 0)
            continue;
        status = block_read_span(block, first + i, false, &span);
        if (status == OK && span.endpoint.len > 0) {
            fill(l, &span, arena_copy(l->arena, span.endpoint));
            break;
        }
    }
    return status;
}

static enum status fill_from_block(struct endpoint_lookup *l,
                                   const struct block_row *row)
{
    struct open_block open;
    enum status status = block_cursor_open(l->reader, row->id, &open);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < l->count && status == OK; i++)
        if (covers(row, &l->logs[i]))
            status = fill_from_trace(l, open.block, &l->logs[i]);
    block_cursor_close(l->reader, &open);
    return status == OK ? arena_status(l->arena) : status;
}

static enum status visit_block(void *arg, const struct block_row *row,
                               bool *stop)
{
    struct endpoint_lookup *l = arg;
    struct db_stmt stmt;
    struct slice summary, filter;

    *stop = l->left == 0 || l->summaries == MAX_SUMMARIES ||
            l->opened == MAX_OPENED;
    if (*stop || !may_have_any(l, row, NULL))
        return OK;
    l->summaries++;
    enum status status = block_summary(l->reader, row->id, &stmt, &summary);
    if (status != OK)
        return status;
    filter = summary_trace_filter(summary);
    bool open = may_have_any(l, row, &filter);
    block_summary_end(&stmt);
    l->opened += open;
    return open ? fill_from_block(l, row) : OK;
}

enum status reader_fill_endpoints(struct reader *reader, struct arena *arena,
                                  struct log_record *logs, uint32_t count)
{
    struct endpoint_lookup l = {.reader = reader,
                                .arena = arena,
                                .by_span = {.arena = &reader->work},
                                .logs = logs,
                                .count = count,
                                .min_ns = UINT64_MAX};

    if (!collect(&l))
        return arena_status(&reader->work);
    if (l.left > 0)
        fill_from_memory(&l);
    if (l.left == 0)
        return OK;

    /* By start of spans; those that began long before are found only if their
     * block has later ones, too. */
    uint64_t start = l.min_ns > NS_PER_HOUR ? l.min_ns - NS_PER_HOUR : 0;
    return block_walk_each(
        block_walk(reader, WALK_NEWEST, KIND_SPANS, start, l.max_ns + SKEW_NS),
        visit_block, &l);
}
