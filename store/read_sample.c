/*
 * A sample of traces and of what was logged inside them. A trace is in the
 * sample or not by a hash of its id alone, so that its spans and its log
 * records agree, whichever block they lie in and whoever asks. Nothing is
 * sorted or copied: each record is shown once, in the order it lies in.
 */
#include "hash.h"
#include "reader.h"

static bool in_sample(const struct sample_query *q, const uint8_t trace_id[16])
{
    return (hash_bytes(trace_id, 16, 0) & (SAMPLE_ALL - 1)) < q->keep;
}

struct sample_scan {
    struct reader *reader;
    const struct sample_query *query;
    span_visit *span;
    log_visit *log;
    void *arg;
};

/* ---- spans ---- */

static enum status block_spans_of(struct sample_scan *s, uint64_t id)
{
    const struct trace_query query = {.start_ns = s->query->start_ns,
                                      .end_ns = s->query->end_ns,
                                      .resources = s->query->resources};
    struct open_block open;
    struct block_trace *traces;
    uint32_t count = 0;
    enum status status = reader_open_block(s->reader, id, &open);

    if (status != OK)
        return status;
    status = block_traces(open.block, &query, &traces, &count);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        if (!traces[i].matches || !in_sample(s->query, traces[i].trace_id))
            continue;
        for (uint32_t row = 0; row < traces[i].count && status == OK; row++) {
            struct span span;

            status = block_read_span(open.block, traces[i].first + row,
                                     s->query->whole, &span);
            if (status == OK)
                s->span(s->arg, &span);
        }
    }
    reader_close_block(s->reader, &open);
    return status;
}

static void head_spans(struct sample_scan *s)
{
    const struct trace_query query = {.start_ns = s->query->start_ns,
                                      .end_ns = s->query->end_ns,
                                      .resources = s->query->resources};
    struct memtables_cursor walk = memtables_cursor(s->reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++)
            if (match_span(&batch->spans[i], &query) &&
                in_sample(s->query, batch->spans[i].trace_id))
                s->span(s->arg, &batch->spans[i]);
}

/* ---- log records ---- */

static enum status block_logs_of(struct sample_scan *s, uint64_t id,
                                 const struct log_query *query)
{
    struct open_block open;
    uint64_t *bits, matches = 0;
    enum status status = reader_open_block(s->reader, id, &open);

    if (status != OK)
        return status;
    status = block_match_logs(open.block, query, &bits, &matches);
    for (uint32_t row = 0; status == OK && row < block_count(open.block);
         row++) {
        struct log_record log;

        if (!(bits[row / 64] >> (row & 63) & 1))
            continue;
        status = block_read_log(open.block, row, &log);
        if (status == OK && !id_is_zero(log.trace_id, 16) &&
            in_sample(s->query, log.trace_id))
            s->log(s->arg, &log);
    }
    reader_close_block(s->reader, &open);
    return status;
}

static void head_logs(struct sample_scan *s, const struct log_query *query)
{
    struct memtables_cursor walk = memtables_cursor(s->reader, STREAM_LOGS);
    const struct batch *batch;

    while ((batch = memtables_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct log_record *log = &batch->logs[i];

            if (match_log(log, query) && !id_is_zero(log->trace_id, 16) &&
                in_sample(s->query, log->trace_id))
                s->log(s->arg, log);
        }
}

/* ---- both ---- */

static enum status has_any(struct sample_scan *s, const struct block_row *row,
                           bool *has)
{
    uint64_t counts[LEVEL_COUNT] = {0}, sum = 0;
    enum status status =
        reader_counts(s->reader, row->id, s->query->resources, counts);

    for (int level = 0; level < LEVEL_COUNT; level++)
        sum += counts[level];
    *has = sum > 0;
    return status;
}

static enum status over_blocks(struct sample_scan *s, enum block_kind kind,
                               const struct log_query *logs)
{
    struct block_walk walk = block_walk(s->reader, WALK_NEWEST, kind,
                                        s->query->start_ns, s->query->end_ns);
    struct block_row row;
    enum status status = OK;

    while (status == OK && block_walk_next(&walk, &row)) {
        bool has = false;

        status = has_any(s, &row, &has);
        if (status == OK && has)
            status = logs ? block_logs_of(s, row.id, logs)
                          : block_spans_of(s, row.id);
        if (reader_pass_over(status))
            status = OK;
    }
    enum status end = block_walk_end(&walk);
    return status != OK ? status : end;
}

enum status reader_sample_spans(struct reader *reader,
                                const struct sample_query *query,
                                span_visit *visit, void *arg)
{
    struct sample_scan s = {
        .reader = reader, .query = query, .span = visit, .arg = arg};

    head_spans(&s);
    return over_blocks(&s, KIND_SPANS, NULL);
}

enum status reader_sample_logs(struct reader *reader,
                               const struct sample_query *query,
                               log_visit *visit, void *arg)
{
    struct sample_scan s = {
        .reader = reader, .query = query, .log = visit, .arg = arg};
    const struct log_query logs = {.start_ns = query->start_ns,
                                   .end_ns = query->end_ns,
                                   .resources = query->resources};

    head_logs(&s, &logs);
    return over_blocks(&s, KIND_LOGS, &logs);
}
