/*
 * A sample of traces and of the log records written inside them. In a range of
 * time a trace is in the sample or not by a hash of its id alone, so that its
 * spans and its log records agree, whatever block they are in. A block is
 * opened once for all ranges. Nothing is sorted or copied: each
 * record is visited once, in the order in which it lies.
 */
#include "block_cursor.h"

struct sample_scan {
    struct reader *reader;
    const struct sample_query *query;
    const struct log_query *logs; /* NULL: spans */
    span_visit *span;
    log_visit *log;
    void *arg;
};

static bool log_in_sample(const struct sample_scan *s, uint64_t time_ns,
                          const uint8_t trace_id[16])
{
    return !id_is_zero(trace_id, 16) &&
           sample_has(s->query, sample_hash(trace_id), time_ns);
}

static enum status visit_spans(struct sample_scan *s, struct block *block)
{
    struct block_trace *traces;
    uint32_t count = 0;
    enum status status = block_sample_traces(block, s->query, &traces, &count);

    for (uint32_t i = 0; i < count && status == OK; i++)
        status =
            block_visit_sample(block, s->query, &traces[i], s->span, s->arg);
    return status;
}

static enum status visit_logs(struct sample_scan *s, struct block *block)
{
    const uint64_t *times;
    uint64_t *bits, matches = 0;
    enum status status = block_match_logs(block, s->logs, &bits, &matches);

    if (status == OK && matches > 0)
        status = block_times(block, &times);
    if (matches == 0)
        return status;
    for (uint32_t row = 0; status == OK && row < block_count(block); row++) {
        struct log_record log;
        uint8_t trace_id[16];

        if (!(bits[row / 64] >> (row & 63) & 1) ||
            !sample_overlaps(s->query, 0, times[row], times[row]))
            continue;
        status = block_log_trace_id(block, row, trace_id);
        if (status != OK || !log_in_sample(s, times[row], trace_id))
            continue;
        status = block_read_log_brief(block, row, &log);
        if (status == OK)
            s->log(s->arg, &log);
    }
    return status;
}

static enum status visit_block(void *arg, const struct block_row *row,
                               bool *stop)
{
    struct sample_scan *s = arg;
    uint64_t counts[LEVEL_COUNT] = {0}, sum = 0;
    struct open_block open;

    (void)stop;
    if (!sample_overlaps(s->query, 0, row->min_ns, row->max_ns))
        return OK;
    enum status status =
        block_summary_counts(s->reader, row->id, s->query->resources, counts);
    for (int level = 0; level < LEVEL_COUNT; level++)
        sum += counts[level];
    if (status != OK || sum == 0)
        return status;
    status = block_cursor_open(s->reader, row->id, &open);
    if (status != OK)
        return status;
    status = s->logs ? visit_logs(s, open.block) : visit_spans(s, open.block);
    block_cursor_close(s->reader, &open);
    return status;
}

/* From the start of the first range to the end of the last one. */
static struct sample_range whole_time(const struct sample_query *query)
{
    return (struct sample_range){
        .start_ns = query->ranges[0].start_ns,
        .end_ns = query->ranges[query->range_count - 1].end_ns};
}

static enum status visit_blocks(struct sample_scan *s, enum block_kind kind)
{
    struct sample_range time = whole_time(s->query);

    return block_walk_each(
        block_walk(s->reader, WALK_NEWEST, kind, time.start_ns, time.end_ns),
        visit_block, s);
}

enum status embedded_sample_spans(struct reader *reader,
                                  const struct sample_query *query,
                                  span_visit *visit, void *arg)
{
    struct sample_scan s = {
        .reader = reader, .query = query, .span = visit, .arg = arg};
    struct memtables_cursor cursor = memtables_cursor(reader, STREAM_SPANS);
    const struct span *span;

    while ((span = memtables_next_span(&cursor)))
        if (sample_has(query, sample_hash(span->trace_id), span->start_ns) &&
            sample_wants(query, span->kind, span->resource_id))
            visit(arg, span);
    return visit_blocks(&s, KIND_SPANS);
}

enum status embedded_sample_logs(struct reader *reader,
                                 const struct sample_query *query,
                                 log_visit *visit, void *arg)
{
    struct sample_range time = whole_time(query);
    const struct log_query logs = {.start_ns = time.start_ns,
                                   .end_ns = time.end_ns,
                                   .resources = query->resources};
    struct sample_scan s = {.reader = reader,
                            .query = query,
                            .logs = &logs,
                            .log = visit,
                            .arg = arg};
    struct memtables_cursor cursor = memtables_cursor(reader, STREAM_LOGS);
    const struct log_record *log;

    while ((log = memtables_next_log(&cursor)))
        if (match_log(log, &logs) &&
            log_in_sample(&s, log->time_ns, log->trace_id))
            visit(arg, log);
    return visit_blocks(&s, KIND_LOGS);
}
