/*
 * The query port: queue, workers, limits. The HTTP server (http_server.h) owns
 * the connections.
 *
 *   I/O thread: receives the request, suspends it, pushes it
 *                   -> queue, fair to tenants, bounded: above it 429 or 503
 *   worker threads, each with a reader: query_request_run(), resume
 *   I/O thread: sends the response
 *
 * One that waits for a decision or for logs (query_wait.h) has no worker. It
 * belongs to one thread at a time: I/O, worker until it resumes, I/O again.
 *
 * Workers One more than --query-workers: that is how many one tenant (or
 *         address) may have, so one is always free for others.
 * Cancel  A client that closes its connection cancels its query: it ends
 *         between two blocks.
 * Memory  Bodies, arenas and responses that wait to be sent are charged to one
 *         budget for all queries; a response while it is written is bounded by
 *         max_reply times the number of workers. A worker frees the arena
 *         before the response is sent, so slow clients hold only their
 *         responses, at most half of the budget. An answer that is sent in
 *         pieces keeps its arena until its end, and counts with it.
 * Stop    No new connections, the queue is closed and drained, and responses
 *         have two seconds to be sent.
 */
#include "query.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "fair_queue.h"
#include "log.h"
#include "mem.h"
#include "query_memory.h"
#include "query_wait.h"
#include "stats.h"

struct worker {
    pthread_t thread;
    struct query *query;
    struct reader *reader;
};

struct query {
    struct query_options options;
    struct http_server *http, *admin;
    struct fair_queue *queue;
    struct budget budget;
    struct worker *workers;
    uint32_t worker_count; /* running */
    atomic_uint undecided; /* queries that wait for a decision, or for logs */
    struct query_waits waits;
    pthread_mutex_t again; /* held by the one query that runs again */
    char challenge[QUERY_CHALLENGE];
};

enum {
    QUERY_SECONDS = 30,  /* of a query, unless a limit says otherwise */
    TENANT_WAITING = 64, /* queries of a namespace */
    MAX_ADMIN = 16,      /* connections */
    MAX_DECISIONS = 4,   /* of a query */
};

/* A query from its HTTP request to its response; `user` of the former. */
struct queued_query {
    struct query_request request;
    struct http_request *http;
    struct query *query;
    const atomic_bool *disconnected; /* the client */
    struct arena arena;
    struct access_waiter waiter;
    struct query_wait wait;
    atomic_int holders; /* the worker, and who decides: the last one goes on */
    int decisions;      /* that it waited for */
};

static const struct route *route_of(const struct http_request *http)
{
    return http->route ? http->route->user : NULL;
}

/* Of a request that waited for a decision: from the beginning. */
static void begin_query(struct queued_query *queued)
{
    struct query *query = queued->query;
    struct http_request *http = queued->http;
    struct query_request *request = &queued->request;
    struct budget *budget = query_budget(&query->budget, http->tenant);

    arena_init(&queued->arena, budget, budget->limit);
    query_request_init(request, &query->options, &queued->arena,
                       query->options.max_reply);
    request->http = http;
    request->route = route_of(http);
    request->write_error = query_error_writer(request->route, http->path);
    query_request_subject(request, http->subject);
    memcpy(request->parts, http->parts, sizeof(request->parts));
    request->params = http->params;
    request->param_count = http->param_count;
    request->content_type =
        http->content_type.ptr ? http->content_type : SLICE("");
    request->accept = http->accept;
    request->raw_body = (struct slice){http->body, http->len};
}

static void decided(struct access_waiter *waiter);

static void set_asker(struct queued_query *queued)
{
    queued->request.asker = &queued->http->subject;
    queued->waiter.ready = decided;
    queued->request.waiter = &queued->waiter;
    queued->request.wait = &queued->wait;
}

static struct queued_query *queued_query_new(struct query *query,
                                             struct http_request *http)
{
    struct queued_query *queued = mem_zero(1, sizeof(*queued));

    queued->query = query;
    queued->http = http;
    queued->wait.waits = &query->waits;
    queued->wait.waiter = &queued->waiter;
    begin_query(queued);
    return queued;
}

static void release(void *arg, struct http_request *http)
{
    struct queued_query *queued = http->user;

    (void)arg;
    if (!queued)
        return;
    arena_release(&queued->arena);
    buf_release(&queued->request.out);
    free(queued);
    http->user = NULL;
}

/* ---- responses ---- */

static void set_response(struct query_request *request,
                         struct http_request *http)
{
    http->response.code = request->http_status;
    http->response.content_type = request->content_type_out;
    http->response.file = request->file;
    http->response.location = request->location;
    http->response.body = request->out;
    http->response.untagged = request->untagged;
    http->response.produce = request->produce;
    http->response.produce_arg = request->produce_arg;
    http->response.held = request->arena ? arena_size(request->arena) : 0;
    buf_init(&request->out, 0);
    stats_add_code(STATS_QUERIES_200, http_is_disconnected(http)
                                          ? 499 /* "client closed request" */
                                          : (unsigned)request->http_status);
}

static void refuse(void *arg, struct http_request *http, enum status status,
                   const char *why)
{
    struct query *query = arg;
    struct query_request request;

    query_request_init(&request, &query->options, NULL,
                       query->options.max_reply);
    request.route = route_of(http);
    request.write_error = query_error_writer(request.route, http->path);
    request.allow = http->response.allow;
    if (status == ERR_UNAUTHENTICATED)
        query_refuse_credential(&request, why);
    else if (why)
        query_fail(&request, status, NULL, "%s", why);
    else
        query_refuse_route(&request);
    set_response(&request, http);
}

/* Again, while other queries hold the memory that it needs. */
static void run_until_it_fits(struct queued_query *queued,
                              struct reader *reader)
{
    struct query_request *request = &queued->request;
    struct memory_wait wait = {.turn = &queued->query->again,
                               .disconnected = queued->disconnected};
    bool asks = request->asker;

    query_request_run(request, reader);
    while (memory_wait(&wait, request)) {
        buf_release(&request->out);
        begin_query(queued);
        if (asks)
            set_asker(queued);
        query_request_run(request, reader);
    }
    memory_wait_end(&wait);
}

static void run(struct queued_query *queued, struct reader *reader)
{
    run_until_it_fits(queued, reader);
    if (!queued->request.produce)
        arena_release(&queued->arena);
    if (queued->request.waits)
        return;
    set_response(&queued->request, queued->http);
}

/* ---- the queue ---- */

/* An address may have three quarters of the places for those that wait. */
static enum status push(struct queued_query *queued,
                        struct tenant_refusal *refusal)
{
    struct query *query = queued->query;
    struct tenant *tenant = queued->http->tenant;
    bool is_namespace = tenant_is_namespace(tenant);
    uint32_t places = query->options.max_waiting;
    struct fair_client client = {
        .key = queued->http->holder,
        .max_running =
            tenant_limit(tenant, LIMIT_QUERIES, query->options.workers),
        .max_waiting =
            tenant_limit(tenant, LIMIT_QUERIES_WAITING,
                         is_namespace ? TENANT_WAITING : (places * 3 + 3) / 4),
    };
    enum status status = fair_queue_push(query->queue, &client, queued);

    if (status == ERR_LIMITED && is_namespace)
        (void)tenant_over_limit(tenant, LIMIT_QUERIES_WAITING,
                                client.max_waiting, 1, refusal);
    else
        snprintf(refusal->text, sizeof(refusal->text),
                 "too many concurrent queries; retry later");
    return status;
}

static void push_or_refuse(struct queued_query *queued)
{
    struct query *query = queued->query;
    struct http_request *http = queued->http;
    struct tenant_refusal refusal;
    enum status status = push(queued, &refusal);

    if (status == OK)
        return;
    refuse(query, http, status, refusal.text);
    if (http->tenant)
        tenant_query_done(http->tenant, 0, http->response.code);
    http_resume(http);
}

/* ---- decisions of the authorization service ---- */

/* The decision is there, and the worker is done with the first run. */
static void run_again(struct queued_query *queued)
{
    struct query *query = queued->query;

    buf_release(&queued->request.out);
    begin_query(queued);
    push_or_refuse(queued);
    atomic_fetch_sub(&query->undecided, 1);
}

static void decided(struct access_waiter *waiter)
{
    struct queued_query *queued =
        (struct queued_query *)((char *)waiter -
                                offsetof(struct queued_query, waiter));

    if (atomic_fetch_sub(&queued->holders, 1) == 1)
        run_again(queued);
}

/* Before each run of the handler. */
static void allow_decisions(struct queued_query *queued)
{
    if (queued->decisions == MAX_DECISIONS)
        return;
    queued->decisions += queued->wait.until_ns == 0;
    set_asker(queued);
    atomic_store(&queued->holders, 2);
    atomic_fetch_add(&queued->query->undecided, 1);
}

/* After it. True: it waits for a decision, which may be there already. */
static bool awaits_decision(struct queued_query *queued)
{
    struct query *query = queued->query;

    if (!queued->request.asker)
        return false;
    if (!queued->request.waits) {
        atomic_fetch_sub(&query->undecided, 1);
        return false;
    }
    if (atomic_fetch_sub(&queued->holders, 1) == 1)
        run_again(queued);
    return true;
}

static uint64_t deadline_of(const struct tenant *tenant, uint64_t now)
{
    uint64_t seconds = tenant_limit(tenant, LIMIT_QUERY_SECONDS, QUERY_SECONDS);

    return seconds < UINT32_MAX ? now + seconds * NS_PER_S : 0;
}

static void serve(struct worker *worker, struct queued_query *queued)
{
    struct tenant *tenant = queued->http->tenant;
    uint64_t begin = clock_monotonic_ns();

    reader_set_deadline(worker->reader, deadline_of(tenant, begin));
    if (http_is_disconnected(queued->http)) { /* while it waited */
        refuse(worker->query, queued->http, ERR_CANCELLED,
               "the client closed the connection");
    } else {
        allow_decisions(queued);
        reader_set_cancel(worker->reader, queued->disconnected);
        run(queued, worker->reader);
        reader_set_cancel(worker->reader, NULL);
    }
    if (tenant && !queued->request.waits)
        tenant_query_done(tenant, clock_monotonic_ns() - begin,
                          queued->http->response.code);
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct fair_queue *queue = worker->query->queue;
    struct queued_query *queued;
    void *ticket;

    while ((queued = fair_queue_pop(queue, &ticket))) {
        serve(worker, queued);
        fair_queue_done(queue, ticket);
        if (!awaits_decision(queued))
            http_resume(queued->http); /* it may be freed now */
    }
    return NULL;
}

/* ---- the I/O thread ---- */

static enum http_next handle(void *arg, struct http_request *http)
{
    struct query *query = arg;
    struct queued_query *queued = queued_query_new(query, http);

    http->user = queued;
    if (queued->request.route->flags & (ON_IO | SENDS_FILE)) {
        run(queued, NULL);
        return HTTP_DONE;
    }
    /* Suspended first: the worker may be done before push returns. */
    http_suspend(http);
    queued->disconnected = http_watch_disconnect(http);
    push_or_refuse(queued);
    return HTTP_PENDING;
}

static bool covers(void *arg, const struct http_request *http,
                   const union scope_names *scope)
{
    return query_route_covers(((struct query *)arg)->options.registry, http,
                              scope);
}

/* ---- start and stop ---- */

/* The same routes for the user of the process, who may do all. */
static void start_admin(struct query *query, struct http_options http)
{
    http.name = "admin";
    http.listen = query->options.admin;
    http.access = NULL;
    http.tls = NULL;
    http.max_connections = MAX_ADMIN;
    http.cors_origins = http.allowed_hosts = "";
    if (http.listen && http_start(&query->admin, &http) != OK)
        log_warn("query", "no socket for the command line",
                 log_text("path", http.listen));
}

static enum status start_http(struct query *query)
{
    struct http_options http = {
        .name = "query",
        .listen = query->options.listen,
        .service = {.covers = covers,
                    .handle = handle,
                    .refuse = refuse,
                    .release = release,
                    .arg = query},
        .access = query->options.access,
        .tenants = query->options.tenants,
        .max_connections = query->options.max_connections,
        .files_eighths = 1,
        .idle_timeout_ns = query->options.idle_timeout_ns,
        .max_body = QUERY_MAX_BODY,
        .budget = &query->budget,
        .body_share = query->budget.limit / 4,
        .response_share = query->budget.limit / 2,
        .cors_origins = query->options.cors_origins,
        .allowed_hosts = query->options.allowed_hosts,
        .challenge = query_challenge(&query->options, query->challenge),
        .tls = query->options.tls,
    };

    http.routes = query_routes(query->options.surfaces, &http.route_count);
    start_admin(query, http);
    return http_start(&query->http, &http);
}

static enum status start_workers(struct query *query)
{
    uint32_t count = query->options.workers + 1;

    query->workers = mem_zero(count, sizeof(*query->workers));
    while (query->worker_count < count) {
        struct worker *worker = &query->workers[query->worker_count];
        enum status s = reader_open(&worker->reader, query->options.store);

        if (s != OK)
            return s;
        worker->query = query;
        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
            reader_close(worker->reader);
            return ERR_INTERNAL;
        }
        query->worker_count++;
    }
    return OK;
}

enum status query_start(struct query **query_out,
                        const struct query_options *options)
{
    struct query *query = mem_zero(1, sizeof(*query));
    enum status s;

    query->options = *options;
    query->queue = fair_queue_new(options->max_waiting);
    budget_init(&query->budget, options->memory);
    pthread_mutex_init(&query->again, NULL);
    query_waits_init(&query->waits, options->store);
    s = start_workers(query);
    if (s == OK)
        s = start_http(query);
    if (s != OK) {
        query_stop(query);
        return s;
    }
    *query_out = query;
    return OK;
}

uint16_t query_port(const struct query *query)
{
    return http_port(query->http);
}

/* A call of the authorization service ends by its timeout. */
static void wait_for_decisions(struct query *query)
{
    while (atomic_load(&query->undecided) > 0)
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
}

void query_stop(struct query *query)
{
    if (!query)
        return;
    http_quiesce(query->http);
    http_quiesce(query->admin);
    query_waits_stop(&query->waits);
    wait_for_decisions(query);
    fair_queue_close(query->queue);
    for (uint32_t i = 0; i < query->worker_count; i++) {
        pthread_join(query->workers[i].thread, NULL);
        reader_close(query->workers[i].reader);
    }
    wait_for_decisions(query); /* of queries that were queued until now */
    http_stop(query->http);
    http_stop(query->admin);
    free(query->workers);
    fair_queue_free(query->queue);
    pthread_mutex_destroy(&query->again);
    free(query);
}
