/*
 * log_json - a JSON text as a map of attributes. Private to proto/.
 */
#ifndef LOG_JSON_H
#define LOG_JSON_H

#include "otlp_decoder.h"

/* Within the limits of attributes; the map ends at the first syntax error.
 * False if the text is not an object. Memory is from d->arena. */
bool log_json_map(struct otlp_decoder *d, struct slice text, struct attr *map);

#endif
