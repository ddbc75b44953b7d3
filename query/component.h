/*
 * component - the list of components and the page of one.
 */
#ifndef COMPONENT_H
#define COMPONENT_H

#include "query_request.h"
#include "tally.h"

/* What is asked about, and the same length of time before it. */
struct window {
    uint64_t start_ns, end_ns, now_ns;
};

/* Shares of a point in the window and in the time before. */
double window_share(const struct window *window, const struct point *point);
double window_share_before(const struct window *window,
                           const struct point *point);
/* From when to when points are of use for both (see series_query). */
void window_query(const struct window *window, struct series_query *query);
/* The part of it that has passed, in seconds; at least one. */
double window_seconds(const struct window *window);

/* Hash of texts, for keys; the order matters. */
uint64_t key_text(uint64_t seed, struct slice text);

/* Members of the open object: requestRate, errorRatio, latency. */
void reply_figures(struct query_request *request, const struct tally *tally,
                   double seconds);
void reply_window(struct query_request *request, const struct window *window,
                  uint64_t step_ns);
/* namespace, project, component, environment, uids, rule. */
void reply_component(struct query_request *request,
                     const struct identity *identity);
void reply_last_seen(struct query_request *request,
                     const struct component_info *info);

/* Handlers (component_list.c, component_page.c). */
enum status component_list(struct query_request *request);
enum status component_page(struct query_request *request);

#endif
