/* The credentials of a port and their reload; see tls.h. */
#include "tls.h"

#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "tls_int.h"

#define RETIRED_NS NS_PER_MIN
enum { WARN_BEFORE_S = 7 * 24 * 3600 };

static int64_t now_s(void)
{
    return (int64_t)(clock_wall_ns() / NS_PER_S);
}

/* ---- what was replaced ---- */

static void free_retired(struct tls *tls, uint64_t before_ns)
{
    struct tls_retired **at = &tls->retired;

    while (*at) {
        struct tls_retired *one = *at;

        if (one->since_ns > before_ns) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        tls_pair_free(one->pair);
        tls_trust_free(one->trust);
        free(one);
    }
}

static void retire(struct tls *tls, struct tls_pair *pair,
                   struct tls_trust *trust)
{
    struct tls_retired *one = mem_zero(1, sizeof(*one));

    *one = (struct tls_retired){.next = tls->retired,
                                .pair = pair,
                                .trust = trust,
                                .since_ns = clock_monotonic_ns()};
    tls->retired = one;
}

/* ---- the files ---- */

/* Logged when it begins, or is another one. */
static void set_problem(struct tls *tls, const char **problem, const char *why,
                        const char *path)
{
    bool same = *problem == why;

    pthread_mutex_lock(&tls->lock);
    *problem = why;
    pthread_mutex_unlock(&tls->lock);
    if (!why || same)
        return;
    log_error("tls", "the certificate files cannot be used",
              log_text("port", tls->options.name), log_text("path", path),
              log_text("reason", why));
    audit_file("certificate:reload", path, why);
}

static void warn_of_times(const struct tls *tls, const struct tls_pair *pair)
{
    int64_t now = now_s();

    if (pair->begins_s > now)
        log_warn("tls", "the certificate is not valid yet",
                 log_text("port", tls->options.name),
                 log_int("seconds", pair->begins_s - now));
    else if (pair->expires_s < now + WARN_BEFORE_S)
        log_warn("tls",
                 pair->expires_s < now ? "the certificate has expired"
                                       : "the certificate expires soon",
                 log_text("port", tls->options.name),
                 log_int("seconds", pair->expires_s - now));
}

/* Why a pair that could be read must not replace the one in use. */
static const char *worse(const struct tls *tls, const struct tls_pair *pair)
{
    int64_t now = now_s();

    return tls->pair && tls->pair->expires_s > now && pair->expires_s <= now
               ? "the new certificate has expired"
               : NULL;
}

static void read_pair(struct tls *tls)
{
    const char *why = NULL;
    struct tls_pair *pair = tls_pair_read(&tls->options, &why), *old;

    if (pair)
        why = worse(tls, pair);
    if (why) {
        tls_pair_free(pair);
        set_problem(tls, &tls->pair_problem, why, tls->options.cert);
        return;
    }
    warn_of_times(tls, pair);
    set_problem(tls, &tls->pair_problem, NULL, NULL);
    pthread_mutex_lock(&tls->lock);
    old = tls->pair;
    tls->pair = pair;
    pthread_mutex_unlock(&tls->lock);
    if (!old)
        return;
    retire(tls, old, NULL);
    audit_file("certificate:reload", tls->options.cert, NULL);
    log_info("tls", "certificate replaced", log_text("port", tls->options.name),
             log_int("expires_in_s", pair->expires_s - now_s()));
}

static void read_trust(struct tls *tls)
{
    const char *path = tls->options.client_ca, *why = NULL;
    struct tls_trust *trust = tls_trust_read(path, &why), *old;

    set_problem(tls, &tls->trust_problem, why, path);
    if (!trust)
        return;
    pthread_mutex_lock(&tls->lock);
    old = tls->trust;
    tls->trust = trust;
    tls->trust_generation++;
    pthread_mutex_unlock(&tls->lock);
    if (!old)
        return;
    retire(tls, NULL, old);
    audit_file("certificate:reload", path, NULL);
}

bool tls_asks_clients(const struct tls *tls)
{
    return tls && tls->options.client_ca && tls->options.client_ca[0];
}

void tls_reload(struct tls *tls, bool now)
{
    bool cert, key;

    if (!tls)
        return;
    cert = file_stamp_changed(&tls->cert_stamp, tls->options.cert);
    key = file_stamp_changed(&tls->key_stamp, tls->options.key);
    if (cert || key || now)
        read_pair(tls);
    if (tls_asks_clients(tls) &&
        (file_stamp_changed(&tls->trust_stamp, tls->options.client_ca) || now))
        read_trust(tls);
    if (tls->retired && clock_monotonic_ns() > RETIRED_NS)
        free_retired(tls, clock_monotonic_ns() - RETIRED_NS);
}

/* ---- open and close ---- */

enum status tls_open(struct tls **out, const struct tls_options *options)
{
    struct tls *tls = mem_zero(1, sizeof(*tls));

    tls->options = *options;
    pthread_mutex_init(&tls->lock, NULL);
    tls_reload(tls, true);
    if (!tls->pair || (tls_asks_clients(tls) && !tls->trust) ||
        gnutls_certificate_allocate_credentials(&tls->credentials) < 0) {
        tls_close(tls);
        return ERR_INVALID;
    }
    gnutls_certificate_set_retrieve_function3(tls->credentials, tls_retrieve);
    *out = tls;
    return OK;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    free_retired(tls, UINT64_MAX);
    tls_pair_free(tls->pair);
    tls_trust_free(tls->trust);
    if (tls->credentials)
        gnutls_certificate_free_credentials(tls->credentials);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

gnutls_certificate_credentials_t tls_credentials(struct tls *tls)
{
    return tls->credentials;
}

/* ---- for the operator ---- */

int64_t tls_expires_s(struct tls *tls)
{
    int64_t expires;

    pthread_mutex_lock(&tls->lock);
    expires = tls->pair->expires_s;
    pthread_mutex_unlock(&tls->lock);
    return expires;
}

bool tls_note(struct tls *tls, struct buf *out)
{
    const char *problems[3];
    size_t before = out->len;

    if (!tls)
        return false;
    pthread_mutex_lock(&tls->lock);
    problems[0] = tls->pair_problem;
    problems[1] = tls->trust_problem;
    problems[2] = tls->pair->expires_s <= now_s()
                      ? "the certificate in use has expired"
                      : NULL;
    pthread_mutex_unlock(&tls->lock);
    for (int i = 0; i < 3; i++)
        if (problems[i])
            buf_format(out, "%sTLS of the %s port: %s",
                       out->len > 0 ? "; " : "", tls->options.name,
                       problems[i]);
    return out->len > before;
}
