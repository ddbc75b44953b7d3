/*
 * grafana_payload - what a target carries: its payload and the values in it,
 * in all forms that Grafana and people make of them.
 *
 * A value is one text, a number, a boolean, an array of such, or what a
 * variable became: (a|b) with regular expression escapes, {a,b}, a,b,
 * ["a","b"] as text, $__all, or the name of a variable that was not replaced
 * and is looked up among the scoped variables.
 *
 * Purpose:   from bytes of others to lists of texts.
 * Ownership: texts are in the arena, or borrowed from the JSON they come from.
 * Threads:   pure.
 * Errors:    what cannot be read restricts nothing, and is told in `unknown`.
 */
#ifndef GRAFANA_PAYLOAD_H
#define GRAFANA_PAYLOAD_H

#include <jansson.h>

#include "arena.h"
#include "slice.h"

enum { PAYLOAD_MAX_VALUES = 4096, PAYLOAD_MAX_TEXT = 64 * 1024 };

enum payload_state {
    PAYLOAD_GIVEN,
    PAYLOAD_EMPTY, /* absent, "", null or {} */
    PAYLOAD_BROKEN /* not an object, or a text that is no JSON object */
};

/* The payload of a target (or its legacy name, data) as an object, which
 * belongs to the target. Never NULL but out of memory. */
json_t *payload_object(json_t *target, enum payload_state *state);

struct payload_values {
    struct slice *texts; /* unescaped, each once */
    uint32_t count, room;
    struct slice *also; /* other readings of a text: as it is, split at commas;
                           where only equality counts they do no harm */
    uint32_t also_count, also_room;
    struct slice pattern; /* regular expression of those that look like one */
    struct slice unknown; /* a variable that was not replaced */
    bool all;             /* no restriction: absent, empty, or All */
};

/* scoped: the scopedVars of the request, or NULL. */
void payload_values(const json_t *value, const json_t *scoped,
                    struct arena *arena, struct payload_values *out);

/* The value of a scoped variable; NULL if there is none. */
const json_t *payload_scoped(const json_t *scoped, struct slice name);

/* A JSON document of bounded size and depth; NULL if it is none. */
json_t *payload_parse(struct slice text);

#endif
