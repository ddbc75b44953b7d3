/*
 * Functions of metadata.h, by the table of the engine.
 */
#include "store_ops.h"

static const struct metadata_head *metadata_head(
    const struct metadata *metadata)
{
    return (const struct metadata_head *)(const void *)metadata;
}

enum status metadata_create_value(struct metadata *metadata, const char *name,
                                  struct slice value, struct arena *arena,
                                  struct slice *stored)
{
    return metadata_head(metadata)->ops->create_value(metadata, name, value,
                                                      arena, stored);
}

bool metadata_has_entries(const struct metadata *metadata)
{
    return metadata_head(metadata)->ops->load_entries != NULL;
}

enum status metadata_load(struct metadata *metadata,
                          metadata_identity_visit *identity,
                          metadata_resource_visit *resource, void *arg)
{
    return metadata_head(metadata)->ops->load(metadata, identity, resource,
                                              arg);
}

enum status metadata_load_catalog(struct metadata *metadata,
                                  struct arena *arena, struct slice *document)
{
    return metadata_head(metadata)->ops->load_catalog(metadata, arena,
                                                      document);
}

enum status metadata_load_derived_state(struct metadata *metadata,
                                        struct arena *arena,
                                        struct slice *state)
{
    return metadata_head(metadata)->ops->load_derived_state(metadata, arena,
                                                            state);
}

enum status metadata_load_entries(struct metadata *metadata, const char *kind,
                                  metadata_entry_visit *visit, void *arg)
{
    return metadata_head(metadata)->ops->load_entries(metadata, kind, visit,
                                                      arg);
}

enum status metadata_load_reports(struct metadata *metadata,
                                  metadata_report_visit *visit, void *arg)
{
    return metadata_head(metadata)->ops->load_reports(metadata, visit, arg);
}

enum status metadata_load_requests(struct metadata *metadata,
                                   metadata_request_visit *visit, void *arg)
{
    return metadata_head(metadata)->ops->load_requests(metadata, visit, arg);
}

enum status metadata_load_value(struct metadata *metadata, const char *name,
                                struct arena *arena, struct slice *value)
{
    return metadata_head(metadata)->ops->load_value(metadata, name, arena,
                                                    value);
}

bool metadata_next_offset(struct metadata *metadata, struct slice topic,
                          uint32_t partition, uint64_t *next)
{
    return metadata_head(metadata)->ops->next_offset(metadata, topic, partition,
                                                     next);
}

enum status metadata_save_catalog(struct metadata *metadata,
                                  struct slice document)
{
    return metadata_head(metadata)->ops->save_catalog(metadata, document);
}

enum status metadata_save_entries(struct metadata *metadata, const char *kind,
                                  const struct metadata_entry *entries,
                                  uint32_t count)
{
    return metadata_head(metadata)->ops->save_entries(metadata, kind, entries,
                                                      count);
}

void metadata_save_identity(struct metadata *metadata,
                            const struct identity *identity)
{
    metadata_head(metadata)->ops->save_identity(metadata, identity);
}

enum status metadata_save_report(struct metadata *metadata, uint32_t slot,
                                 uint64_t number, struct slice document)
{
    return metadata_head(metadata)->ops->save_report(metadata, slot, number,
                                                     document);
}

void metadata_save_resource(struct metadata *metadata, uint32_t id,
                            uint32_t identity, uint64_t hash,
                            const struct resource *resource)
{
    metadata_head(metadata)->ops->save_resource(metadata, id, identity, hash,
                                                resource);
}

void metadata_save_resource_identity(struct metadata *metadata, uint32_t id,
                                     uint32_t identity)
{
    metadata_head(metadata)->ops->save_resource_identity(metadata, id,
                                                         identity);
}

void metadata_save_value(struct metadata *metadata, const char *name,
                         struct slice value)
{
    metadata_head(metadata)->ops->save_value(metadata, name, value);
}

enum status metadata_sync(struct metadata *metadata)
{
    return metadata_head(metadata)->ops->sync(metadata);
}
