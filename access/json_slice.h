/* json_slice - texts of JSON values, as slices that the value keeps. */
#ifndef JSON_SLICE_H
#define JSON_SLICE_H

#include <jansson.h>

#include "slice.h"

/* ptr NULL, len 0 if it is no text. */
static inline struct slice json_slice(const json_t *value)
{
    return (struct slice){json_string_value(value), json_string_length(value)};
}

static inline struct slice json_slice_of(const json_t *object, const char *name)
{
    return json_slice(json_object_get(object, name));
}

#endif
