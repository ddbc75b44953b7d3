/* The table of options, and the command line read with getopt_long(). */
#include "cli_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

/* clang-format off */
const struct cli_option cli_options[CLI_OPTIONS] = {
    [OPT_SERVER] = {.name = "server", .letter = 's', .value = "HOST:PORT", .help = "query API of the server, or its URL (default 127.0.0.1:9097)"},
    [OPT_DATA_DIR] = {.name = "data-dir", .value = "DIRECTORY", .help = "data folder of a server on this machine, whose socket there is used (default $CALLBOARD_DATA_DIR, else ./callboard-data)", .complete = COMPLETE_FILE},
    [OPT_CONTEXT] = {.name = "context", .value = "NAME", .help = "context of the configuration file to use instead of its current one", .complete = COMPLETE_CONTEXT},
    [OPT_TOKEN_FILE] = {.name = "token-file", .value = "FILE", .help = "file that holds the token for the server; others must not be able to read it", .complete = COMPLETE_FILE},
    [OPT_CA_FILE] = {.name = "ca-file", .value = "FILE", .help = "certificate of the authority that signed the one of an https:// server", .complete = COMPLETE_FILE},
    [OPT_CERT_FILE] = {.name = "cert-file", .value = "FILE", .help = "client certificate", .complete = COMPLETE_FILE},
    [OPT_KEY_FILE] = {.name = "key-file", .value = "FILE", .help = "key of the client certificate", .complete = COMPLETE_FILE},
    [OPT_TIMEOUT] = {.name = "timeout", .value = "DURATION", .help = "longest wait for an answer (default 60s)"},
    [OPT_NAMESPACE] = {.name = "namespace", .letter = 'n', .value = "NAME", .help = "namespace", .complete = COMPLETE_NAMESPACE},
    [OPT_PROJECT] = {.name = "project", .letter = 'p', .value = "NAME", .help = "project", .complete = COMPLETE_PROJECT},
    [OPT_COMPONENT] = {.name = "component", .letter = 'c', .value = "NAME", .help = "component of the project", .complete = COMPLETE_COMPONENT},
    [OPT_ENVIRONMENT] = {.name = "environment", .letter = 'e', .value = "NAME", .help = "environment (default all)", .complete = COMPLETE_ENVIRONMENT},
    [OPT_ENDPOINT] = {.name = "endpoint", .value = "NAME", .help = "endpoint of the component", .complete = COMPLETE_ENDPOINT, .kind = PARAM_TEXT},
    [OPT_SINCE] = {.name = "since", .value = "TIME", .help = "start: a duration before now such as 90s, 30m, 6h or 2d, now-1h, or a time such as 2026-08-21T08:00:00Z"},
    [OPT_UNTIL] = {.name = "until", .value = "TIME", .help = "end, in the same forms (default now)"},
    [OPT_BASE_SINCE] = {.name = "base-since", .value = "TIME", .help = "start of the time to compare with (default: as long, just before)"},
    [OPT_BASE_UNTIL] = {.name = "base-until", .value = "TIME", .help = "end of the time to compare with"},
    [OPT_STEP] = {.name = "step", .value = "DURATION", .help = "distance of the points of series, such as 15s or 5m", .kind = PARAM_TEXT},
    [OPT_OBJECTIVE_LATENCY] = {.name = "objective-latency", .value = "DURATION", .help = "what the 99th percentile may take (default 1s)", .kind = PARAM_SECONDS, .param = "objectiveLatency"},
    [OPT_OBJECTIVE_ERRORS] = {.name = "objective-errors", .value = "RATIO", .help = "the part of the requests that may fail (default 0.01)", .kind = PARAM_TEXT, .param = "objectiveErrorRatio"},
    [OPT_LIMIT] = {.name = "limit", .letter = 'l', .value = "N", .help = "the most rows; above 1000 several pages are read"},
    [OPT_LEVEL] = {.name = "level", .value = "LEVEL", .help = "levels of log records: DEBUG, INFO, WARN, ERROR; several with commas", .complete = COMPLETE_WORDS, .words = "DEBUG INFO WARN ERROR", .kind = PARAM_LIST, .param = "logLevels"},
    [OPT_PHRASE] = {.name = "phrase", .value = "TEXT", .help = "the text of the record contains this, in the same case", .kind = PARAM_TEXT, .param = "searchPhrase"},
    [OPT_WORDS] = {.name = "words", .value = "TEXT", .help = "the text has all of these words, in any case; several with commas or spaces", .kind = PARAM_LIST, .param = "searchWords"},
    [OPT_ATTRIBUTE] = {.name = "attribute", .letter = 'a', .value = "NAME=VALUE", .help = "the record has this attribute; may be given several times", .kind = PARAM_PAIRS, .param = "attributes"},
    [OPT_TRACE_ID] = {.name = "trace-id", .value = "ID", .help = "records of this trace", .kind = PARAM_TEXT, .param = "traceId"},
    [OPT_SPAN_ID] = {.name = "span-id", .value = "ID", .help = "records of this span", .kind = PARAM_TEXT, .param = "spanId"},
    [OPT_OPERATION] = {.name = "operation", .value = "NAME", .help = "requests of this operation, or traces with a span of it", .kind = PARAM_TEXT},
    [OPT_ERRORS] = {.name = "errors", .help = "only traces with a failure", .kind = PARAM_FAILED, .param = "errorsOnly"},
    [OPT_MIN_DURATION] = {.name = "min-duration", .value = "DURATION", .help = "traces that took at least this long", .kind = PARAM_TEXT, .param = "minDuration"},
    [OPT_MAX_DURATION] = {.name = "max-duration", .value = "DURATION", .help = "traces that took at most this long", .kind = PARAM_TEXT, .param = "maxDuration"},
    [OPT_REASON] = {.name = "reason", .value = "REASON", .help = "events with this reason; several with commas", .complete = COMPLETE_WORDS, .words = "VersionChanged ImageChanged PodTemplateChanged", .kind = PARAM_LIST, .param = "reasons"},
    [OPT_DIRECTION] = {.name = "direction", .value = "WAY", .help = "callees, callers or both", .complete = COMPLETE_WORDS, .words = "callees callers both", .kind = PARAM_TEXT},
    [OPT_DEPTH] = {.name = "depth", .value = "N", .help = "the most calls from the component", .kind = PARAM_NUMBER},
    [OPT_SORT] = {.name = "sort", .value = "BY", .help = "order of the rows: time or duration", .complete = COMPLETE_WORDS, .words = "time duration", .kind = PARAM_TEXT, .param = "sortBy"},
    [OPT_ASCENDING] = {.name = "ascending", .help = "the first or oldest come first", .kind = PARAM_ASCENDING, .param = "sortOrder"},
    [OPT_GRANULARITY] = {.name = "granularity", .value = "LENGTH", .help = "length of the periods", .kind = PARAM_TEXT},
    [OPT_DETAILS] = {.name = "details", .help = "with log errors, pods and the last change of each component", .kind = PARAM_TRUE},
    [OPT_PATTERNS] = {.name = "patterns", .help = "patterns of the records with their counts instead of the records"},
    [OPT_SUMMARY] = {.name = "summary", .help = "with groups of equal traces and those much slower than their operation"},
    [OPT_FOLLOW] = {.name = "follow", .letter = 'f', .help = "go on with the records that arrive"},
    [OPT_INTERVAL] = {.name = "interval", .letter = 'd', .value = "DURATION", .help = "time between two requests (default 2s)"},
    [OPT_ONCE] = {.name = "once", .letter = 'b', .help = "print the table once and end, as without a terminal"},
    [OPT_ALL] = {.name = "all", .help = "as many spans as the server gives, and equal calls one by one"},
    [OPT_ROLE] = {.name = "role", .value = "ROLE", .help = "viewer, editor, ingest, agent, operator or admin; several with commas", .complete = COMPLETE_WORDS, .words = "viewer editor ingest agent operator admin"},
    [OPT_EXPIRES] = {.name = "expires", .value = "WHEN", .help = "90d, 12h or a time (default never)"},
    [OPT_STAMP] = {.name = "stamp", .value = "WAY", .help = "records whose labels name another namespace: check refuses them (default), override stores them in the namespace of the token", .complete = COMPLETE_WORDS, .words = "check override"},
    [OPT_OVERLAP] = {.name = "overlap", .value = "DURATION", .help = "how long the old token stays valid after rotate (default 24h)"},
    [OPT_TOKEN_STDIN] = {.name = "token-stdin", .help = "read the token of the context from standard input and keep it in the file"},
    [OPT_OUTPUT] = {.name = "output", .letter = 'o', .value = "FORMAT", .help = "table, wide (all columns, not cut), json (the answer of the server), jsonl (a row per line) or csv", .complete = COMPLETE_WORDS, .words = "table wide json jsonl csv"},
    [OPT_JSON] = {.name = "json", .help = "the same as -o json"},
    [OPT_NO_HEADERS] = {.name = "no-headers", .help = "leave out the names of the columns"},
    [OPT_COLOR] = {.name = "color", .value = "WHEN", .help = "auto (default: on a terminal, unless NO_COLOR is set), always or never", .complete = COMPLETE_WORDS, .words = "auto always never"},
    [OPT_ASCII] = {.name = "ascii", .help = "draw with ASCII characters, as where the locale is not UTF-8"},
    [OPT_HELP] = {.name = "help", .letter = 'h', .help = "print this text"},
};
/* clang-format on */

enum { FIRST_LONG = 256, MAX_JOINED = 64 * 1024 };

/* What getopt_long() is given. */
struct getopt_table {
    struct option longs[CLI_OPTIONS + 1];
    char letters[2 * CLI_OPTIONS + 1];
};

static void fill(struct getopt_table *table, uint64_t options)
{
    size_t n = 0, at = 0;

    for (int i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option *o = &cli_options[i];

        if (!(options >> i & 1))
            continue;
        table->longs[n++] =
            (struct option){o->name, o->value ? required_argument : no_argument,
                            NULL, FIRST_LONG + i};
        if (o->letter)
            table->letters[at++] = o->letter;
        if (o->letter && o->value)
            table->letters[at++] = ':';
    }
    table->longs[n] = (struct option){NULL, 0, NULL, 0};
    table->letters[at] = '\0';
}

static int option_of(int found)
{
    int i = 0;

    if (found >= FIRST_LONG)
        return found - FIRST_LONG;
    while (i < CLI_OPTIONS && cli_options[i].letter != found)
        i++;
    return i;
}

static void add_value(struct cli_values *values, int i, const char *value)
{
    enum cli_param kind = cli_options[i].kind;
    struct buf both;
    size_t len;

    if (!values->of[i] || (kind != PARAM_LIST && kind != PARAM_PAIRS)) {
        values->of[i] = value;
        return;
    }
    buf_init(&both, MAX_JOINED);
    buf_format(&both, "%s\n%s", values->of[i], value);
    buf_byte(&both, '\0');
    free(values->joined[i]);
    values->joined[i] = buf_detach(&both, &len);
    values->of[i] = values->joined[i];
}

/* Everybody on the machine can read what a program is started with. */
static bool has_secret(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--token") == 0 ||
            strncmp(argv[i], "--token=", 8) == 0) {
            fprintf(stderr,
                    "%s: everybody on this machine can read a token on the "
                    "command line; --token-file names a file with it\n",
                    argv[0]);
            return true;
        }
    return false;
}

bool cli_options_parse(struct cli_values *values, uint64_t options, int argc,
                       char **argv)
{
    struct getopt_table table;
    int found;

    *values = (struct cli_values){.count = 0};
    if (has_secret(argc, argv))
        return false;
    fill(&table, options);
    optind = 0; /* from the start, also when called again */
    while ((found = getopt_long(argc, argv, table.letters, table.longs,
                                NULL)) != -1) {
        if (found == '?')
            return false;
        add_value(values, option_of(found), optarg ? optarg : "");
    }
    values->words = argv + optind;
    values->count = argc - optind;
    return true;
}

void cli_options_release(struct cli_values *values)
{
    for (int i = 0; i < CLI_OPTIONS; i++) {
        free(values->joined[i]);
        values->joined[i] = NULL;
    }
}
