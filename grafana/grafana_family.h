/*
 * grafana_family - what a Grafana query can be about: one row for each target.
 *
 * A family has its name and builder fields for /metrics, the action it needs,
 * and a handler that answers one target with frames. To add one: a row in
 * grafana_families.c, and a handler
 *
 *   enum status grafana_things(struct grafana_query *q)
 *   {
 *       uint32_t limit = payload_number(q, "limit", 100, 1000);
 *       struct grafana_frame *frame = query_frame(q, SLICE("things"));
 *       ...
 *       if (nothing was found)
 *           query_empty(q, frame, "things", SIGNAL_LOGS);
 *       return OK;
 *   }
 *
 * Purpose:   the seam between the protocol and what it shows.
 * Ownership: families are constant; all of a query is in the request's arena.
 * Threads:   one request, one thread.
 * Errors:    a handler returns query_refuse(), or the status of a function that
 *            has answered with query_fail(): it is the error of its target
 *            alone, a frame with a notice.
 */
#ifndef GRAFANA_FAMILY_H
#define GRAFANA_FAMILY_H

#include "grafana_frame.h"
#include "grid.h"
#include "query_request.h"
#include "regex_match.h"

struct grafana_query;

/* ---- filters: of the payload, ad hoc ones, scoped variables ---- */

enum filter_op {
    FILTER_IS, /* one of the values */
    FILTER_NOT,
    FILTER_MATCHES, /* the regular expression, the whole text */
    FILTER_MATCHES_NOT,
    FILTER_LESS,
    FILTER_GREATER
};

struct grafana_filter {
    struct slice key;
    enum filter_op op;
    const struct slice *values; /* IS, NOT: any number; else one */
    uint32_t count;
    struct regex *regex; /* NULL: none; of IS: or what this matches */
    bool of_resources;   /* an attribute of resources: already in `sent` */
    struct grafana_filter *next;
};

/* Whether a text fits all filters with this key; absent is the empty text. */
bool query_fits(const struct grafana_query *q, const char *key,
                struct slice text);
/* Whether there is a filter with this key. */
bool query_filters(const struct grafana_query *q, const char *key);

/* ---- one target ---- */

struct grafana_query {
    struct query_request *request;
    const struct grafana_call *call; /* what all targets share */
    const struct grafana_family *family;
    struct slice ref_id;
    json_t *payload;   /* an object */
    bool lost_payload; /* it is empty, as variables broke it */
    uint64_t start_ns, end_ns;
    uint64_t interval_ns; /* suggested step; 0: none */
    uint32_t max_points;  /* of a series */

    /* The filters that apply, by namespace, project, component, environment
     * (those are in `resources`), endpoint, operation, version, pod, and
     * attributes of any name. */
    struct grafana_filter *filters;
    struct scope_filter scope; /* what is exactly one name, else empty */
    /* What the scope selects and the viewer may see, with the resources of
     * derived series. Never NULL. */
    const struct bitmap *resources;
    /* Of these what was sent by resources that fit version, pod and other
     * attributes of resources. The same set if there are no such filters. */
    const struct bitmap *sent;
    bool narrowed; /* there are: derived series, which are kept by component,
                      cannot answer */
    struct frames *frames; /* the answer */
};

typedef enum status grafana_handler(struct grafana_query *q);

/* Texts of a payload member, or of the scoped variable of that name if the
 * payload is broken: one text, an array, or Grafana's (a|b), unescaped. None if
 * it is absent, empty or All. */
struct slice payload_text(const struct grafana_query *q, const char *name);
const struct slice *payload_texts(const struct grafana_query *q,
                                  const char *name, uint32_t *count);
uint32_t payload_number(const struct grafana_query *q, const char *name,
                        uint32_t standard, uint32_t most);
bool payload_bool(const struct grafana_query *q, const char *name,
                  bool standard);

/* The grid of the range: the suggested step, up to one of 1m, 5m, 10m, ... and
 * so long that there are at most max_points. at_least_ns: NS_PER_MIN for
 * derived series. */
struct grid query_grid(const struct grafana_query *q, uint64_t at_least_ns);

/* A frame with the target's refId. */
struct grafana_frame *query_frame(struct grafana_query *q, struct slice name);
/* A notice why the frame has no rows: the scope selects nothing, and the
 * nearest names; or nothing in this range, and when the last one was. */
void query_empty(struct grafana_query *q, struct grafana_frame *frame,
                 const char *what, enum signal signal);
/* The target's error, for people. Returns ERR_INVALID. */
enum status query_refuse(struct grafana_query *q, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- data links; empty if the arena is full ---- */

/* Of the dashboard that a link is on: its time range and data source. */
#define LINK_FROM_DASHBOARD "${__url_time_range}&${datasource:queryparam}"
/* The dashboard of a component, of an endpoint (empty: the component's). */
struct slice link_component(const struct grafana_query *q,
                            const struct identity *identity);
struct slice link_endpoint(const struct grafana_query *q,
                           const struct identity *identity,
                           struct slice endpoint);

/* ---- families ---- */

enum payload_type {
    PAYLOAD_INPUT,
    PAYLOAD_SELECT,
    PAYLOAD_MULTI,
    PAYLOAD_TEXTAREA
};

struct payload_option {
    const char *value, *label; /* label NULL: the value */
};

struct payload_field {
    const char *name, *label;
    enum payload_type type;
    const char *placeholder;
    const struct payload_option *options; /* ended by {0}; NULL: asked for with
                                             /metric-payload-options */
    const char *standard; /* the value if there is none, shown to people */
    bool reload;          /* other fields depend on it */
    uint32_t width;       /* in Grafana's units; 0: its own */
};

/* Fields that many families have; options by what the scope selects. */
enum {
    FIELDS_SCOPE = 1,    /* namespace, project, environment, component */
    FIELDS_ENDPOINT = 2, /* endpoint, operation */
};

struct grafana_family {
    const char *target, *label;
    const char *group; /* "Requests", "Logs": in front of the label */
    enum action action;
    int fields;                          /* FIELDS_... */
    const struct payload_field *payload; /* own ones, ended by {0}; or NULL */
    grafana_handler *run;
};

/* Ended by {0}. */
extern const struct grafana_family grafana_families[];
const struct grafana_family *grafana_family_find(struct slice target);

/* Handlers are declared in grafana_handlers.h. */

#endif
