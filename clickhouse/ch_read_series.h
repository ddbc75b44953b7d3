/*
 * ch_read_series - a query for series while it runs: ch_read_series.c drives
 * it, ch_read_series_sql.c writes the text, ch_read_series_row.c makes points
 * of a row, ch_read_series_plan.c reads resource by resource.
 *
 * A row of the answer is a piece of a series: all its points in some hours, as
 * arrays. So metric and attributes come once for many points, and ClickHouse
 * may send the pieces in any order. Which of the five tables of metrics have
 * something is asked for first, in one request: mostly one or two.
 */
#ifndef CH_READ_SERIES_H
#define CH_READ_SERIES_H

#include "ch_reader.h"
#include "ch_selection.h"
#include "store_ops.h"

enum ch_series_table {
    CH_SERIES_GAUGE,
    CH_SERIES_SUM,
    CH_SERIES_HISTOGRAM,
    CH_SERIES_EXP,
    CH_SERIES_SUMMARY,
    CH_SERIES_DERIVED,
    CH_SERIES_TABLES
};

/* The arrays that a row may have, in the order of the columns. */
enum ch_series_array {
    CH_AT_TIME,           /* DateTime64(9) */
    CH_AT_SECOND,         /* DateTime, of derived points instead */
    CH_AT_START,          /* DateTime64(9) */
    CH_AT_FLAGS,          /* UInt32 */
    CH_AT_CORRECTED,      /* UInt8 */
    CH_AT_NUMBER,         /* UInt64: the bits of an integer or a double */
    CH_AT_IS_INT,         /* Bool */
    CH_AT_COUNT,          /* UInt64 */
    CH_AT_SUM,            /* Float64 */
    CH_AT_MIN,            /* Float64 */
    CH_AT_MAX,            /* Float64 */
    CH_AT_PRESENT,        /* UInt8: bits 1 sum, 2 min, 4 max */
    CH_AT_SCALE,          /* Int32 */
    CH_AT_ZERO_COUNT,     /* UInt64 */
    CH_AT_ZERO_THRESHOLD, /* Float64 */
    CH_AT_OFFSET,         /* Int32: of the positive buckets */
    CH_AT_BUCKETS,        /* Array(UInt64): of a histogram, or positive */
    CH_AT_NEG_OFFSET,     /* Int32 */
    CH_AT_NEG_BUCKETS,    /* Array(UInt64) */
    CH_AT_BOUNDS,         /* Array(Float64): or quantiles */
    CH_AT_VALUES,         /* Array(Float64): of quantiles */
    CH_AT_PAIRS,          /* Map(Int32, UInt64): buckets of derived points */
    CH_AT_TUPLES,         /* Array(Tuple(...)): exemplars of these */
    CH_AT_EX_TIME,        /* Array(DateTime64(9)): exemplars, from here on */
    CH_AT_EX_VALUE,       /* Array(Float64) */
    CH_AT_EX_SPAN,        /* Array(String) */
    CH_AT_EX_TRACE,       /* Array(String) */
    CH_AT_EX_ATTRS,       /* Array(Map(String, String)) */
    CH_AT_EX_TYPES,       /* Array(String) */
    CH_SERIES_ARRAYS
};

enum ch_series_what {
    CH_SERIES_POINTS,
    CH_SERIES_VALUES, /* points without exemplars */
    CH_SERIES_COUNTS, /* of histograms the counts alone */
    CH_SERIES_HEADS,  /* one row a series: one time, without a value */
    CH_SERIES_WHATS
};

/* One row, which points into the bytes of the answer. */
struct ch_series_row {
    enum ch_series_table table; /* both are of the request */
    enum ch_series_what what;
    struct slice bytes; /* all of it */
    uint64_t resource_key, series;
    struct slice name, unit, description;
    int32_t temporality;
    bool monotonic;
    struct slice scope_name, scope_version, scope_schema_url, scope_attrs,
        scope_types;
    uint32_t scope_dropped;
    struct slice attrs, types;
    uint32_t dropped;
    struct {
        uint64_t count;
        struct slice bytes;
    } at[CH_SERIES_ARRAYS];
};

/* ---- ch_read_series_row.c ---- */

/* For struct ch_rows, and for a row that was copied; table and what are set. */
void ch_series_row_read(struct ch_series_row *row, struct byte_reader *in);

/* The metric alone, of its row of a list (below), or of a row of points. */
void ch_series_metric_read(struct ch_series_row *row, struct byte_reader *in);
void ch_series_metric(const struct ch_series_row *row, struct metric *metric);

/* The next element of an array of arrays: how many it has, and their bytes. */
uint64_t ch_series_inner(struct byte_reader *in, int array,
                         struct slice *bytes);
/* Bytes of an element of an array of numbers; 0: of another. */
extern const uint8_t ch_series_sizes[CH_SERIES_ARRAYS];

/* ---- ch_read_series_points.c ---- */

/* The points of a row, in order of time; all is in the arena or the bytes. */
struct ch_series_piece {
    struct metric metric;
    struct scope scope;
    struct point *points;
    uint32_t count;
};
MUST_CHECK enum status ch_series_piece_read(const struct ch_series_row *row,
                                            const struct ch_reader *reader,
                                            uint32_t resource,
                                            struct arena *arena,
                                            struct ch_series_piece *piece);

/* ---- ch_read_series_sql.c ---- */

/* Which tables, resources and names are read. */
struct ch_series_scope {
    const struct series_query *query;
    const struct bitmap *resources; /* of the query, or some of them */
    bool derived;    /* callboard_series, else the five tables of metrics */
    uint32_t tables; /* bits: those that have something */
    /* Instead of the names of the query, if not NULL. */
    const struct slice *names;
    uint32_t name_count;
    const uint64_t *series; /* SeriesId; NULL: all */
    uint32_t series_count;
};

/* Are there tables to read? */
bool ch_series_reads_sent(const struct series_query *query);
bool ch_series_reads_derived(const struct series_query *query);

/* Pieces of series of one table. *none: there are none. */
MUST_CHECK enum status ch_series_sql(struct ch_reader *reader,
                                     struct ch_sql *sql,
                                     const struct ch_series_scope *scope,
                                     enum ch_series_table table,
                                     enum ch_series_what what,
                                     struct arena *work, bool *none);

/* A list over all tables of the scope. */
enum ch_series_listed {
    CH_SERIES_LIST_TABLES,    /* UInt8: each that may have something */
    CH_SERIES_LIST_METRICS,   /* UInt8, and of ch_series_metric_read() */
    CH_SERIES_LIST_RESOURCES, /* UInt64 key, UInt64 points */
};
MUST_CHECK enum status ch_series_list_sql(struct ch_reader *reader,
                                          struct ch_sql *sql,
                                          const struct ch_series_scope *scope,
                                          enum ch_series_listed listed,
                                          struct arena *work, bool *none);

/* ---- ch_read_series.c ---- */

/* Which resource a row is of now; RESOURCE_NONE: none that is asked for. */
uint32_t ch_series_resource(const struct ch_reader *reader,
                            const struct ch_series_row *row,
                            const struct bitmap *resources);

/* Gives the points of a row to a visit, as a query says. */
MUST_CHECK enum status ch_series_visit(const struct ch_reader *reader,
                                       const struct series_query *query,
                                       const struct ch_series_row *row,
                                       uint32_t resource, struct arena *arena,
                                       point_visit *visit, void *arg);

/* Asks, and takes rows one by one. */
typedef enum status ch_series_take(void *arg, const struct ch_series_row *row);
MUST_CHECK enum status ch_series_select(struct ch_reader *reader,
                                        const struct ch_series_scope *scope,
                                        enum ch_series_what what,
                                        ch_series_take *take, void *arg);

/* Which tables have something, and if the query has wants_metric and no names,
 * the names of the metrics that it wants, in the arena. */
struct ch_series_found {
    uint32_t tables;  /* bits; 0: nothing is wanted */
    bool asked;       /* for names */
    struct slice *at; /* NULL: no names, or too many to be listed */
    uint32_t count, room;
};
MUST_CHECK enum status ch_series_find(struct ch_reader *reader,
                                      const struct ch_series_scope *scope,
                                      void *arg, struct arena *arena,
                                      struct ch_series_found *found);
/* Limits a scope to what was found. */
void ch_series_limit(struct ch_series_scope *scope,
                     const struct ch_series_found *found);

/* What reading of a query is made of. */
static inline enum ch_series_what ch_series_what_of(
    const struct series_query *query)
{
    return query->heads          ? CH_SERIES_HEADS
           : query->counts_only  ? CH_SERIES_COUNTS
           : query->no_exemplars ? CH_SERIES_VALUES
                                 : CH_SERIES_POINTS;
}

/* ---- the functions of store.h ---- */

MUST_CHECK enum status ch_query_series(struct ch_reader *reader,
                                       const struct series_query *query,
                                       point_visit *visit, void *arg);
/* ops: the table whose plan_next and read_planned know the plan. */
MUST_CHECK enum status ch_plan_series(struct ch_reader *reader,
                                      const struct reader_ops *ops,
                                      const struct series_query *query,
                                      struct arena *arena,
                                      struct series_plan **plan);
uint32_t ch_plan_next(const struct series_plan *plan, uint64_t from);
MUST_CHECK enum status ch_read_planned(struct ch_reader *reader,
                                       const struct series_plan *plan,
                                       uint32_t resource, point_visit *visit,
                                       void *arg);

#endif
