/*
 * Memory: the body is charged to the budget by the receiver. It becomes the
 * batch's body, or is freed once it is decompressed.
 *
 * The counts of a batch are copied before it goes to the sink, which may remove
 * its records.
 */
#include "export_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "ingest_decode.h"
#include "mem.h"
#include "otlp.h"
#include "stats.h"
#include "subject_writer.h"

/* ---- limits of the tenant ---- */

static enum status admit_tenant(struct export_request *request,
                                struct tenant_refusal *refusal)
{
    const struct sink *sink = &request->intake->options.sink;
    enum status status = tenant_admit(request->tenant, clock_monotonic_ns(),
                                      clock_wall_ns(), refusal);

    if (status == OK && sink->nearly_full && sink->nearly_full(sink->arg))
        status = tenant_admit_to_journal(request->tenant, refusal);
    return status;
}

enum status export_ready(struct export_request *request, const char **why)
{
    const struct sink *sink = &request->intake->options.sink;
    struct tenant_refusal refusal;
    enum status status = OK;

    *why = NULL;
    if (atomic_load(&request->intake->stopping))
        return ERR_STOPPING;
    if (request->tenant)
        status = admit_tenant(request, &refusal);
    if (status == OK)
        return sink->ready(sink->arg);
    tenant_count(request->tenant, refusal.outcome, 1);
    request->retry_after = refusal.retry_after;
    snprintf(request->message, sizeof(request->message), "%s", refusal.text);
    *why = request->message;
    return status;
}

static void charge_tenant(struct export_request *request, uint64_t records,
                          size_t bytes)
{
    if (request->tenant)
        tenant_charge(request->tenant, records, bytes, clock_monotonic_ns(),
                      clock_wall_ns());
}

/* What cannot be read takes time, too: a record for each KiB. */
static void charge_unreadable(struct export_request *request,
                              enum status status, size_t bytes)
{
    if (status == ERR_MALFORMED || status == ERR_INVALID ||
        status == ERR_TOO_BIG)
        charge_tenant(request, 1 + bytes / 1024, bytes);
}

/* ---- the body and the outcome ---- */

void export_take_body(struct export_request *request, char **body, size_t *len,
                      size_t *room)
{
    request->body = *body;
    request->len = *len;
    request->room = *room;
    *body = NULL;
    *len = *room = 0;
}

static void drop_body(struct export_request *request)
{
    budget_give(request->intake->options.budget, request->room);
    free(request->body);
    request->body = NULL;
    request->len = request->room = 0;
}

void export_refuse(struct export_request *request, enum status status,
                   struct slice detail)
{
    struct slice text = detail.len ? detail : slice_of(status_text(status));

    drop_body(request);
    request->status = status;
    if (text.ptr != request->message) /* of export_ready() */
        snprintf(request->message, sizeof(request->message), "%.*s",
                 (int)text.len, text.ptr);
}

static const char *const nouns[SIGNAL_COUNT] = {"spans", "log records",
                                                "data points"};

static void note_rejected(struct export_request *request,
                          const struct batch *batch)
{
    request->rejected = batch->rejected;
    if (batch->rejected > 0)
        snprintf(request->message, sizeof(request->message), "%u of %u %s: %s",
                 batch->rejected, batch->rejected + batch->count,
                 nouns[batch->signal], batch->reason ? batch->reason : "");
}

/* What the sink refused is told after what decoding did. */
static void note_refused(struct export_request *request, uint32_t count,
                         struct slice why)
{
    uint32_t all = request->accepted + request->rejected;
    size_t used = request->rejected > 0 ? strlen(request->message) : 0;

    if (count == 0)
        return;
    snprintf(request->message + used, sizeof(request->message) - used,
             "%s%u of %u %s: %.*s", used > 0 ? "; " : "", count, all,
             nouns[request->signal], (int)why.len, why.ptr);
    request->accepted -= count;
    request->rejected += count;
}

/* ---- decoding ---- */

/* Turns the received body into the one to decode; its bytes stay charged. */
static enum status unpack(struct export_request *request, char **body,
                          size_t *len)
{
    const struct receiver_options *options = &request->intake->options;

    stats_add(STATS_RECEIVED_BYTES, request->len);
    if (request->format != INFLATE_NONE) {
        enum status status = inflate_body(
            request->format, (struct slice){request->body, request->len},
            options->max_body, options->budget, body, len);

        drop_body(request);
        return status;
    }
    *body = request->body;
    *len = request->len;
    if (request->len < request->room) {
        budget_give(options->budget, request->room - request->len);
        *body = mem_resize(*body, *len, 1);
    }
    request->body = NULL;
    request->len = request->room = 0;
    return OK;
}

/* The batch of the body, not decoded yet. */
static struct batch *new_batch(const struct export_request *request, char *body,
                               size_t len, struct writer *writer)
{
    struct batch *batch =
        batch_new(request->signal, body, len, request->intake->options.budget);

    batch->encoding = request->encoding;
    batch->received_ns = clock_wall_ns();
    batch->writer = writer;
    return batch;
}

enum { WHY_SIZE = 96 };

static struct slice too_big_text(char why[WHY_SIZE], size_t most)
{
    int len = snprintf(why, WHY_SIZE,
                       "more than the limit of %zu bytes when decompressed; "
                       "send smaller batches",
                       most);

    return (struct slice){why, (size_t)len};
}

static enum status decode_batch(const struct receiver_options *options,
                                struct batch *batch, struct slice *detail)
{
    enum status status = OK;

    if (options->as_protobuf && batch->encoding == BATCH_JSON)
        status = otlp_to_protobuf(batch, detail);
    if (status != OK)
        return status;
    return ingest_decode(
        batch, receiver_oldest_ns(options, batch->signal, batch->received_ns),
        options->key, detail);
}

bool export_decode(struct export_request *request)
{
    const struct receiver_options *options = &request->intake->options;
    struct slice detail = {NULL, 0};
    struct writer *writer = NULL;
    struct batch *batch;
    char why[WHY_SIZE];
    char *body = NULL;
    size_t len = 0, received = request->len;
    enum status status = subject_writer(request->subject, &writer);

    if (status != OK) {
        export_refuse(request, status,
                      SLICE("the credential has more grants than can be kept "
                            "with a request"));
        return false;
    }
    status = unpack(request, &body, &len);

    if (status != OK) {
        if (status == ERR_MALFORMED)
            detail = SLICE("the body does not match its encoding");
        if (status == ERR_TOO_BIG)
            detail = too_big_text(why, options->max_body);
        charge_unreadable(request, status,
                          status == ERR_TOO_BIG ? options->max_body : received);
        writer_free(writer);
        export_refuse(request, status, detail);
        return false;
    }
    stats_add(STATS_DECODED_BYTES, len);
    batch = new_batch(request, body, len, writer);
    status = decode_batch(options, batch, &detail);
    if (status == OK) {
        request->status = OK;
        request->accepted = batch->count;
        charge_tenant(request, batch->count, len);
        note_rejected(request, batch);
    } else {
        charge_unreadable(request, status, len);
        export_refuse(request, status, detail);
    }
    if (status != OK || batch->count == 0) { /* nothing to store */
        batch_free(batch);
        return false;
    }
    request->batch = batch;
    return true;
}

/* ---- submitting ---- */

static void export_is_done(void *arg, enum status status)
{
    struct export_request *request = arg;
    struct export_intake *intake = request->intake;

    if (status != OK) {
        export_refuse(request, status, (struct slice){NULL, 0});
    } else {
        const struct batch *batch = request->sent;

        request->foreign = batch->foreign;
        note_refused(request, batch->foreign, batch->foreign_why);
        note_refused(request, batch->too_big,
                     SLICE("larger than a message of Kafka may be"));
        ingest_audit_foreign(request->sent, request->subject, request->address);
        if (request->sent->duplicate) /* counted when it came first */
            request->accepted = 0;
    }
    request->answer(request->arg);
    atomic_fetch_sub(&intake->waiting, 1); /* now the receiver may stop */
}

void export_submit(struct export_request *request, void (*answer)(void *arg),
                   void *arg)
{
    struct export_intake *intake = request->intake;
    struct batch *batch = request->batch;

    request->answer = answer;
    request->arg = arg;
    request->batch = NULL;
    request->sent = batch;
    batch->done = export_is_done;
    batch->done_arg = request;
    /* Counts, then checks; export_stop() sets `stopping`, then looks at the
     * count. So nothing is submitted after the stop. */
    atomic_fetch_add(&intake->waiting, 1);
    if (atomic_load(&intake->stopping)) {
        batch_done(batch, ERR_STOPPING);
        batch_free(batch);
        return;
    }
    intake->options.sink.submit(intake->options.sink.arg, batch);
}

void export_stop(struct export_intake *intake)
{
    atomic_store(&intake->stopping, true);
    while (atomic_load(&intake->waiting) > 0)
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
}

/* ---- the answer ---- */

static void count_outcome(const struct export_request *request)
{
    switch (request->status) {
    case OK:
        ingest_count_records(request->signal, request->accepted,
                             request->rejected);
        tenant_count(request->tenant, TENANT_ACCEPTED, request->accepted);
        tenant_count(request->tenant, TENANT_FOREIGN, request->foreign);
        break;
    case ERR_MALFORMED:
    case ERR_INVALID:
    case ERR_FRAMING:
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
    case ERR_UNREACHABLE:
        stats_add(STATS_REFUSED_STORAGE, 1);
        break;
    case ERR_LIMITED:
        stats_add(STATS_REFUSED_TENANT, 1);
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

/* Seconds after which what was refused may be sent again; 0: not at all. */
static unsigned retry_after(const struct export_request *request)
{
    int code = status_http(request->status);

    if (code != 429 && code != 503)
        return 0;
    return request->retry_after ? request->retry_after : 1;
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
                          slice_of(request->message), retry_after(request));
}

void export_release(struct export_request *request)
{
    drop_body(request);
    batch_free(request->batch);
    request->batch = NULL;
}
