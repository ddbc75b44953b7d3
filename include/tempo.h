/*
 * tempo - Tempo's HTTP API over the stored traces.
 *
 * Purpose:   the routes under /tempo/api.
 * Ownership: constant tables.
 * Threads:   as any route (query_request.h).
 * Errors:    answers in plain text, as Tempo's are.
 */
#ifndef TEMPO_H
#define TEMPO_H

#include "query_request.h"

extern const struct query_surface tempo_surface;

#endif
