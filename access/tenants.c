/*
 * The table: tenants are found by name under a lock for reading, and made under
 * one for writing. Their limits are numbers that the table sets when a file is
 * read; whoever asks for one takes no lock.
 */
#include "tenants_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "log.h"
#include "mem.h"

static bool use_text(void *arg, const char *path, struct slice text,
                     char error[REREAD_ERROR]);

struct tenants *tenants_new(void)
{
    struct tenants *tenants = mem_zero(1, sizeof(*tenants));

    pthread_rwlock_init(&tenants->lock, NULL);
    pthread_mutex_init(&tenants->window.lock, NULL);
    tenants->file = (struct reread_file){.name = "limits",
                                         .max = LIMITS_MAX_BYTES,
                                         .use = use_text,
                                         .arg = tenants};
    reread_file_init(&tenants->file);
    return tenants;
}

void tenants_free(struct tenants *tenants)
{
    if (!tenants)
        return;
    for (uint32_t i = 0; i < tenants->count; i++) {
        pthread_mutex_destroy(&tenants->at[i]->lock);
        free(tenants->at[i]->name);
        free(tenants->at[i]);
    }
    free(tenants->at);
    map_release(&tenants->by_name);
    limits_release(&tenants->limits);
    pthread_rwlock_destroy(&tenants->lock);
    pthread_mutex_destroy(&tenants->window.lock);
    reread_file_release(&tenants->file);
    free(tenants);
}

/* ---- finding; the caller holds the lock ---- */

static bool names_namespace(struct slice name)
{
    return !slice_equal(name, SLICE(TENANT_SEVERAL)) &&
           !slice_equal(name, SLICE(TENANT_ANONYMOUS)) &&
           !slice_equal(name, SLICE(TENANT_OTHER));
}

static struct tenant *find(const struct tenants *tenants, struct slice name)
{
    map_each(&tenants->by_name, map_hash_slice(name), at)
        if (slice_equal(name, slice_of(tenants->at[at]->name)))
            return tenants->at[at];
    return NULL;
}

static void set_limits(struct tenant *tenant)
{
    struct limit_values values = limits_of(
        &tenant->tenants->limits, slice_of(tenant->name), tenant->is_namespace);

    for (int i = 0; i < LIMIT_COUNT; i++)
        atomic_store_explicit(&tenant->limits[i],
                              values.set & 1u << i ? values.value[i] : 0,
                              memory_order_relaxed);
}

static struct tenant *make(struct tenants *tenants, struct slice name)
{
    struct tenant *tenant = mem_zero(1, sizeof(*tenant));

    tenant->tenants = tenants;
    tenant->name = mem_copy(name.ptr, name.len);
    tenant->number = tenants->count;
    tenant->is_namespace = names_namespace(name);
    pthread_mutex_init(&tenant->lock, NULL);
    for (int i = 0; i < TENANT_MEMORIES; i++)
        budget_init(&tenant->memory[i], SIZE_MAX);
    set_limits(tenant);
    (void)map_add(&tenants->by_name, map_hash_slice(name), tenants->count);
    (void)array_append(&tenants->at, tenants->count, &tenants->room);
    tenants->at[tenants->count++] = tenant;
    return tenant;
}

struct tenant *tenants_find(struct tenants *tenants, struct slice name)
{
    struct tenant *tenant;

    pthread_rwlock_rdlock(&tenants->lock);
    tenant = find(tenants, name);
    pthread_rwlock_unlock(&tenants->lock);
    if (tenant)
        return tenant;
    pthread_rwlock_wrlock(&tenants->lock);
    if (tenants->count >= TENANTS_MAX && names_namespace(name))
        name = SLICE(TENANT_OTHER);
    tenant = find(tenants, name); /* by another thread, meanwhile */
    if (!tenant)
        tenant = make(tenants, name);
    pthread_rwlock_unlock(&tenants->lock);
    return tenant;
}

struct tenant *tenants_of(struct tenants *tenants,
                          const struct subject *subject, enum action action)
{
    struct slice name;

    if (!subject || subject->kind == SUBJECT_EVERYONE ||
        subject->grants.count == 0)
        return tenants_find(tenants, SLICE(TENANT_ANONYMOUS));
    name = grants_namespace(subject->grants, action);
    return tenants_find(tenants, name.len ? name : SLICE(TENANT_SEVERAL));
}

struct slice tenant_name(const struct tenant *tenant)
{
    return slice_of(tenant->name);
}

bool tenant_is_namespace(const struct tenant *tenant)
{
    return tenant && tenant->is_namespace;
}

uint32_t tenant_number(const struct tenant *tenant)
{
    return tenant->number;
}

struct budget *tenant_memory(struct tenant *tenant, enum tenant_memory memory)
{
    return &tenant->memory[memory];
}

/* ---- limits ---- */

uint64_t tenant_limit(const struct tenant *tenant, enum tenant_limit limit,
                      uint64_t otherwise)
{
    uint64_t value = tenant ? atomic_load_explicit(&tenant->limits[limit],
                                                   memory_order_relaxed)
                            : 0;

    return value ? value : otherwise;
}

uint64_t tenants_limit(struct tenants *tenants, struct slice namespace,
                       enum tenant_limit limit, uint64_t otherwise)
{
    struct limit_values values;

    if (!tenants)
        return otherwise;
    pthread_rwlock_rdlock(&tenants->lock);
    values = limits_of(&tenants->limits, namespace, true);
    pthread_rwlock_unlock(&tenants->lock);
    return values.set & 1u << limit ? values.value[limit] : otherwise;
}

enum status tenants_set_limits(struct tenants *tenants, struct slice text,
                               char *error, size_t size)
{
    struct limits limits;
    enum status status = limits_parse(text, &limits, error, size);

    if (status != OK)
        return status;
    pthread_rwlock_wrlock(&tenants->lock);
    limits_release(&tenants->limits);
    tenants->limits = limits;
    for (uint32_t i = 0; i < tenants->count; i++)
        set_limits(tenants->at[i]);
    pthread_rwlock_unlock(&tenants->lock);
    return OK;
}

/* ---- the file ---- */

static bool use_text(void *arg, const char *path, struct slice text,
                     char error[REREAD_ERROR])
{
    struct tenants *tenants = arg;

    if (tenants_set_limits(tenants, text, error, REREAD_ERROR) != OK)
        return false;
    log_info("access", "read the limits", log_text("file", path),
             log_uint("namespaces", tenants->limits.count));
    return true;
}

bool tenants_note(struct tenants *tenants, struct buf *out)
{
    return reread_file_note(&tenants->file, out);
}

bool tenants_read_limits(struct tenants *tenants, const char *path)
{
    return reread_file(&tenants->file, path);
}
