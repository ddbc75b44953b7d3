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
    request->content_type_out = TEMPO_TEXT;
    buf_add(&request->out, slice_of(message));
}

/* Grafana's health check; it wants a credential like any other route, or "Save
 * & test" would be green with a wrong token. */
static enum status echo(struct query_request *request)
{
    request->content_type_out = TEMPO_TEXT;
    buf_add(&request->out, SLICE("echo"));
    return OK;
}

/* Grafana switches features by it: the interface is that of this version. */
#define TEMPO_VERSION "2.7.0"

struct build_info {
    const char *version, *revision, *branch, *build_user, *build_date,
        *go_version;
};
static const struct reply_table build_info_table =
    REPLY_TABLE(struct build_info, REPLY(struct build_info, "version", version),
                REPLY(struct build_info, "revision", revision),
                REPLY(struct build_info, "branch", branch),
                REPLY(struct build_info, "buildUser", build_user),
                REPLY(struct build_info, "buildDate", build_date),
                REPLY(struct build_info, "goVersion", go_version));

static enum status build_info(struct query_request *request)
{
    static const struct build_info info = {TEMPO_VERSION, "", "", "", "", ""};

    reply_write(&request->json, &build_info_table, &info);
    return OK;
}

static enum status version(struct query_request *request)
{
    request->content_type_out = TEMPO_TEXT;
    buf_add(&request->out, SLICE("tempo, version " TEMPO_VERSION "\n"));
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
    {"GET", "/tempo/api/search/tags", ACTION_TRACES_VIEW, SCOPE_NARROWED,
     tempo_tags, NULL, 0, 0, NULL},
    {"GET", "/tempo/api/v2/search/tags", ACTION_TRACES_VIEW, SCOPE_NARROWED,
     tempo_tags_v2, NULL, 0, 0, NULL},
    {"GET", "/tempo/api/search/tag/{}/values", ACTION_TRACES_VIEW,
     SCOPE_NARROWED, tempo_tag_values, NULL, 0, 0, NULL},
    {"GET", "/tempo/api/v2/search/tag/{}/values", ACTION_TRACES_VIEW,
     SCOPE_NARROWED, tempo_tag_values_v2, NULL, 0, 0, NULL},
    {"GET", "/tempo/api/status/buildinfo", ACTION_ANY, SCOPE_NONE, build_info,
     NULL, NO_READER, 0, NULL},
    {"GET", "/tempo/api/status/version", ACTION_ANY, SCOPE_NONE, version, NULL,
     NO_READER, 0, NULL},
    {0},
};

static const struct route *const tables[] = {routes, NULL};

const struct query_surface tempo_surface = {tables, write_error};
