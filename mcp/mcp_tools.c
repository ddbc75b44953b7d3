/* The tools there are: the tables of the files, in a fixed order. */
#include <string.h>

#include "mcp_tool.h"

static const struct mcp_tool *const tables[] = {
    mcp_tools_components, mcp_tools_analysis, mcp_tools_traces,
    mcp_tools_graph,      mcp_tools_metrics,  mcp_tools_openchoreo,
};

const struct mcp_tool *mcp_tool_at(size_t i)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        for (const struct mcp_tool *tool = tables[t]; tool->name; tool++)
            if (i-- == 0)
                return tool;
    return NULL;
}

const struct mcp_tool *mcp_tool_find(struct slice name)
{
    const struct mcp_tool *tool;

    for (size_t i = 0; (tool = mcp_tool_at(i)); i++)
        if (slice_equal(slice_of(tool->name), name))
            return tool;
    return NULL;
}

const struct route *mcp_tool_route(const struct mcp_tool *tool)
{
    return inner_request_route(tool->method, tool->path);
}

bool mcp_tool_is_visible(const struct mcp_tool *tool,
                         const struct query_request *request)
{
    const struct route *route = mcp_tool_route(tool);

    if (!route || route->handler == query_not_served)
        return false;
    return route->action == ACTION_ANY || route->action == ACTION_OPEN ||
           grants_have(request->subject->grants, route->action) ||
           access_is_decided(request->services->access, request->subject,
                             route->action);
}
