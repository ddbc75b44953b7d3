/*
 * otlp - decodes Export*ServiceRequests into records, and encodes the
 * responses.
 *
 * Records that are well-formed but invalid are left out and counted in
 * batch->rejected, with the first one's reason in batch->reason:
 *   - a span with a trace id or span id of wrong length or all zero, or a
 *     parent span id of wrong length
 *   - a metric point whose buckets do not match its bounds, or whose scale or
 *     bucket indices are out of range
 *   - a record older than oldest_ns (0: none is too old), a span by its end;
 *     also counted in batch->rejected_old
 *
 * Corrected, with a flag in `corrected`:
 *   - a time that is 0, or more than an hour after batch->received_ns, becomes
 *     the observed time, or the time of arrival; a span keeps its duration if
 *     both its times were given
 *   - a point that starts after its time gets the start 0, unknown
 *   - a span that ends before it starts gets the duration 0
 *
 * Of attributes with the same key the last wins. Values beyond the limits of
 * record.h are truncated and counted in batch->truncated, as are attributes
 * without a key and links without valid ids; buckets beyond the limit are
 * merged into coarser ones. Ids of wrong length in a log record or an exemplar
 * become zero, unknown enum values become the unspecified one.
 *
 * Log records are normalized to the semantic conventions: what shippers and
 * receivers of Kubernetes put into a body becomes text and attributes
 * (docs/correlation.md, Shapes of log records).
 *
 * Purpose:   one pass over the bytes, protobuf or JSON, without a tree.
 * Ownership: records point into batch->body and batch->arena.
 * Threads:   any, one batch each.
 * Errors:    ERR_MALFORMED, ERR_TOO_BIG, ERR_BUSY (arena); nothing of the batch
 *            may be used then.
 */
#ifndef OTLP_H
#define OTLP_H

#include "batch.h"
#include "buf.h"
#include "status.h"

/* Decodes by batch->signal and batch->encoding. On failure *detail, unless
 * NULL, is a short text for the sender that says what is wrong and where, valid
 * as long as the batch. */
MUST_CHECK enum status otlp_decode(struct batch *batch, uint64_t oldest_ns,
                                   struct slice *detail);

/* Rewrites the body of a JSON batch as protobuf, before it is decoded. *detail
 * as otlp_decode() sets it. What JSON means twice is refused: a list that
 * occurs twice in an object. */
MUST_CHECK enum status otlp_to_protobuf(struct batch *batch,
                                        struct slice *detail);

/* Export<Signal>ServiceResponse; empty message if nothing was rejected. */
void otlp_write_response(struct buf *out, enum signal signal,
                         enum batch_encoding encoding, uint64_t rejected,
                         struct slice message);

/* google.rpc.Status, with code from status_grpc(). retry_after: seconds, in a
 * detail google.rpc.RetryInfo; 0: none. */
void otlp_write_status(struct buf *out, enum batch_encoding encoding,
                       enum status status, struct slice message,
                       unsigned retry_after);

#endif
