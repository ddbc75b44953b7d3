/*
 * mcp_task - a tool that does one task for a model: names as people know them,
 * an answer that is short, and what to call next.
 *
 * Purpose:   mcp_task_run() completes the arguments, asks the route of the row,
 *            and shapes its answer (mcp_shape.h). Each answer has, beside what
 *            the route says, `window`, `url` (a page of ours, if there is one),
 *            `truncated` and `leftOut`, and `next` where there is more to say.
 * Ownership: constant rows.
 * Threads:   one call, one thread.
 * Errors:    mcp_fail(), with the names there are.
 */
#ifndef MCP_TASK_H
#define MCP_TASK_H

#include "mcp_shape.h"
#include "mcp_tool.h"
#include "record.h"

/* What of the scope a tool needs; what is not given is completed if there is
 * only one. */
enum mcp_scope {
    MCP_SCOPE_NONE, /* it has no scope, or any part of it */
    MCP_SCOPE_NAMESPACE,
    MCP_SCOPE_PROJECT,
    MCP_SCOPE_COMPONENT,
};

struct mcp_task {
    struct shape_plan shape;
    enum mcp_scope scope;
    uint64_t range_ns; /* of the time, if start is absent; 0: it has no time */
    const char *page;  /* its page; NULL: none */
    const char *next;  /* what to call after it */
    const char *what;  /* of which an empty list has none: "requests"; NULL:
                          the route says why it is empty */
    enum signal signal;
    /* Before the request: adds to call->arguments. NULL: nothing. */
    void (*prepare)(struct mcp_call *call);
    /* Changes the answer of the route, before it is shaped. NULL: nothing. */
    void (*change)(struct mcp_call *call, json_t *answer);
};

mcp_run mcp_task_run;

/* ---- mcp_scope.c ---- */

/* Completes namespace, project, component and environment in call->arguments,
 * or fails with the names there are. */
void mcp_complete_scope(struct mcp_call *call, enum mcp_scope scope);

/* ---- parameters that many have ---- */

#define MCP_SCOPE_PARAMS(place_)                                              \
    {"namespace", "Namespace (tenant). May be left out if you see only one.", \
     .place = (place_)},                                                      \
        {"project", "Project, by name.", .place = (place_)},                  \
        {"component",                                                         \
         "Component, by name; \"shop/cart\" names its project, too.",         \
         .place = (place_)},                                                  \
    {                                                                         \
        "environment", "Environment. Default: all.", .place = (place_)        \
    }

#define MCP_TIME_PARAMS(start_)                                           \
    {"start",                                                             \
     "Start: RFC 3339, seconds since 1970, or relative: now-30m, 2h. "    \
     "Default: " start_ " before end.",                                   \
     MCP_TIME, MCP_QUERY, .to = "startTime"},                             \
    {                                                                     \
        "end", "End. Default: now.", MCP_TIME, MCP_QUERY, .to = "endTime" \
    }

#define MCP_DETAIL_PARAM                                                    \
    {                                                                       \
        "detail", "concise: about 2,000 tokens. full: up to about 10,000.", \
            .values = "concise full", .preset = "\"concise\""               \
    }

/* True: detail is "full". */
bool mcp_is_full(const struct mcp_call *call);

#endif
