/*
 * record - spans, log records and metric points, as views.
 *
 * Purpose:   vocabulary of all modules: plain structs, since every module reads
 *            their members. All times are nanoseconds since 1970 UTC. Fields
 *            and numbers follow opentelemetry-proto v1.
 * Ownership: slices and arrays point into the received bytes or the arena of
 *            the batch (from a receiver), or into the arena of a query (from
 *            the store).
 * Threads:   plain values.
 * Errors:    none.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdint.h>

#include "slice.h"

enum signal { SIGNAL_SPANS, SIGNAL_LOGS, SIGNAL_METRICS, SIGNAL_COUNT };

/* Bounds of one record. Decoding truncates what exceeds them, and counts it
 * (dropped attributes; callboard_attributes_truncated_total). */
enum {
    ATTR_MAX_COUNT = 256,       /* of a record; entries of a map, array */
    ATTR_MAX_KEY = 256,         /* bytes */
    ATTR_MAX_VALUE = 64 * 1024, /* bytes of one string or bytes value */
    ATTR_MAX_DEPTH = 8,         /* arrays and maps inside each other */
    LOG_MAX_BODY = 256 * 1024,  /* bytes of a string body */
    SPAN_MAX_EVENTS = 256,      /* of one span; links the same */
    POINT_MAX_BUCKETS = 1024,   /* of one histogram; bounds the same */
    POINT_MAX_EXEMPLARS = 64,   /* of one point */
};

enum value_type {
    VALUE_EMPTY,
    VALUE_STRING,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_DOUBLE,
    VALUE_BYTES,
    VALUE_ARRAY, /* items[0..len): elements, their keys empty */
    VALUE_MAP,   /* items[0..len): entries */
};

/* A key and a typed value (OTLP KeyValue and AnyValue in one). */
struct attr {
    const char *key; /* key_len bytes, never NUL-terminated */
    union {
        const char *str; /* STRING, BYTES: len bytes */
        int64_t i;
        double d;
        bool b;
        const struct attr *items; /* ARRAY, MAP: len of them */
    };
    uint32_t len;
    uint16_t key_len;
    uint8_t type; /* enum value_type */
};

struct attrs {
    const struct attr *at;
    uint32_t count;
    uint32_t dropped; /* by the sender and by our bounds together */
};

#define RESOURCE_NONE UINT32_MAX

struct resource {
    struct attrs attrs;
    struct slice schema_url;
    uint32_t id; /* of the registry; RESOURCE_NONE until correlated */
};

struct scope {
    struct slice name, version, schema_url;
    struct attrs attrs;
};

enum span_kind {
    SPAN_UNSPECIFIED,
    SPAN_INTERNAL,
    SPAN_SERVER,
    SPAN_CLIENT,
    SPAN_PRODUCER,
    SPAN_CONSUMER
};
enum span_status { SPAN_UNSET, SPAN_OK, SPAN_ERROR };

struct span_event {
    uint64_t time_ns;
    struct slice name;
    struct attrs attrs;
};

struct span_link {
    uint8_t trace_id[16], span_id[8];
    struct slice trace_state;
    struct attrs attrs;
    uint32_t flags;
};

/* What decoding corrected in a record. */
enum {
    CORRECTED_TIME = 1, /* time 0 or far in the future: the observed time */
    CORRECTED_END = 2   /* span that ended before it started: duration 0 */
};

struct span {
    uint8_t trace_id[16], span_id[8];
    uint8_t parent_span_id[8]; /* all zero: a root */
    uint64_t start_ns, end_ns; /* end_ns >= start_ns */
    struct slice name, status_message, trace_state;
    struct attrs attrs;
    const struct span_event *events;
    const struct span_link *links;
    uint32_t event_count, link_count, dropped_events, dropped_links;
    uint32_t flags;
    uint32_t resource_id;             /* set by the correlator */
    const struct resource *resource;  /* in a batch; NULL from the store */
    const struct scope *scope;        /* NULL: none */
    uint8_t kind, status;             /* enum span_kind, enum span_status */
    uint8_t corrected;                /* CORRECTED_... */
    bool failed;                      /* by the correlator; status unset */
    struct slice endpoint, operation; /* by the correlator; empty: none */
};

/* True if what the span stands for failed: by its status, or by the rule of
 * correlate/semconv_outcome.c where that is unset. */
static inline bool span_failed(const struct span *span)
{
    return span->status == SPAN_ERROR || span->failed;
}

/* Severity levels of the query API. An OTLP severity number n > 0 has the level
 * (n - 1) / 4 + 1; that of 0 is taken from severity_text or the body. */
enum level {
    LEVEL_UNSET,
    LEVEL_TRACE,
    LEVEL_DEBUG,
    LEVEL_INFO,
    LEVEL_WARN,
    LEVEL_ERROR,
    LEVEL_FATAL,
    LEVEL_COUNT
};

struct log_record {
    uint64_t time_ns, observed_ns;
    uint64_t arrival; /* order among equal times: log_arrival() */
    uint8_t trace_id[16], span_id[8]; /* all zero: not correlated */
    struct attr body;                 /* any type; key empty */
    struct slice severity_text, event_name;
    struct attrs attrs;
    uint32_t flags;
    uint32_t resource_id;
    const struct resource *resource;
    const struct scope *scope;
    uint8_t severity; /* OTLP severity number, 0 to 24 */
    uint8_t level;    /* enum level, by the correlator */
    uint8_t corrected;
    bool is_event;         /* a Kubernetes or change event: the events stream */
    struct slice endpoint; /* filled in by queries only */
};

/* The order of arrival: by the lsn of the request, then by the place in it.
 * Journal and blocks store both, so the order of records with equal times never
 * changes. */
enum { ARRIVAL_BITS = 22 }; /* of the place; later records share the last one */
static inline uint64_t log_arrival(uint64_t lsn, uint64_t place)
{
    uint64_t most = (UINT64_C(1) << ARRIVAL_BITS) - 1;

    return lsn << ARRIVAL_BITS | (place < most ? place : most);
}

enum metric_type {
    METRIC_GAUGE,
    METRIC_SUM,
    METRIC_HISTOGRAM,
    METRIC_EXP_HISTOGRAM,
    METRIC_SUMMARY
};
enum temporality { TEMPORALITY_UNSPECIFIED, DELTA, CUMULATIVE };

struct metric {
    struct slice name, description, unit;
    const struct resource *resource; /* in a batch; NULL from the store */
    const struct scope *scope;
    uint8_t type, temporality; /* enum metric_type, enum temporality */
    bool monotonic;
};

struct exemplar {
    uint64_t time_ns;
    uint8_t trace_id[16], span_id[8];
    double value;
    struct attrs attrs;
};

/* Consecutive buckets of an exponential histogram: bucket i counts values
 * in (base^(offset + i), base^(offset + i + 1)], base = 2^(2^-scale). */
struct exp_buckets {
    const uint64_t *counts;
    uint32_t count;
    int32_t offset;
};

/* Quantiles of a summary, or the buckets of a histogram of either kind. */
struct histogram {
    uint64_t count;
    double sum, min, max; /* valid if the flag is set */
    bool has_sum, has_min, has_max;
    /* METRIC_HISTOGRAM: counts has bound_count + 1 entries, or both none.
     * METRIC_SUMMARY: bounds are the quantiles of `values`. */
    uint32_t bound_count;
    const double *bounds;
    const uint64_t *counts;
    const double *values;
    /* METRIC_EXP_HISTOGRAM */
    int32_t scale;
    uint64_t zero_count;
    double zero_threshold;
    struct exp_buckets positive, negative;
};

enum { POINT_NO_VALUE = 1 /* flags: a staleness marker */ };

struct point {
    const struct metric *metric;
    struct attrs attrs;
    uint64_t start_ns, time_ns;
    union {
        double d;
        int64_t i;
        const struct histogram *histogram; /* all but GAUGE and SUM */
    };
    const struct exemplar *exemplars;
    uint32_t exemplar_count;
    uint32_t flags;
    uint32_t resource_id;
    bool is_int; /* GAUGE and SUM: i is the value, else d */
    uint8_t corrected;
};

static inline struct slice attr_key(const struct attr *a)
{
    return (struct slice){a->key, a->key_len};
}

/* The text of a STRING value; empty for any other type. */
static inline struct slice attr_text(const struct attr *a)
{
    return a->type == VALUE_STRING ? (struct slice){a->str, a->len}
                                   : (struct slice){NULL, 0};
}

static inline struct attr attr_string(const char *key, struct slice text)
{
    return (struct attr){.key = key,
                         .str = text.ptr,
                         .len = (uint32_t)text.len,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_STRING};
}

/* The first attribute with this key, or NULL. */
static inline const struct attr *attrs_find(const struct attrs *attrs,
                                            struct slice key)
{
    for (uint32_t i = 0; i < attrs->count; i++)
        if (slice_equal(attr_key(&attrs->at[i]), key))
            return &attrs->at[i];
    return NULL;
}

/* The text of the first attribute with this key; empty if there is none. */
static inline struct slice attrs_text(const struct attrs *attrs,
                                      struct slice key)
{
    const struct attr *a = attrs_find(attrs, key);

    return a ? attr_text(a) : (struct slice){NULL, 0};
}

/* The message of a log record: its text, or of a structured body the first
 * text under one of the usual keys. */
static inline struct slice log_message(const struct log_record *log)
{
    static const char *const keys[] = {"message", "msg", "log", "event"};
    struct attrs members = {.at = log->body.items, .count = log->body.len};

    if (log->body.type != VALUE_MAP)
        return attr_text(&log->body);
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const struct attr *member = attrs_find(&members, slice_of(keys[i]));

        if (member && member->type == VALUE_STRING)
            return attr_text(member);
    }
    return (struct slice){NULL, 0};
}

static inline bool id_is_zero(const uint8_t *id, size_t len)
{
    uint8_t any = 0;

    for (size_t i = 0; i < len; i++)
        any |= id[i];
    return any == 0;
}

#endif
