/*
 * A generation is a list in order of saving (a later save of the same id must
 * be written later) and buckets by resource id over the resources in it. A
 * save is one allocation: the struct, then the bytes its slices point at.
 */
#include "pending_writes.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "attr_codec.h"
#include "mem.h"

enum { BUCKETS = 256, RESOURCE_MAX_BYTES = 64 << 20 };

struct pending_writes {
    struct pending_writes *next; /* holds a reference on it */
    atomic_uint refs;
    uint64_t count;
    struct pending_write *first, *last;
    struct pending_write *buckets[BUCKETS];
};

struct pending_writes *pending_writes_new(void)
{
    struct pending_writes *pending_writes =
        mem_zero(1, sizeof(*pending_writes));

    atomic_init(&pending_writes->refs, 1);
    return pending_writes;
}

struct pending_writes *pending_writes_ref(struct pending_writes *pending_writes)
{
    atomic_fetch_add_explicit(&pending_writes->refs, 1, memory_order_relaxed);
    return pending_writes;
}

void pending_writes_free(struct pending_writes *pending_writes)
{
    while (pending_writes &&
           atomic_fetch_sub_explicit(&pending_writes->refs, 1,
                                     memory_order_acq_rel) == 1) {
        struct pending_writes *next = pending_writes->next;

        for (struct pending_write *save = pending_writes->first; save;) {
            struct pending_write *after = save->next;

            free(save);
            save = after;
        }
        free(pending_writes);
        pending_writes = next; /* whose reference we had */
    }
}

struct pending_writes *pending_writes_next(
    struct pending_writes *pending_writes)
{
    return pending_writes->next;
}

struct pending_writes *pending_writes_start(struct pending_writes *last)
{
    last->next = pending_writes_new();
    return last->next;
}

uint64_t pending_writes_count(const struct pending_writes *pending_writes)
{
    return pending_writes->count;
}

static struct pending_write *save_new(enum pending_write_type type, uint32_t id,
                                      size_t bytes)
{
    struct pending_write *save = mem_alloc(sizeof(*save) + bytes);

    *save = (struct pending_write){.type = type, .id = id};
    return save;
}

/* Copies s to *at, moves *at on. */
static struct slice put(char **at, struct slice s)
{
    struct slice copy = {*at, s.len};

    slice_copy(*at, s);
    *at += s.len;
    return copy;
}

struct pending_write *save_identity(const struct identity *identity)
{
    const struct slice texts[SAVE_TEXTS] = {
        identity->namespace,      identity->project,
        identity->component,      identity->environment,
        identity->project_uid,    identity->component_uid,
        identity->environment_uid};
    size_t size = 0;

    for (int i = 0; i < SAVE_TEXTS; i++)
        size += texts[i].len;

    struct pending_write *save = save_new(WRITE_IDENTITY, identity->id, size);
    char *at = (char *)(save + 1);

    save->rule = identity->rule;
    for (int i = 0; i < SAVE_TEXTS; i++)
        save->texts[i] = put(&at, texts[i]);
    return save;
}

struct pending_write *save_resource(uint32_t id, uint32_t identity,
                                    uint64_t hash,
                                    const struct resource *resource)
{
    struct buf attrs;

    buf_init(&attrs, RESOURCE_MAX_BYTES);
    attrs_write(&attrs, &resource->attrs, ATTR_FORM_CHUNK);

    struct slice bytes = buf_slice(&attrs);
    struct pending_write *save =
        save_new(SAVE_RESOURCE, id, bytes.len + resource->schema_url.len);
    char *at = (char *)(save + 1);

    save->identity = identity;
    save->hash = hash;
    save->bytes = put(&at, bytes);
    save->texts[0] = put(&at, resource->schema_url);
    buf_release(&attrs);
    return save;
}

struct pending_write *save_tag(uint32_t id, uint32_t identity)
{
    struct pending_write *save = save_new(SAVE_TAG, id, 0);

    save->identity = identity;
    return save;
}

struct pending_write *save_text(const char *name, struct slice text)
{
    struct slice key = slice_of(name);
    struct pending_write *save = save_new(SAVE_TEXT, 0, key.len + text.len);
    char *at = (char *)(save + 1);

    save->texts[0] = put(&at, key);
    save->bytes = put(&at, text);
    return save;
}

uint64_t save_size(const struct pending_write *save)
{
    uint64_t size = sizeof(*save) + save->bytes.len;

    for (int i = 0; i < SAVE_TEXTS; i++)
        size += save->texts[i].len;
    return size;
}

void pending_writes_add(struct pending_writes *pending_writes,
                        struct pending_write *save)
{
    if (pending_writes->last)
        pending_writes->last->next = save;
    else
        pending_writes->first = save;
    pending_writes->last = save;
    pending_writes->count++;
    if (save->type == SAVE_RESOURCE) {
        save->before = pending_writes->buckets[save->id % BUCKETS];
        pending_writes->buckets[save->id % BUCKETS] = save;
    }
}

const struct pending_write *pending_writes_find_resource(
    const struct pending_writes *pending_writes, uint32_t resource)
{
    const struct pending_write *found = NULL;

    for (; pending_writes; pending_writes = pending_writes->next)
        for (const struct pending_write *save =
                 pending_writes->buckets[resource % BUCKETS];
             save; save = save->before)
            if (save->id == resource) {
                found = save;
                break;
            }
    return found;
}

static enum status write_one(const struct pending_write *save, struct db *db)
{
    static const enum db_sql sql[] = {[WRITE_IDENTITY] = SQL_IDENTITY_SAVE,
                                      [SAVE_RESOURCE] = SQL_RESOURCE_SAVE,
                                      [SAVE_TAG] = SQL_RESOURCE_TAG,
                                      [SAVE_TEXT] = SQL_TEXT_SAVE};
    struct db_stmt s = stmt_start(db, sql[save->type]);

    switch (save->type) {
    case WRITE_IDENTITY:
        stmt_int(&s, save->id);
        stmt_int(&s, save->rule);
        for (int i = 0; i < SAVE_TEXTS; i++)
            stmt_text(&s, save->texts[i]);
        break;
    case SAVE_RESOURCE:
        stmt_int(&s, save->id);
        stmt_int(&s, save->identity);
        stmt_int(&s, save->hash);
        stmt_text(&s, save->texts[0]);
        stmt_bytes(&s, save->bytes);
        break;
    case SAVE_TAG:
        stmt_int(&s, save->id);
        stmt_int(&s, save->identity);
        break;
    case SAVE_TEXT:
        stmt_text(&s, save->texts[0]);
        stmt_bytes(&s, save->bytes);
        break;
    }
    return stmt_run(&s);
}

enum status pending_writes_write(const struct pending_writes *pending_writes,
                                 struct db *db)
{
    enum status status = OK;

    for (const struct pending_write *save = pending_writes->first;
         save && status == OK; save = save->next)
        status = write_one(save, db);
    return status;
}

enum status resource_read(struct slice schema_url, struct slice attrs,
                          uint32_t id, struct arena *arena,
                          struct resource *resource)
{
    /* Copied, since the attributes point into the bytes they came from. */
    struct byte_reader in = byte_reader_over(arena_copy(arena, attrs));
    struct resource found = {.schema_url = arena_copy(arena, schema_url),
                             .id = id};

    attrs_read(&in, arena, ATTR_FORM_CHUNK, &found.attrs);
    if (arena_status(arena) != OK)
        return arena_status(arena);
    if (in.bad)
        return ERR_CORRUPT;
    *resource = found;
    return OK;
}
