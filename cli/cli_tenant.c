/*
 * `callboard tenant delete NAMESPACE`.
 */
#include <string.h>

#include "cli_access.h"

static int usage(FILE *out)
{
    return cli_usage(
        out, "Usage: callboard tenant delete NAMESPACE [OPTION]...\n"
             "\n"
             "Deletes the telemetry of a namespace: from now on no query\n"
             "returns its components, spans, log records and metrics. They\n"
             "stay on disk until the retention ends.\n"
             "Revoke its tokens first: what is sent for it later is stored as\n"
             "new. Its part of the catalogue, its tokens and its root-cause\n"
             "reports stay.\n"
             "\n");
}

static void print_deleted(const char *name, const json_t *answer)
{
    fputs("Namespace ", stdout);
    cli_put(stdout, name);
    printf(" is deleted: components %" JSON_INTEGER_FORMAT
           ", resources %" JSON_INTEGER_FORMAT ".\n",
           json_integer_value(json_object_get(answer, "components")),
           json_integer_value(json_object_get(answer, "resources")));
}

static int delete_tenant(const struct cli_access *o, const char *name)
{
    struct buf path;
    json_t *answer;
    int code;

    buf_init(&path, CLI_MAX_URL);
    buf_add(&path, SLICE("/api/v1/access/tenants/"));
    for (const char *c = name; *c; c++)
        buf_format(&path, "%%%02X", (unsigned char)*c);
    answer = cli_ask(o, "DELETE", buf_slice(&path), SLICE(""), &code);
    if (answer && o->json)
        cli_print_json(answer);
    else if (answer)
        print_deleted(name, answer);
    json_decref(answer);
    buf_release(&path);
    return code;
}

int cli_tenant(int argc, char **argv)
{
    static const struct option options[] = {CLI_OPTIONS};
    struct cli_access o;

    if (!cli_parse(&o, argc, argv, options, NULL))
        return usage(stderr);
    if (o.help)
        return usage(stdout);
    if (o.count != 2 || strcmp(o.words[0], "delete") != 0)
        return usage(stderr);
    return delete_tenant(&o, o.words[1]);
}
