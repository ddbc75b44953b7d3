/*
 *   value   type u8 (enum value_type), then
 *             STRING, BYTES  length, bytes
 *             BOOL           u8
 *             INT            zigzag
 *             DOUBLE         8 bytes, little endian
 *             ARRAY          count, values
 *             MAP            count, entries (key length, key, value)
 *   attrs   dropped, count, entries
 *   scope   name, version, schema_url (each length, bytes), attrs
 */
#include "value.h"

#include "jsonw.h"

/* Decoding cuts at ATTR_MAX_DEPTH; this only bounds our own recursion. */
enum { MAX_DEPTH = 32 };

static void put_text(struct buf *out, const char *ptr, size_t len)
{
    buf_varint(out, len);
    buf_add(out, (struct slice){ptr, len});
}

static void put_value(struct buf *out, const struct attr *value, int depth);

static void put_items(struct buf *out, const struct attr *items, uint32_t count,
                      bool keys, int depth)
{
    buf_varint(out, count);
    for (uint32_t i = 0; i < count; i++) {
        if (keys)
            put_text(out, items[i].key, items[i].key_len);
        put_value(out, &items[i], depth);
    }
}

static void put_value(struct buf *out, const struct attr *value, int depth)
{
    uint8_t type = depth > MAX_DEPTH ? VALUE_EMPTY : value->type;
    uint64_t word;

    buf_byte(out, (char)type);
    switch (type) {
    case VALUE_STRING:
    case VALUE_BYTES:
        put_text(out, value->str, value->len);
        break;
    case VALUE_BOOL:
        buf_byte(out, value->b ? 1 : 0);
        break;
    case VALUE_INT:
        buf_varint(out, zigzag(value->i));
        break;
    case VALUE_DOUBLE:
        memcpy(&word, &value->d, sizeof(word));
        buf_fixed(out, word, 8);
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        put_items(out, value->items, value->len, type == VALUE_MAP, depth + 1);
        break;
    default:
        break;
    }
}

void value_put(struct buf *out, const struct attr *value)
{
    put_value(out, value, 0);
}

void value_put_attrs(struct buf *out, const struct attrs *attrs)
{
    buf_varint(out, attrs->dropped);
    put_items(out, attrs->at, attrs->count, true, 0);
}

void value_put_scope(struct buf *out, const struct scope *scope)
{
    put_text(out, scope->name.ptr, scope->name.len);
    put_text(out, scope->version.ptr, scope->version.len);
    put_text(out, scope->schema_url.ptr, scope->schema_url.len);
    value_put_attrs(out, &scope->attrs);
}

static void get_value(struct column_in *in, struct attr *value, int depth);

/* Each item takes a byte at least, so a count is bounded by what is left. */
static const struct attr *get_items(struct column_in *in, uint32_t *count,
                                    bool keys, int depth)
{
    uint64_t n = column_varint(in);
    struct attr *items;

    *count = 0;
    if (n == 0)
        return NULL;
    if (n > (size_t)(in->end - in->at) || n > UINT32_MAX || depth > MAX_DEPTH) {
        if (in->status == OK)
            in->status = ERR_CORRUPT;
        return NULL;
    }
    items = arena_zero(in->arena, n, sizeof(*items));
    if (!items) {
        if (in->status == OK)
            in->status = arena_status(in->arena);
        return NULL;
    }
    for (uint32_t i = 0; i < n && in->status == OK; i++) {
        items[i].key = "";
        if (keys) {
            struct slice key = column_bytes(in, column_varint(in));

            if (key.len > UINT16_MAX) {
                in->status = ERR_CORRUPT;
                return NULL;
            }
            items[i].key = key.ptr;
            items[i].key_len = (uint16_t)key.len;
        }
        get_value(in, &items[i], depth);
    }
    if (in->status != OK)
        return NULL;
    *count = (uint32_t)n;
    return items;
}

static void get_text(struct column_in *in, struct attr *value)
{
    struct slice text = column_bytes(in, column_varint(in));

    if (text.len > UINT32_MAX)
        in->status = ERR_CORRUPT;
    value->str = text.ptr;
    value->len = (uint32_t)text.len;
}

static void get_value(struct column_in *in, struct attr *value, int depth)
{
    struct slice raw = column_bytes(in, 1);

    value->type = raw.len ? (uint8_t)raw.ptr[0] : VALUE_EMPTY;
    value->len = 0;
    value->i = 0;
    switch (value->type) {
    case VALUE_EMPTY:
        break;
    case VALUE_STRING:
    case VALUE_BYTES:
        get_text(in, value);
        break;
    case VALUE_BOOL:
        raw = column_bytes(in, 1);
        value->b = raw.len && raw.ptr[0];
        break;
    case VALUE_INT:
        value->i = unzigzag(column_varint(in));
        break;
    case VALUE_DOUBLE:
        raw = column_bytes(in, 8);
        if (raw.len)
            memcpy(&value->d, raw.ptr, 8);
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        value->items =
            get_items(in, &value->len, value->type == VALUE_MAP, depth + 1);
        break;
    default:
        in->status = ERR_CORRUPT;
        value->type = VALUE_EMPTY;
    }
}

void value_get(struct column_in *in, struct attr *value)
{
    get_value(in, value, 0);
}

void value_get_attrs(struct column_in *in, struct attrs *attrs)
{
    attrs->dropped = (uint32_t)column_varint(in);
    attrs->at = get_items(in, &attrs->count, true, 0);
}

void value_get_scope(struct column_in *in, struct scope *scope)
{
    scope->name = column_bytes(in, column_varint(in));
    scope->version = column_bytes(in, column_varint(in));
    scope->schema_url = column_bytes(in, column_varint(in));
    value_get_attrs(in, &scope->attrs);
}

void value_show(struct buf *out, const struct attr *value)
{
    struct jsonw w;

    if (value->type == VALUE_EMPTY)
        return;
    if (value->type == VALUE_STRING) {
        buf_add(out, (struct slice){value->str, value->len});
        return;
    }
    jsonw_init(&w, out);
    jsonw_value(&w, value);
}
