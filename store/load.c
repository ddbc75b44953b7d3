/*
 * What the registry and the correlator kept, read back at start-up on a
 * connection of its own: the writer's is in use by its thread.
 */
#include "compress.h"
#include "stats.h"
#include "store_int.h"

enum { STATE_MAX = 64 << 20 };

/* What the disk did not give just now is among the findings of the check, too,
 * and is no damage: to save what can be read would lose the rest. */
static enum status check_table(struct db *db, const char *table)
{
    struct db_stmt s = stmt_start(db, SQL_CHECK);
    bool wrong = false, unread = false;

    stmt_text(&s, slice_of(table));
    while (stmt_row(&s)) {
        wrong = true;
        unread |= stmt_get_int(&s, 0) != 0;
    }

    enum status status = stmt_end(&s);
    if (status == OK && wrong)
        status = unread ? ERR_IO : ERR_CORRUPT;
    return status;
}

/* Not all findings tell why, so it is damage what is found twice. */
enum status load_check(struct db *db)
{
    static const char *const tables[] = {
        "stream",       "identity", "resource",       "text",
        "kafka_offset", "state",    "recent_request", "block"};
    enum status status = OK;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && status == OK;
         i++) {
        status = check_table(db, tables[i]);
        if (status == ERR_CORRUPT)
            status = check_table(db, tables[i]);
    }
    return status;
}

static struct slice keep(struct arena *arena, struct db_stmt *s, int column)
{
    return arena_copy(arena, stmt_get_bytes(s, column));
}

static enum status load_identities(struct db *db, struct arena *arena,
                                   store_identity_visit *visit, void *arg)
{
    struct db_stmt s = stmt_start(db, SQL_IDENTITY_LOAD);

    while (stmt_row(&s)) {
        struct identity identity = {
            .id = (uint32_t)stmt_get_int(&s, 0),
            .rule = (uint8_t)stmt_get_int(&s, 1),
            .namespace = keep(arena, &s, 2),
            .project = keep(arena, &s, 3),
            .component = keep(arena, &s, 4),
            .environment = keep(arena, &s, 5),
            .project_uid = keep(arena, &s, 6),
            .component_uid = keep(arena, &s, 7),
            .environment_uid = keep(arena, &s, 8),
        };

        visit(arg, &identity);
        arena_reset(arena);
    }
    return stmt_end(&s);
}

static enum status load_resources(struct db *db, struct arena *arena,
                                  store_resource_visit *visit, void *arg)
{
    struct db_stmt s = stmt_start(db, SQL_RESOURCE_LOAD);
    enum status status = OK;

    while (status == OK && stmt_row(&s)) {
        uint32_t id = (uint32_t)stmt_get_int(&s, 0);
        struct resource resource;

        status = resource_read(stmt_get_bytes(&s, 3), stmt_get_bytes(&s, 4), id,
                               arena, &resource);
        if (status == OK) {
            visit(arg, id, (uint32_t)stmt_get_int(&s, 1), stmt_get_int(&s, 2),
                  &resource);
        } else if (status == ERR_CORRUPT) {
            stats_add(STATS_STORE_CORRUPT, 1); /* one row: go on without it */
            status = OK;
        }
        arena_reset(arena);
    }

    enum status end = stmt_end(&s);
    return end != OK ? end : status;
}

enum status store_load(struct store *store, store_identity_visit *identity,
                       store_resource_visit *resource, void *arg)
{
    struct db *db = NULL;
    struct arena arena;
    enum status status = db_open(&db, store->path, false);

    arena_init(&arena, NULL, SIZE_MAX);
    if (status == OK)
        status = load_identities(db, &arena, identity, arg);
    if (status == OK)
        status = load_resources(db, &arena, resource, arg);
    arena_release(&arena);
    db_close(db);
    return status;
}

enum status store_load_text(struct store *store, const char *name,
                            struct arena *arena, struct slice *text)
{
    struct db *db = NULL;
    enum status status = db_open(&db, store->path, false);

    if (status != OK)
        return status;

    struct db_stmt s = stmt_start(db, SQL_TEXT_LOAD);
    struct slice found = {NULL, 0};
    stmt_text(&s, slice_of(name));
    if (stmt_row(&s))
        found = arena_copy(arena, stmt_get_bytes(&s, 0));
    status = stmt_end(&s);
    if (status == OK)
        status = arena_status(arena);
    if (status == OK)
        *text = found;
    db_close(db);
    return status;
}

enum status store_load_derived_state(struct store *store, struct arena *arena,
                                     struct slice *state)
{
    struct db *db = NULL;
    enum status status = db_open(&db, store->path, false);

    if (status != OK)
        return status;

    struct db_stmt s = stmt_start(db, SQL_STATE_LOAD);
    enum status read = OK;

    *state = (struct slice){NULL, 0};
    stmt_int(&s, STATE_DERIVED);
    if (stmt_row(&s))
        read = compress_read(stmt_get_bytes(&s, 0), STATE_MAX, arena, state);
    status = stmt_end(&s);
    if (status == OK && read == ERR_CORRUPT)
        stats_add(STATS_STORE_CORRUPT, 1); /* what waited is counted alone */
    else if (status == OK)
        status = read;
    db_close(db);
    return status;
}

enum status store_load_requests(struct store *store, store_request_visit *visit,
                                void *arg)
{
    struct db *db = NULL;
    enum status status = db_open(&db, store->path, false);

    if (status == OK)
        status = stored_requests_visit(db, visit, arg);
    db_close(db);
    return status;
}

/* In one walk: to find one text SQLite reads all of each that it passes. */
enum status store_load_texts(struct store *store, const char *prefix,
                             store_text_visit *visit, void *arg)
{
    struct db *db = NULL;
    enum status status = db_open(&db, store->path, false);

    if (status != OK)
        return status;

    struct db_stmt s = stmt_start(db, SQL_TEXTS_LOAD);
    stmt_text(&s, slice_of(prefix));
    while (stmt_row(&s))
        visit(arg, stmt_get_bytes(&s, 0), stmt_get_bytes(&s, 1));
    status = stmt_end(&s);
    db_close(db);
    return status;
}
