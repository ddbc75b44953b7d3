/*
 * yaml_json - a YAML document as JSON values, for the files that configure
 * access: one parser of what they say serves files, database and API.
 */
#ifndef YAML_JSON_H
#define YAML_JSON_H

#include <jansson.h>

#include "slice.h"

enum { YAML_JSON_DEPTH = 8, YAML_ERROR = 256 };

/* Scalars become texts, but for an empty one, which is null. A member twice is
 * refused. NULL: error says why, with line and column. An empty document
 * is an empty object. */
json_t *yaml_json_parse(struct slice text, char error[YAML_ERROR]);

#endif
