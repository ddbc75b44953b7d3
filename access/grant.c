#include "grant.h"

#include <stddef.h>

static const struct grant everything = {
    ~(action_set)0,
    {{SLICE_INIT("*"), SLICE_INIT("*"), SLICE_INIT("*"), SLICE_INIT("*")}}};
const struct viewer viewer_all = {{&everything, 1}, ACTION_LOGS_VIEW};

static const struct {
    const char *text;
    unsigned roles;
} actions[ACTION_COUNT] = {
#define ACTION_ROW(name, text, roles) [name] = {text, roles},
    ACTION_TABLE(ACTION_ROW)
#undef ACTION_ROW
};

static const struct {
    const char *name;
    unsigned role;
} roles[] = {
    {"viewer", ROLE_VIEWER}, {"editor", ROLE_EDITOR},
    {"ingest", ROLE_INGEST}, {"agent", ROLE_AGENT},
    {"admin", ROLE_ADMIN},   {"operator", ROLE_OPERATOR},
};

const char *action_text(enum action action)
{
    return action > ACTION_NONE && action < ACTION_COUNT ? actions[action].text
                                                         : "";
}

action_set actions_named(struct slice name)
{
    action_set set = 0;

    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
        if (slice_equal(name, slice_of(roles[i].name)))
            for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
                if (actions[a].roles & roles[i].role)
                    set |= ACTION_BIT(a);
    for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
        if (slice_equal(name, slice_of(actions[a].text)))
            set |= ACTION_BIT(a);
    return set;
}

static bool has(const struct grant *grant, enum action action)
{
    return action > ACTION_NONE && action < ACTION_COUNT &&
           (grant->actions & ACTION_BIT(action));
}

static bool is_any(struct slice name)
{
    return slice_equal(name, SLICE("*"));
}

static bool covers(const union scope_names *granted,
                   const union scope_names *scope)
{
    for (int i = 0; i < IDENTITY_NAMES; i++)
        if (!is_any(granted->name[i]) &&
            (scope->name[i].len == 0 ||
             !slice_equal(granted->name[i], scope->name[i])))
            return false;
    return true;
}

bool grants_cover(struct grants grants, enum action action,
                  const union scope_names *scope)
{
    for (uint32_t i = 0; i < grants.count; i++)
        if (has(&grants.at[i], action) && covers(&grants.at[i].scope, scope))
            return true;
    return false;
}

bool grants_have(struct grants grants, enum action action)
{
    for (uint32_t i = 0; i < grants.count; i++)
        if (has(&grants.at[i], action))
            return true;
    return false;
}

bool grants_cover_identity(struct grants grants, enum action action,
                           const struct identity *identity)
{
    union scope_names names;

    for (int i = 0; i < IDENTITY_NAMES; i++)
        names.name[i] = identity->text[i];
    return grants_cover(grants, action, &names);
}

static bool overlaps(const union scope_names *granted,
                     const union scope_names *scope)
{
    for (int i = 0; i < IDENTITY_NAMES; i++)
        if (!is_any(granted->name[i]) && scope->name[i].len > 0 &&
            !slice_equal(granted->name[i], scope->name[i]))
            return false;
    return true;
}

bool grants_overlap(struct grants grants, enum action action,
                    const union scope_names *scope)
{
    for (uint32_t i = 0; i < grants.count; i++)
        if (has(&grants.at[i], action) && overlaps(&grants.at[i].scope, scope))
            return true;
    return false;
}

bool viewer_sees_all(const struct viewer *viewer)
{
    static const union scope_names all = {.name = {{NULL, 0}}};

    return viewer_covers(viewer, &all);
}

bool viewer_covers(const struct viewer *viewer, const union scope_names *scope)
{
    return viewer && grants_cover(viewer->grants, viewer->action, scope);
}

bool viewer_sees(const struct viewer *viewer, const struct identity *identity)
{
    return viewer &&
           grants_cover_identity(viewer->grants, viewer->action, identity);
}

struct slice grants_namespace(struct grants grants, enum action action)
{
    struct slice found = {NULL, 0};

    for (uint32_t i = 0; i < grants.count; i++) {
        struct slice namespace = grants.at[i].scope.namespace;

        if (!has(&grants.at[i], action))
            continue;
        if (is_any(namespace) || (found.ptr && !slice_equal(found, namespace)))
            return (struct slice){NULL, 0};
        found = namespace;
    }
    return found;
}
