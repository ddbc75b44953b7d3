/* Trace context where loggers and shippers leave it. */
#include "log_fields.h"

#include "correlate_kit.h"

#define T    "0af7651916cd43dd8448eb211c80319c"
#define S    "b7ad6b7169203331"
#define UP   "0AF7651916CD43DD8448EB211C80319C"
#define LOW  "00000000000000008448eb211c80319c"
#define ZERO "00000000000000000000000000000000"
#define NONE "0000000000000000"

static const char *hex(const uint8_t *id, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++)
        sprintf(out + 2 * i, "%02x", id[i]);
    return out;
}

static void check(const struct log_record *log, const char *what,
                  const char *trace, const char *span)
{
    struct log_fields fields;
    char text[33];

    log_fields_read(&fields, log);
    if (!CHECK_TEXT(slice_of(hex(fields.trace_id, 16, text)), trace))
        printf("# %s\n", what);
    if (!CHECK_TEXT(slice_of(hex(fields.span_id, 8, text)), span))
        printf("# %s\n", what);
}

static void check_attrs(const char *attrs, const char *trace, const char *span)
{
    struct log_record log = {0};
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    log.attrs = kit_attrs(&arena, attrs);
    check(&log, attrs, trace, span);
    log = (struct log_record){.body = {.items = log.attrs.at,
                                       .len = log.attrs.count,
                                       .type = VALUE_MAP}};
    check(&log, attrs, trace, span);
    arena_release(&arena);
}

static void check_body(const char *body, const char *trace, const char *span)
{
    struct log_record log = {.body = {.str = body,
                                      .len = (uint32_t)strlen(body),
                                      .type = VALUE_STRING}};

    check(&log, body, trace, span);
}

/* The scopes of .NET's JSON console are an array of objects. */
TEST(scopes_of_dotnet)
{
    struct attr inside[2], scopes[2] = {{.type = VALUE_STRING}}, all;
    struct log_record log = {0};
    struct arena arena;
    struct attrs ids;

    check_body("{\"LogLevel\":\"Error\",\"Scopes\":[\"text\",7,{\"Message\":"
               "\"x\",\"SpanId\":\"" S "\",\"TraceId\":\"" T "\"}]}",
               T, S);
    check_body("{\"Scopes\":[[{\"TraceId\":\"" T "\"}]]}", ZERO, NONE);
    arena_init(&arena, NULL, SIZE_MAX);
    ids = kit_attrs(&arena, "TraceId=" T ",SpanId=" S);
    memcpy(inside, ids.at, sizeof(inside));
    scopes[1] = (struct attr){.items = inside, .len = 2, .type = VALUE_MAP};
    all = (struct attr){.key = "Scopes",
                        .key_len = 6,
                        .items = scopes,
                        .len = 2,
                        .type = VALUE_ARRAY};
    log.body = (struct attr){.items = &all, .len = 1, .type = VALUE_MAP};
    check(&log, "a map with an array", T, S);
    arena_release(&arena);
}

TEST(names_of_trace_and_span)
{
    check_attrs("trace_id=" T ",span_id=" S, T, S);
    check_attrs("traceId=" T ",spanId=" S, T, S);
    check_attrs("traceid=" T ",spanid=" S, T, S);
    check_attrs("TraceId=" T ",SpanId=" S, T, S);
    check_attrs("traceID=" T ",spanID=" S, T, S);
    check_attrs("TRACE_ID=" T ",SPAN_ID=" S, T, S);
    check_attrs("otelTraceID=" T ",otelSpanID=" S, T, S);
    check_attrs("trace.id=" T ",span.id=" S, T, S);
    check_attrs("@tr=" T ",@sp=" S, T, S);
    check_attrs("trace=" T ",span=" S, T, S);
    check_attrs("X-B3-TraceId=" T ",X-B3-SpanId=" S, T, S);
    check_attrs("logging.googleapis.com/trace=projects/p/traces/" T
                ",logging.googleapis.com/spanId=" S,
                T, S);
    check_attrs("traceparent=00-" T "-" S "-01", T, S);
    check_attrs("trace_id=" UP, T, NONE);
    check_attrs("trace_id=8448eb211c80319c", LOW, NONE);
    check_attrs("xray_trace_id=1-0af76519-16cd43dd8448eb211c80319c", T, NONE);
    check_attrs("elasticapm_trace_id=" T, T, NONE);
}

TEST(datadog)
{
    check_attrs("dd.trace_id=9532127138774266268,dd.span_id="
                "13235353014750950193",
                LOW, S);
    check_attrs("dd.trace_id=" T ",dd.span_id=" S, T, S);
    check_attrs("dd_trace_id=" T, T, NONE);
    check_attrs("dd.trace_id=99999999999999999999", ZERO, NONE);
    check_attrs("dd.trace_id=0", ZERO, NONE);
    check_attrs("dd.trace_id=#77", "0000000000000000000000000000004d", NONE);
}

TEST(what_is_no_id)
{
    check_attrs("trace_id=" ZERO, ZERO, NONE);
    check_attrs("trace_id=0102", ZERO, NONE);
    check_attrs("trace_id=x" T, ZERO, NONE);
    check_attrs("trace_id=", ZERO, NONE);
    check_attrs("traces=" T, ZERO, NONE);
    check_attrs("trace_id=#12", ZERO, NONE);
    check_attrs("traceparent=00-" T "-" S, ZERO, NONE);
    check_attrs("trace_id=" ZERO ",traceId=" T, T, NONE);
}

TEST(in_json_texts)
{
    check_body("{\"msg\":\"x\",\"trace_id\":\"" T "\",\"span_id\":\"" S "\"}",
               T, S);
    check_body("{\"traceId\": \"" UP "\"}", T, NONE);
    check_body("{\"trace\":{\"id\":\"" T "\"},\"span\":{\"id\":\"" S "\"}}", T,
               S);
    check_body("{\"dd\":{\"trace_id\":\"9532127138774266268\",\"span_id\":"
               "\"13235353014750950193\"}}",
               LOW, S);
    check_body("{\"dd.trace_id\":9532127138774266268}", LOW, NONE);
    check_body("{\"mdc\":{\"traceId\":\"" T "\"}}", T, NONE);
    check_body("{\"context\":{\"x\":{\"trace_id\":\"" T "\"}}}", ZERO, NONE);
    check_body("{\"a\":{\"trace_id\":\"" T "\"}}", ZERO, NONE);
    check_body("{\"@t\":\"2024\",\"@tr\":\"" T "\",\"@sp\":\"" S "\"}", T, S);
    check_body("{\"a\":\"q\\\"\",\"trace_id\":\"" T "\",\"b\":[1,{\"c\":2}], ",
               T, NONE);
    check_body("{\"a\":[1,2,\"]\"],\"trace_id\":\"" T "\"}", T, NONE);
    check_body("{\"a\":1 \"trace_id\":\"" T "\"}", ZERO, NONE);
    check_body("trace_id=" T, ZERO, NONE);
    check_body("{\"trace_id\":\"" T, ZERO, NONE);
    check_body("{\"trace_id", ZERO, NONE);
    check_body("{\"\\", ZERO, NONE);
}

/* Attributes are the shipper's word and come first. */
TEST(attributes_before_the_body)
{
    struct log_record log = {0};
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    log.attrs = kit_attrs(&arena, "trace_id=" T);
    log.body = (struct attr){
        .type = VALUE_STRING, .str = "{\"trace_id\":\"" LOW "\"}", .len = 47};
    check(&log, "both", T, NONE);
    log.trace_id[0] = 1; /* has one: nothing is looked for */
    check(&log, "own", ZERO, NONE);
    arena_release(&arena);
}
