/*
 * schema print | apply: see clickhouse_schema.h; export: see export.h.
 *
 * The options are those of serve, from the same sources, so an operator says
 * them once for both.
 */
#include "local_verbs.h"

#include <stdio.h>
#include <string.h>

#include "clickhouse_schema.h"
#include "config.h"
#include "export.h"
#include "secret_file.h"

enum { LOCAL_FAILED = 1, LOCAL_MISUSED = 2, MAX_PASSWORD = 4096 };

#define STORE_CLICKHOUSE "clickhouse="

static int complain(const char *verb, const char *why)
{
    fprintf(stderr, "callboard %s: %s\n", verb, why);
    return LOCAL_FAILED;
}

/* The first line of the file; empty if none is named. */
static enum status read_password(const struct config *config,
                                 struct secret *password, const char **why)
{
    enum status status;

    if (!config->clickhouse_password_file[0])
        return OK;
    status = secret_file_read(config->clickhouse_password_file, MAX_PASSWORD,
                              password, why);
    if (status == OK)
        password->len = strcspn(password->ptr, "\r\n");
    return status;
}

static struct clickhouse_schema schema_of(const struct config *config,
                                          const struct secret *password)
{
    const char *store = config->store;

    return (struct clickhouse_schema){
        .url = store[0] ? store + strlen(STORE_CLICKHOUSE) : NULL,
        .password = {password->ptr, password->len},
        .ca_file = config->clickhouse_ca[0] ? config->clickhouse_ca : NULL,
        .cluster = config->clickhouse_cluster,
        .retention_ns = {config->retention_traces, config->retention_logs,
                         config->retention_metrics}};
}

static int schema_print(const struct clickhouse_schema *schema)
{
    char why[CLICKHOUSE_SCHEMA_WHY] = "";
    struct buf sql;
    enum status status;

    buf_init(&sql, 1 << 20);
    status = clickhouse_schema_print(schema, &sql, why);
    if (status == OK)
        fwrite(sql.ptr, 1, sql.len, stdout);
    buf_release(&sql);
    return status == OK ? 0 : complain("schema print", why);
}

static int schema_apply(const struct clickhouse_schema *schema)
{
    char why[CLICKHOUSE_SCHEMA_WHY] = "";

    if (!schema->url)
        return complain("schema apply",
                        "--store clickhouse=URL says where; see callboard "
                        "schema --help");
    if (clickhouse_schema_apply(schema, why) != OK)
        return complain("schema apply", why);
    printf("%s\n", why);
    return 0;
}

static int run_schema(const char *action, const struct config *config)
{
    struct secret password = {0};
    const char *why = "";
    struct clickhouse_schema schema;
    int code;

    if (config->store[0] &&
        strncmp(config->store, STORE_CLICKHOUSE, strlen(STORE_CLICKHOUSE)) != 0)
        return complain("schema", "--store is not clickhouse=URL");
    if (read_password(config, &password, &why) != OK) {
        secret_release(&password);
        return complain("schema: --clickhouse-password-file", why);
    }
    schema = schema_of(config, &password);
    code = strcmp(action, "print") == 0 ? schema_print(&schema)
                                        : schema_apply(&schema);
    secret_release(&password);
    return code;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int schema_verb(int argc, char **argv)
{
    struct config config;
    int code = LOCAL_FAILED;

    if (argc < 3 ||
        (strcmp(argv[2], "print") != 0 && strcmp(argv[2], "apply") != 0)) {
        fprintf(stderr, "Usage: callboard schema print | apply [--OPTION "
                        "VALUE]...\nSee callboard schema --help\n");
        return LOCAL_MISUSED;
    }
    /* config_load() takes what follows a first word. */
    if (config_load(&config, argc - 2, argv + 2) == OK)
        code = run_schema(argv[2], &config);
    config_release(&config);
    return code;
}

static int export_verb(int argc, char **argv)
{
    struct config config;
    int code = LOCAL_FAILED;

    if (argc < 3) {
        fprintf(stderr, "Usage: callboard export --store clickhouse=URL "
                        "--data-dir DIR\nSee callboard export --help\n");
        return LOCAL_MISUSED;
    }
    if (config_load(&config, argc - 1, argv + 1) == OK)
        code = export_run(&config);
    config_release(&config);
    return code;
}

int local_verb_run(int argc, char **argv)
{
    int code;

    if (argc < 2 || asks_for_help(argc, argv))
        return -1;
    if (strcmp(argv[1], "schema") == 0)
        code = schema_verb(argc, argv);
    else if (strcmp(argv[1], "export") == 0)
        code = export_verb(argc, argv);
    else
        return -1;
    return fflush(stdout) == 0 ? code : LOCAL_FAILED;
}
