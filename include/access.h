/*
 * access - whom a credential stands for.
 *
 * A credential (an API token, a JWT, a client certificate) belongs to a
 * subject, and a subject has grants (grant.h). A port identifies the subject
 * once per request, before the body is read, and keeps it until the request is
 * over, so what it may do does not change while it is answered.
 *
 * Purpose:    from a credential to a subject, the same for every port.
 * Ownership:  subjects are counted by reference, and constant.
 * Threads:    any; opened and closed by one.
 * Errors:     opening fails if what is configured cannot be used, and logs why;
 *             later errors keep what was loaded, and are noted.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "grant.h"
#include "status.h"

struct access;

enum subject_kind {
    SUBJECT_EVERYONE, /* no credential is required: may do all */
    SUBJECT_NOBODY,   /* required, but absent: may do nothing */
    SUBJECT_TOKEN,
    SUBJECT_JWT,
    SUBJECT_CERTIFICATE
};

/* What becomes of records that stamp (name in their labels) a namespace other
 * than the subject's: refused, or stored in the subject's. */
enum stamp { STAMP_CHECK, STAMP_OVERRIDE };

struct subject {
    atomic_uint refs;
    enum subject_kind kind;
    enum stamp stamp;
    struct slice id;      /* of the token; `sub` of the JWT */
    struct slice name;    /* in messages: of the token, the user */
    struct slice issuer;  /* of the JWT; else empty */
    struct slice token;   /* what the authorization service is asked with: */
    struct slice context; /* the token, and what it knows of the subject */
    struct grants grants;
    uint64_t expires_ns; /* wall clock; 0: never */
};

/* The subject of every request where no credential is required. */
struct subject *subject_everyone(void);
/* The subject of a request without a credential for a route that needs none: it
 * has no grants. */
struct subject *subject_nobody(void);
struct subject *subject_ref(struct subject *subject);
void subject_free(struct subject *subject); /* NULL is fine */

/* ---- opened once by the daemon ---- */

struct tokens;

/* Identity providers and OpenChoreo's control plane; the texts outlive access,
 * "" where there is none. */
struct jwt_options {
    const char *jwks_urls, *issuers, *audiences; /* lists with commas */
    const char *jwks_ca;
    const char *grants; /* path of a file */
    const char *authz_url;
    uint64_t authz_timeout_ns, authz_stale_ns;
    bool authz_cluster_environments;
};

struct access_options {
    bool required; /* --auth required; else all are subject_everyone() */
    struct tokens *tokens; /* tokens.h; must outlive it */
    struct jwt_options jwt;
};

/* ERR_INVALID: what is configured cannot be used (logged). */
MUST_CHECK enum status access_open(struct access **access,
                                   const struct access_options *options);
void access_close(struct access *access);             /* NULL is fine */
bool access_is_required(const struct access *access); /* NULL: no */
/* JWTs of an issuer are credentials. */
bool access_takes_jwt(const struct access *access);
/* Client certificates have grants; see tls_asks_clients(), too. */
bool access_takes_certificates(const struct access *access);

/* ---- asked by the ports ---- */

/* What came with a request. */
struct credential {
    struct slice authorization; /* the header; ptr NULL: absent */
    struct slice certificate;   /* name in a verified client certificate;
                                   empty: none */
    const uint8_t *address;     /* of the peer: 16 bytes, as http_address */
};

/*
 * OK: *subject is the caller's, to be freed. ERR_UNAUTHENTICATED: no or a wrong
 * credential, and *why is a word of the Observer API: ACCESS_MISSING_TOKEN or
 * another. ERR_BUSY: a key or a decision is being fetched, ask again soon.
 * ERR_LIMITED: too many wrong ones from this address. *why is static text.
 * access NULL: no credential is required, all are subject_everyone().
 */
#define ACCESS_MISSING_TOKEN  "MISSING_TOKEN"
#define ACCESS_INVALID_TOKEN  "INVALID_TOKEN"
#define ACCESS_INVALID_CLAIMS "INVALID_CLAIMS"
/* With ERR_BUSY and ERR_IO: a service that access depends on is away. */
#define ACCESS_JWKS_UNAVAILABLE  "JWKS_UNAVAILABLE"
#define ACCESS_AUTHZ_UNAVAILABLE "AUTHZ_UNAVAILABLE"

MUST_CHECK enum status access_identify(struct access *access,
                                       const struct credential *credential,
                                       struct subject **subject,
                                       const char **why);

/* Whoever waits for a decision. ready() is called once, on another thread. */
struct access_waiter {
    void (*ready)(struct access_waiter *waiter);
    struct access_waiter *next; /* of access */
};

/* Whether an authorization service decides about such an action of the subject,
 * where its grants do not cover a scope. */
bool access_is_decided(const struct access *access,
                       const struct subject *subject, enum action action);
/*
 * Asks it about a scope that the grants do not cover. OK: *subject was replaced
 * by one with this grant more. ERR_FORBIDDEN: no, or nobody decides. ERR_BUSY:
 * it is being asked; ask again once waiter->ready() was called (waiter NULL:
 * soon). ERR_IO: it does not answer. ERR_UNAUTHENTICATED: it refuses the token.
 */
MUST_CHECK enum status access_decide(struct access *access,
                                     struct subject **subject,
                                     enum action action,
                                     const union scope_names *scope,
                                     struct access_waiter *waiter,
                                     const char **why);

/* The metadata of this server as a protected resource (RFC 9728). False: there
 * is no issuer. */
bool access_metadata(const struct access *access, struct slice resource,
                     struct buf *out);
/* What is wrong with its files and services now; false: nothing. */
bool access_note(struct access *access, struct buf *out);
/* Lines for /metrics. */
void access_print(struct access *access, struct buf *out);

enum { ACCESS_REFUSAL_MAX = 512 };

/* The message of a 403: "alice may not do logs:view in namespace acme, project
 * shop". scope NULL: in none. Counts the refusal by the kind of its subject. */
void access_refusal(char text[ACCESS_REFUSAL_MAX],
                    const struct subject *subject, enum action action,
                    const union scope_names *scope);

#endif
