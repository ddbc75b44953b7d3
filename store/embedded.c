/*
 * The tables of the embedded engine, and store_open(), which sets them.
 */
#include "store_int.h"

static const struct store_ops embedded_store_ops = {
    .append = embedded_append,
    .begin_shutdown = embedded_begin_shutdown,
    .close = embedded_close,
    .derived_flush_due = embedded_derived_flush_due,
    .flush = embedded_flush,
    .replayed = embedded_replayed,
    .health = embedded_health,
    .last_log_lsn = embedded_last_log_lsn,
    .oldest_ns = embedded_oldest_ns,
    .retention = embedded_retention,
    .set_open_series = embedded_set_open_series,
    .watermark = embedded_watermark,
    .metadata = embedded_metadata,
};

static const struct reader_ops embedded_reader_ops = {
    .begin = embedded_reader_begin,
    .close = embedded_reader_close,
    .count_logs = embedded_count_logs,
    .end = embedded_reader_end,
    .find_span = embedded_find_span,
    .log_tail = embedded_log_tail,
    .open = embedded_reader_open,
    .plan_series = embedded_plan_series,
    .query_dead_letters = embedded_query_dead_letters,
    .query_logs = embedded_query_logs,
    .query_series = embedded_query_series,
    .query_spans = embedded_query_spans,
    .query_traces = embedded_query_traces,
    .read_planned = embedded_read_planned,
    .resource = embedded_reader_resource,
    .sample_logs = embedded_sample_logs,
    .sample_spans = embedded_sample_spans,
    .sizes = embedded_sizes,
    .spread_traces = embedded_spread_traces,
    .visit_spans = embedded_visit_spans,
    .visit_traces = embedded_visit_traces,
    .plan_next = embedded_plan_next,
};

static const struct metadata_ops embedded_metadata_ops = {
    .create_value = embedded_create_value,
    .load = embedded_load_metadata,
    .load_catalog = embedded_load_catalog,
    .load_derived_state = embedded_load_derived_state,
    .load_reports = embedded_load_reports,
    .load_requests = embedded_load_requests,
    .load_value = embedded_load_value,
    .next_offset = embedded_next_offset,
    .save_catalog = embedded_save_catalog,
    .save_identity = embedded_save_identity,
    .save_report = embedded_save_report,
    .save_resource = embedded_save_resource,
    .save_resource_identity = embedded_save_resource_identity,
    .save_value = embedded_save_value,
    .sync = embedded_metadata_sync,
};

enum status store_open(struct store **out, const struct store_options *options)
{
    enum status status = embedded_open(out, options);

    if (status != OK)
        return status;
    (*out)->head.ops = &embedded_store_ops;
    (*out)->head.readers = &embedded_reader_ops;
    (*out)->metadata.head.ops = &embedded_metadata_ops;
    return OK;
}

bool embedded_has(const struct reader *reader)
{
    return ((const struct reader_head *)(const void *)reader)->ops ==
           &embedded_reader_ops;
}
