/*
 * analysis - answers that compare, follow and sum up what is stored.
 *
 * Purpose:   what differs between two times, what changed, what depends on
 *   what, what a trace shows: the routes of this module.
 * Ownership: constant tables.
 * Threads:   as any route (query_request.h).
 * Errors:    answers with title, errorCode and message.
 */
#ifndef ANALYSIS_H
#define ANALYSIS_H

#include "query_request.h"

extern const struct query_surface analysis_surface;

#endif
