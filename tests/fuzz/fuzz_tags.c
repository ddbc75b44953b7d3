/*
 * What senders write into texts that the correlator looks into: paths, URLs
 * and names of spans, log lines. The first byte picks the kind of span and
 * which attributes the rest is cut into, at NUL bytes.
 */
#include <assert.h>

#include "endpoint.h"
#include "severity.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {"http.request.method",
                                   "http.route",
                                   "url.path",
                                   "url.full",
                                   "http.target",
                                   "rpc.method",
                                   "rpc.service",
                                   "db.operation",
                                   "server.port",
                                   "http.status_code",
                                   "messaging.operation"};

enum { KEYS = sizeof(keys) / sizeof(*keys) };

static void check_masked(struct slice path)
{
    char out[OPERATION_MAX_TEXT], again[OPERATION_MAX_TEXT];
    struct slice masked = operation_mask_path(path, out, sizeof(out));

    assert(masked.len <= sizeof(out));
    assert(!masked.len || !memchr(masked.ptr, '?', masked.len));
    if (path.len < sizeof(out) / 4) /* not cut: it stays as it is */
        assert(slice_equal(operation_mask_path(masked, again, sizeof(again)),
                           masked));
}

/* As a body, and as an attribute's value. */
static void check_log(struct slice text)
{
    struct attr value = {
        .str = text.ptr, .len = (uint32_t)text.len, .type = VALUE_STRING};
    struct log_record log = {.body = value};
    struct log_fields fields;
    static const char *const names[] = {"trace_id", "dd.trace_id", "level",
                                        "traceparent", "PRIORITY"};

    log_fields_read(&fields, &log);
    assert(severity_of(&log, &fields) != LEVEL_UNSET);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        value.key = names[i];
        value.key_len = (uint16_t)strlen(names[i]);
        log.attrs = (struct attrs){&value, 1, 0};
        log_fields_read(&fields, &log);
        assert(fields.level < LEVEL_COUNT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct attr attrs[KEYS];
    struct span span = {0};
    struct semconv semconv;
    char out[OPERATION_MAX_TEXT];
    uint32_t first;

    if (size == 0)
        return 0;
    semconv_init();
    first = data[0];
    span.kind = (uint8_t)(first % 6);
    rest = slice_from(rest, 1);
    check_masked(rest);
    url_is_public_host(url_host(url_split(rest).authority));
    check_log(rest);
    span.name = rest;
    span.attrs.at = attrs;
    while (rest.len > 0 && span.attrs.count < KEYS) {
        const char *end = memchr(rest.ptr, 0, rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        const char *key = keys[(first + span.attrs.count) % KEYS];

        attrs[span.attrs.count++] =
            (struct attr){.key = key,
                          .key_len = (uint16_t)strlen(key),
                          .str = rest.ptr,
                          .len = (uint32_t)len,
                          .type = VALUE_STRING};
        rest = slice_from(rest, end ? len + 1 : len);
    }
    semconv_read(&semconv, &span);
    outcome_of(&semconv);
    assert(operation_text(&semconv, span_protocol(&semconv), out).len <=
           sizeof(out));
    return 0;
}
