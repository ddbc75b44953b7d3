#include "kafka_signature.h"

#include <string.h>

#include "hmac.h"

enum { VERSION = 1, HAS_ID = 1, HAS_WRITER = 2, HEAD = 19 };

static bool derive(struct slice secret, const char *purpose,
                   uint8_t key[HMAC_SIZE])
{
    const struct slice pieces[] = {slice_of(purpose)};

    return hmac_sha256(secret, pieces, 1, key);
}

bool kafka_key_make(struct kafka_key *key, struct slice secret)
{
    uint8_t derived[HMAC_SIZE];
    bool good = derive(secret, "callboard kafka message", derived);

    request_key_make(&key->hash, derived);
    good = derive(secret, "callboard kafka signature", derived) && good;
    memcpy(key->bytes, derived, sizeof(key->bytes));
    explicit_bzero(derived, sizeof(derived));
    return good;
}

static void hash_bytes_of(struct request_hash hash, char bytes[16])
{
    store_le(bytes, hash.a, 8);
    store_le(bytes + 8, hash.b, 8);
}

static bool mac_of(const struct kafka_key *key, struct slice head,
                   struct slice message, uint8_t mac[HMAC_SIZE])
{
    char hash[16];
    const struct slice pieces[] = {head, {hash, sizeof(hash)}};

    hash_bytes_of(
        request_hash_of(&key->hash, 0, (struct slice){NULL, 0}, message), hash);
    return hmac_sha256(kafka_key_bytes(key), pieces, 2, mac);
}

bool kafka_sign(const struct kafka_key *key,
                const struct kafka_signature *signature, struct slice message,
                struct buf *header)
{
    size_t begin = header->len;
    uint8_t mac[HMAC_SIZE];
    struct slice head;

    buf_byte(header, VERSION);
    buf_byte(header, (char)signature->signal);
    buf_byte(header, (char)((request_hash_none(signature->id) ? 0 : HAS_ID) |
                            (signature->writer ? HAS_WRITER : 0)));
    buf_fixed(header, signature->id.a, 8);
    buf_fixed(header, signature->id.b, 8);
    buf_add(header, writer_bytes(signature->writer));
    if (header->status != OK)
        return false;
    head = slice_from(buf_slice(header), begin);
    if (!mac_of(key, head, message, mac))
        return false;
    buf_add(header, (struct slice){(const char *)mac, sizeof(mac)});
    return header->status == OK;
}

static bool read_head(struct slice head, enum signal signal,
                      struct kafka_signature *signature)
{
    struct slice writer = slice_from(head, HEAD);
    uint8_t flags = (uint8_t)head.ptr[2];

    *signature = (struct kafka_signature){
        .signal = signal,
        .id = {load_le(head.ptr + 3, 8), load_le(head.ptr + 11, 8)}};
    if (head.ptr[0] != VERSION || (uint8_t)head.ptr[1] != signal)
        return false;
    if (!(flags & HAS_ID))
        signature->id = (struct request_hash){0, 0};
    if (!(flags & HAS_WRITER))
        return writer.len == 0;
    signature->writer = writer_decode(writer);
    return signature->writer;
}

bool kafka_signature_read(const struct kafka_key *key, enum signal signal,
                          struct slice header, struct slice message,
                          struct kafka_signature *signature)
{
    struct slice head = header;
    uint8_t mac[HMAC_SIZE];

    if (header.len < HEAD + HMAC_SIZE || header.len > KAFKA_SIGNATURE_MAX)
        return false;
    head.len -= HMAC_SIZE;
    return mac_of(key, head, message, mac) &&
           hmac_equal(mac, (const uint8_t *)head.ptr + head.len) &&
           read_head(head, signal, signature);
}

struct request_hash kafka_message_id(const struct kafka_key *key,
                                     struct request_hash hash)
{
    char bytes[16];
    const struct slice pieces[] = {SLICE("id"), {bytes, sizeof(bytes)}};
    uint8_t mac[HMAC_SIZE];
    struct request_hash id = {0, 0};

    if (request_hash_none(hash))
        return id;
    hash_bytes_of(hash, bytes);
    if (hmac_sha256(kafka_key_bytes(key), pieces, 2, mac)) {
        id.a = load_le((const char *)mac, 8);
        id.b = load_le((const char *)mac + 8, 8) | 1; /* never none */
    }
    return id;
}
