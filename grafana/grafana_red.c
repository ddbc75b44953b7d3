/*
 * Requests by names. In: a query. Out: groups of expressions of red_expr.h.
 *
 * Memory goes by groups that are shown, not by resources: points are summed in
 * them as they are read. If all groups on the whole grid are too many, a first
 * pass counts the requests of each in one cell, and those with most are read a
 * few at a time (grafana_red_open.c).
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
    FEW_RESOURCES = 64, /* whose endpoints are few */
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
    if (part->table.by_resource) {
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

uint64_t red_key(const struct grafana_red *r, const struct slice names[],
                 int count)
{
    uint64_t key = METRIC_TOTAL_KEY;

    for (int k = 0; k < count; k++)
        if (r->by >> k & 1)
            key = key_text(key + (uint64_t)k, names[k]);
    return key;
}

/* Are groups of this key open, or all? */
static bool is_open(const struct red_part *part, uint64_t key)
{
    const struct grafana_red *r = part->owner;

    for (uint32_t i = r->open_first; i < r->open_end; i++)
        if (r->series[i].part == part && r->series[i].key == key)
            return true;
    return r->open_end == 0;
}

/* Of points with the labels and resource of this group. */
static struct metric_group *target_of(void *arg,
                                      const struct metric_group *group)
{
    struct red_part *part = arg;
    struct grafana_red *r = part->owner;
    struct red_names names, *item;
    struct metric_group *to;
    uint64_t key;

    read_names(r, part, group, &names);
    if (part->table.by && !names_fit(r, &names))
        return NULL;
    key = red_key(r, names.name, BY_COUNT);
    to = is_open(part, key)
             ? metric_group_with(&part->grouped, key, sizeof(*item))
             : NULL;
    item = to ? to->item : NULL;
    if (item && !item->identity.rule)
        *item = names;
    return to;
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

    return metric_group_order(a->group, a->total, b->group, b->total);
}

/* The groups that had requests, the largest first. */
static enum status list_series(struct grafana_red *r)
{
    struct red_part *const parts[] = {&r->derived, &r->sdk};
    struct arena *arena = r->q->request->arena;
    uint32_t limit = payload_number(r->q, "limit", SERIES_STANDARD, SERIES_MAX);

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
                r->series[r->count++] =
                    (struct red_series){.part = parts[p],
                                        .group = group,
                                        .key = group->key,
                                        .names = group->item,
                                        .total = total};
        }
    qsort(r->series, r->count, sizeof(*r->series), by_total);
    if (r->count > limit) {
        r->left_out = r->count - limit;
        r->count = limit;
    }
    return OK;
}

/* ---- reading ---- */

void red_part_init(struct grafana_red *r, struct red_part *part,
                   struct arena *arena, const struct grid *grid, bool buckets)
{
    bool sdk = part == &r->sdk;

    red_init(&part->red, sdk ? RED_SDK : r->source);
    if (!buckets) /* rates need counts alone */
        part->red.latency.op = EXPR_INCREASE;
    red_table_init(&part->table, arena, grid, sdk ? NULL : labels_of(r),
                   &part->red);
    red_table_init(&part->grouped, arena, grid, NULL, &part->red);
    part->owner = r;
    part->table.by_resource = r->by & BY_IDENTITY;
    part->table.sums = &part->grouped;
    part->table.target = target_of;
    part->table.target_arg = part;
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
    return read_metrics(r->q->request, rest, red_component, &table, 1);
}

static enum status read_pass(struct grafana_red *r, const struct grid *grid,
                             bool buckets)
{
    struct arena *arena = r->q->request->arena;
    struct metric_table *table = &r->derived.table;
    enum status s = OK;

    red_part_init(r, &r->derived, arena, grid, buckets);
    red_part_init(r, &r->sdk, arena, grid, buckets);
    if (grid->count > 0 && !r->q->narrowed)
        s = read_metrics(r->q->request, r->q->sent, NULL, &table, 1);
    if (s == OK && grid->count > 0)
        s = read_sdk(r, r->q->sent);
    return s == OK ? list_series(r) : s;
}

/* ---- how much memory the groups need ---- */

static int by_number(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* How many different names the resources have; UINT32_MAX: unknown, as
 * endpoints and peers are. */
static uint32_t count_groups(struct grafana_red *r)
{
    const struct bitmap *all = r->q->sent;
    uint32_t count = 0, groups = 1;
    uint64_t *keys;

    if (r->by & ~(uint32_t)BY_IDENTITY)
        return !r->buckets && all->count <= FEW_RESOURCES ? FEW_RESOURCES
                                                          : UINT32_MAX;
    if (r->by == 0)
        return 1;
    keys = arena_alloc(r->q->request->arena, (all->count + 1) * sizeof(*keys));
    for (uint32_t id = 0; keys && id < all->limit && count < all->count; id++)
        if (r->keys[id] && bitmap_has(all, id))
            keys[count++] = r->keys[id];
    if (count > 0)
        qsort(keys, count, sizeof(*keys), by_number);
    for (uint32_t i = 1; i < count; i++)
        groups += keys[i] != keys[i - 1];
    return groups;
}

/* By resource; 0: not asked for. */
static const uint64_t *keys_of(struct grafana_red *r, const struct bitmap *all)
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
        keys[id] = red_key(r, names, BY_COMPONENT + 1);
    }
    return keys;
}

enum status red_read(struct grafana_red *r, struct grafana_query *q,
                     bool buckets)
{
    enum status s;

    *r = (struct grafana_red){.q = q, .source = RED_SERVED, .buckets = buckets};
    s = read_by(r);
    if (s == OK)
        s = read_direction(r);
    if (s != OK)
        return s;
    r->grid = query_grid(q, NS_PER_MIN);
    r->keys = keys_of(r, q->sent);
    if (!r->keys)
        return arena_status(q->request->arena);
    r->ranked = !red_fits_at_once(r, count_groups(r));
    if (!r->ranked)
        return read_pass(r, &r->grid, buckets);
    const struct grid total = {.start_ns = r->grid.start_ns,
                               .step_ns = r->grid.step_ns * r->grid.count,
                               .now_ns = r->grid.now_ns,
                               .count = r->grid.count > 0};
    return read_pass(r, &total, false);
}
