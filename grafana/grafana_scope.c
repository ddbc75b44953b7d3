/*
 * From filters to resources. In: filters (grafana_filter.c). Out: the resources
 * they select, of what the viewer may see.
 *
 * What is one name is selected by the registry; several names, regular
 * expressions and exclusions are compared with each identity once. Version, pod
 * and other attributes are those of the resources that sent; derived series
 * have a resource of their own for each component, which has no attributes.
 */
#include "grafana_query.h"

const char *const scope_keys[SCOPE_KEYS + 1] = {
    "namespace", "project", "environment", "component", "endpoint",
    "operation", "version", "pod",         NULL};

/* A name, or the uid where the filter has one. */
static bool fits_name(const struct grafana_query *q, const char *key,
                      struct slice name, struct slice uid)
{
    return query_fits(q, key, name) ||
           (uid.len > 0 && query_fits(q, key, uid) && query_filters(q, key));
}

bool query_fits_identity(const struct grafana_query *q,
                         const struct identity *identity)
{
    const struct slice none = {NULL, 0};

    return fits_name(q, "namespace", identity->namespace, none) &&
           fits_name(q, "project", identity->project, identity->project_uid) &&
           fits_name(q, "component", identity->component,
                     identity->component_uid) &&
           fits_name(q, "environment", identity->environment,
                     identity->environment_uid);
}

/* ---- resources ---- */

/* The one text that a key must have; empty: any, or more than a text. */
static struct slice only(const struct grafana_query *q, const char *key)
{
    struct slice name = slice_of(key), found = {NULL, 0};

    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        if (slice_equal(f->key, name) && f->op == FILTER_IS && f->count == 1 &&
            !f->regex)
            found = f->values[0];
    return found;
}

/* Whether all filters by name are such. */
static bool is_simple(const struct grafana_query *q)
{
    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        for (int k = 0; k < SCOPE_IDENTITY_KEYS; k++)
            if (slice_equal(f->key, slice_of(scope_keys[k])) &&
                (f->op != FILTER_IS || f->count != 1 || f->regex))
                return false;
    return true;
}

enum { UNKNOWN, FITS, FITS_NOT };

static bool identity_fits(struct grafana_query *q, uint32_t resource,
                          uint8_t **verdicts, uint32_t *room)
{
    struct registry *registry = q->request->services->registry;
    uint32_t id = registry_identity_id(registry, resource);
    struct identity identity;

    if (id == IDENTITY_NONE)
        return false;
    if (id >= *room) {
        uint8_t *more = arena_zero(q->request->arena, 2 * (size_t)id + 64, 1);

        if (!more)
            return false;
        if (*room > 0)
            memcpy(more, *verdicts, *room);
        *verdicts = more;
        *room = 2 * id + 64;
    }
    if ((*verdicts)[id] == UNKNOWN)
        (*verdicts)[id] =
            registry_identity(registry, id, q->request->arena, &identity) &&
                    query_fits_identity(q, &identity)
                ? FITS
                : FITS_NOT;
    return (*verdicts)[id] == FITS;
}

static const struct bitmap *narrow_by_name(struct grafana_query *q,
                                           const struct bitmap *all)
{
    struct bitmap *some = bitmap_new(q->request->arena, all->limit);
    uint8_t *verdicts = NULL;
    uint32_t room = 0;

    for (uint32_t id = 0; some && id < all->limit; id++)
        if (bitmap_has(all, id) && identity_fits(q, id, &verdicts, &room))
            bitmap_add(some, id);
    return some;
}

/* ---- attributes ---- */

/* Of filters by attributes: version, pod, and any that is no name and none of
 * requests. */
static bool is_attribute(const struct grafana_filter *f)
{
    for (int k = 0; k < SCOPE_KEYS - 2; k++) /* but version and pod */
        if (slice_equal(f->key, slice_of(scope_keys[k])))
            return false;
    return true;
}

static bool attributes_fit(struct grafana_query *q,
                           const struct resource *resource)
{
    for (const struct grafana_filter *f = q->filters; f; f = f->next) {
        const struct attr *a =
            attrs_find(&resource->attrs, query_attribute_key(f->key));

        if (f->of_resources &&
            !filter_fits(f, a ? reply_value_text(q->request, a)
                              : (struct slice){NULL, 0}))
            return false;
    }
    return true;
}

static bool has_attribute_filters(const struct grafana_query *q)
{
    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        if (is_attribute(f))
            return true;
    return false;
}

/* Which filters are about attributes of resources: any of these has it. */
static const struct resource **read_resources(struct grafana_query *q)
{
    const struct bitmap *all = q->resources;
    const struct resource **read =
        arena_zero(q->request->arena, (size_t)all->limit + 1, sizeof(*read));

    for (uint32_t id = 0; read && id < all->limit; id++) {
        const struct resource_info *info =
            bitmap_has(all, id) ? reply_resource(q->request, id) : NULL;

        if (!info || info->resource.attrs.count == 0 ||
            attrs_find(&info->resource.attrs, SLICE("callboard.identity")))
            continue; /* of derived series */
        read[id] = &info->resource;
        for (struct grafana_filter *f = q->filters; f; f = f->next)
            if (is_attribute(f) && !f->of_resources)
                f->of_resources = attrs_find(&info->resource.attrs,
                                             query_attribute_key(f->key));
    }
    return read;
}

static enum status narrow_by_attribute(struct grafana_query *q)
{
    struct bitmap *some = bitmap_new(q->request->arena, q->resources->limit);
    const struct resource **read = read_resources(q);

    if (!some || !read)
        return arena_status(q->request->arena);
    for (struct grafana_filter *f = q->filters; f; f = f->next) {
        f->of_resources = f->of_resources ||
                          slice_equal(f->key, SLICE("pod")) ||
                          slice_equal(f->key, SLICE("version"));
        q->narrowed = q->narrowed || f->of_resources;
    }
    if (!q->narrowed)
        return OK;
    for (uint32_t id = 0; id < some->limit; id++)
        if (read[id] && attributes_fit(q, read[id]))
            bitmap_add(some, id);
    q->sent = some;
    return OK;
}

/* Only a grant, or the authorization service, makes a scope one that may be
 * seen; of a wider one there is what the grants cover. */
static enum status may_see(struct grafana_query *q)
{
    struct query_request *request = q->request;
    enum action action = request->viewer.action;
    const union scope_names names = {{q->scope.namespace, q->scope.project,
                                      q->scope.component,
                                      q->scope.environment}};
    char text[ACCESS_REFUSAL_MAX];
    enum status s = params_may_see(request, action, &q->scope);

    request->viewer.action = action;
    if (s != ERR_FORBIDDEN || request->failed != OK)
        return s;
    if (registry_may_ask(request->services->registry, &q->scope,
                         &request->viewer, true))
        return OK;
    access_refusal(text, request->subject, action, &names);
    return query_fail(request, ERR_FORBIDDEN, NULL, "%s", text);
}

static enum status add_filters(struct grafana_query *q, const char *except)
{
    enum status s = OK;

    for (int k = 0; s == OK && k < SCOPE_KEYS; k++) {
        if (except && strcmp(scope_keys[k], except) == 0)
            break;
        s = filter_add_payload(q, scope_keys[k]);
    }
    if (s == OK)
        s = filter_add_list(q, q->call->filters);
    return s == OK ? filter_add_list(q, q->call->adhoc_filters) : s;
}

enum status query_select(struct grafana_query *q, const char *except)
{
    enum status s = add_filters(q, except);

    if (s != OK)
        return s;
    q->scope = (struct scope_filter){.namespace = only(q, "namespace"),
                                     .project = only(q, "project"),
                                     .component = only(q, "component"),
                                     .environment = only(q, "environment")};
    s = may_see(q);
    if (s == OK)
        s = params_select(q->request, &q->scope, &q->resources);
    if (s == OK && !is_simple(q)) {
        q->resources = narrow_by_name(q, q->resources);
        if (!q->resources)
            s = arena_status(q->request->arena);
    }
    q->sent = q->resources;
    return s == OK && has_attribute_filters(q) ? narrow_by_attribute(q) : s;
}
