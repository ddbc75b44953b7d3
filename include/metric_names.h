/*
 * metric_names - what well-known metrics mean, whatever they are called.
 *
 * One table for the semantic conventions, old and new, Micrometer, Prometheus
 * exporters (as the Prometheus receiver passes them on), kubeletstats, the
 * cluster receiver, cAdvisor and kube-state-metrics: name to meaning, kind and
 * unit; and the spellings of the attributes that matter.
 *
 * Purpose:   One table of names, and one reading of the attributes of requests.
 * Ownership: The table is constant; lists of names are in the caller's arena.
 * Threads:   Any; there is no state.
 * Errors:    NULL: an unknown name, or the arena is full.
 */
#ifndef METRIC_NAMES_H
#define METRIC_NAMES_H

#include "arena.h"
#include "record.h"
#include "units.h"

enum metric_meaning {
    METRIC_CPU_USAGE, /* the rows of usage.h */
    METRIC_CPU_REQUEST,
    METRIC_CPU_LIMIT,
    METRIC_MEMORY_USAGE,
    METRIC_MEMORY_REQUEST,
    METRIC_MEMORY_LIMIT,
    METRIC_NETWORK_RECEIVE,
    METRIC_NETWORK_TRANSMIT,
    METRIC_DISK_READ,
    METRIC_DISK_WRITE,
    METRIC_USAGE_MEANINGS,
    METRIC_HTTP_SERVER = METRIC_USAGE_MEANINGS, /* requests served */
    METRIC_RPC_SERVER,
    METRIC_PROXY_SERVER, /* both, as a mesh or a proxy sees them */
    METRIC_RESTARTS,     /* of containers */
    METRIC_MEANINGS
};

/* What the values are, whatever type the sender declares. */
enum metric_kind {
    KIND_GAUGE,
    KIND_COUNTER,
    KIND_HISTOGRAM, /* or a summary: count, sum, buckets if there are any */
    KIND_COUNT,     /* a counter: the count of a histogram */
    KIND_SUM,       /* a counter: its sum */
    KIND_BUCKET,    /* a counter: values up to attribute le */
};

enum { HAS_COUNT = 1, HAS_LATENCY = 2 };

struct metric_name {
    struct slice name;
    uint8_t meaning;  /* enum metric_meaning */
    uint8_t rank;     /* among rows of one meaning: the lowest is the best */
    uint8_t kind;     /* enum metric_kind */
    uint8_t requires; /* for metric_fits() */
    uint8_t has;      /* of requests: HAS_... */
    uint8_t quantity; /* enum quantity */
    double factor;    /* to the base unit if the unit says nothing */
};

/* The table; rows of one name stand together. */
extern const struct metric_name metric_names[];
extern const uint32_t metric_name_count;

/* The first row of this name, NULL if it is not known. */
const struct metric_name *metric_name_find(struct slice name);

/* The next row of the same name, or NULL. */
const struct metric_name *metric_name_next(const struct metric_name *row);

/* The names of these meanings, for a query; NULL if the arena is full. */
const struct slice *metric_names_of(enum metric_meaning first,
                                    enum metric_meaning last,
                                    struct arena *arena, uint32_t *count);

/* Whether the attributes of a point are those of this row: one name stands for
 * both directions, for CPU and memory, for container and pod. */
bool metric_fits(const struct metric_name *row, const struct attrs *attrs);

/* The factor to the base unit of the row. */
double metric_factor(const struct metric_name *row,
                     const struct metric *metric);

/* A number for a pod, whatever its metrics call it; never 0. */
uint64_t metric_pod_entity(struct slice namespace, struct slice pod);

/* The pod that Prometheus labels of a point name; empty: none. Prometheus
 * renames the labels of the series where its own of the target are called so.
 */
struct metric_pod {
    struct slice namespace, name;
};
struct metric_pod metric_labelled_pod(const struct attrs *attrs);

/* ---- attributes of requests ---- */

enum metric_outcome { OUTCOME_GOOD, OUTCOME_CLIENT_ERROR, OUTCOME_FAILED };

/* Of requests with these attributes: by HTTP status, outcome (Micrometer),
 * gRPC status or error.type. */
enum metric_outcome metric_outcome(const struct attrs *attrs);

/* Upper bound of a bucket that is a series of its own; NAN if there is none. */
double metric_bucket_bound(const struct attrs *attrs);

#endif
