/*
 * grafana_records - log records and events of a target: what its filters leave,
 * up to its limit.
 *
 * Purpose:   one way from filters to records. What the store can filter by is
 *            in its query; the rest is tested here, on at most RECORDS_TESTED.
 * Ownership: all is in the request's arena; a struct records must not move.
 * Threads:   one request, one thread.
 * Errors:    what is wrong is answered with query_fail.
 */
#ifndef GRAFANA_RECORDS_H
#define GRAFANA_RECORDS_H

#include "grafana_family.h"

enum { RECORDS_TESTED = 20000 };

struct records {
    struct grafana_query *q;
    struct log_query query; /* filters of the family; the rest is set here */
    uint32_t limit;
    /* What there is. */
    const struct log_record **at;
    uint32_t count, room;
    bool more;    /* than the limit */
    bool gave_up; /* not all were tested */
    struct count_limit counting;
    struct list_position last;
    const char *not_applied; /* a filter that records cannot be tested by */
};

MUST_CHECK enum status records_read(struct records *records);

/* Why there are none, or where the list was cut. */
void records_notices(const struct records *records, struct grafana_frame *frame,
                     const char *what, enum signal signal);

/* The filters that the store can test: `key` = one value, of attributes. In the
 * arena. */
const struct attr_match *filter_matches(const struct grafana_query *q,
                                        uint32_t *count);
/* Tested by filter_matches(), or by the resources that were selected. */
bool filter_is_done(const struct grafana_filter *filter);

/* As Grafana calls a level: "warn". */
const char *log_level_text(uint8_t level);

/* Derived series are by component: filters on pods, versions and attributes do
 * not narrow them. */
void note_narrowed(const struct grafana_query *q, struct grafana_frame *frame);

/* Incidents in the range, as the search for a cause finds them. Without the
 * right to see causes there are none. A notice of the frame says why it was not
 * searched. */
struct incident_region {
    uint64_t start_ns, end_ns;
    const struct identity *identity;
    struct slice text;
};
typedef void incident_visit(void *arg, const struct incident_region *incident);
MUST_CHECK enum status cause_incidents(struct grafana_query *q,
                                       struct grafana_frame *frame,
                                       incident_visit *visit, void *arg);

/* Words of a payload text, between blanks. */
const struct slice *payload_words(const struct grafana_query *q,
                                  const char *name, uint32_t *count);

#endif
