/*
 * tally - requests counted under keys of the asker's choice: per component,
 * endpoint and operation, peer, ... over one window of time.
 *
 *   struct tally *t = tally_at(&map, key);     key: a hash of what it stands
 * for if (!t->item) t->item = ...;               what it stands for
 *   tally_add(&map, t, point, share);
 *
 * Ownership  everything is in the arena the map was made with.
 */
#ifndef TALLY_H
#define TALLY_H

#include "arena.h"
#include "hist.h"
#include "jsonw.h"
#include "record.h"
#include "registry.h"

struct tally {
    uint64_t key;
    void *item;
    double requests, errors, client_errors;
    struct hist hist; /* seconds */
};

struct tally_map {
    struct arena *arena;
    struct tally **slots;
    uint32_t room, count;
};

void tally_map_init(struct tally_map *map, struct arena *arena);

/* The tally of this key, empty at first; NULL if the arena is full. */
struct tally *tally_at(struct tally_map *map, uint64_t key);

/* A duration histogram adds requests and latencies, an ERRORS sum errors;
 * other points do nothing. share: how much of it lies in the window. False if
 * the arena is full. */
bool tally_add(struct tally_map *map, struct tally *tally,
               const struct point *point, double share);

/* What came to nothing: all of it was taken back. */
bool tally_is_empty(const struct tally *tally);

/* Counts the requests of `owner` by what they say for a name of its item (an
 * endpoint, a protocol); tally_set_names() then sets each name that is still
 * empty to the text with the most requests. An empty text says nothing. False
 * if the arena is full. */
bool tally_name(struct tally_map *names, const struct tally *owner,
                struct slice *name, struct slice text,
                const struct point *point, double share);
bool tally_set_names(const struct tally_map *names);

/* All of them, most requests first, then by key. NULL: arena full. */
struct tally **tally_sorted(const struct tally_map *map);

/* The identity with this number, or TALLY_RESOURCE(id): that of a resource;
 * looked up once, the item of the tally of this key. One that is not known is
 * empty. NULL: the arena is full. */
#define TALLY_RESOURCE(id) (UINT64_C(1) << 32 | (id))
const struct identity *tally_identity(struct tally_map *map,
                                      struct registry *registry, uint64_t key);

/* How much of a delta point lies in [start_ns, end_ns), 0 to 1. A minute that
 * is not over counts as having happened until now. */
double tally_share(const struct point *point, uint64_t start_ns,
                   uint64_t end_ns, uint64_t now_ns);

/* The derived series that are added up here (derived.h): what is served, then
 * calls, then the rest. */
enum { DERIVED_SERVED_NAMES = 6, DERIVED_EDGE_NAMES = 18, DERIVED_NAMES };
extern const struct slice derived_names[DERIVED_NAMES];

/* A derived series' part; of calls its side. */
enum tally_part { PART_SERVED, PART_OUT, PART_IN, PART_LOGS };

/* Of a point; *sign is -1 if it has to be taken off, else 1. */
enum tally_part tally_part(const struct point *point, int *sign);

/* The first attribute of this name as a text; empty if it has none. */
struct slice point_text(const struct point *point, const char *key);
/* The same as a number; missing if it has none. */
int64_t point_int(const struct point *point, const char *key, int64_t missing);

/* NULL-valued where nothing was measured, as JSON has it. */
void tally_number(struct jsonw *w, const char *key, double value);

#endif
