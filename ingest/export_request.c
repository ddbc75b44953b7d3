/*
 * Memory: the body comes charged to the budget. It becomes the batch's body, or
 * goes when it has been inflated.
 *
 * What is asked of the batch after it is with the sink is copied before: it
 * may be freed as soon as it is done.
 */
#include "export_request.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "decode_stats.h"
#include "mem.h"
#include "otlp.h"
#include "stats.h"

static const char *const nouns[SIGNAL_COUNT] = {"spans", "log records",
                                                "data points"};

enum status export_ready(const struct export_request *request)
{
    const struct ingest_options *options = &request->intake->options;

    if (atomic_load(&request->intake->stopping))
        return ERR_STOPPING;
    return options->sink.ready(options->sink.arg);
}

/* ---- the body ---- */

static void drop_body(struct export_request *request)
{
    budget_give(request->intake->options.budget, request->room);
    free(request->body);
    request->body = NULL;
    request->len = request->room = 0;
}

static void resize(struct export_request *request, size_t room)
{
    request->body = mem_resize(request->body, room, 1);
    request->room = room;
}

/* ---- what becomes of it ---- */

static void set_message(struct export_request *request, struct slice text)
{
    if (text.len >= sizeof(request->message))
        text.len = sizeof(request->message) - 1;
    slice_copy(request->message, text);
    request->message[text.len] = '\0';
}

void export_refuse(struct export_request *request, enum status status,
                   struct slice detail)
{
    drop_body(request);
    request->status = status;
    set_message(request, detail.len ? detail : slice_of(status_text(status)));
}

/* Turns the body that came into the one to decode; its bytes stay charged. */
static enum status unpack(struct export_request *request, char **body,
                          size_t *len)
{
    struct otlp_intake *intake = request->intake;

    stats_add(STATS_RECEIVED_BYTES, request->len);
    if (request->format != INFLATE_NONE) {
        enum status status = inflate_body(
            request->format, (struct slice){request->body, request->len},
            intake->options.max_body, intake->options.budget, body, len);
        drop_body(request);
        return status;
    }
    if (request->len < request->room) {
        budget_give(intake->options.budget, request->room - request->len);
        resize(request, request->len);
    }
    *body = request->body;
    *len = request->len;
    request->body = NULL;
    request->len = request->room = 0;
    return OK;
}

static void note_rejected(struct export_request *request,
                          const struct batch *batch)
{
    request->rejected = batch->rejected;
    if (batch->rejected > 0)
        snprintf(request->message, sizeof(request->message), "%u of %u %s: %s",
                 batch->rejected, batch->rejected + batch->count,
                 nouns[batch->signal], batch->reason ? batch->reason : "");
}

static void batch_is_done(void *arg, enum status status)
{
    struct export_request *request = arg;
    struct otlp_intake *intake = request->intake;

    request->status = status;
    if (status != OK)
        set_message(request, slice_of(status_text(status)));
    else if (request->sent->repeated) /* counted when it came first */
        request->count = 0;
    request->answer(request->arg);
    atomic_fetch_sub(&intake->waiting, 1); /* now the receiver may stop */
}

bool export_decode(struct export_request *request)
{
    const struct ingest_options *options = &request->intake->options;
    uint64_t oldest_ns = 0;
    struct slice detail = {NULL, 0};
    struct batch *batch;
    char *body = NULL;
    size_t len = 0;
    enum status status = unpack(request, &body, &len);

    if (status != OK) {
        export_refuse(request, status,
                      status == ERR_MALFORMED
                          ? SLICE("the body is not in its Content-Encoding")
                          : detail);
        return false;
    }
    stats_add(STATS_DECODED_BYTES, len);
    batch = batch_new(request->signal, body, len, options->budget);
    batch->encoding = request->encoding;
    batch->received_ns = clock_wall_ns();
    if (options->oldest_ns)
        oldest_ns = options->oldest_ns(options->oldest_arg, request->signal,
                                       batch->received_ns);
    status = otlp_decode(batch, oldest_ns, &detail);
    if (status == OK) {
        request->status = OK;
        request->count = batch->count;
        note_rejected(request, batch);
        decode_stats_add(batch);
        if (options->key)
            request_hash_batch(options->key, batch);
    } else {
        export_refuse(request, status, detail);
    }
    if (status != OK || batch->count == 0) { /* nothing to keep */
        batch_free(batch);
        return false;
    }
    request->batch = batch;
    return true;
}

void export_submit(struct export_request *request)
{
    struct otlp_intake *intake = request->intake;
    struct batch *batch = request->batch;

    request->batch = NULL;
    request->sent = batch;
    batch->done = batch_is_done;
    batch->done_arg = request;
    /* Counted first, looked second; ingest_stop() does it the other way round,
     * so nothing is submitted behind its back. */
    atomic_fetch_add(&intake->waiting, 1);
    if (atomic_load(&intake->stopping)) {
        batch_done(batch, ERR_STOPPING);
        batch_free(batch);
        return;
    }
    intake->options.sink.submit(intake->options.sink.arg, batch);
}

/* ---- the answer ---- */

static void count_outcome(const struct export_request *request)
{
    static const enum stats_id accepted[SIGNAL_COUNT] = {
        STATS_ACCEPTED_SPANS, STATS_ACCEPTED_LOGS, STATS_ACCEPTED_METRICS};
    static const enum stats_id rejected[SIGNAL_COUNT] = {
        STATS_REJECTED_SPANS, STATS_REJECTED_LOGS, STATS_REJECTED_METRICS};

    switch (request->status) {
    case OK:
        stats_add(accepted[request->signal], request->count);
        stats_add(rejected[request->signal], request->rejected);
        break;
    case ERR_MALFORMED:
    case ERR_INVALID:
        stats_add(STATS_REFUSED_MALFORMED, 1);
        break;
    case ERR_UNSUPPORTED:
        stats_add(STATS_REFUSED_TYPE, 1);
        break;
    case ERR_TOO_BIG:
        stats_add(STATS_REFUSED_SIZE, 1);
        break;
    case ERR_IO:
    case ERR_CORRUPT:
        stats_add(STATS_REFUSED_STORAGE, 1);
        break;
    case ERR_BUSY:
    case ERR_FULL:
    case ERR_STOPPING:
        stats_add(STATS_REFUSED_BUSY, 1);
        break;
    default: /* not an export request */
        break;
    }
}

void export_write_response(const struct export_request *request,
                           struct buf *out)
{
    count_outcome(request);
    if (request->status == OK)
        otlp_write_response(out, request->signal, request->encoding,
                            request->rejected, slice_of(request->message));
    else
        otlp_write_status(out, request->encoding, request->status,
                          slice_of(request->message));
}

void export_release(struct export_request *request)
{
    drop_body(request);
    batch_free(request->batch);
    request->batch = NULL;
}
