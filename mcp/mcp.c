/*
 * The route of this module: POST /mcp. In: a JSON-RPC message. Out: its answer;
 * of a notification none, with 202. Nothing is kept between two requests, so a
 * client goes on after a restart.
 */
#include "mcp.h"

#include "mcp_server.h"

static enum status post(struct query_request *request)
{
    struct mcp_message message;

    if (mcp_message_read(&message, request)) {
        if (message.id.ptr && !message.is_response)
            mcp_answer(&message);
        else
            request->http_status = 202;
    }
    mcp_message_release(&message);
    return OK;
}

static const struct route routes[] = {
    {"POST", "/mcp", ACTION_ANY, SCOPE_NONE, post, NULL,
     TAKES_RAW | ASKS_ROUTES, 0, NULL},
    {0},
};

static const struct route *const tables[] = {routes, NULL};

const struct query_surface mcp_surface = {tables, mcp_write_error};
