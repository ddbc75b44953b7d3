/*
 * ch_reader - one reader of the store over ClickHouse: what a query of any of
 * its files needs.
 *
 *   enum status status = ch_select(reader, &sql, &rows);
 */
#ifndef CH_READER_H
#define CH_READER_H

#include <stdatomic.h>

#include "ch_client.h"
#include "ch_rows.h"
#include "ch_sql.h"
#include "clock.h"

/* The most that one request may take without a deadline. */
#define CH_READ_MAX_NS (60 * NS_PER_S)
/* Memory of one query beside its answer, charged to the budget. */
#define CH_WORK_MAX (UINT64_C(256) << 20)

struct ch_resource_cache;
struct clickhouse;
struct store_resources;

struct ch_reader {
    struct clickhouse *engine;
    struct ch_client *client;
    const struct store_resources *resources;
    struct budget *budget;        /* of all queries of this instance */
    bool probe;                   /* as in struct ch_request */
    const atomic_bool *cancelled; /* NULL: none */
    uint64_t deadline_ns;         /* 0: CH_READ_MAX_NS from each request on */
    struct ch_error error;        /* of the last request */
    uint64_t tail_ns;             /* ch_log_tail() since the begin; 0: none */
    struct ch_resource_cache *resource_cache; /* NULL: none yet */
};

/* Asks and reads the rows, whose decode, take and arg are set. Adds " FORMAT
 * RowBinary" to the text. */
MUST_CHECK enum status ch_select(struct ch_reader *reader, struct ch_sql *sql,
                                 struct ch_rows *rows);

/* ERR_CANCELLED, ERR_DEADLINE: for loops over what was read. */
MUST_CHECK enum status ch_reader_cancelled(const struct ch_reader *reader);

#endif
