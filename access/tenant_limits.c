#include "tenant_limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "array.h"
#include "ascii.h"
#include "mem.h"

enum limit_unit { COUNT, BYTES };

static const struct {
    const char *name;
    enum limit_unit unit;
} rows[LIMIT_COUNT] = {
#define LIMIT_ROW(name, text, unit) [name] = {text, unit},
    TENANT_LIMIT_TABLE(LIMIT_ROW)
#undef LIMIT_ROW
};

struct limits_reader {
    yaml_document_t document;
    struct limits *limits;
    char *error;
    size_t size;
};

const char *tenant_limit_name(enum tenant_limit limit)
{
    return rows[limit].name;
}

static enum status refuse(const struct limits_reader *r,
                          const yaml_node_t *node, const char *why,
                          struct slice what)
{
    snprintf(r->error, r->size, "line %zu, column %zu: %s%s%.*s",
             node->start_mark.line + 1, node->start_mark.column + 1, why,
             what.len ? ": " : "", (int)(what.len < 64 ? what.len : 64),
             what.ptr ? what.ptr : "");
    return ERR_INVALID;
}

/* Empty: it is no scalar. */
static struct slice text_of(const yaml_node_t *node)
{
    if (!node || node->type != YAML_SCALAR_NODE)
        return (struct slice){NULL, 0};
    return (struct slice){(const char *)node->data.scalar.value,
                          node->data.scalar.length};
}

/* ---- values ---- */

static unsigned shift_of(struct slice suffix)
{
    static const struct {
        const char *text;
        unsigned shift;
    } units[] = {{"", 0},     {"B", 0},   {"KiB", 10}, {"MiB", 20}, {"GiB", 30},
                 {"TiB", 40}, {"Ki", 10}, {"Mi", 20},  {"Gi", 30},  {"Ti", 40}};

    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (slice_equal(suffix, slice_of(units[i].text)))
            return units[i].shift;
    return 64;
}

static bool parse_number(struct slice text, enum limit_unit unit, uint64_t *out)
{
    uint64_t value = 0;
    size_t digits = 0;
    unsigned shift;

    while (digits < text.len && is_digit(text.ptr[digits]) && digits < 18)
        value = value * 10 + (uint64_t)(text.ptr[digits++] - '0');
    shift = shift_of(slice_from(text, digits));
    if (digits == 0 || shift == 64 || (unit == COUNT && digits < text.len) ||
        value >= UINT64_MAX >> shift >> 1)
        return false;
    value <<= shift;
    *out = value > 0 ? value : UINT64_MAX;
    return true;
}

static enum status take_value(const struct limits_reader *r,
                              struct limit_values *values,
                              const yaml_node_t *key, const yaml_node_t *value)
{
    struct slice name = text_of(key);

    for (int i = 0; i < LIMIT_COUNT; i++) {
        if (!slice_equal(name, slice_of(rows[i].name)))
            continue;
        if (values->set & 1u << i)
            return refuse(r, key, "set twice", name);
        values->set |= 1u << i;
        return parse_number(text_of(value), rows[i].unit, &values->value[i])
                   ? OK
                   : refuse(r, value,
                            rows[i].unit == BYTES
                                ? "not a number of bytes (1000, 64MiB)"
                                : "not a number",
                            text_of(value));
    }
    return refuse(r, key, "no such limit", name);
}

/* ---- mappings ---- */

typedef enum status take_member(struct limits_reader *r, void *arg,
                                const yaml_node_t *key,
                                const yaml_node_t *value);

/* Each member of a mapping; an empty value (`defaults:`) has none. */
static enum status each_member(struct limits_reader *r, const yaml_node_t *node,
                               take_member *take, void *arg)
{
    enum status status = OK;

    if (node->type == YAML_SCALAR_NODE &&
        node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        node->data.scalar.length == 0)
        return OK;
    if (node->type != YAML_MAPPING_NODE)
        return refuse(r, node, "expected a mapping", text_of(node));
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         status == OK && pair < node->data.mapping.pairs.top; pair++)
        status = take(r, arg, yaml_document_get_node(&r->document, pair->key),
                      yaml_document_get_node(&r->document, pair->value));
    return status;
}

static enum status take_limit(struct limits_reader *r, void *arg,
                              const yaml_node_t *key, const yaml_node_t *value)
{
    return take_value(r, arg, key, value);
}

static const struct limits_row *find_row(const struct limits *limits,
                                         struct slice name)
{
    map_each(&limits->by_name, map_hash_slice(name), at)
        if (slice_equal(name, slice_of(limits->rows[at].name)))
            return &limits->rows[at];
    return NULL;
}

static enum status take_namespace(struct limits_reader *r, void *arg,
                                  const yaml_node_t *key,
                                  const yaml_node_t *value)
{
    struct limits *limits = arg;
    struct slice name = text_of(key);
    struct limits_row *row;

    if (name.len == 0 || memchr(name.ptr, '\0', name.len))
        return refuse(r, key, "not a namespace", (struct slice){NULL, 0});
    if (find_row(limits, name))
        return refuse(r, key, "namespace twice", name);
    if (limits->count == TENANTS_MAX)
        return refuse(r, key, "too many namespaces", (struct slice){NULL, 0});
    array_reserve(&limits->rows, limits->count + 1, &limits->room);
    row = &limits->rows[limits->count];
    *row = (struct limits_row){.name = mem_copy(name.ptr, name.len)};
    (void)map_add(&limits->by_name, map_hash_slice(name), limits->count++);
    return each_member(r, value, take_limit, &row->values);
}

static enum status take_section(struct limits_reader *r, void *arg,
                                const yaml_node_t *key,
                                const yaml_node_t *value)
{
    unsigned *seen = arg;
    struct slice name = text_of(key);
    unsigned bit = slice_equal(name, SLICE("defaults"))     ? 1
                   : slice_equal(name, SLICE("namespaces")) ? 2
                                                            : 0;

    if (bit == 0)
        return refuse(r, key, "expected defaults or namespaces", name);
    if (*seen & bit)
        return refuse(r, key, "set twice", name);
    *seen |= bit;
    return bit == 1 ? each_member(r, value, take_limit, &r->limits->defaults)
                    : each_member(r, value, take_namespace, r->limits);
}

static enum status read_document(struct limits_reader *r, yaml_parser_t *parser)
{
    const yaml_node_t *root;
    unsigned seen = 0;
    enum status status = OK;

    if (!yaml_parser_load(parser, &r->document)) {
        snprintf(r->error, r->size, "line %zu, column %zu: %s",
                 parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                 parser->problem ? parser->problem : "not YAML");
        return ERR_INVALID;
    }
    root = yaml_document_get_root_node(&r->document);
    if (root)
        status = each_member(r, root, take_section, &seen);
    yaml_document_delete(&r->document);
    return status;
}

enum status limits_parse(struct slice text, struct limits *limits, char *error,
                         size_t size)
{
    struct limits_reader r = {.limits = limits, .error = error, .size = size};
    yaml_parser_t parser;
    enum status status;

    *limits = (struct limits){.count = 0};
    if (text.len > LIMITS_MAX_BYTES) {
        snprintf(error, size, "larger than 1 MiB");
        return ERR_INVALID;
    }
    if (!yaml_parser_initialize(&parser))
        return ERR_FULL;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr,
                                 text.len);
    status = read_document(&r, &parser);
    yaml_parser_delete(&parser);
    if (status != OK)
        limits_release(limits);
    return status;
}

void limits_release(struct limits *limits)
{
    for (uint32_t i = 0; i < limits->count; i++)
        free(limits->rows[i].name);
    free(limits->rows);
    map_release(&limits->by_name);
    *limits = (struct limits){.count = 0};
}

struct limit_values limits_of(const struct limits *limits,
                              struct slice namespace, bool has_defaults)
{
    const struct limits_row *row = find_row(limits, namespace);
    struct limit_values values = {.set = 0};

    if (has_defaults)
        values = limits->defaults;
    for (int i = 0; row && i < LIMIT_COUNT; i++)
        if (row->values.set & 1u << i) {
            values.set |= 1u << i;
            values.value[i] = row->values.value[i];
        }
    return values;
}
