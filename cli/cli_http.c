/*
 * One request of the command line client, with libcurl: to a port, with a token
 * and certificates, or to the socket in a data folder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_int.h"
#include "clock.h"
#include "curl_api.h"
#include "secret_file.h"

#define TOKEN_FILE "token file"

enum { CONNECT_TIMEOUT_S = 10, MAX_TOKEN = 16 * 1024 };

/* Less than was given ends the transfer. */
static size_t append(char *bytes, size_t one, size_t count, void *body)
{
    struct buf *out = body;

    buf_add(out, (struct slice){bytes, one * count});
    return out->status == OK ? one * count : 0;
}

/* ---- progress ---- */

/* Of all requests of the program, on standard error, after a second. */
static struct {
    uint64_t begun, shown;
    double received; /* by the requests that are complete */
} progress;

static int show_progress(void *object, curl_off_t total, curl_off_t received,
                         curl_off_t to_send, curl_off_t sent)
{
    uint64_t now = clock_monotonic_ns();

    (void)object, (void)total, (void)to_send, (void)sent;
    if (now - progress.begun < NS_PER_S || now - progress.shown < NS_PER_S / 5)
        return 0;
    progress.shown = now;
    fprintf(stderr, "\r%.0f s, %.1f MiB ",
            (double)(now - progress.begun) / NS_PER_S,
            (progress.received + (double)received) / (1 << 20));
    return 0;
}

static void set_progress(const struct curl_api *curl, CURL *handle)
{
    if (progress.begun == 0)
        progress.begun = clock_monotonic_ns();
    curl->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, show_progress);
    curl->easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
}

static void end_progress(const struct curl_api *curl, CURL *handle)
{
    curl_off_t received = 0;

    if (curl->easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &received) ==
        CURLE_OK)
        progress.received += (double)received;
    if (progress.shown)
        fputs("\r\x1b[K", stderr);
    progress.shown = 0;
}

/* ---- options of the transfer ---- */

/* A proxy never stands between two programs of one machine. */
static bool is_loopback(const char *url)
{
    static const char *const names[] = {"localhost", "127.", "[::1]"};
    const char *host = strstr(url, "://");

    for (size_t i = 0; host && i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(host + 3, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void set_common(const struct curl_api *curl, CURL *handle,
                       const char *url, struct buf *body, long timeout_ms)
{
    curl->easy_setopt(handle, CURLOPT_URL, url);
    /* A name may be ".." */
    curl->easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    if (is_loopback(url))
        curl->easy_setopt(handle, CURLOPT_PROXY, "");
    curl->easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");
    curl->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl->easy_setopt(handle, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, append);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, body);
}

/* PEM files; without, those of the system. */
static void set_tls(const struct curl_api *curl, CURL *handle,
                    const struct cli_server *server)
{
    const struct {
        const char *path;
        CURLoption option;
    } files[] = {{server->ca_file, CURLOPT_CAINFO},
                 {server->cert_file, CURLOPT_SSLCERT},
                 {server->key_file, CURLOPT_SSLKEY}};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (files[i].path)
            curl->easy_setopt(handle, files[i].option, files[i].path);
}

static void set_method(const struct curl_api *curl, CURL *handle,
                       const char *method, struct slice text)
{
    if (strcmp(method, "GET") == 0)
        return;
    curl->easy_setopt(handle, CURLOPT_CUSTOMREQUEST, method);
    if (strcmp(method, "POST") != 0)
        return;
    curl->easy_setopt(handle, CURLOPT_POST, 1L);
    curl->easy_setopt(handle, CURLOPT_POSTFIELDSIZE, (long)text.len);
    curl->easy_setopt(handle, CURLOPT_POSTFIELDS, text.len ? text.ptr : "");
}

static void add_bearer(const struct curl_api *curl, struct curl_slist **headers,
                       struct slice token)
{
    struct buf line;

    buf_init(&line, MAX_TOKEN + 64);
    buf_add(&line, SLICE("Authorization: Bearer "));
    buf_add(&line, slice_trim(token, " \t\r\n"));
    buf_byte(&line, '\0');
    *headers = curl->slist_append(*headers, line.ptr);
    explicit_bzero(line.ptr, line.len);
    buf_release(&line);
}

/* The header with the token, if there is one; false after a message. */
static bool add_token(const struct curl_api *curl,
                      const struct cli_server *server,
                      struct curl_slist **headers, char error[CLI_ERROR])
{
    struct secret secret;
    const char *why;

    if (server->token_file) {
        if (secret_file_read(server->token_file, MAX_TOKEN, &secret, &why) !=
            OK) {
            (void)snprintf(error, CLI_ERROR, TOKEN_FILE " %.100s (%s): %s",
                           server->token_file, server->token_from, why);
            return false;
        }
        add_bearer(curl, headers, (struct slice){secret.ptr, secret.len});
        secret_release(&secret);
    } else if (server->token && strlen(server->token) < MAX_TOKEN) {
        add_bearer(curl, headers, slice_of(server->token));
    }
    return true;
}

static size_t without_slash(const char *server)
{
    size_t len = strlen(server);

    return len > 0 && server[len - 1] == '/' ? len - 1 : len;
}

static void make_url(const struct cli_server *server, struct slice path,
                     struct buf *url)
{
    const char *address = server->address ? server->address : "localhost";

    buf_format(url, "%s%.*s%.*s", strstr(address, "://") ? "" : "http://",
               (int)without_slash(address), address, (int)path.len, path.ptr);
    buf_byte(url, '\0');
}

static CURLcode perform(const struct curl_api *curl, CURL *handle,
                        const struct cli_server *server,
                        struct curl_slist *headers, long *status)
{
    bool shown = server->progress && isatty(STDERR_FILENO);
    char socket[4096];
    CURLcode code;

    if (server->data_dir) {
        (void)snprintf(socket, sizeof(socket), "%s/admin.sock",
                       server->data_dir);
        curl->easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, socket);
    }
    set_tls(curl, handle, server);
    if (shown)
        set_progress(curl, handle);
    curl->easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    code = curl->easy_perform(handle);
    if (shown)
        end_progress(curl, handle);
    if (code == CURLE_OK)
        curl->easy_getinfo(handle, CURLINFO_RESPONSE_CODE, status);
    return code;
}

/* What to do about an error of libcurl; "" if it says so itself. */
static const char *advice(CURLcode code)
{
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return ". CALLBOARD_CA_FILE names the authority that signed its "
               "certificate.";
    if (code == CURLE_GOT_NOTHING)
        return ". If its port has TLS, give --server as https://HOST:PORT.";
    if (code == CURLE_RECV_ERROR || code == CURLE_SSL_CONNECT_ERROR)
        return ". If it asks for a client certificate, CALLBOARD_CERT_FILE and "
               "CALLBOARD_KEY_FILE name it.";
    if (code == CURLE_OPERATION_TIMEDOUT)
        return ". --timeout sets the longest wait.";
    return ". Is `callboard serve` running?";
}

long cli_send(const struct cli_server *server, const char *method,
              struct slice path, struct slice text, struct buf *body,
              char error[CLI_ERROR])
{
    static CURL *handle;
    const struct curl_api *curl = curl_api();
    struct curl_slist *headers = NULL;
    CURLcode code = CURLE_URL_MALFORMAT;
    struct buf url;
    long status = 0;

    if (handle)
        curl->easy_reset(handle); /* keeps its connections */
    else
        handle = curl ? curl->easy_init() : NULL;
    if (!handle) {
        (void)snprintf(error, CLI_ERROR,
                       "libcurl.so.4 cannot be loaded; install libcurl4");
        return 0;
    }
    buf_init(&url, CLI_MAX_URL);
    make_url(server, path, &url);
    headers = curl->slist_append(headers, "Content-Type: application/json");
    if (server->data_dir || add_token(curl, server, &headers, error)) {
        set_common(curl, handle, url.ptr, body, server->timeout_ms);
        set_method(curl, handle, method, text);
        if (url.status == OK)
            code = perform(curl, handle, server, headers, &status);
        if (code == CURLE_WRITE_ERROR) /* of append() */
            (void)snprintf(error, CLI_ERROR,
                           "the answer is larger than %zu MiB; lower the limit "
                           "or narrow the time range",
                           body->cap >> 20);
        else if (code != CURLE_OK)
            (void)snprintf(error, CLI_ERROR, "%s%s", curl->easy_strerror(code),
                           advice(code));
    }
    buf_release(&url);
    curl->slist_free_all(headers);
    return status;
}

static int fail_unsent(const struct cli_server *server, const char *error)
{
    if (strncmp(error, TOKEN_FILE, strlen(TOKEN_FILE)) == 0) {
        fprintf(stderr, "callboard: %s\n", error);
        return CLI_DENIED;
    }
    fprintf(stderr, "callboard: no answer from %s%s: %s %s.\n",
            server->data_dir ? server->data_dir : server->address,
            server->data_dir ? "/admin.sock" : "", error,
            server->data_dir ? "--data-dir names its data folder, --server "
                               "its query API"
                             : "--server names its query API");
    return CLI_FAILED;
}

static int fail_unauthorized(const struct cli_server *server)
{
    if (server->token_file)
        fprintf(stderr,
                "callboard: the server does not accept the token in %s (%s): "
                "it is unknown, revoked or expired\n",
                server->token_file, server->token_from);
    else if (server->token)
        fputs("callboard: the server does not accept the token of the "
              "context: it is unknown, revoked or expired\n",
              stderr);
    else
        fputs("callboard: the server asks for a token: name the file that "
              "holds one by --token-file, CALLBOARD_TOKEN_FILE or callboard "
              "config\n",
              stderr);
    return CLI_DENIED;
}

/* Whoever answers with a status only, such as a proxy. */
static void say_status(long status)
{
    if (status >= 300 && status < 400)
        fprintf(stderr,
                "callboard: the server redirects (HTTP %ld), which is not "
                "followed: give --server the address that it means\n",
                status);
    else
        fprintf(stderr,
                "callboard: the answer is not JSON (HTTP %ld); is --server "
                "the query API?\n",
                status);
}

int cli_fail(const struct cli_server *server, long status, struct slice body,
             const char *error)
{
    json_t *answer;
    const char *message;

    if (status == 0)
        return fail_unsent(server, error);
    if (status == 401)
        return fail_unauthorized(server);
    answer = json_loadb(body.ptr, body.len, 0, NULL);
    message = cli_text(answer, "message");
    if (!message[0])
        message = cli_text(answer, "error"); /* of Prometheus' API */
    if (message[0]) {
        fputs("callboard: ", stderr);
        cli_put(stderr, message);
        fputc('\n', stderr);
    } else {
        say_status(status);
    }
    json_decref(answer);
    return status == 403                    ? CLI_DENIED
           : status == 429 || status == 503 ? CLI_LATER
                                            : CLI_FAILED;
}
