/*
 * pending_writes - rows of metadata that are not committed yet.
 *
 * Generations in a chain: the newest takes what is saved; the writer starts a
 * new one, writes all before it in one transaction and drops them from the
 * chain after the commit. A reader holds the oldest generation from before its
 * view is fixed, so everything that was saved earlier is either in its view of
 * the database or in the chain that it holds.
 *
 * Ownership: a generation is counted by references; it owns its writes.
 * Threads: adding, starting a generation and looking for a resource under the
 * store's lock.
 */
#ifndef STORE_PENDING_WRITES_H
#define STORE_PENDING_WRITES_H

#include "arena.h"
#include "db.h"
#include "identity.h"
#include "record.h"

/* A row, or a change of one: the parameters of a statement. */
struct pending_write {
    struct pending_write *next;   /* saved after it */
    struct pending_write *before; /* in the same bucket */
    enum db_sql sql;
    uint32_t count;
    struct db_param params[]; /* then the bytes they refer to */
};

struct pending_writes;

struct pending_writes *pending_writes_new(void);
struct pending_writes *pending_writes_ref(struct pending_writes *writes);
/* One reference less; NULL is fine. */
void pending_writes_free(struct pending_writes *writes);
struct pending_writes *pending_writes_next(struct pending_writes *writes);
/* Appends a new generation, and returns it. */
struct pending_writes *pending_writes_start(struct pending_writes *last);

/* Copies, for pending_writes_add. From malloc. */
struct pending_write *pending_identity(const struct identity *identity);
struct pending_write *pending_resource(uint32_t id, uint32_t identity,
                                       uint64_t hash,
                                       const struct resource *resource);
struct pending_write *pending_resource_identity(uint32_t id, uint32_t identity);
struct pending_write *pending_value(const char *name, struct slice value);
struct pending_write *pending_catalog(struct slice document);
struct pending_write *pending_report(uint32_t slot, uint64_t number,
                                     struct slice document);

/* Takes it over. */
void pending_writes_add(struct pending_writes *writes,
                        struct pending_write *write);
uint64_t pending_writes_count(const struct pending_writes *writes);
/* Memory that it holds. */
uint64_t pending_write_size(const struct pending_write *write);

/* Writes one generation, inside a transaction. */
MUST_CHECK enum status pending_writes_write(const struct pending_writes *writes,
                                            struct db *db);

/* The resource as it was saved last in this or a later generation: its schema
 * URL and attributes as they are stored. */
bool pending_writes_find_resource(const struct pending_writes *writes,
                                  uint32_t id, struct slice *schema_url,
                                  struct slice *attrs);

/* Attributes as they are stored. ERR_CORRUPT, or the arena's status. */
MUST_CHECK enum status resource_read(struct slice schema_url,
                                     struct slice attrs, uint32_t id,
                                     struct arena *arena,
                                     struct resource *resource);

#endif
