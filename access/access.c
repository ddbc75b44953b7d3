#include "access.h"

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

struct subject *subject_everyone(void)
{
    return subject_ref(&everyone);
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
