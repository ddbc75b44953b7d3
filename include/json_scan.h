/*
 * json_scan - iterates over the members of a JSON object inside a text, without
 * memory of its own.
 *
 *   struct json_scan scan;
 *   struct json_member member;
 *
 *   if (json_scan_open(&scan, text, '{'))
 *       while (json_scan_next(&scan, &member))
 *           ... member.key, member.kind, member.value ...
 *
 * Purpose:   log lines that may or may not be JSON. The complete reader is
 *            json.h of proto/.
 * Ownership: keys and values are slices of the input, with their escapes.
 * Threads:   any.
 * Errors:    text that is not JSON, or is truncated, ends the iteration; what
 *            was read before is valid.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdbool.h>

#include "slice.h"

struct json_scan {
    const char *at, *end;
    bool array, first;
};

struct json_member {
    struct slice key;   /* empty in an array */
    struct slice value; /* a string without its quotes; else all of it */
    char kind;          /* '"', '{', '[', or '0' for numbers and literals */
};

/* Enters the object ('{') or array ('['); false if the text is not one. */
bool json_scan_open(struct json_scan *scan, struct slice text, char bracket);

/* False at the end. */
bool json_scan_next(struct json_scan *scan, struct json_member *member);

#endif
