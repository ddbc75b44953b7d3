/*
 * jwt_keys - where the keys of an issuer come from, and how old they are.
 *
 * An http(s) URL is fetched at start, then every hour or by max-age (5 min to
 * 24 h); at once for an unknown kid, but not more often than every 10 s. A file
 * is looked at every second. What cannot be used keeps the keys that are there.
 *
 * Any thread; jwt_keys_tick() is that of the transfers (transfers.h).
 */
#ifndef JWT_KEYS_H
#define JWT_KEYS_H

#include "jwk_set.h"
#include "transfers.h"

struct jwt_keys;

/* url: http, https or file; ca_file: NULL or that of --jwks-ca. Both outlive
 * it. changed: called when there are other keys than before. */
struct jwt_keys *jwt_keys_new(const char *url, const char *ca_file,
                              void (*changed)(void *arg), void *arg);
void jwt_keys_free(struct jwt_keys *keys); /* after transfers_stop() */

void jwt_keys_tick(struct jwt_keys *keys, struct transfers *transfers);

/* The caller's; NULL: there are none yet. */
struct jwk_set *jwt_keys_get(struct jwt_keys *keys);

/* For a token whose key is not in the set, or without a set. True: keys are
 * being fetched, it should wait for them. False: they were fetched a moment
 * ago, or too many wait. */
bool jwt_keys_wanted(struct jwt_keys *keys, struct transfers *transfers,
                     uint64_t token_hash);

bool jwt_keys_is_file(const struct jwt_keys *keys);

/* What is wrong with them now; false: nothing. */
bool jwt_keys_note(struct jwt_keys *keys, struct buf *out);

/* Seconds since they were fetched; UINT64_MAX: never. */
uint64_t jwt_keys_age_s(struct jwt_keys *keys);

#endif
