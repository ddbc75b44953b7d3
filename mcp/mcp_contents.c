/* The resources and prompts there are. */
#include "mcp_prompts.h"
#include "mcp_resources.h"

const struct mcp_resource mcp_resource_rows[] = {
    {0},
};

const struct mcp_prompt mcp_prompt_rows[] = {
    {0},
};
