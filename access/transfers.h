/*
 * transfers - HTTP requests to the services that access depends on (keys,
 * decisions), on a thread of their own with libcurl's multi interface.
 *
 * No proxy, no redirect, http and https only, TLS verified, the answer bounded.
 * Without libcurl the thread only calls `tick`, once a second.
 */
#ifndef TRANSFERS_H
#define TRANSFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct transfer {
    const char *url;
    struct slice post;         /* a JSON body; ptr NULL: GET */
    const char *authorization; /* a header line, or NULL */
    const char *ca_file;       /* NULL: those of the system */
    size_t max_bytes;
    long timeout_ms;
    void (*done)(struct transfer *transfer); /* on the thread */
    void *arg;

    /* For done(): */
    long code;          /* of HTTP; 0: no answer */
    const char *error;  /* static text, while code is 0 */
    struct buf body;    /* the transfers' */
    uint64_t max_age_s; /* of Cache-Control; 0: none */

    /* The transfers': */
    void *handle, *lines;
    struct transfer *next;
};

struct transfers;

/* with_curl: false if there is nothing to ask over HTTP. ERR_NOT_FOUND: there
 * is no libcurl. */
MUST_CHECK enum status transfers_start(struct transfers **transfers,
                                       bool with_curl, void (*tick)(void *arg),
                                       void *arg);
/* Transfers under way end with an error. NULL is fine. */
void transfers_stop(struct transfers *transfers);

/* Any thread. The transfer is the transfers' until done(). */
void transfers_submit(struct transfers *transfers, struct transfer *transfer);
/* Any thread: calls `tick` soon. */
void transfers_wake(struct transfers *transfers);

#endif
