/*
 * A generation is a list in order of saving (a later write of the same id must
 * be executed later) and buckets by resource id over the resources in it. A
 * write is one allocation: the struct, then the bytes its parameters refer to.
 */
#include "pending_writes.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "attr_codec.h"
#include "mem.h"

enum { BUCKETS = 256, RESOURCE_MAX_BYTES = 64 << 20 };

/* Parameters of SQL_RESOURCE_SAVE. */
enum { RESOURCE_ID, RESOURCE_IDENTITY, RESOURCE_HASH, SCHEMA_URL, ATTRS };

struct pending_writes {
    struct pending_writes *next; /* holds a reference on it */
    atomic_uint refs;
    uint64_t count;
    struct pending_write *first, *last;
    struct pending_write *buckets[BUCKETS];
};

struct pending_writes *pending_writes_new(void)
{
    struct pending_writes *writes = mem_zero(1, sizeof(*writes));

    atomic_init(&writes->refs, 1);
    return writes;
}

struct pending_writes *pending_writes_ref(struct pending_writes *writes)
{
    atomic_fetch_add_explicit(&writes->refs, 1, memory_order_relaxed);
    return writes;
}

void pending_writes_free(struct pending_writes *writes)
{
    while (writes && atomic_fetch_sub_explicit(&writes->refs, 1,
                                               memory_order_acq_rel) == 1) {
        struct pending_writes *next = writes->next;

        for (struct pending_write *write = writes->first; write;) {
            struct pending_write *after = write->next;

            free(write);
            write = after;
        }
        free(writes);
        writes = next; /* whose reference it had */
    }
}

struct pending_writes *pending_writes_next(struct pending_writes *writes)
{
    return writes->next;
}

struct pending_writes *pending_writes_start(struct pending_writes *last)
{
    last->next = pending_writes_new();
    return last->next;
}

uint64_t pending_writes_count(const struct pending_writes *writes)
{
    return writes->count;
}

uint64_t pending_write_size(const struct pending_write *write)
{
    uint64_t size = sizeof(*write) + write->count * sizeof(*write->params);

    for (uint32_t i = 0; i < write->count; i++)
        size += write->params[i].bytes.len;
    return size;
}

static struct pending_write *new_write(enum db_sql sql,
                                       const struct db_param *params,
                                       size_t count)
{
    size_t size =
        sizeof(struct pending_write) + count * sizeof(struct db_param);

    for (size_t i = 0; i < count; i++)
        size += params[i].bytes.len;

    struct pending_write *write = mem_alloc(size);
    char *at = (char *)(write->params + count);

    *write = (struct pending_write){.sql = sql, .count = (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        write->params[i] = params[i];
        write->params[i].bytes.ptr = at;
        slice_copy(at, params[i].bytes);
        at += params[i].bytes.len;
    }
    return write;
}

struct pending_write *pending_identity(const struct identity *identity)
{
    return new_write(
        SQL_IDENTITY_SAVE,
        DB_PARAMS(db_int(identity->id), db_int(identity->rule),
                  db_text(identity->namespace), db_text(identity->project),
                  db_text(identity->component), db_text(identity->environment),
                  db_text(identity->project_uid),
                  db_text(identity->component_uid),
                  db_text(identity->environment_uid)));
}

struct pending_write *pending_resource(uint32_t id, uint32_t identity,
                                       uint64_t hash,
                                       const struct resource *resource)
{
    struct buf attrs;

    buf_init(&attrs, RESOURCE_MAX_BYTES);
    attrs_write(&attrs, &resource->attrs, ATTR_FORM_CHUNK);

    struct pending_write *write = new_write(
        SQL_RESOURCE_SAVE,
        DB_PARAMS(db_int(id), db_int(identity), db_int(hash),
                  db_text(resource->schema_url), db_bytes(buf_slice(&attrs))));
    buf_release(&attrs);
    return write;
}

struct pending_write *pending_resource_identity(uint32_t id, uint32_t identity)
{
    return new_write(SQL_RESOURCE_TAG, DB_PARAMS(db_int(id), db_int(identity)));
}

struct pending_write *pending_value(const char *name, struct slice value)
{
    return new_write(SQL_VALUE_SAVE,
                     DB_PARAMS(db_text(slice_of(name)), db_bytes(value)));
}

struct pending_write *pending_catalog(struct slice document)
{
    return new_write(SQL_CATALOG_SAVE, DB_PARAMS(db_bytes(document)));
}

struct pending_write *pending_report(uint32_t slot, uint64_t number,
                                     struct slice document)
{
    return new_write(SQL_REPORT_SAVE, DB_PARAMS(db_int(slot), db_int(number),
                                                db_bytes(document)));
}

static uint64_t resource_id(const struct pending_write *write)
{
    return write->params[RESOURCE_ID].number;
}

void pending_writes_add(struct pending_writes *writes,
                        struct pending_write *write)
{
    if (writes->last)
        writes->last->next = write;
    else
        writes->first = write;
    writes->last = write;
    writes->count++;
    if (write->sql == SQL_RESOURCE_SAVE) {
        struct pending_write **bucket =
            &writes->buckets[resource_id(write) % BUCKETS];

        write->before = *bucket;
        *bucket = write;
    }
}

bool pending_writes_find_resource(const struct pending_writes *writes,
                                  uint32_t id, struct slice *schema_url,
                                  struct slice *attrs)
{
    bool found = false;

    for (; writes; writes = writes->next) {
        const struct pending_write *write = writes->buckets[id % BUCKETS];

        while (write && resource_id(write) != id)
            write = write->before;
        if (!write)
            continue;
        *schema_url = write->params[SCHEMA_URL].bytes;
        *attrs = write->params[ATTRS].bytes;
        found = true;
    }
    return found;
}

enum status pending_writes_write(const struct pending_writes *writes,
                                 struct db *db)
{
    enum status status = OK;

    for (const struct pending_write *write = writes->first;
         write && status == OK; write = write->next)
        status =
            db_finish(db_start(db, write->sql, write->params, write->count));
    return status;
}

enum status resource_read(struct slice schema_url, struct slice attrs,
                          uint32_t id, struct arena *arena,
                          struct resource *resource)
{
    /* Copied, because the attributes refer to the bytes they are read from. */
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
