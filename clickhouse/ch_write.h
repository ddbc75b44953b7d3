/*
 * ch_write - records as rows: what the tables have in common.
 *
 * A writer makes rows of batches, table by table. Values are put straight into
 * the columns. What a row shares with the one before in its table (resource,
 * scope, names) is copied from it. A resource is described once in the life of
 * the writer.
 */
#ifndef CH_WRITE_H
#define CH_WRITE_H

#include "batch.h"
#include "ch_insert.h"
#include "map.h"
#include "store_resources.h"

/* Tables in the order in which they are inserted. */
enum ch_write_table {
    CH_WRITE_SPANS,
    CH_WRITE_TRACE_TIMES,
    CH_WRITE_LOGS,
    CH_WRITE_EVENTS,
    CH_WRITE_GAUGES,
    CH_WRITE_SUMS,
    CH_WRITE_HISTOGRAMS,
    CH_WRITE_EXP_HISTOGRAMS,
    CH_WRITE_SUMMARIES,
    CH_WRITE_SERIES,
    CH_WRITE_DEAD_LETTERS,
    CH_WRITE_CHECKPOINTS,
    CH_WRITE_TABLES
};

/* Who sent a record; what many records share. */
struct ch_origin {
    const struct resource *resource;
    const struct scope *scope;
    uint32_t resource_id;
};

/* The columns of a table that say it; 0: it has none, where it says so. */
struct ch_origin_columns {
    uint8_t service, resource_attributes, resource_schema_url /* or 0 */;
    uint8_t scope_name, scope_version, scope_schema_url, scope_attributes,
        scope_types, scope_dropped /* or 0 */;
    uint8_t names; /* the first of them */
};

/* A resource as rows name it; the texts are in the arena of the writer. */
struct ch_named {
    uint32_t id;
    struct resource_names names;
};

/* When a trace was seen: its first and last start, in seconds. */
struct ch_trace_time {
    uint8_t trace_id[16];
    uint32_t first_s, last_s;
};

struct ch_writer {
    struct ch_insert inserts[CH_WRITE_TABLES];
    const struct store_resources *resources; /* describe == NULL: no names */
    uint32_t partition;
    struct buf text; /* scratch: of one value, of the types of one record */
    struct buf types;

    uint64_t share; /* bytes of the message for each of its records */

    /* The order of arrival (ch_arrival.h). */
    uint64_t offset, place;

    /* Names, for the life of the writer. */
    struct arena arena;
    struct ch_named *named;
    uint32_t named_count, named_room;
    struct map named_index;

    /* Of the record before; valid within a batch. */
    struct ch_origin before[CH_WRITE_TABLES];
    bool has_before[CH_WRITE_TABLES];
    uint32_t pairs; /* attributes of its resource and scope */
    const struct metric *metric;
    uint64_t metric_hash;

    struct ch_trace_time *traces;
    uint32_t trace_count, trace_room;
    struct map trace_index;
};

void ch_writer_init(struct ch_writer *writer,
                    const struct store_resources *resources, uint32_t partition,
                    struct budget *budget);
void ch_writer_release(struct ch_writer *writer);
/* About the bytes of all that it holds; of them what is no row. */
uint64_t ch_writer_bytes(const struct ch_writer *writer);
size_t ch_writer_kept(const struct ch_writer *writer);

/* Adds the records of a batch, by its signal. */
void ch_write_batch(struct ch_writer *writer, const struct batch *batch);
/* After the last batch: rows that are about all of them. */
void ch_write_end(struct ch_writer *writer);

/* ---- of one table: by the files of their names ---- */

extern const struct ch_insert_def ch_spans_def, ch_trace_times_def, ch_logs_def,
    ch_events_def, ch_gauges_def, ch_sums_def, ch_histograms_def,
    ch_exp_histograms_def, ch_summaries_def, ch_series_def, ch_dead_letters_def,
    ch_checkpoints_def;

void ch_write_spans(struct ch_writer *writer, const struct batch *batch);
void ch_write_trace_times(struct ch_writer *writer);
void ch_write_logs(struct ch_writer *writer, const struct batch *batch);
void ch_write_points(struct ch_writer *writer, const struct batch *batch);
void ch_write_series(struct ch_writer *writer, const struct batch *batch);
void ch_write_dead_letter(struct ch_writer *writer, const struct batch *batch);

/* ---- parts of a row ---- */

/* A map with texts that many rows have; the table has plain texts. */
#define CH_REPEATED "Map(LowCardinality(String), LowCardinality(String))"

/* The columns Namespace, Project, Component, Environment, ResourceId, which
 * stand one behind another in each table that has them. */
enum { CH_NAME_COLUMNS = IDENTITY_NAMES + 1 };
/* clang-format off */
#define CH_NAME_DEFS \
    {"Namespace", "LowCardinality(String)"}, {"Project", "LowCardinality(String)"}, {"Component", "LowCardinality(String)"}, \
    {"Environment", "LowCardinality(String)"}, {"ResourceId", "UInt64"}
/* clang-format on */
const struct resource_names *ch_names(struct ch_writer *writer, uint32_t id);
void ch_put_names(struct ch_column *const *columns,
                  const struct resource_names *names);

/* All columns of the origin, in the next row of the table. */
void ch_put_origin(struct ch_writer *writer, enum ch_write_table table,
                   const struct ch_origin_columns *columns,
                   const struct ch_origin *origin);

void ch_put_attrs(struct ch_writer *writer, struct ch_column *map,
                  const struct attrs *attrs);
void ch_put_types(struct ch_writer *writer, struct ch_column *column,
                  const struct attrs *attrs);

/* A DateTime64(9); what is beyond the year 2262 becomes its end. */
static inline void ch_put_ns(struct ch_column *column, uint64_t ns)
{
    ch_put_uint(column, ns < INT64_MAX ? ns : INT64_MAX);
}

/* In hex, or empty if it is all zero. */
static inline void ch_put_id(struct ch_column *column, const uint8_t *id,
                             size_t len)
{
    if (id_is_zero(id, len))
        ch_put_string(column, (struct slice){NULL, 0});
    else
        ch_put_hex(column, id, len);
}

/* About the bytes of a row of the message, with the origin that was put. */
uint64_t ch_row_weight(const struct ch_writer *writer);

/* The number of the next record of the message. */
uint64_t ch_next_arrival(struct ch_writer *writer);

#endif
