/*
 * right_size - requests and limits that fit what a component uses.
 *
 * Purpose:   the distribution of usage, and the rule from it to a profile
 *            (docs/costs.md).
 * Ownership: plain values.
 * Threads:   any, for different values.
 * Errors:    none.
 */
#ifndef RIGHT_SIZE_H
#define RIGHT_SIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "prices.h"

/* Usage of pods in cells of five minutes, cores or bytes, by size: 5 % wide. */
enum { SIZE_BUCKETS = 640 };
struct usage_sizes {
    uint32_t counts[SIZE_BUCKETS];
    uint64_t count;
    double max, sum;
};

void usage_sizes_add(struct usage_sizes *sizes, enum price_of kind,
                     double value);
/* At least that of the quantile, by 5 % at most; 0 if nothing was added. */
double usage_sizes_quantile(const struct usage_sizes *sizes, enum price_of kind,
                            double q);
/* The mean of what is paid with this request: the larger of both. */
double usage_sizes_paid(const struct usage_sizes *sizes, enum price_of kind,
                        double request);

/* Of a pod, in cores and bytes; 0: not set. */
struct size_profile {
    double request[PRICE_KINDS], limit[PRICE_KINDS];
};

/* What was seen of a component in the window. */
struct sizing {
    struct usage_sizes usage[PRICE_KINDS];
    struct size_profile current; /* of the newest pod */
    uint64_t request_ns[PRICE_KINDS], limit_ns[PRICE_KINDS]; /* when seen */
    double periods, throttled; /* of the CPU's quota */
    double oom_kills, restarts;
    double above_limit; /* cells of memory above nine tenths of the limit */
};

/* NAN: it is not known. */
double sizing_throttled(const struct sizing *sizing);

struct size_profile right_size(const struct sizing *sizing);

enum size_risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH };
enum { RISK_REASONS = 6 };
/* Of running with less than now; reasons: texts, *count of them. */
enum size_risk sizing_risk(const struct sizing *sizing, uint32_t hours,
                           const char *reasons[RISK_REASONS], uint32_t *count);

/* "250m", "1500m"; "128Mi". */
enum { QUANTITY_SIZE = 32 };
void size_quantity(char text[QUANTITY_SIZE], enum price_of kind, double value);

#endif
