/*
 * docs/openapi.yaml against the program: every route is in it with the
 * refusals that it can answer, and the schema of its answer has the members
 * and types of its table, no more and no fewer. Run in the top folder.
 */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "cause.h"
#include "query_request.h"
#include "test.h"

enum { MEMBERS_MAX = 64 };

static yaml_document_t document;

static bool load(void)
{
    FILE *file = fopen("docs/openapi.yaml", "rb");
    yaml_parser_t parser;
    bool loaded;

    if (!CHECK(file))
        return false;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    loaded = CHECK(yaml_parser_load(&parser, &document));
    yaml_parser_delete(&parser);
    fclose(file);
    return loaded;
}

/* ---- nodes ---- */

static const char *text_of(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE
               ? (const char *)node->data.scalar.value
               : "";
}

static yaml_node_t *node_at(int index)
{
    return yaml_document_get_node(&document, index);
}

static yaml_node_t *child(const yaml_node_t *map, const char *key)
{
    if (!map || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start;
         pair < map->data.mapping.pairs.top; pair++)
        if (strcmp(text_of(node_at(pair->key)), key) == 0)
            return node_at(pair->value);
    return NULL;
}

/* Item i of a list; NULL at its end. */
static yaml_node_t *item(const yaml_node_t *list, int i)
{
    if (!list || list->type != YAML_SEQUENCE_NODE ||
        list->data.sequence.items.start + i >= list->data.sequence.items.top)
        return NULL;
    return node_at(list->data.sequence.items.start[i]);
}

/* What a reference "#/components/schemas/X" means. */
static yaml_node_t *resolve(yaml_node_t *node)
{
    const yaml_node_t *ref;

    while ((ref = child(node, "$ref"))) {
        char path[256];

        snprintf(path, sizeof(path), "%s", text_of(ref) + 2);
        node = yaml_document_get_root_node(&document);
        for (char *save, *part = strtok_r(path, "/", &save); part;
             part = strtok_r(NULL, "/", &save))
            node = child(node, part);
    }
    return node;
}

static bool yaml_list_has(const yaml_node_t *list, const char *text)
{
    const yaml_node_t *one;

    for (int i = 0; (one = item(list, i)); i++)
        if (strcmp(text_of(one), text) == 0)
            return true;
    return false;
}

/* type is a word or a list of words. */
static bool has_type(const yaml_node_t *schema, const char *type)
{
    const yaml_node_t *node = child(schema, "type");

    return strcmp(text_of(node), type) == 0 || yaml_list_has(node, type);
}

/* ---- members of a schema, with all it is put together from ---- */

struct schema_members {
    struct {
        const char *name;
        yaml_node_t *schema;
        bool required, seen;
    } at[MEMBERS_MAX];
    size_t count;
};

static size_t find_member(const struct schema_members *members,
                          const char *name)
{
    size_t i = 0;

    while (i < members->count && strcmp(members->at[i].name, name) != 0)
        i++;
    return i;
}

static void gather_properties(struct schema_members *members,
                              yaml_node_t *schema)
{
    static const char *const parts[] = {"allOf", "oneOf"};
    yaml_node_t *properties, *part;

    schema = resolve(schema);
    properties = child(schema, "properties");
    if (properties)
        for (yaml_node_pair_t *pair = properties->data.mapping.pairs.start;
             pair < properties->data.mapping.pairs.top; pair++) {
            const char *name = text_of(node_at(pair->key));
            size_t i = find_member(members, name);

            if (!CHECK(i < MEMBERS_MAX))
                return;
            members->at[i].name = name;
            members->at[i].schema = node_at(pair->value);
            members->count += i == members->count;
        }
    for (size_t k = 0; k < 2; k++)
        for (int i = 0; (part = item(child(schema, parts[k]), i)); i++)
            gather_properties(members, part);
}

static void gather_required(struct schema_members *members, yaml_node_t *schema)
{
    yaml_node_t *part;

    schema = resolve(schema);
    for (size_t i = 0; i < members->count; i++)
        if (yaml_list_has(child(schema, "required"), members->at[i].name))
            members->at[i].required = true;
    for (int i = 0; (part = item(child(schema, "allOf"), i)); i++)
        gather_required(members, part);
}

/* ---- a table against a schema ---- */

static const char *schema_type_of(const struct reply_member *member)
{
    switch ((enum reply_type)member->type) {
    case REPLY_TYPE_BOOL:
        return "boolean";
    case REPLY_TYPE_UINT32:
    case REPLY_TYPE_UINT64:
    case REPLY_TYPE_INT64:
        return "integer";
    case REPLY_TYPE_DOUBLE:
    case REPLY_TYPE_ROUNDED:
        return "number";
    case REPLY_TYPE_ATTRS:
    case REPLY_TYPE_OBJECT:
        return "object";
    case REPLY_TYPE_LIST:
        return "array";
    default:
        return "string";
    }
}

static const char *format_of(const struct reply_member *member)
{
    if (member->type == REPLY_TYPE_TIME || member->type == REPLY_TYPE_LIST_TIME)
        return "date-time";
    return member->type == REPLY_TYPE_UID ? "uuid" : "";
}

static void check_object(yaml_node_t *schema, const struct reply_table *table,
                         const char *where);

static void complain(const char *where, const char *what)
{
    CHECK(false);
    printf("# docs/openapi.yaml, %s: %s\n", where, what);
}

/* format: of texts only; int64 is a hint. */
static void check_value(yaml_node_t *schema, const struct reply_member *member,
                        const char *where)
{
    const char *type = schema_type_of(member);
    const char *format = text_of(child(resolve(schema), "format"));
    bool null = member->flags & REPLY_NULL;

    schema = resolve(schema);
    if (!has_type(schema, type) &&
        !(member->type == REPLY_TYPE_OBJECT && child(schema, "allOf")))
        complain(where, "has another type");
    if (has_type(schema, "null") != null)
        complain(where, null ? "may be null" : "is never null");
    if (strcmp(type, "string") == 0 && strcmp(format, format_of(member)) != 0)
        complain(where, "has another format");
    if (member->type == REPLY_TYPE_OBJECT)
        check_object(schema, member->table, where);
    if (member->type == REPLY_TYPE_LIST) {
        const struct reply_member *first = member->table->members;

        schema = resolve(child(schema, "items"));
        if (first->name || first->type == REPLY_TYPE_INLINE)
            check_object(schema, member->table, where);
        else if (member->table->count == 1)
            check_value(schema, first, where);
        else if (!has_type(schema, "array"))
            complain(where, "is a list of arrays");
    }
}

static void check_members(struct schema_members *members,
                          const struct reply_table *table, bool optional,
                          const char *where)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct reply_member *member = &table->members[i];
        bool by_pointer =
            (member->flags & (REPLY_POINTER | REPLY_NULL)) == REPLY_POINTER;
        char path[512];
        size_t k;

        if (member->type == REPLY_TYPE_INLINE) {
            check_members(members, member->table, optional || by_pointer,
                          where);
            continue;
        }
        snprintf(path, sizeof(path), "%s.%s", where, member->name);
        k = find_member(members, member->name);
        if (k == members->count) {
            complain(path, "is in the table, not in the schema");
            continue;
        }
        members->at[k].seen = true;
        if ((member->flags & REPLY_OMIT_EMPTY) && members->at[k].required)
            complain(path, "is required, but may be left out");
        if (!(member->flags & REPLY_OMIT_EMPTY) && !optional && !by_pointer &&
            !members->at[k].required)
            complain(path, "is always there, but not required");
        check_value(members->at[k].schema, member, path);
    }
}

static void check_object(yaml_node_t *schema, const struct reply_table *table,
                         const char *where)
{
    struct schema_members members = {.count = 0};

    gather_properties(&members, schema);
    gather_required(&members, schema);
    check_members(&members, table, false, where);
    for (size_t i = 0; i < members.count; i++)
        if (!members.at[i].seen) {
            char path[512];

            snprintf(path, sizeof(path), "%s.%s", where, members.at[i].name);
            complain(path, "is in the schema, not in the table");
        }
}

/* ---- routes ---- */

/* Answers that are no JSON object of ours, and of which no table can be. */
static const char *const without_table[] = {
    "/api/v1/access/tokens",
    "/api/v1/access/tokens/{}/rotate",
    "/api/v1/access/tokens/{}",
    "/api/v1/access/me",
    "/api/v1/session",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/metrics",                     /* text */
    "/openapi.yaml",                /* a file */
    "/api/v1/catalog",              /* GET: the document as it was put */
    "/api/v1alpha1/rca-agent/chat", /* a stream of objects */
};

static bool may_lack_table(const char *path)
{
    for (size_t i = 0; i < sizeof(without_table) / sizeof(*without_table); i++)
        if (strcmp(path, without_table[i]) == 0)
            return true;
    return false;
}

/* "/a/{id}" is "/a/{}". */
static bool same_path(const char *pattern, const char *path)
{
    while (*pattern && *pattern == *path) {
        if (*path == '{')
            path += strcspn(path, "}") - 1;
        pattern++;
        path++;
    }
    return !*pattern && !*path;
}

static yaml_node_t *operation_of(const struct http_route *route)
{
    const yaml_node_t *paths =
        child(yaml_document_get_root_node(&document), "paths");
    char method[16];
    size_t len = strlen(route->method);

    for (size_t i = 0; i <= len; i++)
        method[i] = (char)(route->method[i] | (i < len ? 0x20 : 0));
    for (yaml_node_pair_t *pair = paths->data.mapping.pairs.start;
         pair < paths->data.mapping.pairs.top; pair++)
        if (same_path(route->path, text_of(node_at(pair->key))))
            return child(node_at(pair->value), method);
    return NULL;
}

static yaml_node_t *answer_of(yaml_node_t *operation, const char *code)
{
    return resolve(child(child(operation, "responses"), code));
}

static yaml_node_t *schema_of(yaml_node_t *answer)
{
    return child(child(child(answer, "content"), "application/json"), "schema");
}

static const struct route *row_of(const struct http_route *route)
{
    return route->user;
}

/* By the API: the page for people is none. */
static bool is_served(const struct http_route *route)
{
    return row_of(route)->handler != query_not_served &&
           strncmp(route->path, "/ui", 3) != 0;
}

TEST(answers_have_the_members_of_their_tables)
{
    size_t count;
    const struct http_route *routes = query_routes(NULL, &count);

    if (!load())
        return;
    for (size_t i = 0; i < count; i++) {
        const struct route *row = row_of(&routes[i]);
        yaml_node_t *operation = operation_of(&routes[i]);
        char where[128];

        if (!is_served(&routes[i]))
            continue;
        snprintf(where, sizeof(where), "%s %s", routes[i].method,
                 routes[i].path);
        if (!operation)
            complain(where, "is not in the file");
        else if (row->reply)
            check_object(schema_of(answer_of(operation, "200")), row->reply,
                         where);
        else if (!may_lack_table(routes[i].path))
            complain(where, "its row in query_*.c has no table of the answer");
    }
    yaml_document_delete(&document);
}

/* What every route may answer, and what those that wait for a worker may. */
TEST(refusals_are_in_the_file)
{
    static const char *const codes[] = {"400", "401", "403",
                                        "421", "503", "429"};
    size_t count;
    const struct http_route *routes = query_routes(NULL, &count);

    if (!load())
        return;
    for (size_t i = 0; i < count; i++) {
        yaml_node_t *operation = operation_of(&routes[i]);
        size_t last = routes[i].flags & HTTP_RESERVED ? 4 : 6;
        char where[128];

        for (size_t k = 0; is_served(&routes[i]) && k < last; k++) {
            yaml_node_t *answer = answer_of(operation, codes[k]);

            snprintf(where, sizeof(where), "%s %s %s", routes[i].method,
                     routes[i].path, codes[k]);
            if (answer)
                check_object(schema_of(answer), &error_table, where);
            else
                complain(where, "is not in the file");
        }
    }
    yaml_document_delete(&document);
}

/* ---- texts of a fixed set ---- */

static const char *evidence_name(int kind)
{
    struct evidence_advice advice =
        evidence_kind_advice((enum evidence_kind)kind);

    CHECK(advice.before && advice.after);
    return evidence_kind_name((enum evidence_kind)kind);
}

static const char *candidate_name(int kind)
{
    return candidate_kind_names[kind];
}

/* Its member `kind` lists the names of all kinds, and no others. */
static void check_kinds(const char *schema, int count,
                        const char *(*name_of)(int kind))
{
    yaml_node_t *schemas = child(
        child(yaml_document_get_root_node(&document), "components"), "schemas");
    const yaml_node_t *names = child(
        child(child(child(schemas, schema), "properties"), "kind"), "enum");

    for (int kind = 0; kind < count; kind++) {
        const char *name = name_of(kind);

        if (!name || strcmp(text_of(item(names, kind)), name) != 0)
            complain(schema, name ? name : "a kind without a name");
    }
    CHECK(!item(names, count));
}

TEST(kinds_of_a_cause_are_in_the_file)
{
    if (!load())
        return;
    check_kinds("CauseEvidence", EVIDENCE_KINDS, evidence_name);
    check_kinds("CauseSuspect", CANDIDATE_KINDS, candidate_name);
    yaml_document_delete(&document);
}
