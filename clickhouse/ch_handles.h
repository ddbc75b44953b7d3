/*
 * ch_handles - libcurl's handles, one per request under way, each with its
 * connection and a decoder.
 *
 * The idle ones are a stack: those that were used last, whose connections are
 * the surest to be open, are used next.
 */
#ifndef CH_HANDLES_H
#define CH_HANDLES_H

#include <pthread.h>

#include "curl_api.h"

struct ch_handle {
    CURL *curl; /* NULL: there is no memory for one */
    void *zstd; /* of ch_response.h */
    struct ch_handle *next;
};

struct ch_handles {
    pthread_mutex_t lock;
    struct ch_handle *idle;
    unsigned count;
};

void ch_handles_init(struct ch_handles *handles);
void ch_handles_release(struct ch_handles *handles,
                        const struct curl_api *curl);

/* Any thread. */
struct ch_handle *ch_handle_take(struct ch_handles *handles,
                                 const struct curl_api *curl);
void ch_handle_give(struct ch_handles *handles, const struct curl_api *curl,
                    struct ch_handle *handle);

#endif
