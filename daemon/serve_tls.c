/* Certificates of the ports: opened at the start, looked at each second. */
#include "clock.h"
#include "serve_int.h"

static enum status open_port(struct daemon *d, enum config_port port)
{
    struct config_tls files = config_tls_of(d->config, port);
    struct tls_options options = {
        .name = files.name,
        .cert = files.cert,
        .key = files.key,
        .client_ca = files.client_ca,
        .clients_required = config_is_required(&files),
        .http2 = port == CONFIG_OTLP_GRPC,
    };

    return files.cert[0] ? tls_open(&d->tls[port], &options) : OK;
}

enum status serve_start_tls(struct daemon *d)
{
    enum status status = OK;

    for (int port = 0; port < CONFIG_PORTS && status == OK; port++)
        status = open_port(d, (enum config_port)port);
    return status;
}

void serve_stop_tls(struct daemon *d)
{
    for (int port = 0; port < CONFIG_PORTS; port++)
        tls_close(d->tls[port]);
}

void serve_reload_tls(struct daemon *d, bool now)
{
    for (int port = 0; port < CONFIG_PORTS; port++)
        tls_reload(d->tls[port], now);
}

bool serve_print_tls_notes(const struct daemon *d, struct buf *out)
{
    bool noted = false;

    for (int port = 0; port < CONFIG_PORTS; port++)
        noted = tls_note(d->tls[port], out) || noted;
    return noted;
}

void serve_print_tls_metrics(const struct daemon *d, struct buf *out)
{
    static const char name[] = "callboard_tls_certificate_expires_seconds";
    int64_t now = (int64_t)(clock_wall_ns() / NS_PER_S);
    bool first = true;

    for (int port = 0; port < CONFIG_PORTS; port++) {
        if (!d->tls[port])
            continue;
        if (first)
            buf_format(out,
                       "# HELP %s Seconds until the certificate in use "
                       "expires; negative: it has expired.\n# TYPE %s gauge\n",
                       name, name);
        first = false;
        buf_format(out, "%s{port=\"%s\"} %lld\n", name,
                   config_tls_of(d->config, (enum config_port)port).name,
                   (long long)(tls_expires_s(d->tls[port]) - now));
    }
}
