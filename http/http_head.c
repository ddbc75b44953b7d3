/* The table of header fields, and the checks; see http_head.h. */
#include "http_head.h"

#include <stddef.h>
#include <strings.h>

enum { LENGTH_DIGITS = 18 }; /* fits in 64 bits, and in the library's sums */

/* Fields that we read. `single`: a second one is a fault, because two programs
 * in a row might each believe a different one. */
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
    {"accept-encoding", offsetof(struct http_head, accept_encoding), false},
    {"if-none-match", offsetof(struct http_head, if_none_match), false},
};

static bool is_token(struct slice text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                     (c >= 'A' && c <= 'Z');

        if (!alnum && (c == '\0' || !strchr(marks, c)))
            return false;
    }
    return text.len > 0;
}

void http_head_fault(struct http_head *head, const char *what)
{
    if (!head->fault)
        head->fault = what;
}

/* Origin-form, or "*" with OPTIONS. This is no proxy: absolute-form and
 * authority-form are refused. */
static bool target_is_good(struct slice method, struct slice target)
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
    head->old = slice_equal(version, SLICE("HTTP/1.0"));
    if (!head->old && !slice_equal(version, SLICE("HTTP/1.1")))
        http_head_fault(head, "the version must be HTTP/1.1 or HTTP/1.0");
    if (!is_token(method))
        http_head_fault(head, "the method is not a token");
    if (!target_is_good(method, target))
        http_head_fault(head,
                        "the request target must be a path in visible ASCII, "
                        "without a fragment");
}

static bool value_is_good(struct slice value)
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
        http_head_fault(head, "a header field's name is not a token");
    if (!value_is_good(value))
        http_head_fault(head, "a header field's value has a control character");
    for (uint32_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct slice *kept =
            (struct slice *)(void *)((char *)head + fields[i].offset);

        if (!http_equal_fold(name, slice_of(fields[i].name)))
            continue;
        if (head->seen >> i & 1) {
            if (fields[i].single)
                http_head_fault(
                    head, "a header field that must be single is repeated");
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
            http_head_fault(head, "Content-Length must be a number");
        if (i < LENGTH_DIGITS + 1)
            length = length * 10 + (uint64_t)(unsigned char)text.ptr[i] - '0';
    }
    if (text.len == 0)
        http_head_fault(head, "Content-Length must be a number");
    head->length = text.len > LENGTH_DIGITS ? UINT64_MAX / 4 : length;
}

static void check_encoding(struct http_head *head)
{
    struct slice coding = head->transfer_encoding;

    if (!coding.ptr)
        return;
    if (head->content_length.ptr)
        http_head_fault(
            head, "Transfer-Encoding and Content-Length exclude each other");
    if (head->old)
        http_head_fault(head, "HTTP/1.0 has no Transfer-Encoding");
    if (!http_equal_fold(coding, SLICE("chunked")))
        http_head_fault(head, "Transfer-Encoding must be chunked");
}

/* host [":" port] of RFC 3986, without its rarely used forms. */
static bool host_is_good(struct slice host)
{
    static const char marks[] = "-._~!$&'()*+,;=%:[]";
    bool colon = false;

    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                     (c >= 'A' && c <= 'Z');

        if (!alnum && (c == '\0' || !strchr(marks, c)))
            return false;
    }
    if (host.len == 0 || host.ptr[0] == ':')
        return false;
    if (host.ptr[0] == '[') {
        const char *end = memchr(host.ptr, ']', host.len);

        if (!end || end == host.ptr + 1)
            return false;
        host = slice_from(host, (size_t)(end - host.ptr) + 1);
        if (host.len > 0 && host.ptr[0] != ':')
            return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] == '[' || host.ptr[i] == ']')
            return false;
        if (colon && (host.ptr[i] < '0' || host.ptr[i] > '9'))
            return false;
        colon = colon || host.ptr[i] == ':';
    }
    return true;
}

const char *http_head_check(struct http_head *head)
{
    check_length(head);
    check_encoding(head);
    if (!head->host.ptr && !head->old)
        http_head_fault(head, "there is no Host");
    if (head->host.ptr && !host_is_good(head->host))
        http_head_fault(head,
                        "Host must be a host name or address with an optional "
                        "port");
    return head->fault;
}

/* ---- values ---- */

struct slice http_trim(struct slice text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = slice_from(text, 1);
    while (text.len > 0 &&
           (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

bool http_list_next(struct slice *list, struct slice *element)
{
    const char *comma;
    size_t len;

    if (list->len == 0)
        return false;
    comma = memchr(list->ptr, ',', list->len);
    len = comma ? (size_t)(comma - list->ptr) : list->len;
    *element = http_trim((struct slice){list->ptr, len});
    *list = slice_from(*list, comma ? len + 1 : len);
    return true;
}

bool http_equal_fold(struct slice a, struct slice b)
{
    return a.len == b.len &&
           (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

/* Whether the weight behind ";" is above zero; there is mostly none. */
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
    struct slice element;
    int gzip = -1, any = -1;

    while (http_list_next(&accept, &element)) {
        const char *semicolon =
            element.len ? memchr(element.ptr, ';', element.len) : NULL;
        size_t len =
            semicolon ? (size_t)(semicolon - element.ptr) : element.len;
        struct slice coding = http_trim((struct slice){element.ptr, len});
        bool wanted = weight_is_positive(slice_from(element, len));

        if (http_equal_fold(coding, SLICE("gzip")) ||
            http_equal_fold(coding, SLICE("x-gzip")))
            gzip = wanted;
        else if (slice_equal(coding, SLICE("*")))
            any = wanted;
    }
    return gzip >= 0 ? gzip : any > 0;
}
