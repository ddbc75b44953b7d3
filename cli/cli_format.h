/*
 * cli_format - a value of an answer as people read it: with a unit, short.
 */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <jansson.h>

#include "buf.h"
#include "term_line.h"

enum cli_format {
    FORMAT_TEXT,    /* any value; a list with commas */
    FORMAT_COUNT,   /* 640, 12.3k */
    FORMAT_RATE,    /* 1.78/s */
    FORMAT_RATIO,   /* 0.1078 is 10.8%; failures, so above 0 it is marked */
    FORMAT_PERCENT, /* the same, not marked */
    FORMAT_SECONDS, /* 437us, 12.2ms, 1.05s, 2m05s */
    FORMAT_NANOS,   /* the same of nanoseconds */
    FORMAT_BYTES,   /* 168Mi */
    FORMAT_CORES,   /* 28m, 1.25 */
    FORMAT_MONEY,   /* 12.30 */
    FORMAT_NUMBER,  /* three digits */
    FORMAT_UNIT,    /* as the member `unit` of the row says */
    FORMAT_TIME,    /* 2025-01-15 08:19:49 */
    FORMAT_MOMENT,  /* with milliseconds */
    FORMAT_AGE,     /* time since then: 5m */
    FORMAT_LEVEL,   /* ERROR is marked; Warning, too */
    FORMAT_YES      /* true is yes, false is empty */
};

/* The value at a path of members ("latency.p99"); of alternatives
 * ("component|name") the first that is there. NULL: none, or null. */
const json_t *cli_at(const json_t *row, const char *path);

/* Appends the value, as the sender wrote it: term_line.h makes it harmless.
 * NULL is "-". */
enum term_color cli_format(struct buf *out, const json_t *value,
                           enum cli_format format);
void cli_format_number(struct buf *out, double value, enum cli_format format);
/* Numbers stand on the right of their column. */
bool cli_is_number(enum cli_format format);
/* Times are not cut. */
bool cli_is_time(enum cli_format format);
/* The format of a row's `unit`, if that is what a column has. */
enum cli_format cli_format_of(const json_t *row, enum cli_format format);

#endif
