/*
 * docs/operations.md has a row for every counter and every option, and none
 * for what is not there; --help has every option. Run in the top folder.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_int.h"
#include "stats.h"
#include "test.h"

static char *read_page(void)
{
    FILE *file = fopen("docs/operations.md", "rb");
    enum { ROOM = 1 << 20 };
    char *text = calloc(1, ROOM);

    if (!CHECK(file) || !text) {
        free(text);
        return NULL;
    }
    size_t len = fread(text, 1, ROOM - 1, file);
    CHECK(len > 0 && len < ROOM - 1);
    fclose(file);
    return text;
}

/* A row of a table that begins with this name, and says something. */
static const char *find_row(const char *page, const char *prefix,
                            const char *name)
{
    char start[128];

    snprintf(start, sizeof(start), "\n| `%s%s` | ", prefix, name);
    const char *row = strstr(page, start);
    return row ? row + 1 : NULL;
}

static bool says_something(const char *row)
{
    const char *end = strchr(row, '\n');
    const char *bar = row;
    int bars = 0;

    for (; end && bar < end && bars < 3; bar++)
        bars += *bar == '|';
    return bars == 3 && end - bar > 10;
}

static const char *const counters[] = {
#define COUNTER_NAME(id, type, name, label, help) name,
    STATS_TABLE(COUNTER_NAME)
#undef COUNTER_NAME
#define COUNTER_NAME(id, name, help) name,
        STATS_HISTOGRAM_TABLE(COUNTER_NAME)
#undef COUNTER_NAME
    /* of the store, printed by query/query_admin.c */
    "stored_bytes",
    "stored_records", "stored_blocks",
    /* of the Kafka receiver */
    "kafka_lag",
    /* of partitions, printed by partition/partition_report.c */
    "partition_tasks", "partition_blocks_total", "partition_idle_blocks_total",
    "partition_rows_total", "partition_checkpoints_total",
    "partition_takeovers_total", "partition_read_again_total",
    "partition_lost_blocks_total", "partition_retries_total",
    "partition_jobs_waiting",
    /* of TLS */
    "tls_certificate_expires_seconds",
    /* of the issuers of JWTs, printed by access/jwt.c */
    "jwks_age_seconds",
    /* by namespace, printed by access/tenants_usage.c */
    "tenant_records_total", "tenant_requests_refused_total",
    "tenant_bytes_today", "tenant_connections", "tenant_queries_total",
    "tenant_query_seconds_total", "tenant_memory_bytes",
    /* by namespace, printed by registry/registry_metrics.c */
    "tenant_resources", "tenant_resources_overflow_total"};

enum { COUNTERS = sizeof(counters) / sizeof(counters[0]) };

TEST(every_counter_has_a_row)
{
    char *page = read_page();

    for (size_t i = 0; page && i < COUNTERS; i++) {
        const char *row = find_row(page, "callboard_", counters[i]);

        if (!CHECK(row && says_something(row)))
            printf("# docs/operations.md lacks a row for callboard_%s\n",
                   counters[i]);
    }
    free(page);
}

TEST(every_option_has_a_row_with_its_default_and_sentence)
{
    char *page = read_page();

    for (size_t i = 0; page && i < config_option_count; i++) {
        const struct config_option *option = &config_options[i];
        const char *row = find_row(page, "--", option->name);
        char rest[512];

        snprintf(rest, sizeof(rest), "| `--%s` | %s%s%s | %s |\n", option->name,
                 option->value[0] ? "`" : "", option->value,
                 option->value[0] ? "`" : "", option->text);
        if (!CHECK(row && strncmp(row, rest, strlen(rest)) == 0))
            printf("# docs/operations.md lacks this row: %s", rest);
    }
    free(page);
}

TEST(every_row_is_of_something_there_is)
{
    static const char counter[] = "| `callboard_", option[] = "| `--";
    char *page = read_page(), name[128];
    int rows = 0;

    for (char *line = page; line; line = strchr(line, '\n')) {
        bool known = false;

        line += *line == '\n';
        if (strncmp(line, counter, strlen(counter)) == 0) {
            snprintf(name, sizeof(name), "%.*s",
                     (int)strcspn(line + strlen(counter), "`"),
                     line + strlen(counter));
            for (size_t i = 0; i < COUNTERS; i++)
                known |= strcmp(counters[i], name) == 0;
        } else if (strncmp(line, option, strlen(option)) == 0) {
            snprintf(name, sizeof(name), "%.*s",
                     (int)strcspn(line + strlen(option), "`"),
                     line + strlen(option));
            known = config_find(name) != NULL;
        } else {
            continue;
        }
        rows++;
        if (!CHECK(known))
            printf(
                "# docs/operations.md has a row for %s, which is not there\n",
                name);
    }
    CHECK(rows > 60);
    free(page);
}

/* Counters that the text names outside of the table, too. */
TEST(every_counter_named_in_the_text_is_there)
{
    char *page = read_page();

    for (char *at = page; at && (at = strstr(at, "callboard_")) != NULL;) {
        size_t len = 0;
        bool known = false;

        at += strlen("callboard_");
        while (islower((unsigned char)at[len]) || at[len] == '_')
            len++;
        for (size_t i = 0; i < COUNTERS; i++)
            known |= strlen(counters[i]) == len &&
                     strncmp(counters[i], at, len) == 0;
        if (!CHECK(known))
            printf("# docs/operations.md names callboard_%.*s, which is not "
                   "there\n",
                   (int)len, at);
    }
    free(page);
}

TEST(help_has_every_option)
{
    char *help = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&help, &len);

    if (!CHECK(out))
        return;
    config_print_help(out);
    fclose(out);
    for (size_t i = 0; i < config_option_count; i++) {
        char flag[128];

        snprintf(flag, sizeof(flag), "\n  --%s ", config_options[i].name);
        if (!CHECK(strstr(help, flag)))
            printf("# --help lacks%s\n", flag + 1);
    }
    /* what every start needs comes first; none is left to "Others" */
    CHECK(strstr(help, "\n  --data-dir ") < strstr(help, "\n  --kafka-"));
    CHECK(!strstr(help, "\nOthers:\n"));
    free(help);
}
