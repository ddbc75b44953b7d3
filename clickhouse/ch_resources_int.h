/* ch_resources_int - the log of resources, for its files. */
#ifndef CH_RESOURCES_INT_H
#define CH_RESOURCES_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "arena.h"
#include "ch_native.h"
#include "ch_reader.h"
#include "ch_resources.h"

/* What one look found; given to the registry in this order. */
struct taken_facts {
    struct taken_facts *next;
    struct arena arena;
    struct resource_fact *at;
    uint32_t count, room;
};

/* Rows that were inserted at one time. */
struct insert_time {
    uint64_t ns, count;
};

struct ch_resources {
    struct ch_client *client;
    struct resource_log log;
    uint64_t instance; /* of its tokens */

    pthread_mutex_t lock;      /* of what waits, both ways */
    struct ch_native *waiting; /* rows to insert */
    struct taken_facts *first; /* facts to take */
    struct taken_facts **last;
    struct identity_seen *seen; /* to save; to take */
    struct identity_seen *others;
    uint32_t seen_count, others_count;

    pthread_mutex_t insert_lock; /* one insertion at a time */
    struct ch_native *sending;   /* rows that were not inserted yet, or none */
    uint64_t token;              /* of them */

    /* Of the thread. */
    struct insert_time *times; /* of the last WINDOW_NS, ascending */
    uint32_t time_count, time_room;
    uint64_t seen_due_ns;
    uint32_t poll_ms;
    pthread_t thread;
    pthread_cond_t wake;
    bool started, stopping, closing, hurry;
    atomic_bool cancelled; /* what the thread asks */
};

/* ---- ch_resources_rows.c: facts as rows ---- */

struct ch_native *ch_resources_native(void);
void ch_resources_put(struct ch_native *native,
                      const struct resource_fact *fact);

/* Rows of all (times: NULL), or of these times. Attributes are in the arena,
 * which has no bound; the rest is good during the visit. */
typedef void ch_resources_visit(void *to, const struct resource_fact *fact,
                                uint64_t inserted_ns);
MUST_CHECK enum status ch_resources_read(struct ch_resources *resources,
                                         const uint64_t *times, uint32_t count,
                                         struct arena *arena,
                                         ch_resources_visit *visit, void *to);

/* ---- ch_resources_poll.c ---- */

MUST_CHECK enum status ch_resources_load(void *arg, resource_fact_visit *visit,
                                         void *to);
void ch_resources_free_taken(struct taken_facts *list);

/* ---- ch_resources_seen.c ---- */

/* Reads the times of others; saves those of this instance, if there are. */
MUST_CHECK enum status ch_resources_share_seen(struct ch_resources *resources);

/* ---- ch_resources.c ---- */

MUST_CHECK enum status ch_resources_insert(struct ch_resources *resources,
                                           struct ch_native *native,
                                           const char *table, uint64_t token,
                                           const atomic_bool *cancelled,
                                           struct ch_error *error);

#endif
