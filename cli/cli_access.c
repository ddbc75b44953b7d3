/*
 * What `callboard token`, `tenants` and `tenant` share: one request, and its
 * answer as JSON.
 */
#include "cli_access.h"

#include <stdlib.h>

#include "cli_table.h"

enum { MAX_ANSWER = 64 << 20 };

json_t *cli_ask(const struct cli_call *call, const char *method,
                struct slice path, struct slice text, int *code)
{
    char error[CLI_ERROR];
    json_t *answer = NULL;
    struct buf body;
    long status;

    buf_init(&body, MAX_ANSWER);
    status = cli_send(&call->server, method, path, text, &body, error);
    if (status == 200)
        answer = json_loadb(body.ptr, body.len, 0, NULL);
    *code = CLI_ANSWERED;
    if (status != 200) {
        *code = cli_fail(&call->server, status, buf_slice(&body), error);
    } else if (!answer) {
        fputs("callboard: the answer is not JSON\n", stderr);
        *code = CLI_FAILED;
    }
    buf_release(&body);
    return answer;
}

bool cli_wants_json(const struct cli_call *call)
{
    return call->output == OUTPUT_JSON;
}

void cli_print_json(const struct cli_call *call, const json_t *answer)
{
    char *text = json_dumps(answer, JSON_INDENT(2) | JSON_REAL_PRECISION(15));

    if (text)
        cli_print_raw(&call->screen, slice_of(text));
    free(text);
}
