/*
 * The catalogue is a text and the snapshot parsed from it, replaced together. A
 * new document is parsed before the lock is taken, so readers only wait for the
 * exchange of two pointers; an old snapshot lives until its last reader
 * releases it. Puts have a lock of their own, held until the document is
 * stored, so that the catalogue in use is the one that a restart finds.
 */
#include "catalog.h"

#include <pthread.h>
#include <stdlib.h>

#include "catalog_int.h"
#include "hash.h"
#include "mem.h"

/* Several times the names and endpoints of the largest document. */
enum { SNAPSHOT_MAX_BYTES = 32 * 1024 * 1024 };

struct catalog {
    pthread_mutex_t putting; /* taken before the other */
    pthread_mutex_t lock;
    catalog_persist *persist;
    void *persist_arg;
    struct catalog_snapshot *snapshot;
    char *text;
    size_t text_len;
};

static struct catalog_snapshot *snapshot_new(void)
{
    struct catalog_snapshot *snapshot = mem_zero(1, sizeof(*snapshot));

    atomic_init(&snapshot->refs, 1);
    arena_init(&snapshot->arena, NULL, SNAPSHOT_MAX_BYTES);
    snapshot->by_name.arena = &snapshot->arena;
    return snapshot;
}

struct catalog *catalog_new(void)
{
    struct catalog *catalog = mem_zero(1, sizeof(*catalog));

    pthread_mutex_init(&catalog->putting, NULL);
    pthread_mutex_init(&catalog->lock, NULL);
    catalog->snapshot = snapshot_new();
    catalog->text = mem_copy("{}", 2);
    catalog->text_len = 2;
    return catalog;
}

void catalog_free(struct catalog *catalog)
{
    if (!catalog)
        return;
    catalog_release(catalog->snapshot);
    pthread_mutex_destroy(&catalog->putting);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog->text);
    free(catalog);
}

void catalog_set_persist(struct catalog *catalog, catalog_persist *persist,
                         void *arg)
{
    catalog->persist = persist;
    catalog->persist_arg = arg;
}

static void replace(struct catalog *catalog, struct catalog_snapshot *snapshot,
                    struct slice json)
{
    struct catalog_snapshot *old_snapshot = catalog->snapshot;
    char *text = mem_copy(json.ptr, json.len), *old_text = catalog->text;

    snapshot->generation = old_snapshot->generation + 1;
    pthread_mutex_lock(&catalog->lock);
    catalog->snapshot = snapshot;
    catalog->text = text;
    catalog->text_len = json.len;
    pthread_mutex_unlock(&catalog->lock);
    catalog_release(old_snapshot);
    free(old_text);
}

/* The caller holds `putting`. */
static enum status put_document(struct catalog *catalog, struct slice json,
                                bool persist, struct arena *arena,
                                struct slice *detail)
{
    struct catalog_snapshot *snapshot = snapshot_new();
    enum status status = catalog_parse(snapshot, json, arena, detail);

    if (status != OK) {
        catalog_release(snapshot);
        return status;
    }
    replace(catalog, snapshot, json);
    if (persist && catalog->persist)
        status = catalog->persist(catalog->persist_arg, json);
    if (status != OK)
        *detail =
            SLICE("in use, but not saved: the database cannot be written");
    return status;
}

enum status catalog_put(struct catalog *catalog, struct slice json,
                        struct arena *arena, struct slice *detail)
{
    pthread_mutex_lock(&catalog->putting);

    enum status status = put_document(catalog, json, true, arena, detail);

    pthread_mutex_unlock(&catalog->putting);
    return status;
}

enum status catalog_reload(struct catalog *catalog, struct slice json,
                           struct arena *arena, struct slice *detail)
{
    enum status status = OK;

    pthread_mutex_lock(&catalog->putting);
    if (!slice_equal(json, (struct slice){catalog->text, catalog->text_len}))
        status = put_document(catalog, json, false, arena, detail);
    pthread_mutex_unlock(&catalog->putting);
    return status;
}

/* Its errors name places in the part, not in what is around it. */
static enum status check_part(struct slice namespace, struct slice json,
                              struct arena *arena, struct slice *detail)
{
    struct catalog_snapshot *snapshot = snapshot_new();
    enum status status = catalog_parse(snapshot, json, arena, detail);

    catalog_release(snapshot);
    if (status == OK && !catalog_part_is_of(json, namespace)) {
        *detail = SLICE("an entry is of another namespace; without a namespace "
                        "it is of default");
        return ERR_FORBIDDEN;
    }
    return status;
}

enum status catalog_put_part(struct catalog *catalog, struct slice namespace,
                             struct slice json, struct arena *arena,
                             struct slice *detail)
{
    enum status status = check_part(namespace, json, arena, detail);
    struct buf merged;

    if (status != OK)
        return status;
    /* Numbers and escapes may be written longer. */
    buf_init(&merged, (size_t)4 * CATALOG_MAX_BYTES);
    pthread_mutex_lock(&catalog->putting);
    status =
        catalog_part_replace((struct slice){catalog->text, catalog->text_len},
                             json, namespace, &merged);
    *detail = slice_of(status_text(status));
    if (status == OK)
        status = put_document(catalog, buf_slice(&merged), true, arena, detail);
    pthread_mutex_unlock(&catalog->putting);
    buf_release(&merged);
    return status;
}

enum status catalog_text_seen(struct catalog *catalog,
                              const struct viewer *viewer,
                              struct slice namespace, struct buf *out)
{
    struct buf all;

    if (viewer_sees_all(viewer) && namespace.len == 0) {
        catalog_text(catalog, out);
        return OK;
    }
    buf_init(&all, CATALOG_MAX_BYTES);
    catalog_text(catalog, &all);

    enum status status =
        catalog_part_seen(buf_slice(&all), viewer, namespace, out);

    buf_release(&all);
    return status;
}

void catalog_text(struct catalog *catalog, struct buf *out)
{
    pthread_mutex_lock(&catalog->lock);
    buf_add(out, (struct slice){catalog->text, catalog->text_len});
    pthread_mutex_unlock(&catalog->lock);
}

struct catalog_snapshot *catalog_get(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->lock);

    struct catalog_snapshot *snapshot = catalog->snapshot;

    atomic_fetch_add(&snapshot->refs, 1);
    pthread_mutex_unlock(&catalog->lock);
    return snapshot;
}

void catalog_release(struct catalog_snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub(&snapshot->refs, 1) > 1)
        return;
    arena_release(&snapshot->arena);
    free(snapshot);
}

uint64_t catalog_generation(const struct catalog_snapshot *snapshot)
{
    return snapshot->generation;
}

uint32_t catalog_hash(struct slice namespace, struct slice project,
                      struct slice component)
{
    return map_hash(
        hash_mix(hash_mix(hash_bytes(namespace.ptr, namespace.len, 1),
                          hash_bytes(project.ptr, project.len, 2)),
                 hash_bytes(component.ptr, component.len, 3)));
}

const struct catalog_component *catalog_component(
    const struct catalog_snapshot *snapshot, struct slice namespace,
    struct slice project, struct slice component)
{
    map_each(&snapshot->by_name, catalog_hash(namespace, project, component),
             at) {
        const struct catalog_component *c = &snapshot->components[at];

        if (slice_equal(c->namespace, namespace) &&
            slice_equal(c->project, project) && slice_equal(c->name, component))
            return c;
    }
    return NULL;
}

uint32_t catalog_count(const struct catalog_snapshot *snapshot)
{
    return snapshot->count;
}

const struct catalog_component *catalog_at(
    const struct catalog_snapshot *snapshot, uint32_t index)
{
    return &snapshot->components[index];
}

/* ---- endpoints ---- */

/* Length of the base path plus one if it is a prefix of path and ends with a
 * segment, else 0. */
static size_t base_path_fits(struct slice base, struct slice path)
{
    while (base.len > 0 && base.ptr[base.len - 1] == '/')
        base.len--;
    if (!slice_starts(path, base))
        return 0;
    if (path.len > base.len && path.ptr[base.len] != '/' &&
        path.ptr[base.len] != '?')
        return 0;
    return base.len + 1;
}

const struct catalog_endpoint *catalog_match_endpoint(
    const struct catalog_component *component, uint16_t port, struct slice path)
{
    const struct catalog_endpoint *by_port = NULL, *by_path = NULL;
    size_t port_fit = 0, path_fit = 0;

    for (uint32_t i = 0; i < component->endpoint_count; i++) {
        const struct catalog_endpoint *e = &component->endpoints[i];
        size_t fit = e->base_path.len > 0 && path.len > 0
                         ? base_path_fits(e->base_path, path)
                         : 0;

        if (port != 0 && (e->target_port == port || e->port == port) &&
            (!by_port || fit > port_fit)) {
            by_port = e;
            port_fit = fit;
        }
        if (fit > path_fit) {
            by_path = e;
            path_fit = fit;
        }
    }
    return by_port ? by_port : by_path;
}
