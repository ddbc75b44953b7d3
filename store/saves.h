/*
 * saves - what the registry wants kept, until it is committed.
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
#ifndef STORE_SAVES_H
#define STORE_SAVES_H

#include "arena.h"
#include "db.h"
#include "identity.h"
#include "record.h"

enum save_type { SAVE_IDENTITY, SAVE_RESOURCE, SAVE_TAG, SAVE_TEXT };

enum { SAVE_TEXTS = 7 };

struct save {
    struct save *next;   /* saved after it */
    struct save *before; /* in the same bucket */
    enum save_type type;
    uint32_t id, identity;
    uint8_t rule;
    uint64_t hash;
    struct slice texts[SAVE_TEXTS];
    struct slice bytes; /* attributes, or the value of a text */
};

struct saves;

struct saves *saves_new(void);
struct saves *saves_ref(struct saves *saves);
void saves_free(struct saves *saves); /* one reference less; NULL is fine */
struct saves *saves_next(struct saves *saves);
/* Appends a new generation, and returns it. */
struct saves *saves_start(struct saves *last);

/* Copies, for saves_add. From malloc. */
struct save *save_identity(const struct identity *identity);
struct save *save_resource(uint32_t id, uint32_t identity, uint64_t hash,
                           const struct resource *resource);
struct save *save_tag(uint32_t id, uint32_t identity);
struct save *save_text(const char *name, struct slice text);

void saves_add(struct saves *saves, struct save *save); /* takes it over */
uint64_t saves_count(const struct saves *saves);
uint64_t save_size(const struct save *save); /* memory it holds */

/* Writes one generation, inside a transaction. */
MUST_CHECK enum status saves_write(const struct saves *saves, struct db *db);

/* The resource as it was saved last in this or a later generation, or NULL. */
const struct save *saves_find(const struct saves *saves, uint32_t resource);

/* Attributes as they are stored. ERR_CORRUPT, or the arena's status. */
MUST_CHECK enum status resource_read(struct slice schema_url,
                                     struct slice attrs, uint32_t id,
                                     struct arena *arena,
                                     struct resource *resource);

#endif
