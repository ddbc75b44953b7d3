/*
 * names - one copy of every name the registry knows, each a 32-bit number.
 *
 * Names are compared by number. Number 0 is the empty name. A name has at most
 * NAME_MAX_BYTES bytes, what is longer is cut; all together are bounded, too.
 * Nothing is ever taken out: the owner makes a new table of those it still
 * needs (registry_rebuild.c).
 *
 * Threads  as the owner locks.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

enum { NAME_MAX_BYTES = 255 };

/* What name_table_add() says when there is no room. */
#define NAME_TABLE_FULL UINT32_MAX

struct name_table {
    char *bytes;
    uint32_t len, room, cap;
    uint32_t *slots; /* numbers; 0 is free */
    uint32_t count, mask;
};

/* cap: the most bytes of all names together. Allocates nothing yet. */
void name_table_init(struct name_table *names, uint32_t cap);
void name_table_release(struct name_table *names);

uint32_t name_table_add(struct name_table *names, struct slice text);

/* As above, but 0 once three quarters are used: for names that are nice to
 * have. */
uint32_t name_table_add_optional(struct name_table *names, struct slice text);

/* 0 if it was never added (or is empty). */
uint32_t name_table_find(const struct name_table *names, struct slice text);

/* Good until the next name_table_add(). */
struct slice name_table_text(const struct name_table *names, uint32_t name);

#endif
