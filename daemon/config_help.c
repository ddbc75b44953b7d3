/*
 * The option table as text: --help, the man page, the sample file.
 */
#include "config.h"

#include <string.h>

#include "cli.h"
#include "config_int.h"

static const char *unit_word(enum option_type type)
{
    switch (type) {
    case OPTION_BYTES:
        return "SIZE";
    case OPTION_DURATION:
        return "DURATION";
    case OPTION_COUNT:
        return "N";
    case OPTION_TEXT:
        break;
    }
    return "TEXT";
}

/* Text wrapped before column 78, indented. */
static void wrap(FILE *out, const char *text, size_t indent)
{
    size_t column = 0;

    while (*text) {
        size_t len = strcspn(text, " ");

        if (column && column + 1 + len > 78 - indent) {
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
}

/* Options of --help by their names, or the beginnings of these (with '-' at
 * the end); one is in the first group that has it. */
static const struct {
    const char *title;
    const char *names[12];
} groups[] = {
    {"Where it listens and what it keeps",
     {"config", "data-dir", "memory-limit", "otlp-grpc", "otlp-http",
      "page-url", "query", "retention-", "ui"}},
    {"Access",
     {"allowed-hosts", "auth", "auth-ingest", "authz-", "base-url",
      "cors-origins", "grants", "jwks-", "jwt-", "tokens"}},
    {"Audit and secrets", {"audit", "audit-reads", "core"}},
    {"TLS", {"tls", "tls-", "query-tls-", "otlp-tls-", "grpc-tls-"}},
    {"Limits and times",
     {"edge-wait", "grpc-max-age", "idle-timeout", "journal-max", "limits",
      "max-", "query-workers", "seal-age"}},
    {"Catalogue, prices, health and log",
     {"catalog", "health", "log-level", "prices"}},
    {"Kafka", {"ingest-to", "kafka-"}},
    {"ClickHouse", {"store", "clickhouse-"}},
    {"Labels that the control plane stamps into resources", {"label-"}},
    {"Others", {""}},
};
enum { GROUPS = sizeof(groups) / sizeof(groups[0]) };

static bool is_named(const char *name, const char *pattern)
{
    size_t len = strlen(pattern);

    return len == 0 || pattern[len - 1] == '-'
               ? strncmp(name, pattern, len) == 0
               : strcmp(name, pattern) == 0;
}

static size_t group_of(const char *name)
{
    for (size_t g = 0; g < GROUPS; g++)
        for (size_t i = 0; i < 12 && groups[g].names[i]; i++)
            if (is_named(name, groups[g].names[i]))
                return g;
    return GROUPS - 1;
}

static void print_option(FILE *out, const struct config_option *o)
{
    fprintf(out, "  --%s %s", o->name, unit_word(o->type));
    if (o->value[0])
        fprintf(out, "  (default %s)", o->value);
    fputc('\n', out);
    wrap(out, o->text, 6);
}

void config_print_usage(FILE *out)
{
    fputs(
        "Usage: callboard [serve] [--OPTION VALUE]...\n"
        "       callboard VERB [ARGUMENT]... [--OPTION VALUE]...\n"
        "\n"
        "serve receives OTLP, tags every signal with project, component and\n"
        "endpoint, stores it, and answers queries by these names. It is what\n"
        "callboard does without a verb.\n"
        "\n"
        "Verbs that ask a running server:\n",
        out);
    cli_print_verbs(out);
    fputs("\n"
          "More help:\n"
          "  callboard VERB --help     options of a verb, with examples\n"
          "  callboard --help          the options of serve, below this text\n"
          "  callboard --help-man      the manual page: everything\n"
          "  callboard --help-config   a sample of the configuration file\n"
          "  callboard --version\n",
          out);
}

void config_print_help(FILE *out)
{
    config_print_usage(out);
    fputs("\n"
          "Options of serve may also be set in the environment\n"
          "(CALLBOARD_DATA_DIR for --data-dir) or in the YAML file given by\n"
          "--config.\n"
          "SIZE is a number with B, KiB, MiB, GiB or TiB (64MiB); DURATION "
          "has\n"
          "ns, us, ms, s, m, h or d (30s, 7d, 1h30m).\n",
          out);
    for (size_t g = 0; g < GROUPS; g++) {
        bool any = false;

        for (size_t i = 0; i < config_option_count; i++) {
            if (group_of(config_options[i].name) != g)
                continue;
            if (!any)
                fprintf(out, "\n%s:\n", groups[g].title);
            any = true;
            print_option(out, &config_options[i]);
        }
    }
}

/* Hyphens and backslashes are escaped. */
static void roff(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '-' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
}

void config_print_man(FILE *out)
{
    fputs(".TH CALLBOARD 1\n"
          ".SH NAME\n"
          "callboard \\- the observability plane behind a developer portal\n"
          ".SH SYNOPSIS\n"
          ".B callboard\n"
          "[\\fBserve\\fR] [\\fB\\-\\-\\fIoption value\\fR]...\n"
          ".br\n.B callboard\n"
          "\\fIverb\\fR [\\fIargument\\fR]... [\\fIoption\\fR]...\n"
          ".SH DESCRIPTION\n"
          "Receives OpenTelemetry metrics, logs and traces over OTLP/HTTP or\n"
          "from Kafka, tags every signal with project, component and\n"
          "endpoint, stores it in column blocks in one SQLite file, and\n"
          "serves queries over HTTP. A request is acknowledged when it is on\n"
          "disk and can be queried.\n"
          ".P\n"
          "With a verb, it queries a running server; see VERBS.\n"
          ".SH OPTIONS\n"
          "Each option may also be set in the environment, as CALLBOARD_ and "
          "the\n"
          "name in capitals with underscores, or in the YAML file given by\n"
          ".BR \\-\\-config .\n"
          "A flag overrides the environment, which overrides the file.\n",
          out);
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *o = &config_options[i];

        fputs(".TP\n\\fB\\-\\-", out);
        roff(out, o->name);
        fprintf(out, "\\fR \\fI%s\\fR\n", unit_word(o->type));
        roff(out, o->text);
        if (o->value[0]) {
            fputs(" Default: ", out);
            roff(out, o->value);
            fputc('.', out);
        }
        fputc('\n', out);
    }
    fputs(
        ".SH SIGNALS\n"
        "SIGTERM and SIGINT stop the program after it has completed requests\n"
        "in progress and written all records in memory to the database.\n"
        ".SH EXIT STATUS\n"
        "0 after a signal, 1 if it could not start.\n",
        out);
    cli_print_man(out);
}

void config_print_sample(FILE *out)
{
    fputs("# Options of callboard, with their defaults; remove the # of a line "
          "to change it.\n",
          out);
    for (size_t i = 0; i < config_option_count; i++) {
        const struct config_option *o = &config_options[i];

        if (strcmp(o->name, "config") == 0)
            continue;
        fprintf(out, "\n# %s\n#%s: \"%s\"\n", o->text, o->name, o->value);
    }
}
