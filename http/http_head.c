/*
 * Checks of a head, and the header fields that are used (http_head.h). In: the
 * parts of a head, in their order. Out: values, or what is wrong.
 */
#include "http_head.h"

#include <stddef.h>
#include <strings.h>

#include "ascii.h"

enum { LENGTH_DIGITS = 18 }; /* fits in 64 bits, and in the library's sums */

/* Fields that are used. `single`: a second one is an error, because of two
 * programs in a row each might use a different one. */
static const struct head_field {
    const char *name;
    size_t offset;
    bool single;
} fields[] = {
    {"host", offsetof(struct http_head, host), true},
    {"origin", offsetof(struct http_head, origin), true},
    {"content-type", offsetof(struct http_head, content_type), true},
    {"content-encoding", offsetof(struct http_head, content_encoding), true},
    {"content-length", offsetof(struct http_head, content_length), true},
    {"transfer-encoding", offsetof(struct http_head, transfer_encoding), true},
    {"authorization", offsetof(struct http_head, authorization), true},
    {"expect", offsetof(struct http_head, expect), true},
    {"sec-fetch-site", offsetof(struct http_head, fetch_site), true},
    {"access-control-request-method",
     offsetof(struct http_head, request_method), true},
    {"access-control-request-headers",
     offsetof(struct http_head, request_headers), false},
    {"access-control-request-private-network",
     offsetof(struct http_head, request_private), false},
    {"accept", offsetof(struct http_head, accept), false},
    {"accept-encoding", offsetof(struct http_head, accept_encoding), false},
    {"if-none-match", offsetof(struct http_head, if_none_match), false},
    {"user-agent", offsetof(struct http_head, user_agent), false},
    {"x-request-id", offsetof(struct http_head, request_id), false},
    {"mcp-protocol-version", offsetof(struct http_head, mcp_version), true},
    {"mcp-method", offsetof(struct http_head, mcp_method), true},
    {"mcp-name", offsetof(struct http_head, mcp_name), true},
};

/* Whether a text has letters, digits and these marks only. */
static bool has_only(struct slice text, const char *marks)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_letter(text.ptr[i]) && !is_digit(text.ptr[i]) &&
            (text.ptr[i] == '\0' || !strchr(marks, text.ptr[i])))
            return false;
    return true;
}

static bool is_token(struct slice text)
{
    return text.len > 0 && has_only(text, "!#$%&'*+-.^_`|~");
}

void http_head_error(struct http_head *head, const char *what)
{
    if (!head->error)
        head->error = what;
}

/* Origin-form, or "*" with OPTIONS. Absolute-form and authority-form are for
 * proxies and are refused. */
static bool target_is_valid(struct slice method, struct slice target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];

        if (c <= ' ' || c >= 0x7f || c == '#')
            return false;
    }
    if (slice_equal(target, SLICE("*")))
        return slice_equal(method, SLICE("OPTIONS"));
    return target.len > 0 && target.ptr[0] == '/';
}

void http_head_init(struct http_head *head, struct slice method,
                    struct slice target, struct slice version)
{
    *head = (struct http_head){0};
    head->is_http10 = slice_equal(version, SLICE("HTTP/1.0"));
    if (!head->is_http10 && !slice_equal(version, SLICE("HTTP/1.1")))
        http_head_error(head, "the version must be HTTP/1.1 or HTTP/1.0");
    if (!is_token(method))
        http_head_error(head, "the method is not a token");
    if (!target_is_valid(method, target))
        http_head_error(head,
                        "the request target must be a path in visible ASCII, "
                        "without a fragment");
}

static bool value_is_valid(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

void http_head_add(struct http_head *head, struct slice name,
                   struct slice value)
{
    if (!is_token(name))
        http_head_error(head, "the name of a header field is not a token");
    if (!value_is_valid(value))
        http_head_error(head,
                        "the value of a header field has a control character");
    for (uint32_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct slice *kept =
            (struct slice *)(void *)((char *)head + fields[i].offset);

        if (!http_equal_fold(name, slice_of(fields[i].name)))
            continue;
        if (head->seen >> i & 1) {
            if (fields[i].single)
                http_head_error(
                    head,
                    "a header field is repeated that may be sent only once");
            return;
        }
        head->seen |= UINT32_C(1) << i;
        *kept = (struct slice){value.ptr ? value.ptr : "", value.len};
    }
}

static void check_length(struct http_head *head)
{
    struct slice text = head->content_length;
    uint64_t length = 0;

    if (!text.ptr)
        return;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            http_head_error(head, "Content-Length must be a number");
        if (i < LENGTH_DIGITS + 1)
            length = length * 10 + (uint64_t)(unsigned char)text.ptr[i] - '0';
    }
    if (text.len == 0)
        http_head_error(head, "Content-Length must be a number");
    head->length = text.len > LENGTH_DIGITS ? UINT64_MAX / 4 : length;
}

static void check_encoding(struct http_head *head)
{
    struct slice coding = head->transfer_encoding;

    if (!coding.ptr)
        return;
    if (head->content_length.ptr)
        http_head_error(
            head, "Transfer-Encoding and Content-Length exclude each other");
    if (head->is_http10)
        http_head_error(head, "Transfer-Encoding is not allowed with HTTP/1.0");
    if (!http_equal_fold(coding, SLICE("chunked")))
        http_head_error(head, "Transfer-Encoding must be chunked");
}

/* Empty, or a colon and maybe digits. */
static bool is_port(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (i == 0 ? text.ptr[i] != ':'
                   : text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

/* host [":" port] of RFC 3986, without its rarely used forms. */
static bool host_is_valid(struct slice host)
{
    static const char marks[] = "-._~!$&'()*+,;=%";
    const char *colon, *bracket;
    size_t len;

    if (host.len == 0)
        return false;
    if (host.ptr[0] != '[') {
        colon = memchr(host.ptr, ':', host.len);
        len = colon ? (size_t)(colon - host.ptr) : host.len;
        return len > 0 && has_only((struct slice){host.ptr, len}, marks) &&
               is_port(slice_from(host, len));
    }
    bracket = memchr(host.ptr, ']', host.len);
    len = bracket ? (size_t)(bracket - host.ptr) : 0;
    return len > 1 &&
           has_only((struct slice){host.ptr + 1, len - 1},
                    "-._~!$&'()*+,;=%:") &&
           is_port(slice_from(host, len + 1));
}

const char *http_head_check(struct http_head *head)
{
    check_length(head);
    check_encoding(head);
    if (!head->host.ptr && !head->is_http10)
        http_head_error(head, "Host is missing");
    if (head->host.ptr && !host_is_valid(head->host))
        http_head_error(head,
                        "Host must be a host name or address with an optional "
                        "port");
    return head->error;
}

/* ---- values ---- */

bool http_list_next(struct slice *list, struct slice *element)
{
    if (list->len == 0)
        return false;
    *element = slice_trim(slice_split(list, ','), HTTP_BLANKS);
    return true;
}

bool http_equal_fold(struct slice a, struct slice b)
{
    return a.len == b.len &&
           (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

/* Whether the weight after ";" is above zero; without one it is. */
static bool weight_is_positive(struct slice parameters)
{
    const char *q = NULL;

    for (size_t i = 0; i + 1 < parameters.len; i++)
        if ((parameters.ptr[i] | 0x20) == 'q' && parameters.ptr[i + 1] == '=')
            q = parameters.ptr + i + 2;
    if (!q)
        return true;
    for (; q < parameters.ptr + parameters.len; q++)
        if (*q >= '1' && *q <= '9')
            return true;
        else if (*q != '0' && *q != '.' && *q != ' ')
            return false;
    return false;
}

bool http_accepts_gzip(struct slice accept)
{
    struct slice rest;
    int gzip = -1, any = -1;

    while (http_list_next(&accept, &rest)) {
        struct slice coding = slice_trim(slice_split(&rest, ';'), HTTP_BLANKS);
        bool wanted = weight_is_positive(rest);

        if (http_equal_fold(coding, SLICE("gzip")) ||
            http_equal_fold(coding, SLICE("x-gzip")))
            gzip = wanted;
        else if (slice_equal(coding, SLICE("*")))
            any = wanted;
    }
    return gzip >= 0 ? gzip : any > 0;
}
