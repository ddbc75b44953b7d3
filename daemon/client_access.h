/*
 * client_access - the verbs of the command line about access: what they share.
 */
#ifndef CLIENT_ACCESS_H
#define CLIENT_ACCESS_H

#include <getopt.h>

#include "client.h"

/* Values of the options that every verb has; those of its own are below. */
enum {
    CLIENT_SERVER = 128, /* not a character that getopt_long() returns */
    CLIENT_DATA_DIR,
    CLIENT_JSON,
    CLIENT_HELP
};

/* Ends the options of a verb. */
#define CLIENT_OPTIONS                                          \
    {"server", required_argument, NULL, CLIENT_SERVER},         \
        {"data-dir", required_argument, NULL, CLIENT_DATA_DIR}, \
        {"json", no_argument, NULL, CLIENT_JSON},               \
        {"help", no_argument, NULL, CLIENT_HELP},               \
    {                                                           \
        NULL, 0, NULL, 0                                        \
    }

struct client_access {
    struct client_server server; /* without --server: of the data folder */
    bool json, help;
    char **words; /* arguments that are not options */
    int count;
};

/* Prints text and the options that every verb has; the exit status. */
int client_usage(FILE *out, const char *text);

/* values[i] becomes the argument of the verb's own option i. False after
 * getopt_long() has printed what is wrong. */
bool client_parse(struct client_access *o, int argc, char **argv,
                  const struct option *options, const char **values);

/* The answer, or NULL after a message; *code is the exit status. */
json_t *client_ask(const struct client_access *o, const char *method,
                   struct slice path, struct slice text, int *code);

void client_print_json(const json_t *answer);

#endif
