#include "jwt_keys.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "mem.h"
#include "secret_file.h"
#include "stats.h"

#define FETCH_MIN_AGE  (5 * NS_PER_MIN)
#define FETCH_MAX_AGE  (24 * NS_PER_HOUR)
#define FETCH_AGE      NS_PER_HOUR
#define FETCH_AGAIN    NS_PER_MIN      /* after a failure */
#define FETCH_FIRST    (2 * NS_PER_S)  /* the same, while there are no keys */
#define FETCH_INTERVAL (10 * NS_PER_S) /* for unknown kids */

enum { TIMEOUT_MS = 2000, MAX_WAITING = 64 };

struct jwt_keys {
    const char *url;
    const char *path; /* of a file; NULL: it is fetched */
    void (*changed)(void *arg);
    void *arg;
    struct file_stamp stamp; /* the thread's */
    struct transfer transfer;

    pthread_mutex_t lock;
    struct jwk_set *set;
    bool wanted, fetching, failed;
    uint64_t due_ns, begun_ns, fetched_ns; /* monotonic; 0: never */
    uint64_t waiting[MAX_WAITING];         /* hashes of tokens */
    uint32_t waiting_count;
    char error[128]; /* while it failed */
};

/* ---- a new set ---- */

static void note_failure(struct jwt_keys *keys, const char *why)
{
    stats_add(STATS_JWKS_FAILED, 1);
    pthread_mutex_lock(&keys->lock);
    if (!keys->failed) /* once */
        log_error("access", "cannot read the keys of the issuer",
                  log_text("url", keys->url), log_text("reason", why));
    keys->failed = true;
    snprintf(keys->error, sizeof(keys->error), "%s", why);
    keys->due_ns =
        clock_monotonic_ns() + (keys->set ? FETCH_AGAIN : FETCH_FIRST);
    pthread_mutex_unlock(&keys->lock);
}

static bool is_equal_set(const struct jwk_set *a, const struct jwk_set *b)
{
    return a && b && digest_equal(&a->digest, &b->digest);
}

static void take_text(struct jwt_keys *keys, struct slice text, uint64_t age)
{
    struct jwk_set *set, *old;
    const char *why;
    uint64_t now = clock_monotonic_ns();

    if (jwk_set_parse(text, &set, &why) != OK) {
        note_failure(keys, why);
        return;
    }
    stats_add(STATS_JWKS_FETCHED, 1);
    pthread_mutex_lock(&keys->lock);
    old = keys->set;
    keys->set = set;
    keys->fetched_ns = now;
    keys->due_ns = now + age;
    if (keys->failed || !is_equal_set(old, set))
        log_info("access", "keys of the issuer", log_text("url", keys->url),
                 log_uint("keys", set->count));
    keys->failed = false;
    pthread_mutex_unlock(&keys->lock);
    if (!is_equal_set(old, set))
        keys->changed(keys->arg);
    jwk_set_free(old);
}

/* ---- a file ---- */

static void look_at_file(struct jwt_keys *keys)
{
    struct secret text;
    const char *why;

    if (!file_stamp_changed(&keys->stamp, keys->path))
        return;
    if (public_file_read(keys->path, JWK_MAX_BYTES, &text, &why) == OK)
        take_text(keys, (struct slice){text.ptr, text.len}, FETCH_AGE);
    else
        note_failure(keys, why);
    secret_release(&text);
}

/* ---- a fetch ---- */

static const char *wrong_code(long code)
{
    return code >= 500   ? "a status of 5xx"
           : code >= 400 ? "a status of 4xx"
           : code >= 300 ? "a redirect, which is not followed"
                         : "another status than 200";
}

static uint64_t clamped_age(uint64_t max_age_s)
{
    uint64_t age = max_age_s * NS_PER_S;

    return max_age_s == 0        ? FETCH_AGE
           : age < FETCH_MIN_AGE ? FETCH_MIN_AGE
           : age > FETCH_MAX_AGE ? FETCH_MAX_AGE
                                 : age;
}

static void fetch_done(struct transfer *transfer)
{
    struct jwt_keys *keys = transfer->arg;

    if (transfer->code == 200)
        take_text(keys, buf_slice(&transfer->body),
                  clamped_age(transfer->max_age_s));
    else
        note_failure(keys, transfer->code ? wrong_code(transfer->code)
                                          : transfer->error);
    pthread_mutex_lock(&keys->lock);
    keys->fetching = false;
    pthread_mutex_unlock(&keys->lock);
}

void jwt_keys_tick(struct jwt_keys *keys, struct transfers *transfers)
{
    uint64_t now = clock_monotonic_ns();
    bool fetch;

    if (keys->path) {
        look_at_file(keys);
        return;
    }
    pthread_mutex_lock(&keys->lock);
    fetch = !keys->fetching && (keys->wanted || now >= keys->due_ns);
    if (fetch) {
        keys->fetching = true;
        keys->wanted = false;
        keys->begun_ns = now;
    }
    pthread_mutex_unlock(&keys->lock);
    if (fetch)
        transfers_submit(transfers, &keys->transfer);
}

/* ---- what tokens need ---- */

/* A token waits again and again: it is counted once. */
static bool may_wait(struct jwt_keys *keys, uint64_t token_hash)
{
    for (uint32_t i = 0; i < keys->waiting_count; i++)
        if (keys->waiting[i] == token_hash)
            return true;
    if (keys->waiting_count == MAX_WAITING)
        return false;
    keys->waiting[keys->waiting_count++] = token_hash;
    return true;
}

bool jwt_keys_wanted(struct jwt_keys *keys, struct transfers *transfers,
                     uint64_t token_hash)
{
    uint64_t now = clock_monotonic_ns();
    bool wait, wake = false;

    if (keys->path)
        return false;
    pthread_mutex_lock(&keys->lock);
    wait = keys->fetching || keys->wanted;
    if (!wait &&
        (keys->begun_ns == 0 || now - keys->begun_ns >= FETCH_INTERVAL)) {
        keys->wanted = wait = wake = true;
        keys->waiting_count = 0;
    }
    wait = wait && may_wait(keys, token_hash);
    pthread_mutex_unlock(&keys->lock);
    if (wake)
        transfers_wake(transfers);
    return wait;
}

struct jwk_set *jwt_keys_get(struct jwt_keys *keys)
{
    struct jwk_set *set;

    pthread_mutex_lock(&keys->lock);
    set = keys->set ? jwk_set_ref(keys->set) : NULL;
    pthread_mutex_unlock(&keys->lock);
    return set;
}

bool jwt_keys_is_file(const struct jwt_keys *keys)
{
    return keys->path != NULL;
}

uint64_t jwt_keys_age_s(struct jwt_keys *keys)
{
    uint64_t fetched;

    pthread_mutex_lock(&keys->lock);
    fetched = keys->fetched_ns;
    pthread_mutex_unlock(&keys->lock);
    return fetched ? (clock_monotonic_ns() - fetched) / NS_PER_S : UINT64_MAX;
}

bool jwt_keys_note(struct jwt_keys *keys, struct buf *out)
{
    bool noted;

    pthread_mutex_lock(&keys->lock);
    noted = keys->failed;
    if (noted)
        buf_format(out, "the keys at %s cannot be read: %s", keys->url,
                   keys->error);
    pthread_mutex_unlock(&keys->lock);
    return noted;
}

/* ---- ---- */

/* file:PATH, file://PATH; NULL: it is another URL. */
static const char *path_of(const char *url)
{
    if (strncmp(url, "file:", 5) != 0)
        return NULL;
    return strncmp(url + 5, "//", 2) == 0 ? url + 7 : url + 5;
}

struct jwt_keys *jwt_keys_new(const char *url, const char *ca_file,
                              void (*changed)(void *arg), void *arg)
{
    struct jwt_keys *keys = mem_zero(1, sizeof(*keys));

    keys->url = url;
    keys->path = path_of(url);
    keys->changed = changed;
    keys->arg = arg;
    keys->transfer = (struct transfer){
        .url = url,
        .ca_file = ca_file,
        .max_bytes = JWK_MAX_BYTES,
        .timeout_ms = TIMEOUT_MS,
        .done = fetch_done,
        .arg = keys,
    };
    pthread_mutex_init(&keys->lock, NULL);
    return keys;
}

void jwt_keys_free(struct jwt_keys *keys)
{
    if (!keys)
        return;
    jwk_set_free(keys->set);
    pthread_mutex_destroy(&keys->lock);
    free(keys);
}
