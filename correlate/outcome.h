/*
 * outcome - how the work that a span stands for ended. The one rule behind RED,
 * edges, hasErrors, errorsOnly, lists of spans and the cause report; told in
 * docs/correlation.md.
 *
 * The sender's status decides if it is set. Most senders beside the SDKs leave
 * it unset and say it in attributes, each in its own.
 *
 * Threads  any.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "semconv.h"

enum outcome {
    OUTCOME_NONE,         /* success, or nothing was said */
    OUTCOME_CLIENT_ERROR, /* HTTP 4xx, as seen by who serves */
    OUTCOME_FAILED
};

enum outcome outcome_of(const struct span *span, const struct semconv *semconv);

/* The HTTP status of a span, 100 to 599; 0: none. */
uint32_t outcome_http_status(const struct semconv *semconv);

#endif
