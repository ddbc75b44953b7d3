/*
 * log_templates - how many records there are of each log template, in a window
 * and in the time before it, from the derived series.
 *
 * Purpose: one reading of templates for every answer that shows them.
 * Ownership: a struct log_templates is the handler's and must not move; texts
 *   are in the request's arena.
 * Threads: one request, one thread.
 * Errors: none of its own; a full arena is seen after the handler.
 *
 *   struct log_templates t;
 *   log_templates_init(&t, request, &window);
 *   tables[] = {&t.now, &t.before} ... read_metrics() ...
 */
#ifndef LOG_TEMPLATES_H
#define LOG_TEMPLATES_H

#include "component.h"

struct log_template {
    struct slice text;
    uint64_t first_ns, last_ns; /* in the window */
};

struct log_templates {
    struct query_request *request;
    struct metric_expr logged;       /* how many */
    struct metric_table now, before; /* items: struct log_template */
};

/* Two tables, for read_metrics(). */
void log_templates_init(struct log_templates *templates,
                        struct query_request *request,
                        const struct window *window);

struct template_item {
    struct log_template log;
    struct slice id, level;
    double count, before;
    bool new; /* none before */
};
extern const struct reply_table template_table;

/* A group of templates->now. False: there is no record of it in the window. */
bool template_item_fill(struct template_item *item,
                        struct log_templates *templates,
                        const struct metric_group *group);

#endif
