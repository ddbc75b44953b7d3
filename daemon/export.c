/*
 * The folder's store is opened cold, and its journal for the lock only: what
 * was not stored yet would be missing. See export.h.
 */
#include "export.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clickhouse.h"
#include "clock.h"
#include "export_int.h"
#include "hmac.h"
#include "log.h"
#include "mem.h"
#include "saved_tokens.h"
#include "serve_int.h"

enum { EXPORT_FAILED = 1, PATH_BYTES = 4096, BLOCK_SHARE = 16 };
#define MIN_BLOCK_BYTES (4 << 20)
#define VALUES_BYTES    (64 << 20)

static const char prefix[] = "clickhouse=";

struct export
{
    const struct config *config;
    struct journal *journal;
    struct store *from, *to;
    struct registry *from_registry, *to_registry;
    struct store_resources shared;
    struct export_resources resources;
    struct export_pieces pieces;
    struct budget budget;
    struct store_sizes sizes; /* of the folder */
};

static enum status fail(const char *what, const char *why)
{
    fprintf(stderr, "callboard export: %s: %s\n", what, why);
    return ERR_INVALID;
}

/* ---- the folder ---- */

struct unstored {
    struct store *store;
    uint64_t count;
};

static enum status count_unstored(void *arg, struct batch *batch)
{
    struct unstored *u = arg;

    u->count +=
        batch->lsn > store_watermark(u->store, stream_of(batch->signal));
    batch_free(batch);
    return OK;
}

static enum status check_stored(struct export *x)
{
    struct unstored u = {.store = x->from};
    uint64_t from = UINT64_MAX;
    enum status status;

    for (int s = STREAM_SPANS; s <= STREAM_METRICS; s++)
        if (store_watermark(x->from, (enum stream)s) < from)
            from = store_watermark(x->from, (enum stream)s);
    status = journal_replay(x->journal, from, count_unstored, &u);
    if (status != OK)
        return fail("the journal cannot be read", status_text(status));
    if (u.count > 0)
        return fail(x->config->data_dir,
                    "the daemon was killed, and its journal has requests that "
                    "are not stored yet; start it and stop it once");
    return OK;
}

static enum status open_folder(struct export *x)
{
    const struct config *c = x->config;
    const struct journal_options journal = {
        .dir = c->data_dir, .max_bytes = c->journal_max, .budget = &x->budget};
    const struct store_options store = {.dir = c->data_dir,
                                        .cold = true,
                                        .query_bytes =
                                            serve_shared_bytes(c) / 2};
    char path[PATH_BYTES];
    enum status status;

    (void)snprintf(path, sizeof(path), "%s/callboard.db", c->data_dir);
    if (access(path, R_OK) != 0)
        return fail(c->data_dir, "--data-dir has no database that can be read");
    status = journal_open(&x->journal, &journal);
    if (status == ERR_IN_USE)
        return fail(c->data_dir, "a daemon is running on it; stop it first");
    if (status != OK)
        return fail(c->data_dir, status_text(status));
    status = store_open(&x->from, &store);
    if (status != OK)
        return fail(c->data_dir, status_text(status));
    return check_stored(x);
}

/* A name of the folder's store that is always the same, and tells nothing of
 * the secret that it is made of. */
static enum status name_folder(struct export *x)
{
    const struct slice piece = SLICE("callboard export");
    char secret[256], *to = x->pieces.id;
    uint8_t mac[HMAC_SIZE];
    size_t len;
    enum status status = serve_load_value(x->from, "request.secret", secret,
                                          sizeof(secret), &len);

    if (status == OK && len == 0)
        status = ERR_NOT_FOUND;
    if (status == OK &&
        !hmac_sha256((struct slice){secret, len}, &piece, 1, mac))
        status = ERR_IO;
    if (status != OK)
        return fail("the database has no secret of its own",
                    status_text(status));
    for (int i = 0; i < (EXPORT_ID_SIZE - 1) / 2; i++)
        (void)snprintf(to + 2 * (size_t)i, 3, "%02x", mac[i]);
    return OK;
}

/* ---- ClickHouse ---- */

static enum status open_clickhouse(struct export *x)
{
    const struct config *c = x->config;
    const struct clickhouse_options options = {
        .url = c->store + sizeof(prefix) - 1,
        .password_file = c->clickhouse_password_file,
        .ca_file = c->clickhouse_ca,
        .cluster = c->clickhouse_cluster,
        .retention_ns = {c->retention_traces, c->retention_logs,
                         c->retention_metrics},
        .retention_bytes = c->retention_size,
        .query_bytes = serve_shared_bytes(c) / 6,
    };

    if (strncmp(c->store, prefix, sizeof(prefix) - 1) != 0)
        return fail("--store", "must be clickhouse=URL");
    if (clickhouse_open(&x->to, &options) != OK)
        return fail("ClickHouse", "cannot be opened");
    return OK;
}

static enum status open_registries(struct export *x)
{
    const struct config *c = x->config;
    struct registry_options options = {
        .keys = serve_label_keys(c),
        .max_resources = (uint32_t)c->max_resources,
        .max_identities = (uint32_t)c->max_resources,
    };
    enum status status = registry_open(&x->from_registry, &options, x->from);

    if (status != OK)
        return fail("resources of the folder", status_text(status));
    options.log = clickhouse_resource_log(x->to);
    status = registry_open(&x->to_registry, &options, x->to);
    if (status != OK)
        return fail("resources in ClickHouse", status_text(status));
    x->shared = registry_resources(x->to_registry);
    store_set_resources(x->to, &x->shared);
    return OK;
}

/* ---- what is beside the signals ---- */

static enum status copy_catalog(struct export *x)
{
    struct slice text = {NULL, 0}, there = {NULL, 0};
    const char *what = "the folder has none";
    struct arena arena;
    enum status status;

    arena_init(&arena, NULL, VALUES_BYTES);
    status = metadata_load_catalog(store_metadata(x->from), &arena, &text);
    if (status == OK)
        status = metadata_load_catalog(store_metadata(x->to), &arena, &there);
    if (status == OK && text.len > 0 && there.len > 0)
        what = "ClickHouse has one, which stays";
    if (status == OK && text.len > 0 && there.len == 0) {
        status = metadata_save_catalog(store_metadata(x->to), text);
        what = "copied";
    }
    arena_release(&arena);
    printf("Catalogue: %s\n", status == OK ? what : status_text(status));
    return status;
}

struct reports {
    struct report {
        uint32_t slot;
        uint64_t number;
        struct slice document;
    } at[256];
    uint32_t count;
    struct arena arena;
};

static void take_report(void *arg, uint32_t slot, uint64_t number,
                        struct slice document)
{
    struct reports *r = arg;

    if (r->count < sizeof(r->at) / sizeof(*r->at))
        r->at[r->count++] =
            (struct report){slot, number, arena_copy(&r->arena, document)};
}

static int by_number(const void *a, const void *b)
{
    const struct report *left = a, *right = b;

    return (left->number > right->number) - (left->number < right->number);
}

/* The oldest first, as ClickHouse keeps them in the order of saving. */
static enum status copy_reports(struct export *x)
{
    struct reports *from = mem_zero(2, sizeof(*from)), *there = from + 1;
    const char *what = "copied";
    enum status status;

    arena_init(&from->arena, NULL, SIZE_MAX);
    arena_init(&there->arena, NULL, SIZE_MAX);
    status = metadata_load_reports(store_metadata(x->from), take_report, from);
    if (status == OK)
        status =
            metadata_load_reports(store_metadata(x->to), take_report, there);
    if (from->count > 0)
        qsort(from->at, from->count, sizeof(*from->at), by_number);
    if (there->count > 0)
        what = "ClickHouse has some, which stay";
    else if (from->count == 0)
        what = "the folder has none";
    for (uint32_t i = 0; status == OK && there->count == 0 && i < from->count;
         i++)
        status = metadata_save_report(store_metadata(x->to), from->at[i].slot,
                                      from->at[i].number, from->at[i].document);
    arena_release(&from->arena);
    arena_release(&there->arena);
    free(from);
    printf("Root-cause reports: %s\n",
           status == OK ? what : status_text(status));
    return status;
}

static bool has_entries(struct slice list)
{
    return list.len > 0 && !slice_equal(list, SLICE("[]"));
}

static enum status copy_tokens(struct export *x)
{
    struct saved_tokens *from = saved_tokens_new(store_metadata(x->from));
    struct saved_tokens *to = saved_tokens_new(store_metadata(x->to));
    struct slice text = {NULL, 0}, there = {NULL, 0};
    const char *what = "copied";
    struct arena arena;
    enum status status;

    arena_init(&arena, NULL, VALUES_BYTES);
    status = saved_tokens_load(from, &arena, &text);
    if (status == OK)
        status = saved_tokens_load(to, &arena, &there);
    if (has_entries(there))
        what = "ClickHouse has some, which stay";
    else if (!has_entries(text))
        what = "the folder has none";
    else if (status == OK)
        status = saved_tokens_save(to, text);
    arena_release(&arena);
    saved_tokens_free(from);
    saved_tokens_free(to);
    printf("API tokens: %s\n", status == OK ? what : status_text(status));
    return status;
}

/* ---- counts ---- */

static enum status load_sizes(struct store *store, struct store_sizes *sizes)
{
    struct reader *reader;
    enum status status = reader_open(&reader, store);

    if (status != OK)
        return status;
    status = reader_begin(reader);
    if (status == OK) {
        status = reader_sizes(reader, sizes);
        reader_end(reader);
    }
    reader_close(reader);
    return status;
}

/* Rows of derived series add up in ClickHouse, so their number there may be
 * less. Others may have more, of the instances. */
static enum status compare(const struct export *x)
{
    static const char *const names[STREAM_COUNT] = {"spans", "log records",
                                                    "points", "derived points"};
    struct store_sizes there;
    enum status status = load_sizes(x->to, &there);
    bool good = status == OK;

    if (status != OK)
        return fail("counts in ClickHouse", status_text(status));
    printf("\n%-16s %14s %14s %14s\n", "", "IN THE FOLDER", "WRITTEN",
           "IN CLICKHOUSE");
    for (int s = 0; s < STREAM_COUNT; s++) {
        uint64_t had = x->sizes.records[s], written = x->pieces.written[s];

        printf("%-16s %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n", names[s],
               had, written, there.records[s]);
        good = good && had == written &&
               (s == STREAM_DERIVED || there.records[s] >= written);
    }
    return good ? OK
                : fail("counts differ",
                       "damaged blocks of the folder have no records, and "
                       "ClickHouse drops what is older than its retention");
}

/* ---- the whole ---- */

static enum status move(struct export *x)
{
    const struct config *c = x->config;
    uint64_t share = serve_shared_bytes(c) / BLOCK_SHARE;
    enum status status;

    x->resources = (struct export_resources){
        .store = x->from, .from = x->from_registry, .to = x->to_registry};
    status = export_resources_open(&x->resources);
    if (status != OK)
        return fail("resources", status_text(status));
    x->pieces.from = x->from;
    x->pieces.to = x->to;
    x->pieces.resources = &x->resources;
    x->pieces.budget = &x->budget;
    x->pieces.block_bytes = share < MIN_BLOCK_BYTES ? MIN_BLOCK_BYTES : share;
    for (int s = 0; s < STREAM_COUNT; s++) {
        x->pieces.records += x->sizes.records[s];
        x->pieces.bytes += x->sizes.bytes[s];
    }
    printf("Resources: %u\n", x->resources.count);
    status = export_pieces(&x->pieces);
    if (status != OK)
        return fail("stopped, and goes on from there when it is started again",
                    store_health_reason(x->to) ? store_health_reason(x->to)
                                               : status_text(status));
    return compare(x);
}

static enum status run(struct export *x)
{
    enum status status = open_folder(x);

    if (status == OK)
        status = name_folder(x);
    if (status == OK)
        status = open_clickhouse(x);
    if (status == OK)
        status = open_registries(x);
    if (status != OK)
        return status;
    if (load_sizes(x->from, &x->sizes) != OK)
        return fail(x->config->data_dir, "sizes cannot be read");
    if (copy_catalog(x) != OK || copy_reports(x) != OK || copy_tokens(x) != OK)
        return fail("catalogue, reports and tokens", "not copied");
    return move(x);
}

int export_run(const struct config *config)
{
    struct export x = {.config = config};
    enum status status;

    log_set_level(LOG_WARN);
    budget_init(&x.budget, serve_shared_bytes(config) / 2);
    status = run(&x);
    export_resources_close(&x.resources);
    registry_close(x.to_registry);
    registry_close(x.from_registry);
    store_close(x.to);
    store_close(x.from);
    journal_close(x.journal);
    return status == OK ? 0 : EXPORT_FAILED;
}
