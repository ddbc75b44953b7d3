/*
 * What the daemon saves in the store: the catalogue, root-cause reports, API
 * tokens, and the secret behind the hashes of requests.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "log.h"
#include "saved_tokens.h"
#include "secret_file.h"
#include "serve_int.h"

enum { MAX_VALUE = 1024 * 1024 };

enum status serve_load_value(struct store *store, const char *name, void *value,
                             size_t size, size_t *len)
{
    struct arena arena;
    struct slice text = {NULL, 0};
    enum status status;

    arena_init(&arena, NULL, MAX_VALUE);
    status = metadata_load_value(store_metadata(store), name, &arena, &text);
    *len = status == OK && text.len <= size ? text.len : 0;
    if (*len > 0)
        slice_copy(value, text);
    arena_release(&arena);
    return status;
}

enum status serve_create_value(struct store *store, const char *name,
                               struct slice value, void *stored, size_t size,
                               size_t *len)
{
    struct arena arena;
    struct slice text = {NULL, 0};
    enum status status;

    arena_init(&arena, NULL, MAX_VALUE);
    status = metadata_create_value(store_metadata(store), name, value, &arena,
                                   &text);
    *len = status == OK && text.len <= size ? text.len : 0;
    if (*len > 0)
        slice_copy(stored, text);
    arena_release(&arena);
    return status;
}

/* Created once for a data directory, or for all instances that share a store,
 * since hashes are stored. */
enum status serve_load_request_key(struct daemon *d)
{
    char secret[REQUEST_SECRET];
    size_t len;
    enum status status;

    if (getentropy(secret, sizeof(secret)) != 0)
        return ERR_IO;
    status = serve_create_value(d->store, "request.secret",
                                (struct slice){secret, sizeof(secret)}, secret,
                                sizeof(secret), &len);
    if (status == OK && len != sizeof(secret))
        status = ERR_CORRUPT;
    if (status == OK)
        request_key_make(&d->request_key, (const uint8_t *)secret);
    explicit_bzero(secret, sizeof(secret));
    return status;
}

/* ---- catalogue ---- */

static bool put_catalog(struct daemon *d, struct slice json, const char *from)
{
    struct arena arena;
    struct slice detail = {NULL, 0};

    arena_init(&arena, NULL, CATALOG_MAX_BYTES * 4);
    enum status status = catalog_put(d->catalog, json, &arena, &detail);
    if (status == OK)
        log_info("catalog", "read", log_text("from", from));
    else
        log_error("catalog", "refused or not saved", log_text("from", from),
                  log_slice("reason", detail));
    arena_release(&arena);
    return status == OK;
}

static enum status save_catalog(void *arg, struct slice text)
{
    struct daemon *d = arg;

    return metadata_save_catalog(store_metadata(d->store), text);
}

void serve_load_catalog(struct daemon *d)
{
    struct arena arena;
    struct slice text = {NULL, 0};

    d->catalog = catalog_new();
    arena_init(&arena, NULL, CATALOG_MAX_BYTES * 2);
    if (metadata_load_catalog(store_metadata(d->store), &arena, &text) == OK &&
        text.len > 0)
        (void)put_catalog(d, text, "store");
    arena_release(&arena);
    catalog_set_persist(d->catalog, save_catalog, d);
}

void serve_reload_catalog(struct daemon *d)
{
    struct arena arena;
    struct slice text = {NULL, 0}, detail = {NULL, 0};
    enum status status;

    arena_init(&arena, NULL, CATALOG_MAX_BYTES * 4);
    status = metadata_load_catalog(store_metadata(d->store), &arena, &text);
    if (status == OK && text.len > 0)
        status = catalog_reload(d->catalog, text, &arena, &detail);
    if (status != OK)
        log_error("catalog", "what another instance saved cannot be read",
                  log_slice("reason", detail.len > 0
                                          ? detail
                                          : slice_of(status_text(status))));
    arena_release(&arena);
}

void serve_read_catalog_file(struct daemon *d)
{
    const char *path = d->config->catalog;
    struct secret text;
    const char *why;
    enum status status;

    if (!path[0] || !file_stamp_changed(&d->catalog_stamp, path))
        return;
    status = public_file_read(path, CATALOG_MAX_BYTES, &text, &why);
    if (status == ERR_NOT_FOUND)
        log_warn("catalog", "file cannot be found; waiting for it",
                 log_text("from", path), log_text("reason", why));
    else if (status != OK)
        log_error("catalog", "cannot be read", log_text("from", path),
                  log_text("reason", why));
    else if (put_catalog(d, (struct slice){text.ptr, text.len}, path))
        why = NULL;
    else
        why = "refused or not saved";
    if (status != ERR_NOT_FOUND)
        audit_file("catalog:reload", path, why);
    secret_release(&text);
}

/* ---- root-cause reports ---- */

static enum status save_report(void *arg, uint32_t slot, uint64_t number,
                               struct slice document)
{
    return metadata_save_report(store_metadata(arg), slot, number, document);
}

static void load_report(void *arg, uint32_t slot, uint64_t number,
                        struct slice document)
{
    rca_reports_load(arg, slot, number, document);
}

void serve_load_reports(struct daemon *d)
{
    d->rca = rca_reports_new(save_report, d->store);
    if (metadata_load_reports(store_metadata(d->store), load_report, d->rca) !=
        OK)
        log_error("rca", "saved reports cannot be read", LOG_NONE);
}

static enum status load_reports(void *arg, struct rca_reports *into)
{
    return metadata_load_reports(store_metadata(arg), load_report, into);
}

void serve_reload_reports(struct daemon *d)
{
    if (rca_reports_reload(d->rca, load_reports, d->store) != OK)
        log_error("rca", "reports of another instance cannot be read",
                  LOG_NONE);
}

/* ---- API tokens ---- */

enum status serve_load_access(struct daemon *d)
{
    const struct config *c = d->config;
    struct access_options options = {.required =
                                         strcmp(c->auth, "required") == 0};
    struct arena arena;
    struct slice text = {NULL, 0};
    enum status status;

    options.jwt = (struct jwt_options){
        .jwks_urls = c->jwks_url,
        .issuers = c->jwt_issuer,
        .audiences = c->jwt_audience,
        .jwks_ca = c->jwks_ca,
        .grants = c->grants,
        .authz_url = c->authz_url,
        .authz_timeout_ns = c->authz_timeout,
        .authz_stale_ns = c->authz_stale,
        .authz_cluster_environments =
            strcmp(c->authz_cluster_environments, "yes") == 0,
    };
    d->saved_tokens = saved_tokens_new(store_metadata(d->store));
    d->tokens = options.tokens = tokens_new(saved_tokens_save, d->saved_tokens);
    arena_init(&arena, NULL, SAVED_TOKENS_MAX);
    status = saved_tokens_load(d->saved_tokens, &arena, &text);
    if (status == OK)
        status = tokens_load(d->tokens, text);
    arena_release(&arena);
    if (status == OK && !tokens_read_file(d->tokens, c->tokens))
        status = ERR_INVALID;
    if (status == OK)
        status = access_open(&d->access, &options);
    if (strcmp(c->auth, "none") == 0)
        log_warn("access",
                 "no credential is required; whoever reaches "
                 "the ports may read and write everything",
                 log_text("auth", c->auth));
    return status;
}

void serve_reload_tokens(struct daemon *d)
{
    if (tokens_reload(d->tokens, saved_tokens_load, d->saved_tokens) != OK)
        log_error("access", "tokens of another instance cannot be read",
                  LOG_NONE);
}
