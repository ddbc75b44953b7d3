/*
 * The routes under /tempo/api: Tempo's HTTP API, for Grafana's Tempo data
 * source. Errors are plain text, as Tempo's are.
 */
#include "tempo.h"

#include "tempo_int.h"

static void write_error(struct query_request *request, enum status status,
                        const char *message)
{
    (void)status;
    request->content_type_out = "text/plain; charset=utf-8";
    buf_add(&request->out, slice_of(message));
}

/* Grafana's health check; it wants a credential like any other route, or "Save
 * & test" would be green with a wrong token. */
static enum status echo(struct query_request *request)
{
    request->content_type_out = "text/plain; charset=utf-8";
    buf_add(&request->out, SLICE("echo"));
    return OK;
}

static const struct route routes[] = {
    {"GET", "/tempo/api/echo", ACTION_ANY, SCOPE_NONE, echo, NULL, NO_READER, 0,
     NULL},
    {"GET", "/tempo/api/traces/{}", ACTION_TRACES_VIEW, SCOPE_OBJECT,
     tempo_trace, NULL, 0, 0, NULL},
    {"GET", "/tempo/api/v2/traces/{}", ACTION_TRACES_VIEW, SCOPE_OBJECT,
     tempo_trace_v2, NULL, 0, 0, NULL},
    {"GET", "/tempo/api/search", ACTION_TRACES_VIEW, SCOPE_NARROWED,
     tempo_search, NULL, 0, 0, NULL},
    {0},
};

const struct query_surface tempo_surface = {routes, write_error};
