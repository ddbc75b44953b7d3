/*
 * export - `callboard export`: what the store in --data-dir holds, into
 * ClickHouse.
 *
 * Purpose:   for who goes from one process to several instances.
 * Ownership: none.
 * Threads:   main thread.
 * Errors:    said on standard error; the exit status tells.
 */
#ifndef EXPORT_H
#define EXPORT_H

#include "config.h"

int export_run(const struct config *config);

#endif
