/*
 * The query port: sockets, threads, limits.
 *
 *   I/O thread (libmicrohttpd): reads the request into a job, suspends the
 *       connection, pushes the job        -> queue, bounded: beyond it 503
 *   worker threads, a reader each: answer_call, resume the connection
 *   I/O thread: sends job->call.out, frees the job when that is done
 *
 * A job belongs to whoever works on it: the I/O thread until it is pushed, the
 * worker until it resumes the connection, then the I/O thread again.
 *
 * Memory  Bodies, arenas and answers that wait to be sent are charged to one
 *         budget for all questions; an answer while it is being written is
 *         bounded by max_reply times the number of workers. A worker frees
 *         body and arena before the answer goes out, so a slow client holds
 *         its answer and nothing else, and all of them half of the budget.
 * Stop    No new connections, the queue is closed and drained, the answers
 *         get two seconds to leave.
 */
#include "query.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "cors.h"
#include "guard.h"
#include "listen.h"
#include "log.h"
#include "mem.h"
#include "queue.h"
#include "route.h"
#include "stats.h"

enum {
    CONNECTION_MEMORY = 16 * 1024, /* request line and headers */
    MAX_PARAMS = 64,
    SMALL_ANSWER = 64 * 1024,
    SEND_LAST_MS = 2000,
};

struct worker {
    pthread_t thread;
    struct query *query;
    struct reader *reader;
};

struct query {
    struct query_options options;
    struct MHD_Daemon *http;
    struct guard *guard; /* against those that take too long to ask */
    struct queue *queue;
    struct budget budget;
    struct budget waiting; /* of it, for answers that wait to be sent */
    struct worker *workers;
    uint32_t worker_count; /* running */
    uint16_t port;
    atomic_uint open; /* jobs that exist */
};

struct job {
    struct call call;
    struct query *query;
    struct MHD_Connection *connection;
    struct arena arena;
    struct call_pair params[MAX_PARAMS];
    char *body;
    size_t body_len, body_room, max_body;
    size_t reply_charged;
    bool too_big, no_memory; /* what is left of the body is thrown away */
    bool answered;
};

/* ---- jobs ---- */

static size_t unescape_nothing(void *cls, struct MHD_Connection *connection,
                               char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text); /* route.c does it after cutting at the slashes */
}

static enum MHD_Result add_param(void *cls, enum MHD_ValueKind kind,
                                 const char *key, const char *value)
{
    struct job *job = cls;
    struct call *call = &job->call;
    struct call_pair *pair = &job->params[call->param_count];

    (void)kind;
    if (call->param_count == MAX_PARAMS)
        return MHD_NO;
    pair->name = route_unescape(&job->arena, slice_of(key));
    pair->value = route_unescape(&job->arena, slice_of(value ? value : ""));
    call->param_count++;
    return MHD_YES;
}

static struct slice header(struct job *job, const char *name)
{
    const char *text =
        MHD_lookup_connection_value(job->connection, MHD_HEADER_KIND, name);

    return text ? slice_of(text) : (struct slice){NULL, 0};
}

static struct job *job_new(struct query *query,
                           struct MHD_Connection *connection, const char *url,
                           const char *method)
{
    struct job *job = mem_zero(1, sizeof(*job));

    job->query = query;
    job->connection = connection;
    arena_init(&job->arena, &query->budget, query->budget.limit);
    call_init(&job->call, &query->options, &job->arena,
              query->options.max_reply);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_param,
                              job);
    job->call.params = job->params;
    job->call.content_type = header(job, "Content-Type");
    job->max_body = CALL_MAX_BODY;
    if (route_find(&job->call, slice_of(method), slice_of(url)) &&
        job->call.route->max_body)
        job->max_body = job->call.route->max_body;
    atomic_fetch_add(&query->open, 1);
    return job;
}

static void drop_body(struct job *job)
{
    free(job->body);
    budget_give(&job->query->budget, job->body_room);
    job->body = NULL;
    job->body_room = 0;
    job->call.raw_body = (struct slice){NULL, 0};
}

static void job_free(struct job *job)
{
    drop_body(job);
    arena_release(&job->arena);
    buf_release(&job->call.out);
    budget_give(&job->query->budget, job->reply_charged);
    budget_give(&job->query->waiting, job->reply_charged);
    atomic_fetch_sub(&job->query->open, 1);
    free(job);
}

/* Makes room for len more bytes, or remembers why not. */
static bool grow_body(struct job *job, size_t len)
{
    size_t want = job->body_len + len;
    size_t room = job->body_room ? job->body_room : 4096;

    if (want > job->max_body) {
        job->too_big = true;
        return false;
    }
    while (room < want)
        room *= 2;
    if (room > job->body_room) {
        if (!budget_take(&job->query->budget, room - job->body_room)) {
            job->no_memory = true;
            return false;
        }
        job->body = mem_resize(job->body, room, 1);
        job->body_room = room;
    }
    return true;
}

static enum MHD_Result take_upload(struct job *job, const char *data,
                                   size_t *size)
{
    size_t len = *size;

    *size = 0;
    if (!job->too_big && !job->no_memory && !grow_body(job, len))
        drop_body(job);
    if (job->body)
        memcpy(job->body + job->body_len, data, len);
    job->body_len += len;
    /* Answers can only be sent at the end of a body; one without end gets
     * none. */
    return job->body_len > 4 * job->max_body ? MHD_NO : MHD_YES;
}

/* ---- answers ---- */

static void add_headers(struct job *job, struct MHD_Response *response)
{
    const struct call *call = &job->call;

    MHD_add_response_header(response, "Content-Type", call->content_type_out);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (call->http_status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, "Allow", call->allow);
    if (call->http_status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, "Retry-After", "1");
}

static void add_cors(struct job *job, struct MHD_Response *response,
                     bool preflight)
{
    const char *origins = job->query->options.cors_origins;
    const char *origin =
        MHD_lookup_connection_value(job->connection, MHD_HEADER_KIND, "Origin");

    if (!origins || !origins[0])
        return;
    MHD_add_response_header(response, "Vary", "Origin");
    if (!origin || !cors_allows(origins, slice_of(origin)))
        return;
    MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
    MHD_add_response_header(response, "Access-Control-Allow-Credentials",
                            "true");
    if (!preflight)
        return;
    MHD_add_response_header(response, "Access-Control-Allow-Methods",
                            "GET, HEAD, POST, PUT, OPTIONS");
    MHD_add_response_header(response, "Access-Control-Allow-Headers",
                            "Content-Type, Authorization, x-openchoreo-direct");
    MHD_add_response_header(response, "Access-Control-Max-Age", "7200");
}

static enum MHD_Result queue_response(struct job *job, int http_status,
                                      struct MHD_Response *response)
{
    enum MHD_Result result =
        MHD_queue_response(job->connection, (unsigned)http_status, response);

    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result send_answer(struct job *job)
{
    size_t len = 0;
    char *bytes = buf_detach(&job->call.out, &len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);

    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    add_headers(job, response);
    add_cors(job, response, false);
    return queue_response(job, job->call.http_status, response);
}

static enum MHD_Result send_preflight(struct job *job)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    if (!response)
        return MHD_NO;
    add_cors(job, response, true);
    return queue_response(job, MHD_HTTP_NO_CONTENT, response);
}

static void fail(struct job *job, enum status status, const char *why)
{
    call_fail(&job->call, status, NULL, "%s", why);
    stats_add(STATS_QUERY_REFUSED, status == ERR_BUSY);
    stats_add(STATS_QUERY_ERRORS, 1);
}

static enum MHD_Result refuse(struct job *job, enum status status,
                              const char *why)
{
    fail(job, status, why);
    return send_answer(job);
}

/* Answers that nobody reads keep their memory until the connection ends. They
 * get half of it, and large ones not all of that: so there is always some to
 * work with, and for small answers. */
static bool take_waiting(struct query *query, size_t room)
{
    struct budget *waiting = &query->waiting;
    size_t spare = room > SMALL_ANSWER ? waiting->limit / 4 : 0;

    if (budget_used(waiting) + room + spare > waiting->limit ||
        !budget_take(waiting, room))
        return false;
    if (budget_take(&query->budget, room))
        return true;
    budget_give(waiting, room);
    return false;
}

/* Charges the answer for as long as it waits to be sent. */
static void charge_answer(struct job *job)
{
    struct call *call = &job->call;

    if (take_waiting(job->query, call->out.room)) {
        job->reply_charged = call->out.room;
        return;
    }
    buf_release(&call->out);
    buf_init(&call->out, job->query->options.max_reply);
    call_fail(call, ERR_BUSY, NULL, "too many answers at once, ask again");
    stats_add(STATS_QUERY_REFUSED, 1);
}

static void answer_job(struct job *job, struct reader *reader)
{
    answer_call(&job->call, reader);
    drop_body(job);
    arena_release(&job->arena);
    charge_answer(job);
    job->answered = true;
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;
    struct job *job;

    while ((job = queue_pop(worker->query->queue, UINT64_MAX))) {
        answer_job(job, worker->reader);
        MHD_resume_connection(job->connection); /* job is not ours any more */
    }
    return NULL;
}

/* ---- the I/O thread ---- */

static enum MHD_Result finish_request(struct job *job)
{
    if (job->too_big)
        return refuse(job, ERR_TOO_BIG, "the body is larger than the limit");
    if (job->no_memory)
        return refuse(job, ERR_BUSY, "too many questions at once, ask again");
    job->call.raw_body = (struct slice){job->body, job->body_len};
    if (!job->call.route || job->call.route->flags & ON_IO) {
        answer_job(job, NULL);
        return send_answer(job);
    }
    /* Suspended first: the worker may be done before push returns. */
    MHD_suspend_connection(job->connection);
    if (!queue_push(job->query->queue, job)) {
        fail(job, ERR_BUSY, "too many questions waiting, ask again");
        job->answered = true;
        MHD_resume_connection(job->connection);
    }
    return MHD_YES;
}

/* Content-Length, where there is one, saves keeping what would be refused. True
 * if it is not even worth reading: a client that is still sending would mostly
 * see a reset in place of an answer given now. */
static bool announces_too_much(struct job *job)
{
    struct slice text = header(job, "Content-Length");
    uint64_t length = text.len > 0 ? strtoull(text.ptr, NULL, 10) : 0;

    job->too_big = length > job->max_body;
    return job->too_big &&
           (length > 4 * job->max_body || header(job, "Expect").len > 0);
}

/* What the guard has of a connection. */
static struct guarded *guarded_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection,
                                   MHD_CONNECTION_INFO_SOCKET_CONTEXT)
        ->socket_context;
}

static void connected(void *cls, struct MHD_Connection *connection,
                      void **context, enum MHD_ConnectionNotificationCode what)
{
    const struct query *query = cls;

    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *context = guard_add(query->guard,
                             MHD_get_connection_info(
                                 connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                                 ->connect_fd);
    else
        guard_remove(query->guard, *context);
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection,
                              const char *url, const char *method,
                              const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    const struct query *query = cls;
    struct guarded *guarded = guarded_of(connection);
    struct job *job = *state;

    (void)version;
    if (!job) {
        guard_renew(query->guard, guarded);
        *state = job = job_new(cls, connection, url, method);
        if (announces_too_much(job))
            return refuse(job, ERR_TOO_BIG,
                          "the body is larger than the limit");
        return MHD_YES;
    }
    if (*upload_size > 0) {
        guard_progress(query->guard, guarded, *upload_size);
        return take_upload(job, upload, upload_size);
    }
    guard_pause(query->guard, guarded);
    if (strcmp(method, "OPTIONS") == 0)
        return send_preflight(job);
    return job->answered ? send_answer(job) : finish_request(job);
}

static void completed(void *cls, struct MHD_Connection *connection,
                      void **state, enum MHD_RequestTerminationCode how)
{
    const struct query *query = cls;

    (void)how;
    guard_renew(query->guard, guarded_of(connection));
    if (*state)
        job_free(*state);
    *state = NULL;
}

/* ---- start and stop ---- */

static enum status start_http(struct query *query)
{
    int fd = -1;
    enum status s = listen_open(query->options.listen, &fd, &query->port);

    if (s != OK)
        return s;
    query->http = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        handle, query, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_NOTIFY_COMPLETED, completed, query,
        MHD_OPTION_NOTIFY_CONNECTION, connected, query,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape_nothing, NULL,
        MHD_OPTION_CONNECTION_LIMIT, query->options.max_connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(query->options.idle_timeout_ns / NS_PER_S), MHD_OPTION_END);
    if (query->http)
        return OK;
    close(fd);
    return ERR_IO;
}

static enum status start_workers(struct query *query)
{
    query->workers = mem_zero(query->options.workers, sizeof(*query->workers));
    while (query->worker_count < query->options.workers) {
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
    query->queue = queue_new(options->max_waiting);
    query->guard = guard_new(options->idle_timeout_ns);
    budget_init(&query->budget, options->memory);
    budget_init(&query->waiting, options->memory / 2);
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
    return query->port;
}

void query_tend(struct query *query)
{
    (void)guard_tend(query->guard);
}

static void wait_for_answers(struct query *query)
{
    struct timespec pause = {.tv_nsec = (long)NS_PER_MS};

    for (int ms = 0; ms < SEND_LAST_MS && atomic_load(&query->open); ms++)
        nanosleep(&pause, NULL);
}

void query_stop(struct query *query)
{
    MHD_socket fd = MHD_INVALID_SOCKET;

    if (!query)
        return;
    if (query->http)
        fd = MHD_quiesce_daemon(query->http);
    queue_close(query->queue);
    for (uint32_t i = 0; i < query->worker_count; i++) {
        pthread_join(query->workers[i].thread, NULL);
        reader_close(query->workers[i].reader);
    }
    if (query->http) {
        wait_for_answers(query);
        MHD_stop_daemon(query->http);
    }
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    free(query->workers);
    queue_free(query->queue);
    guard_free(query->guard);
    free(query);
}
