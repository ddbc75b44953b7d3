/*
 * See ch_url.h. RFC 3986: what is a delimiter within user, password or database
 * is percent-encoded; an IPv6 address is in brackets.
 */
#include "ch_url.h"

#include <stdio.h>
#include <stdlib.h>

#include "hex.h"
#include "mem.h"

enum { DEFAULT_HTTP = 8123, DEFAULT_HTTPS = 8443 };

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* A copy of the text without percent encoding; NULL: bad, or a control
 * character, which a header must not have. */
static char *decode(struct slice text)
{
    char *to = mem_copy(text.ptr ? text.ptr : "", text.len);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '%') {
            bool two = text.len - i > 2;
            int high = two ? hex_digit(text.ptr[i + 1]) : -1;
            int low = two ? hex_digit(text.ptr[i + 2]) : -1;

            if (high < 0 || low < 0)
                goto bad;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (is_control(c))
            goto bad;
        to[len++] = c;
    }
    to[len] = '\0';
    return to;
bad:
    free(to);
    return NULL;
}

static char *join(const char *a, struct slice b, const char *c)
{
    size_t size = strlen(a) + b.len + strlen(c) + 1;
    char *text = mem_alloc(size);

    (void)snprintf(text, size, "%s%.*s%s", a, SLICE_ARGS(b), c);
    return text;
}

/* Where the name or address at the begin ends; NULL: it is malformed. */
static const char *name_end(struct slice host)
{
    const char *at = host.ptr, *end = host.ptr + host.len;

    if (host.len > 0 && *at == '[') {
        for (at++; at < end && (memchr(":.", *at, 2) || hex_digit(*at) >= 0);)
            at++;
        return at < end && *at == ']' ? at + 1 : NULL;
    }
    while (at<end && * at> ' ' && *at < 0x7f && !strchr(":/?#[]@\\\"<>", *at))
        at++;
    return at > host.ptr ? at : NULL;
}

/* Whether "host", "host:1234", "[::1]:1234"; *port: false if there is none. */
static bool is_host(struct slice host, bool *port)
{
    const char *at = name_end(host), *end = host.ptr + host.len;

    *port = at && at < end;
    if (!*port)
        return at != NULL;
    if (*at++ != ':' || at == end || end - at > 5)
        return false;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at == end;
}

static bool set_user(struct ch_url *url, struct slice user_info)
{
    struct slice user = slice_split(&user_info, ':');

    url->has_password = user_info.len > 0;
    url->user = decode(user);
    url->password = decode(user_info);
    return url->user && url->password;
}

/* [user[:password]@]host[:port]/database */
static const char *set_rest(struct ch_url *url, struct slice rest, bool tls)
{
    struct slice authority = slice_split(&rest, '/');
    struct slice user = {"", 0};
    char port[8];
    bool has_port;

    for (size_t i = authority.len; i-- > 0;)
        if (authority.ptr[i] == '@') {
            user = (struct slice){authority.ptr, i};
            authority = slice_from(authority, i + 1);
            break;
        }
    if (!set_user(url, user))
        return "user and password must be percent-encoded";
    if (!is_host(authority, &has_port))
        return "host or port is malformed";
    if (rest.len == 0)
        return "the database is missing: http://host:8123/database";
    if (memchr(rest.ptr, '/', rest.len) || memchr(rest.ptr, '?', rest.len) ||
        memchr(rest.ptr, '#', rest.len))
        return "nothing may follow the database";
    url->database = decode(rest);
    if (!url->database)
        return "the database must be percent-encoded";
    (void)snprintf(port, sizeof(port), ":%d",
                   tls ? DEFAULT_HTTPS : DEFAULT_HTTP);
    url->place = join("", authority, has_port ? "" : port);
    url->base = join(tls ? "https://" : "http://", slice_of(url->place), "/");
    free(url->place);
    url->place = join(url->base + (tls ? 8 : 7), slice_of(url->database), "");
    return NULL;
}

bool ch_url_parse(struct ch_url *url, const char *text, const char **why)
{
    struct slice rest = slice_of(text);
    bool tls = slice_starts(rest, SLICE("https://"));

    *url = (struct ch_url){0};
    *why = NULL;
    if (rest.len > CH_URL_MAX)
        *why = "longer than 4,096 bytes";
    else if (!tls && !slice_starts(rest, SLICE("http://")))
        *why = "not http:// or https://";
    else
        *why = set_rest(url, slice_from(rest, tls ? 8 : 7), tls);
    if (*why)
        ch_url_release(url);
    return *why == NULL;
}

void ch_url_release(struct ch_url *url)
{
    if (url->password)
        explicit_bzero(url->password, strlen(url->password));
    free(url->base);
    free(url->user);
    free(url->password);
    free(url->database);
    free(url->place);
    *url = (struct ch_url){0};
}
