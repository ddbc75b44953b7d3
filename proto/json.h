/*
 * json - reads JSON value by value, without a tree.
 *
 * The caller reads what it expects; members it does not name and members that
 * are null are skipped. The first error sticks: every loop ends and every read
 * yields zero from then on. The path of the cursor is maintained for
 * json_describe().
 *
 *   static const char *const names[] = {"traceId", "name", NULL};
 *
 *   json_enter_object(j);
 *   while ((field = json_field(j, names)) >= 0)
 *       switch (field) {
 *       case 0: json_id(j, span->trace_id, 16); break;
 *       case 1: span->name = json_text(j); break;
 *       }
 *
 * Each case must read exactly one value. Names are lowerCamelCase;
 * lower_snake_case in the input means the same. Where proto3's JSON mapping
 * lets a value be written in several ways, all of them are read.
 *
 * Ownership  text is a slice of the input, or of the arena if it had escapes.
 * Bounds     recursion is the caller's; json_skip() has none and takes at most
 *            JSON_MAX_DEPTH levels.
 */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>

#include "arena.h"
#include "slice.h"
#include "status.h"

enum { JSON_MAX_DEPTH = 1024, JSON_MAX_PATH = 48 };
#define JSON_NO_INDEX UINT32_MAX

struct json {
    const char *at, *end;
    struct arena *arena;
    bool first;  /* nothing read yet of the object or array entered last */
    bool absent; /* it was null */
    enum status status;
    const char *why; /* static text, if status is not OK */
    uint32_t depth;  /* objects entered; the path's length */
    struct {
        const char *name;  /* the member that is being read; NULL: unknown */
        uint32_t index;    /* its element, or JSON_NO_INDEX */
        uint32_t next_row; /* after the one that named it */
    } path[JSON_MAX_PATH];
};

struct json json_over(struct slice text, struct arena *arena);

/* Ends the walk. Only the first failure counts. */
void json_fail(struct json *j, enum status status, const char *why);

/* Enters an object or array. null counts as an empty one; anything else is an
 * error. json_field() or json_element() must follow until it reports the end.
 */
void json_enter_object(struct json *j);
void json_enter_array(struct json *j);

/* Goes to the next member named in names (ends with NULL): its index there. -1
 * at the end of the object, which is left, and after an error. */
int json_field(struct json *j, const char *const *names);

/* The same with the names that the count rows of a table begin with; row is the
 * size of one, and a row without a name is skipped. */
int json_row(struct json *j, const void *table, size_t row, uint32_t count);

/* Goes to the next element; false at the end of the array and on error. */
bool json_element(struct json *j);

/* Skips one value of any type. */
void json_skip(struct json *j);

/* Nothing but white space may follow. */
void json_end(struct json *j);

struct slice json_text(struct json *j);
bool json_bool(struct json *j);
uint64_t json_uint64(struct json *j);
int64_t json_int64(struct json *j);
uint32_t json_uint32(struct json *j);
int32_t json_int32(struct json *j);
double json_double(struct json *j);
struct slice json_bytes(struct json *j); /* base64; into the arena */

/* A number, or a name that ends in one of names (ends with NULL): its index.
 * An unknown name is 0. */
int32_t json_enum(struct json *j, const char *const *names);

/* Hex. The length in bytes if it is size or 0, else some other number; id is
 * zero then. */
size_t json_id(struct json *j, uint8_t *id, size_t size);

/* "path.to[3].member: why", in the arena. */
struct slice json_describe(const struct json *j);

/* For json_scalar.c: the text of a number. */
struct slice json_number(struct json *j);

/* Skips white space: the next character, or 0 at the end. */
static inline char json_peek(struct json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\n' ||
                              *j->at == '\r' || *j->at == '\t'))
        j->at++;
    return j->at < j->end ? *j->at : '\0';
}

#endif
