/*
 * Who uses what: one row for each namespace that sent or asked something. With
 * system:view all rows, else those of the namespaces that one has a grant for.
 * And DELETE of one, which its correlator does.
 */
#include "clock.h"
#include "log.h"
#include "query_request.h"
#include "tenants.h"

struct limit_view {
    const char *name;
    uint64_t value;
};
static const struct reply_table limit_table =
    REPLY_TABLE(struct limit_view, REPLY(struct limit_view, "name", name),
                REPLY(struct limit_view, "value", value));

struct tenant_view {
    struct tenant_usage usage;
    uint64_t refused; /* requests, for whatever limit */
    uint32_t resources;
    struct reply_list limits;
    struct limit_view set[LIMIT_COUNT];
};
static const struct reply_table tenant_table = REPLY_TABLE(
    struct tenant_view, REPLY(struct tenant_view, "namespace", usage.name),
    REPLY(struct tenant_view, "recordsAccepted",
          usage.records[TENANT_ACCEPTED]),
    REPLY(struct tenant_view, "recordsForeign", usage.records[TENANT_FOREIGN]),
    REPLY(struct tenant_view, "requestsRefused", refused),
    REPLY(struct tenant_view, "bytesToday", usage.bytes_today),
    REPLY(struct tenant_view, "resources", resources),
    REPLY(struct tenant_view, "connections", usage.connections),
    REPLY(struct tenant_view, "queries", usage.queries_ok),
    REPLY(struct tenant_view, "queriesRefused", usage.queries_refused),
    REPLY(struct tenant_view, "queriesFailed", usage.queries_failed),
    REPLY(struct tenant_view, "querySeconds", usage.query_seconds),
    REPLY(struct tenant_view, "ingestMemory", usage.memory[TENANT_INGEST]),
    REPLY(struct tenant_view, "queryMemory", usage.memory[TENANT_QUERY]),
    REPLY_LIST(struct tenant_view, "limits", limits, &limit_table));

struct tenants_reply {
    struct reply_list tenants;
    int64_t took_ms;
};
static const struct reply_table tenants_table = REPLY_TABLE(
    struct tenants_reply,
    REPLY_LIST(struct tenants_reply, "tenants", tenants, &tenant_table),
    REPLY(struct tenants_reply, "tookMs", took_ms));

/* The rows that may be seen, written one at a time. */
struct tenant_list {
    struct registry *registry;
    const struct tenant_usage *rows;
    struct tenant_view view;
};

static bool has_grant_for(struct grants grants, struct slice namespace)
{
    for (uint32_t i = 0; i < grants.count; i++)
        if (slice_equal(grants.at[i].scope.namespace, namespace))
            return true;
    return false;
}

static bool is_visible(const struct query_request *request,
                       struct slice namespace)
{
    static const union scope_names all = {.namespace = {NULL, 0}};
    struct grants grants = request->subject->grants;

    return grants_cover(grants, ACTION_SYSTEM_VIEW, &all) ||
           has_grant_for(grants, namespace);
}

/* Those that are set, "no limit" is 0. */
static uint32_t read_limits(const struct tenant *tenant,
                            struct limit_view set[LIMIT_COUNT])
{
    uint32_t count = 0;

    for (int i = 0; i < LIMIT_COUNT; i++) {
        uint64_t value = tenant_limit(tenant, (enum tenant_limit)i, 0);

        if (value > 0)
            set[count++] =
                (struct limit_view){tenant_limit_name((enum tenant_limit)i),
                                    value == UINT64_MAX ? 0 : value};
    }
    return count;
}

static const void *tenant_item(void *arg, uint32_t i)
{
    struct tenant_list *list = arg;
    struct tenant_view *view = &list->view;

    view->usage = list->rows[i];
    view->refused = view->usage.records[TENANT_RATE] +
                    view->usage.records[TENANT_DAILY] +
                    view->usage.records[TENANT_MEMORY];
    view->resources = registry_live_resources(list->registry, view->usage.name);
    view->limits = (struct reply_list){
        read_limits(view->usage.tenant, view->set), view->set, NULL, NULL};
    return view;
}

static enum status get_tenants(struct query_request *request)
{
    struct tenant_list list = {.registry = request->services->registry};
    struct tenant_usage *rows = NULL;
    uint32_t count = 0, shown = 0;

    if (request->services->tenants)
        rows = tenants_usage(request->services->tenants, clock_wall_ns(),
                             request->arena, &count);
    for (uint32_t i = 0; rows && i < count; i++)
        if (is_visible(request, rows[i].name))
            rows[shown++] = rows[i];
    list.rows = rows;
    const struct tenants_reply reply = {{shown, NULL, tenant_item, &list},
                                        query_took_ms(request)};
    reply_write(&request->json, &tenants_table, &reply);
    return OK;
}

/* ---- deleting one ---- */

struct deleted_reply {
    struct slice namespace;
    uint32_t components, resources;
    int64_t took_ms;
};
static const struct reply_table deleted_table = REPLY_TABLE(
    struct deleted_reply, REPLY(struct deleted_reply, "namespace", namespace),
    REPLY(struct deleted_reply, "components", components),
    REPLY(struct deleted_reply, "resources", resources),
    REPLY(struct deleted_reply, "tookMs", took_ms));

static enum status delete_tenant(struct query_request *request)
{
    struct slice namespace = request->parts[0];
    struct registry_deletion deletion;
    enum status status;

    if (!request->services->delete_namespace)
        return query_fail(request, ERR_NOT_SERVED, NULL,
                          "namespaces are not deleted here");
    status = request->services->delete_namespace(request->services->delete_arg,
                                                 namespace, &deletion);
    if (status == ERR_NOT_FOUND)
        return query_fail(request, status, NULL,
                          "nothing is stored of namespace %.*s",
                          (int)namespace.len, namespace.ptr);
    if (status != OK)
        return query_fail(request, status, NULL, "%s",
                          status == ERR_BUSY
                              ? "the store cannot be written to now"
                              : status_text(status));
    log_warn("query", "deleted a namespace", log_slice("namespace", namespace),
             log_uint("components", deletion.identities),
             log_uint("resources", deletion.resources));
    const struct deleted_reply reply = {namespace, deletion.identities,
                                        deletion.resources,
                                        query_took_ms(request)};
    reply_write(&request->json, &deleted_table, &reply);
    return OK;
}

const struct route routes_tenants[] = {
    {"GET", "/api/v1/access/tenants", ACTION_ANY, SCOPE_NONE, get_tenants, NULL,
     NO_READER, 0, &tenants_table},
    {"DELETE", "/api/v1/access/tenants/{}", ACTION_ACCESS_ADMIN,
     SCOPE_PATH_SPACE, delete_tenant, NULL, NO_READER, 0, &deleted_table},
    {0},
};
