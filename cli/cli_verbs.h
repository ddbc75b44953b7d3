/*
 * cli_verbs - the verbs of the command line in one table: help, the manual
 * page and completion are made from it, and from the table of options.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli_contexts.h"
#include "cli_int.h"
#include "cli_options.h"
#include "cli_screen.h"

struct cli_call;
struct cli_view;

struct cli_verb {
    const char *name;
    const char *arguments; /* as help shows them */
    const char *brief;     /* one line */
    const char *text;      /* what it does: one paragraph per line */
    const char *examples;  /* one per line, without "callboard" */
    uint64_t options;
    int least, most;                   /* arguments that are not options */
    const char *since;                 /* the default of --since; NULL: none */
    enum cli_complete complete;        /* of the first argument */
    const char *words;                 /* of COMPLETE_WORDS */
    int (*run)(struct cli_call *call); /* NULL: daemon/local_verbs.c has it */
    const struct cli_view *view;       /* of verbs that print a list */
};

extern const struct cli_verb cli_verbs[];
extern const size_t cli_verb_count;

enum cli_output {
    OUTPUT_TABLE,
    OUTPUT_WIDE,
    OUTPUT_JSON,
    OUTPUT_JSONL,
    OUTPUT_CSV
};

/* "": not given. */
struct cli_scope {
    const char *namespace, *project, *component, *environment;
};

/* 0 to 3: names of files. */
enum { CLI_HELD_TARGET = 4, CLI_HELD_NEEDED, CLI_HELD = CLI_HELD_NEEDED + 3 };

/* One run of a verb. */
struct cli_call {
    const struct cli_verb *verb;
    struct cli_values given;
    struct cli_contexts contexts;
    struct cli_server server;
    struct cli_scope scope; /* of options, environment and context */
    enum cli_output output;
    struct cli_screen screen;
    uint64_t start_ns, end_ns;           /* of verbs with --since */
    uint64_t base_start_ns, base_end_ns; /* to compare with; 0: not given */
    char *held[CLI_HELD]; /* texts that scope and server point into */
};

/* ---- cli_settings.c ---- */

/* From what was given: server, credential, scope, times, output. An exit
 * status: CLI_ANSWERED, or another one after a message. */
int cli_settings(struct cli_call *call);
void cli_call_release(struct cli_call *call);

/* ---- cli_help.c ---- */

void cli_print_help(FILE *out, const struct cli_verb *verb);

/* ---- the verbs ---- */

int cli_cause(struct cli_call *call);
int cli_token(struct cli_call *call);
int cli_tenants(struct cli_call *call);
int cli_tenant(struct cli_call *call);
int cli_components(struct cli_call *call);
int cli_traces(struct cli_call *call);
int cli_metrics(struct cli_call *call);
int cli_config(struct cli_call *call);
int cli_completion(struct cli_call *call);
int cli_list(struct cli_call *call); /* prints verb->view */
int cli_top(struct cli_call *call);
int cli_logs(struct cli_call *call);

#endif
