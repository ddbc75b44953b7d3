/*
 * clickhouse_kit - a database for a test, in the ClickHouse of CLICKHOUSE_URL,
 * which programs.py starts for the programs in tests/clickhouse/unit/.
 *
 *   struct clickhouse_kit kit;
 *
 *   clickhouse_kit_open(&kit);      // a new database with the tables
 *   ... kit.client, kit.reader, kit.url
 *   clickhouse_kit_run(&kit, "INSERT ...");
 *   CHECK_EQ(clickhouse_kit_number(&kit, "SELECT count() FROM otel_logs"), 0);
 *   clickhouse_kit_close(&kit);
 */
#ifndef CLICKHOUSE_KIT_H
#define CLICKHOUSE_KIT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ch_migrate.h"
#include "ch_reader.h"
#include "clock.h"
#include "test.h"

struct clickhouse_kit {
    char url[256], database[64];
    struct ch_client *client;
    struct ch_reader reader;
    struct ch_schema_options schema;
    uint64_t number;
};

static inline uint64_t clickhouse_kit_soon(void)
{
    return clock_monotonic_ns() + 60 * NS_PER_S;
}

/* Any statement; false, with a message, if it fails. */
static inline bool clickhouse_kit_run(struct clickhouse_kit *kit,
                                      const char *sql)
{
    struct ch_error error;
    const struct ch_request request = {.sql = slice_of(sql),
                                       .writes = true,
                                       .deadline_ns = clickhouse_kit_soon()};
    enum status status = ch_run(kit->client, &request, &error);

    if (status != OK)
        printf("# %s: %s\n", sql, error.text);
    return CHECK(status == OK);
}

static inline void clickhouse_kit_decode(void *arg, struct byte_reader *in)
{
    ((struct clickhouse_kit *)arg)->number = ch_read_u64(in);
}

static inline enum status clickhouse_kit_take(void *arg)
{
    (void)arg;
    return OK;
}

/* The number of a SELECT of one UInt64 (count(), toUInt64(...)). */
static inline uint64_t clickhouse_kit_number(struct clickhouse_kit *kit,
                                             const char *sql)
{
    struct ch_rows rows = {.decode = clickhouse_kit_decode,
                           .take = clickhouse_kit_take,
                           .arg = kit};
    struct ch_sql text;

    ch_sql_init(&text);
    ch_sql_add(&text, sql, NULL, 0);
    kit->number = UINT64_MAX;
    if (!CHECK(ch_select(&kit->reader, &text, &rows) == OK))
        printf("# %s: %s\n", sql, kit->reader.error.text);
    ch_sql_release(&text);
    return kit->number;
}

/* No tables yet. */
static inline void clickhouse_kit_connect(struct clickhouse_kit *kit)
{
    static int databases;
    const char *server = getenv("CLICKHOUSE_URL"), *why = "";
    struct ch_options options = {.url = kit->url};

    *kit = (struct clickhouse_kit){0};
    if (!server) {
        printf("not ok - CLICKHOUSE_URL is not set: programs.py runs this\n");
        exit(1);
    }
    snprintf(kit->database, sizeof(kit->database), "test_%d_%d", (int)getpid(),
             databases++);
    snprintf(kit->url, sizeof(kit->url), "%s/%s", server, kit->database);
    if (ch_client_open(&kit->client, &options, &why) != OK) {
        printf("not ok - %s: %s\n", kit->url, why);
        exit(1);
    }
    kit->reader = (struct ch_reader){.client = kit->client};
    kit->schema = (struct ch_schema_options){.database = kit->database};
}

static inline void clickhouse_kit_open(struct clickhouse_kit *kit)
{
    struct ch_error error;

    clickhouse_kit_connect(kit);
    if (!CHECK(ch_migrate(kit->client, &kit->schema, &error) == OK)) {
        printf("# %s\n", error.text);
        exit(1);
    }
}

static inline void clickhouse_kit_close(struct clickhouse_kit *kit)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "DROP DATABASE %s", kit->database);
    clickhouse_kit_run(kit, sql);
    ch_client_close(kit->client);
}

#endif
