/*
 * otlp_http - the OTLP/HTTP receiver.
 *
 * Private to ingest. NULL is fine where a struct otlp_http is taken to be
 * stopped.
 */
#ifndef OTLP_HTTP_H
#define OTLP_HTTP_H

#include "export_request.h"

struct otlp_http;

/* ERR_IO, ERR_INVALID (address), logged. */
MUST_CHECK enum status otlp_http_start(struct otlp_http **http,
                                       struct otlp_intake *intake);

uint16_t otlp_http_port(const struct otlp_http *http);

/* Takes no more connections. */
void otlp_http_quiesce(struct otlp_http *http);

/* No request may be with the sink. Gives answers a moment to leave. */
void otlp_http_stop(struct otlp_http *http);

#endif
