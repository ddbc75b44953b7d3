/*
 * grpc_text - the texts in the head and the trailers of a request.
 *
 * Threads  pure.
 */
#ifndef GRPC_TEXT_H
#define GRPC_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

/* What a content-type means. */
enum grpc_type {
    GRPC_TYPE_PROTO, /* application/grpc, application/grpc+proto */
    GRPC_TYPE_CODEC, /* application/grpc+json and the like */
    GRPC_TYPE_OTHER
};

enum grpc_type grpc_type_of(struct slice content_type);

/* grpc-timeout: at most eight digits and one of H M S m u n. False: not that;
 * *ns is saturated. */
bool grpc_parse_timeout(struct slice text, uint64_t *ns);

/* Percent-encodes what is not printable ASCII, and "%"; not more than room
 * bytes, no character of UTF-8 is split. Returns the length. */
size_t grpc_percent_encode(char *out, size_t room, struct slice text);

/* Base64 without padding; out has room for (len + 2) / 3 * 4 bytes. */
size_t grpc_base64(char *out, struct slice bytes);

/* The length of a message by the four bytes of its prefix. */
static inline uint32_t grpc_load_length(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

#endif
