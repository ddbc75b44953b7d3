/*
 * commit_state - what the writer's thread shares with all that wait for it:
 * memtables.c, metadata.c and the writer itself each have a part of the store,
 * and all of them are guarded by this one lock.
 */
#ifndef STORE_COMMIT_STATE_H
#define STORE_COMMIT_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "status.h"

struct commit_state {
    pthread_mutex_t lock;
    pthread_cond_t work; /* there is something for the writer */
    pthread_cond_t done; /* a commit succeeded or failed */
    uint64_t failures;   /* of commits */
    enum status health;  /* of the last commit */
    bool shutting_down;  /* store_append does not wait any more */
    bool stopping;       /* the writer ends when everything is committed */
};

#endif
