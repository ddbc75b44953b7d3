/* Help and the manual page, from the tables of verbs and options. */
#include <string.h>

#include "cli.h"
#include "cli_verbs.h"

enum { LINE = 78 };

static const char exits[] =
    "0 after an answer, 1 if there is none (nobody answers in time, or with an "
    "error), 2 if the command line is wrong, 3 if the credential is missing or "
    "not enough, 4 if the server says to try again later, 5 if nothing was "
    "found, 130 after Ctrl-C.";

static const char environment[] =
    "CALLBOARD_SERVER, CALLBOARD_CONTEXT, CALLBOARD_NAMESPACE, "
    "CALLBOARD_PROJECT, CALLBOARD_ENVIRONMENT, CALLBOARD_TOKEN_FILE, "
    "CALLBOARD_CA_FILE, CALLBOARD_CERT_FILE and CALLBOARD_KEY_FILE stand for "
    "the options of these names. An option comes before the environment, which "
    "comes before the context of `callboard config`.";

/* One line of text, up to its end, wrapped and indented. */
static const char *wrap_line(FILE *out, const char *text, size_t indent)
{
    size_t column = 0;

    while (*text && *text != '\n') {
        size_t len = strcspn(text, " \n");

        if (column && column + 1 + len > LINE - indent) {
            fputc('\n', out);
            column = 0;
        }
        if (column == 0)
            fprintf(out, "%*s", (int)indent, "");
        else
            fputc(' ', out);
        fprintf(out, "%.*s", (int)len, text);
        column += len + (column > 0);
        text += len + strspn(text + len, " ");
    }
    fputc('\n', out);
    return *text ? text + 1 : text;
}

static void wrap(FILE *out, const char *text, size_t indent)
{
    while (*text)
        text = wrap_line(out, text, indent);
}

static void print_option(FILE *out, const struct cli_option *o)
{
    if (o->letter)
        fprintf(out, "  -%c, --%s", o->letter, o->name);
    else
        fprintf(out, "      --%s", o->name);
    fprintf(out, "%s%s\n", o->value ? " " : "", o->value ? o->value : "");
    wrap(out, o->help, 10);
}

static void print_usage(FILE *out, const struct cli_verb *verb)
{
    fprintf(out, "Usage: callboard %s%s%s [OPTION]...\n\n", verb->name,
            verb->arguments[0] ? " " : "", verb->arguments);
}

void cli_print_help(FILE *out, const struct cli_verb *verb)
{
    print_usage(out, verb);
    wrap(out, verb->text, 0);
    fputs("\nExamples:\n", out);
    for (const char *at = verb->examples; *at;) {
        size_t len = strcspn(at, "\n");

        fprintf(out, "  callboard %.*s\n", (int)len, at);
        at += len + (at[len] != '\0');
    }
    fputs("\nOptions:\n", out);
    for (int i = 0; i < CLI_OPTIONS; i++)
        if (verb->options >> i & 1)
            print_option(out, &cli_options[i]);
    if (verb->since)
        fprintf(out,
                "\nThe time is the last %s unless --since says otherwise.\n",
                verb->since);
    fputc('\n', out);
    wrap(out, environment, 0);
    fputs("\n", out);
    fputs("Exit status: ", out);
    fputs("\n", out);
    wrap(out, exits, 2);
}

void cli_print_verbs(FILE *out)
{
    for (size_t i = 0; i < cli_verb_count; i++)
        fprintf(out, "  %-16s %s\n", cli_verbs[i].name, cli_verbs[i].brief);
}

/* ---- the manual page ---- */

/* Text for roff: hyphens, backslashes, and what begins a request. */
static void roff(FILE *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-' || text[i] == '\\')
            fputc('\\', out);
        if ((text[i] == '.' || text[i] == '\'') &&
            (i == 0 || text[i - 1] == '\n'))
            fputs("\\&", out);
        fputc(text[i], out);
        if (text[i] == '\n')
            fputs(".br\n", out);
    }
}

static void roff_text(FILE *out, const char *text)
{
    roff(out, text, strlen(text));
}

static void man_verb(FILE *out, const struct cli_verb *verb)
{
    const char *before = "";

    fprintf(out, ".SS callboard %s ", verb->name);
    roff_text(out, verb->arguments);
    fputc('\n', out);
    roff_text(out, verb->text);
    fputs("\n.P\nOptions: ", out);
    for (int i = 0; i < CLI_OPTIONS; i++)
        if (verb->options >> i & 1) {
            fprintf(out, "%s\\fB\\-\\-", before);
            roff_text(out, cli_options[i].name);
            fputs("\\fR", out);
            before = ", ";
        }
    fputs(".\n.P\n.nf\n", out);
    for (const char *at = verb->examples; *at;) {
        size_t len = strcspn(at, "\n");

        fputs("  callboard ", out);
        roff(out, at, len);
        fputc('\n', out);
        at += len + (at[len] != '\0');
    }
    fputs(".fi\n", out);
}

void cli_print_man(FILE *out)
{
    fputs(".SH VERBS\n", out);
    roff_text(out, environment);
    fputc('\n', out);
    for (size_t i = 0; i < cli_verb_count; i++)
        man_verb(out, &cli_verbs[i]);
    fputs(".SH OPTIONS OF VERBS\n", out);
    for (int i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option *o = &cli_options[i];

        fputs(".TP\n\\fB\\-\\-", out);
        roff_text(out, o->name);
        fputs("\\fR", out);
        if (o->letter)
            fprintf(out, ", \\fB\\-%c\\fR", o->letter);
        if (o->value)
            fprintf(out, " \\fI%s\\fR", o->value);
        fputc('\n', out);
        roff_text(out, o->help);
        fputc('\n', out);
    }
    fputs(".SH EXIT STATUS OF VERBS\n", out);
    roff_text(out, exits);
    fputc('\n', out);
}
