/*
 * costs - costs, right-sizing and capacity.
 *
 * Purpose:   computed from stored usage, requests and limits and a price table:
 *   the routes of this module.
 * Ownership: constant tables.
 * Threads:   as any route (query_request.h).
 * Errors:    answers with title, errorCode and message.
 */
#ifndef COSTS_H
#define COSTS_H

#include "query_request.h"

extern const struct query_surface costs_surface;

#endif
