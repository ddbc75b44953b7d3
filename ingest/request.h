/*
 * request - one export request, from its first byte to its answer: the part
 * that is the same for every receiver.
 *
 *   request_ready                     before anything is read
 *   (the receiver sets body, len and room)
 *   request_decode                    inflate, decode; true: there is a batch
 *   request_submit                    to the sink; `answer` is called later
 *   request_write                     the answer's body
 *   request_release
 *
 * Private to the receivers. A request belongs to one receiver thread, but
 * between request_submit and answer() to the sink.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdatomic.h>

#include "buf.h"
#include "inflate.h"
#include "ingest.h"

enum { REQUEST_MESSAGE = 512 };

/* What the requests of all receivers share. */
struct intake {
    struct ingest_options options;
    atomic_bool stopping;
    atomic_uint waiting; /* requests that are with the sink */
};

struct request {
    struct intake *intake;
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
    char message[REQUEST_MESSAGE];

    /* Called once after request_submit, by another thread, perhaps before
     * request_submit returns; the request may be gone when it returns. */
    void (*answer)(void *arg);
    void *arg;
};

/* OK, or why this request would be refused if it were read now. */
MUST_CHECK enum status request_ready(const struct request *request);

/* Sets the outcome. True if it is not known yet: request_submit comes next. */
bool request_decode(struct request *request);

void request_submit(struct request *request);

/* Sets the outcome to this; detail for the sender, empty: status_text(). Frees
 * the body. */
void request_refuse(struct request *request, enum status status,
                    struct slice detail);

/* The body of the answer, and counts the outcome: once. */
void request_write(const struct request *request, struct buf *out);

void request_release(struct request *request);

#endif
