/*
 * Requests by names. In: a query. Out: groups of expressions of red_expr.h.
 *
 * Of many components only the largest are shown: a first pass counts requests
 * in one cell, a second one reads what is shown on the whole grid.
 */
#include "grafana_red.h"

#include <math.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "component.h"
#include "derived.h"
#include "reply_metrics.h"

enum {
    SERIES_STANDARD = 20,
    SERIES_MAX = 200,
    FEW_RESOURCES = 64, /* of which all is read at once */
    BY_IDENTITY = (1 << BY_ENDPOINT) - 1,
};

const char *const red_by_names[BY_COUNT] = {
    "namespace", "project", "environment", "component", "endpoint",
    "operation", "kind",    "caller",      "callee"};

/* Attributes of points of served requests; calls have red_call_labels. */
static const char *const served_labels[] = {DERIVED_ENDPOINT, DERIVED_OPERATION,
                                            DERIVED_KIND, NULL};

/* Of BY_NAMESPACE to BY_COMPONENT. */
static const enum identity_text name_texts[] = {
    IDENTITY_NAMESPACE, IDENTITY_PROJECT, IDENTITY_ENVIRONMENT,
    IDENTITY_COMPONENT};

/* ---- the payload ---- */

static enum status read_by(struct grafana_red *r)
{
    uint32_t count;
    const struct slice *texts = payload_texts(r->q, "by", &count);

    if (count == 0)
        texts = payload_texts(r->q, "groupBy", &count);
    for (uint32_t i = 0; i < count; i++) {
        int k = 0;

        if (slice_equal(texts[i], SLICE("none")))
            continue;
        while (k < BY_COUNT &&
               !slice_equal(texts[i], slice_of(red_by_names[k])))
            k++;
        if (k == BY_COUNT)
            return query_refuse(r->q,
                                "by must be of none, namespace, project, "
                                "environment, component, endpoint, operation, "
                                "kind, caller, callee; it is %.*s",
                                SLICE_ARGS(slice_truncate(texts[i], 80)));
        r->by |= 1u << k;
    }
    /* Components of one name in two environments are two. */
    if (r->by >> BY_COMPONENT & 1)
        r->by |= BY_IDENTITY;
    else if (r->by >> BY_PROJECT & 1)
        r->by |= 1u << BY_NAMESPACE;
    return OK;
}

static enum status read_direction(struct grafana_red *r)
{
    struct slice text = payload_text(r->q, "direction");

    if (slice_equal(text, SLICE("in")) || r->by >> BY_CALLER & 1)
        r->source = RED_IN;
    else if (slice_equal(text, SLICE("out")) || r->by >> BY_CALLEE & 1)
        r->source = RED_OUT;
    else if (text.len > 0 && !slice_equal(text, SLICE("served")))
        return query_refuse(r->q, "direction must be served, in or out");
    if (r->by >> BY_CALLER & 1 && r->by >> BY_CALLEE & 1)
        return query_refuse(r->q, "by caller and by callee are two queries: "
                                  "calls in, and calls out");
    return OK;
}

/* ---- tables ---- */

/* Which attributes the table must keep apart. */
static const char *const *labels_of(const struct grafana_red *r)
{
    if (r->source != RED_SERVED)
        return red_call_labels;
    return r->by & (1u << BY_ENDPOINT | 1u << BY_OPERATION | 1u << BY_KIND) ||
                   query_filters(r->q, "endpoint") ||
                   query_filters(r->q, "operation") ||
                   query_filters(r->q, "kind")
               ? served_labels
               : NULL;
}

static void init_table(const struct grafana_red *r, struct red_part *part,
                       struct metric_table *table, const struct grid *grid,
                       const char *const *by)
{
    metric_table_init(table, r->q->request->arena, grid, by);
    (void)metric_table_add(table, &part->red.latency);
    (void)metric_table_add(table, part->red.requests);
    (void)metric_table_add(table, &part->red.errors);
    (void)metric_table_add(table, &part->red.client_errors);
}

static void init_part(const struct grafana_red *r, struct red_part *part,
                      enum red_source source, const struct grid *grid,
                      bool buckets)
{
    red_init(&part->red, source);
    if (!buckets) /* rates need counts alone */
        part->red.latency.op = EXPR_INCREASE;
    init_table(r, part, &part->table, grid,
               source != RED_SDK ? labels_of(r) : NULL);
    init_table(r, part, &part->grouped, grid, NULL);
    part->table.by_resource = r->by & BY_IDENTITY;
}

/* ---- names of a group ---- */

static struct slice peer_name(struct grafana_red *r,
                              const struct metric_group *group)
{
    const struct identity *peer =
        reply_peer_identity(r->q->request, &group->labels[CALL_PEER_ID]);
    struct slice name = metric_label(group, CALL_PEER_NAME);

    if (peer == &identity_hidden)
        return SLICE(PEER_HIDDEN);
    if (peer && peer->component.len > 0)
        return peer->component;
    return name.len > 0 ? name : metric_label(group, CALL_PEER_KIND);
}

static void read_names(struct grafana_red *r, const struct red_part *part,
                       const struct metric_group *group,
                       struct red_names *names)
{
    *names = (struct red_names){.identity = {.id = IDENTITY_NONE}};
    if (r->reading) {
        *names = *r->reading;
    } else if (part->table.by_resource) {
        const struct identity *identity =
            reply_resource_identity(r->q->request, group->resource_id);

        if (identity)
            names->identity = *identity;
        for (int k = BY_NAMESPACE; k <= BY_COMPONENT; k++)
            names->name[k] = names->identity.text[name_texts[k]];
    }
    if (!part->table.by)
        return;
    names->name[BY_ENDPOINT] = metric_label(group, 0);
    if (r->source == RED_SERVED) {
        names->name[BY_OPERATION] = metric_label(group, 1);
        names->name[BY_KIND] = metric_label(group, 2);
        return;
    }
    names->name[r->source == RED_IN ? BY_CALLER : BY_CALLEE] =
        peer_name(r, group);
}

static bool names_fit(const struct grafana_red *r,
                      const struct red_names *names)
{
    return query_fits(r->q, "endpoint", names->name[BY_ENDPOINT]) &&
           (r->source != RED_SERVED ||
            (query_fits(r->q, "operation", names->name[BY_OPERATION]) &&
             query_fits(r->q, "kind", names->name[BY_KIND])));
}

/* ---- grouping ---- */

static enum status group_one(struct grafana_red *r, struct red_part *part,
                             const struct metric_group *group)
{
    struct arena *arena = r->q->request->arena;
    struct red_names names, *item;
    struct metric_group *to;
    uint64_t key = METRIC_TOTAL_KEY;

    read_names(r, part, group, &names);
    if (part->table.by && !names_fit(r, &names))
        return OK;
    for (int k = 0; k < BY_COUNT; k++)
        if (r->by >> k & 1)
            key = key_text(key + (uint64_t)k, names.name[k]);
    to = metric_group_with(&part->grouped, key, sizeof(*item));
    if (!to || !metric_group_add(&part->grouped, to, group))
        return arena_status(arena);
    item = to->item;
    if (!item->identity.rule)
        *item = names;
    return OK;
}

static enum status group_part(struct grafana_red *r, struct red_part *part)
{
    enum status s = OK;

    for (uint32_t i = 0; s == OK && i < part->table.count; i++)
        s = group_one(r, part, part->table.groups[i]);
    return s;
}

static double total_of(const struct red_part *part,
                       const struct metric_group *group)
{
    double total = 0, value;

    for (uint32_t i = 0; i < part->grouped.grid.count; i++) {
        value = metric_value(&part->grouped, group, part->red.requests, i);
        total += isnan(value) ? 0 : value;
    }
    return total;
}

static int by_total(const void *left, const void *right)
{
    const struct red_series *a = left, *b = right;

    if (a->total != b->total)
        return a->total > b->total ? -1 : 1;
    return (a->group->key > b->group->key) - (a->group->key < b->group->key);
}

/* The groups that had requests, the largest first. */
static enum status list_series(struct grafana_red *r)
{
    struct red_part *const parts[] = {&r->derived, &r->sdk};
    struct arena *arena = r->q->request->arena;
    uint32_t limit = payload_number(r->q, "limit", SERIES_STANDARD, SERIES_MAX);

    r->count = r->left_out = 0;
    r->series =
        arena_zero(arena, r->derived.grouped.count + r->sdk.grouped.count + 1,
                   sizeof(*r->series));
    if (!r->series)
        return arena_status(arena);
    for (int p = 0; p < 2; p++)
        for (uint32_t i = 0; i < parts[p]->grouped.count; i++) {
            struct metric_group *group = parts[p]->grouped.groups[i];
            double total = total_of(parts[p], group);

            if (total > RED_NONE)
                r->series[r->count++] = (struct red_series){
                    parts[p], group, group->item, total, {NULL, 0}};
        }
    qsort(r->series, r->count, sizeof(*r->series), by_total);
    if (r->count > limit) {
        r->left_out = r->count - limit;
        r->count = limit;
    }
    return OK;
}

/* ---- reading ---- */

static uint64_t component_of(void *arg, uint32_t resource_id)
{
    struct query_request *request = arg;

    return registry_identity_id(request->services->registry, resource_id);
}

/* SDKs, meshes and proxies count requests, too; without endpoints. */
static bool asks_sdk(const struct grafana_red *r)
{
    return r->source == RED_SERVED && (r->by & ~(uint32_t)BY_IDENTITY) == 0 &&
           labels_of(r) == NULL;
}

/* The resources of components that have no derived series. */
static const struct bitmap *without_series(struct grafana_red *r,
                                           const struct bitmap *resources)
{
    struct registry *registry = r->q->request->services->registry;
    struct bitmap *rest = bitmap_new(r->q->request->arena, resources->limit);
    struct bitmap *have = bitmap_new(r->q->request->arena, resources->limit);
    const struct metric_table *table = &r->derived.table;

    for (uint32_t i = 0; have && i < table->count; i++)
        bitmap_add(have, registry_identity_id(registry,
                                              table->groups[i]->resource_id));
    for (uint32_t id = 0; rest && have && id < resources->limit; id++)
        if (bitmap_has(resources, id) &&
            !bitmap_has(have, registry_identity_id(registry, id)))
            bitmap_add(rest, id);
    return rest && have ? rest : NULL;
}

static enum status read_sdk(struct grafana_red *r,
                            const struct bitmap *resources)
{
    struct metric_table *table = &r->sdk.table;
    const struct bitmap *rest = resources;

    if (!asks_sdk(r))
        return OK;
    if (!r->q->narrowed && r->derived.table.count > 0) {
        if (!r->derived.table.by_resource)
            return OK;
        rest = without_series(r, resources);
        if (!rest)
            return arena_status(r->q->request->arena);
    }
    r->without = rest;
    if (rest->count == 0)
        return OK;
    return read_metrics(r->q->request, rest, component_of, &table, 1);
}

static enum status read_pass(struct grafana_red *r, const struct grid *grid,
                             const struct bitmap *resources, bool buckets)
{
    struct metric_table *table = &r->derived.table;
    enum status s = OK;

    init_part(r, &r->derived, r->source, grid, buckets);
    init_part(r, &r->sdk, RED_SDK, grid, buckets);
    if (grid->count > 0 && !r->q->narrowed)
        s = read_metrics(r->q->request, resources, NULL, &table, 1);
    if (s == OK && grid->count > 0)
        s = read_sdk(r, resources);
    if (s == OK)
        s = group_part(r, &r->derived);
    if (s == OK)
        s = group_part(r, &r->sdk);
    return s == OK ? list_series(r) : s;
}

/* ---- many components: group after group ---- */

static uint64_t names_key(const struct grafana_red *r,
                          const struct slice names[])
{
    uint64_t key = METRIC_TOTAL_KEY;

    for (int k = 0; k <= BY_COMPONENT; k++)
        if (r->by >> k & 1)
            key = key_text(key + (uint64_t)k, names[k]);
    return key;
}

/* By resource; 0: not asked for. */
static uint64_t *keys_of(struct grafana_red *r, const struct bitmap *all)
{
    uint64_t *keys =
        arena_zero(r->q->request->arena, (size_t)all->limit + 1, sizeof(*keys));

    for (uint32_t id = 0; keys && id < all->limit; id++) {
        const struct identity *identity =
            bitmap_has(all, id) ? reply_resource_identity(r->q->request, id)
                                : NULL;
        struct slice names[BY_COMPONENT + 1];

        if (!identity)
            continue;
        for (int k = 0; k <= BY_COMPONENT; k++)
            names[k] = identity->text[name_texts[k]];
        keys[id] = names_key(r, names);
    }
    return keys;
}

/* Only one table by resource is there at a time, so that memory goes by what is
 * shown. */
static enum status read_group(struct grafana_red *r, struct red_part *part,
                              const uint64_t *keys, uint64_t key)
{
    bool sdk = part == &r->sdk;
    const struct bitmap *all = sdk ? r->without : r->q->sent;
    struct bitmap *some = bitmap_new(r->q->request->arena, all->limit);
    struct metric_table *table = &part->table;
    enum status s;

    for (uint32_t id = 0; some && id < all->limit; id++)
        if (keys[id] == key && bitmap_has(all, id))
            bitmap_add(some, id);
    if (!some)
        return arena_status(r->q->request->arena);
    init_table(r, part, table, &r->grid, sdk ? NULL : labels_of(r));
    s = read_metrics(r->q->request, some, sdk ? component_of : NULL, &table, 1);
    return s == OK ? group_part(r, part) : s;
}

static bool was_read(const struct grafana_red *r, const struct red_series *list,
                     uint32_t i)
{
    uint64_t key = names_key(r, list[i].names->name);

    for (uint32_t k = 0; k < i; k++)
        if (list[k].part == list[i].part &&
            names_key(r, list[k].names->name) == key)
            return true;
    return false;
}

static enum status read_groups(struct grafana_red *r)
{
    const struct red_series *list = r->series;
    uint32_t count = r->count, all = r->count + r->left_out;
    uint64_t *keys = keys_of(r, r->q->sent);
    enum status s = keys ? OK : arena_status(r->q->request->arena);

    init_part(r, &r->derived, r->source, &r->grid, r->buckets);
    init_part(r, &r->sdk, RED_SDK, &r->grid, r->buckets);
    for (uint32_t i = 0; s == OK && i < count; i++) {
        if (was_read(r, list, i))
            continue;
        r->reading = list[i].names;
        s = read_group(r, list[i].part, keys,
                       names_key(r, list[i].names->name));
    }
    r->reading = NULL;
    if (s == OK)
        s = list_series(r);
    r->left_out = all > r->count ? all - r->count : 0;
    return s;
}

enum status red_read(struct grafana_red *r, struct grafana_query *q,
                     bool buckets)
{
    struct grid total;
    enum status s;

    *r = (struct grafana_red){.q = q, .source = RED_SERVED, .buckets = buckets};
    s = read_by(r);
    if (s == OK)
        s = read_direction(r);
    if (s != OK)
        return s;
    r->grid = query_grid(q, NS_PER_MIN);
    if (!(r->by & BY_IDENTITY) || q->sent->count <= FEW_RESOURCES)
        return read_pass(r, &r->grid, q->sent, buckets);
    total = grid_make(q->start_ns, q->end_ns,
                      q->end_ns - q->start_ns + NS_PER_MIN, q->request->now_ns);
    s = read_pass(r, &total, q->sent, false);
    return s == OK && r->grid.count > 0 ? read_groups(r) : s;
}
