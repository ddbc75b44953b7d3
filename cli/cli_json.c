/* Members of an answer. */
#include <math.h>

#include "cli_int.h"

const char *cli_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text ? text : "";
}

double cli_number(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

double cli_number_or_0(const json_t *object, const char *member)
{
    return json_number_value(json_object_get(object, member));
}
