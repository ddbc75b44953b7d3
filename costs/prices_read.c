/* A document of prices; see prices.h. Nothing is guessed: an unknown member, a
 * member twice or a row that can hold for no node is an error. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "ascii.h"
#include "mem.h"
#include "prices.h"

/* OpenCost's, where a cluster has no other prices: Google's us-central1. */
#define DEFAULT_CORE_HOUR 0.031611
#define DEFAULT_GIB_HOUR  0.004237

struct prices_reader {
    yaml_document_t document;
    struct price_table *table;
    char *error;
    size_t size;
};

static enum status refuse(const struct prices_reader *r,
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
    if (node->type != YAML_SCALAR_NODE)
        return (struct slice){NULL, 0};
    return (struct slice){(const char *)node->data.scalar.value,
                          node->data.scalar.length};
}

static const yaml_node_t *node_at(struct prices_reader *r, int index)
{
    return yaml_document_get_node(&r->document, index);
}

static enum status take_text(struct prices_reader *r, const yaml_node_t *node,
                             struct slice *text)
{
    struct slice given = text_of(node);

    if (given.len == 0 || given.len > 255)
        return refuse(r, node, "expected a text of 1 to 255 bytes", given);
    *text = arena_copy(&r->table->arena, given);
    return OK;
}

static enum status take_number(struct prices_reader *r, const yaml_node_t *node,
                               double *number)
{
    struct slice given = text_of(node);
    char text[32] = "", *end = text;

    if (given.len > 0 && given.len < sizeof(text))
        memcpy(text, given.ptr, given.len);
    *number = is_digit(text[0]) || text[0] == '.' ? strtod(text, &end) : 0;
    return end > text && *end == '\0' && isfinite(*number) && *number <= 1e6 &&
                   !strpbrk(text, "xX")
               ? OK
               : refuse(r, node, "expected a price, a number from 0 to 1000000",
                        given);
}

/* ---- mappings ---- */

typedef enum status take_member(struct prices_reader *r, void *arg,
                                struct slice name, const yaml_node_t *key,
                                const yaml_node_t *value);

static enum status each_member(struct prices_reader *r, const yaml_node_t *node,
                               take_member *take, void *arg)
{
    enum status status = OK;

    if (node->type != YAML_MAPPING_NODE)
        return refuse(r, node, "expected a mapping", text_of(node));
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         status == OK && pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = node_at(r, pair->key);

        for (const yaml_node_pair_t *other = node->data.mapping.pairs.start;
             other < pair; other++)
            if (slice_equal(text_of(node_at(r, other->key)), text_of(key)))
                return refuse(r, key, "set twice", text_of(key));
        status = take(r, arg, text_of(key), key, node_at(r, pair->value));
    }
    return status;
}

static enum status take_default(struct prices_reader *r, void *arg,
                                struct slice name, const yaml_node_t *key,
                                const yaml_node_t *value)
{
    struct price *price = arg;

    if (slice_equal(name, SLICE("coreHour")))
        return take_number(r, value, &price->of[PRICE_CPU]);
    if (slice_equal(name, SLICE("gibHour")))
        return take_number(r, value, &price->of[PRICE_MEMORY]);
    return refuse(r, key, "expected coreHour or gibHour", name);
}

/* ---- rows ---- */

static enum status add_condition(struct prices_reader *r, struct price_row *row,
                                 enum price_key key, struct slice label,
                                 const yaml_node_t *value)
{
    struct price_condition *condition = &row->conditions[row->count];

    if (row->count == PRICE_MAX_CONDITIONS)
        return refuse(r, value, "more than 16 conditions",
                      (struct slice){NULL, 0});
    row->count++;
    *condition = (struct price_condition){
        .key = key, .label = arena_copy(&r->table->arena, label)};
    return take_text(r, value, &condition->value);
}

static enum status take_label(struct prices_reader *r, void *arg,
                              struct slice name, const yaml_node_t *key,
                              const yaml_node_t *value)
{
    if (name.len == 0)
        return refuse(r, key, "expected the name of a label", name);
    return add_condition(r, arg, PRICE_LABEL, name, value);
}

static enum status take_row_member(struct prices_reader *r, void *arg,
                                   struct slice name, const yaml_node_t *key,
                                   const yaml_node_t *value)
{
    struct price_row *row = arg;

    if (slice_equal(name, SLICE("node")))
        return add_condition(r, row, PRICE_NODE, name, value);
    if (slice_equal(name, SLICE("pool")))
        return add_condition(r, row, PRICE_POOL, name, value);
    if (slice_equal(name, SLICE("instanceType")))
        return add_condition(r, row, PRICE_INSTANCE_TYPE, name, value);
    if (slice_equal(name, SLICE("labels")))
        return each_member(r, value, take_label, row);
    if (slice_equal(name, SLICE("nodeHour")))
        return take_number(r, value, &row->node_hour);
    if (slice_equal(name, SLICE("coreHour")) ||
        slice_equal(name, SLICE("gibHour")))
        return take_default(r, &row->price, name, key, value);
    return refuse(r, key,
                  "expected node, pool, instanceType, labels, coreHour, "
                  "gibHour or nodeHour",
                  name);
}

static enum status take_row(struct prices_reader *r, struct price_row *row,
                            const yaml_node_t *node)
{
    enum status status;

    *row = (struct price_row){.price = {{NAN, NAN}}, .node_hour = NAN};
    status = each_member(r, node, take_row_member, row);
    if (status != OK)
        return status;
    bool split =
        !isnan(row->price.of[PRICE_CPU]) || !isnan(row->price.of[PRICE_MEMORY]);
    if (row->count == 0)
        return refuse(r, node, "a row needs node, pool, instanceType or labels",
                      (struct slice){NULL, 0});
    if (split != isnan(row->node_hour))
        return refuse(r, node,
                      "a row needs either nodeHour, or coreHour and gibHour",
                      (struct slice){NULL, 0});
    return OK;
}

static enum status take_rows(struct prices_reader *r, const yaml_node_t *list)
{
    size_t count;
    struct price_row *rows;
    enum status status = OK;

    if (list->type != YAML_SEQUENCE_NODE)
        return refuse(r, list, "expected a list", text_of(list));
    count = (size_t)(list->data.sequence.items.top -
                     list->data.sequence.items.start);
    if (count > PRICE_MAX_ROWS)
        return refuse(r, list, "more than 1000 rows", (struct slice){NULL, 0});
    rows = arena_zero(&r->table->arena, count + 1, sizeof(*rows));
    for (size_t i = 0; rows && i < count && status == OK; i++)
        status = take_row(r, &rows[i],
                          node_at(r, list->data.sequence.items.start[i]));
    r->table->rows = rows;
    r->table->count = (uint32_t)count;
    return status;
}

/* Three capital letters, as ISO 4217 has them. */
static enum status take_currency(struct prices_reader *r,
                                 const yaml_node_t *node)
{
    struct slice text = text_of(node);
    bool good = text.len == 3;

    for (size_t i = 0; i < text.len && good; i++)
        good = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
    if (!good)
        return refuse(r, node, "expected a currency such as EUR", text);
    r->table->currency = arena_copy(&r->table->arena, text);
    return OK;
}

static enum status take_section(struct prices_reader *r, void *arg,
                                struct slice name, const yaml_node_t *key,
                                const yaml_node_t *value)
{
    (void)arg;
    if (slice_equal(name, SLICE("currency")))
        return take_currency(r, value);
    if (slice_equal(name, SLICE("default")))
        return each_member(r, value, take_default, &r->table->price);
    if (slice_equal(name, SLICE("nodes")))
        return take_rows(r, value);
    return refuse(r, key, "expected currency, default or nodes", name);
}

static enum status read_document(struct prices_reader *r, yaml_parser_t *parser)
{
    const yaml_node_t *root;
    enum status status = OK;

    if (!yaml_parser_load(parser, &r->document)) {
        snprintf(r->error, r->size, "line %zu, column %zu: %s",
                 parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                 parser->problem ? parser->problem : "not YAML");
        return ERR_INVALID;
    }
    root = yaml_document_get_root_node(&r->document);
    if (root)
        status = each_member(r, root, take_section, NULL);
    yaml_document_delete(&r->document);
    return status;
}

enum status price_table_parse(struct slice text, struct price_table **table,
                              char *error, size_t size)
{
    struct prices_reader r = {.error = error, .size = size};
    yaml_parser_t parser;
    enum status status;

    r.table = mem_zero(1, sizeof(*r.table));
    atomic_init(&r.table->refs, 1);
    arena_init(&r.table->arena, NULL, 16 << 20);
    r.table->currency = SLICE("USD");
    r.table->source = SLICE("default");
    r.table->price = (struct price){{DEFAULT_CORE_HOUR, DEFAULT_GIB_HOUR}};
    *table = r.table;
    if (text.len == 0)
        return OK;
    if (!yaml_parser_initialize(&parser))
        status = ERR_FULL;
    else {
        yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr,
                                     text.len);
        status = read_document(&r, &parser);
        yaml_parser_delete(&parser);
    }
    if (status == OK)
        return OK;
    price_table_release(r.table);
    *table = NULL;
    return status;
}
