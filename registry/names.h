/*
 * names - one copy of every name the registry knows, each a 32-bit number.
 *
 * Names are compared by number. Number 0 is the empty name. A name has at most
 * NAMES_MAX_LEN bytes, what is longer is cut; all together are bounded, too.
 * Nothing is ever taken out: the owner makes a new table of those it still
 * needs (registry_renew.c).
 *
 * Threads  as the owner locks.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

enum { NAMES_MAX_LEN = 255 };

/* What names_add() says when there is no room. */
#define NAMES_FULL UINT32_MAX

struct names {
    char *bytes;
    uint32_t len, room, cap;
    uint32_t *slots; /* numbers; 0 is free */
    uint32_t count, mask;
};

/* cap: the most bytes of all names together. Allocates nothing yet. */
void names_init(struct names *names, uint32_t cap);
void names_release(struct names *names);

uint32_t names_add(struct names *names, struct slice text);

/* As above, but 0 once three quarters are used: for names that are nice to
 * have. */
uint32_t names_add_spare(struct names *names, struct slice text);

/* 0 if it was never added (or is empty). */
uint32_t names_find(const struct names *names, struct slice text);

/* Good until the next names_add(). */
struct slice names_text(const struct names *names, uint32_t name);

#endif
