/*
 * tokens - API tokens: made by the API and kept in the database, or listed with
 * their SHA-256 in the file of --tokens.
 *
 * Both are objects with the same members, in the file as YAML:
 *
 *   tokens:
 *     - {name: ci, sha256: 9f86d081..., role: ingest, namespace: acme}
 *     - name: ops
 *       sha256: 5e884898...
 *       grants: [{role: viewer, namespace: acme, project: shop},
 *                {roles: [operator], namespace: "*"}]
 *       expires: 2027-01-31T00:00:00Z
 *
 * `callboard token hash` prints the line of a token. A subject that administers
 * the tokens of a namespace lists and creates those of this namespace only,
 * with no more rights than it has.
 *
 * Purpose:   the table of tokens, its look-up, and what changes it.
 * Ownership: copies all it is given; replies are the caller's.
 * Threads:   any, after the table was loaded. A change returns when it is
 *            saved.
 * Errors:    a file that is broken keeps what was loaded, with a log line and a
 *            note; at the start it ends the program.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include <jansson.h>

#include "access.h"
#include "arena.h"
#include "buf.h"

enum {
    TOKENS_MAX = 10000,
    TOKENS_FILE_MAX = 8 << 20,
    TOKENS_ERROR = 256,
    TOKEN_NAME_MAX = 128,
    TOKEN_KEPT_DAYS = 30, /* after its end */
};

struct tokens;

/* Returns when the document, which holds all tokens of the database, is
 * committed. */
typedef enum status tokens_save(void *arg, struct slice document);

struct tokens *tokens_new(tokens_save *save, void *arg);
void tokens_free(struct tokens *tokens); /* NULL is fine */

/* What was saved last; empty: nothing was. */
MUST_CHECK enum status tokens_load(struct tokens *tokens,
                                   struct slice document);
/* The tokens of the database anew, since another instance has saved: `load` has
 * the document in the arena. Nobody changes tokens meanwhile. If it fails all
 * is as before. */
MUST_CHECK enum status tokens_reload(struct tokens *tokens,
                                     enum status (*load)(void *arg,
                                                         struct arena *arena,
                                                         struct slice *out),
                                     void *arg);
/* Reads the file if it has changed. False: it cannot be read or is broken. */
bool tokens_read_file(struct tokens *tokens, const char *path);
/* What is wrong with the file now; false: nothing. */
bool tokens_note(struct tokens *tokens, struct buf *out);
/* Saves when the tokens were used last, now and then; `all`: at once. */
void tokens_save_use(struct tokens *tokens, uint64_t now_ns, bool all);

enum token_found { TOKEN_FOUND, TOKEN_EXPIRED, TOKEN_UNKNOWN };

/* *subject is the caller's if it was found. */
enum token_found tokens_find(struct tokens *tokens, struct slice text,
                             uint64_t now_ns, struct subject **subject);

/* ---- what the API does; `by` asks. ERR_INVALID, ERR_FORBIDDEN, ERR_NOT_FOUND,
 *      ERR_FULL, ERR_IO: error says more. ---- */

/* wanted: name, grants, expires (a time, or a duration from now), stamp. The
 * reply has the members of the list, and `token`, which is shown only here. */
MUST_CHECK enum status tokens_create(struct tokens *tokens,
                                     const struct subject *by,
                                     const json_t *wanted, json_t **reply,
                                     char error[TOKENS_ERROR]);
/* A new secret for the same grants and with the same end; the old token ends
 * after overlap_ns, and is not rotated again. */
MUST_CHECK enum status tokens_rotate(struct tokens *tokens,
                                     const struct subject *by, struct slice id,
                                     uint64_t overlap_ns, json_t **reply,
                                     char error[TOKENS_ERROR]);
MUST_CHECK enum status tokens_revoke(struct tokens *tokens,
                                     const struct subject *by, struct slice id,
                                     char error[TOKENS_ERROR]);
/* Those that `by` may administer, without their hashes. */
json_t *tokens_list(struct tokens *tokens, const struct subject *by);

enum { TOKENS_HEX = 65 };

/* The SHA-256 of a token in hexadecimal digits, and a NUL; false: it is not an
 * API token, or not a whole one. */
bool tokens_hash(struct slice text, char hex[TOKENS_HEX]);

/* The grants of a subject, as the list shows them. */
json_t *tokens_grants_json(struct grants grants);

#endif
