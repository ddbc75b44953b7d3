/*
 * Decoding by encoding, and the message of a failure.
 */
#include "otlp.h"

#include "clock.h"
#include "otlp_decoder.h"

enum status otlp_decode(struct batch *batch, uint64_t oldest_ns,
                        struct slice *detail)
{
    struct otlp_decoder d = {
        .batch = batch,
        .arena = &batch->arena,
        .oldest_ns = oldest_ns,
        .latest_ns = batch->received_ns > UINT64_MAX - NS_PER_HOUR
                         ? UINT64_MAX
                         : batch->received_ns + NS_PER_HOUR,
    };
    struct slice why = {NULL, 0};
    enum status status;

    batch->count = batch->resource_count = 0;
    batch->rejected = batch->rejected_old = batch->truncated = 0;
    batch->received = 0;
    batch->reason = NULL;
    status = batch->encoding == BATCH_JSON ? otlp_decode_json(&d, &why)
                                           : otlp_decode_wire(&d, &why);
    batch->rejected_at = d.rejected_at.at;
    batch->rejected_places = d.rejected_at.count;
    if (status == OK)
        status = arena_status(d.arena); /* shapes of log records */
    if (status != OK && detail)
        *detail = why.len > 0 ? why : slice_of(status_text(status));
    return status;
}
