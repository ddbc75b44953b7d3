/*
 * jwt_int - struct jwt, for the files that make it.
 */
#ifndef JWT_INT_H
#define JWT_INT_H

#include <pthread.h>

#include "authz.h"
#include "digest_cache.h"
#include "jwt.h"
#include "jwt_keys.h"
#include "reread_file.h"

enum { MAX_ISSUERS = 16 };

struct jwt {
    struct jwt_options options;
    char *lists; /* the texts of trusts and keys */
    uint32_t count;
    struct jwt_trust trusts[MAX_ISSUERS]; /* without their keys */
    struct jwt_keys *keys[MAX_ISSUERS];
    struct transfers *transfers;
    struct authz *authz; /* NULL: the rules alone decide */

    pthread_mutex_t lock;
    struct digest_cache *cache; /* of struct subject */
    size_t cached_bytes;
    uint64_t generation;       /* of keys and rules */
    struct grant_rules *rules; /* NULL: none */
    struct reread_file grants; /* their file */
};

#endif
