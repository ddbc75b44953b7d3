/*
 * libmicrohttpd does the HTTP; its threads call handle() several times for
 * each request:
 *
 *   begin   the head is here: checked, and refused before the body is read
 *   body    a piece of the body: added to the request, or thrown away
 *   end     all of it is here: decoded; the connection is suspended and the
 *           batch submitted. When that is done, on a thread of the journal or
 *           the store, the connection is resumed, and
 *   end     is called again, and answers.
 *
 * A suspended connection is not looked at, so a client that goes away meanwhile
 * is noticed only after it was resumed: the exchange lives until done() was
 * called, and is freed by completed().
 *
 * Refusing. An answer queued before the body was read makes the library close
 * the connection, and a client that is still sending mostly sees a reset in
 * place of our answer; it would never learn "too large" or "retry after". So a
 * body of bounded length is read and thrown away, which costs no memory; only
 * when the client waits for "100 Continue", or would send without end, is the
 * answer at once.
 *
 * Memory. The library gives every connection a pool of POOL bytes. It is
 * charged to the budget, of which kept connections may have half: a page or so
 * while no request was made on it, all of it after that, for then it is
 * touched. Reading goes through the pool, so it bounds a recv(). Measured with
 * bodies of 216 KB, receiving and decoding took 0.40, 0.385 and 0.365 us a span
 * with pools of 16, 32 and 64 KiB: little, against four times the memory for
 * each client that keeps its connection.
 */
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "guard.h"
#include "listen.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum {
    POOL = 16 * 1024,
    IDLE_CHARGE = 6 * 1024, /* of a connection without a request yet */
    ANSWER_MAX = 16 * 1024,
    LAST_ANSWERS_MS = 2000 /* to leave, when stopping */
};

struct http {
    struct intake *intake;
    struct MHD_Daemon *daemon;
    uint16_t port;
    int quiesced_fd;           /* not listening any more; -1 before */
    struct budget connections; /* their share of the budget */
    struct guard *guard;       /* against those that take too long */
    atomic_uint busy;          /* requests from their last byte to their end */
};

/* What is kept for a connection. */
struct peer {
    size_t charged; /* to the budget; of that, */
    size_t shared;  /* to the share of connections */
    struct guarded *guarded;
};

struct exchange {
    struct request request;
    struct http *http;
    struct MHD_Connection *connection;
    uint64_t thrown_away;
    bool refused;   /* the outcome is known, the rest is thrown away */
    bool submitted; /* was with the sink, so the outcome is known */
    bool busy;      /* counted there */
    bool last;      /* the connection is closed after the answer */
};

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* ---- answering ---- */

static const char *content_type(const struct exchange *exchange)
{
    return exchange->request.encoding == BATCH_JSON ? "application/json"
                                                    : "application/x-protobuf";
}

static void add_headers(struct MHD_Response *response,
                        const struct exchange *exchange)
{
    enum status status = exchange->request.status;

    /* Bare, without a charset: clients compare it as a string. */
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  content_type(exchange));
    if (status_http(status) == MHD_HTTP_SERVICE_UNAVAILABLE)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER,
                                      "1");
    if (status == ERR_METHOD)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "POST");
    if (exchange->last || status == ERR_STOPPING)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION,
                                      "close");
}

static enum MHD_Result answer(struct exchange *exchange)
{
    struct buf out;
    struct MHD_Response *response;
    enum MHD_Result result;
    size_t len;
    char *bytes;

    buf_init(&out, ANSWER_MAX);
    request_write(&exchange->request, &out);
    bytes = buf_detach(&out, &len);
    response =
        MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(bytes);
        return MHD_NO;
    }
    add_headers(response, exchange);
    result = MHD_queue_response(exchange->connection,
                                (unsigned)status_http(exchange->request.status),
                                response);
    MHD_destroy_response(response);
    return result;
}

/* ---- the head ---- */

/* The part before ";", without blanks, equals name, ASCII case ignored. */
static bool token_is(const char *value, const char *name)
{
    size_t len = strcspn(value, ";");

    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    return len == strlen(name) && strncasecmp(value, name, len) == 0;
}

static bool find_signal(const char *path, enum signal *signal)
{
    static const char *const paths[SIGNAL_COUNT] = {"/v1/traces", "/v1/logs",
                                                    "/v1/metrics"};

    for (int i = 0; i < SIGNAL_COUNT; i++)
        if (strcmp(path, paths[i]) == 0) {
            *signal = (enum signal)i;
            return true;
        }
    return false;
}

static bool find_encoding(const char *type, enum batch_encoding *encoding)
{
    *encoding = BATCH_JSON; /* of the answer, if it is neither */
    if (type && token_is(type, "application/x-protobuf"))
        *encoding = BATCH_PROTOBUF;
    else if (!type || !token_is(type, "application/json"))
        return false;
    return true;
}

static bool find_format(const char *coding, enum inflate_format *format)
{
    *format = INFLATE_NONE;
    if (!coding || token_is(coding, "") || token_is(coding, "identity") ||
        token_is(coding, "none"))
        return true;
    *format = INFLATE_GZIP;
    if (token_is(coding, "gzip") || token_is(coding, "x-gzip"))
        return true;
    *format = INFLATE_ZSTD;
    return token_is(coding, "zstd");
}

/* The library has checked that it is a number; 0 if it is not told. */
static uint64_t find_length(struct MHD_Connection *connection)
{
    const char *text = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t length = 0;

    for (; text && *text >= '0' && *text <= '9'; text++) {
        if (length > UINT64_MAX / 16)
            return UINT64_MAX;
        length = length * 10 + (uint64_t)(*text - '0');
    }
    return length;
}

static void refuse(struct exchange *exchange, enum status status,
                   struct slice detail)
{
    exchange->refused = true;
    request_refuse(&exchange->request, status, detail);
}

/* Raises what a connection is charged to `bytes`, within the share. */
static bool charge(struct http *http, struct peer *peer, size_t bytes)
{
    size_t more = bytes - peer->charged;

    if (peer->charged >= bytes)
        return true;
    if (!budget_take(&http->connections, more))
        return false;
    if (!budget_take(http->intake->options.budget, more)) {
        budget_give(&http->connections, more);
        return false;
    }
    peer->charged += more;
    peer->shared += more;
    return true;
}

static struct peer *peer_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* Charges the connection in full. When three quarters of the share are used up
 * (the rest is for new ones), it may still make this one request, at the
 * expense of all, and is closed after it. */
static bool charge_connection(struct exchange *exchange)
{
    struct peer *peer = peer_of(exchange->connection);
    struct http *http = exchange->http;

    if (!peer || peer->charged >= POOL)
        return true;
    if (budget_used(&http->connections) < http->connections.limit / 4 * 3 &&
        charge(http, peer, POOL))
        return true;
    exchange->last = true;
    if (!budget_take(http->intake->options.budget, POOL - peer->charged))
        return false;
    peer->charged = POOL;
    return true;
}

static void check_head(struct exchange *exchange, const char *path,
                       const char *method)
{
    static const enum stats_id counters[SIGNAL_COUNT] = {
        STATS_REQUESTS_SPANS, STATS_REQUESTS_LOGS, STATS_REQUESTS_METRICS};
    struct request *request = &exchange->request;
    struct MHD_Connection *connection = exchange->connection;
    bool known = find_encoding(header(connection, MHD_HTTP_HEADER_CONTENT_TYPE),
                               &request->encoding);
    enum status status;

    request->expected = find_length(connection);
    if (!find_signal(path, &request->signal)) {
        refuse(exchange, ERR_NOT_FOUND,
               SLICE("POST /v1/traces, /v1/logs or /v1/metrics"));
        return;
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        refuse(exchange, ERR_METHOD, SLICE("POST is the only method here"));
        return;
    }
    stats_add(counters[request->signal], 1);
    if (!known) {
        refuse(exchange, ERR_UNSUPPORTED,
               SLICE("Content-Type must be application/x-protobuf or "
                     "application/json"));
        return;
    }
    if (!find_format(header(connection, MHD_HTTP_HEADER_CONTENT_ENCODING),
                     &request->format)) {
        refuse(exchange, ERR_UNSUPPORTED,
               SLICE("Content-Encoding must be gzip, zstd or identity"));
        return;
    }
    status = request_ready(request);
    if (status == OK && !charge_connection(exchange))
        status = ERR_BUSY;
    if (status != OK)
        refuse(exchange, status, (struct slice){NULL, 0});
}

/* True if what is left of a refused request is to be read. */
static bool worth_reading(const struct exchange *exchange)
{
    uint64_t max = exchange->http->intake->options.max_body;

    return !header(exchange->connection, MHD_HTTP_HEADER_EXPECT) &&
           exchange->request.expected <= 2 * max;
}

static enum MHD_Result begin(struct http *http,
                             struct MHD_Connection *connection,
                             const char *path, const char *method, void **state)
{
    struct exchange *exchange = mem_zero(1, sizeof(*exchange));

    *state = exchange;
    exchange->http = http;
    exchange->connection = connection;
    exchange->request.intake = http->intake;
    check_head(exchange, path, method);
    if (exchange->refused && !worth_reading(exchange))
        return answer(exchange);
    return MHD_YES;
}

/* ---- the body ---- */

static enum MHD_Result body(struct exchange *exchange, struct slice bytes)
{
    enum status status = OK;

    if (!exchange->refused)
        status = request_add(&exchange->request, bytes);
    if (status != OK)
        refuse(exchange, status, (struct slice){NULL, 0});
    if (!exchange->refused)
        return MHD_YES;
    exchange->thrown_away += bytes.len;
    /* The library takes no answer in the middle of a body. */
    return exchange->thrown_away <= 2 * exchange->http->intake->options.max_body
               ? MHD_YES
               : MHD_NO;
}

static void resume(void *arg)
{
    struct exchange *exchange = arg;

    MHD_resume_connection(exchange->connection);
}

static enum MHD_Result end(struct exchange *exchange)
{
    struct request *request = &exchange->request;

    if (!exchange->busy) {
        exchange->busy = true;
        atomic_fetch_add(&exchange->http->busy, 1);
    }
    if (exchange->refused || exchange->submitted)
        return answer(exchange);
    if (!request_decode(request))
        return answer(exchange);
    exchange->submitted = true;
    request->answer = resume;
    request->arg = exchange;
    MHD_suspend_connection(exchange->connection);
    request_submit(request); /* may be answered when this returns */
    return MHD_YES;
}

/* ---- what the library calls ---- */

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection,
                              const char *path, const char *method,
                              const char *version, const char *bytes,
                              size_t *len, void **state)
{
    struct http *http = arg;
    struct guarded *guarded = peer_of(connection)->guarded;

    (void)version;
    if (!*state) {
        guard_renew(http->guard, guarded);
        return begin(http, connection, path, method, state);
    }
    if (*len > 0) {
        struct slice piece = {bytes, *len};

        *len = 0; /* all of it is dealt with */
        guard_progress(http->guard, guarded, piece.len);
        return body(*state, piece);
    }
    guard_pause(http->guard, guarded);
    return end(*state);
}

static void completed(void *arg, struct MHD_Connection *connection,
                      void **state, enum MHD_RequestTerminationCode why)
{
    struct http *http = arg;
    struct exchange *exchange = *state;

    (void)why;
    guard_renew(http->guard, peer_of(connection)->guarded);
    if (!exchange)
        return;
    *state = NULL;
    if (exchange->busy)
        atomic_fetch_sub(&http->busy, 1);
    request_release(&exchange->request);
    free(exchange);
}

static int socket_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection,
                                   MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

static void connected(void *arg, struct MHD_Connection *connection,
                      void **context, enum MHD_ConnectionNotificationCode what)
{
    struct http *http = arg;
    struct peer *peer = *context;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        peer = mem_zero(1, sizeof(*peer));
        (void)charge(http, peer, IDLE_CHARGE); /* seldom not: see accept */
        peer->guarded = guard_add(http->guard, socket_of(connection));
        *context = peer;
    } else if (peer) {
        guard_remove(http->guard, peer->guarded);
        budget_give(&http->connections, peer->shared);
        budget_give(http->intake->options.budget, peer->charged);
        free(peer);
        *context = NULL;
    }
}

/* No room for even an idle connection: it is closed unheard. */
static enum MHD_Result accepts(void *arg, const struct sockaddr *address,
                               socklen_t len)
{
    struct http *http = arg;
    struct budget *budget = http->intake->options.budget;

    (void)address;
    (void)len;
    return budget_used(&http->connections) + IDLE_CHARGE <=
                       http->connections.limit &&
                   budget_used(budget) + IDLE_CHARGE <= budget->limit
               ? MHD_YES
               : MHD_NO;
}

/* ---- start and stop ---- */

static struct MHD_Daemon *start_daemon(struct http *http, int fd)
{
    const struct ingest_options *options = &http->intake->options;
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC;
    struct MHD_OptionItem more[] = {
        {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    if (options->threads <= 1) /* a pool of one is refused */
        more[0].option = MHD_OPTION_END;
    return MHD_start_daemon(
        flags, 0, accepts, http, handle, http, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->max_connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL,
        MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(options->idle_timeout_ns / NS_PER_S),
        MHD_OPTION_NOTIFY_COMPLETED, completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, connected, http, MHD_OPTION_ARRAY, more,
        MHD_OPTION_END);
}

enum status http_start(struct http **out, struct intake *intake)
{
    struct http *http = mem_zero(1, sizeof(*http));
    const char *where = intake->options.otlp_http;
    int fd = -1;
    enum status status = listen_open(where, &fd, &http->port);

    http->intake = intake;
    http->quiesced_fd = -1;
    http->guard = guard_new(intake->options.idle_timeout_ns);
    budget_init(&http->connections, intake->options.budget->limit / 2);
    if (status == OK) {
        http->daemon = start_daemon(http, fd);
        if (!http->daemon) {
            close(fd);
            status = ERR_IO;
        }
    }
    if (status != OK) {
        log_error("ingest", "cannot listen for OTLP/HTTP", "address=%s why=%s",
                  where,
                  status == ERR_IO ? strerror(errno) : status_text(status));
        guard_free(http->guard);
        free(http);
        return status;
    }
    *out = http;
    return OK;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

void http_tend(struct http *http)
{
    (void)guard_tend(http->guard);
}

void http_quiesce(struct http *http)
{
    if (!http)
        return;
    /* Nobody can connect any more. It is closed once the library's thread has
     * ended, which may still take it out of its epoll set. */
    http->quiesced_fd = MHD_quiesce_daemon(http->daemon);
    if (http->quiesced_fd >= 0)
        (void)shutdown(http->quiesced_fd, SHUT_RDWR);
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    for (int i = 0; i < LAST_ANSWERS_MS && atomic_load(&http->busy) > 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    MHD_stop_daemon(http->daemon);
    if (http->quiesced_fd >= 0)
        close(http->quiesced_fd);
    guard_free(http->guard);
    free(http);
}
