/* Completion: what may stand at the last word; see cli_complete.h. */
#include "cli_complete.h"

#include <stdlib.h>
#include <string.h>

#include "cli_request.h"
#include "term_line.h"
#include "utf8.h"

/* Whoever types does not wait longer for names. */
#define WAIT "700ms"

/* ---- candidates ---- */

/* Names come from senders: those that a shell or a terminal would obey are not
 * offered. */
static bool is_harmless(const char *text)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);

    while (at < end) {
        uint32_t c;
        size_t len = utf8_decode(at, end, &c);

        if (len == 0 || c == ' ' || term_is_control(c) ||
            (c < 0x80 && strchr("\"'`$\\;&|<>(){}[]*?!#~", (int)c)))
            return false;
        at += len;
    }
    return true;
}

static void offer(const char *begin, const char *candidate, const char *help)
{
    if (strncmp(candidate, begin, strlen(begin)) != 0 || !candidate[0] ||
        !is_harmless(candidate))
        return;
    fputs(candidate, stdout);
    if (help)
        printf("\t%s", help);
    putchar('\n');
}

static void offer_words(const char *begin, const char *words)
{
    char word[64];

    while (words && *words) {
        size_t len = strcspn(words, " ");

        (void)snprintf(word, sizeof(word), "%.*s", (int)len, words);
        offer(begin, word, NULL);
        words += len + (words[len] == ' ');
    }
}

static void offer_verbs(const char *begin)
{
    for (size_t i = 0; i < cli_verb_count; i++)
        offer(begin, cli_verbs[i].name, cli_verbs[i].brief);
    offer(begin, "serve", "runs the server");
    offer(begin, "help", "prints help");
}

static void offer_options(const char *begin, uint64_t options)
{
    char text[64];

    for (int i = 0; i < CLI_OPTIONS; i++)
        if (options >> i & 1) {
            (void)snprintf(text, sizeof(text), "--%s", cli_options[i].name);
            offer(begin, text, cli_options[i].help);
        }
}

static void offer_contexts(const char *begin)
{
    struct cli_contexts contexts;
    char why[CLI_WHY];

    if (!cli_contexts_load(&contexts, why))
        return;
    for (size_t i = 0; i < contexts.count; i++)
        offer(begin, contexts.list[i].name, NULL);
    cli_contexts_release(&contexts);
}

/* ---- names that the server knows ---- */

static void offer_member(const char *begin, const json_t *rows,
                         const char *member)
{
    const char *last = "";

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const char *name = cli_text(json_array_get(rows, i), member);

        if (strcmp(name, last) != 0)
            offer(begin, name, NULL);
        last = name;
    }
}

/* PROJECT/COMPONENT; of the project that is known otherwise, COMPONENT, too. */
static void offer_targets(const char *begin, const struct cli_call *call,
                          const json_t *rows)
{
    char text[512], last[512] = "";

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        int len =
            snprintf(text, sizeof(text), "%s/%s", cli_text(row, "project"),
                     cli_text(row, "component"));

        if (len < 0 || (size_t)len >= sizeof(text) || strcmp(text, last) == 0)
            continue;
        memcpy(last, text, sizeof(last));
        offer(begin, text, NULL);
        if (call->scope.project[0] && !strchr(begin, '/'))
            offer(begin, cli_text(row, "component"), NULL);
    }
}

static json_t *ask_quietly(const struct cli_call *call, const char *route)
{
    char error[CLI_ERROR];
    struct buf path, body;
    json_t *answer = NULL;

    buf_init(&path, CLI_MAX_URL);
    buf_init(&body, CLI_MAX_ANSWER);
    cli_add_path(call, &path, route);
    if (cli_send(&call->server, "GET", buf_slice(&path), SLICE(""), &body,
                 error) == 200)
        answer = json_loadb(body.ptr, body.len, 0, NULL);
    buf_release(&path);
    buf_release(&body);
    return answer;
}

static void offer_endpoints(const char *begin, struct cli_call *call)
{
    json_t *page;

    if (call->given.count == 0 || !cli_target(call, call->given.words[0]) ||
        !call->scope.component[0])
        return;
    if (!call->scope.namespace[0] &&
        cli_need(call, NEED_NAMESPACE) != CLI_ANSWERED)
        return;
    call->scope.environment = "";
    page = ask_quietly(call, "/api/v1/components/{namespace}/{project}/"
                             "{component}");
    offer_member(begin, json_object_get(page, "endpoints"), "endpoint");
    json_decref(page);
}

static void offer_names(const char *begin, struct cli_call *call,
                        enum cli_complete kind)
{
    const json_t *rows;
    json_t *list;

    if (kind == COMPLETE_ENDPOINT) {
        offer_endpoints(begin, call);
        return;
    }
    call->scope.component = call->scope.environment = "";
    if (kind == COMPLETE_NAMESPACE)
        call->scope.namespace = "";
    if (kind == COMPLETE_NAMESPACE || kind == COMPLETE_PROJECT ||
        kind == COMPLETE_TARGET)
        call->scope.project = kind == COMPLETE_TARGET && !strchr(begin, '/')
                                  ? call->scope.project
                                  : "";
    list = ask_quietly(call, "/api/v1/components");
    rows = json_object_get(list, "components");
    if (kind == COMPLETE_TARGET)
        offer_targets(begin, call, rows);
    else
        offer_member(begin, rows,
                     kind == COMPLETE_NAMESPACE     ? "namespace"
                     : kind == COMPLETE_PROJECT     ? "project"
                     : kind == COMPLETE_ENVIRONMENT ? "environment"
                                                    : "component");
    json_decref(list);
}

/* ---- the command line so far ---- */

static void offer_kind(const char *begin, struct cli_call *call,
                       enum cli_complete kind, const char *words)
{
    switch (kind) {
    case COMPLETE_NOTHING:
        return;
    case COMPLETE_WORDS:
        offer_words(begin, words);
        return;
    case COMPLETE_VERB:
        offer_verbs(begin);
        return;
    case COMPLETE_FILE:
        puts(":files");
        return;
    case COMPLETE_CONTEXT:
        offer_contexts(begin);
        return;
    default:
        if (cli_settings(call) == CLI_ANSWERED)
            offer_names(begin, call, kind);
    }
}

/* The option whose value the word after `word` is; NULL: none. */
static const struct cli_option *option_before(uint64_t options,
                                              const char *word)
{
    for (int i = 0; i < CLI_OPTIONS; i++) {
        const struct cli_option *o = &cli_options[i];
        char letter[3] = {'-', o->letter, '\0'};

        if ((options >> i & 1) && o->value &&
            ((strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0) ||
             (o->letter && strcmp(word, letter) == 0)))
            return o;
    }
    return NULL;
}

static void complete_argument(const char *begin, struct cli_call *call)
{
    const struct cli_verb *verb = call->verb;

    if (call->given.count == 0)
        offer_kind(begin, call, verb->complete, verb->words);
    else if (call->given.count == 1 && verb->run == cli_config)
        offer_contexts(begin);
}

/* --option=begin, with the option in front of each candidate left to the
 * shell, which completes after '='. */
static void complete_word(struct cli_call *call, int count, char **words)
{
    const char *begin = words[count - 1], *equals = strchr(begin, '=');
    const struct cli_option *o = NULL;
    char name[64];

    if (count > 1)
        o = option_before(call->verb->options, words[count - 2]);
    if (!o && equals && begin[0] == '-') {
        (void)snprintf(name, sizeof(name), "%.*s", (int)(equals - begin),
                       begin);
        o = option_before(call->verb->options, name);
        begin = equals + 1;
    }
    if (o)
        offer_kind(begin, call, o->complete, o->words);
    else if (begin[0] == '-')
        offer_options(begin, call->verb->options);
    else
        complete_argument(begin, call);
}

static const struct cli_verb *verb_of(const char *name)
{
    for (size_t i = 0; i < cli_verb_count; i++)
        if (strcmp(cli_verbs[i].name, name) == 0)
            return &cli_verbs[i];
    return NULL;
}

/* What stands before the last word gives the server and the scope; a value that
 * is still missing there is no option yet. */
static void parse_before(struct cli_call *call, int count, char **words)
{
    int known = count - 1;
    char **copy;

    if (known > 1 && option_before(call->verb->options, words[known - 1]))
        known--;
    copy = calloc((size_t)known + 1, sizeof(*copy));
    if (!copy)
        return;
    memcpy(copy, words, (size_t)known * sizeof(*copy));
    if (!cli_options_parse(&call->given, call->verb->options, known, copy))
        call->given.count = 0;
    if (!call->given.of[OPT_TIMEOUT])
        call->given.of[OPT_TIMEOUT] = WAIT;
    complete_word(call, count, words);
    free(copy);
}

int cli_complete(int count, char **words)
{
    struct cli_call call = {.verb = NULL};

    /* a message would stand in the middle of what is typed */
    if (count < 1 || !freopen("/dev/null", "w", stderr))
        return CLI_ANSWERED;
    if (count == 1) {
        offer_verbs(words[0]);
        return CLI_ANSWERED;
    }
    if (strcmp(words[0], "help") == 0)
        offer_verbs(words[count - 1]);
    call.verb = verb_of(words[0]);
    if (call.verb) {
        parse_before(&call, count, words);
        cli_call_release(&call);
    }
    return CLI_ANSWERED;
}
