/*
 * ch_log_rows - log records out of rows of otel_logs and callboard_events.
 *
 *   ch_log_columns(&sql, brief);              after "SELECT "
 *   rows.decode = ch_log_decode; .arg: begins with a struct ch_log_row
 *   in take():  ch_log_take(&row, &ids, arena, &log)
 *
 * Bytes are copied once, into the arena; a record is good as long as that.
 */
#ifndef CH_LOG_ROWS_H
#define CH_LOG_ROWS_H

#include "arena.h"
#include "ch_selection.h"
#include "record.h"

/* The columns of a row, in the order of ch_log_columns(). Slices are good until
 * take() returns. */
struct ch_log_row {
    bool brief;   /* set by the caller, as is `attrs` */
    bool attrs;   /* of a brief one: with attributes */
    bool certain; /* ch_log_filter.h */
    uint64_t time_ns, arrival, inserted_ns, key;
    uint8_t trace_id[16], span_id[8];
    uint8_t level;
    struct slice body, body_types;
    struct slice attr_map, attr_types;
    /* not if brief: */
    uint64_t observed_ns;
    uint8_t severity, corrected;
    uint32_t flags;
    struct slice severity_text, event_name;
    struct slice scope_name, scope_version, scope_url, scope_map, scope_types;
};

/* Adds the columns of a row: its `certain` is the expression. */
void ch_log_columns(struct ch_sql *sql, const struct ch_log_row *row,
                    const struct ch_sql *certain);

/* A ch_row_decode; arg: a struct ch_log_row, or what begins with one. */
void ch_log_decode(void *arg, struct byte_reader *in);

/* The record of the row; is_event is the caller's. */
MUST_CHECK enum status ch_log_take(const struct ch_log_row *row,
                                   struct ch_resource_ids *ids,
                                   struct arena *arena, struct log_record *log);

/* ---- also for spans ---- */

/* The bytes of a Map(String, String). */
struct slice ch_read_map(struct byte_reader *in);

/* Attributes of such a map, of which the bytes are copied. */
void ch_take_attrs(struct slice map, struct slice types, struct arena *arena,
                   struct attrs *attrs);

/* NULL if all is empty. */
const struct scope *ch_take_scope(const struct slice texts[3], struct slice map,
                                  struct slice types, struct arena *arena);

#endif
