/*
 * Whether a span failed. The sender's status decides if it is set. Most senders
 * other than the SDKs leave it unset and use attributes. The evidence, by
 * precedence:
 *
 *   status              ERROR, OK; or the same in otel.status_code
 *   error=true          OpenTracing, Envoy, Istio: their form of ERROR
 *   HTTP, gRPC, JSON-RPC status, Micrometer's outcome
 *   error=<text>, error.type   Brave and Zipkin; the semantic conventions
 *
 * As in the conventions, an error caused by the caller (HTTP 4xx, NOT_FOUND)
 * is a failure of the CLIENT span and not of the SERVER span.
 */
#include "ascii.h"
#include "semconv.h"

/* What a status code means; a larger value is worse. */
enum status_verdict {
    VERDICT_UNKNOWN,
    VERDICT_OK,
    VERDICT_CALLER,
    VERDICT_SERVER
};

/* Compares without case and without '_' in text: "DeadlineExceeded" and
 * "DEADLINE_EXCEEDED" equal "deadlineexceeded". */
static bool is_word(struct slice text, struct slice word)
{
    size_t at = 0;

    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '_' &&
            (at == word.len || to_lower(text.ptr[i]) != word.ptr[at++]))
            return false;
    return at == word.len;
}

/* Compares in the same way with each word of a list. */
static bool is_any(struct slice text, const char *list)
{
    struct slice rest = slice_of(list);

    while (rest.len > 0)
        if (is_word(text, slice_split(&rest, ' ')))
            return true;
    return false;
}

/* The first three digits of "500" or "500 Internal Server Error". */
static uint32_t status_number(const struct semconv *semconv,
                              enum semconv_field field)
{
    struct slice text = semconv_text(semconv, field);
    int64_t number = semconv_number(semconv, field);

    if (number < 0 && text.len > 3 && text.ptr[3] == ' ') {
        number = 0;
        for (int i = 0; i < 3; i++)
            number = text.ptr[i] >= '0' && text.ptr[i] <= '9'
                         ? number * 10 + (text.ptr[i] - '0')
                         : 1000;
    }
    return number >= 100 && number <= 599 ? (uint32_t)number : 0;
}

uint32_t outcome_http_status(const struct semconv *semconv)
{
    uint32_t status = status_number(semconv, SEM_HTTP_STATUS);

    /* "status" counts only beside a method, a URL or an outcome. */
    if (status == 0 && semconv->at[SEM_PLAIN_STATUS] &&
        (semconv_is_http(semconv) || semconv->at[SEM_OUTCOME]))
        status = status_number(semconv, SEM_PLAIN_STATUS);
    if (status == 0 && semconv->at[SEM_DAPR_STATUS])
        status = status_number(semconv, SEM_DAPR_STATUS);
    return status;
}

static enum status_verdict http_verdict(const struct semconv *semconv)
{
    uint32_t status = outcome_http_status(semconv);

    if (status >= 400)
        return status < 500 ? VERDICT_CALLER : VERDICT_SERVER;
    return status > 0 ? VERDICT_OK : VERDICT_UNKNOWN;
}

/* The conventions call UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
 * UNAVAILABLE and DATA_LOSS errors of the server. */
static enum status_verdict grpc_verdict(const struct semconv *semconv,
                                        enum semconv_field field)
{
    enum { SERVERS = 1 << 2 | 1 << 4 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15 };
    struct slice text = semconv_text(semconv, field);
    int64_t code;

    if (!semconv->at[field])
        return VERDICT_UNKNOWN;
    code = semconv_number(semconv, field);
    if (code >= 0 && code <= 16)
        return code == 0             ? VERDICT_OK
               : SERVERS >> code & 1 ? VERDICT_SERVER
                                     : VERDICT_CALLER;
    if (code >= 0 || text.len == 0)
        return VERDICT_UNKNOWN;
    if (is_word(text, SLICE("ok")))
        return VERDICT_OK;
    return is_any(text, "unknown deadlineexceeded unimplemented internal "
                        "unavailable dataloss")
               ? VERDICT_SERVER
               : VERDICT_CALLER;
}

/* Internal error and the codes reserved for servers; some send 0 for success.
 */
static enum status_verdict jsonrpc_verdict(const struct semconv *semconv)
{
    const struct attr *attr = semconv->at[SEM_JSONRPC_ERROR];

    if (!attr || attr->type != VALUE_INT)
        return VERDICT_UNKNOWN;
    if (attr->i == 0)
        return VERDICT_OK;
    return attr->i == -32603 || (attr->i >= -32099 && attr->i <= -32000)
               ? VERDICT_SERVER
               : VERDICT_CALLER;
}

static enum status_verdict outcome_verdict(const struct semconv *semconv)
{
    struct slice text = semconv_text(semconv, SEM_OUTCOME);

    if (text.len == 0)
        return VERDICT_UNKNOWN;
    if (is_any(text, "servererror failure error"))
        return VERDICT_SERVER;
    return is_word(text, SLICE("clienterror")) ? VERDICT_CALLER
                                               : VERDICT_UNKNOWN;
}

static enum status_verdict worse(enum status_verdict a, enum status_verdict b)
{
    return a > b ? a : b;
}

/* The attribute "error": 1 true, 0 false or missing, -1 an error text. */
static int error_flag(const struct semconv *semconv)
{
    const struct attr *attr = semconv->at[SEM_ERROR];

    if (!attr)
        return 0;
    if (attr->type == VALUE_BOOL)
        return attr->b;
    if (attr->type == VALUE_INT)
        return attr->i != 0;
    if (attr->type != VALUE_STRING || is_word(attr_text(attr), SLICE("")) ||
        is_any(attr_text(attr), "false 0 none"))
        return 0;
    return is_any(attr_text(attr), "true 1") ? 1 : -1;
}

/* verdict: the worst of all protocols. Envoy sends a gRPC status beside HTTP
 * 200; senders in migration send old names beside new ones. */
static bool is_failure(const struct semconv *semconv,
                       enum status_verdict verdict)
{
    bool calls = semconv->span->kind == SPAN_CLIENT ||
                 semconv->span->kind == SPAN_PRODUCER;
    struct slice status = semconv_text(semconv, SEM_OTEL_STATUS);
    int flag = error_flag(semconv);

    if (is_word(status, SLICE("ok")))
        return false;
    if (is_word(status, SLICE("error")) || flag > 0 ||
        verdict == VERDICT_SERVER)
        return true;
    if (verdict == VERDICT_CALLER)
        return calls;
    return flag < 0 || semconv_text(semconv, SEM_ERROR_TYPE).len > 0;
}

/* Evidence other than the HTTP status; most spans have none. */
static const uint64_t more_evidence =
    SEM_BIT(SEM_PLAIN_STATUS) | SEM_BIT(SEM_DAPR_STATUS) |
    SEM_BIT(SEM_OUTCOME) | SEM_BIT(SEM_ERROR) | SEM_BIT(SEM_ERROR_TYPE) |
    SEM_BIT(SEM_OTEL_STATUS) | SEM_BIT(SEM_RPC_STATUS) |
    SEM_BIT(SEM_JSONRPC_ERROR);

enum outcome outcome_of(const struct semconv *semconv)
{
    bool more = semconv->has & more_evidence;
    enum status_verdict http, all;

    if (semconv->span->status == SPAN_ERROR)
        return OUTCOME_FAILED;
    if (!semconv->at[SEM_HTTP_STATUS] && !more)
        return OUTCOME_NONE;
    http = http_verdict(semconv);
    if (http <= VERDICT_OK && !more)
        return OUTCOME_NONE;
    http = worse(http, outcome_verdict(semconv));
    all = worse(http, worse(grpc_verdict(semconv, SEM_RPC_STATUS),
                            grpc_verdict(semconv, SEM_DAPR_STATUS)));
    all = worse(all, jsonrpc_verdict(semconv));
    if (semconv->span->status == SPAN_UNSET && is_failure(semconv, all))
        return OUTCOME_FAILED;
    return http == VERDICT_CALLER ? OUTCOME_CLIENT_ERROR : OUTCOME_NONE;
}
