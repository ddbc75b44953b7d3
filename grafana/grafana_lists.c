/*
 * Names to choose from. In: a query. Out: sorted texts.
 *
 * Names of identities come from the registry, endpoints and operations from the
 * derived series of the range, pods and versions from attributes of resources.
 * A list is narrowed by what is wider than it: components by namespace, project
 * and environment.
 */
#include "grafana_lists.h"

#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "derived.h"
#include "metric_expr.h"
#include "reply_metrics.h"
#include "stats.h"

static void add(struct grafana_query *q, struct text_list *list,
                struct slice text)
{
    struct slice *last;

    if (text.len == 0)
        return;
    last = arena_append(q->request->arena, &list->at, list->count, &list->room);
    if (last) {
        *last = text;
        list->count++;
    }
}

static void sort(struct text_list *list)
{
    uint32_t count = 0;

    if (list->count > 0)
        qsort(list->at, list->count, sizeof(*list->at), slice_order);
    for (uint32_t i = 0; i < list->count; i++)
        if (count == 0 || !slice_equal(list->at[i], list->at[count - 1]))
            list->at[count++] = list->at[i];
    list->count = count < LIST_MAX_TEXTS ? count : LIST_MAX_TEXTS;
}

void list_choose_action(struct query_request *request)
{
    static const enum action actions[] = {ACTION_METRICS_VIEW, ACTION_LOGS_VIEW,
                                          ACTION_TRACES_VIEW,
                                          ACTION_EVENTS_VIEW, ACTION_RCA_VIEW};

    request->viewer.action = ACTION_METRICS_VIEW;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        if (grants_have(request->viewer.grants, actions[i])) {
            request->viewer.action = actions[i];
            return;
        }
}

/* ---- identities ---- */

static void list_identities(struct grafana_query *q, enum identity_text text,
                            struct text_list *list)
{
    struct component_info *infos;
    uint32_t count;

    infos = registry_components(q->request->services->registry, &q->scope,
                                &q->request->viewer, q->request->arena, &count);
    for (uint32_t i = 0; i < count; i++)
        if (query_fits_identity(q, &infos[i].identity))
            add(q, list, infos[i].identity.text[text]);
}

/* ---- endpoints and operations ---- */

static enum status list_requests(struct grafana_query *q, const char *label,
                                 struct text_list *list)
{
    static const struct slice names[] = {SLICE_INIT(DERIVED_DURATION)};
    const char *const by[] = {label, DERIVED_ENDPOINT, NULL};
    const struct metric_expr counted = {
        EXPR_INCREASE, .select = {.names = names, .name_count = 1}};
    struct metric_table table, *tables[] = {&table};
    struct grid grid =
        grid_make(q->start_ns, q->end_ns, q->end_ns - q->start_ns + NS_PER_MIN,
                  q->request->now_ns);
    enum status s;

    if (grid.count == 0)
        return OK;
    metric_table_init(&table, q->request->arena, &grid, by);
    (void)metric_table_add(&table, &counted);
    s = read_metrics(q->request, q->resources, NULL, tables, 1);
    for (uint32_t i = 0; s == OK && i < table.count; i++)
        if (query_fits(q, "endpoint", metric_label(table.groups[i], 1)))
            add(q, list, metric_label(table.groups[i], 0));
    return s;
}

/* ---- attributes of resources ---- */

enum status list_attribute(struct grafana_query *q, struct slice key,
                           struct text_list *list)
{
    for (uint32_t id = 0; id < q->sent->limit; id++) {
        const struct resource_info *info =
            bitmap_has(q->sent, id) ? reply_resource(q->request, id) : NULL;
        const struct attr *a =
            info ? attrs_find(&info->resource.attrs, query_attribute_key(key))
                 : NULL;

        if (a)
            add(q, list, reply_value_text(q->request, a));
    }
    sort(list);
    return OK;
}

enum { KEYS_OF_RESOURCES = 2000 }; /* keys repeat: some resources tell all */

enum status list_attribute_keys(struct grafana_query *q, struct text_list *list)
{
    uint32_t left = KEYS_OF_RESOURCES;

    for (uint32_t id = q->sent->limit; id-- > 0 && left > 0;) {
        const struct resource_info *info =
            bitmap_has(q->sent, id) ? reply_resource(q->request, id) : NULL;

        left -= info != NULL;
        for (uint32_t i = 0; info && i < info->resource.attrs.count; i++)
            if (!slice_starts(attr_key(&info->resource.attrs.at[i]),
                              SLICE("callboard."))) /* our own */
                add(q, list, attr_key(&info->resource.attrs.at[i]));
    }
    sort(list);
    return OK;
}

/* ---- names of series ---- */

struct series_names {
    struct grafana_query *q;
    struct text_list *list;
    struct slice last;
    struct map index;
};

static void visit_series(void *arg, const struct point *point)
{
    struct series_names *names = arg;
    struct slice name = point->metric->name;
    uint32_t hash;

    if (slice_equal(name, names->last))
        return;
    hash = map_hash_slice(name);
    map_each(&names->index, hash, at)
        if (slice_equal(names->list->at[at], name)) {
            names->last = names->list->at[at];
            return;
        }
    if (names->list->count >= LIST_MAX_TEXTS)
        return;
    names->last = arena_copy(names->q->request->arena, name);
    if (map_add(&names->index, hash, names->list->count))
        add(names->q, names->list, names->last);
}

/* Metrics come in intervals of minutes at most, so an hour has all. */
static enum status list_series(struct grafana_query *q, struct text_list *list)
{
    struct series_names names = {
        .q = q, .list = list, .index = {.arena = q->request->arena}};
    struct series_query query = {.start_ns = q->start_ns,
                                 .end_ns = q->end_ns,
                                 .resources = q->sent,
                                 .sent = true};
    enum status s;

    if (q->end_ns - q->start_ns > NS_PER_HOUR)
        query.start_ns = q->end_ns - NS_PER_HOUR;
    s = reader_query_series(q->request->reader, &query, visit_series, &names);
    return s == OK ? OK : query_fail_read(q->request, s);
}

/* ---- which list ---- */

enum choice_kind {
    LIST_NAMESPACE,
    LIST_PROJECT,
    LIST_ENVIRONMENT,
    LIST_COMPONENT,
    LIST_ENDPOINT,
    LIST_OPERATION,
    LIST_VERSION,
    LIST_POD,
    LIST_LEVEL,
    LIST_SERIES,
    LIST_COUNTER, /* of Callboard itself */
    LIST_KINDS
};

static bool find_kind(struct slice text, enum choice_kind *kind)
{
    static const struct {
        struct slice one, many;
    } names[LIST_KINDS] = {
        [LIST_NAMESPACE] = {SLICE_INIT("namespace"), SLICE_INIT("namespaces")},
        [LIST_PROJECT] = {SLICE_INIT("project"), SLICE_INIT("projects")},
        [LIST_ENVIRONMENT] = {SLICE_INIT("environment"),
                              SLICE_INIT("environments")},
        [LIST_COMPONENT] = {SLICE_INIT("component"), SLICE_INIT("components")},
        [LIST_ENDPOINT] = {SLICE_INIT("endpoint"), SLICE_INIT("endpoints")},
        [LIST_OPERATION] = {SLICE_INIT("operation"), SLICE_INIT("operations")},
        [LIST_VERSION] = {SLICE_INIT("version"), SLICE_INIT("versions")},
        [LIST_POD] = {SLICE_INIT("pod"), SLICE_INIT("pods")},
        [LIST_LEVEL] = {SLICE_INIT("level"), SLICE_INIT("levels")},
        [LIST_SERIES] = {SLICE_INIT("name"), SLICE_INIT("series")},
        [LIST_COUNTER] = {SLICE_INIT("counter"), SLICE_INIT("counters")}};

    if (slice_starts(text, SLICE("log ")) || slice_starts(text, SLICE("log_")))
        text = slice_from(text, 4);
    if (slice_starts(text, SLICE("series ")) ||
        slice_starts(text, SLICE("series_")) ||
        slice_starts(text, SLICE("metric")))
        text = SLICE("series");
    for (int i = 0; i < LIST_KINDS; i++)
        if (slice_equal(text, names[i].one) ||
            slice_equal(text, names[i].many)) {
            *kind = (enum choice_kind)i;
            return true;
        }
    return false;
}

static void list_levels(struct grafana_query *q, struct text_list *list)
{
    static const struct slice levels[] = {
        SLICE_INIT("FATAL"), SLICE_INIT("ERROR"), SLICE_INIT("WARN"),
        SLICE_INIT("INFO"),  SLICE_INIT("DEBUG"), SLICE_INIT("TRACE")};

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        add(q, list, levels[i]);
}

static void list_counters(struct grafana_query *q, struct text_list *list)
{
    static const char *const names[] = {
#define STATS_NAME(id, type, name, label, help) name,
        STATS_TABLE(STATS_NAME)
#undef STATS_NAME
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add(q, list, slice_of(names[i]));
}

static enum status fill(struct grafana_query *q, enum choice_kind kind,
                        struct text_list *list)
{
    static const enum identity_text texts[] = {
        IDENTITY_NAMESPACE, IDENTITY_PROJECT, IDENTITY_ENVIRONMENT,
        IDENTITY_COMPONENT};
    enum status s = OK;

    switch (kind) {
    case LIST_ENDPOINT:
        s = list_requests(q, DERIVED_ENDPOINT, list);
        break;
    case LIST_OPERATION:
        s = list_requests(q, DERIVED_OPERATION, list);
        break;
    case LIST_VERSION:
        return list_attribute(q, SLICE("version"), list);
    case LIST_POD:
        return list_attribute(q, SLICE("pod"), list);
    case LIST_SERIES:
        s = list_series(q, list);
        break;
    case LIST_COUNTER:
        list_counters(q, list);
        break;
    case LIST_LEVEL:
        list_levels(q, list);
        return OK; /* in their order */
    default:
        list_identities(q, texts[kind], list);
    }
    sort(list);
    return s;
}

enum status list_names(struct grafana_query *q, struct slice kind,
                       struct text_list *list, bool *known)
{
    enum choice_kind which;
    enum status s;

    *list = (struct text_list){.count = 0};
    *known = find_kind(kind, &which);
    if (!*known)
        return OK;
    s = query_select(q, which < LIST_LEVEL ? scope_keys[which] : NULL);
    if (s == ERR_FORBIDDEN) { /* a list is narrowed, never refused */
        q->request->failed = OK;
        q->request->http_status = 200;
        buf_reset(&q->request->out);
        jsonw_init(&q->request->json, &q->request->out);
        query_release(q);
        return OK;
    }
    if (s == OK)
        s = fill(q, which, list);
    query_release(q);
    return s;
}
