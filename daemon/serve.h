/*
 * serve - starts, runs and stops the daemon: the only code that uses every
 * module.
 */
#ifndef SERVE_H
#define SERVE_H

#include "config.h"
#include "status.h"

/* Returns after SIGTERM or SIGINT, or if the start fails. */
MUST_CHECK enum status serve(const struct config *config);

#endif
