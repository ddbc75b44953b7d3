/*
 * tempo_sample - the resources, newest spans and newest traces from which names
 * and values of attributes are suggested (tempo_tags.c).
 *
 * Purpose:   suggestions need not be complete, so a bounded part of what is
 *            stored is read, for a bounded time.
 * Ownership: what is visited is valid during the call only.
 * Threads:   one request, one thread.
 * Errors:    those of the reader.
 */
#ifndef TEMPO_SAMPLE_H
#define TEMPO_SAMPLE_H

#include "tempo_int.h"
#include "traceql.h"

/* What is looked at; each part is asked for by a bit. */
enum { SAMPLE_RESOURCES = 1, SAMPLE_SPANS = 2, SAMPLE_TRACES = 4 };

struct tempo_sample {
    struct query_request *request;
    const struct traceql_set *filter; /* NULL: all */
    uint64_t start_ns, end_ns;
    unsigned parts;
    /* With a span, a resource, or both; and of a whole trace. */
    void (*visit)(void *arg, const struct traceql_subject *subject);
    void *arg;

    /* ---- its own ---- */
    struct bitmap *resources;
    const struct bitmap *visible;
    uint32_t visits;
    uint64_t deadline_ns;
};

enum status tempo_sample(struct tempo_sample *sample);

#endif
