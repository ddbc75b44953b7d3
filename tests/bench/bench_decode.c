/*
 * Decoding on one core: requests like those of an SDK, encoded by protobuf-c,
 * decoded by ours. One line per figure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "otlp.h"
#include "otlp.pb-c.h"

enum { RECORDS = 512, ATTRS = 10 };

static char keys[ATTRS][24] = {
    "http.request.method", "http.route",        "url.path",
    "url.scheme",          "server.address",    "server.port",
    "network.peer.port",   "network.peer.addr", "user_agent.original",
    "http.response.size"};
static char texts[ATTRS][40] = {"GET",
                                "/orders/{id}/items",
                                "/orders/817263/items",
                                "https",
                                "orders.shop.svc.cluster.local",
                                "",
                                "",
                                "10.42.17.201",
                                "Mozilla/5.0 (X11)",
                                ""};
static Otlp__AnyValue values[ATTRS];
static Otlp__KeyValue pairs[ATTRS];
static Otlp__KeyValue *attrs[ATTRS];
static uint8_t ids[RECORDS][24];

#define ID(ptr, size) ((ProtobufCBinaryData){(size), (ptr)})

static void make_attrs(void)
{
    for (int i = 0; i < ATTRS; i++) {
        otlp__any_value__init(&values[i]);
        if (texts[i][0]) {
            values[i].value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
            values[i].string_value = texts[i];
        } else {
            values[i].value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
            values[i].int_value = 8080 + i;
        }
        otlp__key_value__init(&pairs[i]);
        pairs[i].key = keys[i];
        pairs[i].value = &values[i];
        attrs[i] = &pairs[i];
    }
    for (int i = 0; i < RECORDS; i++)
        for (int b = 0; b < 24; b++)
            ids[i][b] = (uint8_t)(1 + rand() % 255);
}

static struct batch *finish(enum signal signal, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    char *body = malloc(len);
    struct batch *batch;

    if (!body)
        abort();
    protobuf_c_message_pack(message, (uint8_t *)body);
    batch = batch_new(signal, body, len, NULL);
    batch->received_ns = clock_wall_ns();
    return batch;
}

static Otlp__Resource resource;

static struct batch *make_spans(uint64_t now)
{
    static Otlp__Span spans[RECORDS];
    static Otlp__Span *list[RECORDS];
    static char name[] = "GET /orders/{id}/items", scope_name[] = "http";
    Otlp__InstrumentationScope scope = OTLP__INSTRUMENTATION_SCOPE__INIT;
    Otlp__ScopeSpans ss = OTLP__SCOPE_SPANS__INIT, *ssp = &ss;
    Otlp__ResourceSpans rs = OTLP__RESOURCE_SPANS__INIT, *rsp = &rs;
    Otlp__TracesData data = OTLP__TRACES_DATA__INIT;
    Otlp__Status status = OTLP__STATUS__INIT;

    status.has_code = 1;
    status.code = 1;
    for (int i = 0; i < RECORDS; i++) {
        Otlp__Span *span = list[i] = &spans[i];

        otlp__span__init(span);
        span->has_trace_id = span->has_span_id = span->has_parent_span_id = 1;
        span->trace_id = ID(ids[i], 16);
        span->span_id = ID(ids[i] + 16, 8);
        span->parent_span_id = ID(ids[(i + 1) % RECORDS] + 16, 8);
        span->name = name;
        span->has_kind = 1;
        span->kind = 2;
        span->has_start_time_unix_nano = span->has_end_time_unix_nano = 1;
        span->start_time_unix_nano = now;
        span->end_time_unix_nano = now + 43000000;
        span->n_attributes = ATTRS;
        span->attributes = attrs;
        span->has_flags = 1;
        span->flags = 257;
        span->status = &status;
    }
    scope.name = scope_name;
    ss.scope = &scope;
    ss.n_spans = RECORDS;
    ss.spans = list;
    rs.resource = &resource;
    rs.n_scope_spans = 1;
    rs.scope_spans = &ssp;
    data.n_resource_spans = 1;
    data.resource_spans = &rsp;
    return finish(SIGNAL_SPANS, &data.base);
}

static struct batch *make_logs(uint64_t now)
{
    static Otlp__LogRecord logs[RECORDS];
    static Otlp__LogRecord *list[RECORDS];
    static char level[] = "INFO";
    static char text[] = "order 817263 accepted for customer 4711 in 43 ms, "
                         "3 items, warehouse north";
    Otlp__AnyValue body = OTLP__ANY_VALUE__INIT;
    Otlp__ScopeLogs sl = OTLP__SCOPE_LOGS__INIT, *slp = &sl;
    Otlp__ResourceLogs rl = OTLP__RESOURCE_LOGS__INIT, *rlp = &rl;
    Otlp__LogsData data = OTLP__LOGS_DATA__INIT;

    body.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
    body.string_value = text;
    for (int i = 0; i < RECORDS; i++) {
        Otlp__LogRecord *log = list[i] = &logs[i];

        otlp__log_record__init(log);
        log->has_time_unix_nano = log->has_observed_time_unix_nano = 1;
        log->time_unix_nano = log->observed_time_unix_nano = now;
        log->has_severity_number = 1;
        log->severity_number = 9;
        log->severity_text = level;
        log->body = &body;
        log->n_attributes = 2;
        log->attributes = attrs;
        log->has_trace_id = log->has_span_id = 1;
        log->trace_id = ID(ids[i], 16);
        log->span_id = ID(ids[i] + 16, 8);
    }
    sl.n_log_records = RECORDS;
    sl.log_records = list;
    rl.resource = &resource;
    rl.n_scope_logs = 1;
    rl.scope_logs = &slp;
    data.n_resource_logs = 1;
    data.resource_logs = &rlp;
    return finish(SIGNAL_LOGS, &data.base);
}

static struct batch *make_points(uint64_t now)
{
    static Otlp__NumberDataPoint points[RECORDS];
    static Otlp__NumberDataPoint *list[RECORDS];
    static char name[] = "http.server.active_requests", unit[] = "{request}";
    Otlp__Gauge gauge = OTLP__GAUGE__INIT;
    Otlp__Metric metric = OTLP__METRIC__INIT, *mp = &metric;
    Otlp__ScopeMetrics sm = OTLP__SCOPE_METRICS__INIT, *smp = &sm;
    Otlp__ResourceMetrics rm = OTLP__RESOURCE_METRICS__INIT, *rmp = &rm;
    Otlp__MetricsData data = OTLP__METRICS_DATA__INIT;

    for (int i = 0; i < RECORDS; i++) {
        Otlp__NumberDataPoint *point = list[i] = &points[i];

        otlp__number_data_point__init(point);
        point->has_start_time_unix_nano = point->has_time_unix_nano = 1;
        point->start_time_unix_nano = now - 1000;
        point->time_unix_nano = now;
        point->value_case = OTLP__NUMBER_DATA_POINT__VALUE_AS_INT;
        point->as_int = i;
        point->n_attributes = 4;
        point->attributes = attrs;
    }
    gauge.n_data_points = RECORDS;
    gauge.data_points = list;
    metric.name = name;
    metric.unit = unit;
    metric.data_case = OTLP__METRIC__DATA_GAUGE;
    metric.gauge = &gauge;
    sm.n_metrics = 1;
    sm.metrics = &mp;
    rm.resource = &resource;
    rm.n_scope_metrics = 1;
    rm.scope_metrics = &smp;
    data.n_resource_metrics = 1;
    data.resource_metrics = &rmp;
    return finish(SIGNAL_METRICS, &data.base);
}

/* The spans again, as a JS SDK writes them. */
static struct batch *make_json(uint64_t now)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    struct buf buf;

    buf_init(&buf, SIZE_MAX / 2);
    buf_format(&buf, "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{"
                     "\"scope\":{\"name\":\"http\"},\"spans\":[");
    for (int i = 0; i < RECORDS; i++) {
        buf_format(&buf,
                   "%s{\"traceId\":\"%032x\",\"spanId\":\"%016x\","
                   "\"parentSpanId\":\"%016x\",\"name\":\"GET "
                   "/orders/{id}/items\",\"kind\":2,\"startTimeUnixNano\":"
                   "\"%llu\",\"endTimeUnixNano\":\"%llu\",\"attributes\":[",
                   i > 0 ? "," : "", i + 1, i + 1, i + 2,
                   (unsigned long long)now, (unsigned long long)now + 43);
        for (int a = 0; a < ATTRS; a++)
            if (texts[a][0])
                buf_format(&buf,
                           "%s{\"key\":\"%s\",\"value\":{\"stringValue\":"
                           "\"%s\"}}",
                           a > 0 ? "," : "", keys[a], texts[a]);
            else
                buf_format(&buf,
                           "%s{\"key\":\"%s\",\"value\":{\"intValue\":%d}}",
                           a > 0 ? "," : "", keys[a], 8080 + a);
        buf_format(&buf, "],\"status\":{\"code\":1},\"flags\":257}");
    }
    buf_format(&buf, "]}]}]}");
    batch->body = buf_detach(&buf, &batch->body_len);
    batch->encoding = BATCH_JSON;
    batch->received_ns = clock_wall_ns();
    return batch;
}

/* The hash by which a request is known when it comes again, of each record's
 * share of the body; the best of ten rounds as well. */
static double measure_hash(const struct batch *batch, uint32_t count)
{
    static struct request_key key;
    struct slice none = {NULL, 0}, body = {batch->body, batch->body_len};
    double best = 1e9;
    uint64_t mix = 0;

    request_key_make(&key, (const uint8_t *)"0123456789abcdef");
    for (int round = 0; round < 10; round++) {
        uint64_t start = clock_monotonic_ns();

        for (int i = 0; i < 50; i++)
            mix ^= request_hash_of(&key, mix, none, body).a;

        double took = (double)(clock_monotonic_ns() - start) / 50 / count;
        if (took < best)
            best = took;
    }
    return mix ? best : 0;
}

/* Half a second of decoding the same batch; the best of its tenths. */
static void measure(const char *what, struct batch *batch)
{
    double best = 1e9;
    uint32_t count = 0;

    for (int round = 0; round < 10; round++) {
        uint64_t start = clock_monotonic_ns(), end = start;
        uint64_t records = 0;

        while (end - start < NS_PER_S / 20) {
            arena_reset(&batch->arena);
            if (otlp_decode(batch, 0, NULL) != OK)
                abort();
            records += count = batch->count;
            end = clock_monotonic_ns();
        }
        if ((double)(end - start) / (double)records < best)
            best = (double)(end - start) / (double)records;
    }
    printf("decode_%s %.0f ns/record %.0f MB/s (%zu bytes/record, arena %zu)\n",
           what, best, (double)batch->body_len / count / best * 1000,
           batch->body_len / count, arena_size(&batch->arena) / count);
    printf("hash_%s %.1f ns/record %.0f MB/s\n", what,
           measure_hash(batch, count),
           (double)batch->body_len / count / measure_hash(batch, count) * 1000);
    batch_free(batch);
}

int main(void)
{
    uint64_t now = clock_wall_ns();

    make_attrs();
    otlp__resource__init(&resource);
    resource.n_attributes = ATTRS;
    resource.attributes = attrs;
    measure("spans", make_spans(now));
    measure("spans_json", make_json(now));
    measure("logs", make_logs(now));
    measure("points", make_points(now));
    return 0;
}
