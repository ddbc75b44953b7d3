/* Certificate, key and trusted authorities, from PEM files; see tls.h. */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "tls_int.h"

enum { PEM_MAX = 256 * 1024, KEY_MAX = 64 * 1024, KEY_ID = 64 };

static gnutls_datum_t datum_of(const struct secret *text)
{
    return (gnutls_datum_t){(unsigned char *)text->ptr, (unsigned)text->len};
}

/* ---- the pair ---- */

static bool is_pair(gnutls_x509_crt_t cert, gnutls_privkey_t key)
{
    unsigned char of_cert[KEY_ID], of_key[KEY_ID];
    size_t cert_len = sizeof(of_cert), key_len = sizeof(of_key);
    gnutls_pubkey_t public;
    bool same;

    if (gnutls_pubkey_init(&public) < 0)
        return false;
    same = gnutls_pubkey_import_privkey(public, key, 0, 0) == 0 &&
           gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key,
                                    &key_len) == 0 &&
           gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA256, of_cert,
                                      &cert_len) == 0 &&
           cert_len == key_len && memcmp(of_cert, of_key, key_len) == 0;
    gnutls_pubkey_deinit(public);
    return same;
}

static void note_times(struct tls_pair *pair, const gnutls_x509_crt_t *certs,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int64_t begins = gnutls_x509_crt_get_activation_time(certs[i]);
        int64_t expires = gnutls_x509_crt_get_expiration_time(certs[i]);

        if (i == 0 || begins > pair->begins_s)
            pair->begins_s = begins;
        if (i == 0 || expires < pair->expires_s)
            pair->expires_s = expires;
    }
}

/* NULL, or what is wrong. */
static const char *add_certs(struct tls_pair *pair,
                             const gnutls_x509_crt_t *certs, unsigned count)
{
    if (count == 0 || count > TLS_CHAIN_MAX)
        return "the certificate file must have 1 to 16 certificates";
    if (!is_pair(certs[0], pair->key))
        return "certificate and key do not belong together";
    note_times(pair, certs, count);
    for (unsigned i = 0; i < count; i++) {
        if (gnutls_pcert_import_x509(&pair->certs[i], certs[i], 0) < 0)
            return "the certificate cannot be used";
        pair->count++;
    }
    return NULL;
}

static const char *read_certs(struct tls_pair *pair, const char *path)
{
    gnutls_x509_crt_t *certs = NULL;
    struct secret text;
    const char *why = NULL;
    unsigned count = 0;

    if (public_file_read(path, PEM_MAX, &text, &why) != OK)
        return why;
    gnutls_datum_t pem = datum_of(&text);
    if (gnutls_x509_crt_list_import2(&certs, &count, &pem, GNUTLS_X509_FMT_PEM,
                                     GNUTLS_X509_CRT_LIST_SORT) < 0)
        why = "the certificate file is not PEM with a chain of certificates";
    else
        why = add_certs(pair, certs, count);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(certs[i]);
    gnutls_free(certs);
    secret_release(&text);
    return why;
}

static const char *read_key(struct tls_pair *pair, const char *path)
{
    struct secret text;
    const char *why = NULL;
    int result;

    if (secret_file_read(path, KEY_MAX, &text, &why) != OK)
        return why;
    gnutls_datum_t pem = datum_of(&text);
    result = gnutls_privkey_import_x509_raw(pair->key, &pem,
                                            GNUTLS_X509_FMT_PEM, NULL, 0);
    secret_release(&text);
    if (result == GNUTLS_E_DECRYPTION_FAILED)
        return "the key is encrypted; store it without a passphrase, in a file "
               "of mode 0600";
    return result < 0 ? "the key file is not PEM with a private key" : NULL;
}

struct tls_pair *tls_pair_read(const struct tls_options *options,
                               const char **why)
{
    struct tls_pair *pair = mem_zero(1, sizeof(*pair));

    *why = gnutls_privkey_init(&pair->key) < 0 ? "out of memory" : NULL;
    if (!*why)
        *why = read_key(pair, options->key);
    if (!*why)
        *why = read_certs(pair, options->cert);
    if (!*why)
        return pair;
    tls_pair_free(pair);
    return NULL;
}

void tls_pair_free(struct tls_pair *pair)
{
    if (!pair)
        return;
    for (unsigned i = 0; i < pair->count; i++)
        gnutls_pcert_deinit(&pair->certs[i]);
    gnutls_privkey_deinit(pair->key);
    free(pair);
}

/* ---- authorities of clients ---- */

struct tls_trust *tls_trust_read(const char *path, const char **why)
{
    struct tls_trust *trust = mem_zero(1, sizeof(*trust));
    struct secret text = {NULL, 0};
    bool has_crl;

    *why = NULL;
    if (public_file_read(path, PEM_MAX, &text, why) != OK) {
        free(trust);
        return NULL;
    }
    gnutls_datum_t pem = datum_of(&text);
    has_crl = strstr(text.ptr, "-----BEGIN X509 CRL-----") != NULL;
    trust->flags = GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM);
    if (gnutls_x509_trust_list_init(&trust->list, 0) < 0) {
        *why = "out of memory";
    } else if (gnutls_x509_trust_list_add_trust_mem(
                   trust->list, &pem, has_crl ? &pem : NULL,
                   GNUTLS_X509_FMT_PEM, 0, 0) < 1) {
        *why = "the file of client authorities is not PEM with certificates";
        gnutls_x509_trust_list_deinit(trust->list, 1);
    }
    secret_release(&text);
    if (!*why)
        return trust;
    free(trust);
    return NULL;
}

void tls_trust_free(struct tls_trust *trust)
{
    if (trust)
        gnutls_x509_trust_list_deinit(trust->list, 1);
    free(trust);
}
