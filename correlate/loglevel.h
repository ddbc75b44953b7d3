/*
 * loglevel - how serious a log record is, when its sender may not have said.
 *
 * The severity number counts if there is one; then severity_text; then the
 * body: a declared field (level=warn, "level":"warn", severity: warn), the
 * letter that klog begins its lines with, and last a bare keyword (ERROR).
 * What says nothing of itself is INFO.
 *
 * Threads  pure functions.
 */
#ifndef LOGLEVEL_H
#define LOGLEVEL_H

#include "record.h"

enum level loglevel_of(const struct log_record *log);

/* The level a word means ("Warning", "ERR"), LEVEL_UNSET if none. */
enum level loglevel_of_word(struct slice word);

#endif
