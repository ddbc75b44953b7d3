#include "grant_json.h"

#include <stdio.h>
#include <string.h>

#include "json_slice.h"

const char *const grant_json_members[] = {"role",        "roles",   "actions",
                                          "namespace",   "project", "component",
                                          "environment", NULL};

static const char *const scope_members[IDENTITY_NAMES] = {
    "namespace", "project", "component", "environment"};

static bool is_in(const char *const *list, const char *name)
{
    for (; list && *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

const char *grant_json_unknown(const json_t *object, const char *const *one,
                               const char *const *other)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name,
                        value) if (!is_in(one, name) &&
                                   !is_in(other, name)) return name;
    return NULL;
}

static enum status invalid(char error[GRANT_ERROR], const char *what,
                           struct slice which)
{
    snprintf(error, GRANT_ERROR, "%s%s%.*s", what, which.len ? " " : "",
             (int)(which.len < 100 ? which.len : 100),
             which.ptr ? which.ptr : "");
    return ERR_INVALID;
}

/* Names of roles or actions; one text may have several, with commas. */
static enum status add_names(struct slice names, action_set *set,
                             char error[GRANT_ERROR])
{
    while (names.len > 0) {
        struct slice name = slice_trim(slice_split(&names, ','), " ");
        action_set more = actions_named(name);

        if (more == 0)
            return invalid(error, "unknown role or action", name);
        *set |= more;
    }
    return OK;
}

static enum status add_member(const json_t *value, action_set *set,
                              char error[GRANT_ERROR])
{
    enum status status = OK;

    if (!value)
        return OK;
    if (json_is_string(value))
        return add_names(json_slice(value), set, error);
    if (!json_is_array(value))
        return invalid(error, "roles and actions are lists of names",
                       SLICE(""));
    for (size_t i = 0; status == OK && i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);

        status = json_is_string(one)
                     ? add_names(json_slice(one), set, error)
                     : invalid(error, "a role or action is a name", SLICE(""));
    }
    return status;
}

static bool is_name(struct slice name)
{
    if (name.len == 0 || name.len > GRANT_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 127)
            return false;
    return true;
}

static enum status read_scope(const json_t *object, union scope_names *scope,
                              char error[GRANT_ERROR])
{
    for (int i = 0; i < IDENTITY_NAMES; i++) {
        const json_t *value = json_object_get(object, scope_members[i]);

        scope->name[i] = value ? json_slice(value) : SLICE("*");
        if (!is_name(scope->name[i]))
            return invalid(
                error, "must be a name or \"*\":", slice_of(scope_members[i]));
    }
    if (!json_object_get(object, "namespace"))
        return invalid(error, "namespace is missing; \"*\" is all", SLICE(""));
    if (!slice_equal(scope->component, SLICE("*")) &&
        slice_equal(scope->project, SLICE("*")))
        return invalid(error, "a component needs its project", SLICE(""));
    return OK;
}

enum status grant_json_parse(const json_t *object, struct grant *grant,
                             char error[GRANT_ERROR])
{
    static const char *const sets[] = {"role", "roles", "actions"};
    enum status status = read_scope(object, &grant->scope, error);

    grant->actions = 0;
    for (size_t i = 0; status == OK && i < 3; i++)
        status = add_member(json_object_get(object, sets[i]), &grant->actions,
                            error);
    if (status == OK && grant->actions == 0)
        return invalid(error,
                       "role is missing: viewer, editor, ingest, agent, "
                       "operator or admin",
                       SLICE(""));
    return status;
}
