/*
 * GET /api/v1/components: what is known, when it was seen last, and how it is
 * doing now against the same length of time before. One pass over the derived
 * series of all components in the scope.
 */
#include "clock.h"
#include "component.h"
#include "derived.h"

struct entry {
    const struct component_info *info; /* NULL: declared only */
    const struct catalog_component *declared;
    struct tally *before;
};

struct listing {
    struct call *call;
    struct scope_filter scope;
    struct window window;
    struct tally_map now, before; /* by names; item of now: struct entry */
    struct tally_map resources;   /* by id; item: struct tally of now */
    struct entry **order;         /* as the registry sorts them */
    uint32_t count;
    bool full;
};

static uint64_t name_key(struct slice namespace, struct slice project,
                         struct slice component, struct slice environment)
{
    return key_text(
        key_text(key_text(key_text(1, namespace), project), component),
        environment);
}

static uint64_t identity_key(const struct identity *id)
{
    return name_key(id->namespace, id->project, id->component, id->environment);
}

static struct entry *entry_at(struct listing *l, uint64_t key)
{
    struct tally *now = tally_at(&l->now, key);

    if (now && !now->item) {
        struct entry *entry = arena_zero(l->call->arena, 1, sizeof(*entry));

        if (entry)
            entry->before = tally_at(&l->before, key);
        now->item = entry;
    }
    if (!now || !now->item || !((struct entry *)now->item)->before) {
        l->full = true;
        return NULL;
    }
    return now->item;
}

/* ---- figures ---- */

/* The component a derived resource belongs to, looked up once. */
static struct tally *component_of(struct listing *l, uint32_t resource_id)
{
    struct tally *cached = tally_at(&l->resources, resource_id);
    struct identity identity;

    if (!cached)
        return NULL;
    if (!cached->item &&
        registry_resource_identity(l->call->services->registry, resource_id,
                                   l->call->arena, &identity)) {
        uint64_t key = identity_key(&identity);

        if (entry_at(l, key))
            cached->item = tally_at(&l->now, key);
    }
    return cached->item;
}

static void visit(void *arg, const struct point *point)
{
    struct listing *l = arg;
    double now = window_share(&l->window, point);
    double before = window_share_before(&l->window, point);

    if (l->full || (now <= 0 && before <= 0))
        return;
    struct tally *tally = component_of(l, point->resource_id);
    if (!tally)
        return;
    struct entry *entry = tally->item;
    if ((now > 0 && !tally_add(&l->now, tally, point, now)) ||
        (before > 0 && !tally_add(&l->before, entry->before, point, before)))
        l->full = true;
}

static enum status read_figures(struct listing *l)
{
    static const struct slice names[] = {
        {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
        {DERIVED_ERRORS, sizeof(DERIVED_ERRORS) - 1},
        {DERIVED_CLIENT_ERRORS, sizeof(DERIVED_CLIENT_ERRORS) - 1}};
    struct series_query query = {
        .names = names,
        .name_count = 3,
        .resources = registry_select(l->call->services->registry, &l->scope,
                                     l->call->arena)};

    if (!query.resources)
        return arena_status(l->call->arena);
    window_query(&l->window, &query);
    enum status s = reader_query_series(l->call->reader, &query, visit, l);
    return s == OK ? OK : call_fail_read(l->call, s);
}

/* ---- who there is ---- */

static bool scope_has(const struct scope_filter *scope,
                      const struct catalog_component *c)
{
    return (!scope->namespace.len ||
            slice_equal(scope->namespace, c->namespace)) &&
           (!scope->project.len || slice_equal(scope->project, c->project)) &&
           (!scope->component.len || slice_equal(scope->component, c->name));
}

static void add_known(struct listing *l, const struct component_info *infos,
                      uint32_t count, const struct catalog_snapshot *snapshot)
{
    for (uint32_t i = 0; i < count && !l->full; i++) {
        const struct identity *id = &infos[i].identity;
        struct entry *entry;

        if (id->component.len == 0)
            continue; /* counted as unassigned */
        entry = entry_at(l, identity_key(id));
        if (!entry)
            return;
        entry->info = &infos[i];
        entry->declared = catalog_component(snapshot, id->namespace,
                                            id->project, id->component);
        l->order[l->count++] = entry;
    }
}

/* Declared and never seen, in any environment of this scope. */
static void add_declared(struct listing *l, uint32_t seen,
                         const struct catalog_snapshot *snapshot)
{
    for (uint32_t i = 0; i < catalog_count(snapshot) && !l->full; i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);
        bool known = false;

        for (uint32_t k = 0; k < seen && !known; k++)
            known = l->order[k]->declared == c;
        if (known || !scope_has(&l->scope, c))
            continue;
        struct entry *entry =
            entry_at(l, name_key(c->namespace, c->project, c->name,
                                 (struct slice){NULL, 0}));
        if (!entry)
            return;
        entry->declared = c;
        l->order[l->count++] = entry;
    }
}

/* ---- answering ---- */

static void reply_entry(struct listing *l, const struct entry *entry)
{
    struct call *call = l->call;
    struct jsonw *w = &call->json;
    const struct catalog_component *c = entry->declared;
    struct identity id = {.rule = RULE_NONE};
    double seconds = window_seconds(&l->window);
    uint64_t length = l->window.end_ns - l->window.start_ns;

    if (entry->info)
        id = entry->info->identity;
    else
        id = (struct identity){.namespace = c->namespace,
                               .project = c->project,
                               .component = c->name,
                               .component_uid = c->uid};
    struct tally *now = tally_at(&l->now, identity_key(&id));
    if (!now)
        return;
    jsonw_open(w, '{');
    reply_component(call, &id);
    jsonw_member_bool(w, "declared", c != NULL);
    if (entry->info)
        reply_last_seen(call, entry->info);
    reply_figures(call, now, seconds);
    jsonw_key(w, "previous");
    jsonw_open(w, '{');
    reply_figures(call, entry->before, (double)length / (double)NS_PER_S);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

static void reply_unassigned(struct listing *l,
                             const struct component_info *infos, uint32_t count)
{
    uint32_t resources = 0;

    for (uint32_t i = 0; i < count; i++)
        if (infos[i].identity.component.len == 0)
            resources += infos[i].resources;
    jsonw_key(&l->call->json, "unassigned");
    jsonw_open(&l->call->json, '{');
    jsonw_member_uint(&l->call->json, "resources", resources);
    jsonw_close(&l->call->json, '}');
}

static enum status answer(struct listing *l,
                          const struct catalog_snapshot *snapshot)
{
    struct jsonw *w = &l->call->json;
    uint32_t count = 0;
    const struct component_info *infos = registry_components(
        l->call->services->registry, &l->scope, l->call->arena, &count);

    l->order =
        arena_zero(l->call->arena, (size_t)count + catalog_count(snapshot) + 1,
                   sizeof(*l->order));
    if (!l->order)
        return arena_status(l->call->arena);
    add_known(l, infos, count, snapshot);
    add_declared(l, l->count, snapshot);
    enum status s = read_figures(l);
    if (s != OK)
        return s;
    if (l->full)
        return arena_status(l->call->arena);
    jsonw_open(w, '{');
    jsonw_key(w, "components");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < l->count; i++)
        reply_entry(l, l->order[i]);
    jsonw_close(w, ']');
    jsonw_member_uint(w, "total", l->count);
    reply_unassigned(l, infos, count);
    reply_window(l->call, &l->window, 0);
    jsonw_member_int(w, "tookMs", call_took_ms(l->call));
    jsonw_close(w, '}');
    return OK;
}

enum status component_list(struct call *call)
{
    struct listing l = {.call = call, .window = {.now_ns = call->now_ns}};
    enum status s = params_query_scope(call, &l.scope);

    if (s == OK)
        s = params_query_range(call, 15 * NS_PER_MIN, &l.window.start_ns,
                               &l.window.end_ns);
    if (s != OK)
        return s;
    tally_map_init(&l.now, call->arena);
    tally_map_init(&l.before, call->arena);
    tally_map_init(&l.resources, call->arena);
    struct catalog_snapshot *snapshot = catalog_get(call->services->catalog);
    s = answer(&l, snapshot);
    catalog_release(snapshot);
    return s;
}
