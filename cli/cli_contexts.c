/* Contexts in memory, and as YAML; see cli_contexts.h. */
#define _GNU_SOURCE /* explicit_bzero */
#include "cli_contexts.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "mem.h"
#include "term_line.h"
#include "utf8.h"

const char *const cli_field_names[CLI_FIELDS] = {
    "server",   "token-file", "token",   "ca-file",    "cert-file",
    "key-file", "namespace",  "project", "environment"};

enum { MAX_CONTEXTS = 1000 };

/* ---- in memory ---- */

static char *copy_of(const char *text)
{
    return mem_copy(text, strlen(text));
}

static void forget(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

struct cli_context *cli_context_find(const struct cli_contexts *contexts,
                                     const char *name)
{
    for (size_t i = 0; i < contexts->count; i++)
        if (strcmp(contexts->list[i].name, name) == 0)
            return &contexts->list[i];
    return NULL;
}

struct cli_context *cli_context_add(struct cli_contexts *contexts,
                                    const char *name)
{
    struct cli_context *context = cli_context_find(contexts, name);

    if (context)
        return context;
    contexts->list = mem_resize(contexts->list, contexts->count + 1,
                                sizeof(*contexts->list));
    context = &contexts->list[contexts->count++];
    *context = (struct cli_context){.name = copy_of(name)};
    return context;
}

void cli_context_set(struct cli_context *context, enum cli_field field,
                     const char *value)
{
    char *copy = value && value[0] ? copy_of(value) : NULL;

    forget(&context->fields[field]);
    context->fields[field] = copy;
}

void cli_contexts_release(struct cli_contexts *contexts)
{
    for (size_t i = 0; i < contexts->count; i++) {
        free(contexts->list[i].name);
        for (int k = 0; k < CLI_FIELDS; k++)
            forget(&contexts->list[i].fields[k]);
    }
    free(contexts->list);
    free(contexts->current);
    *contexts = (struct cli_contexts){.count = 0};
}

/* ---- from YAML ---- */

struct context_reader {
    yaml_document_t document;
    struct cli_contexts *contexts;
    char *why;
};

static bool refuse(const struct context_reader *r, const yaml_node_t *node,
                   const char *what)
{
    (void)snprintf(r->why, CLI_WHY, "line %zu: %.200s",
                   node ? node->start_mark.line + 1 : 1, what);
    return false;
}

/* NULL: not a scalar, or with a NUL inside. */
static const char *text_of(const yaml_node_t *node)
{
    if (!node || node->type != YAML_SCALAR_NODE ||
        memchr(node->data.scalar.value, '\0', node->data.scalar.length))
        return NULL;
    return (const char *)node->data.scalar.value;
}

/* Calls take() for each member of a mapping. */
static bool each_member(struct context_reader *r, const yaml_node_t *mapping,
                        void *to,
                        bool (*take)(struct context_reader *r, const char *name,
                                     yaml_node_t *key, yaml_node_t *value,
                                     void *to))
{
    const yaml_node_pair_t *pair;

    if (!mapping || mapping->type != YAML_MAPPING_NODE)
        return refuse(r, mapping, "expected members, name: value");
    for (pair = mapping->data.mapping.pairs.start;
         pair < mapping->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = yaml_document_get_node(&r->document, pair->key);
        yaml_node_t *value = yaml_document_get_node(&r->document, pair->value);
        const char *name = text_of(key);

        if (!name || !name[0])
            return refuse(r, key ? key : mapping, "expected a name");
        if (!take(r, name, key, value, to))
            return false;
    }
    return true;
}

static bool take_field(struct context_reader *r, const char *name,
                       yaml_node_t *key, yaml_node_t *value, void *to)
{
    const char *text = text_of(value);
    char what[CLI_WHY];

    for (int i = 0; i < CLI_FIELDS; i++)
        if (strcmp(cli_field_names[i], name) == 0) {
            if (!text)
                return refuse(r, key, "expected one text as the value");
            cli_context_set(to, (enum cli_field)i, text);
            return true;
        }
    (void)snprintf(what, sizeof(what), "a context has no member \"%.60s\"",
                   name);
    return refuse(r, key, what);
}

static bool take_context(struct context_reader *r, const char *name,
                         yaml_node_t *key, yaml_node_t *value, void *to)
{
    struct cli_contexts *contexts = to;

    if (cli_context_find(contexts, name))
        return refuse(r, key, "there is a context of this name above");
    if (contexts->count == MAX_CONTEXTS)
        return refuse(r, key, "too many contexts");
    return each_member(r, value, cli_context_add(contexts, name), take_field);
}

static bool take_top(struct context_reader *r, const char *name,
                     yaml_node_t *key, yaml_node_t *value, void *to)
{
    struct cli_contexts *contexts = to;
    const char *text = text_of(value);

    if (strcmp(name, "contexts") == 0)
        return each_member(r, value, contexts, take_context);
    if (strcmp(name, "current-context") != 0)
        return refuse(r, key, "expected current-context or contexts");
    if (!text)
        return refuse(r, key, "expected the name of a context");
    free(contexts->current);
    contexts->current = text[0] ? copy_of(text) : NULL;
    return true;
}

static bool take_document(struct context_reader *r)
{
    yaml_node_t *root = yaml_document_get_root_node(&r->document);

    return !root ||
           (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0) ||
           each_member(r, root, r->contexts, take_top);
}

bool cli_contexts_parse(struct cli_contexts *contexts, struct slice text,
                        char why[CLI_WHY])
{
    struct context_reader r = {.contexts = contexts, .why = why};
    yaml_parser_t parser;
    bool good = false;

    *contexts = (struct cli_contexts){.count = 0};
    if (!yaml_parser_initialize(&parser)) {
        (void)snprintf(why, CLI_WHY, "out of memory");
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr,
                                 text.len);
    if (yaml_parser_load(&parser, &r.document)) {
        good = take_document(&r);
        yaml_document_delete(&r.document);
    } else {
        (void)snprintf(why, CLI_WHY, "line %zu: %.200s",
                       parser.problem_mark.line + 1,
                       parser.problem ? parser.problem : "not YAML");
    }
    yaml_parser_delete(&parser);
    if (!good)
        cli_contexts_release(contexts);
    return good;
}

/* ---- as YAML ---- */

/* In double quotes, unless it is made of letters, digits and -_./: only. */
static void print_text(FILE *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                                "UVWXYZ0123456789-_./:";
    size_t len = strlen(text);

    if (text[0] && strchr(plain, text[0]) && text[0] != '-' && text[0] != ':' &&
        strspn(text, plain) == len && text[len - 1] != ':') {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (const uint8_t *at = (const uint8_t *)text, *end = at + len;
         at < end;) {
        uint32_t c = 0;
        size_t size = utf8_decode(at, end, &c);

        if (size == 0 || term_is_control(c))
            fprintf(out, "\\U%08x", size ? (unsigned)c : 0xfffdU);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", (char)c);
        else
            (void)fwrite(at, 1, size, out);
        at += size ? size : 1;
    }
    fputc('"', out);
}

static void print_context(FILE *out, const struct cli_context *context,
                          bool secrets)
{
    int set = 0;

    fputs("  ", out);
    print_text(out, context->name);
    for (int i = 0; i < CLI_FIELDS; i++) {
        const char *value = context->fields[i];

        if (!value)
            continue;
        fprintf(out, "%s    %s: ", set++ == 0 ? ":\n" : "", cli_field_names[i]);
        print_text(out, i == FIELD_TOKEN && !secrets ? "(hidden)" : value);
        fputc('\n', out);
    }
    if (set == 0)
        fputs(": {}\n", out);
}

void cli_contexts_print(FILE *out, const struct cli_contexts *contexts,
                        bool secrets)
{
    if (contexts->current) {
        fputs("current-context: ", out);
        print_text(out, contexts->current);
        fputc('\n', out);
    }
    fputs(contexts->count ? "contexts:\n" : "contexts: {}\n", out);
    for (size_t i = 0; i < contexts->count; i++)
        print_context(out, &contexts->list[i], secrets);
}
