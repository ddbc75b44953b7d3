/*
 * grant_json - a grant as a JSON object, of the API, the database and, by
 * yaml_json.h, of the files:
 *
 *   {"roles": ["viewer"], "actions": ["logs:view"], "namespace": "acme",
 *    "project": "shop", "component": "*", "environment": "*"}
 *
 * `role` is a role, or several with commas. The namespace must be given; what
 * else is left out is "*". A component needs its project.
 */
#ifndef GRANT_JSON_H
#define GRANT_JSON_H

#include <jansson.h>

#include "grant.h"
#include "status.h"

enum { GRANT_NAME_MAX = 256, GRANT_ERROR = 256 };

/* The members of a grant, ended by NULL. */
extern const char *const grant_json_members[];

/* Texts of the grant are those of the object; other members are not looked at.
 * ERR_INVALID: error says what is wrong. */
MUST_CHECK enum status grant_json_parse(const json_t *object,
                                        struct grant *grant,
                                        char error[GRANT_ERROR]);

/* The first member that is in none of the lists (each ended by NULL; the second
 * may be NULL); NULL: there is none. */
const char *grant_json_unknown(const json_t *object, const char *const *one,
                               const char *const *other);

#endif
