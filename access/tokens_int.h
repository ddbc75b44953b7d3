/*
 * tokens_int - the table of tokens, for its files:
 *
 *   tokens.c        the table: look-up, file, saving
 *   tokens_json.c   a token as a JSON object
 *   tokens_admin.c  create, rotate, revoke, list
 */
#ifndef TOKENS_INT_H
#define TOKENS_INT_H

#include <pthread.h>

#include "map.h"
#include "reread_file.h"
#include "token.h"
#include "tokens.h"

struct token {
    json_t *json; /* all that is known of it, but when it was used */
    struct subject *subject;
    uint8_t hash[TOKEN_HASH];
    atomic_uint_least64_t used_ns; /* by the minute; 0: never */
};

struct token_list {
    struct token **at;
    uint32_t count, room;
    struct map by_hash;
};

struct tokens {
    tokens_save *save;
    void *arg;
    pthread_mutex_t change; /* held by who changes the table, until saved */
    pthread_rwlock_t lock;  /* of what follows */
    struct token_list saved, file;
    struct reread_file reread; /* `file` */
    atomic_bool used;          /* since it was saved */
    uint64_t use_saved_ns;
};

/* ---- tokens_json.c ---- */

/* From an object with `sha256`; the id is that of the object, or the first
 * digits of the hash. NULL: error says why. */
struct token *token_new(const json_t *object, char error[TOKENS_ERROR]);
void token_free(struct token *token);
/* As it is saved; for a list, without the hash. */
json_t *token_json(const struct token *token, bool for_list);

/* ---- tokens.c ---- */

void token_list_add(struct token_list *list, struct token *token);
void token_list_remove(struct token_list *list, uint32_t at);
/* One with the same hash in the place of another, which is the caller's. */
struct token *token_list_swap(struct token_list *list, uint32_t at,
                              struct token *token);
void token_list_release(struct token_list *list);
/* Saves all tokens of the database. The caller holds `change`. */
MUST_CHECK enum status tokens_store(struct tokens *tokens);

#endif
