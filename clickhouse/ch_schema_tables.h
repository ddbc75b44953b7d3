/*
 * ch_schema_tables - the tables in ClickHouse, as data.
 *
 *   for (size_t i = 0; i < ch_table_count; i++)
 *       ... ch_tables[i].name, ch_table_columns(&ch_tables[i], ...)
 *
 * otel_* have the names and columns of the exporter "clickhouse" of the
 * OpenTelemetry Collector, so that tools for its tables read them; our columns
 * stand behind them. ch_schema.c makes SQL of this; migrations add what is
 * missing in an older installation. CH_SCHEMA_VERSION must rise with each
 * change here.
 */
#ifndef CH_SCHEMA_TABLES_H
#define CH_SCHEMA_TABLES_H

#include <stddef.h>

#include "store.h"

enum { CH_SCHEMA_VERSION = 1 };

struct ch_schema_column {
    const char *name, *type;
    const char *more; /* DEFAULT and CODEC; NULL: none */
};

struct ch_schema_index {
    const char *name, *expression, *type;
};

/* Lists end with a row without a name. */
enum { CH_TABLE_LISTS = 4 };
struct ch_table {
    const char *name;
    const struct ch_schema_column *columns[CH_TABLE_LISTS]; /* NULL: no more */
    const struct ch_schema_index *indexes;                  /* or NULL */
    const char *engine;    /* the name of MergeTree's kind, "" for the plain */
    const char *version;   /* column of a ReplacingMergeTree; or NULL */
    const char *partition; /* NULL: one */
    const char *order;
    uint32_t granularity; /* rows of a mark, the least that is read; 0: 8192 */
    const char *time;     /* expression, a DateTime: the age of rows; NULL: they
                             stay for ever */
    enum signal signal;   /* whose retention it has; SIGNAL_COUNT: none */
    enum stream stream;   /* whose size it is part of; STREAM_COUNT: none */
    bool lookup;          /* its rows are no records */
};

extern const struct ch_table ch_tables[];
extern const size_t ch_table_count;

/* The column with this index, NULL behind the last. */
const struct ch_schema_column *ch_table_column(const struct ch_table *table,
                                               size_t index);

#endif
