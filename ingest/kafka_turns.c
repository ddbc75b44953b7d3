#include "kafka_turns.h"

#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "kafka_producer_int.h"
#include "mem.h"

enum { OVERHEAD = 256 };

void kafka_turns_init(struct kafka_turns *turns)
{
    *turns = (struct kafka_turns){.end = NULL};
    turns->end = &turns->first;
    pthread_mutex_init(&turns->lock, NULL);
}

void kafka_turns_release(struct kafka_turns *turns)
{
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        for (uint32_t k = 0; k < turns->topics[i].count; k++)
            free(turns->topics[i].at[k]);
        free(turns->topics[i].at);
    }
    pthread_mutex_destroy(&turns->lock);
}

/* ---- under the lock ---- */

static struct produced_partition *partition_of(struct kafka_turns *turns,
                                               enum signal signal,
                                               uint32_t number)
{
    struct produced_partition **at = array_at(
        &turns->topics[signal].at, &turns->topics[signal].count, number);

    if (!*at) {
        *at = mem_zero(1, sizeof(**at));
        (*at)->end = &(*at)->first;
    }
    return *at;
}

/* With its header, as librdkafka counts it. */
static size_t size_of(const struct handed_message *message)
{
    return message->part.len + OVERHEAD;
}

/* librdkafka has nothing of the partition, or still waits for more. */
static bool may_go(const struct kafka_turns *turns,
                   const struct produced_partition *p)
{
    return p->out == 0 || (p->bytes + size_of(p->first) <= turns->most &&
                           clock_monotonic_ns() < p->open_until_ns);
}

static void list(struct kafka_turns *turns, struct produced_partition *p)
{
    if (!p->first || p->listed || !may_go(turns, p))
        return;
    p->listed = true;
    p->next = NULL;
    *turns->end = p;
    turns->end = &p->next;
}

/* As much as a request takes. */
static struct handed_message *take_messages(const struct kafka_turns *turns,
                                            struct produced_partition *p)
{
    struct handed_message *first = p->first, *last = first;

    if (p->out == 0) {
        p->bytes = 0;
        p->open_until_ns = clock_monotonic_ns() + turns->open_ns;
    }
    p->bytes += size_of(first);
    p->out++;
    for (; last->next && p->bytes + size_of(last->next) <= turns->most;
         last = last->next, p->out++)
        p->bytes += size_of(last->next);
    p->first = last->next;
    if (!p->first)
        p->end = &p->first;
    last->next = NULL;
    return first;
}

/* Messages that may go now; NULL: there are none. What was listed late for an
 * open batch is listed again when that is delivered. */
static struct handed_message *next_messages(struct kafka_turns *turns)
{
    struct produced_partition *p;

    do {
        p = turns->first;
        if (!p)
            return NULL;
        turns->first = p->next;
        if (!turns->first)
            turns->end = &turns->first;
        p->listed = false;
    } while (!may_go(turns, p));
    return take_messages(turns, p);
}

/* ---- from outside ---- */

void kafka_turns_add(struct kafka_turns *turns, enum signal signal,
                     struct handed_message *message)
{
    struct produced_partition *p;

    pthread_mutex_lock(&turns->lock);
    p = partition_of(turns, signal, message->part.partition);
    message->to = p;
    message->next = NULL;
    *p->end = message;
    p->end = &message->next;
    list(turns, p);
    pthread_mutex_unlock(&turns->lock);
}

void kafka_turns_done(struct kafka_turns *turns,
                      const struct handed_message *message)
{
    pthread_mutex_lock(&turns->lock);
    if (--message->to->out == 0)
        list(turns, message->to);
    pthread_mutex_unlock(&turns->lock);
}

void kafka_turns_serve(struct kafka_turns *turns)
{
    struct handed_message *messages;

    do {
        pthread_mutex_lock(&turns->lock);
        messages = next_messages(turns);
        pthread_mutex_unlock(&turns->lock);
        if (messages)
            kafka_produce(messages);
    } while (messages);
}
