/*
 * Any request against a small real store, for the routes of the query API and
 * those of other tools: the first line of the input is "METHOD path?query", the
 * rest is the body, or what a GET accepts. Whatever is asked, the answer is
 * well-formed and never an internal error, and its pieces are not larger than
 * they may be.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "catalog.h"
#include "correlate.h"
#include "mem.h"
#include "otlp.h"
#include "route_find.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_PARAMS = 16, MAX_PIECE = 1 << 20 };

static char dir[] = "/tmp/cb-fuzz-XXXXXX";
static struct store *store;
static struct registry *registry;
static struct catalog *catalog;
static struct correlator *correlator;
static struct reader *reader;

#define RESOURCE                                                         \
    "\"resource\":{\"attributes\":["                                     \
    "{\"key\":\"openchoreo.dev/namespace\",\"value\":{\"stringValue\":"  \
    "\"acme\"}},{\"key\":\"openchoreo.dev/project\",\"value\":"          \
    "{\"stringValue\":\"shop\"}},{\"key\":\"openchoreo.dev/component\"," \
    "\"value\":{\"stringValue\":\"cart\"}},{\"key\":\"k8s.pod.name\","   \
    "\"value\":{\"stringValue\":\"cart-1\"}}]}"
#define T0   "1787299200000000000"
#define T1   "1787299200100000000"
#define SPAN "\"traceId\":\"000000000000000000000000000000ab\",\"spanId\":"

static const char *const world[SIGNAL_COUNT] = {
    "{\"resourceSpans\":[{" RESOURCE ",\"scopeSpans\":[{\"spans\":["
    "{" SPAN "\"0000000000000001\",\"name\":\"GET /\",\"kind\":2,"
    "\"startTimeUnixNano\":\"" T0 "\",\"endTimeUnixNano\":\"" T1 "\","
    "\"attributes\":[{\"key\":\"http.route\",\"value\":{\"stringValue\":"
    "\"/\"}},{\"key\":\"http.response.status_code\",\"value\":"
    "{\"intValue\":\"500\"}}],\"events\":[{\"name\":\"e\"}]},"
    "{" SPAN "\"0000000000000002\",\"parentSpanId\":\"0000000000000001\","
    "\"name\":\"query\",\"kind\":3,\"startTimeUnixNano\":\"" T0 "\","
    "\"endTimeUnixNano\":\"" T1 "\",\"attributes\":[{\"key\":"
    "\"db.system.name\",\"value\":{\"stringValue\":\"redis\"}}]}]}]}]}",
    "{\"resourceLogs\":[{" RESOURCE ",\"scopeLogs\":[{\"logRecords\":["
    "{\"timeUnixNano\":\"" T0 "\",\"severityNumber\":17,\"body\":"
    "{\"stringValue\":\"timeout after 3 s\"}," SPAN "\"0000000000000001\"},"
    "{\"timeUnixNano\":\"" T1
    "\",\"eventName\":\"k\",\"body\":{\"kvlistValue\":"
    "{\"values\":[{\"key\":\"a\",\"value\":{\"doubleValue\":1.5}}]}}}]}]}]}",
    "{\"resourceMetrics\":[{" RESOURCE ",\"scopeMetrics\":[{\"metrics\":["
    "{\"name\":\"container.cpu.usage\",\"gauge\":{\"dataPoints\":["
    "{\"timeUnixNano\":\"" T0 "\",\"asDouble\":0.5}]}},"
    "{\"name\":\"k8s.pod.network.io\",\"sum\":{\"isMonotonic\":true,"
    "\"aggregationTemporality\":2,\"dataPoints\":[{\"startTimeUnixNano\":"
    "\"" T0 "\",\"timeUnixNano\":\"" T1 "\",\"asInt\":\"7\",\"attributes\":"
    "[{\"key\":\"direction\",\"value\":{\"stringValue\":\"receive\"}}]}]}},"
    "{\"name\":\"x\",\"gauge\":{\"dataPoints\":["
    "{\"timeUnixNano\":\"1000000000\",\"asDouble\":0},"
    "{\"timeUnixNano\":\"2000000000\",\"asDouble\":0.3333333,"
    "\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":"
    "\"b\\\"c\"}}]},"
    "{\"timeUnixNano\":\"3000000000\",\"asDouble\":0.6666666}]}}"
    "]}]}]}",
};

static void clean_up(void)
{
    char command[64];

    reader_close(reader);
    correlator_close(correlator);
    registry_close(registry);
    store_close(store);
    catalog_free(catalog);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    if (system(command) != 0)
        abort();
}

static void take(enum signal signal)
{
    size_t len = strlen(world[signal]);
    struct batch *batch =
        batch_new(signal, mem_copy(world[signal], len), len, NULL);
    enum status s;

    batch->encoding = BATCH_JSON;
    batch->lsn = (uint64_t)signal + 1;
    batch->received_ns = UINT64_C(1787299201) * 1000000000;
    s = otlp_decode(batch, 0, NULL);
    assert(s == OK);
    correlator_take(correlator, batch);
}

static void start(void)
{
    struct store_options options = {.dir = dir,
                                    .block_spans = 1000,
                                    .block_logs = 1000,
                                    .memtable_bytes = 1 << 20,
                                    .memtable_age_ns = UINT64_MAX};
    struct registry_options names = {.keys = registry_default_keys,
                                     .max_resources = 100,
                                     .max_identities = 100};
    struct correlator_options correlating = {.max_operations = 10,
                                             .max_series = 1000,
                                             .max_unpaired_spans = 100,
                                             .edge_wait_ns = UINT64_MAX,
                                             .max_templates = 10,
                                             .queue = 4};
    enum status s;

    if (!mkdtemp(dir))
        abort();
    s = store_open(&store, &options);
    assert(s == OK);
    s = registry_open(&registry, &names, store);
    assert(s == OK);
    catalog = catalog_new();
    s = correlator_open(&correlator, &correlating, store, registry, catalog);
    assert(s == OK);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        take((enum signal)i);
    s = reader_open(&reader, store);
    assert(s == OK);
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

static void read_pieces(struct query_request *request)
{
    while (request->produce) {
        size_t before = request->out.len;

        if (!request->produce(request->produce_arg, &request->out))
            request->produce = NULL;
        assert(request->out.len > before);
        assert(request->out.len - before < MAX_PIECE);
    }
    assert(request->out.status == OK);
}

static void check_answer(const struct query_request *request, struct slice path)
{
    json_t *json;

    assert(request->http_status != 500);
    if (strcmp(request->content_type_out, "application/json") != 0)
        return;
    json = json_loadb(request->out.ptr ? request->out.ptr : "",
                      request->out.len, JSON_ALLOW_NUL, NULL);
    assert(json_is_object(json) || json_is_array(json));
    if (slice_starts(path, SLICE("/prometheus/")))
        assert(json_is_string(json_object_get(json, "status")));
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice path = {(const char *)data, size}, body, query, method;
    struct query_options options = {0};
    struct arena arena;
    struct query_request request;

    if (!store)
        start();
    options = (struct query_options){
        .store = store, .registry = registry, .catalog = catalog};
    arena_init(&arena, NULL, 64 << 20);
    query_request_init(&request, &options, &arena, 1 << 20);
    body = cut(&path, '\n');
    method = path;
    path = cut(&method, ' ');
    query = cut(&path, '?');
    read_params(&request, query);
    request.now_ns = UINT64_C(1787302800) * 1000000000;
    route_find(&request, method, path);
    request.content_type = SLICE("application/json");
    if (request.route && request.route->flags & TAKES_FORM)
        request.content_type = SLICE("application/x-www-form-urlencoded");
    if (slice_equal(method, SLICE("GET")))
        request.accept = body;
    else
        request.raw_body = body;
    query_request_subject(&request, subject_everyone());
    query_request_run(&request, reader);
    read_pieces(&request);
    check_answer(&request, path);
    buf_release(&request.out);
    arena_release(&arena);
    return 0;
}
