/*
 * Subjects: counted by reference, constant, each in one piece of memory.
 */
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

static const struct grant all_of_everything = {
    .actions = ~(action_set)0,
    .scope.name = {{"*", 1}, {"*", 1}, {"*", 1}, {"*", 1}},
};

/* Never freed: they start with the reference of the program. */
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

static size_t text_size(const struct subject *of)
{
    size_t size = of->id.len + of->name.len + of->issuer.len + of->token.len +
                  of->context.len;

    for (uint32_t i = 0; i < of->grants.count; i++)
        for (int k = 0; k < IDENTITY_NAMES; k++)
            size += of->grants.at[i].scope.name[k].len;
    return size;
}

static struct slice move_text(char **to, struct slice text)
{
    struct slice moved = {*to, text.len};

    slice_copy(*to, text);
    *to += text.len;
    return moved;
}

size_t subject_size(const struct subject *subject)
{
    return sizeof(*subject) + subject->grants.count * sizeof(struct grant) +
           text_size(subject);
}

struct subject *subject_new(const struct subject *of)
{
    struct subject *subject = mem_alloc(subject_size(of));
    struct grant *at = (struct grant *)(void *)(subject + 1);
    char *text = (char *)(at + of->grants.count);

    memcpy(subject, of, sizeof(*subject));
    atomic_init(&subject->refs, 1);
    subject->id = move_text(&text, of->id);
    subject->name = move_text(&text, of->name);
    subject->issuer = move_text(&text, of->issuer);
    subject->token = move_text(&text, of->token);
    subject->context = move_text(&text, of->context);
    for (uint32_t i = 0; i < of->grants.count; i++) {
        at[i].actions = of->grants.at[i].actions;
        for (int k = 0; k < IDENTITY_NAMES; k++)
            at[i].scope.name[k] =
                move_text(&text, of->grants.at[i].scope.name[k]);
    }
    subject->grants.at = at;
    return subject;
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
