/*
 * quantity - values as people write them: 148 MB, 4.5 ms, 0.26 cores, 7.2%.
 */
#ifndef QUANTITY_H
#define QUANTITY_H

#include "timeseries.h"
#include "units.h"

/* How the values of a metric are written. */
struct value_scale {
    double factor; /* to the base unit */
    uint8_t quantity;
    bool is_rate;       /* per second */
    struct slice thing; /* what is counted: "requests"; or empty */
};

/* By unit and name of the metric; what the values are follows from the series
 * (a share is a number from 0 to 1). */
struct value_scale quantity_scale(struct arena *arena,
                                  const struct timeseries *t);

/* From values of a latency to seconds: by its unit, else by its name
 * (istio_request_duration_milliseconds); 1: neither says so. */
double quantity_seconds(const struct timeseries *t);

/* Does a name have one of these words? They end with NULL. */
bool quantity_name_has(struct slice name, const char *const *words);
extern const char *const quantity_throttled[];

struct slice quantity_text(struct arena *arena, const struct value_scale *scale,
                           double value);

/* The unit in which both values are short numbers, for a chart; *factor turns
 * values into it. The text is in the arena. */
const char *quantity_unit(struct arena *arena, const struct value_scale *scale,
                          double before, double after, double *factor);

/* "rose from 4.5 ms to 9.2 ms": as many digits as tell them apart. */
struct slice quantity_change(struct arena *arena,
                             const struct value_scale *scale, double before,
                             double after);

/* A number without an exponent, of about so many digits. */
struct slice number_text(struct arena *arena, double value, int digits);

/* A share in percent. */
struct slice percent_text(struct arena *arena, double share);
/* Of a share that was estimated: fewer digits. */
struct slice about_percent_text(struct arena *arena, double share);

/* "95 of 95 requests", "7.2% of 13240 requests". Counts that are not whole, as
 * those of a part of a minute, are "about". */
struct slice share_text(struct arena *arena, double k, double n,
                        const char *things);

/* "5 of 307", "0.04%": what it was before, as n has it. */
struct slice share_before_text(struct arena *arena, double k, double n);

/* To three digits: what is counted above a limit is above the one that is told.
 */
double rounded_up_ns(double ns);

/* "4.5 ms" */
struct slice milliseconds_text(struct arena *arena, double ms);

#endif
