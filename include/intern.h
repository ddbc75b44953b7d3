/*
 * intern - one copy of each distinct text, and a small number for it.
 *
 * Purpose:   texts that repeat (names of components, label values) are stored
 *            once and compared by number. Numbers are dense and count up from
 *            1 in order of arrival, so what is known about text n can be
 *            element n of an array; 0 is the empty text. Nothing is removed
 *            singly: a new table with the texts still in use replaces the old
 *            one.
 * Ownership: texts are copied. intern_text() points into the table and is valid
 *            until the next intern_add(). All zero but the bounds is an empty
 *            table, which holds no memory yet.
 * Threads:   as its owner locks; any number may read while nobody adds.
 * Errors:    INTERN_FULL when a bound is reached; the table is unchanged then,
 *            and texts that are in it are still found.
 */
#ifndef INTERN_H
#define INTERN_H

#include <stdint.h>

#include "map.h"
#include "slice.h"

#define INTERN_FULL UINT32_MAX

struct intern {
    uint32_t max_bytes; /* of all texts together */
    uint32_t max_text;  /* of one; longer ones are truncated to whole UTF-8
                           characters */
    char *bytes;
    uint32_t *ends; /* text n is bytes[ends[n - 1]] ... bytes[ends[n]] */
    uint32_t count; /* the highest number */
    uint32_t bytes_room, ends_room;
    struct map index;
};

void intern_init(struct intern *table, uint32_t max_bytes, uint32_t max_text);
void intern_release(struct intern *table);

/* The number of text, which is added if it is new. */
uint32_t intern_add(struct intern *table, struct slice text);

/* The same within a smaller bound on all bytes: optional texts leave room for
 * necessary ones. */
uint32_t intern_add_within(struct intern *table, struct slice text,
                           uint32_t max_bytes);

/* 0 if it was never added, or is empty. */
uint32_t intern_find(const struct intern *table, struct slice text);

struct slice intern_text(const struct intern *table, uint32_t number);

/* Bytes of all texts. */
uint32_t intern_bytes(const struct intern *table);

#endif
