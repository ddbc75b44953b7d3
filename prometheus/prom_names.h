/*
 * prom_names - names of OTLP as Prometheus writes them.
 */
#ifndef PROM_NAMES_H
#define PROM_NAMES_H

#include "arena.h"
#include "record.h"

/* The name of a metric with its unit and _total, without _bucket, _sum, _count.
 * A name that Prometheus could have written stays as it is, but for what is
 * missing at its end. Empty if the arena is full. */
struct slice prom_metric_name(const struct metric *metric, struct arena *arena);

/* The word of a unit in names: "seconds", "bytes_per_second"; empty if it has
 * none. */
struct slice prom_unit(struct slice unit, struct arena *arena);

/* The name itself if it is a valid one. */
struct slice prom_label_name(struct slice key, struct arena *arena);

/* The value of an attribute as a label: numbers and the rest as JSON. */
struct slice prom_label_value(const struct attr *value, struct arena *arena);

/* As Prometheus writes le and quantile: the shortest decimal number without an
 * exponent; +Inf, -Inf, NaN. */
struct slice prom_number(double v, struct arena *arena);

#endif
