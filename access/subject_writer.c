#include "subject_writer.h"

#include <stdlib.h>

#include "mem.h"

/* More than fit into WRITER_MAX_BYTES. */
enum { MAX_SCOPES = WRITER_MAX_BYTES / 2 };

static bool is_any(struct slice name)
{
    return slice_equal(name, SLICE("*"));
}

/* A grant with an empty name covers nothing. */
static bool may_write(const struct grant *grant)
{
    for (int i = 0; i < IDENTITY_NAMES; i++)
        if (grant->scope.name[i].len == 0)
            return false;
    return grant->actions & ACTION_BIT(ACTION_WRITE);
}

/* True if it is restricted to some name. */
static bool scope_of(const struct grant *grant, struct writer_scope *scope)
{
    bool restricted = false;

    *scope = (struct writer_scope){.name = {{NULL, 0}}};
    for (int i = 0; i < IDENTITY_NAMES; i++)
        if (!is_any(grant->scope.name[i])) {
            scope->name[i] = grant->scope.name[i];
            restricted = true;
        }
    return restricted;
}

enum status subject_writer(const struct subject *subject,
                           struct writer **writer)
{
    struct grants grants = {NULL, 0};
    struct writer_scope *scopes;
    uint32_t count = 0;

    *writer = NULL;
    if (!subject || subject->kind == SUBJECT_EVERYONE)
        return OK;
    grants = subject->grants;
    if (grants.count > MAX_SCOPES)
        return ERR_INVALID;
    scopes = mem_alloc((grants.count + 1) * sizeof(*scopes));
    for (uint32_t i = 0; i < grants.count; i++)
        if (may_write(&grants.at[i]) &&
            !scope_of(&grants.at[i], &scopes[count++])) {
            free(scopes);
            return OK; /* anything */
        }
    *writer = writer_new(grants_namespace(grants, ACTION_WRITE),
                         subject->stamp == STAMP_OVERRIDE, scopes, count);
    free(scopes);
    return *writer ? OK : ERR_INVALID;
}

enum status namespace_writer(struct slice namespace, struct writer **writer)
{
    struct writer_scope scope = {.name = {[IDENTITY_NAMESPACE] = namespace}};

    *writer = writer_new(namespace, false, &scope, 1);
    return *writer ? OK : ERR_INVALID;
}
