/*
 * Routes of the Observer API that this program knows and does not serve: 501,
 * for which OpenChoreo's portal has texts. 404 would look like a wrong URL.
 */
#include "query_request.h"

enum status query_not_served(struct query_request *request)
{
    return query_fail(request, ERR_NOT_SERVED, "",
                      "%s %s is not served by this version of callboard",
                      request->route->method, request->route->path);
}

#define UNSERVED(method, path, action, scope)                               \
    {                                                                       \
        method, path, action, scope, query_not_served, NULL, ON_IO, 0, NULL \
    }

const struct route routes_unserved[] = {
    UNSERVED("POST", "/api/v1alpha1/alerts/query", ACTION_ALERTS_VIEW,
             SCOPE_BODY),
    UNSERVED("POST", "/api/v1alpha1/alerts/webhook", ACTION_INCIDENTS_UPDATE,
             SCOPE_NONE),
    UNSERVED("POST", "/api/v1alpha1/alerts/sources/{}/rules",
             ACTION_RULES_UPDATE, SCOPE_BODY),
    UNSERVED("GET", "/api/v1alpha1/alerts/sources/{}/rules/{}",
             ACTION_ALERTS_VIEW, SCOPE_OBJECT),
    UNSERVED("PUT", "/api/v1alpha1/alerts/sources/{}/rules/{}",
             ACTION_RULES_UPDATE, SCOPE_OBJECT),
    UNSERVED("DELETE", "/api/v1alpha1/alerts/sources/{}/rules/{}",
             ACTION_RULES_UPDATE, SCOPE_OBJECT),
    UNSERVED("POST", "/api/v1alpha1/incidents/query", ACTION_INCIDENTS_VIEW,
             SCOPE_BODY),
    UNSERVED("PUT", "/api/v1alpha1/incidents/{}", ACTION_INCIDENTS_UPDATE,
             SCOPE_OBJECT),
    UNSERVED("GET", "/api/v1alpha1/platform-logs", ACTION_PLATFORM_LOGS,
             SCOPE_NONE),
    UNSERVED("POST", "/api/v1alpha1/platform-logs/query", ACTION_PLATFORM_LOGS,
             SCOPE_NONE),
    UNSERVED("GET", "/api/v1alpha1/platform-logs/filter-values",
             ACTION_PLATFORM_LOGS, SCOPE_NONE),
    UNSERVED("POST", "/api/v1alpha1/audit-logs/query", ACTION_AUDIT_LOGS,
             SCOPE_NONE),
    UNSERVED("POST", "/api/v1alpha1/audit-logs/filter-values",
             ACTION_AUDIT_LOGS, SCOPE_NONE),
    UNSERVED("POST", "/api/v1alpha1/delivery-insights/dora/query",
             ACTION_DELIVERY_VIEW, SCOPE_BODY),
    UNSERVED("POST", "/api/v1alpha1/delivery-insights/dora/deployments/query",
             ACTION_DELIVERY_VIEW, SCOPE_BODY),
    {0},
};
