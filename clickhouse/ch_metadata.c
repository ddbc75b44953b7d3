/*
 * Functions of metadata.h over ClickHouse; see ch_metadata.h. Resources are in
 * a table of their own, offsets in Kafka, and the state of correlators in
 * checkpoints: what saves these here does nothing.
 */
#include "ch_metadata.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "log.h"
#include "mem.h"

static struct ch_metadata *own(const struct metadata *metadata)
{
    return (struct ch_metadata *)(uintptr_t)metadata;
}

/* ---- named values ---- */

static void save_value(struct metadata *metadata, const char *name,
                       struct slice value)
{
    struct ch_metadata *own_metadata = own(metadata);
    size_t len = strlen(name);
    struct ch_pending_value *pending =
        mem_alloc(sizeof(*pending) + len + value.len);
    char *text = (char *)(pending + 1);
    struct ch_pending_value **at;

    memcpy(text, name, len);
    slice_copy(text + len, value);
    *pending = (struct ch_pending_value){.name = {text, len},
                                         .value = {text + len, value.len}};
    pthread_mutex_lock(&own_metadata->lock);
    for (at = &own_metadata->pending; *at; at = &(*at)->next)
        if (slice_equal((*at)->name, pending->name)) {
            struct ch_pending_value *old = *at;

            *at = old->next;
            free(old);
            break;
        }
    while (*at)
        at = &(*at)->next;
    *at = pending;
    pthread_mutex_unlock(&own_metadata->lock);
}

/* Those that were not sent come before what was saved meanwhile. */
static void give_back(struct ch_metadata *metadata,
                      struct ch_pending_value *list)
{
    struct ch_pending_value *newer;

    pthread_mutex_lock(&metadata->lock);
    newer = metadata->pending;
    metadata->pending = list;
    while (list && list->next)
        list = list->next;
    if (list)
        list->next = newer;
    else
        metadata->pending = newer;
    pthread_mutex_unlock(&metadata->lock);
}

static void free_pending(struct ch_pending_value *list)
{
    while (list) {
        struct ch_pending_value *next = list->next;

        free(list);
        list = next;
    }
}

enum status ch_metadata_flush(struct ch_metadata *metadata)
{
    enum { MOST = 64 };
    struct ch_value_row rows[MOST];
    struct ch_pending_value *list, *rest;
    uint32_t count = 0;
    enum status status;

    pthread_mutex_lock(&metadata->lock);
    list = metadata->pending;
    metadata->pending = NULL;
    pthread_mutex_unlock(&metadata->lock);
    if (!list)
        return OK;
    for (rest = list; rest && count < MOST; rest = rest->next)
        rows[count++] = (struct ch_value_row){
            .kind = "value", .name = rest->name, .value = rest->value};
    status = ch_values_put(metadata, rows, count);
    if (status != OK) {
        give_back(metadata, list);
        return status;
    }
    while (count-- > 0) {
        struct ch_pending_value *next = list->next;

        free(list);
        list = next;
    }
    if (!list)
        return OK;
    give_back(metadata, list);
    return ch_metadata_flush(metadata);
}

static enum status sync_values(struct metadata *metadata)
{
    return ch_metadata_flush(own(metadata));
}

struct one_value {
    struct arena *arena;
    struct slice value;
};

static void take_value(void *arg, struct slice name, struct slice value)
{
    struct one_value *one = arg;

    (void)name;
    one->value = arena_copy(one->arena, value);
}

static enum status load_one(struct ch_metadata *metadata, const char *kind,
                            const char *name, struct arena *arena,
                            struct slice *value)
{
    struct one_value one = {.arena = arena};
    const struct slice of = slice_of(name);
    enum status status = ch_metadata_flush(metadata);

    if (status == OK)
        status = ch_values_load(metadata, kind, &of, take_value, &one);
    if (status == OK)
        status = arena_status(arena);
    *value = one.value;
    return status;
}

static enum status load_value(struct metadata *metadata, const char *name,
                              struct arena *arena, struct slice *value)
{
    return load_one(own(metadata), "value", name, arena, value);
}

static enum status create_value(struct metadata *metadata, const char *name,
                                struct slice value, struct arena *arena,
                                struct slice *stored)
{
    const struct ch_value_row row = {.kind = "value",
                                     .name = slice_of(name),
                                     .value = value,
                                     .version = CH_VERSION_FIRST};
    enum status status = load_value(metadata, name, arena, stored);

    if (status != OK || stored->len > 0)
        return status;
    status = ch_values_put(own(metadata), &row, 1);
    return status == OK ? load_value(metadata, name, arena, stored) : status;
}

/* ---- the catalogue ---- */

static enum status save_catalog(struct metadata *metadata,
                                struct slice document)
{
    const struct ch_value_row row = {.kind = "catalog", .value = document};

    return ch_values_put(own(metadata), &row, 1);
}

static enum status load_catalog(struct metadata *metadata, struct arena *arena,
                                struct slice *document)
{
    return load_one(own(metadata), "catalog", "", arena, document);
}

/* ---- reports: an entry each; a slot is where this instance has it ---- */

static void new_report_name(char name[CH_REPORT_NAME])
{
    uint64_t random[2] = {0, 0};

    (void)getrandom(random, sizeof(random), 0);
    (void)snprintf(name, CH_REPORT_NAME, "%016llx%016llx",
                   (unsigned long long)random[0],
                   (unsigned long long)random[1]);
}

/* A report that was written again has its number and stays the same entry;
 * another one takes the place of the entry that the slot had. */
static enum status save_report(struct metadata *metadata, uint32_t slot,
                               uint64_t number, struct slice document)
{
    struct ch_metadata *own_metadata = own(metadata);
    struct ch_value_row rows[2] = {{.kind = "report", .value = document},
                                   {.kind = "report", .deleted = true}};
    struct ch_report_slot new = {.number = number}, old;
    enum status status;

    if (slot >= CH_REPORTS)
        return ERR_INVALID;
    pthread_mutex_lock(&own_metadata->lock);
    old = own_metadata->reports[slot];
    pthread_mutex_unlock(&own_metadata->lock);
    if (old.name[0] && old.number == number)
        new = old;
    else
        new_report_name(new.name);
    rows[0].name = slice_of(new.name);
    rows[1].name = slice_of(old.name);
    status = ch_values_put(own_metadata, rows,
                           old.name[0] && old.number != number ? 2 : 1);
    if (status != OK)
        return status;
    pthread_mutex_lock(&own_metadata->lock);
    own_metadata->reports[slot] = new;
    pthread_mutex_unlock(&own_metadata->lock);
    return OK;
}

struct report_load {
    struct ch_metadata *metadata;
    metadata_report_visit *visit;
    void *arg;
    uint64_t number;
};

/* The oldest first: more reports than slots overwrite the oldest. */
static void take_report(void *arg, struct slice name, struct slice value)
{
    struct report_load *load = arg;
    uint32_t slot = (uint32_t)(load->number++ % CH_REPORTS);
    struct ch_report_slot *to = &load->metadata->reports[slot];

    if (name.len >= CH_REPORT_NAME)
        return;
    pthread_mutex_lock(&load->metadata->lock);
    *to = (struct ch_report_slot){.number = load->number};
    slice_copy(to->name, name);
    pthread_mutex_unlock(&load->metadata->lock);
    load->visit(load->arg, slot, load->number, value);
}

static enum status load_reports(struct metadata *metadata,
                                metadata_report_visit *visit, void *arg)
{
    struct report_load load = {
        .metadata = own(metadata), .visit = visit, .arg = arg};

    return ch_values_load(own(metadata), "report", NULL, take_report, &load);
}

/* ---- entries ---- */

static enum status save_entries(struct metadata *metadata, const char *kind,
                                const struct metadata_entry *entries,
                                uint32_t count)
{
    struct ch_value_row *rows;
    enum status status;

    if (count == 0)
        return OK;
    rows = mem_zero(count, sizeof(*rows));
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (struct ch_value_row){.kind = kind,
                                        .name = entries[i].name,
                                        .value = entries[i].value,
                                        .deleted = entries[i].deleted};
    status = ch_values_put(own(metadata), rows, count);
    free(rows);
    return status;
}

static enum status load_entries(struct metadata *metadata, const char *kind,
                                metadata_entry_visit *visit, void *arg)
{
    return ch_values_load(own(metadata), kind, NULL, visit, arg);
}

/* ---- what is elsewhere ---- */

static enum status load_nothing(struct metadata *metadata,
                                metadata_identity_visit *identity,
                                metadata_resource_visit *resource, void *arg)
{
    (void)metadata, (void)identity, (void)resource, (void)arg;
    return OK;
}

static enum status load_no_state(struct metadata *metadata, struct arena *arena,
                                 struct slice *state)
{
    (void)metadata, (void)arena;
    *state = (struct slice){NULL, 0};
    return OK;
}

static enum status load_no_requests(struct metadata *metadata,
                                    metadata_request_visit *visit, void *arg)
{
    (void)metadata, (void)visit, (void)arg;
    return OK;
}

static bool no_offset(struct metadata *metadata, struct slice topic,
                      uint32_t partition, uint64_t *next)
{
    (void)metadata, (void)topic, (void)partition, (void)next;
    return false;
}

static void save_no_identity(struct metadata *metadata,
                             const struct identity *identity)
{
    (void)metadata, (void)identity;
}

static void save_no_resource(struct metadata *metadata, uint32_t id,
                             uint32_t identity, uint64_t hash,
                             const struct resource *resource)
{
    (void)metadata, (void)id, (void)identity, (void)hash, (void)resource;
}

static void save_no_resource_identity(struct metadata *metadata, uint32_t id,
                                      uint32_t identity)
{
    (void)metadata, (void)id, (void)identity;
}

static const struct metadata_ops ch_metadata_ops = {
    .create_value = create_value,
    .load = load_nothing,
    .load_catalog = load_catalog,
    .load_derived_state = load_no_state,
    .load_entries = load_entries,
    .load_reports = load_reports,
    .load_requests = load_no_requests,
    .load_value = load_value,
    .next_offset = no_offset,
    .save_catalog = save_catalog,
    .save_entries = save_entries,
    .save_identity = save_no_identity,
    .save_report = save_report,
    .save_resource = save_no_resource,
    .save_resource_identity = save_no_resource_identity,
    .save_value = save_value,
    .sync = sync_values,
};

void ch_metadata_open(struct ch_metadata *metadata, struct ch_client *client,
                      const atomic_bool *stopping)
{
    *metadata = (struct ch_metadata){
        .head = {&ch_metadata_ops}, .client = client, .stopping = stopping};
    pthread_mutex_init(&metadata->lock, NULL);
}

void ch_metadata_close(struct ch_metadata *metadata)
{
    if (metadata->client && ch_metadata_flush(metadata) != OK)
        log_warn("clickhouse", "values are lost", LOG_NONE);
    free_pending(metadata->pending);
    pthread_mutex_destroy(&metadata->lock);
}
