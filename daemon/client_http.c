/*
 * One GET of the command line client, with libcurl.
 *
 * libcurl is loaded when it is needed and not linked: it and the 15 libraries
 * behind it would add 1.3 MiB to the memory of the daemon, which is the same
 * program and never makes a request.
 */
#define CURL_DISABLE_TYPECHECK /* its macros name the functions */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

enum { CONNECT_TIMEOUT_S = 10 };

static struct {
    __typeof__(&curl_easy_init) init;
    __typeof__(&curl_easy_setopt) setopt;
    __typeof__(&curl_easy_perform) perform;
    __typeof__(&curl_easy_getinfo) getinfo;
    __typeof__(&curl_easy_strerror) strerror;
    __typeof__(&curl_easy_cleanup) cleanup;
} curl;

static bool load_function(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);

    memcpy(function, &address, sizeof(address));
    return address != NULL;
}

static bool load_curl(void)
{
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

    return library && load_function(library, "curl_easy_init", &curl.init) &&
           load_function(library, "curl_easy_setopt", &curl.setopt) &&
           load_function(library, "curl_easy_perform", &curl.perform) &&
           load_function(library, "curl_easy_getinfo", &curl.getinfo) &&
           load_function(library, "curl_easy_strerror", &curl.strerror) &&
           load_function(library, "curl_easy_cleanup", &curl.cleanup);
}

/* Less than was given ends the transfer. */
static size_t append(char *bytes, size_t one, size_t count, void *body)
{
    struct buf *out = body;

    buf_add(out, (struct slice){bytes, one * count});
    return out->status == OK ? one * count : 0;
}

static CURLcode perform(CURL *handle, const char *url, struct buf *body,
                        long *status)
{
    CURLcode code;

    curl.setopt(handle, CURLOPT_URL, url);
    curl.setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.setopt(handle, CURLOPT_PROXY, "");
    curl.setopt(handle, CURLOPT_ACCEPT_ENCODING, "");
    curl.setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl.setopt(handle, CURLOPT_WRITEFUNCTION, append);
    curl.setopt(handle, CURLOPT_WRITEDATA, body);
    code = curl.perform(handle);
    if (code == CURLE_OK)
        curl.getinfo(handle, CURLINFO_RESPONSE_CODE, status);
    return code;
}

static size_t without_slash(const char *server)
{
    size_t len = strlen(server);

    return len > 0 && server[len - 1] == '/' ? len - 1 : len;
}

long client_get(const char *server, struct slice path, struct buf *body,
                char error[CLIENT_ERROR])
{
    CURL *handle = load_curl() ? curl.init() : NULL;
    struct buf url;
    CURLcode code;
    long status = 0;

    if (!handle) {
        (void)snprintf(error, CLIENT_ERROR,
                       "libcurl.so.4 cannot be loaded; install libcurl4");
        return 0;
    }
    buf_init(&url, CLIENT_MAX_URL);
    buf_format(&url, "%s%.*s%.*s", strstr(server, "://") ? "" : "http://",
               (int)without_slash(server), server, (int)path.len, path.ptr);
    buf_byte(&url, '\0');
    code = url.status == OK ? perform(handle, url.ptr, body, &status)
                            : CURLE_URL_MALFORMAT;
    if (code != CURLE_OK)
        (void)snprintf(error, CLIENT_ERROR, "%s", curl.strerror(code));
    buf_release(&url);
    curl.cleanup(handle);
    return status;
}
