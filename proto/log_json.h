/*
 * log_json - a JSON text as a map of attributes. Private to proto/.
 */
#ifndef LOG_JSON_H
#define LOG_JSON_H

#include "otlp_decoder.h"

/* Within the bounds of attributes; what does not parse ends the map. Memory is
 * of d->arena. False if it is no object. */
bool log_json_map(struct otlp_decoder *d, struct slice text, struct attr *map);

#endif
