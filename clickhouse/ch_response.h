/*
 * ch_response - the answer to one request while it arrives: its head, its body
 * decompressed, an exception in the middle of the body.
 *
 *   head lines ─► status, code, encoding, tag
 *   body ─► zstd ─► exception? ─► take()
 *                        └─► text of the error
 */
#ifndef CH_RESPONSE_H
#define CH_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "ch_error.h"
#include "slice.h"

enum { CH_TAG = 64, CH_HOLD = 96, CH_TAIL = 4096, CH_MARK = CH_HOLD - 2 };

struct ch_response {
    enum status (*take)(void *arg, struct slice bytes); /* or NULL */
    void *arg;
    void *zstd;         /* ZSTD_DCtx, to be reused */
    enum status status; /* of take(), or ERR_CORRUPT: not what it should be */

    int http, code;      /* of the head */
    bool is_zstd, ended; /* ended: the last zstd frame is whole */

    /* Before the text of an exception; empty: the server is older. */
    char mark[CH_MARK];
    size_t mark_len;
    bool excepted;    /* the mark was met: what follows is text */
    struct buf error; /* the text of an error, or the tail of the body */

    char held[CH_HOLD]; /* the last bytes, which may begin a mark */
    size_t held_len;
};

/* zstd: what an earlier one has left, or NULL. */
void ch_response_begin(struct ch_response *response, void *zstd,
                       enum status (*take)(void *arg, struct slice bytes),
                       void *arg);
/* A line of the head, "HTTP/1.1 200 OK" (then all begins anew) or "Name: x". */
void ch_response_head(struct ch_response *response, struct slice line);
/* False: nothing more is wanted. */
bool ch_response_body(struct ch_response *response, struct slice bytes);
/* After the last byte; whole: the transfer ended as it should. Sets the error,
 * OK if there is none and nothing was cut off. */
void ch_response_end(struct ch_response *response, bool whole,
                     struct ch_error *error);
/* Gives the decoder back. */
void *ch_response_release(struct ch_response *response);
void ch_response_free_decoder(void *zstd);

#endif
