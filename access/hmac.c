#include "hmac.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

bool hmac_sha256(struct slice key, const struct slice *pieces, size_t count,
                 uint8_t mac[HMAC_SIZE])
{
    gnutls_hmac_hd_t hmac;
    bool good = true;

    if (gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA256, key.ptr, key.len) != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len > 0)
            good &= gnutls_hmac(hmac, pieces[i].ptr, pieces[i].len) == 0;
    gnutls_hmac_deinit(hmac, mac);
    return good;
}

bool hmac_equal(const uint8_t a[HMAC_SIZE], const uint8_t b[HMAC_SIZE])
{
    return gnutls_memcmp(a, b, HMAC_SIZE) == 0;
}
