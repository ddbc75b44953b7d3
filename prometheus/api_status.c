/*
 * What Prometheus tells of itself. There are no rules, alerts, targets and
 * Alertmanagers here: lists without items, which clients show as such.
 */
#include "api.h"

static const struct {
    const char *path, *data;
} constants[] = {
    {"/prometheus/api/v1/rules", "{\"groups\":[]}"},
    {"/prometheus/api/v1/alerts", "{\"alerts\":[]}"},
    {"/prometheus/api/v1/targets",
     "{\"activeTargets\":[],\"droppedTargets\":[]}"},
    {"/prometheus/api/v1/targets/metadata", "[]"},
    {"/prometheus/api/v1/alertmanagers",
     "{\"activeAlertmanagers\":[],\"droppedAlertmanagers\":[]}"},
    {"/prometheus/api/v1/status/flags", "{\"query.lookback-delta\":\"5m\"}"},
    {"/prometheus/api/v1/status/config", "{\"yaml\":\"\"}"},
    /* Data sources switch features on by the version: that of the PromQL that
     * is served. */
    {"/prometheus/api/v1/status/buildinfo",
     "{\"version\":\"2.55.0\",\"revision\":\"\",\"branch\":\"\","
     "\"buildUser\":\"\",\"buildDate\":\"\",\"goVersion\":\"\"}"},
};

enum status api_constant(struct query_request *request)
{
    for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++)
        if (strcmp(constants[i].path, request->route->path) == 0) {
            buf_format(&request->out, "{\"status\":\"success\",\"data\":%s}",
                       constants[i].data);
            return OK;
        }
    return ERR_NOT_FOUND;
}

static enum status answer_text(struct query_request *request, struct slice text)
{
    request->content_type_out = "text/plain; charset=utf-8";
    buf_add(&request->out, text);
    return OK;
}

enum status api_ready(struct query_request *request)
{
    return answer_text(request, SLICE("Prometheus Server is Ready.\n"));
}

enum status api_healthy(struct query_request *request)
{
    return answer_text(request, SLICE("Prometheus Server is Healthy.\n"));
}
