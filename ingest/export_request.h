/*
 * request - one export request, from its first byte to its answer: the part
 * that is the same for every receiver.
 *
 *   export_ready                     before anything is read
 *   (the receiver sets body, len and room)
 *   export_decode                    inflate, decode; true: there is a batch
 *   export_submit                    to the sink; `answer` is called later
 *   export_write_response                     the answer's body
 *   export_release
 *
 * Private to the receivers. A request belongs to one receiver thread, but
 * between export_submit and answer() to the sink.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdatomic.h>

#include "buf.h"
#include "inflate.h"
#include "ingest.h"

enum { EXPORT_MESSAGE_SIZE = 512 };

/* What the requests of all receivers share. */
struct otlp_intake {
    struct ingest_options options;
    atomic_bool stopping;
    atomic_uint waiting; /* requests that are with the sink */
};

struct export_request {
    struct otlp_intake *intake;
    enum signal signal;
    enum batch_encoding encoding;
    enum inflate_format format;

    char *body;       /* as it came */
    size_t len, room; /* room bytes are taken from the budget */
    struct batch *batch;
    const struct batch *sent; /* the sink's; for when it is done */

    /* The outcome. */
    enum status status;
    uint32_t count, rejected;
    char message[EXPORT_MESSAGE_SIZE];

    /* Called once after export_submit, by another thread, perhaps before
     * export_submit returns; the request may be gone when it returns. */
    void (*answer)(void *arg);
    void *arg;
};

/* OK, or why this request would be refused if it were read now. */
MUST_CHECK enum status export_ready(const struct export_request *request);

/* Sets the outcome. True if it is not known yet: export_submit comes next. */
bool export_decode(struct export_request *request);

void export_submit(struct export_request *request);

/* Sets the outcome to this; detail for the sender, empty: status_text(). Frees
 * the body. */
void export_refuse(struct export_request *request, enum status status,
                   struct slice detail);

/* The body of the answer, and counts the outcome: once. */
void export_write_response(const struct export_request *request,
                           struct buf *out);

void export_release(struct export_request *request);

#endif
