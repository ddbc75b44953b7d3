#include "jwt_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "authz_json.h"
#include "clock.h"
#include "hash.h"
#include "log.h"
#include "mem.h"
#include "stats.h"
#include "subject.h"

#define CACHE_NS (5 * NS_PER_MIN)

enum {
    CACHE_ENTRIES = 8192,
    CACHE_MAX_BYTES = 16 << 20, /* of subjects that were added */
};

/* ---- what changes ---- */

static void release_subject(void *subject)
{
    subject_free(subject);
}

/* With the lock. */
static void forget(struct jwt *jwt)
{
    digest_cache_clear(jwt->cache);
    jwt->cached_bytes = 0;
}

static void keys_changed(void *arg)
{
    struct jwt *jwt = arg;

    pthread_mutex_lock(&jwt->lock);
    jwt->generation++;
    forget(jwt);
    pthread_mutex_unlock(&jwt->lock);
}

static bool use_rules(void *arg, const char *path, struct slice text,
                      char error[REREAD_ERROR])
{
    struct jwt *jwt = arg;
    struct grant_rules *old, *rules;

    (void)path;
    rules = grant_rules_parse(text, error, REREAD_ERROR);
    if (!rules)
        return false;
    pthread_mutex_lock(&jwt->lock);
    old = jwt->rules;
    jwt->rules = rules;
    jwt->generation++;
    forget(jwt);
    pthread_mutex_unlock(&jwt->lock);
    grant_rules_free(old);
    return true;
}

static void tick(void *arg)
{
    struct jwt *jwt = arg;

    (void)reread_file(&jwt->grants, jwt->options.grants);
    for (uint32_t i = 0; i < jwt->count; i++)
        jwt_keys_tick(jwt->keys[i], jwt->transfers);
}

bool jwt_has_issuers(const struct jwt *jwt)
{
    return jwt->count > 0;
}

bool jwt_has_rules(const struct jwt *jwt)
{
    return jwt->options.grants && jwt->options.grants[0];
}

/* ---- tokens ---- */

struct subject *jwt_find(struct jwt *jwt, struct slice token)
{
    struct digest digest = digest_of(token);
    struct subject *subject;

    pthread_mutex_lock(&jwt->lock);
    subject = digest_cache_find(jwt->cache, &digest, clock_wall_ns());
    if (subject)
        (void)subject_ref(subject);
    pthread_mutex_unlock(&jwt->lock);
    if (subject)
        stats_add(STATS_AUTH_CACHE_HITS, 1);
    return subject;
}

static struct subject *make_subject(struct jwt *jwt,
                                    const struct grant_rules *rules,
                                    struct slice token, const json_t *claims,
                                    uint64_t expires_ns)
{
    char *context = jwt->authz ? grant_rules_context(rules, claims) : NULL;
    struct slice text = context ? slice_of(context) : SLICE("");
    struct subject *subject = grant_rules_jwt(
        rules, claims, jwt->authz ? token : SLICE(""), text, expires_ns);

    free(context);
    return subject;
}

/* Keeps it unless keys or rules have changed since. */
static void cache_subject(struct jwt *jwt, struct slice token,
                          struct subject *subject, uint64_t generation)
{
    struct digest digest = digest_of(token);
    uint64_t end = clock_wall_ns() + CACHE_NS;

    if (end > subject->expires_ns)
        end = subject->expires_ns;
    pthread_mutex_lock(&jwt->lock);
    if (generation == jwt->generation) {
        jwt->cached_bytes += subject_size(subject);
        if (jwt->cached_bytes > CACHE_MAX_BYTES)
            forget(jwt);
        digest_cache_put(jwt->cache, &digest, subject_ref(subject), end);
    }
    stats_set(STATS_AUTH_CACHE_ENTRIES, digest_cache_count(jwt->cache));
    pthread_mutex_unlock(&jwt->lock);
}

static struct subject *accept(struct jwt *jwt, struct slice token,
                              const struct jwt_verified *verified,
                              struct grant_rules *rules, uint64_t generation)
{
    uint64_t expires_s = verified->expires_s + JWT_LEEWAY_S;
    struct subject *subject;

    /* Times fit in 64 bits of nanoseconds until the year 2554. */
    if (expires_s > UINT64_MAX / NS_PER_S)
        expires_s = UINT64_MAX / NS_PER_S;
    subject =
        make_subject(jwt, rules, token, verified->claims, expires_s * NS_PER_S);
    cache_subject(jwt, token, subject, generation);
    return subject;
}

enum jwt_outcome jwt_identify(struct jwt *jwt, struct slice token,
                              struct subject **subject, bool *wait)
{
    struct jwt_trust trusts[MAX_ISSUERS];
    struct jwk_set *sets[MAX_ISSUERS];
    struct jwt_verified verified;
    struct grant_rules *rules;
    uint64_t generation;
    enum jwt_outcome outcome;
    const char *why = "";

    pthread_mutex_lock(&jwt->lock);
    rules = jwt->rules ? grant_rules_ref(jwt->rules) : NULL;
    generation = jwt->generation;
    pthread_mutex_unlock(&jwt->lock);
    for (uint32_t i = 0; i < jwt->count; i++) {
        trusts[i] = jwt->trusts[i];
        trusts[i].keys = sets[i] = jwt_keys_get(jwt->keys[i]);
    }
    outcome = jwt_verify(token, trusts, jwt->count, clock_wall_ns() / NS_PER_S,
                         &verified, &why);
    if (outcome == JWT_GOOD)
        *subject = accept(jwt, token, &verified, rules, generation);
    else
        log_debug("access", "token refused", log_text("reason", why));
    *wait = (outcome == JWT_NO_KEYS || outcome == JWT_UNKNOWN_KEY) &&
            jwt_keys_wanted(jwt->keys[verified.trust], jwt->transfers,
                            hash_bytes(token.ptr, token.len, 0));
    json_decref(verified.claims);
    for (uint32_t i = 0; i < jwt->count; i++)
        jwk_set_free(sets[i]);
    grant_rules_free(rules);
    return outcome;
}

struct subject *jwt_certificate(struct jwt *jwt, struct slice name)
{
    struct grant_rules *rules;
    struct subject *subject;

    pthread_mutex_lock(&jwt->lock);
    rules = jwt->rules ? grant_rules_ref(jwt->rules) : NULL;
    pthread_mutex_unlock(&jwt->lock);
    subject = rules ? grant_rules_certificate(rules, name) : NULL;
    grant_rules_free(rules);
    return subject;
}

/* ---- decisions ---- */

bool jwt_is_decided(const struct jwt *jwt, const struct subject *subject,
                    enum action action)
{
    return jwt->authz && subject->kind == SUBJECT_JWT && authz_knows(action);
}

/* The same with one more grant. */
static struct subject *with_grant(struct subject *subject, enum action action,
                                  const union scope_names *scope)
{
    uint32_t count = subject->grants.count;
    struct grant *grants = mem_zero(count + 1, sizeof(*grants));
    /* Not the count of references, which other threads change. */
    struct subject *more, of = {.kind = subject->kind,
                                .stamp = subject->stamp,
                                .id = subject->id,
                                .name = subject->name,
                                .issuer = subject->issuer,
                                .token = subject->token,
                                .context = subject->context,
                                .expires_ns = subject->expires_ns};

    if (count > 0)
        memcpy(grants, subject->grants.at, count * sizeof(*grants));
    grants[count].actions = ACTION_BIT(action);
    for (int i = 0; i < IDENTITY_NAMES; i++)
        grants[count].scope.name[i] =
            scope->name[i].len > 0 ? scope->name[i] : SLICE("*");
    of.grants = (struct grants){grants, count + 1};
    more = subject_new(&of);
    free(grants);
    subject_free(subject);
    return more;
}

enum status jwt_decide(struct jwt *jwt, struct subject **subject,
                       enum action action, const union scope_names *scope,
                       struct access_waiter *waiter, const char **why)
{
    if (!jwt_is_decided(jwt, *subject, action))
        return ERR_FORBIDDEN;
    switch (authz_ask(jwt->authz, jwt->transfers, *subject, action, scope,
                      waiter)) {
    case AUTHZ_YES:
        *subject = with_grant(*subject, action, scope);
        return OK;
    case AUTHZ_PENDING:
        *why = ACCESS_AUTHZ_UNAVAILABLE;
        return ERR_BUSY;
    case AUTHZ_AWAY:
        *why = ACCESS_AUTHZ_UNAVAILABLE;
        return ERR_IO;
    case AUTHZ_UNAUTHENTICATED:
        *why = ACCESS_INVALID_TOKEN;
        return ERR_UNAUTHENTICATED;
    case AUTHZ_NO:
        break;
    }
    return ERR_FORBIDDEN;
}

/* ---- open, close ---- */

static enum status refuse(const char *why, const char *option)
{
    log_error("access", why, log_text("option", option));
    return ERR_INVALID;
}

static bool is_http(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 ||
           strncasecmp(url, "https://", 8) == 0;
}

/* The parts of a list with commas, as texts that end in NUL. */
static uint32_t split(char *list, const char *parts[MAX_ISSUERS + 1])
{
    uint32_t count = 0;

    while (list && *list && count <= MAX_ISSUERS) {
        char *end = strchr(list, ',');

        if (end)
            *end = '\0';
        parts[count++] = list + strspn(list, " ");
        list = end ? end + 1 : NULL;
    }
    return count;
}

/* Three lists in one allocation, each ended by NUL. */
static void copy_lists(struct jwt *jwt, char *lists[3])
{
    const char *const from[3] = {jwt->options.jwks_urls, jwt->options.issuers,
                                 jwt->options.audiences};
    size_t at = 0;

    jwt->lists =
        mem_alloc(strlen(from[0]) + strlen(from[1]) + strlen(from[2]) + 3);
    for (int i = 0; i < 3; i++) {
        lists[i] = strcpy(jwt->lists + at, from[i]);
        at += strlen(from[i]) + 1;
    }
}

static enum status read_issuers(struct jwt *jwt)
{
    const char *urls[MAX_ISSUERS + 1], *issuers[MAX_ISSUERS + 1],
        *audiences[MAX_ISSUERS + 1];
    const char *ca = jwt->options.jwks_ca[0] ? jwt->options.jwks_ca : NULL;
    uint32_t count, issuer_count, audience_count;
    char *lists[3];

    copy_lists(jwt, lists);
    count = split(lists[0], urls);
    issuer_count = split(lists[1], issuers);
    audience_count = split(lists[2], audiences);
    if (count > MAX_ISSUERS)
        return refuse("too many issuers", "jwks-url");
    if (issuer_count != count)
        return refuse("each --jwks-url needs its --jwt-issuer", "jwt-issuer");
    if (audience_count != count && !(count > 1 && audience_count == 1))
        return refuse("each --jwks-url needs its --jwt-audience; "
                      "\"any\" accepts every token of the issuer",
                      "jwt-audience");
    for (uint32_t i = 0; i < count; i++) {
        const char *audience = audiences[audience_count == 1 ? 0 : i];

        if (!is_http(urls[i]) && strncmp(urls[i], "file:", 5) != 0)
            return refuse("must be an https, http or file URL", "jwks-url");
        jwt->trusts[i].issuer = slice_of(issuers[i]);
        jwt->trusts[i].audience =
            strcmp(audience, "any") == 0 ? SLICE("") : slice_of(audience);
        jwt->keys[i] = jwt_keys_new(urls[i], ca, keys_changed, jwt);
        jwt->count++;
    }
    return OK;
}

static enum status open_authz(struct jwt *jwt)
{
    const struct jwt_options *options = &jwt->options;
    const struct authz_options authz = {
        .url = options->authz_url,
        .ca_file = options->jwks_ca[0] ? options->jwks_ca : NULL,
        .timeout_ns = options->authz_timeout_ns,
        .stale_ns = options->authz_stale_ns,
        .cluster_environments = options->authz_cluster_environments,
    };

    if (!options->authz_url[0])
        return OK;
    if (!is_http(options->authz_url))
        return refuse("must be an https or http URL", "authz-url");
    if (jwt->count == 0)
        return refuse("needs --jwks-url, whose tokens it decides about",
                      "authz-url");
    jwt->authz = authz_new(&authz);
    return OK;
}

static enum status start_thread(struct jwt *jwt)
{
    bool with_curl = jwt->authz != NULL;
    enum status status;

    for (uint32_t i = 0; i < jwt->count; i++)
        with_curl = with_curl || !jwt_keys_is_file(jwt->keys[i]);
    status = transfers_start(&jwt->transfers, with_curl, tick, jwt);
    if (status == ERR_NOT_FOUND)
        return refuse("libcurl.so.4 cannot be loaded; install libcurl4",
                      "jwks-url");
    return status;
}

enum status jwt_open(struct jwt **out, const struct jwt_options *options)
{
    struct jwt *jwt;
    enum status status;

    *out = NULL;
    if (!options->jwks_urls) /* all are NULL */
        return OK;
    if (!options->jwks_urls[0] && !options->issuers[0] && !options->grants[0] &&
        !options->authz_url[0])
        return OK;
    *out = jwt = mem_zero(1, sizeof(*jwt));
    jwt->options = *options;
    jwt->cache = digest_cache_new(CACHE_ENTRIES, release_subject);
    pthread_mutex_init(&jwt->lock, NULL);
    jwt->grants = (struct reread_file){.name = "grants",
                                       .max = GRANT_RULES_MAX_BYTES,
                                       .use = use_rules,
                                       .arg = jwt};
    reread_file_init(&jwt->grants);
    status = read_issuers(jwt);
    if (status == OK)
        status = open_authz(jwt);
    if (status == OK && !reread_file(&jwt->grants, jwt->options.grants))
        status = ERR_INVALID;
    return status == OK ? start_thread(jwt) : status;
}

void jwt_close(struct jwt *jwt)
{
    if (!jwt)
        return;
    transfers_stop(jwt->transfers);
    authz_free(jwt->authz);
    for (uint32_t i = 0; i < jwt->count; i++)
        jwt_keys_free(jwt->keys[i]);
    digest_cache_free(jwt->cache);
    grant_rules_free(jwt->rules);
    reread_file_release(&jwt->grants);
    pthread_mutex_destroy(&jwt->lock);
    free(jwt->lists);
    free(jwt);
}
