/*
 * cli_contexts - the configuration file of the command line: servers with their
 * credentials and usual scopes, by name.
 *
 *   current-context: production
 *   contexts:
 *     production:
 *       server: https://callboard.example:9097
 *       token-file: production.token
 *       namespace: acme
 *
 * It is $CALLBOARD_CLI_CONFIG, else callboard.yaml in $XDG_CONFIG_HOME, else
 * ~/.config/callboard.yaml. Names of files are relative to its folder.
 */
#ifndef CLI_CONTEXTS_H
#define CLI_CONTEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "slice.h"

enum cli_field {
    FIELD_SERVER,
    FIELD_TOKEN_FILE,
    FIELD_TOKEN,
    FIELD_CA_FILE,
    FIELD_CERT_FILE,
    FIELD_KEY_FILE,
    FIELD_NAMESPACE,
    FIELD_PROJECT,
    FIELD_ENVIRONMENT,
    CLI_FIELDS
};

/* Their names in the file. */
extern const char *const cli_field_names[CLI_FIELDS];

struct cli_context {
    char *name;
    char *fields[CLI_FIELDS]; /* NULL: not set */
};

struct cli_contexts {
    char *current; /* NULL: none */
    struct cli_context *list;
    size_t count;
};

enum { CLI_WHY = 256 };

/* All of these: false after the reason was written to `why`. */
bool cli_contexts_parse(struct cli_contexts *contexts, struct slice text,
                        char why[CLI_WHY]);
/* No file: no contexts. A file with a token that others can read is refused. */
bool cli_contexts_load(struct cli_contexts *contexts, char why[CLI_WHY]);
bool cli_contexts_save(const struct cli_contexts *contexts, char why[CLI_WHY]);

/* As YAML; tokens only if secrets is true. */
void cli_contexts_print(FILE *out, const struct cli_contexts *contexts,
                        bool secrets);
void cli_contexts_release(struct cli_contexts *contexts);

/* NULL: there is none of that name. */
struct cli_context *cli_context_find(const struct cli_contexts *contexts,
                                     const char *name);
/* The one of that name, added if need be. */
struct cli_context *cli_context_add(struct cli_contexts *contexts,
                                    const char *name);
/* value: NULL or "" removes it. */
void cli_context_set(struct cli_context *context, enum cli_field field,
                     const char *value);
/* Where the file is; false if no home folder is known. */
bool cli_contexts_path(char *path, size_t size);

#endif
