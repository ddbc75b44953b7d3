/*
 * The routes under /grafana: the contract of Grafana's JSON data source
 * (simpod-json-datasource). Errors are {"message","error"}, which that plugin
 * shows.
 */
#include "grafana.h"

struct grafana_error {
    const char *message, *error;
};
static const struct reply_table grafana_error_table = REPLY_TABLE(
    struct grafana_error, REPLY(struct grafana_error, "message", message),
    REPLY(struct grafana_error, "error", error));

static void write_error(struct query_request *request, enum status status,
                        const char *message)
{
    const struct grafana_error error = {message, status_text(status)};

    reply_write(&request->json, &grafana_error_table, &error);
}

/* "Save & test": any 200 is good, so a credential is required. */
static enum status health(struct query_request *request)
{
    static const struct grafana_error reply = {"Callboard is reachable", ""};

    reply_write(&request->json, &grafana_error_table, &reply);
    return OK;
}

static const struct route routes[] = {
    {"GET", "/grafana", ACTION_ANY, SCOPE_NONE, health, NULL, NO_READER, 0,
     &grafana_error_table},
    {"GET", "/grafana/", ACTION_ANY, SCOPE_NONE, health, NULL, NO_READER, 0,
     &grafana_error_table},
    {0},
};

const struct query_surface grafana_surface = {routes, write_error};
