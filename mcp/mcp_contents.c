/* The resources and prompts there are. */
#include "mcp_prompts.h"
#include "mcp_resources.h"

const struct mcp_resource mcp_resource_rows[] = {
    {"callboard://components", "components", "Components",
     "The components there are.", "list_components", NULL},
    {"callboard://components/{namespace}/{project}/{component}", "component",
     "Component", "Rates, errors, latency, calls, logs of one component.",
     "get_component", NULL},
    {0},
};

const struct mcp_prompt mcp_prompt_rows[] = {
    {0},
};
