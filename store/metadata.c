/*
 * Saving is adding to the newest generation of pending writes; the writer's
 * thread does the rest. See metadata_int.h.
 */
#include "metadata_int.h"

#include "clock.h"

/* A write is committed no later than this, with records or without. */
#define SAVE_DELAY_NS (500 * NS_PER_MS)

void metadata_init(struct metadata *metadata, struct commit_state *commits,
                   const char *path)
{
    *metadata = (struct metadata){.commits = commits,
                                  .path = path,
                                  .offsets = kafka_offsets_new(),
                                  .requests = stored_requests_new()};
    metadata->oldest = metadata->newest = pending_writes_new();
}

enum status metadata_open(struct metadata *metadata, struct db *db)
{
    enum status status = kafka_offsets_load(metadata->offsets, db);

    return status == OK ? stored_requests_load(metadata->requests, db) : status;
}

void metadata_release(struct metadata *metadata)
{
    pending_writes_free(metadata->oldest);
    kafka_offsets_free(metadata->offsets);
    stored_requests_free(metadata->requests);
}

/* ---- saving ---- */

bool metadata_full(const struct metadata *metadata)
{
    return metadata->saved_bytes - metadata->committed_bytes >
           PENDING_MAX_BYTES;
}

static void save(struct metadata *metadata, struct pending_write *write)
{
    struct commit_state *commits = metadata->commits;

    pthread_mutex_lock(&commits->lock);
    bool was_full = metadata_full(metadata);
    pending_writes_add(metadata->newest, write);
    metadata->saved++;
    metadata->saved_bytes += pending_write_size(write);
    if (metadata->due_ns == 0) {
        metadata->due_ns = clock_monotonic_ns() + SAVE_DELAY_NS;
        pthread_cond_signal(&commits->work);
    } else if (!was_full && metadata_full(metadata)) {
        pthread_cond_signal(&commits->work);
    }
    pthread_mutex_unlock(&commits->lock);
}

void embedded_save_identity(struct metadata *metadata,
                            const struct identity *identity)
{
    save(metadata, pending_identity(identity));
}

void embedded_save_resource(struct metadata *metadata, uint32_t id,
                            uint32_t identity, uint64_t hash,
                            const struct resource *resource)
{
    save(metadata, pending_resource(id, identity, hash, resource));
}

void embedded_save_resource_identity(struct metadata *metadata, uint32_t id,
                                     uint32_t identity)
{
    save(metadata, pending_resource_identity(id, identity));
}

void embedded_save_value(struct metadata *metadata, const char *name,
                         struct slice value)
{
    save(metadata, pending_value(name, value));
}

enum status embedded_save_catalog(struct metadata *metadata,
                                  struct slice document)
{
    save(metadata, pending_catalog(document));
    return embedded_metadata_sync(metadata);
}

enum status embedded_save_report(struct metadata *metadata, uint32_t slot,
                                 uint64_t number, struct slice document)
{
    save(metadata, pending_report(slot, number, document));
    return embedded_metadata_sync(metadata);
}

enum status embedded_metadata_sync(struct metadata *metadata)
{
    struct commit_state *commits = metadata->commits;

    pthread_mutex_lock(&commits->lock);
    uint64_t target = metadata->saved;
    uint64_t failures = commits->failures;
    if (metadata->sync_to < target)
        metadata->sync_to = target;
    pthread_cond_signal(&commits->work);
    while (metadata->committed < target && commits->failures == failures)
        pthread_cond_wait(&commits->done, &commits->lock);
    enum status status = metadata->committed >= target ? OK : commits->health;
    pthread_mutex_unlock(&commits->lock);
    return status;
}

/* ---- offsets ---- */

bool embedded_next_offset(struct metadata *metadata, struct slice topic,
                          uint32_t partition, uint64_t *next)
{
    pthread_mutex_lock(&metadata->commits->lock);
    bool known = kafka_offsets_next(metadata->offsets, topic, partition, next);
    pthread_mutex_unlock(&metadata->commits->lock);
    return known;
}

void metadata_note_batch(struct metadata *metadata, const struct batch *batch)
{
    kafka_offsets_note(metadata->offsets, batch);
    stored_requests_note(metadata->requests, batch);
}

/* ---- commits ---- */

bool metadata_due(const struct metadata *metadata, uint64_t now_ns)
{
    return kafka_offsets_dead_letters(metadata->offsets) > 0 ||
           metadata->sync_to > metadata->committed ||
           (metadata->saved > metadata->committed &&
            (metadata->due_ns <= now_ns || metadata->commits->stopping ||
             metadata_full(metadata)));
}

void metadata_begin(struct metadata *metadata, struct metadata_commit *commit)
{
    if (pending_writes_count(metadata->newest) > 0)
        metadata->newest = pending_writes_start(metadata->newest);
    *commit = (struct metadata_commit){.first = metadata->oldest,
                                       .end = metadata->newest,
                                       .saved = metadata->saved,
                                       .saved_bytes = metadata->saved_bytes};
    kafka_offsets_begin(metadata->offsets, &commit->offsets);
    stored_requests_begin(metadata->requests, &commit->requests);
}

enum status metadata_write(const struct metadata_commit *commit, struct db *db)
{
    enum status status = OK;

    for (struct pending_writes *g = commit->first;
         g != commit->end && status == OK; g = pending_writes_next(g))
        status = pending_writes_write(g, db);
    if (status == OK)
        status = kafka_offsets_write(&commit->offsets, db);
    return status == OK ? stored_requests_write(&commit->requests, db) : status;
}

void metadata_end(struct metadata *metadata, struct metadata_commit *commit,
                  bool committed)
{
    kafka_offsets_end(metadata->offsets, &commit->offsets, committed);
    stored_requests_end(metadata->requests, &commit->requests, committed);
    if (!committed)
        return;
    while (metadata->oldest != commit->end) {
        struct pending_writes *next =
            pending_writes_ref(pending_writes_next(metadata->oldest));

        pending_writes_free(metadata->oldest);
        metadata->oldest = next;
    }
    metadata->committed = commit->saved;
    metadata->committed_bytes = commit->saved_bytes;
    metadata->due_ns = metadata->saved > commit->saved
                           ? clock_monotonic_ns() + SAVE_DELAY_NS
                           : 0;
}
