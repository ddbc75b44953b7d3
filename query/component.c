/* What the list of components and the page of one share. */
#include <math.h>

#include "clock.h"
#include "component.h"
#include "hash.h"
#include "reply_metrics.h"

/* ---- the window ---- */

const struct reply_table window_table =
    REPLY_TABLE(struct window, REPLY_TIME(struct window, "startTime", start_ns),
                REPLY_TIME(struct window, "endTime", end_ns));

void window_init(struct window *window, uint64_t now_ns)
{
    uint64_t start = window->start_ns, length = window->end_ns - start;
    uint64_t before = start > length ? start - length : 0;

    window->now = (struct grid){start, length, now_ns, 1};
    window->before = (struct grid){before, start - before, now_ns, 1};
}

const struct reply_table window_steps_table =
    REPLY_TABLE(struct window, REPLY_TIME(struct window, "startTime", start_ns),
                REPLY_TIME(struct window, "endTime", end_ns),
                REPLY(struct window, "stepSeconds", step_seconds));

/* ---- keys ---- */

uint64_t key_text(uint64_t seed, struct slice text)
{
    return hash_mix(seed, hash_bytes(text.ptr, text.len, text.len + 1));
}

uint64_t key_identity(uint64_t seed, const struct identity *identity)
{
    uint64_t key = key_text(seed, identity->namespace);

    key = key_text(key, identity->project);
    return key_text(key_text(key, identity->component), identity->environment);
}

static struct metric_group *component_of(void *arg,
                                         const struct metric_group *group)
{
    const struct component_sums *sums = arg;
    struct query_request *request = sums->request;
    struct identity identity;

    return registry_resource_identity(request->services->registry,
                                      group->resource_id, request->arena,
                                      &identity)
               ? metric_group_at(sums->components, key_identity(1, &identity))
               : NULL;
}

void component_sums_init(struct component_sums *sums,
                         struct query_request *request,
                         struct metric_table *components)
{
    struct metric_table *table = &sums->resources;

    sums->request = request;
    sums->components = components;
    metric_table_init(table, components->arena, &components->grid, NULL);
    for (uint32_t i = 0; i < components->leaf_count; i++)
        (void)metric_table_add(table, components->leaves[i]); /* fit there */
    table->by_resource = true;
    table->sums = components;
    table->target = component_of;
    table->target_arg = sums;
}

bool is_named(struct slice wanted, struct slice name, struct slice uid)
{
    return wanted.len == 0 || slice_equal(wanted, name) ||
           (uid.len > 0 && slice_equal(wanted, uid));
}

bool catalog_is_seen(const struct viewer *viewer,
                     const struct catalog_component *c,
                     struct slice environment)
{
    const union scope_names names = {
        {c->namespace, c->project, c->name, environment}};

    return environment.len > 0
               ? viewer_covers(viewer, &names)
               : grants_overlap(viewer->grants, viewer->action, &names);
}

/* ---- figures ---- */

static const struct reply_table latency_table =
    REPLY_TABLE(struct latency_figures,
                REPLY_NULLABLE(struct latency_figures, "mean", mean),
                REPLY_NULLABLE(struct latency_figures, "p50", p50),
                REPLY_NULLABLE(struct latency_figures, "p90", p90),
                REPLY_NULLABLE(struct latency_figures, "p99", p99));

const struct reply_table figures_table = REPLY_TABLE(
    struct figures, REPLY(struct figures, "requestCount", count),
    REPLY(struct figures, "requestRate", rate),
    REPLY_NULLABLE(struct figures, "errorRatio", error_ratio),
    REPLY_NULLABLE(struct figures, "clientErrorRatio", client_error_ratio),
    REPLY_OBJECT(struct figures, "latency", latency, REPLY_POINTER | REPLY_NULL,
                 &latency_table));

void figures_set(struct figures *f, const struct red *red,
                 const struct metric_table *table,
                 const struct metric_group *group)
{
    double seconds = fmax(grid_seconds(&table->grid, 0), 1);
    double all = metric_first(table, group, red->requests);

    *f = (struct figures){.count = all,
                          .rate = all / seconds,
                          .error_ratio = NAN,
                          .client_error_ratio = NAN};
    if (!(all > 0))
        return;
    f->error_ratio = metric_first(table, group, &red->errors) / all;
    f->client_error_ratio =
        metric_first(table, group, &red->client_errors) / all;
    f->latency = &f->of_latency;
    f->of_latency = (struct latency_figures){
        metric_value(table, group, &red->rows[RED_MEAN], 0),
        metric_value(table, group, &red->rows[RED_P50], 0),
        metric_value(table, group, &red->rows[RED_P90], 0),
        metric_value(table, group, &red->rows[RED_P99], 0)};
}

/* ---- a component ---- */

static const struct reply_table names_table =
    REPLY_TABLE(struct identity, REPLY(struct identity, "namespace", namespace),
                REPLY(struct identity, "project", project),
                REPLY(struct identity, "component", component),
                REPLY_OPTIONAL(struct identity, "environment", environment),
                REPLY_UID(struct identity, "projectUid", project_uid),
                REPLY_UID(struct identity, "componentUid", component_uid),
                REPLY_UID(struct identity, "environmentUid", environment_uid));

static const struct reply_table seen_table =
    REPLY_TABLE(struct component_info,
                REPLY_OPTIONAL_TIME(struct component_info, "traces",
                                    last_seen_ns[SIGNAL_SPANS]),
                REPLY_OPTIONAL_TIME(struct component_info, "logs",
                                    last_seen_ns[SIGNAL_LOGS]),
                REPLY_OPTIONAL_TIME(struct component_info, "metrics",
                                    last_seen_ns[SIGNAL_METRICS]));

const struct reply_table component_table = REPLY_TABLE(
    struct component_view,
    REPLY_INLINE(struct component_view, identity, REPLY_POINTER, &names_table),
    REPLY(struct component_view, "rule", rule),
    REPLY(struct component_view, "declared", declared),
    REPLY_OPTIONAL_TIME(struct component_view, "firstSeen", first_seen_ns),
    REPLY_OBJECT(struct component_view, "lastSeen", info, REPLY_POINTER,
                 &seen_table));

struct component_view component_view(const struct identity *identity,
                                     bool declared,
                                     const struct component_info *info)
{
    static const char *const rules[] = {"none",    "stamped",  "stampedRecord",
                                        "learned", "inferred", "unassigned"};

    return (struct component_view){identity, rules[identity->rule], declared,
                                   info ? info->first_seen_ns : 0, info};
}
