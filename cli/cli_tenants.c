/*
 * `callboard tenants`: who uses what, as a table, or the answer of
 * /api/v1/access/tenants.
 */
#include <string.h>

#include "cli_access.h"

enum { NAME_WIDTH = 24 };

/* 12345678 is 12.3M. */
static void print_number(const json_t *row, const char *member, int width)
{
    static const char units[] = " kMGTPE";
    json_int_t whole = json_integer_value(json_object_get(row, member));
    double value = (double)whole;
    size_t unit = 0;

    while (value >= 999.5 && unit + 2 < sizeof(units)) {
        value /= 1000;
        unit++;
    }
    if (unit == 0)
        printf(" %*" JSON_INTEGER_FORMAT, width, whole);
    else
        printf(" %*.*f%c", width - 1, value < 9.95 ? 1 : 0, value, units[unit]);
}

static void print_limits(const json_t *row)
{
    const json_t *limits = json_object_get(row, "limits");

    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *limit = json_array_get(limits, i);

        printf("%s%s %" JSON_INTEGER_FORMAT, i > 0 ? ", " : "  ",
               cli_text(limit, "name"),
               json_integer_value(json_object_get(limit, "value")));
    }
}

static void print_table(const json_t *answer)
{
    static const struct {
        const char *head, *member;
        int width;
    } columns[] = {
        {"RECORDS", "recordsAccepted", 8}, {"REFUSED", "requestsRefused", 8},
        {"BYTES/DAY", "bytesToday", 10},   {"RESOURCES", "resources", 10},
        {"CONNS", "connections", 6},       {"QUERIES", "queries", 8},
        {"SECONDS", "querySeconds", 8},
    };
    const json_t *rows = json_object_get(answer, "tenants");
    size_t count = sizeof(columns) / sizeof(*columns);

    printf("%-*s", NAME_WIDTH, "NAMESPACE");
    for (size_t k = 0; k < count; k++)
        printf(" %*s", columns[k].width, columns[k].head);
    puts("  LIMITS");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *name = cli_text(row, "namespace");

        cli_put(stdout, name);
        printf("%*s",
               strlen(name) < NAME_WIDTH ? NAME_WIDTH - (int)strlen(name) : 0,
               "");
        for (size_t k = 0; k < count; k++)
            print_number(row, columns[k].member, columns[k].width);
        print_limits(row);
        putchar('\n');
    }
}

int cli_tenants(struct cli_call *call)
{
    int code;
    json_t *answer =
        cli_ask(call, "GET", SLICE("/api/v1/access/tenants"), SLICE(""), &code);

    if (answer && cli_wants_json(call))
        cli_print_json(call, answer);
    else if (answer)
        print_table(answer);
    json_decref(answer);
    return code;
}
