/*
 * tls_int - the credentials of a port, for the files of tls.
 */
#ifndef TLS_INT_H
#define TLS_INT_H

#include <gnutls/x509.h>
#include <pthread.h>

#include "secret_file.h"
#include "tls.h"

enum { TLS_CHAIN_MAX = 16 };

/* What the files of a pair say. */
struct tls_pair {
    gnutls_pcert_st certs[TLS_CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
    int64_t begins_s, expires_s; /* the latest and the earliest of the chain */
};

struct tls_trust {
    gnutls_x509_trust_list_t list;
    unsigned flags; /* of verification */
};

/* A replaced one, until no handshake can use it. */
struct tls_retired {
    struct tls_retired *next;
    struct tls_pair *pair;
    struct tls_trust *trust;
    uint64_t since_ns;
};

struct tls {
    struct tls_options options;
    gnutls_certificate_credentials_t credentials;
    pthread_mutex_t lock; /* of the pointers and the problems */
    struct tls_pair *pair;
    struct tls_trust *trust; /* NULL: clients are not asked */
    uint32_t trust_generation;
    struct tls_retired *retired;
    /* Why the files are not used; NULL: they are. */
    const char *pair_problem, *trust_problem;
    struct file_stamp cert_stamp, key_stamp, trust_stamp; /* of tls_reload() */
};

/* ---- tls_files.c ---- */

/* NULL, or *why. */
struct tls_pair *tls_pair_read(const struct tls_options *options,
                               const char **why);
void tls_pair_free(struct tls_pair *pair);
struct tls_trust *tls_trust_read(const char *path, const char **why);
void tls_trust_free(struct tls_trust *trust);

#endif
