/*
 * `callboard tenant delete NAMESPACE`.
 */
#include <string.h>

#include "cli_access.h"
#include "cli_request.h"

static void print_deleted(const char *name, const json_t *answer)
{
    fputs("Namespace ", stdout);
    cli_put(stdout, name);
    printf(" is deleted: components %" JSON_INTEGER_FORMAT
           ", resources %" JSON_INTEGER_FORMAT ".\n",
           json_integer_value(json_object_get(answer, "components")),
           json_integer_value(json_object_get(answer, "resources")));
}

static int delete_tenant(const struct cli_call *call, const char *name)
{
    struct buf path;
    json_t *answer;
    int code;

    buf_init(&path, CLI_MAX_URL);
    buf_add(&path, SLICE("/api/v1/access/tenants/"));
    url_add_escaped(&path, slice_of(name));
    answer = cli_ask(call, "DELETE", buf_slice(&path), SLICE(""), &code);
    if (answer && cli_wants_json(call))
        cli_print_json(call, answer);
    else if (answer)
        print_deleted(name, answer);
    json_decref(answer);
    buf_release(&path);
    return code;
}

int cli_tenant(struct cli_call *call)
{
    char **words = call->given.words;

    if (strcmp(words[0], "delete") == 0)
        return delete_tenant(call, words[1]);
    fprintf(stderr,
            "callboard: there is no tenant %s; see callboard tenant "
            "--help\n",
            words[0]);
    return CLI_MISUSED;
}
