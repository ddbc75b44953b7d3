/*
 * From what came with a request to its subject. One function for each kind of
 * credential; this file picks it, and limits how often an address may be wrong.
 */
#include "access.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "failure_rate.h"
#include "jwt.h"
#include "mem.h"
#include "stats.h"
#include "token.h"
#include "tokens.h"

enum { MAX_AUTHORIZATION = 16 * 1024, MAX_PASSWORD = 512 };

struct access {
    bool required;
    struct tokens *tokens;
    struct jwt *jwt; /* NULL: no issuer and no grants file */
    struct failure_rate *failures;
};

enum status access_open(struct access **out,
                        const struct access_options *options)
{
    struct access *access = mem_zero(1, sizeof(*access));

    *out = access;
    access->required = options->required;
    access->tokens = options->tokens;
    access->failures = failure_rate_new();
    return jwt_open(&access->jwt, &options->jwt);
}

void access_close(struct access *access)
{
    if (!access)
        return;
    jwt_close(access->jwt);
    failure_rate_free(access->failures);
    free(access);
}

bool access_is_required(const struct access *access)
{
    return access && access->required;
}

bool access_takes_jwt(const struct access *access)
{
    return access && access->jwt && jwt_has_issuers(access->jwt);
}

bool access_takes_certificates(const struct access *access)
{
    return access && access->jwt && jwt_has_rules(access->jwt);
}

/* ---- what is wrong ---- */

static enum status missing(const char **why)
{
    stats_add(STATS_AUTH_MISSING, 1);
    *why = ACCESS_MISSING_TOKEN;
    return ERR_UNAUTHENTICATED;
}

static enum status throttled(const char **why)
{
    stats_add(STATS_AUTH_THROTTLED, 1);
    *why = "too many wrong credentials from this address; retry later";
    return ERR_LIMITED;
}

/* A wrong credential, counted by `outcome` unless there are too many. */
static enum status wrong(struct access *access, const uint8_t *address,
                         enum stats_id outcome, const char **why)
{
    if (failure_rate_take(access->failures, address, clock_monotonic_ns())) {
        stats_add(outcome, 1);
        *why = ACCESS_INVALID_TOKEN;
        return ERR_UNAUTHENTICATED;
    }
    return throttled(why);
}

/* ---- kinds of credentials ---- */

static enum status identify_token(struct access *access, struct slice token,
                                  const uint8_t *address,
                                  struct subject **subject, const char **why)
{
    switch (tokens_find(access->tokens, token, clock_wall_ns(), subject)) {
    case TOKEN_FOUND:
        stats_add(STATS_AUTH_TOKEN_OK, 1);
        return OK;
    case TOKEN_EXPIRED:
        return wrong(access, address, STATS_AUTH_TOKEN_EXPIRED, why);
    case TOKEN_UNKNOWN:
        break;
    }
    return wrong(access, address, STATS_AUTH_TOKEN_UNKNOWN, why);
}

/* The user is ignored, the password is an API token: some senders and data
 * sources can do nothing else. */
static enum status identify_basic(struct access *access, struct slice text,
                                  const uint8_t *address,
                                  struct subject **subject, const char **why)
{
    char password[MAX_PASSWORD];
    size_t len = sizeof(password);
    enum status status;

    if (!token_of_basic(text, password, &len))
        len = 0;
    status = identify_token(access, (struct slice){password, len}, address,
                            subject, why);
    explicit_bzero(password, sizeof(password));
    return status;
}

/* A certificate whose name has no grant is like none. */
static enum status identify_certificate(struct access *access,
                                        const struct credential *credential,
                                        struct subject **subject,
                                        const char **why)
{
    *subject = access->jwt && credential->certificate.len > 0
                   ? jwt_certificate(access->jwt, credential->certificate)
                   : NULL;
    if (!*subject)
        return missing(why);
    stats_add(STATS_AUTH_CERTIFICATE_OK, 1);
    return OK;
}

static const struct {
    enum stats_id counter;
    const char *why;
} jwt_outcomes[] = {
    [JWT_GOOD] = {STATS_AUTH_JWT_OK, NULL},
    [JWT_MALFORMED] = {STATS_AUTH_JWT_UNKNOWN, ACCESS_INVALID_TOKEN},
    [JWT_FOREIGN] = {STATS_AUTH_JWT_UNKNOWN, ACCESS_INVALID_TOKEN},
    [JWT_NO_KEYS] = {STATS_AUTH_JWT_UNKNOWN, ACCESS_JWKS_UNAVAILABLE},
    [JWT_UNKNOWN_KEY] = {STATS_AUTH_JWT_UNKNOWN, ACCESS_INVALID_TOKEN},
    [JWT_BAD_SIGNATURE] = {STATS_AUTH_JWT_SIGNATURE, ACCESS_INVALID_TOKEN},
    [JWT_BAD_CLAIMS] = {STATS_AUTH_JWT_CLAIMS, ACCESS_INVALID_CLAIMS},
};

static enum status identify_jwt(struct access *access, struct slice token,
                                const uint8_t *address,
                                struct subject **subject, const char **why)
{
    enum jwt_outcome outcome;
    enum status status;
    bool wait;

    *subject = jwt_find(access->jwt, token);
    if (*subject) {
        stats_add(STATS_AUTH_JWT_OK, 1);
        return OK;
    }
    if (failure_rate_is_over(access->failures, address, clock_monotonic_ns()))
        return throttled(why);
    outcome = jwt_identify(access->jwt, token, subject, &wait);
    if (outcome == JWT_GOOD) {
        stats_add(STATS_AUTH_JWT_OK, 1);
        return OK;
    }
    *why = jwt_outcomes[outcome].why;
    if (wait)
        return ERR_BUSY;
    if (outcome == JWT_NO_KEYS)
        return ERR_IO;
    status = wrong(access, address, jwt_outcomes[outcome].counter, why);
    if (status == ERR_UNAUTHENTICATED)
        *why = jwt_outcomes[outcome].why;
    return status;
}

static bool is_jwt(struct slice text)
{
    size_t dots = 0;

    for (size_t i = 0; i < text.len; i++)
        dots += text.ptr[i] == '.';
    return dots == 2;
}

/* The scheme ignores case; *rest is what follows it. */
static bool has_scheme(struct slice text, const char *scheme,
                       struct slice *rest)
{
    size_t len = strlen(scheme);

    if (text.len < len || strncasecmp(text.ptr, scheme, len) != 0 ||
        (text.len > len && text.ptr[len] != ' '))
        return false;
    *rest = slice_trim(slice_from(text, len), " ");
    return true;
}

enum status access_identify(struct access *access,
                            const struct credential *credential,
                            struct subject **subject, const char **why)
{
    struct slice text = credential->authorization, rest;

    *why = NULL;
    if (!access || !access->required) {
        *subject = subject_everyone();
        return OK;
    }
    text = text.ptr ? slice_trim(text, " \t") : text;
    if (text.len == 0)
        return identify_certificate(access, credential, subject, why);
    if (text.len > MAX_AUTHORIZATION)
        return wrong(access, credential->address, STATS_AUTH_TOKEN_UNKNOWN,
                     why);
    if (has_scheme(text, "Bearer", &rest)) {
        if (rest.len == 0)
            return missing(why);
        if (access->jwt && is_jwt(rest))
            return identify_jwt(access, rest, credential->address, subject,
                                why);
        return identify_token(access, rest, credential->address, subject, why);
    }
    if (has_scheme(text, "Basic", &rest))
        return identify_basic(access, rest, credential->address, subject, why);
    return wrong(access, credential->address, STATS_AUTH_TOKEN_UNKNOWN, why);
}

/* ---- decisions of others ---- */

bool access_is_decided(const struct access *access,
                       const struct subject *subject, enum action action)
{
    return access && access->jwt &&
           jwt_is_decided(access->jwt, subject, action);
}

enum status access_decide(struct access *access, struct subject **subject,
                          enum action action, const union scope_names *scope,
                          struct access_waiter *waiter, const char **why)
{
    *why = NULL;
    if (!access || !access->jwt)
        return ERR_FORBIDDEN;
    return jwt_decide(access->jwt, subject, action, scope, waiter, why);
}

bool access_metadata(const struct access *access, struct slice resource,
                     struct buf *out)
{
    return access && access->jwt && jwt_metadata(access->jwt, resource, out);
}

void access_print(struct access *access, struct buf *out)
{
    if (access && access->jwt)
        jwt_print(access->jwt, out);
}

bool access_note(struct access *access, struct buf *out)
{
    return access && access->jwt && jwt_note(access->jwt, out);
}

static void count_denied(enum subject_kind kind)
{
    if (kind == SUBJECT_TOKEN)
        stats_add(STATS_AUTH_TOKEN_DENIED, 1);
    else if (kind == SUBJECT_JWT)
        stats_add(STATS_AUTH_JWT_DENIED, 1);
    else if (kind == SUBJECT_CERTIFICATE)
        stats_add(STATS_AUTH_CERTIFICATE_DENIED, 1);
}

void access_refusal(char text[ACCESS_REFUSAL_MAX],
                    const struct subject *subject, enum action action,
                    const union scope_names *scope)
{
    static const char *const members[IDENTITY_NAMES] = {
        "namespace", "project", "component", "environment"};
    const char *before = " in ";
    int len = snprintf(text, ACCESS_REFUSAL_MAX, "%.*s may not do %s",
                       (int)(subject->name.len < 128 ? subject->name.len : 128),
                       subject->name.ptr, action_text(action));

    count_denied(subject->kind);
    if (scope && scope->namespace.len == 0)
        len += snprintf(text + len, (size_t)(ACCESS_REFUSAL_MAX - len),
                        " in all namespaces");
    for (int i = 0; scope && i < IDENTITY_NAMES; i++) {
        struct slice name = scope->name[i];

        if (name.len == 0 || name.len > 64)
            continue;
        len +=
            snprintf(text + len, (size_t)(ACCESS_REFUSAL_MAX - len),
                     "%s%s %.*s", before, members[i], (int)name.len, name.ptr);
        before = ", ";
    }
}
