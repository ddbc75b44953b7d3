/*
 * The bytes of a writer:
 *
 *   1  flags: 1 override
 *   1  length of the tenant's name, then the name
 *   then for each scope:
 *   1  bits of the names that it fixes: 1 namespace, 2 project, 4 component,
 *      8 environment
 *      for each of these, in that order: 1 length, at least 1, then the name
 */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { FLAG_OVERRIDE = 1, FLAGS = 1, HEAD = 2, NAME_BITS = 15 };

static struct writer *make(size_t len)
{
    struct writer *writer = mem_alloc(sizeof(*writer) + len);

    *writer = (struct writer){.refs = 1, .len = (uint32_t)len};
    return writer;
}

/* Sets what is read from the bytes. */
static void index_bytes(struct writer *writer)
{
    writer->override = writer->bytes[0] & FLAG_OVERRIDE;
    writer->tenant =
        (struct slice){writer->bytes + HEAD, (uint8_t)writer->bytes[1]};
    writer->scopes_at = HEAD + (uint32_t)writer->tenant.len;
}

/* 0: a name is too long. */
static size_t scope_size(const struct writer_scope *scope)
{
    size_t size = 1;

    for (int i = 0; i < IDENTITY_NAMES; i++) {
        if (scope->name[i].len > WRITER_MAX_NAME)
            return 0;
        if (scope->name[i].len > 0)
            size += 1 + scope->name[i].len;
    }
    return size;
}

static char *put_name(char *to, struct slice name)
{
    *to = (char)name.len;
    slice_copy(to + 1, name);
    return to + 1 + name.len;
}

static char *put_scope(char *to, const struct writer_scope *scope)
{
    char *bits = to++;

    *bits = 0;
    for (int i = 0; i < IDENTITY_NAMES; i++)
        if (scope->name[i].len > 0) {
            *bits = (char)(*bits | 1 << i);
            to = put_name(to, scope->name[i]);
        }
    return to;
}

struct writer *writer_new(struct slice tenant, bool override,
                          const struct writer_scope *scopes, size_t count)
{
    size_t len = HEAD + tenant.len;
    struct writer *writer;
    char *to;

    for (size_t i = 0; i < count && len <= WRITER_MAX_BYTES; i++) {
        size_t size = scope_size(&scopes[i]);

        if (size == 0)
            return NULL;
        len += size;
    }
    if (tenant.len > WRITER_MAX_NAME || len > WRITER_MAX_BYTES)
        return NULL;
    writer = make(len);
    writer->bytes[0] = override ? FLAG_OVERRIDE : 0;
    to = put_name(writer->bytes + 1, tenant);
    for (size_t i = 0; i < count; i++)
        to = put_scope(to, &scopes[i]);
    index_bytes(writer);
    return writer;
}

/* Reads the scope at *at; false: the bytes end within it or are not such. */
static bool read_scope(struct slice bytes, uint32_t *at,
                       struct writer_scope *scope)
{
    uint32_t end = (uint32_t)bytes.len, next = *at + 1;
    uint8_t bits = (uint8_t)bytes.ptr[*at];

    *scope = (struct writer_scope){.name = {{NULL, 0}}};
    if (bits & ~NAME_BITS)
        return false;
    for (int i = 0; i < IDENTITY_NAMES; i++) {
        size_t len;

        if (!(bits >> i & 1))
            continue;
        if (next >= end)
            return false;
        len = (uint8_t)bytes.ptr[next++];
        if (len == 0 || len > end - next)
            return false;
        scope->name[i] = (struct slice){bytes.ptr + next, len};
        next += (uint32_t)len;
    }
    *at = next;
    return true;
}

struct writer *writer_decode(struct slice bytes)
{
    struct writer_scope scope;
    struct writer *writer;
    uint32_t at;

    if (bytes.len < HEAD || bytes.len > WRITER_MAX_BYTES ||
        bytes.ptr[0] & ~FLAGS || (uint8_t)bytes.ptr[1] > bytes.len - HEAD)
        return NULL;
    at = HEAD + (uint8_t)bytes.ptr[1];
    while (at < bytes.len)
        if (!read_scope(bytes, &at, &scope))
            return NULL;
    writer = make(bytes.len);
    slice_copy(writer->bytes, bytes);
    index_bytes(writer);
    return writer;
}

struct writer *writer_ref(struct writer *writer)
{
    if (writer)
        atomic_fetch_add_explicit(&writer->refs, 1, memory_order_relaxed);
    return writer;
}

void writer_free(struct writer *writer)
{
    if (writer &&
        atomic_fetch_sub_explicit(&writer->refs, 1, memory_order_acq_rel) == 1)
        free(writer);
}

bool writer_next_scope(const struct writer *writer, uint32_t *at,
                       struct writer_scope *scope)
{
    if (*at == 0)
        *at = writer->scopes_at;
    return *at < writer->len && read_scope(writer_bytes(writer), at, scope);
}
