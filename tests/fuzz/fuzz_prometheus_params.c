/*
 * Any parameters for the routes under /prometheus, on a store without data: the
 * first line of the input is "METHOD path?query", the rest is a form. Whatever
 * is asked, the answer is well-formed and never an internal error, and its
 * pieces are not larger than they may be.
 */
#include <assert.h>
#include <jansson.h>

#include "catalog.h"
#include "memory_store.h"
#include "prometheus.h"
#include "registry.h"
#include "route_find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PARAMS = 16, MAX_PIECE = 1 << 20 };

static struct store *store;
static struct registry *registry;
static struct catalog *catalog;

static void clean_up(void)
{
    registry_close(registry);
    catalog_free(catalog);
    memory_store_free(store);
}

/* Two series of a gauge. */
static void add_points(uint32_t resource)
{
    static struct metric metric = {.name = SLICE_INIT("x"),
                                   .type = METRIC_GAUGE};
    static struct point points[4];
    static struct attr attr = {.key = "a",
                               .key_len = 1,
                               .type = VALUE_STRING,
                               .str = "b\"c",
                               .len = 3};

    for (uint64_t i = 0; i < 4; i++)
        points[i] = (struct point){.metric = &metric,
                                   .time_ns = (i + 1) * 1000000000,
                                   .attrs = {&attr, (uint32_t)(i % 2), 0},
                                   .resource_id = resource,
                                   .d = (double)i / 3};
    store->points = points;
    store->point_count = 4;
}

static void start(void)
{
    static struct registry_options names = {.max_resources = 10,
                                            .max_identities = 10};
    static const struct query_surface *const surfaces[] = {&prometheus_surface,
                                                           NULL};
    struct resource resource = {.id = RESOURCE_NONE};
    size_t count;
    enum status s;

    (void)query_routes(surfaces, &count);
    names.keys = registry_default_keys;
    store = memory_store_new();
    catalog = catalog_new();
    s = registry_open(&registry, &names, store);
    assert(s == OK);
    registry_resolve(registry, &resource, 1000000000);
    add_points(resource.id);
    atexit(clean_up);
}

/* Cuts text at the first mark; what follows it is returned. */
static struct slice cut(struct slice *text, char mark)
{
    const char *at = text->len ? memchr(text->ptr, mark, text->len) : NULL;
    struct slice rest = {NULL, 0};

    if (at) {
        rest = slice_from(*text, (size_t)(at - text->ptr) + 1);
        text->len = (size_t)(at - text->ptr);
    }
    return rest;
}

/* As the HTTP server does it, with fewer of them. */
static void read_params(struct query_request *request, struct slice query)
{
    char *copy = arena_alloc(request->arena, query.len + 1);
    struct http_param *params;

    if (http_count_params(query) > MAX_PARAMS)
        return;
    params = arena_zero(request->arena, MAX_PARAMS, sizeof(*params));
    slice_copy(copy, query);
    request->params = params;
    request->param_count = http_split_params(copy, query.len, params);
}

static void check_answer(struct query_request *request)
{
    json_t *json;

    assert(request->http_status != 500);
    while (request->produce) {
        size_t before = request->out.len;

        if (!request->produce(request->produce_arg, &request->out))
            request->produce = NULL;
        assert(request->out.len > before);
        assert(request->out.len - before < MAX_PIECE);
    }
    assert(request->out.status == OK);
    if (strcmp(request->content_type_out, "application/json") != 0)
        return;
    json = json_loadb(request->out.ptr, request->out.len, JSON_ALLOW_NUL, NULL);
    assert(json_is_object(json));
    assert(json_is_string(json_object_get(json, "status")));
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice path = {(const char *)data, size}, body, query, method;
    struct query_options options;
    struct arena arena;
    struct query_request request;
    struct reader reader;

    if (!store)
        start();
    options = (struct query_options){
        .store = store, .registry = registry, .catalog = catalog};
    reader = (struct reader){.store = store};
    arena_init(&arena, NULL, 64 << 20);
    query_request_init(&request, &options, &arena, 64 << 20);
    body = cut(&path, '\n');
    method = path;
    path = cut(&method, ' ');
    query = cut(&path, '?');
    if (!slice_starts(path, SLICE("/prometheus/"))) {
        arena_release(&arena);
        return 0;
    }
    read_params(&request, query);
    request.content_type = SLICE("application/x-www-form-urlencoded");
    request.raw_body = body;
    request.now_ns = UINT64_C(10) * 1000000000;
    route_find(&request, method, path);
    query_request_subject(&request, subject_everyone());
    query_request_run(&request, &reader);
    check_answer(&request);
    buf_release(&request.out);
    arena_release(&arena);
    return 0;
}
