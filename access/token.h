/*
 * token - the text of an API token:
 *
 *   cbt_ID_SECRETCHECK    ID: 8 characters of base32, SECRET: 43 of base64url
 *                         (256 random bits), CHECK: 4 of base64url, the first
 *                         24 bits of the SHA-256 of all before it
 *
 * The prefix and the check characters are for scanners that look for secrets
 * in source code, and for a token that was not copied whole. Of a token that
 * was given out only its SHA-256 is kept: with 256 random bits no slow hash is
 * needed.
 */
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"
#include "status.h"

enum { TOKEN_ID = 8, TOKEN_SIZE = 60, TOKEN_HASH = 32 };

/* A new one, and a NUL. ERR_IO: the system has no random bytes. */
MUST_CHECK enum status token_make(char text[TOKEN_SIZE + 1]);
/* It has the form, and the check characters are right. */
bool token_is_whole(struct slice text);
bool token_has_prefix(struct slice text);
/* Of a whole token. */
struct slice token_id(struct slice text);
void token_hash(struct slice text, uint8_t hash[TOKEN_HASH]);

/* The password of `user:password` in base64, with or without padding; false:
 * it is no such text, or longer than *len. */
bool token_of_basic(struct slice text, char *password, size_t *len);

#endif
