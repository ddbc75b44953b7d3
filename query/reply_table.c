/* One walk over a table; see reply_table.h. */
#include "reply_table.h"

#include <math.h>

#include "hex.h"

const struct reply_table reply_texts = REPLY_TABLE(
    struct slice, {NULL, 0, sizeof(struct slice), REPLY_TYPE_TEXT, 0, NULL});

typedef uint8_t trace_id[16];
const struct reply_table reply_trace_ids =
    REPLY_TABLE(trace_id, {NULL, 0, sizeof(trace_id), REPLY_TYPE_HEX, 0, NULL});

static bool is_uuid(struct slice text)
{
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? c != '-' : hex_digit(c) < 0)
            return false;
    }
    return true;
}

/* Whether a member with REPLY_OMIT_EMPTY is left out. */
static bool is_empty(const struct reply_member *member, const void *at)
{
    switch ((enum reply_type)member->type) {
    case REPLY_TYPE_TEXT:
    case REPLY_TYPE_BASE64:
        return ((const struct slice *)at)->len == 0;
    case REPLY_TYPE_UID:
        return !is_uuid(*(const struct slice *)at);
    case REPLY_TYPE_CSTR: {
        const char *text = *(const char *const *)at;

        return !text || !text[0];
    }
    case REPLY_TYPE_DOUBLE:
    case REPLY_TYPE_ROUNDED:
        return !(*(const double *)at < 0 || *(const double *)at > 0);
    case REPLY_TYPE_LIST_TIME:
        return ((const struct list_time *)at)->ns == 0;
    case REPLY_TYPE_ATTRS:
        return ((const struct attrs *)at)->count == 0;
    case REPLY_TYPE_LIST:
        return ((const struct reply_list *)at)->count == 0;
    case REPLY_TYPE_OBJECT:
    case REPLY_TYPE_INLINE:
        return false;
    case REPLY_TYPE_BOOL:
    case REPLY_TYPE_UINT32:
    case REPLY_TYPE_UINT64:
    case REPLY_TYPE_INT64:
    case REPLY_TYPE_TIME:
    case REPLY_TYPE_HEX:
        break;
    }
    return id_is_zero(at, member->size);
}

static void write_list(struct jsonw *w, const struct reply_table *table,
                       const struct reply_list *list)
{
    bool there = list->item || list->items; /* else the arena was full */

    jsonw_open(w, '[');
    for (uint32_t i = 0; there && i < list->count; i++) {
        const void *item =
            list->item ? list->item(list->arg, i)
                       : (const char *)list->items + (size_t)i * table->size;

        if (item)
            reply_write(w, table, item);
    }
    jsonw_close(w, ']');
}

static void write_members(struct jsonw *w, const struct reply_table *table,
                          const void *fields);

static void write_value(struct jsonw *w, const struct reply_member *member,
                        const void *at)
{
    const char *text;

    switch ((enum reply_type)member->type) {
    case REPLY_TYPE_TEXT:
    case REPLY_TYPE_UID:
        jsonw_text(w, *(const struct slice *)at);
        break;
    case REPLY_TYPE_BASE64:
        jsonw_base64(w, *(const struct slice *)at);
        break;
    case REPLY_TYPE_CSTR:
        text = *(const char *const *)at;
        jsonw_cstr(w, text ? text : "");
        break;
    case REPLY_TYPE_BOOL:
        jsonw_bool(w, *(const bool *)at);
        break;
    case REPLY_TYPE_UINT32:
        jsonw_uint(w, *(const uint32_t *)at);
        break;
    case REPLY_TYPE_UINT64:
        jsonw_uint(w, *(const uint64_t *)at);
        break;
    case REPLY_TYPE_INT64:
        jsonw_int(w, *(const int64_t *)at);
        break;
    case REPLY_TYPE_DOUBLE:
        jsonw_double(w, *(const double *)at);
        break;
    case REPLY_TYPE_ROUNDED:
        jsonw_double(w, round(*(const double *)at * 100) / 100);
        break;
    case REPLY_TYPE_TIME:
        jsonw_time(w, *(const uint64_t *)at);
        break;
    case REPLY_TYPE_LIST_TIME:
        list_time_write(w, at);
        break;
    case REPLY_TYPE_HEX:
        jsonw_hex(w, at, member->size);
        break;
    case REPLY_TYPE_ATTRS:
        jsonw_attrs(w, at);
        break;
    case REPLY_TYPE_OBJECT:
        reply_write(w, member->table, at);
        break;
    case REPLY_TYPE_INLINE:
        write_members(w, member->table, at);
        break;
    case REPLY_TYPE_LIST:
        write_list(w, member->table, at);
        break;
    }
}

static void write_members(struct jsonw *w, const struct reply_table *table,
                          const void *fields)
{
    for (uint32_t i = 0; i < table->count; i++) {
        const struct reply_member *member = &table->members[i];
        const void *at = (const char *)fields + member->offset;

        if (member->flags & REPLY_POINTER)
            at = *(const void *const *)at;
        if (at ? (member->flags & REPLY_OMIT_EMPTY) && is_empty(member, at)
               : !(member->flags & REPLY_NULL))
            continue;
        if (member->name)
            jsonw_name(w, member->name);
        if (at)
            write_value(w, member, at);
        else
            jsonw_null(w);
    }
}

void reply_write(struct jsonw *w, const struct reply_table *table,
                 const void *fields)
{
    bool named =
        table->members[0].name || table->members[0].type == REPLY_TYPE_INLINE;

    if (!named && table->count == 1) {
        write_members(w, table, fields);
        return;
    }
    jsonw_open(w, named ? '{' : '[');
    write_members(w, table, fields);
    jsonw_close(w, named ? '}' : ']');
}
