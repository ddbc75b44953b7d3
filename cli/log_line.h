/*
 * log_line - a log record as text: time, level, component, message.
 */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include <jansson.h>

#include "term_line.h"

enum {
    LOG_LINE_COMPONENT = 1, /* with the component */
    LOG_LINE_POD = 2,       /* with pod and container */
};

/* A record of logs/query or logs/tail. Further lines of the message follow,
 * indented, so that a line at the margin is a record. */
void log_line(struct buf *out, const struct term_look *look, const json_t *log,
              unsigned flags);

enum term_color log_level_color(const char *level);

#endif
