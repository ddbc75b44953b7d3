/*
 * mcp_tool - a tool as a row in a table: its name, its arguments, the route
 * that it asks, and what of the answer is given to the model.
 *
 *   mcp_tools.c       the tables, one after another
 *   mcp_schema.c      the schemas that a client reads
 *   mcp_arguments.c   checks arguments
 *   mcp_route.c       from arguments to the request to the route
 *   mcp_call.c        a call from its arguments to its result
 *
 * Purpose:   nothing is computed here that a route could answer: a tool is a
 *            row over a route. `shape` trims the answer, `run` asks more than
 *            one route.
 * Ownership: rows are constant. A call is valid until its function returns;
 *            what it allocates is in call->request->arena, or JSON of jansson.
 * Threads:   one call, one thread.
 * Errors:    mcp_fail(): a result with isError, whose text a model can act on.
 *            The first one of a call is kept.
 *
 *   static const struct mcp_param params[] = {
 *       {"project", "Name of the project.", .place = MCP_QUERY},
 *       {"start", "Default now-1h.", MCP_TIME, .place = MCP_QUERY,
 *        .to = "startTime"},
 *       {0},
 *   };
 *   const struct mcp_tool mcp_tools_x[] = {
 *       {.name = "list_components", .title = "...", .description = "...",
 *        .method = "GET", .path = "/api/v1/components", .params = params},
 *       {0},
 *   };
 */
#ifndef MCP_TOOL_H
#define MCP_TOOL_H

#include <jansson.h>

#include "inner_request.h"

enum mcp_type {
    MCP_TEXT,
    MCP_TIME,     /* as clock_parse_time() takes it; becomes RFC 3339 */
    MCP_DURATION, /* 15s, 1m30s */
    MCP_INTEGER,
    MCP_NUMBER,
    MCP_BOOL,
    MCP_TEXTS, /* an array */
};

/* Where an argument goes in the request to the route. */
enum mcp_place {
    MCP_NOWHERE, /* read by `shape` and `run` */
    MCP_QUERY,   /* parameter of the query string */
    MCP_BODY,    /* member of the body */
    MCP_SCOPE,   /* member of searchScope in the body */
    MCP_PART,    /* {} of the path, number `part` */
};

enum { MCP_REQUIRED = 1 };

struct mcp_param {
    const char *name, *description;
    enum mcp_type type;
    enum mcp_place place;
    int flags;
    int part;           /* MCP_PART */
    const char *to;     /* its name there; NULL: the same */
    const char *values; /* that a text may have: "asc desc"; NULL: any */
    double min, max;    /* of numbers; both 0: any */
    const char *preset; /* used if it is absent, as JSON; NULL: none */
    const char *needs;  /* another argument that must be there with it */
};

struct mcp_call;
struct mcp_task;

/* Trims call->result, the answer of the route, in place, or replaces it
 * (mcp_set_result). */
typedef void mcp_shape(struct mcp_call *call);
/* Asks routes (mcp_ask) and sets the result, or fails. */
typedef void mcp_run(struct mcp_call *call);

struct mcp_tool {
    const char *name, *title, *description;
    /* The route that it asks, as in the table of routes. Who may not use this
     * route at all does not see the tool. */
    const char *method, *path;
    const struct mcp_param *params; /* ended by {0}; NULL: none */
    mcp_shape *shape;               /* NULL: the answer as it is */
    mcp_run *run;                   /* NULL: one request to the route */
    const char *body; /* members that each body has, as a JSON object; NULL */
    /* Schema of the result, as JSON. NULL: that of the route's answer, if it
     * has a table and there is neither `shape` nor `run`; else none. */
    const char *output_schema;
    const char *not_found;       /* after a 404: where its names are; NULL */
    const struct mcp_task *task; /* of mcp_task_run (mcp_task.h), or NULL */
};

/* How answers are written. Of a number all digits but the last two are right,
 * so that 0.041 is no 0.041000000000000002. */
#define MCP_DUMP (JSON_COMPACT | JSON_REAL_PRECISION(15))

enum { MCP_MESSAGE = 1024 };

struct mcp_call {
    struct query_request *request; /* of POST /mcp */
    const struct mcp_tool *tool;
    json_t *arguments; /* checked, times in RFC 3339, presets filled in */
    json_t *result;    /* an object, or NULL */
    json_t *content; /* further items of the result: resource links, or NULL */
    struct buf answer;  /* of the route, if nothing changes it */
    size_t charged;     /* to the budget, for `result` and the like */
    bool failed, waits; /* waits: for a decision (inner_request.h) */
    char message[MCP_MESSAGE];
};

/* ---- for `shape` and `run` ---- */

/* ptr NULL: absent. */
struct slice mcp_text(const struct mcp_call *call, const char *name);
/* fallback: absent. */
double mcp_number(const struct mcp_call *call, const char *name,
                  double fallback);
bool mcp_bool(const struct mcp_call *call, const char *name);
uint64_t mcp_time(const struct mcp_call *call, const char *name); /* 0: none */

/* The answer of another route, to be released with json_decref(); NULL: the
 * call has failed with the message of the route, or waits; `run` returns. */
json_t *mcp_ask(struct mcp_call *call, const struct inner_request *asked);
/* The request that the row describes, to be changed or asked. False: failed. */
bool mcp_request(struct mcp_call *call, struct inner_request *asked);
void mcp_set_result(struct mcp_call *call, json_t *result); /* takes it */
void mcp_add_content(struct mcp_call *call, json_t *item);  /* takes it */
void mcp_fail(struct mcp_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- mcp_tools.c ---- */

/* The i-th of all tools; NULL: there are not so many. */
const struct mcp_tool *mcp_tool_at(size_t i);
const struct mcp_tool *mcp_tool_find(struct slice name);
/* The route is served, and the subject may use it in some scope. */
bool mcp_tool_is_visible(const struct mcp_tool *tool,
                         const struct query_request *request);
/* NULL: there is none. */
const struct route *mcp_tool_route(const struct mcp_tool *tool);

/* ---- tables, each ended by {0} ---- */
extern const struct mcp_tool mcp_tools_openchoreo[], mcp_tools_components[],
    mcp_tools_traces[], mcp_tools_metrics[], mcp_tools_analysis[],
    mcp_tools_graph[];

/* ---- mcp_schema.c ---- */

void mcp_write_input_schema(struct jsonw *w, const struct mcp_tool *tool);
/* False: it has none, and nothing is written. */
bool mcp_write_output_schema(struct jsonw *w, const struct mcp_tool *tool);

/* ---- mcp_arguments.c ---- */

/* Fills call->arguments from those that were sent (NULL: none), or fails. */
void mcp_check_arguments(struct mcp_call *call, json_t *sent);

/* ---- mcp_call.c ---- */

/* Of a call with `request` and `tool`: checks the arguments that were sent
 * (NULL: none). */
void mcp_call_begin(struct mcp_call *call, json_t *sent);
/* Runs the tool with call->arguments, unless the call has failed. */
void mcp_call_run(struct mcp_call *call);
/* Its members of a result: content, structuredContent, isError. */
void mcp_call_write(struct jsonw *w, const struct mcp_call *call);
/* What it found, as a JSON string with the document inside. */
void mcp_call_write_text(struct jsonw *w, const struct mcp_call *call);
void mcp_call_release(struct mcp_call *call);
/* A document of jansson as it is written in an answer. */
void mcp_write_json(struct jsonw *w, const json_t *value);

#endif
