/*
 * Which nodes there are. Their series are of resources that are no component's:
 * of the node itself (k8s.node.name), of kube-state-metrics, of OpenCost (label
 * node). In a long window some hours are looked at, so that all chunks of other
 * resources need not be.
 */
#include "cost_nodes.h"

#include "array.h"
#include "attr_hash.h"
#include "clock.h"
#include "hash.h"

enum { LOOKS = 24 };

/* Series whose resource, or whose label, names a node. */
static const struct slice names[] = {
    SLICE_INIT("k8s.node.allocatable_cpu"),
    SLICE_INIT("k8s.node.allocatable_memory"),
    SLICE_INIT("k8s.node.cpu.allocatable"),
    SLICE_INIT("k8s.node.memory.allocatable"),
    SLICE_INIT("kube_node_status_allocatable"),
    SLICE_INIT("kube_node_status_capacity"),
    SLICE_INIT("machine_cpu_cores"),
    SLICE_INIT("machine_memory_bytes"),
    SLICE_INIT("kube_node_labels"),
    SLICE_INIT("kube_node_info"),
    SLICE_INIT("node_cpu_hourly_cost"),
    SLICE_INIT("node_ram_hourly_cost"),
};

uint32_t cost_node(struct cost_report *report, struct slice name)
{
    struct cost_nodes *nodes = report->nodes;
    struct arena *arena = report->request->arena;
    struct cost_node *node;

    if (!nodes || name.len == 0)
        return COST_NONE;
    map_each(&nodes->index, map_hash_slice(name), at)
        if (slice_equal(nodes->at[at].name, name))
            return at;
    node = arena_append(arena, &nodes->at, nodes->count, &nodes->room);
    if (!node)
        return COST_NONE;
    *node = (struct cost_node){.name = arena_copy(arena, name)};
    if (!map_add(&nodes->index, map_hash_slice(name), nodes->count))
        return COST_NONE;
    return nodes->count++;
}

/* ---- looking for nodes ---- */

struct search {
    struct cost_report *report;
    struct arena *scratch;
    enum status status;
};

static void add_set(struct search *s, struct cost_node *node,
                    const struct attrs *attrs)
{
    struct arena *arena = s->report->request->arena;
    uint64_t key = attrs_hash(attrs);
    struct attr *copy;

    for (uint32_t i = 0; i < node->set_count; i++)
        if (node->set_keys[i] == key)
            return;
    if (node->set_count == COST_NODE_SETS || attrs->count == 0)
        return;
    copy = arena_zero(arena, attrs->count, sizeof(*copy));
    for (uint32_t i = 0; copy && i < attrs->count; i++) {
        const struct attr *from = &attrs->at[i];
        struct slice text = arena_copy(arena, attr_text(from));
        struct slice name =
            arena_copy(arena, (struct slice){from->key, from->key_len});

        copy[i] = (struct attr){.key = name.ptr,
                                .key_len = (uint16_t)name.len,
                                .type = VALUE_STRING,
                                .str = text.ptr,
                                .len = (uint32_t)text.len};
    }
    if (arena_status(arena) != OK)
        return;
    node->set_keys[node->set_count] = key;
    node->sets[node->set_count++] =
        (struct attrs){copy, attrs->count, attrs->dropped};
}

static struct slice node_of(const struct attrs *attrs)
{
    struct slice name = attrs_text(attrs, SLICE("exported_node"));

    return name.len > 0 ? name : attrs_text(attrs, SLICE("node"));
}

static void look_at(void *arg, const struct point *point)
{
    struct search *s = arg;
    struct cost_report *report = s->report;
    struct resource resource;
    struct slice name = node_of(&point->attrs);
    const struct attrs *attrs = &point->attrs;
    uint32_t node;

    if (name.len == 0) {
        if (reader_resource(report->request->reader, point->resource_id,
                            s->scratch, &resource) != OK)
            return;
        attrs = &resource.attrs;
        name = attrs_text(attrs, SLICE("k8s.node.name"));
    }
    node = cost_node(report, name);
    if (node == COST_NONE)
        return;
    add_set(s, &report->nodes->at[node], attrs);
    bitmap_add(report->nodes->resources, point->resource_id);
}

/* Who says what a node is and costs: what the collectors of the cluster sent
 * without labels (docs/correlation.md, Tenants), and who may see it. A tenant
 * cannot change what others pay. */
static bool is_trusted(const struct cost_report *report,
                       const struct identity *identity)
{
    if (identity->component.len > 0 && identity->rule < RULE_INFERRED)
        return false; /* a pod of a component */
    return slice_equal(identity->namespace, SLICE("default")) ||
           viewer_sees(&report->request->viewer, identity);
}

/* What resources resolve to is looked up once for each identity in a row. */
static struct bitmap *candidates(struct cost_report *report,
                                 struct arena *scratch)
{
    static const struct scope_filter all = {.unassigned = false};
    struct registry *registry = report->request->services->registry;
    struct bitmap *set =
        registry_select(registry, &all, &viewer_all, report->request->arena);
    uint32_t last = IDENTITY_NONE;
    bool wanted = false;

    for (uint32_t id = 0; set && id < set->limit; id++) {
        struct identity identity;
        uint32_t number =
            bitmap_has(set, id) ? registry_identity_id(registry, id) : last;

        if (number != last)
            wanted = registry_identity(registry, number, scratch, &identity) &&
                     is_trusted(report, &identity);
        last = number;
        if (!wanted)
            bitmap_remove(set, id);
    }
    return set;
}

static enum status look(struct search *s, const struct bitmap *resources,
                        uint64_t start_ns, uint64_t end_ns)
{
    const struct series_query query = {.start_ns = start_ns,
                                       .end_ns = end_ns,
                                       .resources = resources,
                                       .names = names,
                                       .name_count =
                                           sizeof(names) / sizeof(*names),
                                       .sent = true,
                                       .heads = true};
    enum status status =
        reader_query_series(s->report->request->reader, &query, look_at, s);

    arena_reset(s->scratch);
    return status;
}

enum status cost_nodes_find(struct cost_report *report)
{
    struct query_request *request = report->request;
    struct cost_nodes *nodes = arena_zero(request->arena, 1, sizeof(*nodes));
    uint64_t end = min_u64(report->end_ns, request->now_ns);
    uint64_t stride = (report->hours + LOOKS - 1) / LOOKS * NS_PER_HOUR;
    struct arena scratch;
    const struct bitmap *resources;
    enum status status = OK;

    if (!nodes)
        return arena_status(request->arena);
    arena_begin(&scratch, request->arena);
    struct search s = {report, &scratch, OK};
    resources = candidates(report, &scratch);
    report->nodes = nodes;
    nodes->index.arena = request->arena;
    nodes->resources =
        resources ? bitmap_new(request->arena, resources->limit) : NULL;
    arena_reset(&scratch);
    for (uint64_t at = report->start_ns;
         nodes->resources && at < end && status == OK; at += stride)
        status = look(&s, resources, at, min_u64(at + NS_PER_HOUR, end));
    arena_release(&scratch);
    for (uint32_t i = 0; i < nodes->count; i++)
        nodes->at[i].row = price_find(
            report->prices,
            &(struct node_facts){nodes->at[i].name, nodes->at[i].sets,
                                 nodes->at[i].set_count});
    return status == OK ? arena_status(request->arena) : status;
}
