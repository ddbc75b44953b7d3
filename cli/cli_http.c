/*
 * One request of the command line client, with libcurl: to a port, with the
 * token of CALLBOARD_TOKEN_FILE and the certificates of CALLBOARD_CA_FILE,
 * CALLBOARD_CERT_FILE and CALLBOARD_KEY_FILE, or to the socket in a data
 * folder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli_int.h"
#include "curl_api.h"
#include "secret_file.h"

#define TOKEN_FILE "CALLBOARD_TOKEN_FILE"

enum { CONNECT_TIMEOUT_S = 10, MAX_TOKEN = 16 * 1024 };

/* Less than was given ends the transfer. */
static size_t append(char *bytes, size_t one, size_t count, void *body)
{
    struct buf *out = body;

    buf_add(out, (struct slice){bytes, one * count});
    return out->status == OK ? one * count : 0;
}

static void set_common(const struct curl_api *curl, CURL *handle,
                       const char *url, struct buf *body)
{
    curl->easy_setopt(handle, CURLOPT_URL, url);
    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(handle, CURLOPT_PROXY, "");
    curl->easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");
    curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, append);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, body);
}

/* PEM files that the environment names; without, those of the system. */
static void set_tls(const struct curl_api *curl, CURL *handle)
{
    static const struct {
        const char *name;
        CURLoption option;
    } files[] = {{"CALLBOARD_CA_FILE", CURLOPT_CAINFO},
                 {"CALLBOARD_CERT_FILE", CURLOPT_SSLCERT},
                 {"CALLBOARD_KEY_FILE", CURLOPT_SSLKEY}};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const char *path = getenv(files[i].name);

        if (path && path[0])
            curl->easy_setopt(handle, files[i].option, path);
    }
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

/* The header with the token, if a file names one; false after a message. */
static bool add_token(const struct curl_api *curl, struct curl_slist **headers,
                      char error[CLI_ERROR])
{
    const char *path = getenv(TOKEN_FILE), *why;
    struct secret secret;
    struct buf line;

    if (!path || !path[0])
        return true;
    if (secret_file_read(path, MAX_TOKEN, &secret, &why) != OK) {
        (void)snprintf(error, CLI_ERROR, TOKEN_FILE " %.100s: %s", path, why);
        return false;
    }
    buf_init(&line, MAX_TOKEN + 64);
    buf_add(&line, SLICE("Authorization: Bearer "));
    buf_add(&line,
            slice_trim((struct slice){secret.ptr, secret.len}, " \t\r\n"));
    buf_byte(&line, '\0');
    *headers = curl->slist_append(*headers, line.ptr);
    explicit_bzero(line.ptr, line.len);
    buf_release(&line);
    secret_release(&secret);
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
    char socket[4096];
    CURLcode code;

    if (server->data_dir) {
        (void)snprintf(socket, sizeof(socket), "%s/admin.sock",
                       server->data_dir);
        curl->easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, socket);
    }
    set_tls(curl, handle);
    curl->easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
    code = curl->easy_perform(handle);
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
    return ". Is `callboard serve` running?";
}

long cli_send(const struct cli_server *server, const char *method,
              struct slice path, struct slice text, struct buf *body,
              char error[CLI_ERROR])
{
    const struct curl_api *curl = curl_api();
    CURL *handle = curl ? curl->easy_init() : NULL;
    struct curl_slist *headers = NULL;
    CURLcode code = CURLE_URL_MALFORMAT;
    struct buf url;
    long status = 0;

    if (!handle) {
        (void)snprintf(error, CLI_ERROR,
                       "libcurl.so.4 cannot be loaded; install libcurl4");
        return 0;
    }
    buf_init(&url, CLI_MAX_URL);
    make_url(server, path, &url);
    headers = curl->slist_append(headers, "Content-Type: application/json");
    if (server->data_dir || add_token(curl, &headers, error)) {
        set_common(curl, handle, url.ptr, body);
        set_method(curl, handle, method, text);
        if (url.status == OK)
            code = perform(curl, handle, server, headers, &status);
        if (code != CURLE_OK)
            (void)snprintf(error, CLI_ERROR, "%s%s", curl->easy_strerror(code),
                           advice(code));
    }
    buf_release(&url);
    curl->slist_free_all(headers);
    curl->easy_cleanup(handle);
    return status;
}

int cli_fail(const struct cli_server *server, long status, struct slice body,
             const char *error)
{
    json_t *answer;
    const char *message;

    if (status == 0 && strncmp(error, TOKEN_FILE, strlen(TOKEN_FILE)) == 0) {
        fprintf(stderr, "callboard: %s\n", error);
        return CLI_DENIED;
    }
    if (status == 0) {
        fprintf(stderr, "callboard: no answer from %s%s: %s %s.\n",
                server->data_dir ? server->data_dir : server->address,
                server->data_dir ? "/admin.sock" : "", error,
                server->data_dir ? "--data-dir names its data folder, --server "
                                   "its query API"
                                 : "--server names its query API");
        return CLI_FAILED;
    }
    if (status == 401) {
        const char *file = getenv(TOKEN_FILE);

        if (file && file[0])
            fprintf(stderr,
                    "callboard: the server does not accept the token in %s "
                    "(" TOKEN_FILE "): it is unknown, revoked or expired\n",
                    file);
        else
            fputs("callboard: the server asks for a token: set " TOKEN_FILE
                  " to the file that holds one\n",
                  stderr);
        return CLI_DENIED;
    }
    answer = json_loadb(body.ptr, body.len, 0, NULL);
    message = cli_text(answer, "message");
    fputs("callboard: ", stderr);
    cli_put(stderr, message[0] ? message : "the answer is not JSON");
    fputc('\n', stderr);
    json_decref(answer);
    return status == 403                    ? CLI_DENIED
           : status == 429 || status == 503 ? CLI_LATER
                                            : CLI_FAILED;
}
