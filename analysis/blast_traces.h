/*
 * blast_traces - the share of requests that pass the target, counted in a
 * sample of traces.
 */
#ifndef BLAST_TRACES_H
#define BLAST_TRACES_H

#include "blast_share.h"

/* Requests in the sample; of them those that wait for the target, and those
 * that lead to it in any way. */
struct sampled_requests {
    double all, direct, queued;
};

/* Requests that arrive from outside at an endpoint of a node. */
struct sampled_entry {
    uint32_t node;
    struct slice endpoint;
    struct sampled_requests requests;
};

struct blast_sample {
    const struct dependency_graph *graph;
    struct slice endpoint;          /* of the roots; empty: all */
    struct sampled_requests *nodes; /* by node: of its requests */
    struct sampled_entry *entries;
    uint32_t entry_count, entry_room;
    struct sampled_requests all; /* of all entries */
};

MUST_CHECK enum status blast_sample_read(struct blast_sample *sample);

/* The share by the sample, or `estimate` where the sample is too small to
 * tell. */
double blast_sampled_share(const struct sampled_requests *requests, bool queued,
                           double estimate);
/* Whether the sample tells. */
bool blast_is_sampled(const struct sampled_requests *requests, double estimate);

const struct sampled_requests *blast_sampled_entry(
    const struct blast_sample *sample, uint32_t node, struct slice endpoint);

#endif
