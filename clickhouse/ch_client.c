/*
 * Requests with libcurl's easy interface; see ch_client.h.
 *
 * libcurl sends again on a new connection if the server closed an idle one: the
 * body can be read again from its begin.
 */
#include "ch_client.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "buf.h"
#include "ch_handles.h"
#include "ch_response.h"
#include "ch_sql.h"
#include "ch_url.h"
#include "clock.h"
#include "mem.h"
#include "stats.h"
#include "url_write.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    URL_MAX = 1 << 20,
    RECEIVE_BYTES = 128 * 1024,
    SMALL_SQL = 200 * 1024, /* ClickHouse's max_query_size is 256 KiB */
    REFUSED_WRITE_S = 60,
};

/* The last request that says how ClickHouse is. */
struct noted_health {
    struct ch_error error;
    uint64_t at_ns;
};

struct ch_client {
    const struct curl_api *curl;
    struct ch_url url;
    struct curl_slist *headers;
    char *ca_file;
    uint32_t connect_timeout_ms;
    struct ch_handles handles;
    pthread_mutex_t lock;
    struct noted_health reads, writes;
};

/* One request under way. */
struct transmission {
    struct ch_client *client;
    const struct ch_request *request;
    struct ch_handle *handle;
    struct ch_response response;
    const struct slice *pieces; /* the body */
    uint32_t piece_count;
    uint32_t piece; /* the one to be sent next, and from where */
    size_t offset;
    bool cancelled, expired;
};

/* ---- callbacks of libcurl ---- */

static size_t send_bytes(char *to, size_t one, size_t count, void *arg)
{
    struct transmission *t = arg;
    size_t room = one * count, sent = 0;

    while (sent < room && t->piece < t->piece_count) {
        struct slice rest = slice_from(t->pieces[t->piece], t->offset);

        if (rest.len > room - sent)
            rest.len = room - sent;
        slice_copy(to + sent, rest);
        sent += rest.len;
        t->offset += rest.len;
        if (t->offset == t->pieces[t->piece].len) {
            t->piece++;
            t->offset = 0;
        }
    }
    return sent;
}

static int send_again(void *arg, curl_off_t offset, int origin)
{
    struct transmission *t = arg;

    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    t->piece = 0;
    t->offset = 0;
    return CURL_SEEKFUNC_OK;
}

static size_t take_head(char *bytes, size_t one, size_t count, void *arg)
{
    struct transmission *t = arg;

    ch_response_head(&t->response, (struct slice){bytes, one * count});
    return one * count;
}

/* Less than was given ends the transfer. */
static size_t take_body(char *bytes, size_t one, size_t count, void *arg)
{
    struct transmission *t = arg;
    struct slice body = {bytes, one * count};

    return ch_response_body(&t->response, body) ? body.len : 0;
}

static bool is_set(const atomic_bool *flag)
{
    return flag && atomic_load_explicit(flag, memory_order_relaxed);
}

/* Called while bytes flow, and once a second while none do. */
static int check_end(void *arg, curl_off_t total, curl_off_t received,
                     curl_off_t to_send, curl_off_t sent)
{
    struct transmission *t = arg;

    (void)total, (void)received, (void)to_send, (void)sent;
    t->cancelled =
        is_set(t->request->cancelled) || is_set(t->request->cancelled2);
    t->expired = clock_monotonic_ns() >= t->request->deadline_ns;
    return t->cancelled || t->expired;
}

/* ---- the request ---- */

static void add_number(struct buf *url, const char *name, uint64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);

    url_add_param(url, name, (struct slice){text, (size_t)len});
}

/* The server gives up when we do; a second more, so that it is us who say so.
 * What is written is not interrupted. */
static void add_read_settings(struct buf *url, uint64_t left_ns)
{
    add_number(url, "readonly", 2);
    add_number(url, "cancel_http_readonly_queries_on_client_close", 1);
    add_number(url, "max_execution_time", left_ns / NS_PER_S + 2);
}

static void write_url(const struct ch_client *client,
                      const struct ch_request *request, uint64_t left_ns,
                      struct buf *url)
{
    buf_add(url, slice_of(client->url.base));
    if (!request->no_database)
        url_add_param(url, "database", slice_of(client->url.database));
    if (request->pieces)
        url_add_param(url, "query", request->sql);
    add_number(url, "enable_http_compression", 1);
    add_number(url, "http_zlib_compression_level", 1);
    if (!request->writes)
        add_read_settings(url, left_ns);
    if (request->pieces)
        add_number(url, "async_insert", 0); /* acknowledged when it is stored */
    if (request->sql.len > SMALL_SQL) {
        add_number(url, "max_query_size", 2 * CH_SQL_MAX);
        add_number(url, "max_ast_elements", 10000000);
        add_number(url, "max_expanded_ast_elements", 10000000);
    }
    for (uint32_t i = 0; i < request->setting_count; i++)
        url_add_param(url, request->settings[i].name,
                      request->settings[i].value);
}

static void set_fixed(const struct ch_client *client, CURL *handle)
{
    const struct curl_api *curl = client->curl;

    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(handle, CURLOPT_HTTP_VERSION,
                      (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(handle, CURLOPT_PROXY, "");
    curl->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl->easy_setopt(handle, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl->easy_setopt(handle, CURLOPT_UPLOAD_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                      (long)client->connect_timeout_ms);
    curl->easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl->easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    if (client->ca_file)
        curl->easy_setopt(handle, CURLOPT_CAINFO, client->ca_file);
}

static void set_callbacks(struct transmission *t, curl_off_t body_bytes)
{
    const struct curl_api *curl = t->client->curl;
    CURL *handle = t->handle->curl;

    curl->easy_setopt(handle, CURLOPT_POST, 1L);
    curl->easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, body_bytes);
    curl->easy_setopt(handle, CURLOPT_READFUNCTION, send_bytes);
    curl->easy_setopt(handle, CURLOPT_READDATA, t);
    curl->easy_setopt(handle, CURLOPT_SEEKFUNCTION, send_again);
    curl->easy_setopt(handle, CURLOPT_SEEKDATA, t);
    curl->easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_head);
    curl->easy_setopt(handle, CURLOPT_HEADERDATA, t);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, t);
    curl->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, check_end);
    curl->easy_setopt(handle, CURLOPT_XFERINFODATA, t);
    curl->easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
}

/* What failed before an answer, or while it came. */
static void set_transfer_error(const struct transmission *t, CURLcode code,
                               struct ch_error *error)
{
    const char *place = t->client->url.place;
    const char *words = t->client->curl->easy_strerror(code);

    if (t->cancelled) {
        ch_error_set(error, ERR_CANCELLED, true, status_text(ERR_CANCELLED),
                     "%s", "");
        return;
    }
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        ch_error_set(error, ERR_IO, true,
                     "ClickHouse cannot be reached: does it run, is the "
                     "address right?",
                     "%s: %s", place, words);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        ch_error_set(error, ERR_IO, true,
                     "TLS with ClickHouse failed: check its certificate and "
                     "--clickhouse-ca",
                     "%s: %s", place, words);
        break;
    default:
        if (t->expired ||
            clock_monotonic_ns() + NS_PER_MS >= t->request->deadline_ns)
            ch_error_set(error, ERR_DEADLINE, true,
                         "ClickHouse did not answer in time", "%s: %s", place,
                         words);
        else
            ch_error_set(error, ERR_IO, true,
                         "the connection to ClickHouse failed; retry later",
                         "%s: %s", place, words);
        break;
    }
}

/* The answer's own error says more than that of its transfer. */
static void set_result(struct transmission *t, CURLcode code,
                       struct ch_error *error)
{
    bool complete = code == CURLE_OK || code == CURLE_WRITE_ERROR;

    ch_response_end(&t->response, code == CURLE_OK, error);
    if (code == CURLE_OK && t->response.http == 0)
        ch_error_set(error, ERR_IO, true,
                     "the address is not ClickHouse's HTTP interface", "%s",
                     t->client->url.place);
    else if (!complete && (error->status == OK || t->cancelled || t->expired ||
                           (error->code == 0 && t->response.http == 200)))
        set_transfer_error(t, code, error);
}

static CURLcode perform(struct transmission *t, const char *url,
                        const char *encoding)
{
    const struct curl_api *curl = t->client->curl;
    CURL *handle = t->handle->curl;
    struct curl_slist first = {.data = NULL, .next = t->client->headers};
    char *line = mem_copy(encoding, strlen(encoding));
    uint64_t now = clock_monotonic_ns();
    curl_off_t bytes = 0;
    CURLcode code;

    for (uint32_t i = 0; i < t->piece_count; i++)
        bytes += (curl_off_t)t->pieces[i].len;
    set_fixed(t->client, handle);
    set_callbacks(t, bytes);
    first.data = line;
    curl->easy_setopt(handle, CURLOPT_HTTPHEADER, &first);
    curl->easy_setopt(handle, CURLOPT_URL, url);
    curl->easy_setopt(handle, CURLOPT_TIMEOUT_MS,
                      (long)((t->request->deadline_ns - now) / NS_PER_MS) + 1);
    code = curl->easy_perform(handle);
    free(line);
    return code;
}

static void run(struct transmission *t, struct ch_error *error)
{
    const struct ch_request *request = t->request;
    uint64_t now = clock_monotonic_ns();
    struct buf url;

    buf_init(&url, URL_MAX);
    if (check_end(t, 0, 0, 0, 0) || !t->handle->curl) {
        set_transfer_error(t, CURLE_OPERATION_TIMEDOUT, error);
        return;
    }
    write_url(t->client, request, request->deadline_ns - now, &url);
    buf_byte(&url, '\0');
    if (url.status == OK)
        set_result(t,
                   perform(t, url.ptr,
                           request->zstd ? "Content-Encoding: zstd"
                                         : "Content-Encoding:"),
                   error);
    else
        ch_error_set(error, ERR_TOO_BIG, false,
                     "the statement is larger than 1 MiB", "%s", "");
    buf_release(&url);
}

/* ---- health ---- */

/* What failed for its own sake says nothing about ClickHouse. */
static void note_health(struct ch_client *client, bool probe, bool writes,
                        const struct ch_error *error)
{
    bool is_known = (probe && error->status == ERR_DEADLINE) ||
                    error->status == OK || error->status == ERR_IO ||
                    error->status == ERR_BUSY || error->status == ERR_CORRUPT;

    if (!is_known)
        return;
    pthread_mutex_lock(&client->lock);
    *(writes ? &client->writes : &client->reads) =
        (struct noted_health){*error, clock_monotonic_ns()};
    pthread_mutex_unlock(&client->lock);
}

/* A disk that is full answers questions: they do not end what a write says. A
 * write that nobody repeats counts for a minute. */
void ch_client_health(struct ch_client *client, struct ch_error *error)
{
    uint64_t now = clock_monotonic_ns();

    pthread_mutex_lock(&client->lock);
    *error = client->writes.error.status != OK &&
                     now - client->writes.at_ns < REFUSED_WRITE_S * NS_PER_S
                 ? client->writes.error
                 : client->reads.error;
    pthread_mutex_unlock(&client->lock);
}

/* ---- open, run, close ---- */

enum status ch_run(struct ch_client *client, const struct ch_request *request,
                   struct ch_error *error)
{
    struct transmission t = {.client = client,
                             .request = request,
                             .pieces = &request->sql,
                             .piece_count = 1};

    assert(request->deadline_ns > 0);
    ch_error_clear(error);
    if (request->pieces) {
        t.pieces = request->pieces;
        t.piece_count = request->piece_count;
    }
    t.handle = ch_handle_take(&client->handles, client->curl);
    ch_response_begin(&t.response, t.handle->zstd, request->take, request->arg);
    run(&t, error);
    t.handle->zstd = ch_response_release(&t.response);
    ch_handle_give(&client->handles, client->curl, t.handle);
    note_health(client, request->probe, request->writes, error);
    stats_add(STATS_CLICKHOUSE_REQUESTS, 1);
    if (error->status != OK && error->status != ERR_CANCELLED)
        stats_add(STATS_CLICKHOUSE_ERRORS, 1);
    return error->status;
}

static void add_header(struct ch_client *client, const char *name,
                       const char *value)
{
    size_t size = strlen(name) + strlen(value) + 3;
    char *line = mem_alloc(size);

    (void)snprintf(line, size, value[0] ? "%s: %s" : "%s:", name, value);
    client->headers = client->curl->slist_append(client->headers, line);
    explicit_bzero(line, size);
    free(line);
}

static void add_headers(struct ch_client *client, struct slice password)
{
    char *own = mem_copy(password.ptr ? password.ptr : "", password.len);
    const char *secret = password.len > 0 ? own : client->url.password;

    add_header(client, "Expect", ""); /* no 100-continue */
    add_header(client, "Accept-Encoding", "zstd");
    add_header(client, "Content-Type", "application/octet-stream");
    if (client->url.user[0])
        add_header(client, "X-ClickHouse-User", client->url.user);
    if (secret[0])
        add_header(client, "X-ClickHouse-Key", secret);
    explicit_bzero(own, password.len);
    free(own);
}

enum status ch_client_open(struct ch_client **out,
                           const struct ch_options *options, const char **why)
{
    struct ch_client *client = mem_zero(1, sizeof(*client));

    *out = NULL;
    pthread_mutex_init(&client->lock, NULL);
    ch_handles_init(&client->handles);
    ch_error_clear(&client->reads.error);
    ch_error_clear(&client->writes.error);
    client->connect_timeout_ms = options->connect_timeout_ms
                                     ? options->connect_timeout_ms
                                     : CONNECT_TIMEOUT_MS;
    if (!ch_url_parse(&client->url, options->url, why)) {
        ch_client_close(client);
        return ERR_INVALID;
    }
    client->curl = curl_api();
    if (!client->curl) {
        *why = "libcurl.so.4 cannot be loaded: install libcurl4";
        ch_client_close(client);
        return ERR_NOT_FOUND;
    }
    if (options->ca_file)
        client->ca_file = mem_copy(options->ca_file, strlen(options->ca_file));
    add_headers(client, options->password);
    *out = client;
    return OK;
}

void ch_client_close(struct ch_client *client)
{
    if (!client)
        return;
    ch_handles_release(&client->handles, client->curl);
    for (struct curl_slist *line = client->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    if (client->headers)
        client->curl->slist_free_all(client->headers);
    ch_url_release(&client->url);
    pthread_mutex_destroy(&client->lock);
    free(client->ca_file);
    free(client);
}

const char *ch_client_database(const struct ch_client *client)
{
    return client->url.database;
}

const char *ch_client_place(const struct ch_client *client)
{
    return client->url.place;
}
