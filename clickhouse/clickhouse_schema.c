/* The verbs of the schema: a client for them, and their sentences. */
#include "clickhouse_schema.h"

#include <stdio.h>

#include "ch_client.h"
#include "ch_migrate.h"

static struct ch_schema_options options_of(
    const struct clickhouse_schema *schema, const char *database)
{
    struct ch_schema_options options = {.database = database,
                                        .cluster = schema->cluster};

    for (int i = 0; i < SIGNAL_COUNT; i++)
        options.retention_ns[i] = schema->retention_ns[i];
    return options;
}

static enum status open_client(const struct clickhouse_schema *schema,
                               struct ch_client **client,
                               char why[CLICKHOUSE_SCHEMA_WHY])
{
    const struct ch_options options = {.url = schema->url,
                                       .password = schema->password,
                                       .ca_file = schema->ca_file};
    const char *text = "";
    enum status status = ch_client_open(client, &options, &text);

    if (status != OK)
        snprintf(why, CLICKHOUSE_SCHEMA_WHY, "--store: %s", text);
    return status;
}

enum status clickhouse_schema_print(const struct clickhouse_schema *schema,
                                    struct buf *sql,
                                    char why[CLICKHOUSE_SCHEMA_WHY])
{
    struct ch_schema_options options = options_of(schema, "callboard");
    struct ch_client *client = NULL;
    enum status status = schema->url ? open_client(schema, &client, why) : OK;

    if (status != OK)
        return status;
    if (client)
        options.database = ch_client_database(client);
    ch_schema_print(sql, &options);
    ch_client_close(client);
    return sql->status;
}

enum status clickhouse_schema_apply(const struct clickhouse_schema *schema,
                                    char why[CLICKHOUSE_SCHEMA_WHY])
{
    struct ch_schema_options options;
    struct ch_client *client = NULL;
    struct ch_error error;
    enum status status = open_client(schema, &client, why);

    if (status != OK)
        return status;
    options = options_of(schema, ch_client_database(client));
    status = ch_migrate(client, &options, &error);
    if (status == OK)
        snprintf(why, CLICKHOUSE_SCHEMA_WHY,
                 "%s has the tables of schema version %d",
                 ch_client_place(client), CH_SCHEMA_VERSION);
    else
        snprintf(why, CLICKHOUSE_SCHEMA_WHY, "%s", error.text);
    ch_client_close(client);
    return status;
}
