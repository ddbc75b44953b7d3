#include "yaml_json.h"

#include <stdio.h>
#include <yaml.h>

struct converter {
    yaml_document_t document;
    char *error;
    uint32_t values; /* an alias may name a value many times */
};

enum { MAX_VALUES = 200000 };

static json_t *refuse(const struct converter *c, const yaml_node_t *node,
                      const char *why)
{
    snprintf(c->error, YAML_ERROR, "line %zu, column %zu: %s",
             node->start_mark.line + 1, node->start_mark.column + 1, why);
    return NULL;
}

static json_t *convert(struct converter *c, int index, int depth);

static json_t *scalar(const struct converter *c, const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    size_t len = node->data.scalar.length;
    json_t *value;

    if (len == 0 && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return json_null();
    value = memchr(text, '\0', len) ? NULL : json_stringn(text, len);
    return value ? value : refuse(c, node, "a NUL, or not UTF-8");
}

static json_t *list(struct converter *c, const yaml_node_t *node, int depth)
{
    json_t *array = json_array();

    for (const yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_t *value = convert(c, *item, depth);

        if (!value) {
            json_decref(array);
            return NULL;
        }
        json_array_append_new(array, value);
    }
    return array;
}

static bool add_member(struct converter *c, json_t *object,
                       const yaml_node_pair_t *pair, int depth)
{
    const yaml_node_t *key = yaml_document_get_node(&c->document, pair->key);
    const char *name = (const char *)key->data.scalar.value;
    json_t *value;

    if (key->type != YAML_SCALAR_NODE ||
        memchr(name, '\0', key->data.scalar.length)) {
        refuse(c, key, "not a name");
        return false;
    }
    if (json_object_get(object, name)) {
        refuse(c, key, "set twice");
        return false;
    }
    value = convert(c, pair->value, depth);
    if (value && json_object_set_new(object, name, value) != 0)
        refuse(c, key, "not UTF-8");
    return value && json_object_get(object, name);
}

static json_t *mapping(struct converter *c, const yaml_node_t *node, int depth)
{
    json_t *object = json_object();

    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++)
        if (!add_member(c, object, pair, depth)) {
            json_decref(object);
            return NULL;
        }
    return object;
}

static json_t *convert(struct converter *c, int index, int depth)
{
    const yaml_node_t *node = yaml_document_get_node(&c->document, index);

    if (depth > YAML_JSON_DEPTH || ++c->values > MAX_VALUES)
        return refuse(c, node, "too deep, or too much");
    switch (node->type) {
    case YAML_SEQUENCE_NODE:
        return list(c, node, depth + 1);
    case YAML_MAPPING_NODE:
        return mapping(c, node, depth + 1);
    default:
        return scalar(c, node);
    }
}

json_t *yaml_json_parse(struct slice text, char error[YAML_ERROR])
{
    struct converter c = {.error = error};
    yaml_parser_t parser;
    json_t *value = NULL;

    if (!yaml_parser_initialize(&parser))
        return NULL;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr,
                                 text.len);
    if (!yaml_parser_load(&parser, &c.document)) {
        snprintf(error, YAML_ERROR, "line %zu, column %zu: %s",
                 parser.problem_mark.line + 1, parser.problem_mark.column + 1,
                 parser.problem ? parser.problem : "not YAML");
    } else {
        value = yaml_document_get_root_node(&c.document) ? convert(&c, 1, 0)
                                                         : json_object();
        yaml_document_delete(&c.document);
    }
    yaml_parser_delete(&parser);
    return value;
}
