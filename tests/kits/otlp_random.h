/*
 * otlp_random - random requests as trees of protobuf-c, for property tests.
 *
 * Most of what is made is valid; seldom an id has a wrong length, a time is 0
 * or lies in the future, a key is empty, a text is longer than the bounds, a
 * list too, a value nested too deep. All is from malloc, so that protobuf-c
 * frees it.
 */
#ifndef OTLP_RANDOM_H
#define OTLP_RANDOM_H

#include <stdlib.h>
#include <string.h>

#include "otlp.pb-c.h"
#include "record.h"
#include "test.h"

#define RANDOM_NOW UINT64_C(1795253952000000000)

static inline void *random_memory(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        abort();
    return p;
}

static inline bool one_in(uint32_t n)
{
    return test_random(n) == 0;
}

static inline char *random_text(void)
{
    static const char *const pieces[] = {
        "a",    "service",  ".",  "name",         "_",
        " ",    "\"",       "\\", "\n",           "/",
        "\x01", "\xc3\xa4", "0",  "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    uint32_t count = one_in(500) ? ATTR_MAX_VALUE : test_random(8);
    char *text = random_memory((size_t)count * 8 + 1), *at = text;

    *at = '\0';
    while (count-- > 0) {
        const char *piece =
            pieces[test_random(sizeof(pieces) / sizeof(pieces[0]))];

        strcpy(at, piece);
        at += strlen(piece);
    }
    return text;
}

static inline char *maybe_text(void)
{
    return one_in(3) ? NULL : random_text();
}

static inline ProtobufCBinaryData random_bytes(size_t len)
{
    uint8_t *data = len > 0 ? random_memory(len) : NULL;

    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)test_random(256);
    return (ProtobufCBinaryData){len, data};
}

static inline ProtobufCBinaryData random_id(size_t size)
{
    ProtobufCBinaryData id;

    if (one_in(40))
        size = test_random(20);
    id = random_bytes(size);
    if (one_in(60) && id.len > 0)
        memset(id.data, 0, id.len);
    return id;
}

static inline uint64_t random_time(void)
{
    if (one_in(20))
        return 0;
    if (one_in(20))
        return test_random64();
    return RANDOM_NOW - test_random(1000000) + test_random(2000000);
}

static inline double random_double(void)
{
    static const double some[] = {0, -0.0, 0.1, 1e300, -5e-324, 12345678.9};
    uint64_t bits = test_random64();
    double v;

    if (one_in(3))
        return some[test_random(6)];
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static inline int64_t random_int(void)
{
    return (int64_t)(test_random64() >> test_random(64));
}

static inline uint32_t random_u32(void)
{
    return (uint32_t)(test_random64() >> (32 + test_random(32)));
}

/* An array of count pointers to messages that make() makes. */
#define RANDOM_LIST(n, list, most, make)                               \
    do {                                                               \
        (n) = one_in(4) ? 0 : test_random(most);                       \
        (list) = (n) > 0 ? random_memory((n) * sizeof(void *)) : NULL; \
        for (size_t i_ = 0; i_ < (n); i_++)                            \
            (list)[i_] = (make);                                       \
    } while (0)

/* A message, set to its defaults. */
#define RANDOM_NEW(var, init)                  \
    do {                                       \
        (var) = random_memory(sizeof(*(var))); \
        init(var);                             \
    } while (0)

/* An optional scalar. */
#define RANDOM_SET(message, member, value) \
    do {                                   \
        if (!one_in(4)) {                  \
            (message)->has_##member = 1;   \
            (message)->member = (value);   \
        }                                  \
    } while (0)

static inline Otlp__KeyValue *random_pair(unsigned depth);

static inline Otlp__AnyValue *random_value(unsigned depth)
{
    Otlp__AnyValue *v;
    uint32_t kind = test_random(depth > 12 ? 6 : 9);

    RANDOM_NEW(v, otlp__any_value__init);
    switch (kind) {
    case 0:
        return v;
    case 1:
        v->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
        v->bool_value = one_in(2);
        return v;
    case 2:
        v->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
        v->int_value = one_in(2) ? random_int() : -random_int();
        return v;
    case 3:
        v->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
        v->double_value = random_double();
        return v;
    case 4:
        v->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
        v->bytes_value = random_bytes(
            one_in(300) ? ATTR_MAX_VALUE + test_random(9) : test_random(9));
        return v;
    case 6:
        v->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
        RANDOM_NEW(v->array_value, otlp__array_value__init);
        RANDOM_LIST(v->array_value->n_values, v->array_value->values, 4,
                    random_value(depth + 1));
        return v;
    case 7:
        v->value_case = OTLP__ANY_VALUE__VALUE_KVLIST_VALUE;
        RANDOM_NEW(v->kvlist_value, otlp__key_value_list__init);
        RANDOM_LIST(v->kvlist_value->n_values, v->kvlist_value->values, 4,
                    random_pair(depth + 1));
        return v;
    default:
        v->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
        v->string_value = random_text();
        return v;
    }
}

/* One of a few, so that some lists have a key twice. */
static inline char *few_keys(void)
{
    return strcpy(random_memory(4), one_in(2) ? "a" : "a.b");
}

static inline Otlp__KeyValue *random_pair(unsigned depth)
{
    Otlp__KeyValue *pair;

    RANDOM_NEW(pair, otlp__key_value__init);
    pair->key = one_in(4) ? few_keys() : maybe_text();
    if (!one_in(10))
        pair->value = random_value(depth);
    return pair;
}

#define RANDOM_ATTRS(m)                             \
    RANDOM_LIST((m)->n_attributes, (m)->attributes, \
                one_in(200) ? 2 * ATTR_MAX_COUNT : 6, random_pair(0))

static inline Otlp__Resource *random_resource(void)
{
    Otlp__Resource *m;

    if (one_in(5))
        return NULL;
    RANDOM_NEW(m, otlp__resource__init);
    RANDOM_ATTRS(m);
    RANDOM_SET(m, dropped_attributes_count, random_u32());
    return m;
}

static inline Otlp__InstrumentationScope *random_scope(void)
{
    Otlp__InstrumentationScope *m;

    if (one_in(3))
        return NULL;
    RANDOM_NEW(m, otlp__instrumentation_scope__init);
    m->name = maybe_text();
    m->version = maybe_text();
    RANDOM_ATTRS(m);
    RANDOM_SET(m, dropped_attributes_count, random_u32());
    return m;
}

static inline Otlp__Span__Event *random_event(void)
{
    Otlp__Span__Event *m;

    RANDOM_NEW(m, otlp__span__event__init);
    RANDOM_SET(m, time_unix_nano, random_time());
    m->name = maybe_text();
    RANDOM_ATTRS(m);
    RANDOM_SET(m, dropped_attributes_count, random_u32());
    return m;
}

static inline Otlp__Span__Link *random_link(void)
{
    Otlp__Span__Link *m;

    RANDOM_NEW(m, otlp__span__link__init);
    m->has_trace_id = m->has_span_id = 1;
    m->trace_id = random_id(16);
    m->span_id = random_id(8);
    m->trace_state = maybe_text();
    RANDOM_ATTRS(m);
    RANDOM_SET(m, flags, random_u32());
    return m;
}

static inline Otlp__Span *random_span(void)
{
    Otlp__Span *m;

    RANDOM_NEW(m, otlp__span__init);
    m->has_trace_id = m->has_span_id = 1;
    m->trace_id = random_id(16);
    m->span_id = random_id(8);
    RANDOM_SET(m, parent_span_id, random_id(8));
    m->trace_state = maybe_text();
    m->name = maybe_text();
    RANDOM_SET(m, kind, (int32_t)test_random(8) - 1);
    RANDOM_SET(m, start_time_unix_nano, random_time());
    RANDOM_SET(m, end_time_unix_nano,
               one_in(9) ? random_time()
                         : m->start_time_unix_nano + test_random(1000000));
    RANDOM_ATTRS(m);
    RANDOM_SET(m, dropped_attributes_count, random_u32());
    RANDOM_LIST(m->n_events, m->events, one_in(99) ? 2 * SPAN_MAX_EVENTS : 3,
                random_event());
    RANDOM_SET(m, dropped_events_count, test_random(9));
    RANDOM_LIST(m->n_links, m->links, 3, random_link());
    RANDOM_SET(m, dropped_links_count, test_random(9));
    if (one_in(2)) {
        RANDOM_NEW(m->status, otlp__status__init);
        m->status->message = maybe_text();
        RANDOM_SET(m->status, code, (int32_t)test_random(5) - 1);
    }
    RANDOM_SET(m, flags, random_u32());
    return m;
}

static inline Otlp__LogRecord *random_log(void)
{
    Otlp__LogRecord *m;

    RANDOM_NEW(m, otlp__log_record__init);
    RANDOM_SET(m, time_unix_nano, random_time());
    RANDOM_SET(m, observed_time_unix_nano, random_time());
    RANDOM_SET(m, severity_number, (int32_t)test_random(28) - 2);
    m->severity_text = maybe_text();
    m->event_name = maybe_text();
    m->body = one_in(5) ? NULL : random_value(0);
    RANDOM_ATTRS(m);
    RANDOM_SET(m, dropped_attributes_count, random_u32());
    RANDOM_SET(m, flags, random_u32());
    RANDOM_SET(m, trace_id, random_id(16));
    RANDOM_SET(m, span_id, random_id(8));
    return m;
}

#include "otlp_random_metrics.h"

/* ResourceX with its scopes, and the request. */
#define RANDOM_REQUEST(Name, name, Data, data, records, record)        \
    static inline Otlp__Scope##Name *random_scope_##name(void)         \
    {                                                                  \
        Otlp__Scope##Name *m;                                          \
                                                                       \
        RANDOM_NEW(m, otlp__scope_##name##__init);                     \
        m->scope = random_scope();                                     \
        m->schema_url = maybe_text();                                  \
        RANDOM_LIST(m->n_##records, m->records, 6, random_##record()); \
        return m;                                                      \
    }                                                                  \
    static inline Otlp__Resource##Name *random_resource_##name(void)   \
    {                                                                  \
        Otlp__Resource##Name *m;                                       \
                                                                       \
        RANDOM_NEW(m, otlp__resource_##name##__init);                  \
        m->resource = random_resource();                               \
        m->schema_url = maybe_text();                                  \
        RANDOM_LIST(m->n_scope_##name, m->scope_##name, 3,             \
                    random_scope_##name());                            \
        return m;                                                      \
    }                                                                  \
    static inline ProtobufCMessage *random_##data(void)                \
    {                                                                  \
        Otlp__##Data *m;                                               \
                                                                       \
        RANDOM_NEW(m, otlp__##data##__init);                           \
        RANDOM_LIST(m->n_resource_##name, m->resource_##name, 3,       \
                    random_resource_##name());                         \
        return &m->base;                                               \
    }

RANDOM_REQUEST(Spans, spans, TracesData, traces_data, spans, span)
RANDOM_REQUEST(Logs, logs, LogsData, logs_data, log_records, log)
RANDOM_REQUEST(Metrics, metrics, MetricsData, metrics_data, metrics, metric)

static inline ProtobufCMessage *random_request(enum signal signal)
{
    if (signal == SIGNAL_SPANS)
        return random_traces_data();
    return signal == SIGNAL_LOGS ? random_logs_data() : random_metrics_data();
}

#endif
