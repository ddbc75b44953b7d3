/*
 * health_thresholds - by what the page judges components: bad, warning, ok.
 *
 * Purpose:   one place for the figures, told by GET /api/v1/session, so that
 *            the page and Backstage judge alike. --health changes them.
 * Ownership: plain values.
 * Threads:   any.
 * Errors:    a text that is not understood; the message says which part.
 */
#ifndef HEALTH_THRESHOLDS_H
#define HEALTH_THRESHOLDS_H

#include <stdbool.h>
#include <stddef.h>

#include "reply_table.h"

struct health_thresholds {
    double error_ratio_bad, error_ratio_warning; /* failed of all requests */
    /* p99 this many times that of before, and so much more */
    double latency_factor_bad, latency_factor_warning;
    double latency_excess_bad, latency_excess_warning; /* seconds */
    double minimum_requests;                           /* fewer: no judgement */
};

extern const struct reply_table health_thresholds_table;

enum { HEALTH_THRESHOLDS_ERROR = 256 };

/* The usual ones, with those of a text NAME=VALUE,... in their place. */
bool health_thresholds_read(struct health_thresholds *thresholds,
                            const char *text,
                            char error[HEALTH_THRESHOLDS_ERROR]);

#endif
