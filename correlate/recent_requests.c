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

struct known_request {
    struct request_hash hash;
    uint64_t lsn;
    uint64_t older; /* number */
};

struct repeats {
    struct known_request *at;
    uint64_t *heads;
    uint64_t mask; /* of both: their size is a power of two, less one */
    uint64_t last; /* number given last */
};

static void make_room(struct repeats *repeats, uint64_t size)
{
    repeats->mask = size - 1;
    repeats->at = mem_zero(size, sizeof(*repeats->at));
    repeats->heads = mem_zero(size, sizeof(*repeats->heads));
}

struct repeats *repeats_new(void)
{
    struct repeats *repeats = mem_zero(1, sizeof(*repeats));

    make_room(repeats, FIRST_ROOM);
    return repeats;
}

void repeats_free(struct repeats *repeats)
{
    if (!repeats)
        return;
    free(repeats->at);
    free(repeats->heads);
    free(repeats);
}

/* True if the entry with this number is in the ring. */
static bool is_there(const struct repeats *repeats, uint64_t number)
{
    return number > 0 && number + repeats->mask >= repeats->last;
}

static void put(struct repeats *repeats, struct request_hash hash, uint64_t lsn)
{
    uint64_t number = ++repeats->last;
    uint64_t *head = &repeats->heads[hash.a & repeats->mask];

    repeats->at[number & repeats->mask] =
        (struct known_request){hash, lsn, *head};
    *head = number;
}

static void grow(struct repeats *repeats)
{
    struct repeats old = *repeats;

    make_room(repeats, 2 * (old.mask + 1));
    repeats->last = 0;
    for (uint64_t number = 1; number <= old.last; number++) {
        const struct known_request *e = &old.at[number & old.mask];

        put(repeats, e->hash, e->lsn);
    }
    free(old.at);
    free(old.heads);
}

void repeats_add(struct repeats *repeats, struct request_hash hash,
                 uint64_t lsn)
{
    if (repeats->last > repeats->mask && repeats->mask + 1 < REPEATS_MAX)
        grow(repeats);
    put(repeats, hash, lsn);
}

bool repeats_has(const struct repeats *repeats, struct request_hash hash,
                 uint64_t before)
{
    uint64_t number = repeats->heads[hash.a & repeats->mask];

    while (is_there(repeats, number)) {
        const struct known_request *e = &repeats->at[number & repeats->mask];

        if (e->hash.a == hash.a && e->hash.b == hash.b && e->lsn < before)
            return true;
        number = e->older;
    }
    return false;
}
