#include "authz.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "authz_json.h"
#include "clock.h"
#include "digest_cache.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

#define YES_NS  (60 * NS_PER_S)
#define NO_NS   (10 * NS_PER_S)
#define AWAY_NS NS_PER_S

enum { MAX_DECISIONS = 16384, MAX_CALLS = 1024, MAX_BODY = 128 * 1024 };

/* Kept longer than it is fresh if it may be used while the service is away. */
struct decision {
    enum authz_answer answer;
    uint64_t fresh_until_ns, stale_until_ns; /* wall clock */
};

struct authz_call {
    struct transfer transfer;
    struct authz *authz;
    struct authz_call *next;
    struct digest key;
    uint32_t questions;
    uint64_t begun_ns, expires_ns;
    struct access_waiter *waiters;
    struct buf body, authorization;
};

struct authz {
    struct authz_options options;
    char *url;
    pthread_mutex_t lock;
    struct digest_cache *decisions;
    struct authz_call *calls; /* under way */
    uint32_t call_count;
    bool away; /* as the log has it */
};

struct authz *authz_new(const struct authz_options *options)
{
    static const char path[] = "/api/v1/authz/evaluates";
    struct authz *authz = mem_zero(1, sizeof(*authz));
    size_t len = strlen(options->url);

    while (len > 0 && options->url[len - 1] == '/')
        len--;
    authz->options = *options;
    authz->url = mem_zero(1, len + sizeof(path));
    memcpy(authz->url, options->url, len);
    memcpy(authz->url + len, path, sizeof(path));
    authz->decisions = digest_cache_new(MAX_DECISIONS, free);
    pthread_mutex_init(&authz->lock, NULL);
    return authz;
}

void authz_free(struct authz *authz)
{
    if (!authz)
        return;
    digest_cache_free(authz->decisions);
    pthread_mutex_destroy(&authz->lock);
    free(authz->url);
    free(authz);
}

static struct digest key_of(const struct subject *subject, enum action action,
                            const union scope_names *scope)
{
    struct digest token = digest_of(subject->token), key;
    struct buf text;

    buf_init(&text, MAX_BODY);
    buf_add(&text, (struct slice){(char *)token.bytes, DIGEST_SIZE});
    buf_byte(&text, (char)action);
    for (int i = 0; i < IDENTITY_NAMES; i++)
        buf_sized(&text, scope->name[i]);
    key = digest_of(buf_slice(&text));
    buf_release(&text);
    return key;
}

/* ---- an answer ---- */

static enum authz_answer read_transfer(const struct authz_call *call)
{
    const struct transfer *transfer = &call->transfer;
    bool yes;

    if (transfer->code == 401)
        return AUTHZ_UNAUTHENTICATED;
    if (transfer->code != 200 || authz_read_answer(buf_slice(&transfer->body),
                                                   call->questions, &yes) != OK)
        return AUTHZ_AWAY;
    return yes ? AUTHZ_YES : AUTHZ_NO;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void keep_decision(struct authz *authz, const struct authz_call *call,
                          enum authz_answer answer)
{
    uint64_t now = clock_wall_ns();
    uint64_t life = answer == AUTHZ_YES    ? YES_NS
                    : answer == AUTHZ_AWAY ? AWAY_NS
                                           : NO_NS;
    struct decision *old = digest_cache_find(authz->decisions, &call->key, now);
    struct decision *decision;

    if (answer == AUTHZ_AWAY && old && old->answer == AUTHZ_YES &&
        now < old->stale_until_ns) {
        old->fresh_until_ns = earlier(now + NO_NS, old->stale_until_ns);
        return;
    }
    decision = mem_zero(1, sizeof(*decision));
    decision->answer = answer;
    decision->fresh_until_ns = earlier(now + life, call->expires_ns);
    decision->stale_until_ns = decision->fresh_until_ns;
    if (answer == AUTHZ_YES)
        decision->stale_until_ns =
            earlier(now + life + authz->options.stale_ns, call->expires_ns);
    digest_cache_put(authz->decisions, &call->key, decision,
                     decision->stale_until_ns);
}

static void note_answer(struct authz *authz, const struct authz_call *call,
                        enum authz_answer answer)
{
    bool away = answer == AUTHZ_AWAY;

    stats_observe(STATS_AUTHZ_DURATION, clock_monotonic_ns() - call->begun_ns);
    stats_add(away                  ? STATS_AUTHZ_AWAY
              : answer == AUTHZ_YES ? STATS_AUTHZ_YES
              : answer == AUTHZ_NO  ? STATS_AUTHZ_NO
                                    : STATS_AUTHZ_TOKEN,
              1);
    if (away && !authz->away)
        log_error("access", "the authorization service does not answer",
                  log_text("url", authz->url),
                  log_int("code", call->transfer.code),
                  log_text("reason", call->transfer.code
                                         ? "not the answer that was expected"
                                         : call->transfer.error));
    else if (!away && authz->away)
        log_info("access", "the authorization service answers again", LOG_NONE);
    authz->away = away;
}

static void call_done(struct transfer *transfer)
{
    struct authz_call *call = transfer->arg, **at;
    struct authz *authz = call->authz;
    struct access_waiter *waiters;
    enum authz_answer answer = read_transfer(call);

    pthread_mutex_lock(&authz->lock);
    note_answer(authz, call, answer);
    keep_decision(authz, call, answer);
    for (at = &authz->calls; *at != call;)
        at = &(*at)->next;
    *at = call->next;
    authz->call_count--;
    waiters = call->waiters;
    pthread_mutex_unlock(&authz->lock);
    while (waiters) {
        struct access_waiter *waiter = waiters;

        waiters = waiters->next;
        waiter->ready(waiter);
    }
    explicit_bzero(call->authorization.ptr, call->authorization.len);
    buf_release(&call->authorization);
    buf_release(&call->body);
    free(call);
}

bool authz_note(struct authz *authz, struct buf *out)
{
    bool away;

    pthread_mutex_lock(&authz->lock);
    away = authz->away;
    pthread_mutex_unlock(&authz->lock);
    if (away)
        buf_format(out, "the authorization service at %s does not answer",
                   authz->url);
    return away;
}

/* ---- a question ---- */

static struct authz_call *call_new(struct authz *authz,
                                   const struct subject *subject,
                                   enum action action,
                                   const union scope_names *scope)
{
    struct authz_call *call = mem_zero(1, sizeof(*call));

    buf_init(&call->body, MAX_BODY);
    buf_init(&call->authorization, MAX_BODY);
    call->questions =
        authz_write_questions(&call->body, subject->context, action, scope,
                              authz->options.cluster_environments);
    buf_format(&call->authorization, "Authorization: Bearer %.*s",
               SLICE_ARGS(subject->token));
    buf_byte(&call->authorization, '\0');
    call->authz = authz;
    call->begun_ns = clock_monotonic_ns();
    call->expires_ns = subject->expires_ns;
    call->transfer = (struct transfer){
        .url = authz->url,
        .post = buf_slice(&call->body),
        .authorization = call->authorization.ptr,
        .ca_file = authz->options.ca_file,
        .max_bytes = AUTHZ_MAX_ANSWER,
        .timeout_ms = (long)(authz->options.timeout_ns / NS_PER_MS),
        .done = call_done,
        .arg = call,
    };
    return call;
}

static bool is_askable(const struct subject *subject, enum action action,
                       const union scope_names *scope)
{
    if (!authz_knows(action) || scope->namespace.len == 0 ||
        (scope->component.len > 0 && scope->project.len == 0) ||
        subject->token.len == 0 || subject->context.len == 0)
        return false;
    for (int i = 0; i < IDENTITY_NAMES; i++) /* "*" is no name, but a grant */
        if (scope->name[i].len > 1024 ||
            slice_equal(scope->name[i], SLICE("*")))
            return false;
    return true;
}

static struct authz_call *find_call(struct authz *authz,
                                    const struct digest *key)
{
    struct authz_call *call = authz->calls;

    while (call && !digest_equal(&call->key, key))
        call = call->next;
    return call;
}

/* With the lock: the call under way, which the waiter joins, or a new one in
 * *fresh. NULL: too many. */
static struct authz_call *join_call(struct authz *authz,
                                    const struct subject *subject,
                                    enum action action,
                                    const union scope_names *scope,
                                    const struct digest *key,
                                    struct authz_call **fresh)
{
    struct authz_call *call = find_call(authz, key);

    if (call || authz->call_count == MAX_CALLS)
        return call;
    call = call_new(authz, subject, action, scope);
    call->key = *key;
    call->next = authz->calls;
    authz->calls = call;
    authz->call_count++;
    return *fresh = call;
}

enum authz_answer authz_ask(struct authz *authz, struct transfers *transfers,
                            const struct subject *subject, enum action action,
                            const union scope_names *scope,
                            struct access_waiter *waiter)
{
    struct authz_call *call = NULL, *fresh = NULL;
    uint64_t now = clock_wall_ns();
    enum authz_answer answer = AUTHZ_PENDING;
    struct decision *decision;
    struct digest key;

    if (!is_askable(subject, action, scope))
        return AUTHZ_NO;
    key = key_of(subject, action, scope);
    pthread_mutex_lock(&authz->lock);
    decision = digest_cache_find(authz->decisions, &key, now);
    if (decision && now < decision->fresh_until_ns)
        answer = decision->answer;
    else
        call = join_call(authz, subject, action, scope, &key, &fresh);
    if (answer == AUTHZ_PENDING && !call)
        answer = AUTHZ_AWAY;
    if (call && waiter) {
        waiter->next = call->waiters;
        call->waiters = waiter;
    }
    pthread_mutex_unlock(&authz->lock);
    if (fresh)
        transfers_submit(transfers, &fresh->transfer);
    return answer;
}
