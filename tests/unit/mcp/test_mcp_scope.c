/* Names as people know them, of what the asker may see and of nothing else. */
#include "mcp_kit.h"
#include "mcp_task.h"

static struct bed bed;

static const struct mcp_tool *tool;

static void begin(void)
{
    bed_init(&bed);
    bed.max_reply = sizeof(bed.text) - 1;
    bed_resource_in(&bed, "acme", "shop", "cart");
    bed_resource_in(&bed, "acme", "shop", "checkout");
    bed_resource_in(&bed, "acme", "bank", "checkout");
    bed_resource_in(&bed, "zeta", "shop", "cart");
    bed_resource_in(&bed, "zeta", "secret", "vault");
    tool = mcp_tool_find(SLICE("get_component"));
}

/* The arguments as they were completed, as JSON, or the message. */
static const char *completed(const char *arguments, enum mcp_scope scope)
{
    static char text[MCP_MESSAGE + 256];
    struct arena arena;
    struct query_request request;
    struct mcp_call call = {.request = &request, .tool = tool};
    char *dumped;

    arena_init(&arena, NULL, SIZE_MAX);
    query_request_init(&request, &bed.options, &arena, 1024);
    query_request_subject(&request, bed.subject);
    call.arguments = json_loads(arguments, 0, NULL);
    mcp_complete_scope(&call, scope);
    dumped = json_dumps(call.arguments, JSON_COMPACT | JSON_SORT_KEYS);
    snprintf(text, sizeof(text), "%s", call.failed ? call.message : dumped);
    free(dumped);
    json_decref(call.arguments);
    buf_release(&request.out);
    arena_release(&arena);
    return text;
}

static void expect(const char *arguments, enum mcp_scope scope,
                   const char *wanted)
{
    const char *got = completed(arguments, scope);

    if (!CHECK(strcmp(got, wanted) == 0))
        printf("# %s: %s\n# wanted: %s\n", arguments, got, wanted);
}

#define CART \
    "{\"component\":\"cart\",\"namespace\":\"acme\",\"project\":\"shop\"}"

TEST(names_are_completed)
{
    begin();
    expect("{\"component\":\"acme/shop/cart\"}", MCP_SCOPE_COMPONENT, CART);
    expect("{\"namespace\":\"acme\",\"component\":\"shop/cart\"}",
           MCP_SCOPE_COMPONENT, CART);
    expect("{\"namespace\":\"acme\",\"component\":\"cart\"}",
           MCP_SCOPE_COMPONENT, CART);
    expect("{\"namespace\":\"ACME\",\"project\":\"Shop\","
           "\"component\":\"Cart\"}",
           MCP_SCOPE_COMPONENT, CART);
    expect("{\"component\":\"checkout\",\"project\":\"shop\"}",
           MCP_SCOPE_COMPONENT,
           "{\"component\":\"checkout\",\"namespace\":\"acme\",\"project\":"
           "\"shop\"}");
    expect("{}", MCP_SCOPE_NONE, "{}");
    expect("{\"namespace\":\"acme\"}", MCP_SCOPE_NAMESPACE,
           "{\"namespace\":\"acme\"}");
    bed_release(&bed);
}

TEST(what_several_have_is_asked_for)
{
    begin();
    expect("{}", MCP_SCOPE_NAMESPACE,
           "namespace is required; there are: acme, zeta");
    expect("{\"component\":\"cart\"}", MCP_SCOPE_COMPONENT,
           "namespace is required; there are: acme, zeta");
    expect("{\"namespace\":\"acme\"}", MCP_SCOPE_PROJECT,
           "project is required; there are: bank, shop");
    expect("{\"namespace\":\"acme\",\"component\":\"checkout\"}",
           MCP_SCOPE_COMPONENT, "project is required; there are: bank, shop");
    expect("{\"namespace\":\"acme\",\"project\":\"shop\"}", MCP_SCOPE_COMPONENT,
           "component is required; there are: cart, checkout");
    bed_release(&bed);
}

TEST(unknown_names_have_the_nearest)
{
    begin();
    expect("{\"namespace\":\"acme\",\"component\":\"chekout\"}",
           MCP_SCOPE_COMPONENT,
           "unknown component \"chekout\". Did you mean: bank/checkout, "
           "shop/checkout? (list_components has all of them)");
    expect("{\"namespace\":\"acne\",\"component\":\"cart\"}",
           MCP_SCOPE_COMPONENT,
           "unknown namespace \"acne\". Did you mean: acme?");
    expect("{\"namespace\":\"acme\",\"project\":\"warehouse\"}",
           MCP_SCOPE_PROJECT,
           "unknown project \"warehouse\". There are: bank, shop");
    bed_release(&bed);
}

/* As if there were nothing else: also in what is completed and suggested. */
TEST(what_may_not_be_seen_is_not_there)
{
    begin();
    bed_allow(&bed, ACTION_BIT(ACTION_METRICS_VIEW), "acme", "*", "*");
    expect("{}", MCP_SCOPE_NAMESPACE, "{\"namespace\":\"acme\"}");
    expect("{\"component\":\"cart\"}", MCP_SCOPE_COMPONENT, CART);
    expect("{\"component\":\"vault\"}", MCP_SCOPE_COMPONENT,
           "unknown component \"vault\". There are: bank/checkout, shop/cart, "
           "shop/checkout (list_components has all of them)");
    expect("{\"namespace\":\"zeta\"}", MCP_SCOPE_NAMESPACE,
           "unknown namespace \"zeta\". There are: acme");
    bed_release(&bed);

    begin(); /* by the action of the tool's route */
    bed_allow(&bed, ACTION_BIT(ACTION_LOGS_VIEW), "acme", "*", "*");
    CHECK(strstr(completed("{\"component\":\"cart\"}", MCP_SCOPE_COMPONENT),
                 "your grants cover none"));
    tool = mcp_tool_find(SLICE("search_logs"));
    if (mcp_tool_route(tool))
        expect("{\"component\":\"cart\"}", MCP_SCOPE_COMPONENT, CART);
    bed_release(&bed);
}

/* Names of any length and kind make a text that fits, and is UTF-8. */
TEST(errors_of_hostile_names_fit)
{
    char name[256], arguments[700];
    json_t *text;

    begin();
    for (int i = 0; i < 60; i++) {
        memset(name, 0, sizeof(name));
        for (int k = 0; k < 80; k++)
            memcpy(name + 3 * k, "€", 3);
        snprintf(name + 240, sizeof(name) - 240, "%d", i);
        bed_resource_in(&bed, "acme", "big", name);
    }
    snprintf(
        arguments, sizeof(arguments),
        "{\"namespace\":\"acme\",\"project\":\"big\",\"component\":\"%sx\"}",
        name);
    text = json_string(completed(arguments, MCP_SCOPE_COMPONENT));
    CHECK(text && json_string_length(text) < MCP_MESSAGE);
    json_decref(text);
    text = json_string(completed("{\"namespace\":\"acme\",\"project\":\"big\"}",
                                 MCP_SCOPE_COMPONENT));
    CHECK(text && json_string_length(text) < MCP_MESSAGE);
    json_decref(text);
    bed_release(&bed);
}
