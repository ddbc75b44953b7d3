#include "semconv.h"

#include "correlate_kit.h"

static struct arena arena;

static enum outcome of(enum span_kind kind, enum span_status status,
                       const char *text)
{
    struct span span = {.kind = (uint8_t)kind, .status = (uint8_t)status};
    struct semconv semconv;

    span.attrs = kit_attrs(&arena, text);
    semconv_init();
    semconv_read(&semconv, &span);
    return outcome_of(&semconv);
}

/* What senders say in attributes, and what it means for a SERVER and for a
 * CLIENT. */
static const struct {
    const char *attrs;
    enum outcome server, client;
} cases[] = {
#define FINE   OUTCOME_NONE
#define CLIENT OUTCOME_CLIENT_ERROR
#define FAILED OUTCOME_FAILED
    {"", FINE, FINE},
    /* conventions, new and old */
    {"http.response.status_code=#500", FAILED, FAILED},
    {"http.response.status_code=502", FAILED, FAILED},
    {"http.status_code=#599", FAILED, FAILED},
    {"http.status_code=500 Internal Server Error", FAILED, FAILED},
    {"http.status_code=#404", CLIENT, FAILED},
    {"http.status_code=#302", FINE, FINE},
    {"http.status_code=#0", FINE, FINE},
    {"http.status_code=#600", FINE, FINE},
    {"http.status_code=oops", FINE, FINE},
    {"rpc.status_code=UNAVAILABLE", FAILED, FAILED},
    {"rpc.response.status_code=DEADLINE_EXCEEDED", FAILED, FAILED},
    {"rpc.response.status_code=OK", FINE, FINE},
    {"rpc.response.status_code=NOT_FOUND", FINE, FAILED},
    {"rpc.grpc.status_code=#2", FAILED, FAILED},
    {"rpc.grpc.status_code=#0", FINE, FINE},
    {"rpc.grpc.status_code=#5", FINE, FAILED},
    {"rpc.grpc.status_code=#1", FINE, FAILED},
    {"rpc.grpc.status_code=#99", FINE, FINE},
    {"rpc.connect_rpc.error_code=data_loss", FAILED, FAILED},
    {"rpc.jsonrpc.error_code=#-32603", FAILED, FAILED},
    {"rpc.jsonrpc.error_code=#-32601", FINE, FAILED},
    {"rpc.jsonrpc.error_code=#0", FINE, FINE},
    {"error.type=java.net.SocketTimeoutException", FAILED, FAILED},
    {"error.type=", FINE, FINE},
    {"error.type=404,http.response.status_code=#404", CLIENT, FAILED},
    /* Envoy, Istio */
    {"http.status_code=200,grpc.status_code=14", FAILED, FAILED},
    {"http.status_code=200,grpc.status_code=0", FINE, FINE},
    {"http.status_code=200,grpc.status_code=5", FINE, FAILED},
    {"http.status_code=0,error=true", FAILED, FAILED},
    {"http.status_code=404,error=true", FAILED, FAILED},
    /* OpenTracing, Brave, Zipkin */
    {"error=!true", FAILED, FAILED},
    {"error=!false", FINE, FINE},
    {"error=false", FINE, FINE},
    {"error=#1", FAILED, FAILED},
    {"error=", FINE, FINE},
    {"error=connection reset", FAILED, FAILED},
    {"error=404,http.status_code=404", CLIENT, FAILED},
    {"error=500,http.status_code=500", FAILED, FAILED},
    /* Micrometer */
    {"method=GET,uri=/x,status=500,outcome=SERVER_ERROR", FAILED, FAILED},
    {"method=GET,uri=/x,status=404,outcome=CLIENT_ERROR", CLIENT, FAILED},
    {"method=GET,uri=/x,status=200,outcome=SUCCESS", FINE, FINE},
    {"outcome=SERVER_ERROR", FAILED, FAILED},
    {"outcome=CLIENT_ERROR", CLIENT, FAILED},
    {"outcome=UNKNOWN", FINE, FINE},
    {"event.outcome=failure", FAILED, FAILED},
    {"method=get,status_code=#503", FAILED, FAILED},
    {"grpc.status_code=DeadlineExceeded", FAILED, FAILED},
    {"dapr.status_code=500", FAILED, FAILED},
    {"dapr.status_code=404", CLIENT, FAILED},
    {"dapr.status_code=14", FAILED, FAILED},
    {"dapr.status_code=NotFound", FINE, FAILED},
    {"dapr.status_code=200", FINE, FINE},
    /* a word that is not about HTTP */
    {"status=500", FINE, FINE},
    {"method=charge,status=500", FINE, FINE},
    {"status=failed", FINE, FINE},
    /* carriers without a status */
    {"otel.status_code=ERROR", FAILED, FAILED},
    {"otel.status_code=OK,http.status_code=#500", FINE, FINE},
    /* senders in change: the worst of both */
    {"http.status_code=#500,rpc.grpc.status_code=#0", FAILED, FAILED},
#undef FINE
#undef CLIENT
#undef FAILED
};

TEST(what_senders_say_in_attributes)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (of(SPAN_SERVER, SPAN_UNSET, cases[i].attrs) != cases[i].server ||
            of(SPAN_CLIENT, SPAN_UNSET, cases[i].attrs) != cases[i].client)
            CHECK_TEXT(slice_of(cases[i].attrs), "as the table says");
        CHECK_EQ(of(SPAN_CONSUMER, SPAN_UNSET, cases[i].attrs),
                 cases[i].server);
        CHECK_EQ(of(SPAN_INTERNAL, SPAN_UNSET, cases[i].attrs),
                 cases[i].server);
        CHECK_EQ(of(SPAN_PRODUCER, SPAN_UNSET, cases[i].attrs),
                 cases[i].client);
    }
}

/* Status OK overrides the attributes: the span has not failed, but a 4xx is
 * still a client error. */
TEST(a_status_that_is_set_decides)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        CHECK_EQ(of(SPAN_SERVER, SPAN_ERROR, cases[i].attrs), OUTCOME_FAILED);
        CHECK(of(SPAN_SERVER, SPAN_OK, cases[i].attrs) != OUTCOME_FAILED);
        CHECK(of(SPAN_CLIENT, SPAN_OK, cases[i].attrs) != OUTCOME_FAILED);
    }
    CHECK_EQ(of(SPAN_SERVER, SPAN_OK, "http.status_code=#404"),
             OUTCOME_CLIENT_ERROR);
    arena_release(&arena);
}

/* RED, edges and the marks of the spans, through the correlator: one rule. */
TEST(what_is_counted_is_what_is_marked)
{
    for (int round = 0; round < 20; round++) {
        struct kit kit = kit_open();
        struct batch *batch = kit_batch(&kit, SIGNAL_SPANS);
        uint32_t served = 0, called = 0;

        for (uint32_t i = 1; i <= 200; i++) {
            size_t pick = test_random(sizeof(cases) / sizeof(*cases));
            struct span *span =
                kit_span(batch, i % 2 ? "service.name=a" : "service.name=b",
                         test_random(2) ? SPAN_SERVER : SPAN_CLIENT, i, i, 0,
                         cases[pick].attrs);

            span->status = (uint8_t)test_random(3);
            if (span->kind == SPAN_CLIENT) {
                struct attr *attr = (struct attr *)(uintptr_t)span->attrs.at;

                attr[span->attrs.count++] = (struct attr){.key = "peer.service",
                                                          .key_len = 12,
                                                          .str = "x.example",
                                                          .len = 9,
                                                          .type = VALUE_STRING};
            }
        }
        kit_take(&kit, batch);
        for (uint32_t i = 0; i < batch->count; i++) {
            served += batch->spans[i].kind == SPAN_SERVER &&
                      span_failed(&batch->spans[i]);
            called += batch->spans[i].kind == SPAN_CLIENT &&
                      span_failed(&batch->spans[i]);
        }
        batch_free(batch);
        kit_settle(&kit);
        kit_close(&kit);
        CHECK_EQ(kit_sum(DERIVED_ERRORS, ""), served);
        CHECK_EQ(kit_sum(DERIVED_IN_ERRORS, "peer.kind=gateway"), served);
        CHECK_EQ(kit_sum(DERIVED_OUT_ERRORS, ""), called);
    }
}

__attribute__((constructor)) static void set_up(void)
{
    arena_init(&arena, NULL, SIZE_MAX);
}
