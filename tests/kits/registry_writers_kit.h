/*
 * registry_writers_kit - senders that write for one namespace, and collectors
 * that write for several.
 */
#ifndef REGISTRY_WRITERS_KIT_H
#define REGISTRY_WRITERS_KIT_H

#include "registry_kit.h"

static const struct writer_scope acme[] = {{.name = {SLICE_INIT("acme")}}};
static const struct writer_scope evil[] = {{.name = {SLICE_INIT("evil")}}};
/* Kept until the end: a registry borrows its writer. */
static struct writer *writers[256];
static size_t writer_count;
static const struct writer *current_writer;

static inline void sender(struct bed *bed, const char *tenant, bool override,
                          const struct writer_scope *scopes, size_t count)
{
    struct writer *writer =
        writer_new(slice_of(tenant), override, scopes, count);

    CHECK(writer && writer_count < sizeof(writers) / sizeof(*writers));
    writers[writer_count++] = writer;
    current_writer = writer;
    registry_set_writer(bed->registry, writer);
}

static inline void free_writers(struct bed *bed)
{
    current_writer = NULL;
    registry_set_writer(bed->registry, NULL);
    while (writer_count > 0)
        writer_free(writers[--writer_count]);
}

static inline void leave(struct bed *bed)
{
    free_writers(bed);
    bed_release(bed);
}

static inline void as_acme(struct bed *bed)
{
    sender(bed, "acme", false, acme, 1);
}

static inline void as_evil(struct bed *bed)
{
    sender(bed, "evil", false, evil, 1);
}

static inline void as_collector(struct bed *bed)
{
    current_writer = NULL;
    registry_set_writer(bed->registry, NULL);
}

#endif
