/*
 * cli_access - the verbs of the command line about access: what they share.
 */
#ifndef CLI_ACCESS_H
#define CLI_ACCESS_H

#include <getopt.h>

#include "cli_int.h"

/* Values of the options that every verb has; those of its own are below. */
enum {
    CLI_SERVER = 128, /* not a character that getopt_long() returns */
    CLI_DATA_DIR,
    CLI_JSON,
    CLI_HELP
};

/* Ends the options of a verb. */
#define CLI_OPTIONS                                          \
    {"server", required_argument, NULL, CLI_SERVER},         \
        {"data-dir", required_argument, NULL, CLI_DATA_DIR}, \
        {"json", no_argument, NULL, CLI_JSON},               \
        {"help", no_argument, NULL, CLI_HELP},               \
    {                                                        \
        NULL, 0, NULL, 0                                     \
    }

struct cli_access {
    struct cli_server server; /* without --server: of the data folder */
    bool json, help;
    char **words; /* arguments that are not options */
    int count;
};

/* Prints text and the options that every verb has; the exit status. */
int cli_usage(FILE *out, const char *text);

/* values[i] becomes the argument of the verb's own option i. False after
 * getopt_long() has printed what is wrong. */
bool cli_parse(struct cli_access *o, int argc, char **argv,
               const struct option *options, const char **values);

/* The answer, or NULL after a message; *code is the exit status. */
json_t *cli_ask(const struct cli_access *o, const char *method,
                struct slice path, struct slice text, int *code);

void cli_print_json(const json_t *answer);

#endif
