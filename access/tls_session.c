/*
 * Handshakes of a port, and the certificates of its clients; see tls.h.
 *
 * A client's certificate is verified in the handshake, by a trust list of our
 * own that can be replaced, and again if it was. GnuTLS ends the handshake but
 * sends no alert, so it is sent here.
 */
#include <string.h>

#include "clock.h"
#include "log.h"
#include "stats.h"
#include "tls_int.h"

const char tls_priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE";

static struct tls_session *own_of(gnutls_session_t session)
{
    return gnutls_db_get_ptr(session);
}

int tls_retrieve(gnutls_session_t session,
                 const struct gnutls_cert_retr_st *info,
                 gnutls_pcert_st **certs, unsigned *count,
                 gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
                 gnutls_privkey_t *key, unsigned *flags)
{
    struct tls *tls = own_of(session)->tls;

    (void)info;
    pthread_mutex_lock(&tls->lock);
    *certs = tls->pair->certs;
    *count = tls->pair->count;
    *key = tls->pair->key;
    pthread_mutex_unlock(&tls->lock);
    *ocsp = NULL;
    *ocsp_count = 0;
    *flags = 0; /* they stay ours */
    return 0;
}

/* ---- the client's certificate ---- */

static bool is_name(const char *text, size_t len)
{
    if (len == 0 || len > TLS_NAME_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= ' ' && text[i] != ' ')
            return false;
    return !memchr(text, 0x7f, len);
}

/* The first SAN of this type; false: none. *len 0: one that is no name. */
static bool find_san(gnutls_x509_crt_t cert, unsigned type, char *name,
                     size_t *len)
{
    for (unsigned i = 0;; i++) {
        char text[TLS_NAME_MAX + 2];
        size_t size = sizeof(text);
        unsigned found = 0;
        int result = gnutls_x509_crt_get_subject_alt_name2(cert, i, text, &size,
                                                           &found, NULL);

        if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return false;
        if (result < 0 && result != GNUTLS_E_SHORT_MEMORY_BUFFER)
            return false;
        if (found != type)
            continue;
        *len = result >= 0 && is_name(text, size) ? size : 0;
        memcpy(name, text, *len);
        return true;
    }
}

/* Empty: it has no name that can be used. */
static void read_name(struct tls_session *own, gnutls_x509_crt_t cert)
{
    char text[TLS_NAME_MAX + 1];
    size_t size = sizeof(text);

    own->name_len = 0;
    if (find_san(cert, GNUTLS_SAN_URI, own->name, &own->name_len) ||
        find_san(cert, GNUTLS_SAN_DNSNAME, own->name, &own->name_len))
        return;
    if (gnutls_x509_crt_get_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                      text, &size) < 0 ||
        !is_name(text, size))
        return;
    memcpy(own->name, text, size);
    own->name_len = size;
}

static const char *reason_of(unsigned status)
{
    if (status & GNUTLS_CERT_EXPIRED)
        return "the client certificate has expired";
    if (status & GNUTLS_CERT_NOT_ACTIVATED)
        return "the client certificate is not valid yet";
    if (status & GNUTLS_CERT_REVOKED)
        return "the client certificate is revoked";
    if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
        return "the client certificate is not for clients";
    return "the client certificate is not signed by a trusted authority";
}

/* NULL: the chain is trusted now. */
static const char *verify_chain(struct tls_session *own,
                                const gnutls_x509_crt_t *certs, unsigned count)
{
    static char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st data = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                  .data = (unsigned char *)purpose};
    struct tls *tls = own->tls;
    struct tls_trust *trust;
    gnutls_x509_crt_t chain[TLS_CHAIN_MAX];
    unsigned status = 0;

    pthread_mutex_lock(&tls->lock);
    trust = tls->trust;
    own->trust = tls->trust_generation;
    pthread_mutex_unlock(&tls->lock);
    memcpy(chain, certs, count * sizeof(chain[0])); /* it may be reordered */
    if (!trust ||
        gnutls_x509_trust_list_verify_crt2(trust->list, chain, count, &data, 1,
                                           trust->flags, &status, NULL) < 0)
        return "the client certificate cannot be verified";
    if (status)
        return reason_of(status);
    own->expires_s = gnutls_x509_crt_get_expiration_time(certs[0]);
    read_name(own, certs[0]);
    return NULL;
}

static void free_certs(gnutls_x509_crt_t *certs, unsigned count)
{
    while (count > 0)
        gnutls_x509_crt_deinit(certs[--count]);
}

static const char *verify(struct tls_session *own, const gnutls_datum_t *peers,
                          unsigned count)
{
    gnutls_x509_crt_t certs[TLS_CHAIN_MAX];
    const char *why = NULL;
    unsigned done = 0;

    if (count > TLS_CHAIN_MAX)
        return "the client sent too many certificates";
    while (done < count && !why) {
        if (gnutls_x509_crt_init(&certs[done]) < 0)
            break;
        if (gnutls_x509_crt_import(certs[done], &peers[done],
                                   GNUTLS_X509_FMT_DER) < 0)
            why = "the client certificate cannot be read";
        done++;
    }
    if (!why)
        why = done == count ? verify_chain(own, certs, count) : "out of memory";
    own->verified = !why;
    free_certs(certs, done);
    return why;
}

/* Called by GnuTLS within the handshake, also if the client sent none. */
static int verify_client(gnutls_session_t session)
{
    struct tls_session *own = own_of(session);
    gnutls_alert_description_t alert = GNUTLS_A_BAD_CERTIFICATE;
    const gnutls_datum_t *peers;
    const char *why = NULL;
    unsigned count = 0;

    peers = gnutls_certificate_get_peers(session, &count);
    if (peers && count > 0) {
        why = verify(own, peers, count);
    } else if (own->tls->options.clients_required) {
        why = "the client has no certificate";
        alert = GNUTLS_A_CERTIFICATE_REQUIRED;
    }
    if (!why)
        return 0;
    own->is_refused = true;
    stats_add(STATS_TLS_CERTIFICATES_REFUSED, 1);
    log_debug("tls", "handshake refused",
              log_text("port", own->tls->options.name),
              log_text("reason", why));
    (void)gnutls_alert_send(session, GNUTLS_AL_FATAL, alert);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

enum status tls_session_peer(struct tls_session *own, gnutls_session_t session,
                             struct slice *name, const char **why)
{
    const gnutls_datum_t *peers;
    unsigned count = 0;
    uint32_t generation;

    *name = (struct slice){NULL, 0};
    if (!own->verified)
        return OK;
    pthread_mutex_lock(&own->tls->lock);
    generation = own->tls->trust_generation;
    pthread_mutex_unlock(&own->tls->lock);
    if (generation != own->trust) {
        peers = gnutls_certificate_get_peers(session, &count);
        own->refused =
            peers ? verify(own, peers, count) : "no client certificate";
        own->verified = true; /* or the next request would have none */
    }
    *why = own->refused;
    if (*why)
        return ERR_UNAUTHENTICATED;
    if (own->expires_s <= (int64_t)(clock_wall_ns() / NS_PER_S)) {
        *why = "the client certificate has expired";
        return ERR_UNAUTHENTICATED;
    }
    *name = (struct slice){own->name, own->name_len};
    return OK;
}

/* ---- a session ---- */

/* The client's "finished" is the last or the last but one message. */
static int finished(gnutls_session_t session, unsigned type, unsigned when,
                    unsigned incoming, const gnutls_datum_t *message)
{
    struct tls_session *own = own_of(session);

    (void)type;
    (void)when;
    (void)message;
    if (!incoming || own->is_secured)
        return 0;
    own->is_secured = true;
    stats_add(STATS_TLS_HANDSHAKES, 1);
    if (own->secured)
        own->secured(own->arg);
    return 0;
}

void tls_session_init(struct tls_session *own, struct tls *tls,
                      gnutls_session_t session)
{
    static unsigned char http1_name[] = "http/1.1", http2_name[] = "h2";
    static const gnutls_datum_t http1 = {http1_name, 8},
                                http2 = {http2_name, 2};

    own->tls = tls;
    gnutls_db_set_ptr(session, own);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED,
                                       GNUTLS_HOOK_POST, finished);
    if (tls->options.http2)
        (void)gnutls_alpn_set_protocols(session, &http2, 1,
                                        GNUTLS_ALPN_MANDATORY);
    else
        (void)gnutls_alpn_set_protocols(session, &http1, 1, 0);
    if (!tls->trust)
        return;
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    gnutls_session_set_verify_function(session, verify_client);
}
