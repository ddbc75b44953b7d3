/*
 * status - why a call failed.
 *
 * Purpose:   one closed list for the whole program, with the HTTP and gRPC
 *            codes of each row, so no handler picks its own. OTLP clients retry
 *            only on 429, 502, 503 and 504 (OTLP specification, "Retryable
 *            Response Codes"), so every transient failure is 503; 500 is a
 *            defect of ours. Over gRPC they retry 1, 4, 10, 11, 14 and 15, and
 *            8 with RetryInfo; Python's retries 8 without it, too, so what is
 *            too large is 3.
 * Ownership: texts are static.
 * Threads:   any.
 * Errors:    this is them.
 */
#ifndef STATUS_H
#define STATUS_H

/* clang-format off */
/*    name             text                                 HTTP  gRPC */
#define STATUS_TABLE(X)                                            \
    X(OK,              "ok",                                200,  0) \
    X(ERR_MALFORMED,   "malformed input",                   400,  3) \
    X(ERR_INVALID,     "invalid request",                   400,  3) \
    X(ERR_FRAMING,     "malformed gRPC message",            400, 13) \
    X(ERR_UNAUTHENTICATED, "missing or invalid authentication token", 401, 16) \
    X(ERR_FORBIDDEN,   "forbidden",                         403,  7) \
    X(ERR_NOT_FOUND,   "not found",                         404,  5) \
    X(ERR_METHOD,      "method not allowed",                405, 12) \
    X(ERR_TOO_BIG,     "larger than the limit",             413,  3) \
    X(ERR_UNSUPPORTED, "unsupported type or encoding",      415, 12) \
    X(ERR_MISDIRECTED, "misdirected request",               421,  3) \
    X(ERR_EXECUTION,   "cannot be executed",                422,  3) \
    X(ERR_LIMITED,     "too many requests; retry later",    429,  8) \
    X(ERR_INTERNAL,    "internal error",                    500, 13) \
    X(ERR_NOT_SERVED,  "not served",                        501, 12) \
    X(ERR_BUSY,        "queue or memory full; retry later", 503, 14) \
    X(ERR_IN_USE,      "in use by another process",         503, 14) \
    X(ERR_IO,          "storage failed; retry later",       503, 14) \
    X(ERR_UNREACHABLE, "Kafka cannot be reached; retry later", 503, 14) \
    X(ERR_FULL,        "a configured limit is reached",     503, 14) \
    X(ERR_CORRUPT,     "stored data is damaged",            503, 14) \
    X(ERR_STOPPING,    "shutting down; retry later",        503, 14) \
    X(ERR_DEADLINE,    "the request took too long",         503,  4) \
    X(ERR_CANCELLED,   "cancelled by the client",           503,  1)
/* clang-format on */

enum status {
#define STATUS_NAME(name, text, http, grpc) name,
    STATUS_TABLE(STATUS_NAME)
#undef STATUS_NAME
};

/* A status nobody looks at is a bug; the compiler says so. */
#define MUST_CHECK __attribute__((warn_unused_result))

const char *status_text(enum status status);
int status_http(enum status status);
int status_grpc(enum status status);

#endif
