/*
 * export_request - one OTLP export request, from its body to its answer: the
 * part that does not depend on the protocol.
 *
 *   export_ready            before the body is read
 *   export_take_body        from the request of the protocol
 *   export_decode           decompress, decode; true: there is a batch
 *   export_submit           to the sink; `answer` is called later
 *   export_write_response   the body of the answer
 *   export_release
 *
 * To stop, the receiver calls export_stop().
 *
 * Ownership: the receiver owns the request; between export_submit() and
 *            answer() the sink does.
 * Threads:   a request belongs to one receiver thread, or to the sink.
 */
#ifndef EXPORT_REQUEST_H
#define EXPORT_REQUEST_H

#include <stdatomic.h>

#include "access.h"
#include "buf.h"
#include "inflate.h"
#include "receiver.h"
#include "tenants.h"

enum { EXPORT_MESSAGE_SIZE = 512 };

/* Shared by the requests of a receiver. */
struct export_intake {
    struct receiver_options options;
    atomic_bool stopping;
    atomic_uint waiting; /* requests that are with the sink */
};

struct export_request {
    struct export_intake *intake;
    struct tenant *tenant;         /* set by the receiver; NULL: none */
    const struct subject *subject; /* the receiver's; NULL: no access control */
    const uint8_t *address;        /* of the peer, 16 bytes; the receiver's */
    enum signal signal;
    enum batch_encoding encoding;
    enum inflate_format format;

    char *body;       /* as received */
    size_t len, room; /* room bytes are charged to the budget */
    struct batch *batch;
    const struct batch *sent; /* owned by the sink; valid until it is done */

    /* The outcome. */
    enum status status;
    uint32_t accepted, rejected, foreign; /* foreign: also in rejected */
    unsigned retry_after;                 /* seconds, if it is refused; 0: 1 */
    char message[EXPORT_MESSAGE_SIZE];

    void (*answer)(void *arg); /* of export_submit() */
    void *arg;
};

/* OK, or why the request would be refused if it were read now; *why: more about
 * it, or NULL. Belongs to the request. */
MUST_CHECK enum status export_ready(struct export_request *request,
                                    const char **why);

/* The three of the other request become 0. */
void export_take_body(struct export_request *request, char **body, size_t *len,
                      size_t *room);

/* True: export_submit() comes next. False: the outcome is set. */
bool export_decode(struct export_request *request);

/* answer is called once, by another thread, perhaps before this returns; the
 * request may be gone when it returns. */
void export_submit(struct export_request *request, void (*answer)(void *arg),
                   void *arg);

/* Sets the outcome and frees the body; detail is for the sender, empty: the
 * text of the status. */
void export_refuse(struct export_request *request, enum status status,
                   struct slice detail);

/* Writes the body of the answer and counts the outcome; once. */
void export_write_response(const struct export_request *request,
                           struct buf *out);

void export_release(struct export_request *request);

/* From now on requests are refused. Waits until those that are with the sink,
 * which must still run, are answered. */
void export_stop(struct export_intake *intake);

#endif
