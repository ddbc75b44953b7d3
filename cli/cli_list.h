/*
 * cli_list - verbs that print a list of an answer: a view is all that they are.
 */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include "cli_request.h"
#include "cli_table.h"
#include "term_line.h"

/* One more table below the rows, of another list of the answer. */
struct cli_section {
    const char *title; /* NULL: after the last one */
    const char *rows;
    const struct cli_column *columns;
};

struct cli_view {
    const char *route;
    bool post;            /* scope and filters are the body */
    bool needs_namespace; /* the only one, if none is given */
    bool needs_component;
    bool needs_environment;
    const char *rows;    /* where in the answer the list is: cli_at() */
    const char *nothing; /* what to say of an empty list */
    const struct cli_column *columns;
    long page; /* the limit of one page; 0: the route has no pages */
    /* Instead of a table, or NULL. */
    void (*text)(struct buf *out, const struct term_look *look,
                 const struct cli_call *call, const json_t *answer);
    bool (*is_known)(const json_t *answer); /* NULL: if there are rows */
    const char *summary; /* a text of the answer, above the table */
    const char *summary_head;
    const struct cli_section *sections;
};

/* Prints another view than that of the verb. */
int cli_list_view(struct cli_call *call, const struct cli_view *view);
/* Of views that tell something without rows, too. */
bool cli_is_not_empty(const json_t *answer);

extern const struct cli_view cli_view_components, cli_view_details,
    cli_view_endpoints, cli_view_logs, cli_view_traces, cli_view_events,
    cli_view_blast_radius, cli_view_costs, cli_view_recommendations,
    cli_view_capacity, cli_view_changes, cli_view_compare, cli_view_patterns,
    cli_view_found, cli_view_sorted, cli_view_incidents, cli_view_unassigned;

/* cli_texts.c */
extern const struct cli_view cli_view_component, cli_view_trace,
    cli_view_topology, cli_view_status;
struct term_look cli_look(const struct cli_call *call);

#endif
