/*
 * cli_options - the options of all verbs in one table. A verb names those that
 * it takes as a set of bits. An option with a `param` is sent to the route
 * under that name, by every verb that has it.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum cli_option_id {
    /* the server and the credential */
    OPT_SERVER,
    OPT_DATA_DIR,
    OPT_CONTEXT,
    OPT_TOKEN_FILE,
    OPT_CA_FILE,
    OPT_CERT_FILE,
    OPT_KEY_FILE,
    OPT_TIMEOUT,
    /* what is asked for */
    OPT_NAMESPACE,
    OPT_PROJECT,
    OPT_COMPONENT,
    OPT_ENVIRONMENT,
    OPT_ENDPOINT,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_BASE_SINCE,
    OPT_BASE_UNTIL,
    OPT_STEP,
    OPT_OBJECTIVE_LATENCY,
    OPT_OBJECTIVE_ERRORS,
    OPT_LIMIT,
    /* filters */
    OPT_LEVEL,
    OPT_PHRASE,
    OPT_WORDS,
    OPT_ATTRIBUTE,
    OPT_TRACE_ID,
    OPT_SPAN_ID,
    OPT_OPERATION,
    OPT_ERRORS,
    OPT_MIN_DURATION,
    OPT_MAX_DURATION,
    OPT_REASON,
    OPT_DIRECTION,
    OPT_DEPTH,
    OPT_SORT,
    OPT_ASCENDING,
    OPT_GRANULARITY,
    OPT_DETAILS,
    OPT_PATTERNS,
    OPT_SUMMARY,
    OPT_FOLLOW,
    OPT_INTERVAL,
    OPT_ONCE,
    OPT_ALL,
    /* of tokens */
    OPT_ROLE,
    OPT_EXPIRES,
    OPT_STAMP,
    OPT_OVERLAP,
    /* of contexts */
    OPT_TOKEN_STDIN,
    /* how the answer is printed */
    OPT_OUTPUT,
    OPT_JSON,
    OPT_NO_HEADERS,
    OPT_COLOR,
    OPT_ASCII,
    OPT_HELP,
    CLI_OPTIONS
};

#define OPT(id) (UINT64_C(1) << OPT_##id)

/* Sets of options that go together. */
#define OPTS_SERVER                                                \
    (OPT(SERVER) | OPT(CONTEXT) | OPT(TOKEN_FILE) | OPT(CA_FILE) | \
     OPT(CERT_FILE) | OPT(KEY_FILE) | OPT(TIMEOUT) | OPT(HELP))
#define OPTS_OUTPUT (OPT(OUTPUT) | OPT(JSON) | OPT(NO_HEADERS) | OPT(COLOR))
#define OPTS_PLACE  (OPT(NAMESPACE) | OPT(PROJECT) | OPT(ENVIRONMENT))
#define OPTS_TIME   (OPT(SINCE) | OPT(UNTIL))
#define OPTS_VIEW   (OPTS_SERVER | OPTS_OUTPUT | OPTS_PLACE | OPTS_TIME)

/* How a word is completed. */
enum cli_complete {
    COMPLETE_NOTHING,
    COMPLETE_WORDS, /* the words that the row lists */
    COMPLETE_FILE,
    COMPLETE_VERB,
    COMPLETE_CONTEXT,
    COMPLETE_NAMESPACE,
    COMPLETE_PROJECT,
    COMPLETE_COMPONENT,
    COMPLETE_TARGET, /* PROJECT/COMPONENT */
    COMPLETE_ENVIRONMENT,
    COMPLETE_ENDPOINT
};

/* How an option is sent to the route. */
enum cli_param {
    PARAM_NONE, /* not by itself */
    PARAM_TEXT,
    PARAM_NUMBER,
    PARAM_SECONDS, /* a duration */
    PARAM_LIST,    /* with commas, or given more than once */
    PARAM_PAIRS,   /* NAME=VALUE, may be given more than once */
    PARAM_TRUE,    /* a flag */
    PARAM_FAILED,  /* errorsOnly of a body, status=error of a query string */
    PARAM_ASCENDING
};

struct cli_option {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* the word for it in help; NULL: a flag */
    const char *help;
    enum cli_complete complete;
    const char *words;
    enum cli_param kind;
    const char *param; /* NULL: its name */
};

extern const struct cli_option cli_options[CLI_OPTIONS];

/* What was given. */
struct cli_values {
    const char *of[CLI_OPTIONS]; /* "" of a flag; NULL: not given. Of a list:
                                    one value per line */
    char *joined[CLI_OPTIONS];   /* those that were given more than once */
    char **words;                /* arguments that are not options */
    int count;
};

/* argv[0] is in getopt_long()'s messages. False after a message. */
bool cli_options_parse(struct cli_values *values, uint64_t options, int argc,
                       char **argv);
void cli_options_release(struct cli_values *values);

#endif
