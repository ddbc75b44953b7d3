/*
 * NH over blocks of a kilobyte, then SipHash-2-4-128 over the sums of the
 * blocks, as in VHASH and UMASH. NH adds a word of the key to each 64-bit word
 * and sums the products of pairs: two different blocks of one length have the
 * same sum with a probability of at most 2^-64 over all keys. It needs one
 * multiplication for 16 bytes; SipHash, which is slow, sees a 64th of them.
 *
 * The last block is padded with zeros. The length, which distinguishes such
 * blocks, the kind and the writer are part of SipHash's input.
 *
 * Hashes are on disk (store/stored_requests.c): the function must not change.
 */
#include "request_hash.h"

#include <string.h>

#include "batch.h"
#include "hash.h"

__extension__ typedef unsigned __int128 wide;

struct sip {
    uint64_t v0, v1, v2, v3;
    uint64_t bytes;
};

static inline uint64_t turn(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = turn(s->v1, 13) ^ s->v0;
    s->v0 = turn(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = turn(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = turn(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = turn(s->v1, 17) ^ s->v2;
    s->v2 = turn(s->v2, 32);
}

static struct sip sip_begin(const uint64_t key[2])
{
    return (struct sip){.v0 = key[0] ^ UINT64_C(0x736f6d6570736575),
                        .v1 = key[1] ^ UINT64_C(0x646f72616e646f6d) ^ 0xee,
                        .v2 = key[0] ^ UINT64_C(0x6c7967656e657261),
                        .v3 = key[1] ^ UINT64_C(0x7465646279746573)};
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
    s->bytes += 8;
}

static struct request_hash sip_end(struct sip *s)
{
    struct request_hash hash;

    sip_word(s, s->bytes << 56);
    s->v2 ^= 0xee;
    for (int i = 0; i < 4; i++)
        sip_round(s);
    hash.a = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
    s->v1 ^= 0xdd;
    for (int i = 0; i < 4; i++)
        sip_round(s);
    hash.b = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
    return hash;
}

void request_key_make(struct request_key *key,
                      const uint8_t secret[REQUEST_SECRET])
{
    uint64_t from[2];

    memcpy(from, secret, sizeof(from));
    for (size_t i = 0; i <= REQUEST_BLOCK / 8 / 2; i++) {
        struct sip sip = sip_begin(from);
        struct request_hash words;

        sip_word(&sip, i);
        words = sip_end(&sip);
        if (i == 0) {
            key->sip[0] = words.a;
            key->sip[1] = words.b;
        } else {
            key->block[2 * i - 2] = words.a;
            key->block[2 * i - 1] = words.b;
        }
    }
}

static inline wide pair(const uint64_t *key, const char *at)
{
    return (wide)(hash_read8(at) + key[0]) * (hash_read8(at + 8) + key[1]);
}

/* Two sums, so that their additions overlap in time. */
static void add_block(struct sip *sip, const struct request_key *key,
                      const char *at)
{
    wide even = 0, odd = 0;

    for (size_t i = 0; i < REQUEST_BLOCK / 8; i += 4) {
        even += pair(key->block + i, at + 8 * i);
        odd += pair(key->block + i + 2, at + 8 * i + 16);
    }
    even += odd;
    sip_word(sip, (uint64_t)even);
    sip_word(sip, (uint64_t)(even >> 64));
}

static void add_bytes(struct sip *sip, const struct request_key *key,
                      struct slice bytes)
{
    char last[REQUEST_BLOCK] = {0};

    sip_word(sip, bytes.len);
    for (; bytes.len >= REQUEST_BLOCK; bytes = slice_from(bytes, REQUEST_BLOCK))
        add_block(sip, key, bytes.ptr);
    if (bytes.len == 0)
        return;
    slice_copy(last, bytes);
    add_block(sip, key, last);
}

struct request_hash request_hash_of(const struct request_key *key,
                                    uint64_t kind, struct slice writer,
                                    struct slice body)
{
    struct sip sip = sip_begin(key->sip);
    struct request_hash hash;

    sip_word(&sip, kind);
    add_bytes(&sip, key, writer);
    add_bytes(&sip, key, body);
    hash = sip_end(&sip);
    hash.b |= request_hash_none(hash);
    return hash;
}

void request_hash_batch(const struct request_key *key, struct batch *batch)
{
    if (batch->count == 0 || batch_untimed(batch) > 0)
        return;
    batch->hash = request_hash_of(
        key, (uint64_t)batch->signal << 8 | (uint64_t)batch->encoding,
        writer_bytes(batch->writer),
        (struct slice){batch->body, batch->body_len});
}
