/*
 * subject_writer - what a subject may write, for its batches.
 *
 * Purpose:   from grants (grant.h) to the writer of a batch (writer.h).
 * Ownership: the writer is the caller's.
 * Threads:   any.
 * Errors:    ERR_INVALID: more grants, or longer names, than a writer can hold.
 */
#ifndef SUBJECT_WRITER_H
#define SUBJECT_WRITER_H

#include "access.h"
#include "writer.h"

/* *writer NULL: it may write anything, as with a grant of all namespaces, or
 * without access control (subject NULL). */
MUST_CHECK enum status subject_writer(const struct subject *subject,
                                      struct writer **writer);

/* Of a sender that writes for this namespace only, without a subject: a Kafka
 * topic. */
MUST_CHECK enum status namespace_writer(struct slice namespace,
                                        struct writer **writer);

#endif
