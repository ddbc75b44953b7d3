/* See ch_handles.h. */
#include "ch_handles.h"

#include <stdbool.h>
#include <stdlib.h>

#include "ch_response.h"
#include "mem.h"

enum { MAX_IDLE = 16 };

void ch_handles_init(struct ch_handles *handles)
{
    *handles = (struct ch_handles){.idle = NULL};
    pthread_mutex_init(&handles->lock, NULL);
}

struct ch_handle *ch_handle_take(struct ch_handles *handles,
                                 const struct curl_api *curl)
{
    struct ch_handle *handle;

    pthread_mutex_lock(&handles->lock);
    handle = handles->idle;
    if (handle) {
        handles->idle = handle->next;
        handles->count--;
    }
    pthread_mutex_unlock(&handles->lock);
    if (!handle) {
        handle = mem_zero(1, sizeof(*handle));
        handle->curl = curl->easy_init();
    }
    return handle;
}

static void free_handle(const struct curl_api *curl, struct ch_handle *handle)
{
    if (handle->curl)
        curl->easy_cleanup(handle->curl);
    ch_response_free_decoder(handle->zstd);
    free(handle);
}

void ch_handle_give(struct ch_handles *handles, const struct curl_api *curl,
                    struct ch_handle *handle)
{
    bool kept = false;

    if (handle->curl)
        curl->easy_reset(handle->curl); /* keeps its connection */
    pthread_mutex_lock(&handles->lock);
    if (handle->curl && handles->count < MAX_IDLE) {
        handle->next = handles->idle;
        handles->idle = handle;
        handles->count++;
        kept = true;
    }
    pthread_mutex_unlock(&handles->lock);
    if (!kept)
        free_handle(curl, handle);
}

void ch_handles_release(struct ch_handles *handles, const struct curl_api *curl)
{
    while (handles->idle) {
        struct ch_handle *handle = handles->idle;

        handles->idle = handle->next;
        free_handle(curl, handle);
    }
    pthread_mutex_destroy(&handles->lock);
}
