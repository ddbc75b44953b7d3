#include "access.h"

#include <stdio.h>
#include <stdlib.h>

static const struct grant all_of_everything = {
    .actions = ~(action_set)0,
    .scope.name = {{"*", 1}, {"*", 1}, {"*", 1}, {"*", 1}},
};

/* Never freed: it starts with the reference of the program. */
static struct subject everyone = {
    .refs = 1,
    .kind = SUBJECT_EVERYONE,
    .name = {"everyone", 8},
    .grants = {&all_of_everything, 1},
};

static struct subject nobody = {
    .refs = 1,
    .kind = SUBJECT_NOBODY,
    .name = {"nobody", 6},
};

struct subject *subject_everyone(void)
{
    return subject_ref(&everyone);
}

struct subject *subject_nobody(void)
{
    return subject_ref(&nobody);
}

struct subject *subject_ref(struct subject *subject)
{
    atomic_fetch_add(&subject->refs, 1);
    return subject;
}

void subject_free(struct subject *subject)
{
    if (subject && atomic_fetch_sub(&subject->refs, 1) == 1)
        free(subject);
}

enum status access_identify(struct access *access,
                            const struct credential *credential,
                            struct subject **subject, const char **why)
{
    (void)credential;
    *why = NULL;
    if (access)
        return ERR_UNAUTHENTICATED;
    *subject = subject_everyone();
    return OK;
}

void access_refusal(char text[ACCESS_REFUSAL_MAX],
                    const struct subject *subject, enum action action,
                    const union scope_names *scope)
{
    static const char *const members[IDENTITY_NAMES] = {
        "namespace", "project", "component", "environment"};
    const char *before = " in ";
    int len = snprintf(text, ACCESS_REFUSAL_MAX, "%.*s may not do %s",
                       (int)(subject->name.len < 128 ? subject->name.len : 128),
                       subject->name.ptr, action_text(action));

    if (scope && scope->namespace.len == 0)
        len += snprintf(text + len, (size_t)(ACCESS_REFUSAL_MAX - len),
                        " in all namespaces");
    for (int i = 0; scope && i < IDENTITY_NAMES; i++) {
        struct slice name = scope->name[i];

        if (name.len == 0 || name.len > 64)
            continue;
        len +=
            snprintf(text + len, (size_t)(ACCESS_REFUSAL_MAX - len),
                     "%s%s %.*s", before, members[i], (int)name.len, name.ptr);
        before = ", ";
    }
}
