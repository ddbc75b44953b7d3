/*
 * GET /api/v1/components: the components that sent something or are declared,
 * when each was last seen, and its figures now and in the time before.
 *
 * Seen and only declared components are two lists in the order of their names;
 * a page is a part of the merged list, and the cursor has the names of its last
 * entry. So pages neither repeat nor omit a component that is there all the
 * time. The derived series of the components on the page are read in one pass.
 */
#include <stdlib.h>

#include "clock.h"
#include "component_list.h"
#include "hex.h"
#include "reply_metrics.h"

enum { NAMES = 4, NAME_MAX_LEN = 255 };

/* ---- the cursor: a byte of length and the text of each name, in hex ---- */

static enum status read_cursor(struct component_list *l)
{
    struct identity *id = &l->cursor;
    struct slice *names[NAMES] = {&id->namespace, &id->project, &id->component,
                                  &id->environment};
    struct slice text = query_param(l->request, "cursor");
    size_t len = text.len / 2, at = 0;
    uint8_t *bytes;
    bool good;

    if (text.len == 0)
        return OK;
    bytes = arena_alloc(l->request->arena, len);
    if (!bytes)
        return arena_status(l->request->arena);
    good = hex_bytes(text, bytes, len);
    for (int i = 0; i < NAMES && good; i++) {
        good = at < len && len - at > bytes[at];
        if (good)
            *names[i] = (struct slice){(char *)&bytes[at + 1], bytes[at]};
        at += 1 + names[i]->len;
    }
    if (!good || at != len)
        return query_invalid(l->request,
                             "cursor must be the nextCursor of an answer");
    l->has_cursor = true;
    return OK;
}

static struct slice next_cursor(struct component_list *l)
{
    const struct identity *id = &l->page[l->count - 1].id;
    struct slice names[NAMES] = {id->namespace, id->project, id->component,
                                 id->environment};
    uint8_t bytes[NAMES * (1 + NAME_MAX_LEN)];
    size_t len = 0;

    for (int i = 0; i < NAMES; i++) {
        bytes[len++] = (uint8_t)names[i].len;
        slice_copy((char *)&bytes[len], names[i]);
        len += names[i].len;
    }
    return hex_text(l->request->arena, bytes, len);
}

/* ---- what is on the page ---- */

static struct identity names_of(const struct catalog_component *c)
{
    return (struct identity){.namespace = c->namespace,
                             .project = c->project,
                             .component = c->name,
                             .component_uid = c->uid};
}

static int by_names(const void *left, const void *right)
{
    const struct list_entry *a = left, *b = right;

    return identity_compare(&a->id, &b->id);
}

/* In any environment. */
static int compare_known(const void *key, const void *at)
{
    const struct component_info *info = at;
    struct identity id = names_of(key);

    id.environment = info->identity.environment;
    return identity_compare(&id, &info->identity);
}

static bool is_declared_only(const struct component_list *l,
                             const struct catalog_component *c)
{
    const struct slice none = {NULL, 0};

    return is_named(l->scope.namespace, c->namespace, none) &&
           is_named(l->scope.project, c->project, none) &&
           is_named(l->scope.component, c->name, c->uid) &&
           catalog_is_seen(&l->request->viewer, c, l->scope.environment) &&
           (l->info_count == 0 || !bsearch(c, l->infos, l->info_count,
                                           sizeof(*l->infos), compare_known));
}

/* All entries in order of their names; the page is a part of them. */
static enum status list(struct component_list *l,
                        const struct catalog_snapshot *snapshot)
{
    struct arena *arena = l->request->arena;
    struct list_entry *all;
    uint32_t count = 0;

    l->infos = registry_components(l->request->services->registry, &l->scope,
                                   &l->request->viewer, arena, &l->info_count);
    all = arena_zero(arena, l->info_count + catalog_count(snapshot) + 1,
                     sizeof(*all));
    if (!all)
        return arena_status(arena);
    for (uint32_t i = 0; i < l->info_count; i++)
        if (l->infos[i].identity.component.len > 0)
            all[count++] =
                (struct list_entry){&l->infos[i], NULL, l->infos[i].identity};
        else
            l->unassigned += l->infos[i].resources;
    for (uint32_t i = 0; i < catalog_count(snapshot); i++) {
        const struct catalog_component *c = catalog_at(snapshot, i);

        if (is_declared_only(l, c))
            all[count++] = (struct list_entry){NULL, c, names_of(c)};
    }
    qsort(all, count, sizeof(*all), by_names);
    l->total = count;
    for (; l->has_cursor && count > 0 &&
           identity_compare(&all->id, &l->cursor) <= 0;
         count--)
        all++;
    l->page = all;
    l->more = count > l->limit;
    l->count = l->more ? (uint32_t)l->limit : count;
    for (uint32_t i = 0; i < l->count; i++)
        all[i].declared =
            catalog_component(snapshot, all[i].id.namespace, all[i].id.project,
                              all[i].id.component);
    return OK;
}

/* ---- figures ---- */

static enum status read_figures(struct component_list *l)
{
    struct scope_filter scope = l->scope;
    struct component_sums now, before;
    struct metric_table *tables[] = {&now.resources, &before.resources};
    const struct bitmap *resources;
    enum status s;

    if (l->count == 0)
        return OK;
    scope.after = l->has_cursor ? &l->cursor : NULL;
    scope.until = &l->page[l->count - 1].id;
    s = params_select(l->request, &scope, &resources);
    if (s != OK)
        return s;
    component_sums_init(&now, l->request, &l->now);
    component_sums_init(&before, l->request, &l->before);
    s = read_metrics(l->request, resources, NULL, tables, 2);
    return s == OK && l->extras
               ? extras_read(l->extras, l->request, resources, &l->window)
               : s;
}

enum status component_list_read(struct component_list *l,
                                const struct catalog_snapshot *snapshot)
{
    struct arena *arena = l->request->arena;
    enum status s;

    window_init(&l->window, l->request->now_ns);
    red_init(&l->red, RED_SERVED);
    red_table_init(&l->now, arena, &l->window.now, NULL, &l->red);
    red_table_init(&l->before, arena, &l->window.before, NULL, &l->red);
    s = list(l, snapshot);
    return s == OK ? read_figures(l) : s;
}

/* ---- answering ---- */

static const struct reply_table list_previous_table = REPLY_TABLE(
    struct list_previous,
    REPLY_INLINE(struct list_previous, figures, 0, &figures_table),
    REPLY_ROW_OF(struct list_previous, "logErrors", log_errors, const double *,
                 REPLY_TYPE_DOUBLE, REPLY_POINTER, NULL));
static const struct reply_table list_item_table = REPLY_TABLE(
    struct list_item,
    REPLY_INLINE(struct list_item, component, 0, &component_table),
    REPLY_INLINE(struct list_item, now, 0, &figures_table),
    REPLY_OBJECT(struct list_item, "previous", previous, 0,
                 &list_previous_table),
    REPLY_INLINE(struct list_item, details, 0, &details_table),
    REPLY_OBJECT(struct list_item, "usage", usage, REPLY_POINTER, &usage_table),
    REPLY_OBJECT(struct list_item, "spark", spark, REPLY_POINTER,
                 &spark_table));

void component_list_item(struct component_list *l, uint32_t i,
                         struct list_item *item)
{
    const struct list_entry *entry = &l->page[i];
    uint64_t key = key_identity(1, &entry->id);

    item->component =
        component_view(&entry->id, entry->declared != NULL, entry->info);
    figures_set(&item->now, &l->red, &l->now, metric_group_at(&l->now, key));
    figures_set(&item->previous.figures, &l->red, &l->before,
                metric_group_at(&l->before, key));
    item->previous.log_errors = NULL;
    item->usage = NULL;
    item->spark = NULL;
    item->details = (struct details_view){.pods = NULL};
    if (l->extras && l->extras->with_usage) {
        extras_usage(l->extras, key, &item->of_usage);
        item->usage = &item->of_usage;
    }
    if (l->extras && l->extras->steps > 0) {
        extras_spark(l->extras, key, &item->of_spark);
        item->spark = &item->of_spark;
    }
    if (l->extras && l->extras->details.wanted) {
        details_view(&l->extras->details, &entry->id, key, &item->details);
        item->previous.log_errors = item->details.log_errors_before;
        if (item->spark && item->details.log_errors) {
            details_spark(&l->extras->details, key,
                          &item->of_spark.of_log_errors);
            item->of_spark.log_errors = &item->of_spark.of_log_errors.list;
        }
    }
}

/* The list while it is written. */
struct list_writer {
    struct component_list *list;
    struct list_item item;
};

static const void *list_item(void *arg, uint32_t i)
{
    struct list_writer *writer = arg;

    component_list_item(writer->list, i, &writer->item);
    return &writer->item;
}

struct unassigned {
    uint32_t resources;
};
static const struct reply_table unassigned_table = REPLY_TABLE(
    struct unassigned, REPLY(struct unassigned, "resources", resources));

struct list_view {
    struct reply_list components;
    uint32_t total;
    struct slice cursor;
    struct unassigned unassigned;
    const struct window *window;
    int64_t took_ms;
};
static const struct reply_table component_list_table = REPLY_TABLE(
    struct list_view,
    REPLY_LIST(struct list_view, "components", components, &list_item_table),
    REPLY(struct list_view, "total", total),
    REPLY_OPTIONAL(struct list_view, "nextCursor", cursor),
    REPLY_OBJECT(struct list_view, "unassigned", unassigned, 0,
                 &unassigned_table),
    REPLY_OBJECT(struct list_view, "window", window, REPLY_POINTER,
                 &window_table),
    REPLY(struct list_view, "tookMs", took_ms));

static void reply(struct component_list *l)
{
    struct list_writer writer = {.list = l};
    struct list_view view = {
        .components = {.count = l->count, .item = list_item, .arg = &writer},
        .total = l->total,
        .unassigned = {l->unassigned},
        .window = &l->window,
        .took_ms = query_took_ms(l->request)};

    if (l->more)
        view.cursor = next_cursor(l);
    reply_write(&l->request->json, &component_list_table, &view);
}

static enum status component_list(struct query_request *request)
{
    struct component_extras extras = {.with_usage = false};
    struct component_list l = {
        .request = request, .limit = COMPONENT_LIST_MAX, .extras = &extras};
    struct catalog_snapshot *snapshot;
    enum status s = params_query_scope(request, &l.scope);

    if (s == OK)
        s = params_query_range(request, 15 * NS_PER_MIN, &l.window.start_ns,
                               &l.window.end_ns);
    if (s == OK)
        s = params_query_number(request, "limit", 1, COMPONENT_LIST_MAX,
                                &l.limit);
    if (s == OK)
        s = extras_params(request, &l.scope, &extras);
    if (s == OK)
        s = read_cursor(&l);
    if (s != OK)
        return s;
    snapshot = catalog_get(request->services->catalog);
    s = component_list_read(&l, snapshot);
    if (s == OK)
        reply(&l);
    catalog_release(snapshot);
    return s;
}

const struct route routes_components[] = {
    {"GET", "/api/v1/components", ACTION_METRICS_VIEW, SCOPE_NARROWED,
     component_list, NULL, 0, 0, &component_list_table},
    {"GET", "/api/v1/components/{}/{}/{}", ACTION_METRICS_VIEW, SCOPE_PATH,
     component_page, NULL, 0, 0, &component_page_table},
    {0},
};
