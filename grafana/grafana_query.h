/*
 * grafana_query - what the requests of Grafana have in common, and how a target
 * becomes a struct grafana_query.
 *
 * Purpose:   the range, step, scope and filters of targets, variables and tags.
 * Ownership: all is in the request's arena, or belongs to its body.
 * Threads:   one request, one thread.
 * Errors:    query_refuse() and query_fail(), as in grafana_family.h.
 */
#ifndef GRAFANA_QUERY_H
#define GRAFANA_QUERY_H

#include "grafana_family.h"
#include "grafana_payload.h"

struct grafana_call {
    struct query_request *request;
    uint64_t start_ns, end_ns;
    uint64_t interval_ns;
    uint32_t max_points;
    const json_t *filters, *adhoc_filters; /* adhocFilters of simple-json */
    json_t *scoped;
    const json_t *targets;
};

enum { POINTS_STANDARD = 1000, POINTS_MAX = 11000 };

/* Reads the body of any request; has answered if the range is wrong. */
MUST_CHECK enum status call_read(struct grafana_call *call,
                                 struct query_request *request);

/* A query that is about no target: variables, options, tags. */
void query_init(struct grafana_query *q, const struct grafana_call *call,
                json_t *payload, struct frames *frames);

/* Filters of the payload, of the call, and what they select. `except`: the keys
 * from this one on do not count (NULL: all do), in the order of
 * scope_keys. */
MUST_CHECK enum status query_select(struct grafana_query *q,
                                    const char *except);
/* Frees the regular expressions. */
void query_release(struct grafana_query *q);

/* namespace, project, environment, component, endpoint, operation, version,
 * pod, NULL: from wide to narrow. */
extern const char *const scope_keys[];
enum { SCOPE_KEYS = 8, SCOPE_IDENTITY_KEYS = 4 };

/* Adds the filter of a payload member, or ad hoc ones. */
enum status filter_add_payload(struct grafana_query *q, const char *key);
enum status filter_add_list(struct grafana_query *q, const json_t *list);
bool filter_fits(const struct grafana_filter *f, struct slice text);
/* A notice of each filter on an attribute that no resource has and that is none
 * of `keys` (NULL at the end), which the family compares itself. */
void query_tell_unapplied(const struct grafana_query *q,
                          struct grafana_frame *frame, const char *const *keys);

/* The identity of a resource fits the filters by name. */
bool query_fits_identity(const struct grafana_query *q,
                         const struct identity *identity);

/* An attribute of a resource: its text, or empty. Keys "pod" and "version"
 * stand for k8s.pod.name and service.version. */
struct slice query_attribute_key(struct slice key);

#endif
