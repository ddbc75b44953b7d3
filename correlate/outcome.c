/*
 * Evidence is asked in this order, and the first that knows decides:
 *
 *   status              ERROR, OK; or the same in otel.status_code
 *   error=true          OpenTracing, Envoy, Istio: what ERROR is now
 *   HTTP, gRPC, JSON-RPC status, Micrometer's outcome
 *   error=<text>, error.type   Brave and Zipkin; the conventions
 *
 * What the other side did wrong is no failure of who serves it (HTTP 4xx,
 * NOT_FOUND ...), but it is one of the caller, as the conventions say.
 */
#include "outcome.h"

/* What a status code of a protocol says. */
enum outcome_kind { NOTHING, FINE, CALLERS_FAULT, SERVERS_FAULT };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

/* Equal but for upper and lower case and '_' in text: "DeadlineExceeded" and
 * "deadline_exceeded" are "DEADLINE_EXCEEDED". name has no '_'. */
static bool is_word(struct slice text, const char *name)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '_' &&
            (*name == '\0' || lower(text.ptr[i]) != *name++))
            return false;
    return *name == '\0';
}

static bool is_any(struct slice text, const char *const *names)
{
    while (*names && !is_word(text, *names))
        names++;
    return *names;
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

    /* "status" means something only beside a method, a URL or an outcome. */
    if (status == 0 && semconv->at[SEM_PLAIN_STATUS] &&
        (semconv_is_http(semconv) || semconv->at[SEM_OUTCOME]))
        status = status_number(semconv, SEM_PLAIN_STATUS);
    if (status == 0 && semconv->at[SEM_DAPR_STATUS])
        status = status_number(semconv, SEM_DAPR_STATUS);
    return status;
}

static enum outcome_kind http_verdict(const struct semconv *semconv)
{
    uint32_t status = outcome_http_status(semconv);

    if (status >= 400)
        return status < 500 ? CALLERS_FAULT : SERVERS_FAULT;
    return status > 0 ? FINE : NOTHING;
}

/* UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS:
 * the ones that the conventions call errors of the server. */
static enum outcome_kind grpc_verdict(const struct semconv *semconv,
                                      enum semconv_field field)
{
    enum { SERVERS = 1 << 2 | 1 << 4 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15 };
    static const char *const servers[] = {
        "unknown",  "deadlineexceeded", "unimplemented",
        "internal", "unavailable",      "dataloss",
        NULL};
    struct slice text = semconv_text(semconv, field);
    int64_t code;

    if (!semconv->at[field])
        return NOTHING;
    code = semconv_number(semconv, field);
    if (code >= 0 && code <= 16)
        return code == 0             ? FINE
               : SERVERS >> code & 1 ? SERVERS_FAULT
                                     : CALLERS_FAULT;
    if (code >= 0 || text.len == 0)
        return NOTHING;
    if (is_word(text, "ok"))
        return FINE;
    return is_any(text, servers) ? SERVERS_FAULT : CALLERS_FAULT;
}

/* Internal error and the codes reserved for servers; 0 is what some send for
 * success. */
static enum outcome_kind jsonrpc_verdict(const struct semconv *semconv)
{
    const struct attr *attr = semconv->at[SEM_JSONRPC_ERROR];

    if (!attr || attr->type != VALUE_INT)
        return NOTHING;
    if (attr->i == 0)
        return FINE;
    return attr->i == -32603 || (attr->i >= -32099 && attr->i <= -32000)
               ? SERVERS_FAULT
               : CALLERS_FAULT;
}

static enum outcome_kind outcome_verdict(const struct semconv *semconv)
{
    static const char *const failures[] = {"servererror", "failure", "error",
                                           NULL};
    struct slice text = semconv_text(semconv, SEM_OUTCOME);

    if (text.len == 0)
        return NOTHING;
    if (is_any(text, failures))
        return SERVERS_FAULT;
    return is_word(text, "clienterror") ? CALLERS_FAULT : NOTHING;
}

static enum outcome_kind worse(enum outcome_kind a, enum outcome_kind b)
{
    return a > b ? a : b;
}

/* The attribute "error": 1 true, 0 false or missing, -1 a text about it. */
static int error_flag(const struct semconv *semconv)
{
    static const char *const none[] = {"", "false", "0", "none", NULL};
    const struct attr *attr = semconv->at[SEM_ERROR];

    if (!attr)
        return 0;
    if (attr->type == VALUE_BOOL)
        return attr->b;
    if (attr->type == VALUE_INT)
        return attr->i != 0;
    if (attr->type != VALUE_STRING || is_any(attr_text(attr), none))
        return 0;
    return is_word(attr_text(attr), "true") || is_word(attr_text(attr), "1")
               ? 1
               : -1;
}

/* verdict: of all protocols, the worst: Envoy has gRPC's status beside HTTP
 * 200, and senders in change have old names beside new ones. */
static bool is_failure(const struct span *span, const struct semconv *semconv,
                       enum outcome_kind verdict)
{
    bool calls = span->kind == SPAN_CLIENT || span->kind == SPAN_PRODUCER;
    struct slice said = semconv_text(semconv, SEM_OTEL_STATUS);
    int flag = error_flag(semconv);

    if (is_word(said, "ok"))
        return false;
    if (is_word(said, "error") || flag > 0 || verdict == SERVERS_FAULT)
        return true;
    if (verdict == CALLERS_FAULT)
        return calls;
    return flag < 0 || semconv_text(semconv, SEM_ERROR_TYPE).len > 0;
}

/* What else there may be to ask than the HTTP status: nothing, for most spans.
 */
static const uint64_t more_evidence =
    SEM_BIT(SEM_PLAIN_STATUS) | SEM_BIT(SEM_DAPR_STATUS) |
    SEM_BIT(SEM_OUTCOME) | SEM_BIT(SEM_ERROR) | SEM_BIT(SEM_ERROR_TYPE) |
    SEM_BIT(SEM_OTEL_STATUS) | SEM_BIT(SEM_RPC_STATUS) |
    SEM_BIT(SEM_JSONRPC_ERROR);

enum outcome outcome_of(const struct span *span, const struct semconv *semconv)
{
    bool more = semconv->has & more_evidence;
    enum outcome_kind http, all;

    if (span->status == SPAN_ERROR)
        return OUTCOME_FAILED;
    if (!semconv->at[SEM_HTTP_STATUS] && !more)
        return OUTCOME_NONE;
    http = http_verdict(semconv);
    if (http <= FINE && !more)
        return OUTCOME_NONE;
    http = worse(http, outcome_verdict(semconv));
    all = worse(http, worse(grpc_verdict(semconv, SEM_RPC_STATUS),
                            grpc_verdict(semconv, SEM_DAPR_STATUS)));
    all = worse(all, jsonrpc_verdict(semconv));
    if (span->status == SPAN_UNSET && is_failure(span, semconv, all))
        return OUTCOME_FAILED;
    return http == CALLERS_FAULT ? OUTCOME_CLIENT_ERROR : OUTCOME_NONE;
}
