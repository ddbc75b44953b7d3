/*
 * TLS of each port: its own options, else those of all ports. In: options. Out:
 * files and what is asked of clients, checked.
 */
#include <stdio.h>
#include <string.h>

#include "config_int.h"
#include "listen.h"

static const char *first_of(const char *own, const char *common)
{
    return own[0] ? own : common;
}

struct config_tls config_tls_of(const struct config *c, enum config_port port)
{
    struct config_tls tls = {.name = "query",
                             .listen = c->query,
                             .cert = c->query_tls_cert,
                             .key = c->query_tls_key,
                             .client_ca = c->query_tls_client_ca,
                             .clients = c->query_tls_clients};

    if (port == CONFIG_OTLP_HTTP)
        tls = (struct config_tls){.name = "otlp",
                                  .listen = c->otlp_http,
                                  .cert = c->otlp_tls_cert,
                                  .key = c->otlp_tls_key,
                                  .client_ca = c->otlp_tls_client_ca,
                                  .clients = c->otlp_tls_clients};
    else if (port == CONFIG_OTLP_GRPC)
        tls = (struct config_tls){.name = "grpc",
                                  .listen = c->otlp_grpc,
                                  .cert = c->grpc_tls_cert,
                                  .key = c->grpc_tls_key,
                                  .client_ca = c->grpc_tls_client_ca,
                                  .clients = c->grpc_tls_clients};
    tls.cert = first_of(tls.cert, c->tls_cert);
    tls.key = first_of(tls.key, c->tls_key);
    tls.client_ca = first_of(tls.client_ca, c->tls_client_ca);
    tls.clients = first_of(tls.clients, c->tls_clients);
    if (strcmp(c->tls, "off") == 0)
        tls.cert = tls.key = tls.client_ca = "";
    return tls;
}

bool config_is_required(const struct config_tls *tls)
{
    return tls->client_ca[0] && strcmp(tls->clients, "required") == 0;
}

/* Tokens and JWTs come over the network to this port. */
static bool has_secrets(const struct config *c, enum config_port port,
                        const char *listen)
{
    bool ingest = port != CONFIG_QUERY;

    return strcmp(c->auth, "required") == 0 &&
           !(ingest && strcmp(c->auth_ingest, "none") == 0) && listen[0] &&
           !listen_is_loopback(listen);
}

/* NULL, or what is wrong. */
static const char *wrong(const struct config *c, enum config_port port,
                         const struct config_tls *tls)
{
    bool required = strcmp(tls->clients, "required") == 0;

    if (c->tls[0] && strcmp(c->tls, "off") != 0)
        return "must be \"off\" or empty";
    if (!required && strcmp(tls->clients, "optional") != 0)
        return "clients must be \"required\" or \"optional\"";
    if (strcmp(c->tls, "off") == 0)
        return NULL;
    if (!tls->cert[0] != !tls->key[0])
        return "a certificate needs its key, and a key its certificate";
    if (tls->client_ca[0] && !tls->cert[0])
        return "client certificates need a certificate and a key of the port";
    if (required && !tls->client_ca[0])
        return "required client certificates need their authorities "
               "(--tls-client-ca)";
    if (!tls->cert[0] && has_secrets(c, port, tls->listen))
        return "tokens would be sent in plain text over the network: give a "
               "certificate (--tls-cert, --tls-key), or --tls off";
    return NULL;
}

bool config_check_tls(const struct config *config, char *error,
                      size_t error_size)
{
    for (int port = 0; port < CONFIG_PORTS; port++) {
        struct config_tls tls = config_tls_of(config, (enum config_port)port);
        const char *why = wrong(config, (enum config_port)port, &tls);

        if (!why)
            continue;
        snprintf(error, error_size, "%s (%s port)", why, tls.name);
        return false;
    }
    return true;
}
