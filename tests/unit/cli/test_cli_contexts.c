/* The configuration file of the command line. */
#include "cli_contexts.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static bool parse(struct cli_contexts *contexts, const char *text,
                  char why[CLI_WHY])
{
    return cli_contexts_parse(contexts, slice_of(text), why);
}

TEST(a_file_has_contexts_with_members)
{
    struct cli_contexts contexts;
    const struct cli_context *context;
    char why[CLI_WHY];

    CHECK(parse(&contexts,
                "current-context: b\n"
                "contexts:\n"
                "  a: {server: 127.0.0.1:9097}\n"
                "  b:\n"
                "    server: https://x.example\n"
                "    token-file: b.token\n"
                "    namespace: acme\n",
                why));
    CHECK_EQ(contexts.count, 2);
    CHECK(strcmp(contexts.current, "b") == 0);
    context = cli_context_find(&contexts, "b");
    CHECK(context && strcmp(context->fields[FIELD_NAMESPACE], "acme") == 0);
    CHECK(context && !context->fields[FIELD_PROJECT]);
    CHECK(!cli_context_find(&contexts, "c"));
    cli_contexts_release(&contexts);
    CHECK(parse(&contexts, "", why));
    CHECK_EQ(contexts.count, 0);
}

TEST(what_is_wrong_is_said_with_its_line)
{
    static const char *const wrong[][2] = {
        {"contexts:\n  a:\n    sever: x\n",
         "line 3: a context has no member \"sever\""},
        {"contexts: 5\n", "line 1: expected members, name: value"},
        {"context: {}\n", "line 1: expected current-context or contexts"},
        {"contexts:\n  a: {}\n  a: {}\n",
         "line 3: there is a context of this name above"},
        {"contexts:\n  a: {server: [x]}\n",
         "line 2: expected one text as the value"},
        {"contexts: {a: {server: x}\n", NULL},
        {"current-context: {a: b}\n", "line 1: expected the name of a context"},
        {"- a\n", "line 1: expected members, name: value"},
        {"? [a]\n: b\n", "line 1: expected a name"},
    };
    struct cli_contexts contexts;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char why[CLI_WHY] = "";

        CHECK(!parse(&contexts, wrong[i][0], why));
        if (wrong[i][1] && !CHECK(strcmp(why, wrong[i][1]) == 0))
            printf("# %s: %s\n", wrong[i][0], why);
    }
}

/* Whatever the values: what is printed is read again as the same. */
TEST(what_is_printed_is_read_again)
{
    static const char *const values[] = {
        "plain", "with space", "a: b", "#x",        "\"q\\", "-",
        "~",     "null",       "é",    "x:",        ":x",    "{a}",
        "'",     "1.5",        "true", "trailing ", "a#b",   "@at"};
    struct cli_contexts before = {.count = 0}, after;
    char *text = NULL, why[CLI_WHY];
    size_t len = 0;
    FILE *out;

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct cli_context *context = cli_context_add(&before, values[i]);

        for (int k = 0; k < CLI_FIELDS; k++)
            cli_context_set(context, (enum cli_field)k,
                            i % 2 ? values[(i + (size_t)k) % 18] : NULL);
    }
    out = open_memstream(&text, &len);
    cli_contexts_print(out, &before, true);
    fclose(out);
    if (!CHECK(parse(&after, text, why)))
        printf("# %s\n", why);
    CHECK_EQ(after.count, before.count);
    for (size_t i = 0; i < after.count && i < before.count; i++)
        for (int k = 0; k < CLI_FIELDS; k++) {
            const char *a = before.list[i].fields[k];
            const char *b = after.list[i].fields[k];

            CHECK(!a == !b && (!a || strcmp(a, b) == 0));
        }
    cli_contexts_release(&before);
    cli_contexts_release(&after);
    free(text);
}

TEST(tokens_are_hidden)
{
    struct cli_contexts contexts = {.count = 0};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    cli_context_set(cli_context_add(&contexts, "a"), FIELD_TOKEN, "hush");
    cli_contexts_print(out, &contexts, false);
    fclose(out);
    CHECK(!strstr(text, "hush") && strstr(text, "token: "));
    cli_contexts_release(&contexts);
    free(text);
}
