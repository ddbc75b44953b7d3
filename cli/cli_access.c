/*
 * What `callboard token`, `tenants` and `tenant` share: options, the server to
 * ask, one request, and its answer as JSON.
 */
#include "cli_access.h"

#include <getopt.h>
#include <stdlib.h>

enum { MAX_ANSWER = 64 << 20 };

int cli_usage(FILE *out, const char *text)
{
    fputs(text, out);
    fputs("  --data-dir DIRECTORY   of the server, whose socket there is used\n"
          "                         (default $CALLBOARD_DATA_DIR, else\n"
          "                         ./callboard-data)\n"
          "  --server HOST:PORT     query API of the server, or its URL, "
          "instead;\n"
          "                         CALLBOARD_TOKEN_FILE names the file with "
          "the\n"
          "                         token to use there\n"
          "  --json                 print the answer as JSON\n"
          "\n"
          "Exit status: 0 if it was done, 1 if not, 2 if the command line is\n"
          "wrong, 3 if the credential is missing or not enough, 4 if the "
          "server\n"
          "says to try again later.\n",
          out);
    return out == stdout ? CLI_ANSWERED : CLI_MISUSED;
}

bool cli_parse(struct cli_access *o, int argc, char **argv,
               const struct option *options, const char **values)
{
    const char *data = getenv("CALLBOARD_DATA_DIR");
    int option;

    *o = (struct cli_access){.json = false};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return false;
        if (option < CLI_SERVER)
            values[option] = optarg;
        else if (option == CLI_SERVER)
            o->server.address = optarg;
        else if (option == CLI_DATA_DIR)
            data = optarg;
        o->json |= option == CLI_JSON;
        o->help |= option == CLI_HELP;
    }
    if (!o->server.address)
        o->server.data_dir = data && data[0] ? data : "./callboard-data";
    o->words = argv + optind;
    o->count = argc - optind;
    return true;
}

json_t *cli_ask(const struct cli_access *o, const char *method,
                struct slice path, struct slice text, int *code)
{
    char error[CLI_ERROR];
    json_t *answer = NULL;
    struct buf body;
    long status;

    buf_init(&body, MAX_ANSWER);
    status = cli_send(&o->server, method, path, text, &body, error);
    if (status == 200)
        answer = json_loadb(body.ptr, body.len, 0, NULL);
    *code = CLI_ANSWERED;
    if (status != 200) {
        *code = cli_fail(&o->server, status, buf_slice(&body), error);
    } else if (!answer) {
        fputs("callboard: the answer is not JSON\n", stderr);
        *code = CLI_FAILED;
    }
    buf_release(&body);
    return answer;
}

void cli_print_json(const json_t *answer)
{
    json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    putchar('\n');
}
