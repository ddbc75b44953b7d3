/*
 * The catalogue's document (docs/correlation.md has an example):
 *
 *   { "projects":     [ { "namespace"?, "name", "uid"?, "displayName"? } ],
 *     "environments": [ { "namespace"?, "name", "uid"?, "displayName"? } ],
 *     "components":   [ { "namespace"?, "project", "name", "uid"?,
 *         "endpoints":    [ { "name", "type"?, "port", "targetPort"?,
 *                             "basePath"?, "visibility"?: [...] } ],
 *         "dependencies": [ { "namespace"?, "project"?, "component",
 *                             "endpoint"? } ] } ] }
 *
 * A missing namespace is "default"; in a dependency, a missing namespace or
 * project is that of the component. Other members are ignored.
 *
 * jansson builds a tree of the text, in which "{}" takes a hundred times its
 * bytes: so values are counted first, by a scan of the bytes.
 *
 * The parser keeps the path of the current object; the first error stays.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog_int.h"

enum {
    MAX_VALUES = 250000,
    MAX_CONTAINERS = 100000, /* of them: objects and arrays */
    MAX_DEPENDENCIES = 256,  /* of one component */
    MAX_NAME = 255,          /* as the registry cuts names */
    MAX_DETAIL = 256
};

struct catalog_parser {
    struct arena *arena;    /* of the snapshot */
    const char *section;    /* "components" */
    const char *subsection; /* "endpoints", or NULL */
    size_t index, subindex;
    char detail[MAX_DETAIL]; /* empty: no error yet */
};

/* Records an error in a member of the current object, or in the object itself
 * (member NULL). */
static void complain(struct catalog_parser *p, const char *member,
                     const char *what)
{
    char sub[64] = "";

    if (p->detail[0])
        return;
    if (p->subsection)
        snprintf(sub, sizeof(sub), ".%s[%zu]", p->subsection, p->subindex);
    snprintf(p->detail, sizeof(p->detail), "%s[%zu]%s%s%s: %s", p->section,
             p->index, sub, member ? "." : "", member ? member : "", what);
}

static bool good(const struct catalog_parser *p)
{
    return p->detail[0] == 0;
}

/* ---- members ---- */

/* Empty if it is missing. */
static struct slice take_text(struct catalog_parser *p, const json_t *object,
                              const char *member)
{
    const json_t *value = json_object_get(object, member);

    if (!value || json_is_null(value))
        return (struct slice){NULL, 0};
    if (!json_is_string(value)) {
        complain(p, member, "must be a string");
        return (struct slice){NULL, 0};
    }
    if (json_string_length(value) > MAX_NAME) {
        complain(p, member, "must be at most 255 bytes");
        return (struct slice){NULL, 0};
    }
    return arena_copy(p->arena, (struct slice){json_string_value(value),
                                               json_string_length(value)});
}

static struct slice take_name(struct catalog_parser *p, const json_t *object,
                              const char *member)
{
    struct slice name = take_text(p, object, member);

    if (name.len == 0)
        complain(p, member, "must be given and not empty");
    return name;
}

static struct slice take_or(struct catalog_parser *p, const json_t *object,
                            const char *member, struct slice otherwise)
{
    struct slice text = take_text(p, object, member);

    return text.len > 0 ? text : otherwise;
}

static uint16_t take_port(struct catalog_parser *p, const json_t *object,
                          const char *member, uint16_t otherwise)
{
    const json_t *value = json_object_get(object, member);

    if (!value && otherwise)
        return otherwise;

    json_int_t port = json_is_integer(value) ? json_integer_value(value) : 0;

    if (port < 1 || port > UINT16_MAX) {
        complain(p, member, "must be 1 to 65535");
        return 0;
    }
    return (uint16_t)port;
}

/* An array of at most `most`; NULL and *count 0 if it is missing or wrong. */
static const json_t *take_array(struct catalog_parser *p, const json_t *object,
                                const char *member, size_t most,
                                uint32_t *count)
{
    const json_t *array = json_object_get(object, member);
    char what[48];

    *count = 0;
    if (!array || json_is_null(array))
        return NULL;
    if (!json_is_array(array)) {
        complain(p, member, "must be an array");
        return NULL;
    }
    if (json_array_size(array) > most) {
        snprintf(what, sizeof(what), "must have at most %zu elements", most);
        complain(p, member, what);
        return NULL;
    }
    *count = (uint32_t)json_array_size(array);
    return array;
}

/* ---- endpoints and dependencies ---- */

/* The place of a text among words; count if it is none of them. */
static unsigned find_word(struct slice text, const char *const *words,
                          unsigned count)
{
    unsigned i = 0;

    while (i < count && !slice_equal(text, slice_of(words[i])))
        i++;
    return i;
}

static struct slice take_type(struct catalog_parser *p, const json_t *object)
{
    static const char *const types[] = {"HTTP",      "gRPC", "GraphQL",
                                        "Websocket", "TCP",  "UDP"};
    unsigned i = find_word(take_or(p, object, "type", SLICE("HTTP")), types, 6);

    if (i == 6)
        complain(p, "type",
                 "must be HTTP, gRPC, GraphQL, Websocket, TCP or UDP");
    return slice_of(types[i % 6]);
}

static uint8_t take_visibility(struct catalog_parser *p, const json_t *object)
{
    /* In the order of the bits of enum visibility. */
    static const char *const names[] = {"project", "namespace", "internal",
                                        "external"};
    uint32_t count;
    const json_t *array = take_array(p, object, "visibility", 16, &count);
    unsigned bits = 0;

    for (uint32_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(array, i);
        unsigned bit = find_word(
            (struct slice){json_string_value(value), json_string_length(value)},
            names, 4);

        if (bit == 4)
            complain(p, "visibility",
                     "must be any of project, namespace, internal, external");
        bits |= 1u << bit;
    }
    return bits ? (uint8_t)bits : VISIBLE_PROJECT;
}

typedef void take_item(struct catalog_parser *p, const json_t *object,
                       const struct catalog_component *component, void *item);

static void take_endpoint(struct catalog_parser *p, const json_t *object,
                          const struct catalog_component *component, void *item)
{
    struct catalog_endpoint *e = item, *first = e - p->subindex;

    (void)component;
    e->name = take_name(p, object, "name");
    e->type = take_type(p, object);
    e->port = take_port(p, object, "port", 0);
    e->target_port = take_port(p, object, "targetPort", e->port);
    e->base_path = take_text(p, object, "basePath");
    if (e->base_path.len > 0 && e->base_path.ptr[0] != '/')
        complain(p, "basePath", "must begin with /");
    e->visibility = take_visibility(p, object);
    for (; first < e; first++)
        if (slice_equal(first->name, e->name))
            complain(p, "name", "is declared twice");
}

static void take_dependency(struct catalog_parser *p, const json_t *object,
                            const struct catalog_component *component,
                            void *item)
{
    struct catalog_dependency *d = item;

    d->namespace = take_or(p, object, "namespace", component->namespace);
    d->project = take_or(p, object, "project", component->project);
    d->component = take_name(p, object, "component");
    d->endpoint = take_text(p, object, "endpoint");
}

/* An array of objects; `take` fills in the items, which are in the arena. */
static void *take_list(struct catalog_parser *p, const json_t *object,
                       const char *member, size_t most, size_t size,
                       take_item *take,
                       const struct catalog_component *component,
                       uint32_t *count)
{
    const json_t *array = take_array(p, object, member, most, count);
    char *items = arena_zero(p->arena, *count, size);

    p->subsection = member;
    for (p->subindex = 0; p->subindex < *count && items && good(p);
         p->subindex++) {
        const json_t *from = json_array_get(array, p->subindex);

        if (!json_is_object(from))
            complain(p, NULL, "must be an object");
        take(p, from, component, items + p->subindex * size);
    }
    p->subsection = NULL;
    return items;
}

/* ---- sections ---- */

/* An array of objects at the top; NULL if it is missing or wrong. */
static const json_t *take_section(struct catalog_parser *p, const json_t *root,
                                  const char *section)
{
    const json_t *array = json_object_get(root, section);

    p->section = section;
    p->subsection = NULL;
    if (array && !json_is_array(array) && good(p)) {
        snprintf(p->detail, sizeof(p->detail), "%s: must be an array", section);
        return NULL;
    }
    for (p->index = 0; p->index < json_array_size(array); p->index++)
        if (!json_is_object(json_array_get(array, p->index)))
            complain(p, NULL, "must be an object");
    return array;
}

/* Projects and environments are only stored as text; they must be valid. */
static void check_section(struct catalog_parser *p, const json_t *root,
                          const char *section)
{
    const json_t *array = take_section(p, root, section);

    for (p->index = 0; p->index < json_array_size(array) && good(p);
         p->index++) {
        const json_t *object = json_array_get(array, p->index);

        take_text(p, object, "namespace");
        take_name(p, object, "name");
        take_text(p, object, "uid");
        take_text(p, object, "displayName");
    }
}

static void take_components(struct catalog_parser *p, const json_t *root,
                            struct catalog_snapshot *snapshot)
{
    const json_t *array = take_section(p, root, "components");
    size_t count = json_array_size(array);

    snapshot->components =
        arena_zero(p->arena, count, sizeof(*snapshot->components));
    for (p->index = 0; p->index < count && snapshot->components && good(p);
         p->index++) {
        const json_t *object = json_array_get(array, p->index);
        struct catalog_component *c = &snapshot->components[p->index];

        c->namespace = take_or(p, object, "namespace", SLICE("default"));
        c->project = take_name(p, object, "project");
        c->name = take_name(p, object, "name");
        c->uid = take_text(p, object, "uid");
        c->endpoints = take_list(p, object, "endpoints", CATALOG_MAX_ENDPOINTS,
                                 sizeof(*c->endpoints), take_endpoint, c,
                                 &c->endpoint_count);
        c->dependencies = take_list(p, object, "dependencies", MAX_DEPENDENCIES,
                                    sizeof(*c->dependencies), take_dependency,
                                    c, &c->dependency_count);
        if (catalog_component(snapshot, c->namespace, c->project, c->name))
            complain(p, "name", "is declared twice");
        map_add(&snapshot->by_name,
                catalog_hash(c->namespace, c->project, c->name),
                snapshot->count++);
    }
}

/* ---- the document ---- */

/* False if its tree would take too much memory. */
static bool small_enough(struct slice json)
{
    size_t values = 0, containers = 0;
    bool text = false;

    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];

        if (c == '"')
            text = !text;
        else if (text && c == '\\')
            i++;
        else if (!text && (c == '{' || c == '['))
            containers++;
        else if (!text && c == ',')
            values++;
    }
    return containers <= MAX_CONTAINERS && values <= MAX_VALUES;
}

static enum status set_detail(struct arena *arena, struct slice *detail,
                              enum status status, const char *text)
{
    *detail = arena_copy(arena, slice_of(text));
    return status;
}

enum status catalog_parse(struct catalog_snapshot *snapshot, struct slice json,
                          struct arena *arena, struct slice *detail)
{
    struct catalog_parser p = {.arena = &snapshot->arena};
    json_error_t error;

    if (json.len > CATALOG_MAX_BYTES || !small_enough(json))
        return set_detail(arena, detail, ERR_TOO_BIG,
                          "the catalogue is larger than the limit");

    json_t *root =
        json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, &error);

    if (!root) {
        snprintf(p.detail, sizeof(p.detail), "line %d: %s", error.line,
                 error.text);
        return set_detail(arena, detail, ERR_INVALID, p.detail);
    }
    if (!json_is_object(root)) {
        snprintf(p.detail, sizeof(p.detail), "must be an object");
    } else {
        check_section(&p, root, "projects");
        check_section(&p, root, "environments");
        take_components(&p, root, snapshot);
    }
    json_decref(root);
    if (!good(&p))
        return set_detail(arena, detail, ERR_INVALID, p.detail);
    if (arena_status(&snapshot->arena) != OK)
        return set_detail(arena, detail, ERR_TOO_BIG,
                          "the catalogue is larger than the limit");
    return OK;
}
