/*
 * serve - the wiring: the only place that knows every module.
 */
#ifndef SERVE_H
#define SERVE_H

#include "config.h"
#include "status.h"

/* Starts everything, waits for SIGTERM or SIGINT, stops everything. */
MUST_CHECK enum status serve(const struct config *config);

#endif
