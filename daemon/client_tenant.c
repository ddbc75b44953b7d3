/*
 * `callboard tenant delete NAMESPACE`: by the socket in the data folder or,
 * with --server, by the query API.
 */
#include "client.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ANSWER = 1 << 20 };

static int usage(FILE *out)
{
    fputs(
        "Usage: callboard tenant delete NAMESPACE [OPTION]...\n"
        "\n"
        "Deletes a namespace: from now on no query returns its components,\n"
        "or its spans, log records and metrics, which go with the retention.\n"
        "Revoke its tokens first: what is sent for it later is stored as\n"
        "new. Its part of the catalogue, its tokens and its root-cause\n"
        "reports stay.\n"
        "\n"
        "  --data-dir DIRECTORY  of the server (default ./callboard-data)\n"
        "  --server HOST:PORT    query API of the server, or its URL, "
        "instead;\n"
        "                        CALLBOARD_TOKEN_FILE names the file with the\n"
        "                        token to use there\n"
        "  --json                print the answer as JSON\n"
        "\n"
        "Exit status: 0 if it was deleted, 1 if not, 2 if the command line is\n"
        "wrong, 3 without a token that may do it, 4 if the server is busy.\n",
        out);
    return out == stdout ? CLIENT_ANSWERED : CLIENT_MISUSED;
}

static int print_answer(struct slice body, const char *name, bool as_json)
{
    json_t *answer = json_loadb(body.ptr, body.len, 0, NULL);

    if (!answer) {
        fputs("callboard: the answer is not JSON\n", stderr);
        return CLIENT_FAILED;
    }
    if (as_json) {
        printf("%.*s\n", (int)body.len, body.ptr);
    } else {
        fputs("Namespace ", stdout);
        client_put(stdout, name);
        printf(" is deleted: components %" JSON_INTEGER_FORMAT
               ", resources %" JSON_INTEGER_FORMAT ".\n",
               json_integer_value(json_object_get(answer, "components")),
               json_integer_value(json_object_get(answer, "resources")));
    }
    json_decref(answer);
    return CLIENT_ANSWERED;
}

static int delete_tenant(const struct client_server *server, const char *name,
                         bool as_json)
{
    char error[CLIENT_ERROR];
    struct buf path, body;
    long status;
    int code;

    buf_init(&path, CLIENT_MAX_URL);
    buf_init(&body, MAX_ANSWER);
    buf_add(&path, SLICE("/api/v1/access/tenants/"));
    for (const char *c = name; *c; c++)
        buf_format(&path, "%%%02X", (unsigned char)*c);
    status = client_send(server, "DELETE", buf_slice(&path), SLICE(""), &body,
                         error);
    code = status == 200 ? print_answer(buf_slice(&body), name, as_json)
                         : client_fail(server, status, buf_slice(&body), error);
    buf_release(&path);
    buf_release(&body);
    return code;
}

int client_tenant(int argc, char **argv)
{
    enum { SERVER, DATA, JSON, HELP };
    static const struct option options[] = {
        {"server", required_argument, NULL, SERVER},
        {"data-dir", required_argument, NULL, DATA},
        {"json", no_argument, NULL, JSON},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0}};
    const char *data = getenv("CALLBOARD_DATA_DIR");
    struct client_server server = {.address = NULL};
    bool as_json = false;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return usage(stderr);
        if (option == HELP)
            return usage(stdout);
        if (option == SERVER)
            server.address = optarg;
        else if (option == DATA)
            data = optarg;
        as_json |= option == JSON;
    }
    if (!server.address)
        server.data_dir = data && data[0] ? data : "./callboard-data";
    if (argc - optind != 2 || strcmp(argv[optind], "delete") != 0)
        return usage(stderr);
    return delete_tenant(&server, argv[optind + 1], as_json);
}
