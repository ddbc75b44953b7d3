/*
 * A table of fixed size: an address has a place by its hash, with a key that is
 * random, so nobody can choose whose place he shares.
 */
#include "failure_rate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "hash.h"
#include "mem.h"

enum { PLACES = 4096 };

struct failure_rate {
    pthread_mutex_t lock;
    uint64_t key;
    uint64_t second, of_all;     /* failures of all within this second */
    uint64_t free_at_ns[PLACES]; /* the bucket has all its tokens again */
};

struct failure_rate *failure_rate_new(void)
{
    struct failure_rate *rate = mem_zero(1, sizeof(*rate));

    pthread_mutex_init(&rate->lock, NULL);
    if (getentropy(&rate->key, sizeof(rate->key)) != 0)
        rate->key = clock_monotonic_ns();
    return rate;
}

void failure_rate_free(struct failure_rate *rate)
{
    if (!rate)
        return;
    pthread_mutex_destroy(&rate->lock);
    free(rate);
}

static uint64_t hash_of(const struct failure_rate *rate, const uint8_t *address)
{
    uint8_t group[ADDRESS_SIZE];

    memcpy(group, address, sizeof(group));
    address_group(group);
    return hash_bytes(group, sizeof(group), rate->key);
}

static uint64_t of_all(const struct failure_rate *rate, uint64_t second)
{
    return rate->second == second ? rate->of_all : 0;
}

bool failure_rate_is_over(struct failure_rate *rate, const uint8_t *address,
                          uint64_t now_ns)
{
    const uint64_t each = NS_PER_S / FAILURES_PER_S;
    uint64_t free_at = 0;
    bool over;

    pthread_mutex_lock(&rate->lock);
    if (address)
        free_at = rate->free_at_ns[hash_of(rate, address) % PLACES];
    over = free_at > now_ns + (FAILURES_BURST - 1) * each ||
           of_all(rate, now_ns / NS_PER_S) >= FAILURES_OF_ALL;
    pthread_mutex_unlock(&rate->lock);
    return over;
}

bool failure_rate_take(struct failure_rate *rate, const uint8_t *address,
                       uint64_t now_ns)
{
    const uint64_t each = NS_PER_S / FAILURES_PER_S;
    uint64_t *free_at;
    bool taken;

    if (!address)
        return true;
    pthread_mutex_lock(&rate->lock);
    rate->of_all = of_all(rate, now_ns / NS_PER_S) + 1;
    rate->second = now_ns / NS_PER_S;
    free_at = &rate->free_at_ns[hash_of(rate, address) % PLACES];
    if (*free_at < now_ns)
        *free_at = now_ns;
    taken = *free_at - now_ns <= (FAILURES_BURST - 1) * each;
    if (taken)
        *free_at += each;
    pthread_mutex_unlock(&rate->lock);
    return taken;
}
