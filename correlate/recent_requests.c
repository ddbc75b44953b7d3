/*
 * A ring of entries, and chains through it by the hash:
 *
 *   at[number & mask]      the entry with this number; numbers grow from 1
 *   heads[hash & mask]     number of the newest entry with such a hash, each
 *                          naming the next older one; 0 or a number that has
 *                          left the ring: the end
 *
 * Chains are in order of age, so what leaves the ring is at the end of its
 * chain and needs no unlinking. The hash is keyed: nobody can make chains long.
 */
#include "recent_requests.h"

#include <stdlib.h>

#include "mem.h"

enum { FIRST_ROOM = 1024 };

struct recent_request {
    struct request_hash hash;
    uint64_t lsn;
    uint64_t older; /* number */
};

struct recent_requests {
    struct recent_request *at;
    uint64_t *heads;
    uint64_t mask; /* of both: their size is a power of two, less one */
    uint64_t last; /* number given last */
};

static void make_room(struct recent_requests *repeats, uint64_t size)
{
    repeats->mask = size - 1;
    repeats->at = mem_zero(size, sizeof(*repeats->at));
    repeats->heads = mem_zero(size, sizeof(*repeats->heads));
}

struct recent_requests *recent_requests_new(void)
{
    struct recent_requests *repeats = mem_zero(1, sizeof(*repeats));

    make_room(repeats, FIRST_ROOM);
    return repeats;
}

void recent_requests_free(struct recent_requests *repeats)
{
    if (!repeats)
        return;
    free(repeats->at);
    free(repeats->heads);
    free(repeats);
}

/* True if the entry with this number is in the ring. */
static bool is_there(const struct recent_requests *repeats, uint64_t number)
{
    return number > 0 && number + repeats->mask >= repeats->last;
}

static void put(struct recent_requests *repeats, struct request_hash hash,
                uint64_t lsn)
{
    uint64_t number = ++repeats->last;
    uint64_t *head = &repeats->heads[hash.a & repeats->mask];

    repeats->at[number & repeats->mask] =
        (struct recent_request){hash, lsn, *head};
    *head = number;
}

static void grow(struct recent_requests *repeats)
{
    struct recent_requests old = *repeats;

    make_room(repeats, 2 * (old.mask + 1));
    repeats->last = 0;
    for (uint64_t number = 1; number <= old.last; number++) {
        const struct recent_request *e = &old.at[number & old.mask];

        put(repeats, e->hash, e->lsn);
    }
    free(old.at);
    free(old.heads);
}

void recent_requests_add(struct recent_requests *repeats,
                         struct request_hash hash, uint64_t lsn)
{
    if (repeats->last > repeats->mask &&
        repeats->mask + 1 < RECENT_REQUESTS_MAX)
        grow(repeats);
    put(repeats, hash, lsn);
}

bool recent_requests_has(const struct recent_requests *repeats,
                         struct request_hash hash, uint64_t before)
{
    uint64_t number = repeats->heads[hash.a & repeats->mask];

    while (is_there(repeats, number)) {
        const struct recent_request *e = &repeats->at[number & repeats->mask];

        if (e->hash.a == hash.a && e->hash.b == hash.b && e->lsn < before)
            return true;
        number = e->older;
    }
    return false;
}
