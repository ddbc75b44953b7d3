/*
 * `callboard tenants`: who uses what, as a table, or the answer of
 * /api/v1/access/tenants as it is.
 */
#include "client.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ANSWER = 16 << 20, NAME_WIDTH = 24 };

static int usage(FILE *out)
{
    fputs(
        "Usage: callboard tenants [OPTION]...\n"
        "\n"
        "Asks a running server what each namespace uses of it, and which\n"
        "limits are set; those that send most come first.\n"
        "\n"
        "  --server HOST:PORT  query API of the server, or its URL\n"
        "                      (default 127.0.0.1:9097)\n"
        "  --data-dir DIRECTORY\n"
        "                      of a server on this machine: asks its socket,\n"
        "                      which needs no token\n"
        "  --json              print the answer as JSON\n"
        "\n"
        "Exit status: 0 after an answer, 1 if there is none, 2 if the command\n"
        "line is wrong, 3 without a token that may ask "
        "(CALLBOARD_TOKEN_FILE),\n"
        "4 if the server is busy.\n",
        out);
    return out == stdout ? CLIENT_ANSWERED : CLIENT_MISUSED;
}

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
               client_text(limit, "name"),
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
        const char *name = client_text(row, "namespace");

        client_put(stdout, name);
        printf("%*s",
               strlen(name) < NAME_WIDTH ? NAME_WIDTH - (int)strlen(name) : 0,
               "");
        for (size_t k = 0; k < count; k++)
            print_number(row, columns[k].member, columns[k].width);
        print_limits(row);
        putchar('\n');
    }
}

static int print_answer(struct slice body, bool as_json)
{
    json_t *answer = json_loadb(body.ptr, body.len, 0, NULL);
    int code = answer ? CLIENT_ANSWERED : CLIENT_FAILED;

    if (!answer)
        fputs("callboard: the answer is not JSON\n", stderr);
    else if (as_json)
        printf("%.*s\n", (int)body.len, body.ptr);
    else
        print_table(answer);
    json_decref(answer);
    return code;
}

static int ask(const struct client_server *server, bool as_json)
{
    char error[CLIENT_ERROR];
    struct buf body;
    long status;
    int code;

    buf_init(&body, MAX_ANSWER);
    status = client_send(server, "GET", SLICE("/api/v1/access/tenants"),
                         SLICE(""), &body, error);
    code = status == 200 ? print_answer(buf_slice(&body), as_json)
                         : client_fail(server, status, buf_slice(&body), error);
    buf_release(&body);
    return code;
}

int client_tenants(int argc, char **argv)
{
    enum { SERVER, DATA, JSON, HELP };
    static const struct option options[] = {
        {"server", required_argument, NULL, SERVER},
        {"data-dir", required_argument, NULL, DATA},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0}};
    struct client_server server = {.address = "127.0.0.1:9097"};
    bool as_json = false;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return usage(stderr);
        if (option == HELP)
            return usage(stdout);
        if (option == SERVER)
            server = (struct client_server){.address = optarg};
        if (option == DATA)
            server = (struct client_server){.data_dir = optarg};
        as_json |= option == JSON;
    }
    return optind < argc ? usage(stderr) : ask(&server, as_json);
}
