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

void recent_requests_save(const struct recent_requests *requests, uint64_t most,
                          struct buf *out)
{
    uint64_t count = requests->count < RECENT_REQUESTS_MAX
                         ? requests->count
                         : RECENT_REQUESTS_MAX;
    uint64_t before = 0;

    if (count > most)
        count = most;
    buf_varint(out, count);
    for (uint64_t i = count; i > 0; i--) {
        const struct recent_request *request =
            &requests->at[(requests->count - i) % RECENT_REQUESTS_MAX];

        buf_fixed(out, request->hash.a, 8);
        buf_fixed(out, request->hash.b, 8);
        buf_varint(out, zigzag((int64_t)(request->lsn - before)));
        before = request->lsn;
    }
}

void recent_requests_load(struct recent_requests *requests,
                          struct byte_reader *in)
{
    uint64_t lsn = 0;

    for (uint64_t left = byte_reader_varint(in); left > 0; left--) {
        struct request_hash hash = {0, 0};

        hash.a = byte_reader_fixed(in, 8);
        hash.b = byte_reader_fixed(in, 8);
        lsn += (uint64_t)byte_reader_zigzag(in);
        if (in->bad)
            return;
        recent_requests_add(requests, hash, lsn);
    }
}
