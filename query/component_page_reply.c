/*
 * The page as JSON. Lists are sorted by requests, most first; what has none
 * is left out.
 */
#include <stdlib.h>

#include "component_page.h"
#include "derived.h"
#include "usage.h"

static struct jsonw *json_of(struct component_page *page)
{
    return &page->request->json;
}

/* ---- component, summary, series ---- */

static void reply_dependencies(struct component_page *page)
{
    const struct catalog_component *c = page->declared;
    struct jsonw *w = json_of(page);

    jsonw_member_open(w, "dependencies", '[');
    for (uint32_t i = 0; c && i < c->dependency_count; i++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "project",
                          c->dependencies[i].project.len
                              ? c->dependencies[i].project
                              : c->project);
        jsonw_member_text(w, "component", c->dependencies[i].component);
        reply_text(page->request, "endpoint", c->dependencies[i].endpoint);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void reply_head(struct component_page *page)
{
    struct jsonw *w = json_of(page);
    uint64_t length = page->window.end_ns - page->window.start_ns;

    jsonw_member_open(w, "component", '{');
    reply_component(page->request, &page->identity);
    jsonw_member_bool(w, "declared", page->declared != NULL);
    if (page->info)
        reply_last_seen(page->request, page->info);
    reply_dependencies(page);
    jsonw_close(w, '}');
    reply_window(page->request, &page->window, page->step_ns);
    jsonw_member_open(w, "summary", '{');
    reply_figures(page->request, tally_at(&page->totals, 0),
                  window_seconds(&page->window));
    jsonw_member_open(w, "previous", '{');
    reply_figures(page->request, tally_at(&page->totals, 1),
                  (double)length / 1e9);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

static enum status reply_series(struct component_page *page)
{
    struct grid_row requests[RED_ROWS], usage[USAGE_ROWS];
    struct grid_row errors = page->red.errors,
                    refused = page->red.client_errors;
    static const struct {
        enum red_row row;
        const char *name;
    } shown[] = {{RED_REQUESTS, "requestRate"},
                 {RED_MEAN, "meanLatency"},
                 {RED_P50, "latencyP50"},
                 {RED_P90, "latencyP90"},
                 {RED_P99, "latencyP99"}};
    enum status s =
        usage_query(page->request, page->resources, &page->grid, usage);

    if (s != OK)
        return s;
    grid_row_per_second(&errors, &page->grid);
    grid_row_per_second(&refused, &page->grid);
    jsonw_member_open(json_of(page), "series", '{');
    reply_row(page->request, "errorRate", &page->grid, &errors);
    reply_row(page->request, "clientErrorRate", &page->grid, &refused);
    if (!red_rows(&page->red, page->request->arena, requests))
        return arena_status(page->request->arena);
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        reply_row(page->request, shown[i].name, &page->grid,
                  &requests[shown[i].row]);
    for (int i = 0; i <= USAGE_MEMORY_LIMITS; i++)
        reply_row(page->request, usage_names[i], &page->grid, &usage[i]);
    jsonw_close(json_of(page), '}');
    return OK;
}

/* ---- endpoints ---- */

static void reply_operations(struct component_page *page,
                             struct tally **operations, struct slice endpoint,
                             double seconds)
{
    struct jsonw *w = json_of(page);

    jsonw_member_open(w, "operations", '[');
    for (; *operations; operations++) {
        const struct served_operation *served = (*operations)->item;

        if (!slice_equal(served->endpoint, endpoint))
            continue;
        jsonw_open(w, '{');
        jsonw_member_text(w, "operation", served->operation);
        jsonw_member_text(w, "kind", served->kind);
        reply_figures(page->request, *operations, seconds);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static const struct catalog_endpoint *declared_endpoint(
    const struct component_page *page, struct slice name)
{
    const struct catalog_component *c = page->declared;

    for (uint32_t i = 0; c && i < c->endpoint_count; i++)
        if (slice_equal(c->endpoints[i].name, name))
            return &c->endpoints[i];
    return NULL;
}

static void reply_endpoint(struct component_page *page, struct slice name,
                           const struct tally *tally, struct tally **operations)
{
    struct jsonw *w = json_of(page);
    const struct catalog_endpoint *e = declared_endpoint(page, name);
    double seconds = window_seconds(&page->window);

    jsonw_open(w, '{');
    jsonw_member_text(w, "endpoint", name);
    jsonw_member_bool(w, "declared", e != NULL);
    if (e) {
        reply_text(page->request, "type", e->type);
        if (e->port)
            jsonw_member_uint(w, "port", e->port);
        reply_text(page->request, "basePath", e->base_path);
    }
    reply_figures(page->request, tally, seconds);
    reply_operations(page, operations, name, seconds);
    jsonw_close(w, '}');
}

/* Those with traffic, then those that are only declared. */
static enum status reply_endpoints(struct component_page *page)
{
    static const struct tally none = {0};
    struct jsonw *w = json_of(page);
    struct tally **endpoints = tally_sorted(&page->endpoints);
    struct tally **operations = tally_sorted(&page->operations);
    const struct catalog_component *c = page->declared;

    if (!endpoints || !operations)
        return arena_status(page->request->arena);
    jsonw_member_open(w, "endpoints", '[');
    for (struct tally **e = endpoints; *e; e++)
        reply_endpoint(page, ((struct served_operation *)(*e)->item)->endpoint,
                       *e, operations);
    for (uint32_t i = 0; c && i < c->endpoint_count; i++) {
        bool shown = false;

        for (struct tally **e = endpoints; *e && !shown; e++)
            shown =
                slice_equal(((struct served_operation *)(*e)->item)->endpoint,
                            c->endpoints[i].name);
        if (!shown)
            reply_endpoint(page, c->endpoints[i].name, &none, operations);
    }
    jsonw_close(w, ']');
    return OK;
}

/* ---- callers and callees ---- */

static enum status reply_peers(struct component_page *page, const char *key,
                               const struct tally_map *map)
{
    struct jsonw *w = json_of(page);
    struct tally **peers = tally_sorted(map);

    if (!peers)
        return arena_status(page->request->arena);
    jsonw_member_open(w, key, '[');
    for (; *peers && !tally_is_empty(*peers); peers++) {
        const struct call_peer *peer = (*peers)->item;

        jsonw_open(w, '{');
        jsonw_member_text(w, "kind", peer->kind);
        reply_text(page->request, "namespace", peer->identity.namespace);
        reply_text(page->request, "project", peer->identity.project);
        reply_text(page->request, "component", peer->identity.component);
        reply_text(page->request, "environment", peer->identity.environment);
        reply_uid(page->request, "componentUid", peer->identity.component_uid);
        reply_text(page->request, "name", peer->name);
        reply_text(page->request, "system", peer->system);
        reply_text(page->request, "host", peer->host);
        reply_text(page->request, "endpoint", peer->endpoint);
        reply_text(page->request, "peerEndpoint", peer->peer_endpoint);
        reply_text(page->request, "protocol", peer->protocol);
        if (peer->queue && peer->identity.component.len > 0)
            jsonw_member_text(w, "via", SLICE("queue"));
        reply_figures(page->request, *peers, window_seconds(&page->window));
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    return OK;
}

/* ---- log templates, traces ---- */

static enum status reply_templates(struct component_page *page)
{
    struct jsonw *w = json_of(page);
    struct tally **templates = tally_sorted(&page->templates);
    uint32_t left = PAGE_TEMPLATES;

    if (!templates)
        return arena_status(page->request->arena);
    jsonw_member_open(w, "logTemplates", '[');
    for (; *templates && left > 0; templates++, left--) {
        const struct seen_template *seen = (*templates)->item;

        if (seen->count <= 0)
            break; /* only before the window, as are all behind it */
        jsonw_open(w, '{');
        jsonw_member_text(w, "template", seen->text);
        jsonw_member_text(w, "templateId", seen->id);
        jsonw_member_text(w, "level", seen->level);
        jsonw_member_double(w, "count", seen->count);
        jsonw_member_bool(w, "new", seen->before <= 0);
        jsonw_member_time(w, "firstSeen", seen->first_ns);
        jsonw_member_time(w, "lastSeen", seen->last_ns);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    return OK;
}

static void reply_examples(struct component_page *page, const char *key,
                           const struct trace_examples *examples)
{
    struct jsonw *w = json_of(page);

    jsonw_member_open(w, key, '[');
    for (uint32_t i = 0; i < examples->count; i++) {
        const struct trace_example *e = &examples->list[i];

        jsonw_open(w, '{');
        jsonw_member_hex(w, "traceId", e->trace_id, 16);
        jsonw_member_hex(w, "spanId", e->span_id, 8);
        jsonw_member_text(w, "endpoint", e->endpoint);
        jsonw_member_text(w, "operation", e->operation);
        jsonw_member_double(w, "duration", e->seconds);
        jsonw_member_time(w, "timestamp", e->time_ns);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

/* ---- changes, pods ---- */

static void reply_change(struct component_page *page,
                         const struct log_record *log)
{
    struct jsonw *w = json_of(page);
    const char *const names[][2] = {
        {"kind", DERIVED_CHANGE_KIND},     {"from", DERIVED_CHANGE_FROM},
        {"to", DERIVED_CHANGE_TO},         {"release", DERIVED_CHANGE_RELEASE},
        {"commit", DERIVED_CHANGE_COMMIT}, {"phase", DERIVED_CHANGE_PHASE},
        {"reason", "k8s.event.reason"}};

    jsonw_open(w, '{');
    jsonw_member_time(w, "timestamp", log->time_ns);
    jsonw_member_text(w, "type", reply_event_type(log));
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const struct attr *a = attrs_find(&log->attrs, slice_of(names[i][1]));

        if (a)
            reply_text(page->request, names[i][0], attr_text(a));
        else if (i == 0)
            jsonw_member_text(w, "kind", SLICE("kubernetes"));
    }
    jsonw_member_text(w, "message",
                      reply_value_text(page->request, &log->body));
    jsonw_close(w, '}');
}

static enum status reply_changes(struct component_page *page)
{
    struct log_query query = {.start_ns = page->window.start_ns,
                              .end_ns = page->window.end_ns,
                              .resources = page->resources,
                              .events = true,
                              .limit = PAGE_CHANGES};
    struct log_record *logs;
    uint32_t count;
    uint64_t total;
    enum status s =
        reader_query_logs(page->request->reader, &query, page->request->arena,
                          &logs, &count, &total);

    if (s != OK)
        return query_fail_read(page->request, s);
    jsonw_member_open(json_of(page), "changes", '[');
    for (uint32_t i = 0; i < count; i++)
        reply_change(page, &logs[i]);
    jsonw_close(json_of(page), ']');
    return OK;
}

static int by_name(const void *a, const void *b)
{
    const struct pod_usage *x = (*(struct tally *const *)a)->item;
    const struct pod_usage *y = (*(struct tally *const *)b)->item;

    return slice_compare(x->name, y->name);
}

static enum status reply_pods(struct component_page *page)
{
    struct jsonw *w = json_of(page);
    struct tally **pods = tally_sorted(&page->pods);

    if (!pods)
        return arena_status(page->request->arena);
    qsort(pods, page->pods.count, sizeof(*pods), by_name);
    jsonw_member_open(w, "pods", '[');
    for (uint32_t left = PAGE_PODS; *pods && left > 0; pods++, left--) {
        const struct pod_usage *pod = (*pods)->item;
        uint64_t seen =
            pod->cpu_ns > pod->memory_ns ? pod->cpu_ns : pod->memory_ns;

        jsonw_open(w, '{');
        jsonw_member_text(w, "name", pod->name);
        reply_text(page->request, "namespace", pod->namespace);
        reply_text(page->request, "ip", pod->ip);
        reply_text(page->request, "version", pod->version);
        if (pod->cpu_ns)
            jsonw_member_double(w, "cpuUsage", pod->cpu);
        if (pod->memory_ns)
            jsonw_member_double(w, "memoryUsage", pod->memory);
        if (seen)
            jsonw_member_time(w, "lastSeen", seen);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    return OK;
}

enum status page_reply(struct component_page *page)
{
    struct jsonw *w = json_of(page);

    jsonw_open(w, '{');
    reply_head(page);
    enum status s = reply_series(page);
    if (s == OK)
        s = reply_endpoints(page);
    if (s == OK)
        s = reply_peers(page, "callers", &page->callers);
    if (s == OK)
        s = reply_peers(page, "callees", &page->callees);
    if (s == OK)
        s = reply_templates(page);
    if (s != OK)
        return s;
    jsonw_member_open(w, "traces", '{');
    reply_examples(page, "slowest", &page->slowest);
    reply_examples(page, "failed", &page->failed);
    jsonw_close(w, '}');
    s = reply_changes(page);
    if (s == OK)
        s = reply_pods(page);
    jsonw_member_int(w, "tookMs", query_took_ms(page->request));
    jsonw_close(w, '}');
    return s;
}
