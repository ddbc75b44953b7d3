/*
 * One GET of the command line client, with libcurl.
 */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "curl_api.h"

enum { CONNECT_TIMEOUT_S = 10 };

/* Less than was given ends the transfer. */
static size_t append(char *bytes, size_t one, size_t count, void *body)
{
    struct buf *out = body;

    buf_add(out, (struct slice){bytes, one * count});
    return out->status == OK ? one * count : 0;
}

static CURLcode perform(const struct curl_api *curl, CURL *handle,
                        const char *url, struct buf *body, long *status)
{
    CURLcode code;

    curl->easy_setopt(handle, CURLOPT_URL, url);
    curl->easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl->easy_setopt(handle, CURLOPT_PROXY, "");
    curl->easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");
    curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, append);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, body);
    code = curl->easy_perform(handle);
    if (code == CURLE_OK)
        curl->easy_getinfo(handle, CURLINFO_RESPONSE_CODE, status);
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
    const struct curl_api *curl = curl_api();
    CURL *handle = curl ? curl->easy_init() : NULL;
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
    code = url.status == OK ? perform(curl, handle, url.ptr, body, &status)
                            : CURLE_URL_MALFORMAT;
    if (code != CURLE_OK)
        (void)snprintf(error, CLIENT_ERROR, "%s", curl->easy_strerror(code));
    buf_release(&url);
    curl->easy_cleanup(handle);
    return status;
}
