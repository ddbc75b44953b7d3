/*
 * pending_writes - what the registry wants kept, until it is committed.
 *
 * Generations in a chain: the newest takes what is saved, the writer starts a
 * new one, writes all before it in one transaction and leaves them out of the
 * chain after the commit. A reader holds the oldest generation from before
 * its view is fixed; so whatever was saved earlier is either in its view of
 * the database or in the chain that it holds.
 *
 * Threads  adding, starting a generation and looking for something: under the
 *          store's lock.
 */
#ifndef STORE_PENDING_WRITES_H
#define STORE_PENDING_WRITES_H

#include "arena.h"
#include "db.h"
#include "identity.h"
#include "record.h"

enum pending_write_type { WRITE_IDENTITY, SAVE_RESOURCE, SAVE_TAG, SAVE_TEXT };

enum { SAVE_TEXTS = 7 };

struct pending_write {
    struct pending_write *next;   /* saved after it */
    struct pending_write *before; /* in the same bucket */
    enum pending_write_type type;
    uint32_t id, identity;
    uint8_t rule;
    uint64_t hash;
    struct slice texts[SAVE_TEXTS];
    struct slice bytes; /* attributes, or the value of a text */
};

struct pending_writes;

struct pending_writes *pending_writes_new(void);
struct pending_writes *pending_writes_ref(
    struct pending_writes *pending_writes);
void pending_writes_free(
    struct pending_writes
        *pending_writes); /* one reference less; NULL is fine */
struct pending_writes *pending_writes_next(
    struct pending_writes *pending_writes);
/* Appends a new generation, and returns it. */
struct pending_writes *pending_writes_start(struct pending_writes *last);

/* Copies, for pending_writes_add. From malloc. */
struct pending_write *save_identity(const struct identity *identity);
struct pending_write *save_resource(uint32_t id, uint32_t identity,
                                    uint64_t hash,
                                    const struct resource *resource);
struct pending_write *save_tag(uint32_t id, uint32_t identity);
struct pending_write *save_text(const char *name, struct slice text);

void pending_writes_add(struct pending_writes *pending_writes,
                        struct pending_write *save); /* takes it over */
uint64_t pending_writes_count(const struct pending_writes *pending_writes);
uint64_t save_size(const struct pending_write *save); /* memory it holds */

/* Writes one generation, inside a transaction. */
MUST_CHECK enum status pending_writes_write(
    const struct pending_writes *pending_writes, struct db *db);

/* The resource as it was saved last in this or a later generation, or NULL. */
const struct pending_write *pending_writes_find_resource(
    const struct pending_writes *pending_writes, uint32_t resource);

/* Attributes as they are stored. ERR_CORRUPT, or the arena's status. */
MUST_CHECK enum status resource_read(struct slice schema_url,
                                     struct slice attrs, uint32_t id,
                                     struct arena *arena,
                                     struct resource *resource);

#endif
