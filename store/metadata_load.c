/*
 * Loads at start what the registry, the correlator and the daemon saved, on a
 * connection of its own: the writer's is in use by its thread.
 */
#include <string.h>

#include "compress.h"
#include "metadata_int.h"
#include "stats.h"

enum { STATE_MAX = 64 << 20 };

/* The check also reports pages that the disk cannot read just now. That is no
 * damage: a repair would lose the rows in them. */
static enum status check_table(struct db *db, const char *table)
{
    struct db_stmt s = db_query(db, SQL_CHECK, db_text(slice_of(table)));
    bool wrong = false, unread = false;

    while (stmt_row(&s)) {
        wrong = true;
        unread |= stmt_int(&s, 0) != 0;
    }

    enum status status = stmt_end(&s);
    if (status == OK && wrong)
        status = unread ? ERR_IO : ERR_CORRUPT;
    return status;
}

/* Not every finding names its cause: damage is what is found twice. */
enum status metadata_check(struct db *db)
{
    static const char *const tables[] = {
        "stream", "identity",     "resource", "named_value",    "catalog",
        "report", "kafka_offset", "state",    "recent_request", "block"};
    enum status status = OK;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && status == OK;
         i++) {
        status = check_table(db, tables[i]);
        if (status == ERR_CORRUPT)
            status = check_table(db, tables[i]);
    }
    return status;
}

/* ---- identities and resources ---- */

static enum status load_identities(struct db *db, struct arena *arena,
                                   metadata_identity_visit *visit, void *arg)
{
    struct db_stmt s = db_query_all(db, SQL_IDENTITY_LOAD);

    while (stmt_row(&s)) {
        struct slice names[7];

        for (int i = 0; i < 7; i++)
            names[i] = arena_copy(arena, stmt_bytes(&s, 2 + i));

        const struct identity identity = {
            .id = (uint32_t)stmt_int(&s, 0),
            .rule = (uint8_t)stmt_int(&s, 1),
            .namespace = names[0],
            .project = names[1],
            .component = names[2],
            .environment = names[3],
            .project_uid = names[4],
            .component_uid = names[5],
            .environment_uid = names[6],
        };
        visit(arg, &identity);
        arena_reset(arena);
    }
    return stmt_end(&s);
}

static enum status load_resources(struct db *db, struct arena *arena,
                                  metadata_resource_visit *visit, void *arg)
{
    struct db_stmt s = db_query_all(db, SQL_RESOURCE_LOAD);
    enum status status = OK;

    while (status == OK && stmt_row(&s)) {
        uint32_t id = (uint32_t)stmt_int(&s, 0);
        struct resource resource;

        status = resource_read(stmt_bytes(&s, 3), stmt_bytes(&s, 4), id, arena,
                               &resource);
        if (status == OK) {
            visit(arg, id, (uint32_t)stmt_int(&s, 1), stmt_int(&s, 2),
                  &resource);
        } else if (status == ERR_CORRUPT) {
            stats_add(STATS_STORE_CORRUPT, 1); /* one row: go on without it */
            status = OK;
        }
        arena_reset(arena);
    }
    return stmt_end_with(&s, status);
}

enum status embedded_load_metadata(struct metadata *metadata,
                                   metadata_identity_visit *identity,
                                   metadata_resource_visit *resource, void *arg)
{
    struct db *db = NULL;
    struct arena arena;
    enum status status = db_open(&db, metadata->path, false);

    arena_init(&arena, NULL, SIZE_MAX);
    if (status == OK)
        status = load_identities(db, &arena, identity, arg);
    if (status == OK)
        status = load_resources(db, &arena, resource, arg);
    arena_release(&arena);
    db_close(db);
    return status;
}

/* ---- single values ---- */

static enum status copy_value(struct slice bytes, struct arena *arena,
                              struct slice *value)
{
    *value = arena_copy(arena, bytes);
    return arena_status(arena);
}

static enum status unpack_state(struct slice bytes, struct arena *arena,
                                struct slice *value)
{
    enum status status = compress_read(bytes, STATE_MAX, arena, value);

    if (status != ERR_CORRUPT)
        return status;
    /* Calls that waited for their other span are counted as unpaired. */
    stats_add(STATS_STORE_CORRUPT, 1);
    return OK;
}

/* The first column of the row with this key; empty if there is none. */
static enum status load_one(struct metadata *metadata, enum db_sql sql,
                            const struct db_param *key,
                            enum status (*read)(struct slice bytes,
                                                struct arena *arena,
                                                struct slice *value),
                            struct arena *arena, struct slice *value)
{
    struct db *db = NULL;
    enum status status = db_open(&db, metadata->path, false);

    *value = (struct slice){NULL, 0};
    if (status != OK)
        return status;

    struct db_stmt s = db_start(db, sql, key, key != NULL);
    if (stmt_row(&s))
        status = read(stmt_bytes(&s, 0), arena, value);
    status = stmt_end_with(&s, status);
    db_close(db);
    return status;
}

enum status embedded_load_value(struct metadata *metadata, const char *name,
                                struct arena *arena, struct slice *value)
{
    const struct db_param key = db_text(slice_of(name));

    return load_one(metadata, SQL_VALUE_LOAD, &key, copy_value, arena, value);
}

/* There is one instance, and it does so while it starts. */
enum status embedded_create_value(struct metadata *metadata, const char *name,
                                  struct slice value, struct arena *arena,
                                  struct slice *stored)
{
    enum status status = embedded_load_value(metadata, name, arena, stored);

    if (status != OK || stored->len > 0)
        return status;
    embedded_save_value(metadata, name, value);
    status = embedded_metadata_sync(metadata);
    *stored = arena_copy(arena, value);
    return status == OK ? arena_status(arena) : status;
}

enum status embedded_load_catalog(struct metadata *metadata,
                                  struct arena *arena, struct slice *document)
{
    return load_one(metadata, SQL_CATALOG_LOAD, NULL, copy_value, arena,
                    document);
}

enum status embedded_load_derived_state(struct metadata *metadata,
                                        struct arena *arena,
                                        struct slice *state)
{
    const struct db_param key = db_int(STATE_DERIVED);

    return load_one(metadata, SQL_STATE_LOAD, &key, unpack_state, arena, state);
}

/* ---- lists ---- */

enum status embedded_load_reports(struct metadata *metadata,
                                  metadata_report_visit *visit, void *arg)
{
    struct db *db = NULL;
    enum status status = db_open(&db, metadata->path, false);

    if (status != OK)
        return status;

    struct db_stmt s = db_query_all(db, SQL_REPORTS_LOAD);
    while (stmt_row(&s))
        visit(arg, (uint32_t)stmt_int(&s, 0), stmt_int(&s, 1),
              stmt_bytes(&s, 2));
    status = stmt_end(&s);
    db_close(db);
    return status;
}

enum status embedded_load_requests(struct metadata *metadata,
                                   metadata_request_visit *visit, void *arg)
{
    struct db *db = NULL;
    enum status status = db_open(&db, metadata->path, false);

    if (status == OK)
        status = stored_requests_visit(db, visit, arg);
    db_close(db);
    return status;
}
