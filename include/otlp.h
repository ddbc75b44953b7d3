/*
 * otlp - the bytes of an Export*ServiceRequest to records, and the bytes of
 * our answers.
 *
 * Decoding is one pass over the bytes without a tree in between. It checks
 * everything it walks: on ERR_MALFORMED nothing of the batch may be used.
 * Records that are well-formed but invalid are left out and counted in
 * batch->rejected, the first one's reason in batch->reason:
 *   - a span with a trace id or span id of wrong length or all zero, or a
 *     parent span id of wrong length
 *   - a metric point whose buckets do not fit its bounds, or whose scale or
 *     bucket indices are out of any reason
 *   - any record older than oldest_ns (0: none is too old); a span by its end.
 *     These are in batch->rejected_old too
 * Mended, with a flag in `fixed`: a time that is 0, or more than an hour after
 * batch->received_ns, becomes the observed time, or the time of arrival. A
 * span keeps its duration then, if both its times were given; a point that
 * starts after its time gets the start 0, unknown. A span that ends before it
 * starts gets the duration 0. Of attributes with one key the last wins. Values
 * beyond the bounds of record.h are truncated and counted in batch->truncated,
 * as are attributes without a key and links without valid ids; buckets beyond
 * the bound are not lost but summed up into coarser ones. The wrong-length ids
 * of a log record or an exemplar become zero, enum values nobody knows the
 * unspecified one.
 *
 * Log records are brought into the shape of the semantic conventions: what
 * shippers and Kubernetes' receivers put into a body becomes text and
 * attributes (docs/correlation.md, Shapes of log records).
 *
 * Ownership  records point into batch->body and batch->arena.
 * Threads    pure: any, one batch each.
 */
#ifndef OTLP_H
#define OTLP_H

#include "batch.h"
#include "buf.h"
#include "status.h"

/* By batch->signal and batch->encoding. ERR_MALFORMED, ERR_TOO_BIG or ERR_BUSY
 * (arena); then *detail, if given, is a short text for the sender that says
 * what is wrong and where, good as long as the batch. */
MUST_CHECK enum status otlp_decode(struct batch *batch, uint64_t oldest_ns,
                                   struct slice *detail);

/* Export<Signal>ServiceResponse; empty message if nothing was rejected. */
void otlp_write_response(struct buf *out, enum signal signal,
                         enum batch_encoding encoding, uint64_t rejected,
                         struct slice message);

/* google.rpc.Status, with code from status_grpc(). */
void otlp_write_status(struct buf *out, enum batch_encoding encoding,
                       enum status status, struct slice message);

#endif
