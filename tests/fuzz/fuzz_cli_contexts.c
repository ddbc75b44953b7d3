/*
 * The configuration file of the command line: taken whole, or refused with a
 * reason and nothing is kept; what is printed is read again as the same.
 */
#include <stdlib.h>
#include <string.h>

#include "cli_contexts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_printed(const struct cli_contexts *before)
{
    struct cli_contexts after;
    char *text = NULL, why[CLI_WHY];
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        abort();
    cli_contexts_print(out, before, true);
    if (fclose(out) != 0 ||
        !cli_contexts_parse(&after, (struct slice){text, len}, why) ||
        after.count != before->count || !same(after.current, before->current))
        abort();
    for (size_t i = 0; i < after.count; i++) {
        if (!same(after.list[i].name, before->list[i].name))
            abort();
        for (int k = 0; k < CLI_FIELDS; k++)
            if (!same(after.list[i].fields[k], before->list[i].fields[k]))
                abort();
    }
    cli_contexts_release(&after);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cli_contexts contexts;
    char why[CLI_WHY] = "";

    if (size > 1 << 16)
        return 0;
    if (cli_contexts_parse(&contexts, (struct slice){(const char *)data, size},
                           why))
        check_printed(&contexts);
    else if (contexts.count > 0 || contexts.list || why[0] == '\0')
        abort();
    cli_contexts_release(&contexts);
    return 0;
}
