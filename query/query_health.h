/*
 * query_health - how well the server is, for /health and /api/v1/status.
 */
#ifndef QUERY_HEALTH_H
#define QUERY_HEALTH_H

#include "query_request.h"

enum { QUERY_NOTES_MAX = 2 };

/* What does not work although new data can be stored; borrowed from the
 * buffers. */
struct query_notes {
    struct buf buffers[QUERY_NOTES_MAX];
    struct slice texts[QUERY_NOTES_MAX];
    uint32_t count;
};

/* Why no new data can be stored, or NULL. */
const char *query_failure(const struct query_request *request);
/* The subject may see the server itself: its notes have names of namespaces,
 * and paths. */
bool query_sees_system(const struct query_request *request);
/* None for others. */
void query_notes_read(const struct query_request *request,
                      struct query_notes *notes);
void query_notes_release(struct query_notes *notes);

#endif
