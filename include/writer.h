/*
 * writer - what the sender of a batch may write: kept with the batch, so that
 * its records are compared when they are tagged, also when the journal is
 * replayed. The sender is the subject of the credential (access.h), or a Kafka
 * topic.
 *
 *   tenant  the one namespace that the sender may write to. Empty: a collector
 *           of the platform, which is trusted to stamp labels within its scopes
 *   stamp   what becomes of records that stamp something else (`override`)
 *   scopes  where the sender may write
 *
 * Without a writer (NULL) the sender is a collector that may write anything.
 *
 * Purpose:   one constant sequence of bytes, the same in memory and in the
 *            journal (docs/format.md).
 * Ownership: counted by reference; constant.
 * Threads:   any.
 * Errors:    bytes from outside are checked by writer_decode().
 */
#ifndef WRITER_H
#define WRITER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity.h"
#include "slice.h"

enum { WRITER_MAX_NAME = 255, WRITER_MAX_BYTES = 16 * 1024 };

/* Names of namespace, project, component and environment; an empty one: any. */
struct writer_scope {
    struct slice name[IDENTITY_NAMES];
};

struct writer {
    atomic_uint refs;
    struct slice tenant; /* within `bytes` */
    bool override;       /* replaces what is stamped instead of refusing it */
    uint32_t scopes_at;  /* offset of the scopes in `bytes` */
    uint32_t len;
    char bytes[];
};

/* NULL: the names do not fit, or are longer than WRITER_MAX_NAME. */
struct writer *writer_new(struct slice tenant, bool override,
                          const struct writer_scope *scopes, size_t count);
/* From bytes() of a writer; NULL: they are not such. */
struct writer *writer_decode(struct slice bytes);

struct writer *writer_ref(struct writer *writer); /* NULL is fine */
void writer_free(struct writer *writer);          /* NULL is fine */

/* The scopes, one by one: *at begins at 0. False: there are no more. */
bool writer_next_scope(const struct writer *writer, uint32_t *at,
                       struct writer_scope *scope);

/* What identifies it; empty for NULL. */
static inline struct slice writer_bytes(const struct writer *writer)
{
    return writer ? (struct slice){writer->bytes, writer->len}
                  : (struct slice){NULL, 0};
}

/* The tenant; empty: none, as of a collector. */
static inline struct slice writer_tenant(const struct writer *writer)
{
    return writer ? writer->tenant : (struct slice){NULL, 0};
}

#endif
