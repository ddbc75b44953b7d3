/*
 * tempo_tags - names and values of attributes, from a sample.
 *
 *   tempo_tags.c    the answers
 *   tempo_sample.c  what is looked at: resources, recent spans, recent traces
 *
 * Purpose:   suggestions for who writes a search. They need not be complete, so
 *            no more than a bounded part of what is stored is looked at, the
 *            newest first.
 * Ownership: texts are in the request's arena.
 * Threads:   one request, one thread.
 * Errors:    those of the reader; a set that is full takes no more.
 */
#ifndef TEMPO_TAGS_H
#define TEMPO_TAGS_H

#include "tempo_int.h"
#include "traceql.h"

enum {
    TAGS_MAX = 5000,      /* texts of one set */
    TAGS_MAX_TEXT = 1024, /* bytes; longer ones are no suggestion */
};

/* Distinct texts with a type. */
struct tag_value {
    enum traceql_type type;
    struct slice text;
};

struct tag_set {
    struct tag_value *at;
    uint32_t count, room;
    uint64_t most;
    struct map index;
};

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
