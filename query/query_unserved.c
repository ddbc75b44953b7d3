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

#define UNSERVED(method, path)                               \
    {                                                        \
        method, path, query_not_served, NULL, ON_IO, 0, NULL \
    }

const struct route routes_unserved[] = {
    UNSERVED("POST", "/api/v1alpha1/alerts/query"),
    UNSERVED("POST", "/api/v1alpha1/alerts/webhook"),
    UNSERVED("POST", "/api/v1alpha1/alerts/sources/{}/rules"),
    UNSERVED("GET", "/api/v1alpha1/alerts/sources/{}/rules/{}"),
    UNSERVED("PUT", "/api/v1alpha1/alerts/sources/{}/rules/{}"),
    UNSERVED("DELETE", "/api/v1alpha1/alerts/sources/{}/rules/{}"),
    UNSERVED("POST", "/api/v1alpha1/incidents/query"),
    UNSERVED("PUT", "/api/v1alpha1/incidents/{}"),
    UNSERVED("GET", "/api/v1alpha1/costs/namespaces/{}/environments/{}"),
    UNSERVED("GET", "/api/v1alpha1/costs/namespaces/{}/environments/{}/"
                    "recommendations"),
    UNSERVED("GET", "/api/v1alpha1/platform-logs"),
    UNSERVED("POST", "/api/v1alpha1/platform-logs/query"),
    UNSERVED("GET", "/api/v1alpha1/platform-logs/filter-values"),
    UNSERVED("POST", "/api/v1alpha1/audit-logs/query"),
    UNSERVED("POST", "/api/v1alpha1/audit-logs/filter-values"),
    UNSERVED("POST", "/api/v1alpha1/delivery-insights/dora/query"),
    UNSERVED("POST", "/api/v1alpha1/delivery-insights/dora/deployments/query"),
    {0},
};
