/*
 * A generation is a list in order of saving (a later save of the same id must
 * be written later) and buckets by resource id over the resources in it. A
 * save is one allocation: the struct, then the bytes its slices point at.
 */
#include "saves.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "attr_codec.h"
#include "mem.h"

enum { BUCKETS = 256, RESOURCE_MAX_BYTES = 64 << 20 };

struct saves {
    struct saves *next; /* holds a reference on it */
    atomic_uint refs;
    uint64_t count;
    struct save *first, *last;
    struct save *buckets[BUCKETS];
};

struct saves *saves_new(void)
{
    struct saves *saves = mem_zero(1, sizeof(*saves));

    atomic_init(&saves->refs, 1);
    return saves;
}

struct saves *saves_ref(struct saves *saves)
{
    atomic_fetch_add_explicit(&saves->refs, 1, memory_order_relaxed);
    return saves;
}

void saves_free(struct saves *saves)
{
    while (saves && atomic_fetch_sub_explicit(&saves->refs, 1,
                                              memory_order_acq_rel) == 1) {
        struct saves *next = saves->next;

        for (struct save *save = saves->first; save;) {
            struct save *after = save->next;

            free(save);
            save = after;
        }
        free(saves);
        saves = next; /* whose reference we had */
    }
}

struct saves *saves_next(struct saves *saves)
{
    return saves->next;
}

struct saves *saves_start(struct saves *last)
{
    last->next = saves_new();
    return last->next;
}

uint64_t saves_count(const struct saves *saves)
{
    return saves->count;
}

static struct save *save_new(enum save_type type, uint32_t id, size_t bytes)
{
    struct save *save = mem_alloc(sizeof(*save) + bytes);

    *save = (struct save){.type = type, .id = id};
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

struct save *save_identity(const struct identity *identity)
{
    const struct slice texts[SAVE_TEXTS] = {
        identity->namespace,      identity->project,
        identity->component,      identity->environment,
        identity->project_uid,    identity->component_uid,
        identity->environment_uid};
    size_t size = 0;

    for (int i = 0; i < SAVE_TEXTS; i++)
        size += texts[i].len;

    struct save *save = save_new(SAVE_IDENTITY, identity->id, size);
    char *at = (char *)(save + 1);

    save->rule = identity->rule;
    for (int i = 0; i < SAVE_TEXTS; i++)
        save->texts[i] = put(&at, texts[i]);
    return save;
}

struct save *save_resource(uint32_t id, uint32_t identity, uint64_t hash,
                           const struct resource *resource)
{
    struct buf attrs;

    buf_init(&attrs, RESOURCE_MAX_BYTES);
    attrs_write(&attrs, &resource->attrs);

    struct slice bytes = buf_slice(&attrs);
    struct save *save =
        save_new(SAVE_RESOURCE, id, bytes.len + resource->schema_url.len);
    char *at = (char *)(save + 1);

    save->identity = identity;
    save->hash = hash;
    save->bytes = put(&at, bytes);
    save->texts[0] = put(&at, resource->schema_url);
    buf_release(&attrs);
    return save;
}

struct save *save_tag(uint32_t id, uint32_t identity)
{
    struct save *save = save_new(SAVE_TAG, id, 0);

    save->identity = identity;
    return save;
}

struct save *save_text(const char *name, struct slice text)
{
    struct slice key = slice_of(name);
    struct save *save = save_new(SAVE_TEXT, 0, key.len + text.len);
    char *at = (char *)(save + 1);

    save->texts[0] = put(&at, key);
    save->bytes = put(&at, text);
    return save;
}

uint64_t save_size(const struct save *save)
{
    uint64_t size = sizeof(*save) + save->bytes.len;

    for (int i = 0; i < SAVE_TEXTS; i++)
        size += save->texts[i].len;
    return size;
}

void saves_add(struct saves *saves, struct save *save)
{
    if (saves->last)
        saves->last->next = save;
    else
        saves->first = save;
    saves->last = save;
    saves->count++;
    if (save->type == SAVE_RESOURCE) {
        save->before = saves->buckets[save->id % BUCKETS];
        saves->buckets[save->id % BUCKETS] = save;
    }
}

const struct save *saves_find(const struct saves *saves, uint32_t resource)
{
    const struct save *found = NULL;

    for (; saves; saves = saves->next)
        for (const struct save *save = saves->buckets[resource % BUCKETS]; save;
             save = save->before)
            if (save->id == resource) {
                found = save;
                break;
            }
    return found;
}

static enum status write_one(const struct save *save, struct db *db)
{
    static const enum db_sql sql[] = {[SAVE_IDENTITY] = SQL_IDENTITY_SAVE,
                                      [SAVE_RESOURCE] = SQL_RESOURCE_SAVE,
                                      [SAVE_TAG] = SQL_RESOURCE_TAG,
                                      [SAVE_TEXT] = SQL_TEXT_SAVE};
    struct stmt s = stmt_start(db, sql[save->type]);

    switch (save->type) {
    case SAVE_IDENTITY:
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

enum status saves_write(const struct saves *saves, struct db *db)
{
    enum status status = OK;

    for (const struct save *save = saves->first; save && status == OK;
         save = save->next)
        status = write_one(save, db);
    return status;
}

enum status resource_read(struct slice schema_url, struct slice attrs,
                          uint32_t id, struct arena *arena,
                          struct resource *resource)
{
    /* Copied, since the attributes point into the bytes they came from. */
    struct scan in = scan_over(arena_copy(arena, attrs));
    struct resource found = {.schema_url = arena_copy(arena, schema_url),
                             .id = id};

    attrs_read(&in, arena, &found.attrs);
    if (arena_status(arena) != OK)
        return arena_status(arena);
    if (in.bad)
        return ERR_CORRUPT;
    *resource = found;
    return OK;
}
