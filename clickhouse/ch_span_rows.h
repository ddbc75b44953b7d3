/*
 * ch_span_rows - spans out of rows of otel_traces.
 *
 *   ch_span_columns(&sql, whole);             after "SELECT "
 *   rows.decode = ch_span_decode; .arg: begins with a struct ch_span_row
 *   in take():  ch_span_take(&row, &ids, arena, &span)
 *
 * Bytes are copied once, into the arena; a span is good as long as that.
 */
#ifndef CH_SPAN_ROWS_H
#define CH_SPAN_ROWS_H

#include "arena.h"
#include "ch_selection.h"
#include "record.h"

/* Of events and links, the bytes of each array's elements, one after another.
 */
struct ch_array {
    uint64_t count;
    struct slice bytes;
};

/* The columns of a row, in the order of ch_span_columns(). Slices are good
 * until take() returns. */
struct ch_span_row {
    bool whole; /* set by the caller: with scope, attributes, events, links */
    uint64_t start_ns, duration_ns, key;
    uint8_t trace_id[16], span_id[8], parent_span_id[8];
    struct slice name, kind, status, status_message, endpoint, operation;
    bool failed;
    uint8_t corrected;
    /* only if whole: */
    struct slice trace_state, attr_map, attr_types;
    uint32_t flags, dropped_events, dropped_links;
    struct slice scope_name, scope_version, scope_url, scope_map, scope_types;
    struct ch_array event_times, event_names, event_attrs, event_types;
    struct ch_array link_traces, link_spans, link_states, link_attrs;
    struct ch_array link_types, link_flags;
};

void ch_span_columns(struct ch_sql *sql, bool whole);

/* A ch_row_decode; arg: a struct ch_span_row, or what begins with one. */
void ch_span_decode(void *arg, struct byte_reader *in);

/* The span of the row. ERR_CORRUPT: arrays of its events do not fit together;
 * the arena's status. */
MUST_CHECK enum status ch_span_take(const struct ch_span_row *row,
                                    struct ch_resource_ids *ids,
                                    struct arena *arena, struct span *span);

#endif
