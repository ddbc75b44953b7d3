/*
 * The options of a YAML file: one mapping of names to scalars. A nested mapping
 * prefixes its members ("retention: {traces: 7d}" is retention-traces), a list
 * of scalars is joined with commas. Anything else (aliases, nested lists) is an
 * error with line and column.
 *
 * Driven by the events of libyaml; the current path of keys is one string.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 4, MAX_NAME = 128, MAX_VALUE = 4096 };

struct yaml_walk {
    struct config *config;
    yaml_parser_t parser;
    char name[MAX_NAME];       /* of the current option: keys joined by '-' */
    size_t lengths[MAX_DEPTH]; /* of name, before each mapping's keys */
    int depth;                 /* of nested mappings */
    bool want_value;           /* after a key */
    bool in_list;
    char value[MAX_VALUE]; /* of a list, up to here */
    char *error;
    size_t error_size;
};

static enum status refuse(struct yaml_walk *r, const yaml_mark_t *mark,
                          const char *why)
{
    snprintf(r->error, r->error_size, "line %zu, column %zu: %s",
             mark->line + 1, mark->column + 1, why);
    return ERR_INVALID;
}

static enum status set(struct yaml_walk *r, const yaml_mark_t *mark,
                       const char *value)
{
    char why[256];

    if (strcmp(r->name, "config") == 0)
        return refuse(r, mark, "config: a file cannot name another file");
    if (config_set(r->config, r->name, value, why, sizeof(why)) != OK)
        return refuse(r, mark, why);
    r->name[r->lengths[r->depth - 1]] = '\0';
    r->want_value = false;
    return OK;
}

static enum status take_key(struct yaml_walk *r, const yaml_event_t *event)
{
    size_t base = r->lengths[r->depth - 1];
    size_t len = event->data.scalar.length;
    const char *key = (const char *)event->data.scalar.value;

    if (len == 0 || memchr(key, '\0', len) || base + len + 2 > MAX_NAME)
        return refuse(r, &event->start_mark, "not an option name");
    if (base > 0)
        r->name[base++] = '-';
    memcpy(r->name + base, key, len);
    r->name[base + len] = '\0';
    r->want_value = true;
    return OK;
}

static enum status take_scalar(struct yaml_walk *r, const yaml_event_t *event)
{
    size_t len = event->data.scalar.length;
    const char *text = (const char *)event->data.scalar.value;

    if (r->depth == 0)
        return refuse(r, &event->start_mark, "expected options, name: value");
    if (!r->want_value)
        return take_key(r, event);
    size_t used = r->in_list ? strlen(r->value) : 0;
    if (memchr(text, '\0', len) || used + len + 2 > MAX_VALUE)
        return refuse(r, &event->start_mark, "value is too long");
    if (used > 0)
        r->value[used++] = ',';
    memcpy(r->value + used, text, len);
    r->value[used + len] = '\0';
    return r->in_list ? OK : set(r, &event->start_mark, r->value);
}

static enum status open_mapping(struct yaml_walk *r, const yaml_event_t *event)
{
    if (r->in_list || (r->depth > 0 && !r->want_value) || r->depth == MAX_DEPTH)
        return refuse(r, &event->start_mark, "a mapping is not allowed here");
    r->lengths[r->depth++] = strlen(r->name);
    r->want_value = false;
    return OK;
}

static void close_mapping(struct yaml_walk *r)
{
    if (--r->depth > 0)
        r->name[r->lengths[r->depth - 1]] = '\0';
}

static enum status take_event(struct yaml_walk *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_MAPPING_START_EVENT:
        return open_mapping(r, event);
    case YAML_MAPPING_END_EVENT:
        close_mapping(r);
        return OK;
    case YAML_SEQUENCE_START_EVENT:
        if (!r->want_value || r->in_list)
            return refuse(r, &event->start_mark, "a list is not allowed here");
        r->in_list = true;
        r->value[0] = '\0';
        return OK;
    case YAML_SEQUENCE_END_EVENT:
        r->in_list = false;
        return set(r, &event->start_mark, r->value);
    case YAML_SCALAR_EVENT:
        return take_scalar(r, event);
    case YAML_ALIAS_EVENT:
        return refuse(r, &event->start_mark, "aliases are not supported");
    default: /* stream and document marks */
        return OK;
    }
}

static enum status parse_failed(struct yaml_walk *r)
{
    return refuse(r, &r->parser.problem_mark,
                  r->parser.problem ? r->parser.problem : "not YAML");
}

enum status config_parse_yaml(struct config *config, const char *text,
                              size_t len, char *error, size_t error_size)
{
    struct yaml_walk r = {
        .config = config, .error = error, .error_size = error_size};
    enum status status = OK;
    bool end = false;

    if (!yaml_parser_initialize(&r.parser))
        return ERR_FULL;
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    while (status == OK && !end) {
        yaml_event_t event;

        if (!yaml_parser_parse(&r.parser, &event)) {
            status = parse_failed(&r);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        status = take_event(&r, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&r.parser);
    return status;
}
