/*
 * address - addresses of peers: 16 bytes, an IPv6 address, or IPv4 as
 * ::ffff:a.b.c.d.
 *
 * Purpose:   one rule of what counts as one peer.
 * Ownership: none.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ADDRESS_SIZE = 16, ADDRESS_NETWORK = 8 };

static inline bool address_is_ipv4(const uint8_t *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(address, mapped, sizeof(mapped)) == 0;
}

/* A /64 of IPv6 counts as one peer, as its hosts can have any number of
 * addresses in it; ::1 and IPv4 stay as they are. */
static inline void address_group(uint8_t *address)
{
    static const uint8_t none[ADDRESS_NETWORK];

    if (memcmp(address, none, ADDRESS_NETWORK) != 0)
        memset(address + ADDRESS_NETWORK, 0, ADDRESS_SIZE - ADDRESS_NETWORK);
}

#endif
