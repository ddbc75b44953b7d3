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

/* Adds it and saves; or the table is as before. The caller holds `change`. */
static enum status add(struct tokens *tokens, struct token *token,
                       char error[TOKENS_ERROR])
{
    uint32_t at;

    if (tokens->saved.count + tokens->file.count >= TOKENS_MAX) {
        token_free(token);
        return fail(error, ERR_FULL,
                    "there are 10000 tokens already; revoke some");
    }
    pthread_rwlock_wrlock(&tokens->lock);
    at = tokens->saved.count;
    token_list_add(&tokens->saved, token);
    pthread_rwlock_unlock(&tokens->lock);
    if (tokens_store(tokens) == OK)
        return OK;
    pthread_rwlock_wrlock(&tokens->lock);
    token_list_remove(&tokens->saved, at);
    pthread_rwlock_unlock(&tokens->lock);
    return fail(error, ERR_IO, "the token cannot be saved");
}

/* The object gets a secret and becomes a token. It is the callee's. */
static enum status make(struct tokens *tokens, const struct subject *by,
                        json_t *object, uint64_t now_ns, json_t **reply,
                        char error[TOKENS_ERROR])
{
    char text[TOKEN_SIZE + 1];
    enum status status = give_secret(object, by, now_ns, text);
    struct token *token = status == OK ? token_new(object, error) : NULL;

    json_decref(object);
    if (!token)
        return status == OK
                   ? ERR_INVALID
                   : fail(error, status, "the system gives no random bytes");
    if (!may_give(by, token->subject)) {
        token_free(token);
        return fail(error, ERR_FORBIDDEN,
                    "the token would have more rights than the credential that "
                    "makes it");
    }
    *reply = token_json(token, true);
    status = add(tokens, token, error);
    if (status == OK) {
        json_object_set_new(*reply, "token", json_string(text));
    } else {
        json_decref(*reply);
        *reply = NULL;
    }
    explicit_bzero(text, sizeof(text));
    return status;
}

enum status tokens_create(struct tokens *tokens, const struct subject *by,
                          const json_t *wanted, json_t **reply,
                          char error[TOKENS_ERROR])
{
    static const char *const ours[] = {"id", "sha256", "created", "createdBy",
                                       "lastUsed"};
    uint64_t now = clock_wall_ns();
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
    status = make(tokens, by, object, now, reply, error);
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

/* Another token in its place. The caller holds `change`. */
static void replace(struct tokens *tokens, uint32_t at, struct token *token)
{
    pthread_rwlock_wrlock(&tokens->lock);
    token_list_remove(&tokens->saved, at);
    token_list_add(&tokens->saved, token);
    pthread_rwlock_unlock(&tokens->lock);
}

/* The same token with an end, saved. */
static enum status end_at(struct tokens *tokens, uint32_t at, uint64_t end_ns,
                          char error[TOKENS_ERROR])
{
    json_t *object = token_json(tokens->saved.at[at], false);
    json_t *before = json_deep_copy(object);
    struct token *token;
    enum status status = OK;

    set_time(object, "expires", end_ns);
    token = token_new(object, error);
    if (token)
        replace(tokens, at, token);
    if (token && tokens_store(tokens) != OK) {
        token = token_new(before, error);
        if (token)
            replace(tokens, tokens->saved.count - 1, token);
        status = fail(error, ERR_IO, "when the old token ends cannot be saved");
    }
    json_decref(object);
    json_decref(before);
    return token ? status : ERR_INTERNAL;
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
    if (status == OK) {
        const struct subject *old = tokens->saved.at[at]->subject;
        bool sooner = old->expires_ns && old->expires_ns < now + overlap_ns;
        json_t *object = token_json(tokens->saved.at[at], false);

        json_object_del(object, "lastUsed");
        status = make(tokens, by, object, now, reply, error);
        if (status == OK && !sooner)
            status = end_at(tokens, at, now + overlap_ns, error);
    }
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
