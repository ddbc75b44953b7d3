/* Requests to other routes: the checks that the HTTP server makes of a request
 * are made of these, too. */
#include "fake_query.h"
#include "inner_request.h"

static struct bed bed;
static struct reader reader;

struct outer {
    struct query_request request;
    struct arena arena;
};

static void outer_init(struct outer *outer, size_t memory)
{
    reader = (struct reader){.store = bed.store};
    arena_init(&outer->arena, NULL, memory);
    query_request_init(&outer->request, &bed.options, &outer->arena,
                       bed.max_reply);
    CHECK(route_find(&outer->request, SLICE("POST"), SLICE("/mcp")));
    query_request_subject(&outer->request, bed.subject);
    outer->request.reader = &reader;
}

static void outer_release(struct outer *outer)
{
    buf_release(&outer->request.out);
    arena_release(&outer->arena);
}

/* The status of the answer, whose text is in `text`. */
static char text[128 * 1024];

static int ask_with(size_t memory, const struct inner_request *asked)
{
    struct outer outer;
    struct query_request inner;
    int status;

    outer_init(&outer, memory);
    inner_request_run(&outer.request, asked, &inner);
    CHECK(!outer.request.waits);
    status = inner.http_status;
    snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(buf_slice(&inner.out)));
    inner_request_release(&inner);
    outer_release(&outer);
    return status;
}

static int ask(const struct inner_request *asked)
{
    return ask_with(SIZE_MAX, asked);
}

static int ask_components(const char *space)
{
    const struct http_param params[] = {
        {SLICE("namespace"), slice_of(space)},
        {SLICE("startTime"), SLICE("2023-11-14T00:00:00Z")},
        {SLICE("endTime"), SLICE("2023-11-15T00:00:00Z")}};

    return ask(&(struct inner_request){.method = "GET",
                                       .path = "/api/v1/components",
                                       .params = space[0] ? params : params + 1,
                                       .param_count = space[0] ? 3 : 2});
}

static int ask_logs(const char *space)
{
    char body[300];

    snprintf(body, sizeof(body),
             "{\"startTime\":\"2023-11-14T00:00:00Z\","
             "\"endTime\":\"2023-11-15T00:00:00Z\","
             "\"searchScope\":{\"namespace\":\"%s\"}}",
             space);
    return ask(&(struct inner_request){.method = "POST",
                                       .path = "/api/v1/logs/query",
                                       .body = slice_of(body)});
}

static int ask_page(const char *space)
{
    return ask(&(struct inner_request){
        .method = "GET",
        .path = "/api/v1/components/{}/{}/{}",
        .parts = {slice_of(space), SLICE("shop"), SLICE("cart")}});
}

TEST(who_may_do_all_is_answered)
{
    bed_init(&bed);
    (void)bed_resource(&bed, "shop", "cart");
    CHECK_EQ(ask_components("acme"), 200);
    CHECK_EQ(ask_components(""), 200);
    CHECK_EQ(ask_logs("acme"), 200);
    CHECK_EQ(ask_page("acme"), 200);
    bed_release(&bed);
}

TEST(other_namespaces_are_refused_by_query_body_and_path)
{
    bed_init(&bed);
    (void)bed_resource(&bed, "shop", "cart");
    (void)bed_resource_in(&bed, "other", "shop", "cart");
    bed_allow(&bed,
              ACTION_BIT(ACTION_METRICS_VIEW) | ACTION_BIT(ACTION_LOGS_VIEW),
              "acme", "*", "*");
    CHECK_EQ(ask_components("other"), 403);
    CHECK(strstr(text, "alice may not do metrics:view in namespace other"));
    CHECK_EQ(ask_logs("other"), 403);
    CHECK(strstr(text, "alice may not do logs:view in namespace other"));
    CHECK_EQ(ask_page("other"), 403);
    CHECK_EQ(ask_components("acme"), 200);
    CHECK_EQ(ask_logs("acme"), 200);
    CHECK_EQ(ask_page("acme"), 200);
    bed_release(&bed);
}

TEST(what_is_left_out_is_narrowed)
{
    bed_init(&bed);
    (void)bed_resource(&bed, "shop", "cart");
    (void)bed_resource_in(&bed, "other", "shop", "secretcart");
    CHECK_EQ(ask_components(""), 200);
    CHECK(strstr(text, "secretcart"));
    bed_allow(&bed, ACTION_BIT(ACTION_METRICS_VIEW), "acme", "*", "*");
    CHECK_EQ(ask_components(""), 200);
    CHECK(!strstr(text, "secretcart"));
    CHECK(strstr(text, "cart"));
    bed_release(&bed);
}

TEST(another_action_is_not_enough)
{
    bed_init(&bed);
    (void)bed_resource(&bed, "shop", "cart");
    bed_allow(&bed, ACTION_BIT(ACTION_METRICS_VIEW), "acme", "*", "*");
    CHECK_EQ(ask_logs("acme"), 403);
    CHECK_EQ(ask_components("acme"), 200);
    bed_allow(&bed, ACTION_BIT(ACTION_LOGS_VIEW), "acme", "*", "*");
    CHECK_EQ(ask_components("acme"), 403);
    CHECK_EQ(ask_page("acme"), 403);
    bed_allow(&bed, 0, "acme", "*", "*");
    CHECK_EQ(ask_logs("acme"), 403);
    bed_release(&bed);
}

TEST(errors_are_those_of_the_route)
{
    bed_init(&bed);
    CHECK_EQ(ask(&(struct inner_request){.method = "POST",
                                         .path = "/api/v1/logs/query",
                                         .body = SLICE("{}")}),
             400);
    CHECK(strstr(text, "\"message\":"));
    CHECK_EQ(ask(&(struct inner_request){.method = "POST",
                                         .path = "/api/v1/logs/query",
                                         .body = SLICE("{")}),
             400);
    bed.store->read_status = ERR_IO;
    CHECK_EQ(ask_logs("acme"), 503);
    CHECK(strstr(text, "OBS-V1-L-05"));
    CHECK_EQ(ask(&(struct inner_request){
                 .method = "GET",
                 .path = "/prometheus/api/v1/query",
                 .params = (const struct http_param[]){{SLICE("query"),
                                                        SLICE("sum(")}},
                 .param_count = 1}),
             400);
    CHECK(strstr(text, "\"status\":\"error\"")); /* in the shape of its API */
    bed_release(&bed);
}

TEST(an_answer_in_pieces_is_given_whole)
{
    static const struct http_param params[] = {
        {SLICE_INIT("query"), SLICE_INIT("vector(1)")},
        {SLICE_INIT("start"), SLICE_INIT("1700000000")},
        {SLICE_INIT("end"), SLICE_INIT("1700030000")},
        {SLICE_INIT("step"), SLICE_INIT("3")}};
    const struct inner_request asked = {.method = "GET",
                                        .path =
                                            "/prometheus/api/v1/query_range",
                                        .params = params,
                                        .param_count = 4};
    json_t *answer;

    bed_init(&bed);
    bed.max_reply = 1024 * 1024;
    CHECK_EQ(ask(&asked), 200);
    bed.max_reply = 16 * 1024;
    CHECK_EQ(ask(&asked), 422); /* ERR_TOO_BIG in the words of that API */
    answer = json_loads(text, 0, NULL);
    CHECK(answer); /* nothing of the first pieces is left in front */
    json_decref(answer);
    bed_release(&bed);
}

TEST(memory_is_that_of_the_outer_request)
{
    bed_init(&bed);
    (void)bed_resource(&bed, "shop", "cart");
    CHECK_EQ(ask_with(1, &(struct inner_request){.method = "GET",
                                                 .path = "/api/v1/components"}),
             413);
    bed_release(&bed);
}
