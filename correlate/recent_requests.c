#include "recent_requests.h"

#include <stdlib.h>

#include "array.h"

struct recent_request {
    struct request_hash hash; /* keyed: nobody can choose it */
    uint64_t lsn;
};

void recent_requests_release(struct recent_requests *requests)
{
    free(requests->at);
    map_release(&requests->index);
}

void recent_requests_add(struct recent_requests *requests,
                         struct request_hash hash, uint64_t lsn)
{
    uint32_t place = (uint32_t)(requests->count % RECENT_REQUESTS_MAX);

    if (requests->count >= RECENT_REQUESTS_MAX)
        map_remove(&requests->index, map_hash(requests->at[place].hash.a),
                   place);
    else
        (void)array_append(&requests->at, place, &requests->room);
    requests->at[place] = (struct recent_request){hash, lsn};
    (void)map_add(&requests->index, map_hash(hash.a), place);
    requests->count++;
}

bool recent_requests_has(const struct recent_requests *requests,
                         struct request_hash hash, uint64_t before)
{
    map_each(&requests->index, map_hash(hash.a), place) {
        const struct recent_request *request = &requests->at[place];

        if (request->hash.a == hash.a && request->hash.b == hash.b &&
            request->lsn < before)
            return true;
    }
    return false;
}
