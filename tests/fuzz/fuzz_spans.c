/*
 * What senders write into one span that decides how it is counted: tracestate,
 * URLs, statuses, outcomes. The first byte picks kind and status of the span;
 * then come texts that end in NUL: the tracestate, the name, and values, each
 * with a byte before it that picks its key and its type.
 */
#include <assert.h>

#include "endpoint.h"
#include "semconv.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {"http.request.method",
                                   "http.route",
                                   "url.path",
                                   "http.target",
                                   "url.full",
                                   "http.url",
                                   "url.template",
                                   "uri",
                                   "url",
                                   "method",
                                   "status",
                                   "status_code",
                                   "http.status_code",
                                   "grpc.status_code",
                                   "rpc.response.status_code",
                                   "rpc.jsonrpc.error_code",
                                   "rpc.system",
                                   "rpc.method",
                                   "rpc.service",
                                   "outcome",
                                   "error",
                                   "error.type",
                                   "otel.status_code",
                                   "db.system"};

enum { KEYS = sizeof(keys) / sizeof(*keys), MAX_ATTRS = 16 };

static struct slice next_text(struct slice *rest)
{
    const char *end = memchr(rest->len ? rest->ptr : "", 0, rest->len);
    struct slice text = {rest->ptr,
                         end ? (size_t)(end - rest->ptr) : rest->len};

    *rest = slice_from(*rest, end ? text.len + 1 : text.len);
    return text;
}

static struct attr next_attr(struct slice *rest)
{
    uint8_t pick = (uint8_t)rest->ptr[0];
    struct attr attr = {.key = keys[pick % KEYS], .type = VALUE_STRING};
    struct slice text;

    *rest = slice_from(*rest, 1);
    text = next_text(rest);
    attr.key_len = (uint16_t)strlen(attr.key);
    attr.str = text.ptr;
    attr.len = (uint32_t)text.len;
    if (pick / KEYS % 4 == 1)
        attr = (struct attr){.key = attr.key,
                             .key_len = attr.key_len,
                             .type = VALUE_INT,
                             .i = text.len ? text.ptr[0] * 7 : -1};
    else if (pick / KEYS % 4 == 2)
        attr = (struct attr){.key = attr.key,
                             .key_len = attr.key_len,
                             .type = VALUE_BOOL,
                             .b = text.len % 2};
    return attr;
}

static void check_url(struct slice text)
{
    struct url url = url_split(text);
    struct slice host = url_host(url.authority);

    assert(host.len <= text.len && url.path.len <= text.len + 1);
    assert(!url.path.len || !memchr(url.path.ptr, '?', url.path.len));
    assert(!url.path.len || !memchr(url.path.ptr, '#', url.path.len));
    assert(!host.len || !memchr(host.ptr, '/', host.len));
    assert(url.relative == (url.path.len > 0 && url.path.ptr[0] != '/' &&
                            !slice_equal(url.path, SLICE("*"))));
}

static void check_outcome(struct span *span, const struct semconv *semconv)
{
    enum outcome outcome = outcome_of(semconv);

    if (span->status == SPAN_OK)
        assert(outcome != OUTCOME_FAILED);
    if (span->status == SPAN_ERROR)
        assert(outcome == OUTCOME_FAILED);
    if (outcome_http_status(semconv) >= 500 && span->status == SPAN_UNSET &&
        !semconv->at[SEM_OTEL_STATUS])
        assert(outcome == OUTCOME_FAILED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct attr attrs[MAX_ATTRS];
    struct span span = {0};
    struct semconv semconv;
    char out[OPERATION_MAX_TEXT];
    double weight;

    if (size == 0)
        return 0;
    semconv_init();
    span.kind = (uint8_t)(data[0] % 6);
    span.status = (uint8_t)(data[0] / 6 % 3);
    rest = slice_from(rest, 1);
    check_url(rest);
    span.trace_state = next_text(&rest);
    weight = sampling_weight(span.trace_state);
    assert(weight >= 1 && weight <= SAMPLING_MAX_WEIGHT);
    span.name = next_text(&rest);
    span.attrs.at = attrs;
    while (rest.len > 0 && span.attrs.count < MAX_ATTRS)
        attrs[span.attrs.count++] = next_attr(&rest);
    semconv_read(&semconv, &span);
    check_outcome(&span, &semconv);

    enum protocol protocol = span_protocol(&semconv);
    struct slice operation = operation_text(&semconv, protocol, out);

    assert(operation.len <= sizeof(out));
    if (protocol == PROTOCOL_HTTP && span.name.len > 0)
        assert(operation.len > 0);
    return 0;
}
