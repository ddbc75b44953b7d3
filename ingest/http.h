/*
 * http - the OTLP/HTTP receiver.
 *
 * Private to ingest. NULL is fine where a struct http is taken to be stopped.
 */
#ifndef HTTP_H
#define HTTP_H

#include "request.h"

struct http;

/* ERR_IO, ERR_INVALID (address), logged. */
MUST_CHECK enum status http_start(struct http **http, struct intake *intake);

uint16_t http_port(const struct http *http);

/* Ends connections that take too long. */
void http_tend(struct http *http);

/* Takes no more connections. */
void http_quiesce(struct http *http);

/* No request may be with the sink. Gives answers a moment to leave. */
void http_stop(struct http *http);

#endif
