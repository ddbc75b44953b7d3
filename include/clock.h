/*
 * clock - wall and monotonic time in nanoseconds, RFC 3339, durations.
 *
 * Purpose:   all times of the program are uint64_t nanoseconds.
 * Ownership: none.
 * Threads:   any.
 * Errors:    parsers return false and leave their results unchanged.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

#define NS_PER_US   UINT64_C(1000)
#define NS_PER_MS   UINT64_C(1000000)
#define NS_PER_S    UINT64_C(1000000000)
#define NS_PER_MIN  (60 * NS_PER_S)
#define NS_PER_HOUR (60 * NS_PER_MIN)
#define NS_PER_DAY  (24 * NS_PER_HOUR)

uint64_t clock_wall_ns(void);      /* since 1970 UTC */
uint64_t clock_monotonic_ns(void); /* never jumps */

/* RFC 3339 with a zone ("Z" or an offset) and any number of digits of fraction,
 * of which nine count; from 1970 to 2554. */
bool clock_parse_rfc3339(struct slice text, uint64_t *ns);
/* The same; *further: the digits after the ninth, or empty. */
bool clock_parse_digits(struct slice text, uint64_t *ns, struct slice *further);

enum { CLOCK_TEXT = 32 };
/* UTC, ends in Z, without trailing zeros in the fraction; the length. */
size_t clock_format_rfc3339(char text[CLOCK_TEXT], uint64_t ns);
/* The same of seconds since 1970, to the millisecond, as Prometheus' API has
 * times; 0 if they are below 0, or above the year 2286. */
size_t clock_format_seconds(char text[CLOCK_TEXT], double seconds);

/* A Go duration ("15s", "1m30s", "250ms"), as in OpenChoreo's `step`. */
bool clock_parse_duration(struct slice text, uint64_t *ns);
/* The same, and d for days of 24 hours ("7d", "1d12h"): in options. */
bool clock_parse_duration_days(struct slice text, uint64_t *ns);
/* The same, and w for weeks, y for years of 365 days: in TraceQL. */
bool clock_parse_duration_years(struct slice text, uint64_t *ns);

/* ---- clock_relative.c: times as people write them ---- */

/* now, now-6h, now-1d/d: Grafana's; calendar units are of UTC. */
bool clock_parse_relative(struct slice text, uint64_t now_ns, uint64_t *ns);
/* The same; a duration before now ("30m", "-30m", "30m ago"); RFC 3339, also
 * without the zone (UTC) or without the time of day; a number since 1970, in
 * seconds with a fraction, or in milli-, micro- or nanoseconds, by its size. */
bool clock_parse_time(struct slice text, uint64_t now_ns, uint64_t *ns);
/* "45s", "3m20s", "26h", "12d": a duration in its largest units; the length. */
size_t clock_format_age(char text[CLOCK_TEXT], uint64_t ns);

#endif
