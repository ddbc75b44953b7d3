/*
 * A token as a JSON object: in the database, in the tokens file, in the API.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "grant_json.h"
#include "hex.h"
#include "json_slice.h"
#include "mem.h"
#include "subject.h"
#include "tokens_int.h"

enum { MAX_GRANTS = 32 };

static const char *const members[] = {
    "id",      "name",      "sha256",   "grants",     "expires", "stamp",
    "created", "createdBy", "lastUsed", "replacedBy", NULL};

static bool fail(char error[TOKENS_ERROR], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool fail(char error[TOKENS_ERROR], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(error, TOKENS_ERROR, format, args);
    va_end(args);
    return false;
}

/* No character that a terminal obeys: below the blank, 127, U+0080 to U+009F.
 */
static bool is_plain(struct slice text, size_t max)
{
    if (text.len == 0 || text.len > max)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        unsigned char next =
            i + 1 < text.len ? (unsigned char)text.ptr[i + 1] : 0;

        if (c < ' ' || c == 127 || (c == 0xc2 && next >= 0x80 && next < 0xa0))
            return false;
    }
    return true;
}

/* A time member; 0 if it is left out. */
static bool read_time(const json_t *object, const char *name, uint64_t *ns,
                      char error[TOKENS_ERROR])
{
    const json_t *value = json_object_get(object, name);

    *ns = 0;
    if (!value || json_is_null(value))
        return true;
    return clock_parse_rfc3339(json_slice_of(object, name), ns) ||
           fail(error, "%s is not a time such as 2027-01-31T00:00:00Z", name);
}

static bool read_stamp(const json_t *object, enum stamp *stamp,
                       char error[TOKENS_ERROR])
{
    struct slice text = json_slice_of(object, "stamp");

    *stamp =
        slice_equal(text, SLICE("override")) ? STAMP_OVERRIDE : STAMP_CHECK;
    return !json_object_get(object, "stamp") || *stamp == STAMP_OVERRIDE ||
           slice_equal(text, SLICE("check")) ||
           fail(error, "%s must be check or override", "stamp");
}

/* `grants`, or one whose members are those of the token. */
static bool read_grants(const json_t *object, struct grant *grants,
                        uint32_t *count, char error[TOKENS_ERROR])
{
    const json_t *list = json_object_get(object, "grants");
    const char *unknown;

    unknown =
        grant_json_unknown(object, members, list ? NULL : grant_json_members);
    if (unknown)
        return fail(error, "unknown member %.100s", unknown);
    if (!list) {
        *count = 1;
        return grant_json_parse(object, grants, error) == OK;
    }
    if (!json_is_array(list) || json_array_size(list) == 0 ||
        json_array_size(list) > MAX_GRANTS)
        return fail(error, "%s must be a list of 1 to 32 objects", "grants");
    *count = (uint32_t)json_array_size(list);
    for (uint32_t i = 0; i < *count; i++) {
        const json_t *one = json_array_get(list, i);

        unknown = grant_json_unknown(one, grant_json_members, NULL);
        if (!json_is_object(one) || unknown)
            return fail(error, "unknown member %.100s of a grant",
                        unknown ? unknown : "");
        if (grant_json_parse(one, &grants[i], error) != OK)
            return false;
    }
    return true;
}

static bool read_id(const json_t *object, struct slice hash, struct slice *id,
                    char error[TOKENS_ERROR])
{
    *id = json_slice_of(object, "id");
    if (id->len == 0)
        *id = (struct slice){hash.ptr, TOKEN_ID};
    return is_plain(*id, 64) || fail(error, "%s is not valid", "id");
}

static struct token *read_token(const json_t *object, struct subject *of,
                                struct grant *grants, char error[TOKENS_ERROR])
{
    struct token *token = mem_zero(1, sizeof(*token));
    struct slice hash = json_slice_of(object, "sha256");
    uint64_t used = 0;

    of->kind = SUBJECT_TOKEN;
    of->name = json_slice_of(object, "name");
    of->grants.at = grants;
    if ((is_plain(of->name, TOKEN_NAME_MAX) ||
         fail(error, "%s must have 1 to 128 printable characters", "name")) &&
        (hex_bytes(hash, token->hash, TOKEN_HASH) ||
         fail(error, "%s must have 64 hexadecimal digits", "sha256")) &&
        read_id(object, hash, &of->id, error) &&
        read_time(object, "expires", &of->expires_ns, error) &&
        read_time(object, "lastUsed", &used, error) &&
        read_stamp(object, &of->stamp, error) &&
        read_grants(object, grants, &of->grants.count, error)) {
        token->subject = subject_new(of);
        token->json = json_deep_copy(object);
        atomic_init(&token->used_ns, used);
        return token;
    }
    free(token);
    return NULL;
}

struct token *token_new(const json_t *object, char error[TOKENS_ERROR])
{
    struct subject of = {.kind = SUBJECT_TOKEN};
    struct grant grants[MAX_GRANTS];

    if (!json_is_object(object)) {
        (void)fail(error, "%s is an object with name, sha256, role ...",
                   "a token");
        return NULL;
    }
    return read_token(object, &of, grants, error);
}

void token_free(struct token *token)
{
    if (!token)
        return;
    subject_free(token->subject);
    json_decref(token->json);
    free(token);
}

json_t *tokens_grants_json(struct grants grants)
{
    static const char *const names[IDENTITY_NAMES] = {
        "namespace", "project", "component", "environment"};
    json_t *list = json_array();

    for (uint32_t i = 0; i < grants.count; i++) {
        json_t *one = json_object(), *actions = json_array();

        for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
            if (grants.at[i].actions & ACTION_BIT(a))
                json_array_append_new(actions,
                                      json_string(action_text((enum action)a)));
        json_object_set_new(one, "actions", actions);
        for (int k = 0; k < IDENTITY_NAMES; k++) {
            struct slice name = grants.at[i].scope.name[k];

            json_object_set_new(one, names[k],
                                json_stringn(name.ptr, name.len));
        }
        json_array_append_new(list, one);
    }
    return list;
}

json_t *token_json(const struct token *token, bool for_list)
{
    json_t *json = json_deep_copy(token->json);
    uint64_t used = atomic_load(&token->used_ns);
    char text[CLOCK_TEXT];

    if (used)
        json_object_set_new(
            json, "lastUsed",
            json_stringn(text, clock_format_rfc3339(text, used)));
    if (for_list) {
        struct slice id = token->subject->id;

        json_object_del(json, "sha256");
        json_object_set_new(json, "id", json_stringn(id.ptr, id.len));
    }
    return json;
}
