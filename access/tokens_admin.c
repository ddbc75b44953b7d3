/*
 * Who administers tokens: makes, rotates, revokes and lists them. In: a subject
 * and what it wants. Out: a change of the table that is saved, or neither.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "json_slice.h"
#include "log.h"
#include "tokens_int.h"

static enum status fail(char error[TOKENS_ERROR], enum status status,
                        const char *why)
{
    (void)snprintf(error, TOKENS_ERROR, "%s", why);
    return status;
}

/* What a grant covers, as a scope: "*" leaves a name open. */
static union scope_names scope_of(const struct grant *grant)
{
    union scope_names scope = grant->scope;

    for (int i = 0; i < IDENTITY_NAMES; i++)
        if (slice_equal(scope.name[i], SLICE("*")))
            scope.name[i] = SLICE("");
    return scope;
}

static bool administers(const struct subject *by, const struct subject *of)
{
    for (uint32_t i = 0; i < of->grants.count; i++) {
        union scope_names scope = scope_of(&of->grants.at[i]);

        if (!grants_cover(by->grants, ACTION_ACCESS_ADMIN, &scope))
            return false;
    }
    return true;
}

/* Nobody gives what he has not. */
static bool may_give(const struct subject *by, const struct subject *of)
{
    for (uint32_t i = 0; i < of->grants.count; i++) {
        union scope_names scope = scope_of(&of->grants.at[i]);

        for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
            if (of->grants.at[i].actions & ACTION_BIT(a) &&
                !grants_cover(by->grants, (enum action)a, &scope))
                return false;
    }
    return administers(by, of);
}

static void set_text(json_t *object, const char *name, struct slice text)
{
    json_object_set_new(object, name, json_stringn(text.ptr, text.len));
}

static void set_time(json_t *object, const char *name, uint64_t ns)
{
    char text[CLOCK_TEXT];

    set_text(object, name,
             (struct slice){text, clock_format_rfc3339(text, ns)});
}

/* "90d" becomes a time. */
static bool set_expiry(json_t *object, uint64_t now_ns)
{
    const json_t *value = json_object_get(object, "expires");
    struct slice text = json_slice(value);
    uint64_t ns;

    if (!value || json_is_null(value)) {
        json_object_del(object, "expires");
        return true;
    }
    if (!json_is_string(value)) /* not "never" */
        return false;
    if (clock_parse_duration_days(text, &ns)) {
        if (ns == 0 || ns > UINT64_MAX / 2 - now_ns)
            return false;
        set_time(object, "expires", now_ns + ns);
        return true;
    }
    return clock_parse_rfc3339(text, &ns) && ns > now_ns;
}

/* Removes what ended long ago. */
static void prune(struct tokens *tokens, uint64_t now_ns)
{
    for (uint32_t i = tokens->saved.count; i-- > 0;) {
        uint64_t end = tokens->saved.at[i]->subject->expires_ns;

        if (end && end + TOKEN_KEPT_DAYS * NS_PER_DAY < now_ns)
            token_list_remove(&tokens->saved, i);
    }
}

bool tokens_hash(struct slice text, char hex[TOKENS_HEX])
{
    uint8_t hash[TOKEN_HASH];

    hex[0] = '\0';
    if (!token_is_whole(text))
        return false;
    token_hash(text, hash);
    for (int i = 0; i < TOKEN_HASH; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    return true;
}

/* Gives the object an id, a hash and a maker; text gets the token. */
static enum status give_secret(json_t *object, const struct subject *by,
                               uint64_t now_ns, char text[TOKEN_SIZE + 1])
{
    char hex[TOKENS_HEX];
    enum status status = token_make(text);

    if (status != OK)
        return status;
    (void)tokens_hash(slice_of(text), hex);
    set_text(object, "id", token_id(slice_of(text)));
    set_text(object, "sha256", slice_of(hex));
    set_time(object, "created", now_ns / NS_PER_S * NS_PER_S);
    set_text(object, "createdBy", by->name);
    return OK;
}

/* The object gets a secret and becomes a token. It is the callee's. */
static enum status make(const struct subject *by, json_t *object,
                        uint64_t now_ns, char text[TOKEN_SIZE + 1],
                        struct token **token, char error[TOKENS_ERROR])
{
    enum status status = give_secret(object, by, now_ns, text);

    *token = status == OK ? token_new(object, error) : NULL;
    json_decref(object);
    if (!*token)
        return status == OK
                   ? ERR_INVALID
                   : fail(error, status, "the system gives no random bytes");
    if (may_give(by, (*token)->subject))
        return OK;
    token_free(*token);
    return fail(error, ERR_FORBIDDEN,
                "the token would have more rights than the credential that "
                "makes it");
}

/* Adds it, puts `ended` (NULL: nothing) where `at` was, the same token, and
 * saves; or the table is as before. The caller holds `change`. */
static enum status add(struct tokens *tokens, struct token *token, uint32_t at,
                       struct token *ended, char error[TOKENS_ERROR])
{
    bool full = tokens->saved.count + tokens->file.count >= TOKENS_MAX;
    struct token *replaced = NULL;

    if (full) {
        token_free(token);
        token_free(ended);
        return fail(error, ERR_FULL,
                    "there are 10000 tokens already; revoke some");
    }
    pthread_rwlock_wrlock(&tokens->lock);
    token_list_add(&tokens->saved, token);
    if (ended)
        replaced = token_list_swap(&tokens->saved, at, ended);
    pthread_rwlock_unlock(&tokens->lock);
    if (tokens_store(tokens) == OK) {
        token_free(replaced);
        return OK;
    }
    pthread_rwlock_wrlock(&tokens->lock);
    token_list_remove(&tokens->saved, tokens->saved.count - 1);
    if (ended)
        token_free(token_list_swap(&tokens->saved, at, replaced));
    pthread_rwlock_unlock(&tokens->lock);
    return fail(error, ERR_IO, "the token cannot be saved");
}

/* As add(); the text goes into the reply, and is erased. */
static enum status give_out(struct tokens *tokens, struct token *token,
                            uint32_t at, struct token *ended,
                            char text[TOKEN_SIZE + 1], json_t **reply,
                            char error[TOKENS_ERROR])
{
    json_t *json = token_json(token, true);
    enum status status = add(tokens, token, at, ended, error);

    json_object_set_new(json, "token", json_string(text));
    explicit_bzero(text, TOKEN_SIZE + 1);
    if (status == OK)
        *reply = json;
    else
        json_decref(json);
    return status;
}

enum status tokens_create(struct tokens *tokens, const struct subject *by,
                          const json_t *wanted, json_t **reply,
                          char error[TOKENS_ERROR])
{
    static const char *const ours[] = {"id",        "sha256",   "created",
                                       "createdBy", "lastUsed", "replacedBy"};
    uint64_t now = clock_wall_ns();
    char text[TOKEN_SIZE + 1];
    struct token *token;
    json_t *object;
    enum status status;

    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
        if (json_object_get(wanted, ours[i])) {
            (void)snprintf(error, TOKENS_ERROR, "unknown member %s", ours[i]);
            return ERR_INVALID;
        }
    object = json_deep_copy(wanted);
    if (!set_expiry(object, now)) {
        json_decref(object);
        return fail(error, ERR_INVALID,
                    "expires must be a duration such as 90d, or a time that "
                    "is to come");
    }
    pthread_mutex_lock(&tokens->change);
    pthread_rwlock_wrlock(&tokens->lock);
    prune(tokens, now);
    pthread_rwlock_unlock(&tokens->lock);
    status = make(by, object, now, text, &token, error);
    if (status == OK)
        status = give_out(tokens, token, 0, NULL, text, reply, error);
    pthread_mutex_unlock(&tokens->change);
    return status;
}

/* The place of a token that `by` may change. The caller holds `change`. */
static enum status find(const struct tokens *tokens, const struct subject *by,
                        struct slice id, uint32_t *at, char error[TOKENS_ERROR])
{
    for (uint32_t i = 0; i < tokens->file.count; i++)
        if (slice_equal(tokens->file.at[i]->subject->id, id) &&
            administers(by, tokens->file.at[i]->subject))
            return fail(error, ERR_FORBIDDEN,
                        "the token is in the file of --tokens; remove it "
                        "there");
    for (uint32_t i = 0; i < tokens->saved.count; i++)
        if (slice_equal(tokens->saved.at[i]->subject->id, id) &&
            administers(by, tokens->saved.at[i]->subject)) {
            *at = i;
            return OK;
        }
    return fail(error, ERR_NOT_FOUND, "no such token");
}

/* A token that was replaced has a shortened end, and one that ended gives no
 * token that is of use: the new one has the end of the old one. */
static enum status may_rotate(const struct token *old, uint64_t now_ns,
                              char error[TOKENS_ERROR])
{
    uint64_t end = old->subject->expires_ns;
    struct slice next = json_slice_of(old->json, "replacedBy");

    if (next.len > 0) {
        (void)snprintf(error, TOKENS_ERROR,
                       "the token was replaced by %.*s already; rotate that "
                       "one, or create another",
                       (int)next.len, next.ptr);
        return ERR_INVALID;
    }
    return end == 0 || end > now_ns
               ? OK
               : fail(error, ERR_INVALID,
                      "the token has expired; create another");
}

/* The same token, which ends at end_ns at the latest. */
static struct token *ended_copy(const struct token *old, uint64_t end_ns,
                                struct slice replaced_by,
                                char error[TOKENS_ERROR])
{
    json_t *object = token_json(old, false);
    uint64_t end = old->subject->expires_ns;
    struct token *token;

    if (end == 0 || end > end_ns)
        set_time(object, "expires", end_ns);
    set_text(object, "replacedBy", replaced_by);
    token = token_new(object, error);
    json_decref(object);
    return token;
}

/* The token `at` is known to be one that `by` may change. */
static enum status rotate(struct tokens *tokens, const struct subject *by,
                          uint32_t at, uint64_t now_ns, uint64_t end_ns,
                          json_t **reply, char error[TOKENS_ERROR])
{
    const struct token *old = tokens->saved.at[at];
    enum status status = may_rotate(old, now_ns, error);
    struct token *token, *ended;
    char text[TOKEN_SIZE + 1];
    json_t *object;

    if (status != OK)
        return status;
    object = token_json(old, false);
    json_object_del(object, "lastUsed");
    status = make(by, object, now_ns, text, &token, error);
    if (status != OK)
        return status;
    ended = ended_copy(old, end_ns, token->subject->id, error);
    if (ended)
        return give_out(tokens, token, at, ended, text, reply, error);
    token_free(token);
    return ERR_INTERNAL;
}

enum status tokens_rotate(struct tokens *tokens, const struct subject *by,
                          struct slice id, uint64_t overlap_ns, json_t **reply,
                          char error[TOKENS_ERROR])
{
    uint64_t now = clock_wall_ns();
    uint32_t at = 0;
    enum status status;

    if (overlap_ns > UINT64_MAX / 2 - now)
        return fail(error, ERR_INVALID, "overlap is too long");
    pthread_mutex_lock(&tokens->change);
    status = find(tokens, by, id, &at, error);
    if (status == OK)
        status = rotate(tokens, by, at, now, now + overlap_ns, reply, error);
    pthread_mutex_unlock(&tokens->change);
    return status;
}

enum status tokens_revoke(struct tokens *tokens, const struct subject *by,
                          struct slice id, char error[TOKENS_ERROR])
{
    uint32_t at = 0;
    enum status status;

    pthread_mutex_lock(&tokens->change);
    status = find(tokens, by, id, &at, error);
    if (status == OK) {
        pthread_rwlock_wrlock(&tokens->lock);
        token_list_remove(&tokens->saved, at);
        pthread_rwlock_unlock(&tokens->lock);
        if (tokens_store(tokens) != OK) /* it stays revoked until a restart */
            status = fail(error, ERR_IO,
                          "the token is refused from now on, but that is not "
                          "saved: after a restart it would be accepted");
    }
    pthread_mutex_unlock(&tokens->change);
    return status;
}

static void list_some(const struct token_list *list, const struct subject *by,
                      const char *source, json_t *out)
{
    for (uint32_t i = 0; i < list->count; i++) {
        json_t *one;

        if (!administers(by, list->at[i]->subject))
            continue;
        one = token_json(list->at[i], true);
        json_object_set_new(one, "source", json_string(source));
        json_array_append_new(out, one);
    }
}

json_t *tokens_list(struct tokens *tokens, const struct subject *by)
{
    json_t *out = json_array();

    pthread_rwlock_rdlock(&tokens->lock);
    list_some(&tokens->saved, by, "database", out);
    list_some(&tokens->file, by, "file", out);
    pthread_rwlock_unlock(&tokens->lock);
    return out;
}
